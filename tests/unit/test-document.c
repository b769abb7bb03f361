/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/document.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/chunk-fixture.h"

static const char *const DOCUMENTS[] = {
	"{}",
	"{\"a\":1}",
	"{\"b\":\"x\",\"a\":2}",
	"{\"a\":null,\"b\":true,\"c\":false}",
	"{\"a\":1.5,\"b\":-9223372036854775808,\"c\":9223372036854775807,\"d\":18446744073709551615}",
	"{\"a\":\"text\",\"b\":{\"x\":1,\"y\":{\"z\":[]}},\"c\":[]}",
	"{\"b\":{\"y\":{},\"x\":\"2\"},\"c\":[1,\"2\",null,[3,[4]],{\"k\":5},{\"l\":6,\"k\":7}]}",
	"{\"c\":[[],[[]],[[1],[2,3]]],\"\":\"empty name\"}",
	"{\"a\":{\"__rockset_type\":\"TIMESTAMP\",\"value\":5},"
	"\"b\":{\"__rockset_type\":\"BYTES\",\"value\":\"AAEC\"},"
	"\"c\":{\"value\":\"2024-02-29\",\"__rockset_type\":\"date\"}}",
	"{\"_id\":\"own\",\"_event_time\":77,\"_meta\":{\"x\":1},\"z\":\"a\\u0000b\"}",
	"{\"z\":0,\"_event_time\":{\"__rockset_type\":\"TIMESTAMP\",\"value\":99},\"_id\":\"later\"}",
	"{\"a\":1,\"b\":2,\"a\":3}",
	"{\"a\":{\"x\":1,\"x\":[1]},\"b\":[{\"_id\":1,\"_meta\":2}],\"a\\u0000\":4}",
	"{\"a\":-0.0,\"b\":1e300,\"c\":0.1}",
};

/* Whether a chunk's rows from first on are DOCUMENTS, times over. */
static bool has_documents(struct chunk *chunk, uint32_t times)
{
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	char id[16];

	CHECK_EQ(document_reader_new(chunk, &reader), 0);
	for (uint32_t i = 0; i < countof(DOCUMENTS) * times; i++) {
		auto_buf struct buf want = buf_make(FIXTURE_ROOM);

		(void)snprintf(id, sizeof(id), "id%u", i);
		CHECK(expect_text(DOCUMENTS[i % countof(DOCUMENTS)], id, &want));
		CHECK(row_is(reader, i, buf_text(&want)));
	}
	return true;
}

static int add_documents(struct builder *builder, uint32_t times)
{
	char id[16];
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < countof(DOCUMENTS) * times; i++) {
		(void)snprintf(id, sizeof(id), "id%u", i);
		r = add_text(builder, DOCUMENTS[i % countof(DOCUMENTS)], id);
	}
	return r;
}

static bool documents_come_back_as_they_were(void)
{
	for (uint32_t times = 1; times < 300; times = 3 * times + 50) {
		cleanup(builder_free_at) struct builder *builder = nullptr;
		cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
		cleanup(chunk_unref_at) struct chunk *written = nullptr;
		cleanup(fixture_done) struct fixture_file file = {};

		CHECK_EQ(builder_new(&builder), 0);
		CHECK_EQ(add_documents(builder, times), 0);
		CHECK_EQ(pack_chunk(builder, &chunk), 0);
		CHECK(chunk_rows(chunk) == countof(DOCUMENTS) * times);
		CHECK(has_documents(chunk, times));
		CHECK_EQ(write_chunk(builder, &file, &written), 0);
		CHECK(has_documents(written, times));
		written = chunk_unref(written);
	}
	return true;
}

static bool documents_of_chunks_are_put_together(void)
{
	cleanup(builder_free_at) struct builder *one = nullptr;
	cleanup(builder_free_at) struct builder *all = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	char id[16];

	CHECK_EQ(builder_new(&one), 0);
	CHECK_EQ(builder_new(&all), 0);
	for (uint32_t i = 0; i < 40 * countof(DOCUMENTS); i++) {
		(void)snprintf(id, sizeof(id), "id%u", i);
		CHECK(add_text(one, DOCUMENTS[i % countof(DOCUMENTS)], id) == 0);
		if (i % 23 != 22 && i + 1 != 40 * countof(DOCUMENTS))
			continue;
		cleanup(chunk_unref_at) struct chunk *part = nullptr;

		CHECK_EQ(pack_chunk(one, &part), 0);
		CHECK_EQ(builder_add_chunk(all, part, nullptr, 0, CHUNK_ROWS), 0);
		builder_clear(one);
	}
	CHECK_EQ(pack_chunk(all, &chunk), 0);
	return has_documents(chunk, 40);
}

/* Of a chunk whose arrays are all empty, put behind one that has elements. */
static bool an_empty_array_ends_where_the_one_before_it_does(void)
{
	static const char *const ARRAYS[] = { "{\"a\":[1,2]}", "{\"a\":[]}", "{\"a\":[3]}" };
	cleanup(builder_free_at) struct builder *one = nullptr;
	cleanup(builder_free_at) struct builder *all = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;

	CHECK_EQ(builder_new(&one), 0);
	CHECK_EQ(builder_new(&all), 0);
	for (uint32_t i = 0; i < countof(ARRAYS); i++) {
		cleanup(chunk_unref_at) struct chunk *part = nullptr;

		CHECK_EQ(add_text(one, ARRAYS[i], "x"), 0);
		CHECK_EQ(pack_chunk(one, &part), 0);
		CHECK_EQ(builder_add_chunk(all, part, nullptr, 0, CHUNK_ROWS), 0);
		builder_clear(one);
	}
	CHECK_EQ(pack_chunk(all, &chunk), 0);
	for (uint32_t i = 0; i < countof(ARRAYS); i++) {
		cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
		auto_buf struct buf want = buf_make(FIXTURE_ROOM);

		CHECK_EQ(document_reader_new(chunk, &reader), 0); /* so that each is read alone */
		CHECK(expect_text(ARRAYS[i], "x", &want));
		CHECK(row_is(reader, i, buf_text(&want)));
	}
	return true;
}

static bool deleted_rows_are_left_out(void)
{
	static uint64_t deleted[CHUNK_ROWS / 64];
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(builder_free_at) struct builder *rest = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(chunk_unref_at) struct chunk *left = nullptr;
	cleanup(document_reader_free_at) struct document_reader *was = nullptr;
	cleanup(document_reader_free_at) struct document_reader *is = nullptr;
	uint32_t n = 200 * countof(DOCUMENTS), at = 0;

	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(builder_new(&rest), 0);
	CHECK_EQ(add_documents(builder, 200), 0);
	CHECK_EQ(pack_chunk(builder, &chunk), 0);
	for (uint32_t i = 0; i < n; i++)
		if (i % 7 == 3 || (i > 300 && i < 1900))
			deleted[i / 64] |= UINT64_C(1) << i % 64;
	CHECK_EQ(builder_add_chunk(rest, chunk, deleted, 10, n - 20), 0);
	CHECK_EQ(pack_chunk(rest, &left), 0);
	CHECK_EQ(document_reader_new(chunk, &was), 0);
	CHECK_EQ(document_reader_new(left, &is), 0);
	for (uint32_t i = 10; i < n - 10; i++) {
		auto_buf struct buf a = buf_make(FIXTURE_ROOM), b = buf_make(FIXTURE_ROOM);

		if (deleted[i / 64] >> i % 64 & 1)
			continue;
		CHECK_EQ(document_read(was, 0, i, &a), 0);
		CHECK_EQ(document_read(is, 0, at++, &b), 0);
		CHECK_EQ(a.len, b.len);
		CHECK(memcmp(a.data, b.data, a.len) == 0);
	}
	CHECK_EQ(chunk_rows(left), at);
	return true;
}

static bool a_part_of_a_document_is_read_by_itself(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf packed = buf_make(FIXTURE_ROOM), text = buf_make(FIXTURE_ROOM);
	struct value value;

	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(add_text(builder, "{\"a\":{\"b\":[1,{\"c\":2}]}}", "x"), 0);
	CHECK_EQ(add_text(builder, "{}", "y"), 0);
	CHECK_EQ(pack_chunk(builder, &chunk), 0);
	CHECK_EQ(document_reader_new(chunk, &reader), 0);
	uint32_t a = chunk_child(chunk, 0, "a", 1), b = chunk_child(chunk, a, "b", 1);
	CHECK_EQ(document_read(reader, b, 0, &packed), 0);
	CHECK(value_open(packed.data, packed.len, &value));
	CHECK_EQ(value_to_json(&value, VALUE_JSON_EXACT, &text), 0);
	CHECK(strcmp(buf_text(&text), "[1,{\"c\":2}]") == 0);
	buf_clear(&packed);
	CHECK_EQ(document_read(reader, a, 1, &packed), 0);
	CHECK(value_open(packed.data, packed.len, &value));
	CHECK_EQ(value.tag, VALUE_NULL);
	return true;
}

/* Build, pack, open and read all documents. */
static int whole_way(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(builder_free_at) struct builder *again = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(chunk_unref_at) struct chunk *written = nullptr;
	cleanup(fixture_done) struct fixture_file file = {};
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);
	int r = builder_new(&builder);

	if (r == 0)
		r = builder_new(&again);
	if (r == 0)
		r = add_documents(builder, 20);
	if (r == 0)
		r = pack_chunk(builder, &chunk);
	if (r == 0)
		r = builder_add_chunk(again, chunk, nullptr, 0, CHUNK_ROWS);
	if (r == 0)
		r = write_chunk(again, &file, &written);
	if (r == 0)
		r = document_reader_new(written, &reader);
	for (uint32_t i = 0; r == 0 && i < chunk_rows(chunk); i++)
		r = document_read(reader, 0, i, &out);
	reader = document_reader_free(reader);
	written = chunk_unref(written);
	return r ? r : buf_error(&out);
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = whole_way();

		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	RUN(documents_come_back_as_they_were);
	RUN(documents_of_chunks_are_put_together);
	RUN(an_empty_array_ends_where_the_one_before_it_does);
	RUN(deleted_rows_are_left_out);
	RUN(a_part_of_a_document_is_read_by_itself);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
