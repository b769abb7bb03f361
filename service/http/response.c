/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/response.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/base.h"
#include "common/buf.h"

constexpr uint64_t US_PER_S = 1'000'000;

const char RESPONSE_CONTINUE[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* The reason phrases of the statuses that we or Rockset's API know. */
static const char *reason(uint16_t status)
{
	static const struct {
		uint16_t status;
		const char *text;
	} REASONS[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < countof(REASONS); i++)
		if (REASONS[i].status == status)
			return REASONS[i].text;
	return "";
}

/* Append the Date header, "Tue, 24 Nov 2026 03:24:40 GMT" (RFC 9110 section 5.6.7). */
static void add_date(struct buf *out, uint64_t now_us)
{
	static const char DAYS[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char MONTHS[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	auto seconds = (time_t)(now_us / US_PER_S);
	struct tm tm = {};

	(void)gmtime_r(&seconds, &tm);
	buf_addf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", DAYS[tm.tm_wday], tm.tm_mday,
		 MONTHS[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Append a header unless it has no value. */
static void add_header(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_addf(out, "%s: %s\r\n", name, value);
}

void response_write(struct buf *out, const struct response *response)
{
	buf_addf(out, "HTTP/1.1 %u %s\r\n", response->status, reason(response->status));
	add_date(out, response->now_us);
	buf_addf(out, "Content-Length: %" PRIu64 "\r\n", response->length);
	buf_add_str(out, "Content-Type: application/json\r\n"
			 "Cache-Control: no-store\r\n"
			 "X-Content-Type-Options: nosniff\r\n"
			 "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
	if (response->secure)
		buf_add_str(out, "Strict-Transport-Security: max-age=63072000; "
				 "includeSubdomains; preload\r\n");
	if (response->status == 401)
		buf_add_str(out, "WWW-Authenticate: ApiKey\r\n");
	if (response->status == 429 || response->status == 503)
		buf_add_str(out, "Retry-After: 1\r\n");
	add_header(out, "X-Request-Id", response->request_id);
	add_header(out, "Allow", response->allow);
	add_header(out, "Location", response->location);
	add_header(out, "Connection", response->close ? "close" : "keep-alive");
	buf_add_str(out, "\r\n");
}
