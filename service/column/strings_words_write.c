/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/bits.h"
#include "service/column/hash.h"
#include "service/column/strings_internal.h"
#include "service/column/strings_words.h"

constexpr char SEPARATOR = ' ';
constexpr uint32_t SAMPLE_WORDS = 16'384;
constexpr uint32_t WORDS_MAX = 1u << 28;

/* The strings of a column cut into words: one more than there are separators. */
struct cut {
	struct str *word; /* [n] */
	uint32_t n, room;
};

static void cut_done(struct cut *cut)
{
	free(cut->word);
	*cut = (struct cut) {};
}

static int cut_add(struct cut *cut, struct str word)
{
	if (cut->n == cut->room) {
		uint32_t room = cut->room ? 2 * cut->room : 4096;
		struct str *more =
			cut->n < WORDS_MAX ? realloc(cut->word, room * sizeof(*more)) : nullptr;

		if (!more)
			return -ENOMEM;
		cut->word = more;
		cut->room = room;
	}
	cut->word[cut->n++] = word;
	return 0;
}

/* Add the words of a string. Returns 0 or -ENOMEM. */
static int cut_string(struct cut *cut, struct str text)
{
	uint32_t from = 0;

	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] != SEPARATOR)
			continue;
		int r = cut_add(cut, (struct str) { text.at + from, i - from });
		if (r < 0)
			return r;
		from = i + 1;
	}
	return cut_add(cut, (struct str) { text.at + from, text.len - from });
}

int words_estimate(const struct str *value, uint32_t n, uint32_t step, size_t *ret)
{
	cleanup(distinct_done) struct distinct distinct = {};
	cleanup(cut_done) struct cut cut = {};
	uint32_t strings = 0;
	int r = 0;

	*ret = SIZE_MAX;
	for (uint32_t i = 0; i < n && cut.n < SAMPLE_WORDS && r == 0; i += step, strings++)
		r = cut_string(&cut, value[i]);
	if (r < 0)
		return r;
	if (cut.n < 2 * strings)
		return 0;
	r = distinct_find(cut.word, cut.n, &distinct);
	if (r != 0)
		return r < 0 ? r : 0;
	if (distinct.n > cut.n / 4)
		return 0;
	double words = (double)cut.n / strings * n;
	double bits = bits_width(distinct.n) + 0.3 + 4.0 * strings / cut.n;
	*ret = (size_t)(words * bits / 8 + 2.0 * (double)distinct.bytes);
	return 0;
}

/* A word and how often it occurs. */
struct count {
	uint32_t times, number;
};

static int compare_counts(const void *left, const void *right)
{
	const struct count *a = left, *b = right;

	if (a->times != b->times)
		return a->times > b->times ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/*
 * Put words in the order of how often they occur: blocks without rare words then need fewer bits.
 * ret_code[i] becomes the place of distinct->string[i], which is moved there.
 */
static int order_words(struct distinct *distinct, uint32_t words, uint32_t *ret_code)
{
	auto_free struct count *count = calloc((size_t)distinct->n + 1, sizeof(*count));
	auto_free struct str *string = calloc((size_t)distinct->n + 1, sizeof(*string));

	if (!count || !string)
		return -ENOMEM;
	for (uint32_t i = 0; i < distinct->n; i++)
		count[i].number = i;
	for (uint32_t i = 0; i < words; i++)
		count[distinct->code[i]].times++;
	qsort(count, distinct->n, sizeof(*count), compare_counts);
	for (uint32_t i = 0; i < distinct->n; i++) {
		string[i] = distinct->string[count[i].number];
		ret_code[count[i].number] = i;
	}
	memcpy(distinct->string, string, distinct->n * sizeof(*string));
	return 0;
}

static void write_part(struct buf *out, const int64_t *number, uint32_t n)
{
	size_t part = spans_part_begin(out);

	ints_write(out, number, n);
	spans_part_end(out, part);
}

static int write_vocabulary(struct buf *out, const struct distinct *distinct, uint32_t words)
{
	write_u8(out, STRINGS_WORDS);
	write_u8(out, (uint8_t)SEPARATOR);
	write_u32(out, words);
	write_u32(out, distinct->n);
	write_u64(out, 0); /* the key, when it is known */
	size_t start = out->len, part = spans_part_begin(out);
	int r = spans_write(out, distinct->string, distinct->n);
	spans_part_end(out, part);
	if (r < 0 || buf_error(out))
		return r;
	uint64_t key = hash_stable(out->data + start, out->len - start);
	memcpy(out->data + start - sizeof(key), &key, sizeof(key));
	return 0;
}

/* How many words each string has and where the first of each block is. Numbers as many as n and blocks fit number. */
static void count_words(const struct str *value, uint32_t n, int64_t *number)
{
	int64_t total = 0;

	for (uint32_t i = 0; i < n; i++) {
		int64_t words = 1;

		if (i % COLUMN_BLOCK == 0)
			number[n + i / COLUMN_BLOCK] = total;
		for (uint32_t k = 0; k < value[i].len; k++)
			words += value[i].at[k] == SEPARATOR;
		number[i] = words;
		total += words;
	}
}

int words_write(struct buf *out, const struct str *value, uint32_t n)
{
	cleanup(distinct_done) struct distinct distinct = {};
	cleanup(cut_done) struct cut cut = {};
	uint32_t blocks = column_blocks(n);
	int r = 0;

	for (uint32_t i = 0; i < n && r == 0; i++)
		r = cut_string(&cut, value[i]);
	if (r == 0)
		r = distinct_find(cut.word, cut.n, &distinct);
	if (r == 0 && distinct.bytes > STRINGS_ROOM_MAX)
		r = 1;
	if (r != 0)
		return r;

	size_t most = cut.n > n + blocks ? cut.n : n + blocks;
	auto_free uint32_t *code = malloc(((size_t)distinct.n + 1) * sizeof(*code));
	auto_free int64_t *number = malloc(most * sizeof(*number));
	if (!code || !number)
		return -ENOMEM;
	r = order_words(&distinct, cut.n, code);
	if (r == 0)
		r = write_vocabulary(out, &distinct, cut.n);
	if (r < 0)
		return r;
	count_words(value, n, number);
	write_part(out, number, n);
	if (blocks > 1)
		write_part(out, number + n, blocks);
	for (uint32_t i = 0; i < cut.n; i++)
		number[i] = code[distinct.code[i]];
	ints_write(out, number, cut.n);
	return 0;
}
