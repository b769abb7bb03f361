/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/chunk_key.h"
#include "service/chunk/column.h"
#include "service/chunk/document.h"
#include "service/column/kind.h"
#include "service/column/spans.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small bytes may say that they are millions of equal values; a few of them tell. */
constexpr uint32_t BLOCKS = 8;
constexpr uint32_t ROWS = 200;
constexpr uint32_t ENTRIES = 1u << 16;
constexpr size_t OUT = 1u << 20;

static bool take(void *userdata, uint32_t entry)
{
	const struct column *column = userdata;

	if (entry >= column->about->n)
		abort();
	return true;
}

/* Whether single entries are what their block has. */
static void compare(const struct column *column, uint32_t block, const uint8_t *kind,
		    const int64_t *number, const uint32_t *end)
{
	for (uint32_t i = 0; i < COLUMN_BLOCK; i += 37) {
		uint32_t entry = block * COLUMN_BLOCK + i, from, to;

		if (entry >= column->about->n)
			return;
		if (column_kind(column, entry) != kind[i] || kind[i] >= KIND_COUNT)
			abort();
		if (1u << kind[i] & KINDS_INTS && column_int(column, entry) != number[i])
			abort();
		(void)column_float(column, entry);
		column_bounds(column, entry, &from, &to);
		if (from > to || to > column->elements || end[i] > end[i + 1])
			abort();
	}
}

static void read_column(struct chunk *chunk, uint32_t index)
{
	static struct str text[COLUMN_BLOCK];
	static int64_t number[COLUMN_BLOCK];
	static double real[COLUMN_BLOCK];
	static uint32_t end[COLUMN_BLOCK + 1];
	static uint8_t kind[COLUMN_BLOCK];
	cleanup(strings_room_done) struct strings_room room = {};
	struct column column;
	struct str one;

	if (column_open(chunk, index, (1u << LANE_COUNT) - 1, &column))
		return;
	for (uint32_t block = 0; block < column_blocks(column.about->n) && block < BLOCKS;
	     block++) {
		column_kinds(&column, block, kind);
		column_ints(&column, block, number);
		column_floats(&column, block, real);
		column_ends(&column, block, end);
		if (column_strings(&column, block, &room, text) == 0)
			for (size_t i = 0; i < COLUMN_BLOCK; i++)
				(void)column_may_have(
					&column,
					column_hash_text(KIND_STRING, text[i].at, text[i].len));
		compare(&column, block, kind, number, end);
		(void)!column_string(&column, block * COLUMN_BLOCK, &room, &one);
	}
	if (column.n < ENTRIES)
		(void)!column_find_text(&column, &room, "a", 1, take, &column);
	column_close(&column);
}

static void read_documents(struct chunk *chunk)
{
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf out = buf_make(OUT);

	if (document_reader_new(chunk, &reader))
		return;
	for (uint32_t i = 0; i < chunk_rows(chunk) && i < ROWS; i++)
		(void)!document_read(reader, 0, i, &out);
}

static void on_key(void *userdata, uint32_t row, const uint8_t *key, size_t len)
{
	uint32_t *next = userdata;

	if (row != (*next)++ || len == 0 || len > CHUNK_KEY_BYTES ||
	    (len < CHUNK_KEY_BYTES && key[CHUNK_KEY_BYTES - 1] != 0))
		abort();
}

/* Cluster by each of the first fields. */
static void read_keys(struct chunk *chunk)
{
	auto_buf struct buf paths = buf_make(OUT);
	uint32_t next = 0;

	for (uint32_t i = 1; i < chunk_columns(chunk) && i < 4 * CHUNK_KEY_FIELDS; i++) {
		const struct chunk_column *column = chunk_column(chunk, i);

		if (column->element || column->key.len == 0 ||
		    memchr(column->key.at, 0, column->key.len))
			continue;
		buf_add(&paths, column->key.at, column->key.len);
		buf_add(&paths, i % 2 ? &CHUNK_KEY_BETWEEN : ".", 1);
	}
	const char *text = buf_text(&paths);
	if (text && chunk_rows(chunk) <= BLOCKS * COLUMN_BLOCK &&
	    chunk_key_each(chunk, text, on_key, &next) == 0 && next != chunk_rows(chunk))
		abort();
}

/* Take the documents over and write them again; what is written must open. */
static void write_again(struct chunk *chunk)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(chunk_unref_at) struct chunk *again = nullptr;
	auto_buf struct buf out = buf_make(OUT << 6);

	for (uint32_t i = 0; i < chunk_columns(chunk); i++)
		if (chunk_column(chunk, i)->n > ENTRIES)
			return;
	if (builder_new(&builder))
		return;
	int r = builder_add_chunk(builder, chunk, nullptr, 0, ROWS);
	if (r || builder_pack(builder, &out))
		return;
	if (chunk_open(&out.data, out.len, &again))
		abort();
	for (uint32_t i = 0; i < chunk_columns(again); i++)
		read_column(again, i);
	read_documents(again);
}

/* Any bytes as a chunk: every column read, every document put together, all of it written again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	auto_free uint8_t *copy = malloc(size + !size);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (chunk_open(&copy, size, &chunk))
		return 0;
	for (uint32_t i = 0; i < chunk_columns(chunk); i++)
		read_column(chunk, i);
	read_documents(chunk);
	read_keys(chunk);
	write_again(chunk);
	return 0;
}
