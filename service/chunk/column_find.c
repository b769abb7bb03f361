/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/column/filter.h"
#include "service/column/hash.h"
#include "service/column/ints.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"

/* Spreads kinds, so that a date and the int it is kept as have different hashes. */
constexpr uint64_t KIND_STEP = 0x9e3779b97f4a7c15;

uint64_t column_hash_text(enum kind kind, const char *text, size_t len)
{
	uint64_t hash = hash_stable(text, len);

	return kind == KIND_STRING ? hash : hash ^ kind * KIND_STEP;
}

uint64_t column_hash_int(enum kind kind, int64_t value)
{
	return hash_stable_int(kind == KIND_INT ? value
						: (int64_t)((uint64_t)value ^ kind * KIND_STEP));
}

uint64_t column_hash_float(double value)
{
	uint64_t bits;

	if (value >= -0x1p63 && value < 0x1p63 && value == trunc(value))
		return column_hash_int(KIND_INT, (int64_t)value);
	if (isnan(value))
		value = (double)NAN; /* one of the many */
	memcpy(&bits, &value, sizeof(bits));
	return column_hash_int(KIND_FLOAT, (int64_t)bits);
}

uint64_t column_hash_gram(const char gram[3])
{
	return hash_stable_int((uint8_t)gram[0] | (int64_t)(uint8_t)gram[1] << 8 |
			       (int64_t)(uint8_t)gram[2] << 16);
}

bool column_may_have(const struct column *column, uint64_t hash)
{
	return !column->filter || filter_may_have(column->filter, column->filter_len, hash);
}

/* --- finding a string ---------------------------------------------------------------------------- */

struct search {
	const struct column *column;
	struct strings_room *room;
	const char *text;
	size_t len;
	column_entry_fn *fn;
	void *userdata;
	const uint32_t *row; /* of a sparse column */
	bool stop;
};

static bool is_same(const struct search *search, const struct str *text)
{
	return text->len == search->len &&
	       (text->len == 0 || memcmp(text->at, search->text, text->len) == 0);
}

/* Report an entry if what the strings lane has for it is not a filler or bytes. */
static void report(struct search *search, uint32_t entry)
{
	if (column_kind(search->column, entry) == KIND_STRING)
		search->stop = !search->fn(search->userdata, entry);
}

/* The string at a position in the order, and its hash. */
static int at_position(struct search *search, uint32_t position, uint32_t *ret_value,
		       struct str *ret, uint64_t *ret_hash)
{
	*ret_value = (uint32_t)ints_get(&search->column->order, position);
	int r = strings_get(&search->column->strings, *ret_value, search->room, ret);

	if (r)
		return r;
	*ret_hash = column_hash_text(KIND_STRING, ret->at, ret->len);
	return 0;
}

/* Where a hash would be among those of from to to - 1, which lie between low and high: hashes are spread evenly. */
static uint32_t guess(uint64_t hash, uint64_t low, uint64_t high, uint32_t from, uint32_t to)
{
	double share = high > low ? (double)(hash - low) / (double)(high - low) : 0;
	double at = share * (to - from);

	if (!(at >= 0))
		at = 0;
	return at >= to - from ? to - 1 : from + (uint32_t)at;
}

/* The first position in the order whose string has a greater hash than the one searched for, or the same and is not less. */
static int first_position(struct search *search, uint64_t hash, uint32_t *ret)
{
	uint32_t from = 0, to = search->column->n;
	const struct str wanted = { search->text, (uint32_t)search->len };
	uint64_t low = 0, high = UINT64_MAX, here;

	for (unsigned int step = 0; from < to; step++) {
		uint32_t mid = from + (to - from) / 2, value;
		struct str text;

		if (step % 4 < 3 && hash >= low && hash <= high)
			mid = guess(hash, low, high, from, to);
		int r = at_position(search, mid, &value, &text, &here);
		if (r)
			return r;
		if (here < hash || (here == hash && spans_compare(&text, &wanted) < 0)) {
			from = mid + 1;
			low = here;
		} else {
			to = mid;
			high = here;
		}
	}
	*ret = from;
	return 0;
}

static int find_by_order(struct search *search)
{
	uint64_t hash = column_hash_text(KIND_STRING, search->text, search->len), here;
	uint32_t at = 0;
	int r = first_position(search, hash, &at);

	for (; r == 0 && !search->stop && at < search->column->n; at++) {
		struct str text;
		uint32_t value;

		r = at_position(search, at, &value, &text, &here);
		if (r || !is_same(search, &text))
			break;
		report(search, search->row ? search->row[value] : value);
	}
	return r;
}

/* The code of a string in a sorted dictionary, or CHUNK_NONE. */
static int find_code(struct search *search, uint32_t *ret)
{
	const struct strings *strings = &search->column->strings;
	auto_free struct str *entry = malloc((strings->distinct + 1ul) * sizeof(*entry));
	uint32_t from = 0, to = strings->distinct;

	if (!entry)
		return -ENOMEM;
	int r = strings_entries(strings, search->room, entry);
	if (r)
		return r;
	*ret = CHUNK_NONE;
	while (from < to && *ret == CHUNK_NONE) {
		uint32_t mid = from + (to - from) / 2;
		size_t both = entry[mid].len < search->len ? entry[mid].len : search->len;
		int order = both > 0 ? memcmp(entry[mid].at, search->text, both) : 0;

		if (is_same(search, &entry[mid]))
			*ret = mid;
		else if (order < 0 || (order == 0 && entry[mid].len < search->len))
			from = mid + 1;
		else
			to = mid;
	}
	return 0;
}

static int find_by_code(struct search *search)
{
	const struct strings *strings = &search->column->strings;
	uint16_t codes[COLUMN_BLOCK];
	uint32_t code;
	int r = find_code(search, &code);

	if (r || code == CHUNK_NONE)
		return r;
	for (uint32_t block = 0; block < column_blocks(search->column->n); block++) {
		uint32_t first = block * COLUMN_BLOCK, left = search->column->n - first;

		strings_codes(strings, block, codes);
		for (uint32_t i = 0; i < COLUMN_BLOCK && i < left && !search->stop; i++)
			if (codes[i] == code)
				report(search, search->row ? search->row[first + i] : first + i);
	}
	return 0;
}

static int find_by_reading(struct search *search)
{
	auto_free struct str *text = malloc(COLUMN_BLOCK * sizeof(*text));

	if (!text)
		return -ENOMEM;
	for (uint32_t block = 0; block < column_blocks(search->column->n); block++) {
		uint32_t first = block * COLUMN_BLOCK, left = search->column->n - first;
		int r = strings_read(&search->column->strings, block, search->room, text);

		if (r)
			return r;
		for (uint32_t i = 0; i < COLUMN_BLOCK && i < left && !search->stop; i++)
			if (is_same(search, &text[i]))
				report(search, search->row ? search->row[first + i] : first + i);
	}
	return 0;
}

int column_find_text(const struct column *column, struct strings_room *room, const char *text,
		     size_t len, column_entry_fn *fn, void *userdata)
{
	struct search search = { .column = column,
				 .room = room,
				 .text = text,
				 .len = len,
				 .fn = fn,
				 .userdata = userdata,
				 .row = column_rows(column) };
	int r;

	if (!(column->lanes & 1u << LANE_STRINGS))
		return 0;
	if (column->lanes & 1u << LANE_ORDER)
		r = find_by_order(&search);
	else if (column->strings.encoding == STRINGS_DICTIONARY)
		r = find_by_code(&search);
	else
		r = find_by_reading(&search);
	return r == -EBADMSG ? CHUNK_DAMAGED : r;
}
