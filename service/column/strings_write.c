/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "service/column/bits.h"
#include "service/column/strings.h"
#include "service/column/strings_forms.h"
#include "service/column/strings_internal.h"
#include "service/column/strings_words.h"

constexpr uint32_t SAMPLE = 1024;

/* A dictionary of at most so many rows a string is taken unseen: what is computed on codes is computed once a string. */
constexpr uint32_t ROWS_PER_STRING = 8;

/* What each encoding is expected to take; SIZE_MAX: does not fit. */
struct estimate {
	size_t bytes[STRINGS_ENCODING_COUNT];
};

static int write_plain(struct buf *out, const struct str *value, uint32_t n)
{
	write_u8(out, STRINGS_PLAIN);
	return spans_write(out, value, n);
}

static size_t plain_estimate(const struct str *value, uint32_t n)
{
	size_t bytes = 0;
	uint32_t min = UINT32_MAX, max = 0;

	for (uint32_t i = 0; i < n; i++) {
		bytes += value[i].len;
		min = value[i].len < min ? value[i].len : min;
		max = value[i].len > max ? value[i].len : max;
	}
	return bytes + bits_size(bits_width(max - min), 1) * n;
}

/*
 * What a dictionary would take: its codes, and of each entry what it does not share with the one before. How much that is
 * is seen in a sorted sample; among more strings neighbours share more, by a byte for about twelve times as many.
 */
static int dictionary_estimate(const struct distinct *distinct, uint32_t rows, size_t *ret)
{
	uint32_t step = distinct->n / SAMPLE + 1, count = 0;
	struct str sample[SAMPLE / 4];
	uint32_t rank[countof(sample)];
	size_t shared = 0, bytes = 0;
	int r;

	step *= 4;
	for (uint32_t i = 0; i < distinct->n && count < countof(sample); i += step)
		sample[count++] = distinct->string[i];
	r = distinct_sort(sample, count, rank);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < count; i++) {
		bytes += sample[i].len;
		shared += i > 0 ? strings_shared(sample[i - 1], sample[i]) : 0;
	}
	double len = (double)bytes / count;
	double own = len - (double)shared / count - log((double)distinct->n / count) / log(12);
	own = (own > 0.3 ? own : 0.3) * 0.7 + 0.75;
	*ret = bits_size(bits_width(distinct->n - 1), 1024) * rows / 1024 +
	       (size_t)(own * distinct->n) + 64;
	return 0;
}

static int make_estimate(const struct str *value, uint32_t n, const struct distinct *distinct,
			 struct estimate *ret)
{
	uint32_t step = n / SAMPLE + 1;
	int r;

	for (size_t i = 0; i < countof(ret->bytes); i++)
		ret->bytes[i] = SIZE_MAX;
	ret->bytes[STRINGS_PLAIN] = plain_estimate(value, n);
	if (distinct->n > 0 && distinct->bytes <= STRINGS_ROOM_MAX) {
		r = dictionary_estimate(distinct, n, &ret->bytes[STRINGS_DICTIONARY]);
		if (r < 0)
			return r;
		if (distinct->n <= n / ROWS_PER_STRING)
			return 0;
	}
	if (time_fits(value, n, step)) {
		ret->bytes[STRINGS_TIME] = 0;
		return 0;
	}
	ret->bytes[STRINGS_HEX] = hex_estimate(value, n, step);
	return words_estimate(value, n, step, &ret->bytes[STRINGS_WORDS]);
}

/* Write in an encoding. Returns 0, 1 if the strings turn out not to fit it, or -ENOMEM. */
static int write_as(struct buf *out, const struct str *value, uint32_t n,
		    enum strings_encoding encoding, struct distinct *distinct)
{
	uint32_t step = n / SAMPLE + 1;

	switch (encoding) {
	case STRINGS_DICTIONARY:
		return dictionary_write(out, distinct, n);
	case STRINGS_HEX:
		return hex_write(out, value, n, step);
	case STRINGS_WORDS:
		return words_write(out, value, n);
	case STRINGS_TIME:
		return time_write(out, value, n, step);
	case STRINGS_PLAIN:
	case STRINGS_SYMBOLS:
	case STRINGS_ENCODING_COUNT:
		break;
	}
	return write_plain(out, value, n);
}

static enum strings_encoding cheapest(const struct estimate *estimate)
{
	enum strings_encoding best = STRINGS_PLAIN;

	for (uint32_t e = 0; e < STRINGS_ENCODING_COUNT; e++) {
		if (estimate->bytes[e] < estimate->bytes[best])
			best = (enum strings_encoding)e;
	}
	return best;
}

int strings_write(struct buf *out, const struct str *value, uint32_t n, enum strings_effort effort)
{
	cleanup(distinct_done) struct distinct distinct = {};
	struct estimate estimate;
	int r;

	if (effort == STRINGS_FAST || n == 0)
		return write_plain(out, value, n);
	r = distinct_find(value, n, &distinct);
	if (r < 0)
		return r;
	r = make_estimate(value, n, &distinct, &estimate);
	if (r < 0)
		return r;
	for (;;) {
		enum strings_encoding encoding = cheapest(&estimate);

		r = write_as(out, value, n, encoding, &distinct);
		if (r != 1)
			return r;
		estimate.bytes[encoding] = SIZE_MAX;
	}
}
