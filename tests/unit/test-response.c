/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/response.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint64_t NOW_US = 1'795'490'680'123'456; /* 2026-11-24T03:24:40.123456Z */

static bool the_head_is_what_rockset_sent_less_its_wildcard(void)
{
	static const char WANT[] =
		"HTTP/1.1 200 OK\r\n"
		"Date: Tue, 24 Nov 2026 03:24:40 GMT\r\n"
		"Content-Length: 12345678901\r\n"
		"Content-Type: application/json\r\n"
		"Cache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
		"Strict-Transport-Security: max-age=63072000; includeSubdomains; preload\r\n"
		"X-Request-Id: r-1\r\n"
		"Connection: keep-alive\r\n"
		"\r\n";
	auto_buf struct buf out = buf_make(RESPONSE_HEAD_MAX);

	response_write(&out, &(struct response) { .status = 200,
						  .length = 12'345'678'901,
						  .now_us = NOW_US,
						  .secure = true,
						  .request_id = "r-1" });
	const char *got = buf_text(&out);
	CHECK(got);
	if (strcmp(got, WANT) != 0)
		printf("# %s\n", got);
	CHECK(strcmp(got, WANT) == 0);
	return true;
}

/* Whether the head of a response has this line. */
static bool has(const struct response *response, const char *line)
{
	auto_buf struct buf out = buf_make(RESPONSE_HEAD_MAX);

	response_write(&out, response);
	const char *got = buf_text(&out);
	return got && strstr(got, line);
}

static bool what_depends_is_said_only_where_it_belongs(void)
{
	CHECK(!has(&(struct response) { .status = 308 }, "Strict-Transport-Security"));
	CHECK(has(&(struct response) { .status = 308, .location = "https://a/b" },
		  "\r\nLocation: https://a/b\r\n"));
	CHECK(has(&(struct response) { .status = 401 }, "\r\nWWW-Authenticate: ApiKey\r\n"));
	CHECK(!has(&(struct response) { .status = 403 }, "WWW-Authenticate"));
	CHECK(has(&(struct response) { .status = 405, .allow = "GET, POST" },
		  "\r\nAllow: GET, POST\r\n"));
	CHECK(has(&(struct response) { .status = 503 }, "\r\nRetry-After: 1\r\n"));
	CHECK(has(&(struct response) { .status = 200, .close = true },
		  "\r\nConnection: close\r\n"));
	CHECK(!has(&(struct response) { .status = 200 }, "Server:"));
	CHECK(!has(&(struct response) { .status = 200 }, "Access-Control-"));
	CHECK(has(&(struct response) { .status = 299 }, "HTTP/1.1 299 \r\n"));
	return true;
}

static bool a_failed_allocation_sticks_to_the_buffer(void)
{
	auto_buf struct buf out = buf_make(RESPONSE_HEAD_MAX);

	fault_at(1);
	response_write(&out, &(struct response) { .status = 200 });
	CHECK(fault_end());
	CHECK_EQ(buf_error(&out), -ENOMEM);
	return true;
}

int main(void)
{
	RUN(the_head_is_what_rockset_sent_less_its_wildcard);
	RUN(what_depends_is_said_only_where_it_belongs);
	RUN(a_failed_allocation_sticks_to_the_buffer);
	return tap_done();
}
