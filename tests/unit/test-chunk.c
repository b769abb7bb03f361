/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/chunk/document.h"
#include "service/column/kind.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/chunk-fixture.h"

/* The two documents of FORMAT.md section 7. */
static const char *const TWO[] = {
	"{\"name\":\"Ada\",\"age\":36}",
	"{\"name\":\"Bob\",\"tags\":[\"x\",\"y\"]}",
};

/* Their chunk's head as that section has it, written out by hand. The body is the encodings' business. */
static const char HEAD[] =
	"RDCH\x01"		   /* magic, version */
	"\x02\x07\x02\x08"	   /* rows, columns, shapes, members */
	"\x04\x00\x00\x80\x80\x02" /* 0: all; itself; no name; OBJECT */
	"\x04\x00\x05"		   /* INTS at 0, 5 bytes */
	"\x04\x01\x03_id\x40"	   /* 1: all; of 0; STRING */
	"a1\0\0\0\0\0\0a2\0\0\0\0\0\0"
	"\x10\x00\x0b"			       /* STRINGS, 11 bytes */
	"\x04\x02\x0b_event_time\x80\x10"      /* 2: all; of 0; TIMESTAMP */
	"\x80\x80\xf2\x81\x83\x89\x85\x06\x00" /* its only value */
	"\x04\x00\x08"			       /* INTS, 8 bytes */
	"\x04\x03\x04name\x40"
	"Ada\0\0\0\0\0Bob\0\0\0\0\0"
	"\x10\x00\x0d"			   /* STRINGS, 13 bytes */
	"\x00\x04\x03\x61ge\x01\x11"	   /* 4: of 0; one is there; MISSING or INT */
	"\x48\x00"			   /* 36 */
	"\x05\x00\x05\x00\x02"		   /* KINDS, 5 bytes; INTS, 2 */
	"\x00\x05\x04tags\x01\x81\x80\x01" /* 5: MISSING or ARRAY */
	"\x21\x00\x05\x00\x05"		   /* KINDS, 5 bytes; ENDS, 5 */
	"\x05\x01\x02\x40x\0\0\0\0\0\0\0y\0\0\0\0\0\0\0"
	"\x10\x00\x09"		/* 6: elements of 5, two; STRINGS, 9 bytes */
	"\x02"			/* column 0 has two shapes */
	"\x04\x00\x00\x00\x00"	/* _id, _event_time, name, age */
	"\x04\x00\x00\x00\x02"; /* _id, _event_time, name, then one left out: tags */

static int pack_two(struct buf *out)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	int r = builder_new(&builder);

	if (r == 0)
		r = add_text(builder, TWO[0], "a1");
	if (r == 0)
		r = add_text(builder, TWO[1], "a2");
	return r ? r : builder_pack(builder, out);
}

static bool the_head_is_as_the_format_says(void)
{
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);
	constexpr size_t len = sizeof(HEAD) - 1;

	CHECK_EQ(pack_two(&out), 0);
	CHECK(out.len > len + 4);
	CHECK_EQ(out.data[out.len - 4], len);
	CHECK(memcmp(out.data + out.len - 4 - len, HEAD, len) == 0);
	return true;
}

static bool columns_are_found_by_name(void)
{
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	uint32_t n;

	CHECK_EQ(pack_two(&out), 0);
	size_t len = out.len, head_len;
	CHECK_EQ(chunk_open(&out.data, out.len, &chunk), 0);
	CHECK(!out.data);
	CHECK_EQ(chunk_size(chunk), len);
	CHECK_EQ(chunk_rows(chunk), 2);
	CHECK_EQ(chunk_columns(chunk), 7);
	CHECK(memcmp(chunk_head(chunk, &head_len), HEAD, sizeof(HEAD) - 1) == 0);
	CHECK_EQ(head_len, sizeof(HEAD) - 1);
	CHECK_EQ(chunk_child(chunk, 0, "_id", 3), 1);
	CHECK_EQ(chunk_child(chunk, 0, "tags", 4), 5);
	CHECK_EQ(chunk_child(chunk, 0, "tag", 3), CHUNK_NONE);
	CHECK_EQ(chunk_child(chunk, 5, "", 0), CHUNK_NONE);
	CHECK_EQ(chunk_elements(chunk, 5), 6);
	CHECK_EQ(chunk_elements(chunk, 0), CHUNK_NONE);
	const struct chunk_shape *shape = chunk_shapes(chunk, 0, &n);
	CHECK_EQ(n, 2);
	CHECK_EQ(shape[1].n, 4);
	CHECK_EQ(shape[1].column[3], 5);
	const struct chunk_column *age = chunk_column(chunk, 4);
	CHECK_EQ(age->n, 2);
	CHECK_EQ(age->present, 1);
	CHECK_EQ(age->int_min, 36);
	CHECK_EQ(age->int_max, 36);
	return true;
}

static bool a_later_version_is_told_from_damage(void)
{
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;

	CHECK_EQ(pack_two(&out), 0);
	out.data[out.len - 4 - (sizeof(HEAD) - 1) + 4] = 2;
	CHECK_EQ(chunk_open(&out.data, out.len, &chunk), CHUNK_TOO_NEW);
	CHECK(out.data && !chunk);
	out.data[out.len - 4 - (sizeof(HEAD) - 1) + 4] = 0;
	CHECK_EQ(chunk_open(&out.data, out.len, &chunk), CHUNK_DAMAGED);
	return true;
}

/* Open a copy of bytes and read whatever opens. Returns as chunk_open(). */
static int read_all(const uint8_t *bytes, size_t len)
{
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf out = buf_make(1u << 16);
	auto_free uint8_t *copy = malloc(len + !len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	int r = chunk_open(&copy, len, &chunk);
	if (r)
		return r;
	r = document_reader_new(chunk, &reader);
	for (uint32_t i = 0; r == 0 && i < chunk_rows(chunk) && i < 100; i++)
		r = document_read(reader, 0, i, &out);
	return r;
}

static bool every_truncation_is_damage(void)
{
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);

	CHECK_EQ(pack_two(&out), 0);
	CHECK_EQ(read_all(out.data, out.len), 0);
	for (size_t len = 0; len < out.len; len++)
		CHECK_EQ(read_all(out.data, len), CHUNK_DAMAGED);
	for (size_t from = 1; from < out.len; from++)
		CHECK_EQ(read_all(out.data + from, out.len - from), CHUNK_DAMAGED);
	return true;
}

static bool no_flipped_bit_does_harm(void)
{
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);

	CHECK_EQ(pack_two(&out), 0);
	for (size_t bit = 0; bit < 8 * out.len; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(read_all(out.data, out.len) >= 0);
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return true;
}

/* What a chunk in a file does with its body. */
struct counted {
	struct fixture_file file;
	unsigned int pins, released;
};

static int count_pin(void *userdata, const struct blob *blob, struct chunk_pinned *ret)
{
	struct counted *counted = userdata;
	int r = fixture_pin(&counted->file, blob, ret);

	counted->pins += r == 0;
	ret->pin = counted;
	return r;
}

static void count_unpin(void *userdata, void *pin)
{
	struct counted *counted = userdata;

	counted->pins -= pin == counted;
}

static void count_release(void *userdata)
{
	struct counted *counted = userdata;

	counted->released++;
}

static bool a_body_in_a_file_is_pinned_and_let_go(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	struct counted counted = { .file = { buf_make(FIXTURE_ROOM), buf_make(FIXTURE_ROOM) } };
	struct chunk_sink sink = { .add = fixture_add, .userdata = &counted.file };
	struct chunk_body body = { count_pin, count_unpin, count_release, &counted };
	struct chunk *chunk = nullptr;
	struct column column;

	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(add_text(builder, TWO[0], "a1"), 0);
	CHECK_EQ(add_text(builder, TWO[1], "a2"), 0);
	CHECK_EQ(builder_write(builder, STRINGS_BEST, &sink, &counted.file.head), 0);
	CHECK_EQ(chunk_open(&counted.file.head.data, counted.file.head.len, &chunk), CHUNK_DAMAGED);
	CHECK_EQ(chunk_open_body(counted.file.head.data, counted.file.head.len, &body, &chunk), 0);
	CHECK_EQ(column_open(chunk, 4, LANES_VALUES, &column), 0);
	CHECK_EQ(counted.pins, 2);
	CHECK_EQ(column_int(&column, 0), 36);
	CHECK_EQ(column_kind(&column, 1), KIND_MISSING);
	column_close(&column);
	column_close(&column);
	CHECK_EQ(counted.pins, 0);
	counted.file.data.len = 1;
	CHECK_EQ(column_open(chunk, 4, LANES_VALUES, &column), CHUNK_DAMAGED);
	CHECK_EQ(counted.pins, 0);
	CHECK(chunk_ref(chunk) == chunk);
	chunk_unref(chunk);
	CHECK_EQ(counted.released, 0);
	chunk_unref(chunk);
	CHECK_EQ(counted.released, 1);
	fixture_done(&counted.file);
	return true;
}

static bool small_blobs_come_last_and_together(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(fixture_done) struct fixture_file file = {};
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	uint32_t largest_end = 0, first_small = UINT32_MAX;

	CHECK_EQ(builder_new(&builder), 0);
	for (int i = 0; i < 30'000; i++) {
		char json[200];

		(void)snprintf(json, sizeof(json), "{\"a\":%d,\"b\":\"%x %x\",\"c\":%d}",
			       i * 7919 % 100'003, i * 7919, i * 31, i % 2);
		CHECK(add_text(builder, json, json) == 0);
	}
	CHECK_EQ(write_chunk(builder, &file, &chunk), 0);
	for (uint32_t i = 0; i < chunk_columns(chunk); i++)
		for (size_t k = 0; k < LANE_COUNT; k++) {
			const struct blob *blob = &chunk_column(chunk, i)->lane[k];

			if (blob->len >= BUILDER_BLOB_SMALL &&
			    blob->offset + blob->len > largest_end)
				largest_end = blob->offset + blob->len;
			if (blob->len > 0 && blob->len < BUILDER_BLOB_SMALL &&
			    blob->offset < first_small)
				first_small = blob->offset;
		}
	CHECK(largest_end > 0 && first_small >= largest_end);
	chunk = chunk_unref(chunk);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);

	CHECK_EQ(pack_two(&out), 0);
	for (size_t n = 1;; n++) {
		cleanup(chunk_unref_at) struct chunk *chunk = nullptr;

		fault_at(n);
		int r = chunk_open(&out.data, out.len, &chunk);

		if (!fault_end())
			return r == 0 && n > 2;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!chunk && out.data);
	}
}

int main(void)
{
	RUN(the_head_is_as_the_format_says);
	RUN(columns_are_found_by_name);
	RUN(a_later_version_is_told_from_damage);
	RUN(every_truncation_is_damage);
	RUN(no_flipped_bit_does_harm);
	RUN(a_body_in_a_file_is_pinned_and_let_go);
	RUN(small_blobs_come_last_and_together);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
