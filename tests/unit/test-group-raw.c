/* SPDX-License-Identifier: Apache-2.0 */

/* Small keys, rows that go to the tables as they are, and the tables of small keys. */

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/group/groups.h"
#include "service/group/part.h"
#include "service/group/raw.h"
#include "service/group/small.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static const uint64_t KEY[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };

static struct cell text_cell(const char *text, uint32_t len)
{
	return (struct cell) { .kind = KIND_STRING, .s = { text, len } };
}

static bool strings_of_up_to_14_bytes_are_small_and_come_back(void)
{
	static const char text[] = "abcdefghijklmnopqrst";

	for (uint32_t len = 0; len <= 20; len++) {
		auto_free char *exact = malloc(len + 1); /* so that reading past the end is seen */
		struct small small = {};
		struct cell back;

		CHECK(exact != nullptr);
		memcpy(exact, text, len);
		struct cell cell = text_cell(len > 0 ? exact + 0 : "", len);
		CHECK_EQ(small_of(&cell, &small), len <= SMALL_TEXT_MAX);
		if (len > SMALL_TEXT_MAX)
			continue;
		CHECK(small.high != 0);
		small_cell(&small, &back);
		CHECK_EQ(back.kind, KIND_STRING);
		CHECK_EQ(back.s.len, len);
		CHECK(memcmp(back.s.at, text, len) == 0);
	}
	return true;
}

static bool cells_are_the_same_small_key_if_they_are_equal(void)
{
	const struct cell cells[] = {
		{ .kind = KIND_MISSING },
		{ .kind = KIND_NULL },
		{ .kind = KIND_FLOAT, .f = (double)NAN },
		{ .kind = KIND_FALSE },
		{ .kind = KIND_TRUE },
		{ .kind = KIND_INT, .i = 0 },
		{ .kind = KIND_FLOAT, .f = 0.0 },
		{ .kind = KIND_FLOAT, .f = -0.0 },
		{ .kind = KIND_INT, .i = 1 },
		{ .kind = KIND_FLOAT, .f = 1.0 },
		{ .kind = KIND_FLOAT, .f = 1.5 },
		{ .kind = KIND_INT, .i = INT64_MIN },
		{ .kind = KIND_FLOAT, .f = -0x1p63 },
		{ .kind = KIND_INT, .i = INT64_MAX },
		{ .kind = KIND_FLOAT, .f = 0x1p63 },
		{ .kind = KIND_FLOAT, .f = (double)INFINITY },
		{ .kind = KIND_DATE, .i = 1 },
		{ .kind = KIND_TIMESTAMP, .i = 1 },
		{ .kind = KIND_STRING, .s = { "", 0 } },
		{ .kind = KIND_STRING, .s = { "\0", 1 } },
		{ .kind = KIND_STRING, .s = { "\0\0", 2 } },
		{ .kind = KIND_STRING, .s = { "1", 1 } },
	};

	for (size_t i = 0; i < countof(cells); i++)
		for (size_t k = 0; k < countof(cells); k++) {
			bool equal = cell_compare(&cells[i], &cells[k]) == 0;
			struct small a, b;

			CHECK(small_of(&cells[i], &a) && small_of(&cells[k], &b));
			CHECK_EQ(small_same(&a, &b), equal);
			CHECK_EQ(small_hash_key(KEY, &cells[i], 1) ==
					 small_hash_key(KEY, &cells[k], 1),
				 equal);
		}
	return true;
}

static bool numbers_come_back_as_what_they_were(void)
{
	const double floats[] = { 0.0, -0.0, 2.0, 2.5, -0x1p63, 0x1p60, (double)INFINITY };

	for (size_t i = 0; i < countof(floats); i++) {
		struct cell cell = { .kind = KIND_FLOAT, .f = floats[i] }, back;
		struct small small;

		CHECK(small_of(&cell, &small));
		small_cell(&small, &back);
		CHECK_EQ(back.kind, KIND_FLOAT);
		CHECK(memcmp(&back.f, &cell.f, sizeof(back.f)) == 0);
	}
	struct cell cell = { .kind = KIND_DATE, .i = -7 }, back;
	struct small small;
	CHECK(small_of(&cell, &small));
	small_cell(&small, &back);
	CHECK(back.kind == KIND_DATE && back.i == -7);
	return true;
}

/* Rows of a key each and the arguments of COUNT(*), SUM, AVG and MAX. */
static const struct node ANY = {};
static const struct aggregate AGGREGATES[] = {
	{ .kind = AGGREGATE_COUNT },
	{ .kind = AGGREGATE_SUM, .arg = (struct node *)(uintptr_t)&ANY },
	{ .kind = AGGREGATE_MAX, .arg = (struct node *)(uintptr_t)&ANY }
};

struct rows_of {
	struct layout layout;
	struct raw_pool pool;
	struct raw *raw;
	struct raw_room *room;
	struct vector *key, *value;
	char text[COLUMN_BLOCK][24];
	uint16_t entry[COLUMN_BLOCK], rest[COLUMN_BLOCK];
	uint32_t rest_n;
};

static void rows_done_at(struct rows_of **at)
{
	struct rows_of *rows = *at;

	if (!rows)
		return;
	raw_free(rows->raw);
	raw_pool_done(&rows->pool);
	layout_done(&rows->layout);
	vector_free(rows->key);
	vector_free(rows->value);
	free(rows->room);
	free(rows);
}

static int rows_new(uint32_t n_aggregates, struct rows_of **ret)
{
	cleanup(rows_done_at) struct rows_of *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	int r = layout_init(&rows->layout, AGGREGATES, n_aggregates);
	r = r ? r : vector_new(&rows->key);
	r = r ? r : vector_new(&rows->value);
	rows->room = calloc(1, sizeof(*rows->room));
	if (r || !rows->room)
		return r ? r : -ENOMEM;
	raw_pool_init(&rows->pool, &rows->layout, nullptr);
	r = raw_new(&rows->pool, &rows->raw);
	if (r)
		return r;
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		rows->entry[i] = (uint16_t)i;
	*ret = TAKE(rows);
	return 0;
}

/* Add n rows: row i has the key "<prefix><i % keys>" and the int i, or NULL in every third if there are to be some. */
static int add_rows(struct rows_of *rows, const char *prefix, uint32_t n, uint32_t keys, bool nulls)
{
	const struct vector *value[] = { nullptr, rows->value, rows->value };

	vector_reset(rows->key);
	vector_reset(rows->value);
	vector_set_kind(rows->key, KIND_STRING);
	vector_set_kind(rows->value, KIND_INT);
	for (uint32_t i = 0; i < n; i++) {
		int len = snprintf(rows->text[i], sizeof(rows->text[i]), "%s%u", prefix, i % keys);

		rows->key->strs[i] = (struct str) { rows->text[i], (uint32_t)len };
		rows->value->ints[i] = i;
		if (nulls && i % 3 == 0)
			rows->value->kinds[i] = KIND_NULL;
	}
	struct set all = set_first(n);
	vector_settle(rows->key, &all);
	vector_settle(rows->value, &all);
	struct raw_block block = { rows->key, value, rows->entry, n };
	return raw_add(rows->raw, KEY, &block, rows->room, rows->rest, &rows->rest_n);
}

/* Merge all rows, each part into a table of its own, and add up what the groups have. */
struct total {
	int64_t groups, rows, sum, max, nulls;
};

static int merge_all(struct rows_of *rows, struct total *ret)
{
	struct part_room room = {};
	int r = 0;

	*ret = (struct total) {};
	for (uint32_t p = 0; p < GROUPS_PARTS && r == 0; p++) {
		struct part part;
		struct record *record;
		uint64_t at = 0;

		part_init(&part, &rows->layout, 1, KEY, nullptr);
		r = part_merge_raw(&part, rows->raw, p, &room);
		r = r ? r : part_settle(&part);
		ret->groups += (int64_t)part.n;
		while (r == 0 && (record = part_next(&part, &at))) {
			struct cell sum = {}, max = {};

			ret->rows += *layout_rows(record_states(record));
			if (part_find(&part, record) != record || groups_part(record->hash) != p)
				r = -EINVAL;
			if (rows->layout.n < 3)
				continue;
			if (!aggregate_value(&rows->layout, 1, record_states(record), &sum) ||
			    !aggregate_value(&rows->layout, 2, record_states(record), &max))
				r = -EINVAL;
			ret->nulls += sum.kind == KIND_NULL;
			ret->sum += sum.i;
			ret->max = max.kind == KIND_INT && max.i > ret->max ? max.i : ret->max;
		}
		part_clear(&part);
	}
	part_room_done(&room);
	return r;
}

static bool rows_are_merged_into_their_groups(void)
{
	cleanup(rows_done_at) struct rows_of *rows = nullptr;
	struct total total;

	CHECK_EQ(rows_new(3, &rows), 0);
	for (int i = 0; i < 40; i++) { /* more than a page of each part, and of some keys */
		CHECK_EQ(add_rows(rows, "k", 1000, 700, false), 0);
		CHECK_EQ(rows->rest_n, 0);
	}
	CHECK_EQ(rows->raw->n, 40'000);
	CHECK(raw_bytes(rows->raw) > 40'000 * (sizeof(struct small) + 3 * 9));
	CHECK_EQ(merge_all(rows, &total), 0);
	CHECK_EQ(total.groups, 700);
	CHECK_EQ(total.rows, 40'000);
	CHECK_EQ(total.sum, 40 * 999 * 1000 / 2);
	CHECK_EQ(total.max, 999);
	return true;
}

static bool kinds_are_kept_from_the_first_null_on(void)
{
	cleanup(rows_done_at) struct rows_of *rows = nullptr;
	struct total total;
	int64_t sum = 0;

	CHECK_EQ(rows_new(3, &rows), 0);
	CHECK_EQ(add_rows(rows, "k", 300, 300, false), 0);
	CHECK_EQ(add_rows(rows, "k", 300, 300, true), 0);
	CHECK_EQ(add_rows(rows, "n", 3, 3, true), 0);
	for (int64_t i = 0; i < 300; i++)
		sum += i + (i % 3 ? i : 0);
	CHECK_EQ(merge_all(rows, &total), 0);
	CHECK_EQ(total.groups, 303);
	CHECK_EQ(total.nulls, 1);
	CHECK_EQ(total.sum, sum + 1 + 2);
	return true;
}

static bool long_keys_and_strings_to_add_up_are_left_to_the_caller(void)
{
	cleanup(rows_done_at) struct rows_of *rows = nullptr;
	const struct vector *value[3] = {};

	CHECK_EQ(rows_new(3, &rows), 0);
	CHECK_EQ(add_rows(rows, "more than ten", 20, 20, false), 0); /* 14 bytes, and 15 */
	CHECK_EQ(rows->rest_n, 10);
	CHECK(rows->rest[0] == 10 && rows->rest[9] == 19);
	CHECK_EQ(rows->raw->n, 10);
	value[1] = value[2] = rows->key;
	struct raw_block block = { rows->key, value, rows->entry, 20 };
	CHECK_EQ(raw_add(rows->raw, KEY, &block, rows->room, rows->rest, &rows->rest_n), 0);
	CHECK_EQ(rows->rest_n, 20);
	CHECK_EQ(rows->rest[19], 19);
	CHECK_EQ(rows->raw->n, 10);
	return true;
}

static bool different_keys_are_counted(void)
{
	cleanup(rows_done_at) struct rows_of *rows = nullptr;
	uint32_t n;

	CHECK_EQ(rows_new(0, &rows), 0);
	CHECK_EQ(raw_distinct(rows->raw, &n), 0);
	CHECK_EQ(n, 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(add_rows(rows, "k", 1000, 600, false), 0);
	CHECK_EQ(raw_distinct(rows->raw, &n), 0);
	CHECK_EQ(n, 600);
	return true;
}

static bool groups_without_aggregates_have_records_once_they_are_settled(void)
{
	cleanup(rows_done_at) struct rows_of *rows = nullptr;
	struct total total;

	CHECK_EQ(rows_new(0, &rows), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(add_rows(rows, "k", 1000, 950, false), 0);
	CHECK_EQ(merge_all(rows, &total), 0);
	CHECK_EQ(total.groups, 950);
	return true;
}

static bool pages_are_used_again(void)
{
	cleanup(rows_done_at) struct rows_of *rows = nullptr;

	CHECK_EQ(rows_new(3, &rows), 0);
	for (int i = 0; i < 10; i++) {
		size_t before = rows->pool.pile.size;

		CHECK_EQ(add_rows(rows, "k", 1000, 1000, false), 0);
		CHECK(i == 0 || rows->pool.pile.size == before);
		rows->raw = raw_free(rows->raw);
		CHECK_EQ(raw_new(&rows->pool, &rows->raw), 0);
	}
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(rows_done_at) struct rows_of *rows = nullptr;
		struct total total;
		uint32_t distinct;

		fault_at(n);
		int r = rows_new(3, &rows);
		r = r ? r : add_rows(rows, "k", 1000, 900, true);
		r = r ? r : raw_distinct(rows->raw, &distinct);
		r = r ? r : merge_all(rows, &total);
		if (!fault_end()) {
			CHECK_EQ(r, 0);
			return true;
		}
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	RUN(strings_of_up_to_14_bytes_are_small_and_come_back);
	RUN(cells_are_the_same_small_key_if_they_are_equal);
	RUN(numbers_come_back_as_what_they_were);
	RUN(rows_are_merged_into_their_groups);
	RUN(kinds_are_kept_from_the_first_null_on);
	RUN(long_keys_and_strings_to_add_up_are_left_to_the_caller);
	RUN(different_keys_are_counted);
	RUN(groups_without_aggregates_have_records_once_they_are_settled);
	RUN(pages_are_used_again);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
