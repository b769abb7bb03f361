/* SPDX-License-Identifier: Apache-2.0 */

/* told: what the ledger is told of a query, before it reads anything, whatever its text is like. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/audit.h"
#include "common/proto/operations.h"
#include "service/engine/call.h"
#include "service/engine/told.h"
#include "tests/lib/tap.h"
#include "tests/unit/engine-fixture.h"

static struct fixture f;
static struct grant grant = { .person = "ann", .key_name = "k", .role = "admin" };

/* What was announced: the target, and the detail's members as they were then. */
static struct {
	unsigned int times;
	char target[ACCESS_NAME_MAX];
	struct buf detail;
	int answer;
} told;

static int take(struct call *call, const char *target)
{
	told.times++;
	(void)snprintf(told.target, sizeof(told.target), "%s", target);
	buf_clear(&told.detail);
	buf_add(&told.detail, call->detail.data, call->detail.len);
	if (told.answer)
		call_fail(call, ERROR_SERVICEUNAVAILABLE, nullptr, "Not recorded.");
	else
		buf_clear(&call->detail);
	return told.answer;
}

/* Run a query whose text is put into JSON. Returns the status; what was left of the detail in ret. */
static uint16_t run(const char *text, size_t len, const char *more, struct buf *ret)
{
	auto_buf struct buf body = buf_make(16u << 20);
	struct call call = { .store = f.store,
			     .session = f.session,
			     .builder = f.builder,
			     .grant = &grant,
			     .op = OP_QUERY,
			     .workspace = "",
			     .collection = "",
			     .request_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
			     .started_us = clock_mono_us(),
			     .announce = take,
			     .out = buf_make(16u << 20),
			     .detail = buf_make(AUDIT_DETAIL_MAX - 64) };

	told.times = 0;
	told.target[0] = '\0';
	told.detail.max = 65536;
	buf_clear(&told.detail);
	buf_add_str(&body, "{\"sql\":{\"query\":");
	buf_add_json(&body, text, len);
	buf_addf(&body, "%s}}", more);
	call.body = buf_text(&body);
	call.body_len = body.len;
	call_run(&call);
	buf_done(&call.out);
	if (ret) {
		buf_done(ret);
		*ret = call.detail;
	} else {
		buf_done(&call.detail);
	}
	return call.http_status;
}

static uint16_t query(const char *text)
{
	return run(text, strlen(text), "", nullptr);
}

/* Whether a detail is whole, fits an event and has such a part. */
static bool detail_has(struct buf *detail, const char *part)
{
	auto_buf struct buf text = buf_make(65536);

	buf_add_str(&text, "{");
	buf_add(&text, detail->data, detail->len);
	buf_add_str(&text, "}");
	const char *whole = buf_text(&text);
	yyjson_doc *doc = whole ? yyjson_read(whole, text.len, 0) : nullptr;
	bool good =
		doc && buf_error(detail) == 0 && text.len < AUDIT_DETAIL_MAX && strstr(whole, part);

	if (!good)
		(void)printf("# %.3000s\n", whole ? whole : "");
	yyjson_doc_free(doc);
	return good;
}

static bool collections_and_fields_are_told_before_the_query_runs(void)
{
	CHECK_EQ(query("SELECT c.v, d.w.x FROM c JOIN commons.d ON c.k = d.k WHERE c.z = 1"), 200);
	CHECK_EQ(told.times, 1);
	CHECK(strcmp(told.target, "commons.c,commons.d") == 0);
	CHECK(detail_has(&told.detail, "\"collections\":[\"commons.c\",\"commons.d\"]"));
	CHECK(detail_has(&told.detail, "\"commons.c.v\""));
	CHECK(detail_has(&told.detail, "\"commons.c.z\""));
	CHECK(detail_has(&told.detail, "\"commons.d.w"));
	return true;
}

static bool a_whole_document_is_told_as_such(void)
{
	CHECK_EQ(query("SELECT * FROM c"), 200);
	CHECK(detail_has(&told.detail, "\"fields\":[\"commons.c.*\"]"));
	return true;
}

static bool a_query_that_runs_twice_is_told_once(void)
{
	/* A sum that may overflow is what pipes leave to SQLite at times; whichever way it goes, one announcement. */
	CHECK(query("SELECT v + 9223372036854775807 FROM c") != 0);
	CHECK_EQ(told.times, 1);
	return true;
}

static bool what_cannot_be_recorded_does_not_run(void)
{
	told.answer = -1;
	uint16_t status = query("SELECT v FROM c");
	told.answer = 0;
	CHECK_EQ(status, 503);
	CHECK_EQ(told.times, 1);
	return true;
}

static bool a_text_that_is_no_query_is_told_all_the_same(void)
{
	auto_buf struct buf left = {};

	CHECK_EQ(run("SELEKT v", 8, "", &left), 400);
	CHECK_EQ(told.times, 0);
	CHECK(detail_has(&left, "\"sql\":\"SELEKT v\""));
	CHECK(detail_has(&left, "\"error\":"));
	return true;
}

static bool a_comment_of_any_length_hides_nothing(void)
{
	static char text[1u << 20];
	int end;

	/* 2 KB and almost 1 MB; before, behind, and both. */
	for (size_t len = 2048; len < sizeof(text); len = len < 900'000 ? 900'000 : sizeof(text)) {
		end = snprintf(text, sizeof(text), "/*%*s*/ SELECT v FROM c", (int)len, "");
		CHECK_EQ(run(text, (size_t)end, "", nullptr), 200);
		CHECK(detail_has(&told.detail, "\"sql_end\":\""));
		CHECK(detail_has(&told.detail, "SELECT v FROM c\""));
		CHECK(detail_has(&told.detail, "\"sql_sha256\":\""));
		CHECK(detail_has(&told.detail, "\"commons.c.v\""));

		end = snprintf(text, sizeof(text), "/*%*s*/ SELECT v FROM c /*%2000s*/", (int)len,
			       "", "");
		CHECK_EQ(run(text, (size_t)end, "", nullptr), 200);
		CHECK(detail_has(&told.detail, "\"commons.c.v\""));
		CHECK(strcmp(told.target, "commons.c") == 0);
	}
	return true;
}

static bool control_characters_never_make_the_text_overflow(void)
{
	static char text[8192];

	for (size_t n = 1000; n < 4000; n += 515) {
		memset(text, '\x01', n);
		int len = snprintf(text + n + 2, sizeof(text) - n - 2, "*/ SELECT v FROM c");
		text[0] = '/';
		text[1] = '*';
		text[n] = text[n + 1] = '\x02';
		CHECK_EQ(run(text, n + 2 + (size_t)len, "", nullptr), 200);
		CHECK(detail_has(&told.detail, "\"sql\":\"/*\\u0001"));
		CHECK(detail_has(&told.detail, "SELECT v FROM c\""));
	}
	return true;
}

static bool the_longest_names_fit_beside_the_longest_text(void)
{
	auto_buf struct buf text = buf_make(1u << 20), more = buf_make(1u << 20);

	buf_add_str(&text, "SELECT 1");
	for (unsigned int i = 0; i < 200; i++)
		buf_addf(&text, ", \"%040u \\ \x01 \xc3\xa9\"", i);
	buf_add_str(&text, " FROM c WHERE v = :p0");
	buf_add_str(&more, ",\"parameters\":[");
	for (unsigned int i = 0; i < 500; i++)
		buf_addf(&more, "%s{\"name\":\"p%u\",\"type\":\"int\",\"value\":\"4711\"}",
			 i ? "," : "", i);
	buf_add_str(&more, "]");
	const char *rest = buf_text(&more);
	CHECK(rest);
	CHECK_EQ(run((const char *)text.data, text.len, rest, nullptr), 200);
	CHECK(detail_has(&told.detail, " more\"]"));
	CHECK(detail_has(&told.detail, "\"parameters\":[\"p0:int\""));
	CHECK(detail_has(&told.detail, "\"parameters_more\":"));
	CHECK(!memmem(told.detail.data, told.detail.len, "4711", 4)); /* never a value */
	return true;
}

static bool a_cut_never_splits_a_character(void)
{
	static const char TEXT[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\xff\xfe\"\\\n";
	constexpr size_t LEN = sizeof(TEXT) - 1;

	for (size_t room = 0; room < 40; room++) {
		size_t head = told_head(TEXT, LEN, room), tail = told_tail(TEXT, LEN, room);

		CHECK(head <= LEN && tail <= LEN);
		CHECK(head == LEN || ((uint8_t)TEXT[head] & 0xc0) != 0x80);
		CHECK(tail == 0 || ((uint8_t)TEXT[LEN - tail] & 0xc0) != 0x80);
	}
	CHECK_EQ(told_head(TEXT, LEN, 100), LEN);
	CHECK_EQ(told_tail(TEXT, LEN, 100), LEN);
	return true;
}

int main(void)
{
	if (!fixture_init(&f) || fixture_collection(&f, "c") || fixture_collection(&f, "d") ||
	    fixture_add(&f, "c", "[{\"v\":1,\"k\":1,\"z\":1}]") ||
	    fixture_add(&f, "d", "[{\"k\":1,\"w\":{\"x\":2}}]"))
		return 1;
	RUN(collections_and_fields_are_told_before_the_query_runs);
	RUN(a_whole_document_is_told_as_such);
	RUN(a_query_that_runs_twice_is_told_once);
	RUN(what_cannot_be_recorded_does_not_run);
	RUN(a_text_that_is_no_query_is_told_all_the_same);
	RUN(a_comment_of_any_length_hides_nothing);
	RUN(control_characters_never_make_the_text_overflow);
	RUN(the_longest_names_fit_beside_the_longest_text);
	RUN(a_cut_never_splits_a_character);
	buf_done(&told.detail);
	fixture_done(&f);
	return tap_done();
}
