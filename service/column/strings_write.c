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
#include "service/column/strings_symbols.h"
#include "service/column/strings_words.h"
#include "service/column/symbols.h"

constexpr uint32_t SAMPLE = 1024;
constexpr uint32_t SORTED_SAMPLE = 256;

/* A dictionary of at most so many rows a string is taken unseen: what is computed on codes is computed once a string. */
constexpr uint32_t ROWS_PER_STRING = 8;

/* Blocks of more than that are left as they are: decoded, they must not come near STRINGS_ROOM_MAX. */
constexpr size_t BLOCK_BYTES_MAX = STRINGS_ROOM_MAX / 16;

/* A table of symbols takes about 1 KiB. */
constexpr size_t SYMBOLS_BYTES_MIN = 4096;

/* What is being written, and what is found out about it. */
struct job {
	const struct str *value;
	uint32_t n, step;
	struct distinct distinct; /* n is 0 if there are too many */
	struct symbols_encoder *encoder;
	size_t bytes, block_bytes;		 /* of all, of the largest block */
	size_t estimate[STRINGS_ENCODING_COUNT]; /* SIZE_MAX: not fit, or not wanted */
};

static void job_done(struct job *job)
{
	distinct_done(&job->distinct);
	job->encoder = symbols_free(job->encoder);
}

static int write_plain(struct buf *out, const struct str *value, uint32_t n)
{
	write_u8(out, STRINGS_PLAIN);
	return spans_write(out, value, n);
}

/* Look at the lengths. */
static void estimate_plain(struct job *job)
{
	uint32_t min = UINT32_MAX, max = 0;
	size_t block = 0;

	for (uint32_t i = 0; i < job->n; i++) {
		uint32_t len = job->value[i].len;

		if (i % COLUMN_BLOCK == 0)
			block = 0;
		block += len;
		job->bytes += len;
		job->block_bytes = block > job->block_bytes ? block : job->block_bytes;
		min = len < min ? len : min;
		max = len > max ? len : max;
	}
	job->estimate[STRINGS_PLAIN] =
		job->bytes + bits_size(bits_width(max - min), 8) * job->n / 8;
}

/* Bytes that the end of a string takes, behind what it is expected to share with the one before it. */
static double estimate_suffix(const struct symbols_encoder *encoder, struct str text, double shared)
{
	constexpr uint32_t LEN_MAX = 256;
	uint8_t code[2 * LEN_MAX];
	auto skip = (uint32_t)shared;

	if (skip >= text.len)
		return 0.3;
	struct str suffix = { text.at + skip, text.len - skip };
	if (!encoder)
		return suffix.len;
	suffix.len = suffix.len < LEN_MAX ? suffix.len : LEN_MAX;
	auto codes = (double)symbols_encode(encoder, suffix, code);
	return codes * (text.len - skip) / suffix.len;
}

/*
 * What dictionary entries take: what each does not share with the one before, by symbols. How much that is
 * is seen in a sorted sample; among more strings neighbours share more, by a byte for about twelve times as many.
 */
static int estimate_entries(const struct distinct *distinct, const struct symbols_encoder *encoder,
			    double *ret)
{
	uint32_t step = distinct->n / SORTED_SAMPLE + 1, count = 0;
	struct str sample[SORTED_SAMPLE];
	uint32_t rank[SORTED_SAMPLE];
	double bytes = 0;
	int r;

	for (uint32_t i = 0; i < distinct->n; i += step)
		sample[count++] = distinct->string[i];
	r = distinct_sort(sample, count, rank);
	if (r < 0)
		return r;
	double more = log((double)distinct->n / count) / log(12);
	for (uint32_t i = 0; i < count; i++) {
		double shared = i > 0 ? strings_shared(sample[i - 1], sample[i]) : 0;

		bytes += estimate_suffix(encoder, sample[i], shared + more);
	}
	*ret = bytes / count + 0.75;
	return 0;
}

static int estimate_dictionary(struct job *job)
{
	double entry;

	int r;

	/* Nearly all strings different: codes would save no work, and reading a few strings would mean decoding all. */
	if (job->distinct.n == 0 || job->distinct.n > job->n - job->n / 8 ||
	    job->distinct.bytes > STRINGS_ROOM_MAX)
		return 0;
	r = estimate_entries(&job->distinct, job->encoder, &entry);
	if (r < 0)
		return r;
	uint32_t width = bits_width(job->distinct.n - 1);
	double size = width / 8.0 * job->n + entry * job->distinct.n + 64;
	/* The more rows an entry has, the more work codes save: up to half of the bytes are worth it. */
	double worth = 0.5 + 0.5 * job->distinct.n / job->n;
	job->estimate[STRINGS_DICTIONARY] = (size_t)(worth * size);
	return 0;
}

static int estimate_symbols(struct job *job)
{
	int r;

	if (job->bytes < SYMBOLS_BYTES_MIN)
		return 0;
	r = symbols_train(job->value, job->n, &job->encoder);
	if (r < 0)
		return r;
	job->estimate[STRINGS_SYMBOLS] =
		(size_t)(symbols_ratio(job->encoder) * (double)job->bytes) + job->n / 2 + 1024;
	return 0;
}

/* The cheap ways to know first; what is clearly best ends the search. */
static int make_estimates(struct job *job)
{
	int r;

	for (size_t i = 0; i < countof(job->estimate); i++)
		job->estimate[i] = SIZE_MAX;
	r = distinct_find(job->value, job->n, &job->distinct);
	if (r < 0)
		return r;
	estimate_plain(job);
	if (job->block_bytes > BLOCK_BYTES_MAX ||
	    (job->distinct.n > 0 && job->distinct.n <= job->n / ROWS_PER_STRING))
		return estimate_dictionary(job);
	if (time_fits(job->value, job->n, job->step)) {
		job->estimate[STRINGS_TIME] = 0;
		return 0;
	}
	job->estimate[STRINGS_HEX] = hex_estimate(job->value, job->n, job->step);
	r = words_estimate(job->value, job->n, job->step, &job->estimate[STRINGS_WORDS]);
	if (r < 0)
		return r;
	if (job->estimate[STRINGS_WORDS] == SIZE_MAX && job->estimate[STRINGS_HEX] == SIZE_MAX)
		r = estimate_symbols(job);
	return r < 0 ? r : estimate_dictionary(job);
}

/* Write in an encoding. Returns 0, 1 if the strings turn out not to fit it, or -ENOMEM. */
static int write_as(struct buf *out, struct job *job, enum strings_encoding encoding)
{
	switch (encoding) {
	case STRINGS_DICTIONARY:
		return dictionary_write(out, &job->distinct, job->n);
	case STRINGS_HEX:
		return hex_write(out, job->value, job->n, job->step);
	case STRINGS_WORDS:
		return words_write(out, job->value, job->n);
	case STRINGS_TIME:
		return time_write(out, job->value, job->n, job->step);
	case STRINGS_SYMBOLS:
		return symbols_column_write(out, job->value, job->n, job->encoder);
	case STRINGS_PLAIN:
	case STRINGS_ENCODING_COUNT:
		break;
	}
	return write_plain(out, job->value, job->n);
}

static enum strings_encoding cheapest(const struct job *job)
{
	enum strings_encoding best = STRINGS_PLAIN;

	for (uint32_t e = 0; e < STRINGS_ENCODING_COUNT; e++) {
		if (job->estimate[e] < job->estimate[best])
			best = (enum strings_encoding)e;
	}
	return best;
}

int strings_write(struct buf *out, const struct str *value, uint32_t n, enum strings_effort effort)
{
	cleanup(job_done) struct job job = { .value = value, .n = n, .step = n / SAMPLE + 1 };
	int r;

	if (effort == STRINGS_FAST || n == 0)
		return write_plain(out, value, n);
	r = make_estimates(&job);
	while (r >= 0) {
		enum strings_encoding encoding = cheapest(&job);

		r = write_as(out, &job, encoding);
		if (r != 1)
			break;
		job.estimate[encoding] = SIZE_MAX;
		r = job.encoder ? 0 : estimate_symbols(&job);
	}
	return r;
}
