/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/hash.h"
#include "service/column/kernel.h"
#include "service/column/symbols.h"

constexpr size_t SAMPLE_BYTES = 16'384;
constexpr uint32_t STRING_BYTES_MAX = 256; /* of one string in the sample */
constexpr int ROUNDS = 5;
constexpr uint32_t TOKENS = 512;	  /* symbols, and from 256 on bytes that have none */
constexpr uint32_t CANDIDATES = 1u << 14; /* slots */
constexpr uint32_t PROBES = 8;

struct symbol {
	uint64_t value;
	uint32_t len;
	uint32_t gain;
};

/* Symbols of two bytes and more are found by their first two, longest first; those of one by themselves. */
struct symbols_encoder {
	struct symbol symbol[SYMBOLS_MAX];
	uint32_t n;
	double ratio;
	uint8_t one[256];	 /* code, or the escape */
	uint8_t first[1u << 16]; /* the first symbol that begins with two bytes … */
	uint8_t count[1u << 16]; /* … and how many do */
};

/* What training needs beside the table. */
struct trainer {
	struct symbols_encoder *encoder;
	uint32_t single[TOKENS];
	uint16_t pair[TOKENS][TOKENS];
	struct symbol candidate[CANDIDATES];
	uint32_t n;
	struct str sample[SAMPLE_BYTES];
};

struct symbols_encoder *symbols_free(struct symbols_encoder *encoder)
{
	free(encoder);
	return nullptr;
}

double symbols_ratio(const struct symbols_encoder *encoder)
{
	return encoder->ratio;
}

void symbols_write(const struct symbols_encoder *encoder, struct buf *out)
{
	write_u8(out, (uint8_t)encoder->n);
	for (uint32_t i = 0; i < encoder->n; i++)
		write_u8(out, (uint8_t)encoder->symbol[i].len);
	for (uint32_t i = 0; i < encoder->n; i++)
		buf_add(out, &encoder->symbol[i].value, encoder->symbol[i].len);
}

/* The first len bytes of a word, 1 to 8. */
static inline uint64_t head_of(uint64_t word, uint32_t len)
{
	return word & UINT64_MAX >> (64 - 8 * len);
}

/* The code of the longest symbol that a text begins with, or the escape. *ret_len: its bytes, or 1. */
static inline uint8_t match(const struct symbols_encoder *encoder, const char *at, size_t left,
			    uint32_t *ret_len)
{
	uint64_t word =
		left >= 8 ? kernel_load64(at) : kernel_load((const uint8_t *)at, (uint32_t)left);
	auto two = (uint16_t)word;

	for (uint32_t i = encoder->first[two], k = 0; k < encoder->count[two]; i++, k++) {
		const struct symbol *symbol = &encoder->symbol[i];

		if (symbol->len <= left && head_of(word, symbol->len) == symbol->value) {
			*ret_len = symbol->len;
			return (uint8_t)i;
		}
	}
	*ret_len = 1;
	return encoder->one[(uint8_t)word];
}

size_t symbols_encode(const struct symbols_encoder *encoder, struct str text, uint8_t *to)
{
	uint8_t *from = to;
	uint32_t len;

	for (size_t at = 0; at < text.len; at += len) {
		*to++ = match(encoder, text.at + at, text.len - at, &len);
		if (to[-1] == SYMBOLS_ESCAPE)
			*to++ = (uint8_t)text.at[at];
	}
	return (size_t)(to - from);
}

static int compare_places(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;
	uint16_t first = __builtin_bswap16((uint16_t)a->value);
	uint16_t second = __builtin_bswap16((uint16_t)b->value);

	if (first != second)
		return first < second ? -1 : 1;
	if (a->len != b->len)
		return a->len > b->len ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

/* Make the symbols findable. */
static void index_symbols(struct symbols_encoder *encoder)
{
	qsort(encoder->symbol, encoder->n, sizeof(*encoder->symbol), compare_places);
	memset(encoder->one, SYMBOLS_ESCAPE, sizeof(encoder->one));
	memset(encoder->count, 0, sizeof(encoder->count));
	for (uint32_t i = encoder->n; i-- > 0;) {
		auto two = (uint16_t)encoder->symbol[i].value;

		if (encoder->symbol[i].len == 1) {
			encoder->one[(uint8_t)two] = (uint8_t)i;
			continue;
		}
		encoder->first[two] = (uint8_t)i;
		encoder->count[two]++;
	}
}

/* Count the tokens of the sample under the present table, and which follow which. */
static void count_tokens(struct trainer *trainer)
{
	const struct symbols_encoder *encoder = trainer->encoder;

	memset(trainer->single, 0, sizeof(trainer->single));
	memset(trainer->pair, 0, sizeof(trainer->pair));
	for (uint32_t s = 0; s < trainer->n; s++) {
		struct str text = trainer->sample[s];
		uint32_t last = TOKENS, len;

		for (size_t at = 0; at < text.len; at += len) {
			uint32_t token = match(encoder, text.at + at, text.len - at, &len);

			if (token == SYMBOLS_ESCAPE)
				token = 256 + (uint8_t)text.at[at];
			trainer->single[token]++;
			if (last < TOKENS)
				trainer->pair[last][token]++;
			last = token;
		}
	}
}

static struct symbol token_symbol(const struct symbols_encoder *encoder, uint32_t token)
{
	if (token >= 256)
		return (struct symbol) { .value = token - 256, .len = 1 };
	return encoder->symbol[token];
}

/* Add gain to a candidate. One that finds no place in the table is left out. */
static void add_candidate(struct trainer *trainer, struct symbol symbol, uint32_t gain)
{
	auto place = (uint32_t)hash_stable_int((int64_t)(symbol.value + symbol.len));

	for (uint32_t probe = 0; probe < PROBES; probe++) {
		struct symbol *slot = &trainer->candidate[(place + probe) % CANDIDATES];

		if (slot->len == 0)
			*slot = (struct symbol) { symbol.value, symbol.len, 0 };
		if (slot->value == symbol.value && slot->len == symbol.len) {
			slot->gain += gain;
			return;
		}
	}
}

static void add_pairs(struct trainer *trainer, uint32_t first)
{
	struct symbol one = token_symbol(trainer->encoder, first);

	for (uint32_t second = 0; second < TOKENS; second++) {
		uint32_t times = trainer->pair[first][second];

		if (times < 2)
			continue;
		struct symbol other = token_symbol(trainer->encoder, second);
		if (one.len + other.len > SYMBOL_LEN_MAX)
			continue;
		one.value |= other.value << 8 * one.len;
		one.len += other.len;
		add_candidate(trainer, one, times * one.len);
		one = token_symbol(trainer->encoder, first);
	}
}

static int compare_gains(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->gain != b->gain)
		return a->gain > b->gain ? -1 : 1;
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

/* The next table: of the present symbols and of what follows them, those that save most. */
static void choose_symbols(struct trainer *trainer)
{
	struct symbols_encoder *encoder = trainer->encoder;
	uint32_t n = 0;

	memset(trainer->candidate, 0, sizeof(trainer->candidate));
	for (uint32_t token = 0; token < TOKENS; token++) {
		struct symbol symbol = {};

		if (trainer->single[token] == 0)
			continue;
		symbol = token_symbol(encoder, token);
		/* A byte of its own costs two codes without a symbol, so it saves more than its length. */
		uint32_t worth = symbol.len == 1 ? 8 : symbol.len;
		add_candidate(trainer, symbol, trainer->single[token] * worth);
		add_pairs(trainer, token);
	}
	for (uint32_t i = 0; i < CANDIDATES; i++) {
		if (trainer->candidate[i].len > 0)
			trainer->candidate[n++] = trainer->candidate[i];
	}
	qsort(trainer->candidate, n, sizeof(*trainer->candidate), compare_gains);
	encoder->n = n < SYMBOLS_MAX ? n : SYMBOLS_MAX;
	memcpy(encoder->symbol, trainer->candidate, encoder->n * sizeof(*encoder->symbol));
	index_symbols(encoder);
}

/* Take strings from all over the column, until there are enough bytes. */
static void take_sample(struct trainer *trainer, const struct str *value, uint32_t n)
{
	size_t bytes = 0, all = 0;

	for (uint32_t i = 0; i < n; i++)
		all += value[i].len < STRING_BYTES_MAX ? value[i].len : STRING_BYTES_MAX;
	auto step = (uint32_t)(all / SAMPLE_BYTES) + 1;
	for (uint32_t i = 0; i < n && bytes < SAMPLE_BYTES; i += step) {
		struct str text = value[i];

		text.len = text.len < STRING_BYTES_MAX ? text.len : STRING_BYTES_MAX;
		if (text.len == 0)
			continue;
		trainer->sample[trainer->n++] = text;
		bytes += text.len;
	}
}

static double measure(const struct trainer *trainer)
{
	uint8_t code[2 * STRING_BYTES_MAX];
	size_t from = 0, to = 0;

	for (uint32_t s = 0; s < trainer->n; s++) {
		from += trainer->sample[s].len;
		to += symbols_encode(trainer->encoder, trainer->sample[s], code);
	}
	return from > 0 ? (double)to / (double)from : 2;
}

int symbols_train(const struct str *value, uint32_t n, struct symbols_encoder **ret)
{
	cleanup(symbols_free_at) struct symbols_encoder *encoder = calloc(1, sizeof(*encoder));
	auto_free struct trainer *trainer = calloc(1, sizeof(*trainer));

	if (!encoder || !trainer)
		return -ENOMEM;
	trainer->encoder = encoder;
	index_symbols(encoder);
	take_sample(trainer, value, n);
	for (int round = 0; round < ROUNDS; round++) {
		count_tokens(trainer);
		choose_symbols(trainer);
	}
	encoder->ratio = measure(trainer);
	*ret = TAKE(encoder);
	return 0;
}
