/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder_internal.h"
#include "service/chunk/builder_lanes.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/chunk/fields.h"
#include "service/chunk/head.h"
#include "service/column/filter.h"
#include "service/column/kind.h"
#include "service/column/strings.h"

constexpr uint32_t MANY = 256;		    /* values; fewer are read as fast as a filter */
constexpr uint32_t LARGE_DICTIONARY = 4096; /* strings; fewer are looked through in a moment */
constexpr uint32_t FEW =
	4096; /* strings; counting 65,536 places for fewer takes longer than comparing */
constexpr uint64_t WIDE = 1u << 16;	 /* ints that spread further are likely names of things */
constexpr size_t LONG_TEXT = 32;	 /* bytes on average: more than a name */
constexpr uint32_t GRAMS = 1u << 24;	 /* there are so many runs of 3 bytes */
constexpr uint32_t GRAMS_MAX = 1u << 17; /* with more of them in one chunk nothing is ruled out */

/* --- the order of strings by hash ---------------------------------------------------------------- */

/* Whether strings are so many, and of such a kind, that a query may look for one of them. */
static bool are_many(const struct lane_source *source, uint32_t dictionary)
{
	if (source->strings->encoding == STRINGS_DICTIONARY)
		return source->strings->distinct >= dictionary;
	return source->n >= MANY && source->strings->encoding != STRINGS_TIME;
}

bool lanes_want_order(const struct lane_source *source, uint32_t column)
{
	return column == COLUMN_ID || are_many(source, LARGE_DICTIONARY);
}

struct hashed {
	uint64_t hash;
	uint32_t position;
};

/* One pass of a radix sort: by 16 bits of the hash, stable. */
static void sort_pass(const struct hashed *from, uint32_t n, unsigned int shift, uint32_t *count,
		      struct hashed *to)
{
	memset(count, 0, sizeof(*count) << 16);
	for (uint32_t i = 0; i < n; i++)
		count[(from[i].hash >> shift) & 0xffff]++;
	for (uint32_t i = 0, at = 0; i < 1u << 16; i++) {
		uint32_t here = count[i];

		count[i] = at;
		at += here;
	}
	for (uint32_t i = 0; i < n; i++)
		to[count[(from[i].hash >> shift) & 0xffff]++] = from[i];
}

/* By hash, then string, then position. value: the strings. */
static int compare_hashed(const void *a, const void *b, void *value)
{
	const struct hashed *x = a, *y = b;
	const struct str *text = value;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	int order = spans_compare(&text[x->position], &text[y->position]);
	return order ? order : x->position < y->position ? -1 : 1;
}

/* Put right what the passes over the upper half have left: runs whose upper 32 bits are equal, mostly of equal strings. */
static void sort_rest(struct hashed *hashed, uint32_t n, const struct str *value)
{
	for (uint32_t i = 0; i < n;) {
		const struct str *first = &value[hashed[i].position];
		uint32_t end = i + 1;
		bool same = true;

		for (; end < n && hashed[end].hash >> 32 == hashed[i].hash >> 32; end++)
			same = same && spans_same(&value[hashed[end].position], first);
		if (!same)
			qsort_r(hashed + i, end - i, sizeof(*hashed), compare_hashed,
				(void *)(uintptr_t)value);
		i = end;
	}
}

int lanes_order(struct builder *builder, const struct lane_source *source)
{
	uint32_t n = source->n;
	auto_free struct hashed *hashed =
		malloc(2ul * n * sizeof(*hashed) + (sizeof(uint32_t) << 16));
	int64_t *out = room_get(&builder->ints, n * sizeof(*out));

	if (!hashed || !out)
		return -ENOMEM;
	auto count = (uint32_t *)(hashed + 2ul * n);
	for (uint32_t i = 0; i < n; i++)
		hashed[i] =
			(struct hashed) { .hash = column_hash_text(KIND_STRING, source->value[i].at,
								   source->value[i].len),
					  .position = i };
	if (n < FEW) {
		qsort_r(hashed, n, sizeof(*hashed), compare_hashed,
			(void *)(uintptr_t)source->value);
	} else {
		sort_pass(hashed, n, 32, count, hashed + n);
		sort_pass(hashed + n, n, 48, count, hashed);
		sort_rest(hashed, n, source->value);
	}
	for (uint32_t i = 0; i < n; i++)
		out[i] = hashed[i].position;
	return 0;
}

/* --- the filter ---------------------------------------------------------------------------------- */

int lanes_filter_texts(struct builder *builder, const struct lane_source *source, uint32_t column,
		       struct buf *out)
{
	cleanup(strings_room_done) struct strings_room room = {};
	uint32_t n = source->n;
	const struct str *text = source->value;

	if (!are_many(source, MANY))
		return 0;
	if (source->strings->encoding == STRINGS_DICTIONARY) {
		n = source->strings->distinct;
		struct str *entry = room_get(&builder->texts, n * sizeof(*entry));
		int r = entry ? strings_entries(source->strings, &room, entry) : -ENOMEM;

		if (r)
			return r;
		text = entry;
	}
	uint64_t *hash = room_get(&builder->source, n * sizeof(*hash));
	if (!hash)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		hash[i] = column_hash_text(KIND_STRING, text[i].at, text[i].len);
	filter_write(out, hash, n, column == COLUMN_ID ? FILTER_BITS_SURE : FILTER_BITS);
	return 0;
}

/* Whether other values than strings alone are so many that a query may look for one. */
static bool want_filter(const struct field *field, const struct chunk_column *about)
{
	if (!(about->kinds & (KINDS_INTS | 1u << KIND_FLOAT | 1u << KIND_BYTES)))
		return false;
	if (field->texts.n >= MANY)
		return true;
	return (about->kinds & 1u << KIND_INT) && field->present >= MANY &&
	       (uint64_t)about->int_max - (uint64_t)about->int_min >= WIDE;
}

/* The hashes of all values, one kind after the other. */
static uint32_t hash_values(const struct field *field, uint64_t *out)
{
	const uint8_t *kinds = field->kinds.data;
	uint32_t n = 0, ints = 0, floats = 0, texts = 0;

	for (uint32_t i = 0; i < field->present; i++) {
		enum kind kind = field->mixed ? (enum kind)kinds[i] : field->kind;
		const struct str *text = (const struct str *)field->texts.data + texts;

		if (1u << kind & KINDS_TEXTS) {
			texts++;
			out[n++] = column_hash_text(kind, text->at, text->len);
		} else if (1u << kind & KINDS_INTS) {
			out[n++] = column_hash_int(kind, ((const int64_t *)field->ints.data)[ints]);
			ints++;
		} else if (kind == KIND_OBJECT) {
			ints++;
		} else if (kind == KIND_FLOAT) {
			out[n++] = column_hash_float(((const double *)field->floats.data)[floats]);
			floats++;
		}
	}
	return n;
}

int lanes_filter(struct builder *builder, const struct field *field,
		 const struct chunk_column *about, struct buf *out)
{
	if (!want_filter(field, about))
		return 0;
	uint64_t *hash = room_get(&builder->source, field->present * sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	filter_write(out, hash, hash_values(field, hash), FILTER_BITS);
	return 0;
}

/* --- runs of three bytes ------------------------------------------------------------------------- */

bool lanes_want_grams(const struct field *field, const struct chunk_column *about)
{
	const struct str *text = field->texts.data;
	uint64_t bytes = 0;

	if (field->texts.n < MANY || !(about->kinds & 1u << KIND_STRING))
		return false;
	for (uint32_t i = 0; i < field->texts.n; i++)
		bytes += text[i].len;
	return bytes / field->texts.n >= LONG_TEXT;
}

/* Note each run of a text. Returns how many were new. */
static uint32_t note_grams(const struct str *text, uint64_t *seen)
{
	const uint8_t *at = (const uint8_t *)text->at;
	uint32_t fresh = 0;

	for (uint32_t i = 0; i + 2 < text->len; i++) {
		uint32_t gram = at[i] | (uint32_t)at[i + 1] << 8 | (uint32_t)at[i + 2] << 16;
		uint64_t bit = UINT64_C(1) << gram % 64;

		fresh += !(seen[gram / 64] & bit);
		seen[gram / 64] |= bit;
	}
	return fresh;
}

int lanes_grams(struct builder *builder, const struct field *field, struct buf *out)
{
	auto_free uint64_t *seen = calloc(GRAMS / 64, sizeof(*seen));
	const struct str *text = field->texts.data;
	uint32_t n = 0, k = 0;

	if (!seen)
		return -ENOMEM;
	for (uint32_t i = 0; i < field->texts.n && n <= GRAMS_MAX; i++)
		n += note_grams(&text[i], seen);
	if (n == 0 || n > GRAMS_MAX)
		return 0;
	uint64_t *hash = room_get(&builder->source, n * sizeof(*hash));
	if (!hash)
		return -ENOMEM;
	for (uint32_t i = 0; i < GRAMS / 64; i++)
		for (uint64_t left = seen[i]; left; left &= left - 1) {
			uint32_t gram = i * 64 + (uint32_t)__builtin_ctzll(left);

			hash[k++] = column_hash_gram((const char[3]) {
				(char)gram, (char)(gram >> 8), (char)(gram >> 16) });
		}
	filter_write(out, hash, k, FILTER_BITS);
	return 0;
}
