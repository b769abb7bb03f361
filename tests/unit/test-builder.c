/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/document.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/chunk-fixture.h"

static bool a_wrong_document_is_refused_and_leaves_nothing(void)
{
	static const struct {
		const char *json;
		int outcome;
	} WRONG[] = {
		{ "[1]", BUILDER_NOT_OBJECT },
		{ "1", BUILDER_NOT_OBJECT },
		{ "{\"__rockset_type\":\"date\",\"value\":\"2024-01-01\"}", BUILDER_NOT_OBJECT },
		{ "{\"new\":1,\"_id\":7}", BUILDER_BAD_ID },
		{ "{\"new\":{\"x\":[1]},\"_id\":\"\"}", BUILDER_BAD_ID },
		{ "{\"new\":[[1],{\"y\":2}],\"_event_time\":1.5}", BUILDER_BAD_EVENT_TIME },
		{ "{\"_event_time\":\"2024-01-01T00:00:00\"}", BUILDER_BAD_EVENT_TIME },
		{ "{\"_event_time\":9223372036854775807}", BUILDER_BAD_EVENT_TIME },
		{ "{\"_event_time\":1700000000}", BUILDER_EVENT_SECONDS },
		{ "{\"_event_time\":631152000}", BUILDER_EVENT_SECONDS },
		{ "{\"_event_time\":1700000000000}", BUILDER_EVENT_MILLIS },
		{ "{\"_event_time\":4102444799999}", BUILDER_EVENT_MILLIS },
		{ "{\"a\":1,\"a\":2,\"_event_time\":1700000000000}", BUILDER_EVENT_MILLIS },
		{ "{\"a\":{\"__rockset_type\":\"colour\",\"value\":1}}", BUILDER_BAD_TYPE },
		{ "{\"a\":2,\"b\":{\"value\":1,\"__rockset_type\":\"date\"}}", BUILDER_BAD_TYPE },
	};
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;

	CHECK_EQ(builder_new(&builder), 0);
	for (size_t i = 0; i < countof(WRONG); i++) {
		CHECK_EQ(add_text(builder, WRONG[i].json, "x"), WRONG[i].outcome);
		CHECK_EQ(builder_rows(builder), 0);
	}
	CHECK_EQ(add_text(builder, "{\"a\":1}", "one"), 0);
	for (size_t i = 0; i < countof(WRONG); i++)
		CHECK_EQ(add_text(builder, WRONG[i].json, "x"), WRONG[i].outcome);
	CHECK_EQ(add_text(builder, "{\"a\":\"2\"}", "two"), 0);
	CHECK_EQ(builder_rows(builder), 2);
	CHECK(memcmp(builder_id(builder, 1).at, "two", 3) == 0);
	CHECK_EQ(pack_chunk(builder, &chunk), 0);
	CHECK_EQ(chunk_columns(chunk), 4);
	CHECK_EQ(document_reader_new(chunk, &reader), 0);
	return row_is(reader, 0,
		      "{\"_id\":\"one\",\"_event_time\":{\"__rockset_type\":\"TIMESTAMP\","
		      "\"value\":1700000000000000},\"a\":1}") &&
	       row_is(reader, 1,
		      "{\"_id\":\"two\",\"_event_time\":{\"__rockset_type\":\"TIMESTAMP\","
		      "\"value\":1700000000000000},\"a\":\"2\"}");
}

/* A document whose arrays are that deep. */
static void nest(struct buf *out, unsigned int depth)
{
	buf_add_str(out, "{\"a\":");
	for (unsigned int i = 1; i < depth; i++)
		buf_add_str(out, "[");
	buf_add_str(out, "1");
	for (unsigned int i = 1; i < depth; i++)
		buf_add_str(out, "]");
	buf_add_str(out, "}");
}

static bool a_document_may_be_40_levels_deep_and_no_more(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf deep = buf_make(FIXTURE_ROOM), deeper = buf_make(FIXTURE_ROOM);
	auto_buf struct buf want = buf_make(FIXTURE_ROOM);

	nest(&deep, BUILDER_DEPTH_MAX);
	nest(&deeper, BUILDER_DEPTH_MAX + 1);
	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(add_text(builder, buf_text(&deeper), "x"), BUILDER_TOO_DEEP);
	CHECK_EQ(add_text(builder, buf_text(&deep), "x"), 0);
	CHECK(expect_text(buf_text(&deep), "x", &want));
	CHECK_EQ(pack_chunk(builder, &chunk), 0);
	CHECK_EQ(document_reader_new(chunk, &reader), 0);
	return row_is(reader, 0, buf_text(&want));
}

static bool an_int_that_is_no_date_as_seconds_or_milliseconds_is_microseconds(void)
{
	static const char *const GOOD[] = { "-1",
					    "0",
					    "631151999",
					    "4102444800",
					    "631151999999",
					    "4102444800000",
					    "1700000000000000" };
	cleanup(builder_free_at) struct builder *builder = nullptr;
	char json[64];

	CHECK_EQ(builder_new(&builder), 0);
	for (size_t i = 0; i < countof(GOOD); i++) {
		(void)snprintf(json, sizeof(json), "{\"_event_time\":%s}", GOOD[i]);
		CHECK_EQ(add_text(builder, json, "x"), 0);
	}
	return true;
}

static bool an_id_has_at_most_1024_bytes(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	static char id[BUILDER_ID_MAX + 2];

	memset(id, 'i', BUILDER_ID_MAX + 1);
	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(add_text(builder, "{}", id), BUILDER_BAD_ID);
	CHECK_EQ(add_text(builder, "{}", ""), BUILDER_BAD_ID);
	id[BUILDER_ID_MAX] = '\0';
	CHECK_EQ(add_text(builder, "{}", id), 0);
	CHECK_EQ(builder_id(builder, 0).len, BUILDER_ID_MAX);
	return true;
}

static bool a_full_builder_says_so(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(builder_free_at) struct builder *other = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;

	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(builder_new(&other), 0);
	for (uint32_t i = 0; i < CHUNK_ROWS; i++)
		CHECK(add_text(builder, "{\"a\":1}", "x") == 0);
	CHECK_EQ(add_text(builder, "{\"a\":1}", "x"), BUILDER_FULL);
	CHECK_EQ(pack_chunk(builder, &chunk), 0);
	CHECK_EQ(chunk_rows(chunk), CHUNK_ROWS);
	CHECK_EQ(add_text(other, "{\"b\":1}", "x"), 0);
	CHECK_EQ(builder_add_chunk(other, chunk, nullptr, 0, CHUNK_ROWS), BUILDER_FULL);
	CHECK_EQ(builder_rows(other), 1);
	CHECK_EQ(builder_add_chunk(other, chunk, nullptr, 5, CHUNK_ROWS - 1), 0);
	CHECK_EQ(builder_rows(other), CHUNK_ROWS - 4);
	return true;
}

static bool a_cleared_builder_takes_other_documents(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	char json[200];

	CHECK_EQ(builder_new(&builder), 0);
	for (int round = 0; round < 20; round++) {
		cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
		cleanup(document_reader_free_at) struct document_reader *reader = nullptr;

		for (int i = 0; i < 10; i++) {
			auto_buf struct buf want = buf_make(FIXTURE_ROOM);

			(void)snprintf(json, sizeof(json), "{\"r%d\":{\"k%d\":[%d]}}", round,
				       i * round, i);
			CHECK_EQ(add_text(builder, json, "x"), 0);
		}
		CHECK_EQ(pack_chunk(builder, &chunk), 0);
		CHECK_EQ(chunk_rows(chunk), 10);
		CHECK_EQ(document_reader_new(chunk, &reader), 0);
		for (int i = 0; i < 10; i++) {
			auto_buf struct buf want = buf_make(FIXTURE_ROOM);

			(void)snprintf(json, sizeof(json), "{\"r%d\":{\"k%d\":[%d]}}", round,
				       i * round, i);
			CHECK(expect_text(json, "x", &want));
			CHECK(row_is(reader, (uint32_t)i, buf_text(&want)));
		}
		builder_clear(builder);
		CHECK_EQ(builder_rows(builder), 0);
	}
	return true;
}

/* The text of document i of many that have 100 keys of their own each. */
static void own_keys(struct buf *out, int i)
{
	buf_clear(out);
	buf_add_str(out, "{");
	for (int k = 0; k < 100; k++)
		buf_addf(out, "%s\"user-%06d\":%d", k ? "," : "", i * 100 + k, k);
	buf_add_str(out, "}");
}

static bool keys_that_are_names_of_things_cost_what_they_weigh(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *packed = nullptr;
	cleanup(chunk_unref_at) struct chunk *written = nullptr;
	cleanup(fixture_done) struct fixture_file file = {};
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf json = buf_make(FIXTURE_ROOM), want = buf_make(FIXTURE_ROOM);

	CHECK_EQ(builder_new(&builder), 0);
	for (int i = 0; i < 1000; i++) {
		own_keys(&json, i);
		CHECK_EQ(add_text(builder, buf_text(&json), "x"), 0);
	}
	CHECK(builder_size(builder) < 500 * 100'000);
	CHECK_EQ(pack_chunk(builder, &packed), 0);
	CHECK_EQ(chunk_columns(packed), 100'003);
	CHECK(chunk_size(packed) < 60 * 100'000);
	CHECK_EQ(write_chunk(builder, &file, &written), 0);
	CHECK(chunk_size(written) < 60 * 100'000);
	CHECK_EQ(document_reader_new(packed, &reader), 0);
	own_keys(&json, 321);
	CHECK(expect_text(buf_text(&json), "x", &want));
	CHECK(row_is(reader, 321, buf_text(&want)));
	builder_clear(builder);
	CHECK_EQ(builder_add_chunk(builder, packed, nullptr, 300, 100), 0);
	CHECK_EQ(builder_rows(builder), 100);
	written = chunk_unref(written);
	return true;
}

static bool a_packed_document_needs_its_own_id(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	auto_buf struct buf packed = buf_make(FIXTURE_ROOM), twice = buf_make(FIXTURE_ROOM);
	struct value value;

	value_put_object(&packed);
	value_put_key(&packed, "a", 1);
	value_put_int(&packed, 1);
	value_put_end(&packed);
	value_put_object(&twice);
	for (int i = 0; i < 2; i++) {
		value_put_key(&twice, "a", 1);
		value_put_int(&twice, i);
	}
	value_put_end(&twice);
	CHECK_EQ(builder_new(&builder), 0);
	CHECK(value_open(packed.data, packed.len, &value));
	CHECK_EQ(builder_add_value(builder, &value), BUILDER_BAD_ID);
	CHECK(value_open(twice.data, twice.len, &value));
	CHECK_EQ(builder_add_value(builder, &value), BUILDER_BAD_TYPE);
	CHECK_EQ(builder_rows(builder), 0);
	return true;
}

static bool what_was_read_can_be_added(void)
{
	static const char JSON[] =
		"{\"__rockset_typo\":1,\"b\":{\"c\":[1,{\"d\":\"\\u0000\"}]},"
		"\"\\u0000k\":{\"__rockset_type\":\"DATE\",\"value\":\"2024-02-29\"}}";
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *one = nullptr;
	cleanup(chunk_unref_at) struct chunk *two = nullptr;
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	cleanup(document_reader_free_at) struct document_reader *again = nullptr;
	auto_buf struct buf packed = buf_make(FIXTURE_ROOM), copy = buf_make(FIXTURE_ROOM);
	struct value value;

	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(add_text(builder, JSON, "x"), 0);
	CHECK_EQ(pack_chunk(builder, &one), 0);
	CHECK_EQ(document_reader_new(one, &reader), 0);
	CHECK_EQ(document_read(reader, 0, 0, &packed), 0);
	CHECK(value_open(packed.data, packed.len, &value));
	builder_clear(builder);
	CHECK_EQ(builder_add_value(builder, &value), 0);
	CHECK_EQ(pack_chunk(builder, &two), 0);
	CHECK_EQ(document_reader_new(two, &again), 0);
	CHECK_EQ(document_read(again, 0, 0, &copy), 0);
	CHECK_EQ(copy.len, packed.len);
	return memcmp(copy.data, packed.data, copy.len) == 0;
}

/* Add a document while the nth allocation fails. The builder must be as it was. */
static bool fails_cleanly(struct builder *builder, const char *json, size_t n, bool *ret_done)
{
	yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	uint32_t rows = builder_rows(builder);

	fault_at(n);
	int r = builder_add_json(builder, yyjson_doc_get_root(doc), "id", 2, FIXTURE_NOW);
	*ret_done = !fault_end();
	yyjson_doc_free(doc);
	if (*ret_done)
		return r == 0;
	CHECK_EQ(r, -ENOMEM);
	CHECK_EQ(builder_rows(builder), rows);
	return true;
}

static bool a_document_that_found_no_memory_leaves_nothing(void)
{
	static const char *const JSON[] = {
		"{\"a\":1,\"b\":[1,{\"c\":\"x\"}],\"d\":2.5}",
		"{\"d\":\"new\",\"a\":[[]],\"e\":{\"f\":{\"__rockset_type\":\"time\",\"value\":\"12:00:00\"}}}",
		"{\"g\":1,\"g\":{\"h\":2}}",
	};
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;

	CHECK_EQ(builder_new(&builder), 0);
	for (size_t i = 0; i < countof(JSON); i++) {
		bool done = false;

		for (size_t n = 1; !done; n++)
			CHECK(fails_cleanly(builder, JSON[i], n, &done));
	}
	CHECK_EQ(pack_chunk(builder, &chunk), 0);
	CHECK_EQ(document_reader_new(chunk, &reader), 0);
	for (uint32_t i = 0; i < countof(JSON); i++) {
		auto_buf struct buf want = buf_make(FIXTURE_ROOM);

		CHECK(expect_text(JSON[i], "id", &want));
		CHECK(row_is(reader, i, buf_text(&want)));
	}
	return true;
}

int main(void)
{
	RUN(a_wrong_document_is_refused_and_leaves_nothing);
	RUN(a_document_may_be_40_levels_deep_and_no_more);
	RUN(an_int_that_is_no_date_as_seconds_or_milliseconds_is_microseconds);
	RUN(an_id_has_at_most_1024_bytes);
	RUN(a_full_builder_says_so);
	RUN(a_cleared_builder_takes_other_documents);
	RUN(keys_that_are_names_of_things_cost_what_they_weigh);
	RUN(a_packed_document_needs_its_own_id);
	RUN(what_was_read_can_be_added);
	RUN(a_document_that_found_no_memory_leaves_nothing);
	return tap_done();
}
