/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr size_t BODY_MAX = 1000;

#define HOST "Host: redoubt.example\r\n"

/* Feed in pieces until the message ends, one way or the other. Returns what the last feed said. */
static int feed(struct request *request, const void *bytes, size_t len, size_t piece,
		size_t *ret_used)
{
	const uint8_t *at = bytes;
	int r = REQUEST_MORE;

	*ret_used = 0;
	while (r == REQUEST_MORE || r == REQUEST_HEAD) {
		size_t left = len - *ret_used;
		size_t used = 0;

		if (left == 0 && r == REQUEST_MORE && len > 0)
			break;
		r = request_feed(request, at + *ret_used, left < piece ? left : piece, &used);
		*ret_used += used;
	}
	return r;
}

/* Feed a whole text at once. */
static int feed_text(struct request *request, const char *text)
{
	size_t used;

	return feed(request, text, strlen(text), SIZE_MAX, &used);
}

static bool a_get_is_read(void)
{
	cleanup(request_free_at) struct request *request = nullptr;

	CHECK_EQ(request_new(BODY_MAX, &request), 0);
	CHECK_EQ(feed_text(request, "GET /v1/orgs/self?x=1 HTTP/1.1\r\n" HOST
				    "AUTHORIZATION:   ApiKey k  \r\nEmpty:\r\n\r\n"),
		 REQUEST_DONE);
	CHECK(strcmp(request_method(request), "GET") == 0);
	CHECK(strcmp(request_target(request), "/v1/orgs/self?x=1") == 0);
	CHECK(strcmp(request_header(request, "host"), "redoubt.example") == 0);
	CHECK(strcmp(request_header(request, "authorization"), "ApiKey k") == 0);
	CHECK(strcmp(request_header(request, "empty"), "") == 0);
	CHECK(!request_header(request, "cookie"));
	CHECK(!request_has_body(request) && !request_expects_continue(request));
	CHECK(request_keep_alive(request));
	CHECK_EQ(request_body(request)->len, 0uL);
	return true;
}

/* Messages that must be read alike however they are cut; each is followed by more. */
static const struct {
	const char *bytes;
	const char *target, *body;
} GOOD[] = {
	{ "GET / HTTP/1.1\r\n" HOST "\r\n", "/", "" },
	{ "\r\n\r\nGET /a HTTP/1.1\r\n" HOST "\r\n", "/a", "" },
	{ "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\nX-Y: z\r\n\r\nhello", "/a", "hello" },
	{ "DELETE /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "/a", "" },
	{ "PATCH /b HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n",
	  "/b", "abcde" },
	{ "POST /c HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n!", "/c",
	  "!" },
	{ "GET /up HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "/up", "" },
};

static bool a_cut_changes_nothing(void)
{
	static const char NEXT[] = "GET /next HTTP/1.1\r\n";

	for (size_t i = 0; i < countof(GOOD); i++) {
		size_t len = strlen(GOOD[i].bytes);
		char text[512];

		(void)snprintf(text, sizeof(text), "%s%s", GOOD[i].bytes, NEXT);
		for (size_t piece = 1; piece <= strlen(text); piece++) {
			cleanup(request_free_at) struct request *request = nullptr;
			size_t used = 0;

			CHECK_EQ(request_new(BODY_MAX, &request), 0);
			CHECK_EQ(feed(request, text, strlen(text), piece, &used), REQUEST_DONE);
			CHECK_EQ(used, len);
			CHECK(strcmp(request_target(request), GOOD[i].target) == 0);
			CHECK_EQ(request_body(request)->len, strlen(GOOD[i].body));
			CHECK(strcmp(GOOD[i].body, "") == 0 ||
			      memcmp(request_body(request)->data, GOOD[i].body,
				     strlen(GOOD[i].body)) == 0);
		}
	}
	return true;
}

static bool every_truncation_waits_for_more(void)
{
	for (size_t i = 0; i < countof(GOOD); i++)
		for (size_t len = 1; len < strlen(GOOD[i].bytes); len++) {
			cleanup(request_free_at) struct request *request = nullptr;
			size_t used = 0;

			CHECK_EQ(request_new(BODY_MAX, &request), 0);
			int r = feed(request, GOOD[i].bytes, len, SIZE_MAX, &used);
			CHECK(r == REQUEST_MORE || r == REQUEST_HEAD);
		}
	return true;
}

static bool the_head_stops_before_the_body(void)
{
	static const char TEXT[] = "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello";
	cleanup(request_free_at) struct request *request = nullptr;
	size_t used = 0;

	CHECK_EQ(request_new(BODY_MAX, &request), 0);
	CHECK_EQ(request_feed(request, TEXT, sizeof(TEXT) - 1, &used), REQUEST_HEAD);
	CHECK_EQ(used, sizeof(TEXT) - 1 - 5);
	CHECK(request_has_body(request));
	CHECK_EQ(request_feed(request, TEXT + used, 3, &used), REQUEST_MORE);
	CHECK_EQ(request_feed(request, "lo", 2, &used), REQUEST_DONE);
	return true;
}

/* What is refused, and with which status. */
static const struct {
	const char *bytes;
	int status;
} BAD[] = {
	{ "\x16\x03\x01\x02", 400 }, /* TLS spoken to port 80 */
	{ "SSH-2.0-x\r\n", 400 },
	{ "FROB / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "get / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /\r\n\r\n", 505 }, /* HTTP/0.9 */
	{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n\r\n", 400 }, /* no Host */
	{ "GET / HTTP/1.1\r\n" HOST "Host: other\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "A B: c\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "A : c\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400 }, /* folded */
	{ "GET / HTTP/1.1\r\n" HOST ": c\r\n\r\n", 400 },
	{ "GET /\x7f HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", 400 },
	{ "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\na", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n", 413 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" HOST
	  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\n", 415 },
	{ "POST / HTTP/1.1\r\n" HOST "Expect: cake\r\nContent-Length: 1\r\n\r\n", 417 },
	{ "GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: b\r\n\r\n", 400 },
};

static bool what_could_be_read_in_two_ways_is_refused_however_it_is_cut(void)
{
	for (size_t i = 0; i < countof(BAD); i++)
		for (size_t piece = 1; piece <= strlen(BAD[i].bytes); piece++) {
			cleanup(request_free_at) struct request *request = nullptr;
			size_t used = 0;

			CHECK_EQ(request_new(BODY_MAX, &request), 0);
			int r = feed(request, BAD[i].bytes, strlen(BAD[i].bytes), piece, &used);
			if (r != REQUEST_REFUSED ||
			    request_refusal(request).status != BAD[i].status)
				printf("# row %zu: %s\n", i, BAD[i].bytes);
			CHECK_EQ(r, REQUEST_REFUSED);
			CHECK_EQ((int)request_refusal(request).status, BAD[i].status);
			CHECK(request_refusal(request).text);
			CHECK_EQ(request_feed(request, "GET", 3, &used), REQUEST_REFUSED);
		}
	return true;
}

/* A request with a target of target_len and n headers whose names are count bytes. */
static void build(struct buf *out, size_t target_len, size_t n_headers, size_t value_len)
{
	buf_add_str(out, "GET /");
	for (size_t i = 1; i < target_len; i++)
		buf_add_str(out, "a");
	buf_add_str(out, " HTTP/1.1\r\n" HOST);
	for (size_t i = 1; i < n_headers; i++) {
		buf_addf(out, "x%zu: ", i);
		for (size_t j = 0; j < value_len; j++)
			buf_add_str(out, "v");
		buf_add_str(out, "\r\n");
	}
	buf_add_str(out, "\r\n");
}

/* Feed such a request. Returns its status, 200 if it is taken. */
static int status_of(size_t target_len, size_t n_headers, size_t value_len, size_t piece)
{
	cleanup(request_free_at) struct request *request = nullptr;
	auto_buf struct buf text = buf_make(100'000);
	size_t used = 0;

	build(&text, target_len, n_headers, value_len);
	if (buf_error(&text) || request_new(BODY_MAX, &request))
		return -1;
	int r = feed(request, text.data, text.len, piece, &used);
	return r == REQUEST_DONE ? 200 : (int)request_refusal(request).status;
}

static bool the_limits_hold_to_the_byte(void)
{
	auto_buf struct buf frame = buf_make(1000);

	build(&frame, 1, 2, 0);
	size_t fits = REQUEST_HEAD_MAX - frame.len;
	for (size_t piece = 1; piece < 20'000; piece = piece * 3 + 1) {
		CHECK_EQ(status_of(REQUEST_TARGET_MAX, 1, 0, piece), 200);
		CHECK_EQ(status_of(REQUEST_TARGET_MAX + 1, 1, 0, piece), 414);
		CHECK_EQ(status_of(1, REQUEST_HEADERS_MAX, 1, piece), 200);
		CHECK_EQ(status_of(1, REQUEST_HEADERS_MAX + 1, 1, piece), 431);
		CHECK_EQ(status_of(1, 2, fits, piece), 200);
		CHECK_EQ(status_of(1, 2, fits + 1, piece), 431);
	}
	return true;
}

static bool a_body_at_the_limit_is_taken_and_one_byte_more_is_not(void)
{
	for (size_t len = BODY_MAX; len <= BODY_MAX + 1; len++)
		for (int chunked = 0; chunked < 2; chunked++) {
			cleanup(request_free_at) struct request *request = nullptr;
			auto_buf struct buf text = buf_make(10'000);
			size_t used = 0;

			buf_add_str(&text, "POST / HTTP/1.1\r\n" HOST);
			if (chunked)
				buf_addf(&text, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", len);
			else
				buf_addf(&text, "Content-Length: %zu\r\n\r\n", len);
			for (size_t i = 0; i < len; i++)
				buf_add_str(&text, "b");
			if (chunked)
				buf_add_str(&text, "\r\n0\r\n\r\n");
			CHECK_EQ(request_new(BODY_MAX, &request), 0);
			int r = feed(request, text.data, text.len, 7, &used);
			CHECK_EQ(r, len == BODY_MAX ? REQUEST_DONE : REQUEST_REFUSED);
			CHECK_EQ((int)request_refusal(request).status, len == BODY_MAX ? 0 : 413);
		}
	return true;
}

static bool what_nobody_looks_at_may_not_go_on_for_ever(void)
{
	static const char *const STARTS[] = { "1;", "0\r\nTrailer: ", "0\r\n" };

	for (size_t i = 0; i < countof(STARTS); i++) {
		cleanup(request_free_at) struct request *request = nullptr;
		size_t used = 0, n = 0;
		int r = REQUEST_MORE;

		CHECK_EQ(request_new(BODY_MAX, &request), 0);
		CHECK_EQ(feed_text(request,
				   "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
			 REQUEST_MORE);
		CHECK_EQ(feed_text(request, STARTS[i]), REQUEST_MORE);
		for (; r == REQUEST_MORE && n < 10'000; n++)
			r = request_feed(request, "a", 1, &used);
		CHECK_EQ(r, REQUEST_REFUSED);
		CHECK(n > 1000);
	}
	return true;
}

static bool connections_live_on_as_http_says(void)
{
	static const struct {
		const char *bytes;
		bool keep;
	} CASES[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", true },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
	};

	for (size_t i = 0; i < countof(CASES); i++) {
		cleanup(request_free_at) struct request *request = nullptr;

		CHECK_EQ(request_new(BODY_MAX, &request), 0);
		CHECK_EQ(feed_text(request, CASES[i].bytes), REQUEST_DONE);
		CHECK_EQ(request_keep_alive(request), CASES[i].keep);
	}
	return true;
}

static bool only_a_body_to_come_makes_a_client_wait(void)
{
	cleanup(request_free_at) struct request *request = nullptr;

	CHECK_EQ(request_new(BODY_MAX, &request), 0);
	CHECK_EQ(feed_text(request, "GET / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n"),
		 REQUEST_DONE);
	CHECK(!request_expects_continue(request));
	request_reset(request);
	CHECK_EQ(feed_text(request, "POST / HTTP/1.1\r\n" HOST
				    "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n"),
		 REQUEST_MORE);
	CHECK(request_expects_continue(request));
	return true;
}

static bool a_reset_forgets_everything(void)
{
	cleanup(request_free_at) struct request *request = nullptr;

	CHECK_EQ(request_new(BODY_MAX, &request), 0);
	CHECK_EQ(feed_text(request, "POST /a HTTP/1.1\r\n" HOST
				    "Authorization: ApiKey secret\r\nContent-Length: 2\r\n\r\nhi"),
		 REQUEST_DONE);
	const char *old = request_header(request, "authorization");
	request_reset(request);
	CHECK(strcmp(old, "") == 0); /* wiped, not only forgotten */
	CHECK(!request_header(request, "authorization"));
	CHECK_EQ(feed_text(request, "GET /b HTTP/1.1\r\n" HOST "\r\n"), REQUEST_DONE);
	CHECK(strcmp(request_target(request), "/b") == 0);
	CHECK(!request_header(request, "authorization"));
	CHECK_EQ(request_body(request)->len, 0uL);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(request_free_at) struct request *request = nullptr;

		fault_at(n);
		int r = request_new(BODY_MAX, &request);
		if (r == 0)
			r = feed_text(request,
				      "POST /a HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
		if (!fault_end())
			return r == REQUEST_DONE;
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	RUN(a_get_is_read);
	RUN(a_cut_changes_nothing);
	RUN(every_truncation_waits_for_more);
	RUN(the_head_stops_before_the_body);
	RUN(what_could_be_read_in_two_ways_is_refused_however_it_is_cut);
	RUN(the_limits_hold_to_the_byte);
	RUN(a_body_at_the_limit_is_taken_and_one_byte_more_is_not);
	RUN(what_nobody_looks_at_may_not_go_on_for_ever);
	RUN(connections_live_on_as_http_says);
	RUN(only_a_body_to_come_makes_a_client_wait);
	RUN(a_reset_forgets_everything);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
