/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/column/filter.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/chunk-fixture.h"

constexpr int DOCUMENTS = 5000;

/* Document i: an int, a mixed field, a field of every 40th (of which some kinds are mixed), arrays. */
static void document(int i, struct buf *out)
{
	buf_clear(out);
	buf_addf(out, "{\"n\":%d,\"word\":\"w%d\",\"free\":\"text number %d of many\"", i * 3,
		 i % 7, i);
	if (i % 3 == 0)
		buf_addf(out, ",\"mixed\":%d", i);
	else if (i % 3 == 1)
		buf_addf(out, ",\"mixed\":\"%d\"", i);
	if (i % 40 == 5)
		buf_addf(out, i % 80 == 5 ? ",\"rare\":\"r%d\"" : ",\"rare\":%d.5", i);
	if (i % 50 == 1)
		buf_addf(out, ",\"lists\":[%d,%d]", i, i + 1);
	if (i % 5 != 4)
		buf_addf(out, ",\"list\":[%s]", i % 5 == 0 ? "" : i % 5 == 1 ? "1" : "1,2,3");
	buf_add_str(out, "}");
}

static int build(struct builder **ret)
{
	auto_buf struct buf json = buf_make(1000);
	char id[20];
	int r = builder_new(ret);

	for (int i = 0; r == 0 && i < DOCUMENTS; i++) {
		document(i, &json);
		(void)snprintf(id, sizeof(id), "id-%d", i);
		r = add_text(*ret, buf_text(&json), id);
	}
	return r;
}

/* A chunk with each way of writing it. */
struct both {
	struct builder *builder;
	struct fixture_file file;
	struct chunk *chunk[2];
};

static int both_init(struct both *both)
{
	*both = (struct both) {};
	int r = build(&both->builder);
	if (r == 0)
		r = pack_chunk(both->builder, &both->chunk[0]);
	return r ? r : write_chunk(both->builder, &both->file, &both->chunk[1]);
}

static void both_done(struct both *both)
{
	chunk_unref(both->chunk[0]);
	chunk_unref(both->chunk[1]);
	fixture_done(&both->file);
	builder_free(both->builder);
}

/* Whether all forms of reading a column agree. */
static bool agree(struct chunk *chunk, uint32_t index)
{
	static uint8_t kind[COLUMN_BLOCK];
	static int64_t number[COLUMN_BLOCK];
	static double real[COLUMN_BLOCK];
	static struct str text[COLUMN_BLOCK];
	static uint32_t end[COLUMN_BLOCK + 1];
	cleanup(strings_room_done) struct strings_room room = {}, other = {};
	cleanup(column_close) struct column column = {};
	uint32_t present = 0;

	CHECK_EQ(column_open(chunk, index, LANES_VALUES, &column), 0);
	for (uint32_t i = 0; i < column.about->n; i++) {
		uint32_t at = i % COLUMN_BLOCK, from, to;
		struct str one;

		if (at == 0) {
			column_kinds(&column, i / COLUMN_BLOCK, kind);
			column_ints(&column, i / COLUMN_BLOCK, number);
			column_floats(&column, i / COLUMN_BLOCK, real);
			column_ends(&column, i / COLUMN_BLOCK, end);
			CHECK_EQ(column_strings(&column, i / COLUMN_BLOCK, &room, text), 0);
		}
		CHECK_EQ(column_kind(&column, i), kind[at]);
		CHECK(column.about->kinds & 1u << kind[at]);
		present += kind[at] != KIND_MISSING;
		if (1u << kind[at] & KINDS_INTS)
			CHECK_EQ(column_int(&column, i), number[at]);
		if (kind[at] == KIND_FLOAT)
			CHECK(column_float(&column, i) == real[at]);
		if (kind[at] == KIND_STRING) {
			CHECK_EQ(column_string(&column, i, &other, &one), 0);
			CHECK_EQ(one.len, text[at].len);
			CHECK(memcmp(one.at, text[at].at, one.len) == 0);
		}
		if (kind[at] == KIND_ARRAY) {
			column_bounds(&column, i, &from, &to);
			CHECK_EQ(end[at], from);
			CHECK_EQ(end[at + 1], to);
		} else {
			CHECK_EQ(end[at], end[at + 1]);
		}
	}
	CHECK_EQ(column.about->present, present);
	return true;
}

static bool blocks_and_single_entries_agree(void)
{
	cleanup(both_done) struct both both;

	CHECK_EQ(both_init(&both), 0);
	for (int which = 0; which < 2; which++)
		for (uint32_t i = 0; i < chunk_columns(both.chunk[which]); i++)
			CHECK(agree(both.chunk[which], i));
	return true;
}

static bool what_few_documents_have_is_kept_sparse(void)
{
	cleanup(both_done) struct both both;

	CHECK_EQ(both_init(&both), 0);
	uint32_t rare = chunk_child(both.chunk[1], 0, "rare", 4);
	uint32_t lists = chunk_child(both.chunk[1], 0, "lists", 5);
	uint32_t mixed = chunk_child(both.chunk[1], 0, "mixed", 5);
	CHECK(chunk_column(both.chunk[1], rare)->sparse);
	CHECK_EQ(chunk_column(both.chunk[1], rare)->present, DOCUMENTS / 40);
	CHECK(chunk_column(both.chunk[1], lists)->sparse);
	CHECK(!chunk_column(both.chunk[1], mixed)->sparse);
	return true;
}

struct found {
	uint32_t n, first, last;
	uint32_t stop; /* after so many */
};

static bool note(void *userdata, uint32_t entry)
{
	struct found *found = userdata;

	if (found->n == 0)
		found->first = entry;
	else if (entry <= found->last)
		found->n += 1'000'000; /* not ascending */
	found->last = entry;
	return ++found->n != found->stop;
}

/* Look for a text in a member of the documents. */
static struct found find(struct chunk *chunk, const char *key, const char *text, uint32_t stop)
{
	cleanup(strings_room_done) struct strings_room room = {};
	cleanup(column_close) struct column column = {};
	struct found found = { .stop = stop };

	if (column_open(chunk, chunk_child(chunk, 0, key, strlen(key)),
			1u << LANE_STRINGS | 1u << LANE_ORDER | 1u << LANE_FILTER, &column) ||
	    column_find_text(&column, &room, text, strlen(text), note, &found))
		found.n = UINT32_MAX;
	if (found.n > 0 &&
	    !column_may_have(&column, column_hash_text(KIND_STRING, text, strlen(text))))
		found.n = UINT32_MAX;
	return found;
}

static bool strings_are_found_in_order(void)
{
	cleanup(both_done) struct both both;

	CHECK_EQ(both_init(&both), 0);
	for (int which = 0; which < 2; which++) {
		struct chunk *chunk = both.chunk[which];
		struct found found = find(chunk, "_id", "id-1234", 0);

		CHECK(found.n == 1 && found.first == 1234);
		CHECK_EQ(find(chunk, "_id", "id-", 0).n, 0);
		CHECK_EQ(find(chunk, "_id", "", 0).n, 0);
		found = find(chunk, "word", "w3", 0);
		CHECK(found.n == (DOCUMENTS + 3) / 7 && found.first == 3);
		CHECK_EQ(find(chunk, "word", "w3", 4).n, 4);
		CHECK_EQ(find(chunk, "word", "w7", 0).n, 0);
		CHECK_EQ(find(chunk, "word", "w", 0).n, 0);
		found = find(chunk, "mixed", "4", 0); /* fillers repeat it */
		CHECK(found.n == 1 && found.first == 4);
		found = find(chunk, "rare", "r85", 0);
		CHECK(found.n == 1 && found.first == 85);
		found = find(chunk, "free", "text number 4999 of many", 0);
		CHECK(found.n == 1 && found.first == 4999);
	}
	return true;
}

static bool a_filter_rules_out_most_of_what_is_not_there(void)
{
	cleanup(both_done) struct both both;
	cleanup(column_close) struct column id = {}, mixed = {}, free_text = {};
	uint32_t wrong = 0;
	char text[20];

	CHECK_EQ(both_init(&both), 0);
	CHECK_EQ(column_open(both.chunk[1], 1, 1u << LANE_FILTER, &id), 0);
	CHECK_EQ(column_open(both.chunk[1], chunk_child(both.chunk[1], 0, "mixed", 5),
			     1u << LANE_FILTER, &mixed),
		 0);
	CHECK(id.filter && mixed.filter);
	for (int i = 0; i < 10'000; i++) {
		int len = snprintf(text, sizeof(text), "no-%d", i);

		wrong += column_may_have(&id, column_hash_text(KIND_STRING, text, (size_t)len));
	}
	CHECK(wrong < 500);
	CHECK(column_may_have(&mixed, column_hash_int(KIND_INT, 3000)));
	CHECK(column_may_have(&mixed, column_hash_float(3000.0)));
	CHECK(column_may_have(&mixed, column_hash_text(KIND_STRING, "3001", 4)));
	CHECK_EQ(column_open(both.chunk[1], chunk_child(both.chunk[1], 0, "free", 4),
			     1u << LANE_GRAMS, &free_text),
		 0);
	return true;
}

static bool equal_numbers_have_equal_hashes(void)
{
	CHECK(column_hash_float(5.0) == column_hash_int(KIND_INT, 5));
	CHECK(column_hash_float(-0.0) == column_hash_int(KIND_INT, 0));
	CHECK(column_hash_float(-0x1p63) == column_hash_int(KIND_INT, INT64_MIN));
	CHECK(column_hash_float(0.5) != column_hash_int(KIND_INT, 0));
	CHECK(column_hash_float((double)NAN) == column_hash_float(-(double)NAN));
	CHECK(column_hash_float(0x1p63) != column_hash_int(KIND_INT, INT64_MIN));
	CHECK(column_hash_int(KIND_DATE, 5) != column_hash_int(KIND_INT, 5));
	CHECK(column_hash_text(KIND_BYTES, "a", 1) != column_hash_text(KIND_STRING, "a", 1));
	return true;
}

static bool statistics_say_what_there_is(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	auto_buf struct buf packed = buf_make(1000);
	struct value value;

	CHECK_EQ(builder_new(&builder), 0);
	CHECK_EQ(add_text(builder, "{\"a\":-5,\"s\":\"b\",\"o\":{\"x\":1}}", "1"), 0);
	CHECK_EQ(add_text(builder, "{\"a\":2.5,\"s\":\"abcdefghi\",\"o\":7}", "2"), 0);
	CHECK_EQ(add_text(builder, "{\"a\":null,\"s\":\"\",\"o\":{}}", "3"), 0);
	value_put_object(&packed);
	value_put_key(&packed, "_id", 3);
	value_put_string(&packed, "4", 1);
	value_put_key(&packed, "_event_time", 11);
	value_put_moment(&packed, VALUE_TIMESTAMP, 1);
	value_put_key(&packed, "a", 1);
	value_put_float(&packed, (double)NAN);
	value_put_end(&packed);
	CHECK(value_open(packed.data, packed.len, &value));
	CHECK_EQ(builder_add_value(builder, &value), 0);
	CHECK_EQ(pack_chunk(builder, &chunk), 0);

	const struct chunk_column *a = chunk_column(chunk, chunk_child(chunk, 0, "a", 1));
	const struct chunk_column *s = chunk_column(chunk, chunk_child(chunk, 0, "s", 1));
	const struct chunk_column *o = chunk_column(chunk, chunk_child(chunk, 0, "o", 1));
	CHECK_EQ(a->kinds, 1u << KIND_INT | 1u << KIND_FLOAT | 1u << KIND_NULL);
	CHECK_EQ(a->nulls, 1);
	CHECK_EQ(a->int_min, -5);
	CHECK_EQ(a->int_max, -5);
	CHECK(a->float_min == 2.5 && a->float_max == 2.5 && a->has_nan);
	CHECK_EQ(s->present, 3);
	CHECK_EQ(s->text_min, 0);
	CHECK_EQ(s->text_max, UINT64_C(0x6200000000000000));
	CHECK_EQ(o->int_min, 7); /* numbers of shapes do not count */
	CHECK_EQ(o->int_max, 7);
	CHECK(o->float_min > o->float_max && !o->has_nan);
	CHECK(o->text_min > o->text_max);
	return true;
}

static bool grams_of_long_texts_are_kept(void)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(fixture_done) struct fixture_file file = {};
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(column_close) struct column column = {};
	char json[200];

	CHECK_EQ(builder_new(&builder), 0);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(json, sizeof(json),
			       "{\"t\":\"the quick brown fox jumps over lazy dog %d\"}", i);
		CHECK(add_text(builder, json, json) == 0);
	}
	CHECK_EQ(write_chunk(builder, &file, &chunk), 0);
	CHECK_EQ(column_open(chunk, chunk_child(chunk, 0, "t", 1), 1u << LANE_GRAMS, &column), 0);
	CHECK(column.grams);
	CHECK(filter_may_have(column.grams, column.grams_len, column_hash_gram("qui")));
	CHECK(filter_may_have(column.grams, column.grams_len, column_hash_gram(" 99")));
	CHECK(!filter_may_have(column.grams, column.grams_len, column_hash_gram("XYZ")));
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	static struct str text[COLUMN_BLOCK];
	cleanup(both_done) struct both both;

	CHECK_EQ(both_init(&both), 0);
	uint32_t rare = chunk_child(both.chunk[1], 0, "rare", 4);
	for (size_t n = 1;; n++) {
		cleanup(strings_room_done) struct strings_room room = {};
		cleanup(column_close) struct column column = {};
		struct found found = {};

		fault_at(n);
		int r = column_open(both.chunk[1], rare, LANES_VALUES, &column);
		if (r == 0)
			r = column_strings(&column, 2, &room, text);
		if (r == 0)
			r = column_find_text(&column, &room, "r85", 3, note, &found);
		if (!fault_end())
			return r == 0 && found.n == 1;
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	RUN(blocks_and_single_entries_agree);
	RUN(what_few_documents_have_is_kept_sparse);
	RUN(strings_are_found_in_order);
	RUN(a_filter_rules_out_most_of_what_is_not_there);
	RUN(equal_numbers_have_equal_hashes);
	RUN(statistics_say_what_there_is);
	RUN(grams_of_long_texts_are_kept);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
