/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/chunk_key.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"

/* The first byte of a value; to the last the kind is added. */
enum class : uint8_t {
	CLASS_NULL = 1,
	CLASS_NUMBER,
	CLASS_STRING,
	CLASS_OTHER,
};

constexpr uint64_t SIGN = UINT64_C(1) << 63;

struct key {
	uint8_t byte[CHUNK_KEY_BYTES];
	uint32_t len;
};

/* The keys of a block's rows as they grow, and one column's block. */
struct keys {
	struct key key[COLUMN_BLOCK];
	uint8_t kind[COLUMN_BLOCK];
	int64_t number[COLUMN_BLOCK];
	double real[COLUMN_BLOCK];
	struct str text[COLUMN_BLOCK];
	struct strings_room room;
	struct column column[CHUNK_KEY_FIELDS]; /* [n]; without a chunk: there is no such column */
	uint32_t n;
};

static void keys_done(struct keys **keys)
{
	if (!*keys)
		return;
	for (uint32_t i = 0; i < (*keys)->n; i++)
		column_close(&(*keys)->column[i]);
	strings_room_done(&(*keys)->room);
	free(*keys);
}

static void put_byte(struct key *key, uint8_t byte)
{
	if (key->len < CHUNK_KEY_BYTES)
		key->byte[key->len++] = byte;
}

/* The lowest n bytes of a number, the highest of them first. */
static void put_word(struct key *key, uint64_t word, uint32_t n)
{
	while (n-- > 0)
		put_byte(key, (uint8_t)(word >> 8 * n));
}

/* A float's bits so that they grow with it; both zeros are the same. */
static uint64_t ascending_bits(double f)
{
	double plain = f + 0.0;
	uint64_t bits;

	memcpy(&bits, &plain, sizeof(bits));
	return bits & SIGN ? ~bits : bits | SIGN;
}

/* A number: the nearest float, and how far an int is from that, which is less than 2^10. */
static void put_number(struct key *key, double f, bool is_int, int64_t i)
{
	uint64_t rest = 0;

	if (is_int)
		rest = (uint64_t)i - (f >= 0x1p63 ? SIGN : (uint64_t)(int64_t)f);
	put_byte(key, CLASS_NUMBER);
	put_word(key, ascending_bits(f), 8);
	put_word(key, rest + 0x8000, 2);
}

/* Bytes, with an end that sorts before all that could follow. */
static void put_text(struct key *key, const struct str *text)
{
	for (uint32_t i = 0; i < text->len && key->len < CHUNK_KEY_BYTES; i++) {
		put_byte(key, (uint8_t)text->at[i]);
		if (text->at[i] == '\0')
			put_byte(key, 0xff);
	}
	put_word(key, 0, 2);
}

static void put_value(struct keys *keys, uint32_t i)
{
	struct key *key = &keys->key[i];
	uint8_t kind = keys->kind[i];

	if (kind <= KIND_NULL || (kind == KIND_FLOAT && isnan(keys->real[i]))) {
		put_byte(key, CLASS_NULL);
	} else if (kind == KIND_INT) {
		put_number(key, (double)keys->number[i], true, keys->number[i]);
	} else if (kind == KIND_FLOAT) {
		put_number(key, keys->real[i], false, 0);
	} else if (kind == KIND_STRING) {
		put_byte(key, CLASS_STRING);
		put_text(key, &keys->text[i]);
	} else { /* kinds have the order of the packed values' tags */
		put_byte(key, (uint8_t)(CLASS_OTHER + kind));
		if (KINDS_INTS >> kind & 1)
			put_word(key, (uint64_t)keys->number[i] ^ SIGN, 8);
		if (kind == KIND_BYTES)
			put_text(key, &keys->text[i]);
	}
}

/* Decode a block of a column; entries of another kind than a lane's hold anything, and so may their lane. */
static int decode(struct keys *keys, const struct column *column, uint32_t block)
{
	column_kinds(column, block, keys->kind);
	if (column->about->kinds & KINDS_INTS)
		column_ints(column, block, keys->number);
	if (column->about->kinds & 1u << KIND_FLOAT)
		column_floats(column, block, keys->real);
	if (column->about->kinds & KINDS_TEXTS)
		return column_strings(column, block, &keys->room, keys->text);
	return 0;
}

/* Add a field's values to the keys of a block's rows. */
static int put_column(struct keys *keys, const struct column *column, uint32_t block, uint32_t rows)
{
	int r = 0;

	if (column->chunk)
		r = decode(keys, column, block);
	else
		memset(keys->kind, KIND_MISSING, rows);
	for (uint32_t i = 0; r == 0 && i < rows; i++) {
		bool odd = keys->kind[i] != KIND_MISSING &&
			   !(column->about->kinds & 1u << keys->kind[i]);

		if (odd) /* its lane has not been read */
			return -EBADMSG;
		put_value(keys, i);
	}
	return r;
}

/* The column at the end of path[len], or CHUNK_NONE. */
static uint32_t find_path(const struct chunk *chunk, const char *path, size_t len)
{
	uint32_t at = 0;

	for (size_t from = 0; from <= len && at != CHUNK_NONE;) {
		const char *dot = memchr(path + from, '.', len - from);
		size_t to = dot ? (size_t)(dot - path) : len;

		at = chunk_child(chunk, at, path + from, to - from);
		from = to + 1;
	}
	return at;
}

static int open_columns(struct keys *keys, struct chunk *chunk, const char *paths)
{
	int r = 0;

	for (bool more = true; r == 0 && more && keys->n < CHUNK_KEY_FIELDS;) {
		const char *end = strchrnul(paths, CHUNK_KEY_BETWEEN);
		uint32_t at = find_path(chunk, paths, (size_t)(end - paths));

		if (at != CHUNK_NONE)
			r = column_open(chunk, at, LANES_VALUES, &keys->column[keys->n]);
		keys->n++;
		more = *end != '\0';
		paths = end + 1;
	}
	return r;
}

static int each_block(struct keys *keys, uint32_t block, uint32_t rows, chunk_key_fn *fn,
		      void *userdata)
{
	int r = 0;

	memset(keys->key, 0, rows * sizeof(keys->key[0]));
	for (uint32_t i = 0; r == 0 && i < keys->n; i++)
		r = put_column(keys, &keys->column[i], block, rows);
	for (uint32_t i = 0; r == 0 && i < rows; i++)
		fn(userdata, block * COLUMN_BLOCK + i, keys->key[i].byte, keys->key[i].len);
	return r;
}

int chunk_key_each(struct chunk *chunk, const char *paths, chunk_key_fn *fn, void *userdata)
{
	cleanup(keys_done) struct keys *keys = calloc(1, sizeof(*keys));
	uint32_t rows = chunk_rows(chunk);
	int r = keys ? open_columns(keys, chunk, paths) : -ENOMEM;

	for (uint32_t b = 0; r == 0 && b < column_blocks(rows); b++) {
		uint32_t left = rows - b * COLUMN_BLOCK;

		r = each_block(keys, b, left < COLUMN_BLOCK ? left : COLUMN_BLOCK, fn, userdata);
	}
	return r > 0 ? -EBADMSG : r;
}
