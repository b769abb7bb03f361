/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/split.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/vector/packed_row.h"

constexpr uint32_t PARTS_MIN = 2;
constexpr uint32_t PARTS_MAX = 64;
constexpr size_t ROW_BYTES = 32;      /* of a table's row beside its values: hash, chains, slots */
constexpr uint32_t LOOK_EVERY = 4096; /* rows between two looks at the clock */

/* Rows of the inner side that are in memory together. */
struct piece {
	uint32_t at; /* part of the spill */
	size_t rows, bytes;
};

struct pieces {
	struct piece *piece; /* [n] */
	uint32_t n, size;
};

struct split {
	struct exec_query *query;
	uint32_t width;
	size_t room; /* bytes of a piece in memory */
	uint32_t parts, shift;
	pthread_mutex_t lock;  /* of pieces while rows are added */
	struct pieces *pieces; /* [parts] */
	struct spill *inner;
	/* The outer side. */
	uint32_t *field; /* [n_fields] that are kept */
	uint32_t n_fields;
	uint32_t *column; /* [of the plan's fields] */
	uint32_t morsels, slices;
	struct spill *outer;	/* part p of slice s is s * parts + p */
	_Atomic uint32_t *rows; /* [slices * parts] */
	_Atomic uint32_t *fed;	/* [slices] morsels that bring no more */
	bool complete;
	uint32_t part;	  /* that has its turn; SPLIT_NONE: none has */
	uint64_t **marks; /* [slices] of that part; or nullptr */
};

int split_new(struct exec_query *query, uint32_t width, size_t room, struct split **ret)
{
	cleanup(split_free_at) struct split *split = calloc(1, sizeof(*split));
	size_t parts = room / 8 / SPILL_BUFFER;

	if (!split)
		return -ENOMEM;
	pthread_mutex_init(&split->lock, nullptr);
	split->query = query;
	split->width = width;
	split->room = room / 6;
	split->part = SPLIT_NONE;
	split->parts = parts < PARTS_MIN   ? PARTS_MIN
		       : parts > PARTS_MAX ? PARTS_MAX
					   : (uint32_t)stdc_bit_floor(parts);
	split->shift = 64 - (uint32_t)stdc_trailing_zeros(split->parts);
	split->pieces = calloc(split->parts, sizeof(*split->pieces));
	if (!split->pieces)
		return -ENOMEM;
	if (!query->exec->spill_folder)
		return -EDQUOT;
	int r = spill_new(query->exec->spill_folder, 0, &query->budget, &split->inner);
	if (r)
		return r;
	*ret = TAKE(split);
	return 0;
}

static void free_marks(struct split *split)
{
	for (uint32_t i = 0; split->marks && i < split->slices; i++)
		free(split->marks[i]);
	free(split->marks);
	split->marks = nullptr;
}

struct split *split_free(struct split *split)
{
	if (!split)
		return nullptr;
	for (uint32_t p = 0; split->pieces && p < split->parts; p++)
		free(split->pieces[p].piece);
	free(split->pieces);
	spill_free(split->inner);
	spill_free(split->outer);
	free_marks(split);
	free(split->field);
	free(split->column);
	free((void *)(uintptr_t)split->rows);
	free((void *)(uintptr_t)split->fed);
	pthread_mutex_destroy(&split->lock);
	free(split);
	return nullptr;
}

/* --- the inner side ------------------------------------------------------------------------------ */

/* Begin a part's next piece. */
static int add_piece(struct split *split, struct pieces *pieces)
{
	struct piece new = {};

	if (pieces->n == pieces->size) {
		uint32_t size = pieces->size ? 2 * pieces->size : 4;
		struct piece *grown = reallocarray(pieces->piece, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		pieces->piece = grown;
		pieces->size = size;
	}
	int r = spill_part(split->inner, &new.at);
	if (r == 0)
		pieces->piece[pieces->n++] = new;
	return r;
}

/* The piece that a part's next row, of so many bytes, goes to; *ret_full is one that is complete with that, or SPLIT_NONE. */
static int piece_for(struct split *split, uint32_t part, size_t bytes, uint32_t *ret_at,
		     uint32_t *ret_full)
{
	struct pieces *pieces = &split->pieces[part];
	const struct piece *last = pieces->n > 0 ? &pieces->piece[pieces->n - 1] : nullptr;

	*ret_full = SPLIT_NONE;
	if (!last || last->bytes + bytes > split->room) {
		uint32_t full = last ? last->at : SPLIT_NONE;
		int r = add_piece(split, pieces);

		if (r)
			return r;
		*ret_full = full;
	}
	struct piece *piece = &pieces->piece[pieces->n - 1];
	piece->rows++;
	piece->bytes += bytes;
	*ret_at = piece->at;
	return 0;
}

/* What a row takes in a table. */
static size_t bytes_of(const struct slim *row, uint32_t width)
{
	size_t bytes = ROW_BYTES + width * sizeof(*row);

	for (uint32_t i = 0; i < width; i++)
		if (slim_has_string(&row[i]))
			bytes += (row[i].len + 7u) & ~(size_t)7;
	return bytes;
}

int split_add(struct split *split, const struct slim *row, struct buf *piece)
{
	struct cell key;
	uint32_t at, full;

	slim_cell(&row[0], &key);
	buf_clear(piece);
	for (uint32_t i = 0; i < split->width; i++)
		packed_row_put(piece, &row[i]);
	if (buf_error(piece))
		return buf_error(piece) == -EMSGSIZE ? -EDQUOT : buf_error(piece);
	pthread_mutex_lock(&split->lock);
	int r = piece_for(split, split_part(split, &key), bytes_of(row, split->width), &at, &full);
	pthread_mutex_unlock(&split->lock);
	if (r == 0 && full != SPLIT_NONE)
		r = spill_flush(split->inner, full);
	return r ? r : spill_add(split->inner, at, piece->data, piece->len);
}

int split_end(struct split *split)
{
	int r = spill_end(split->inner);

	atomic_fetch_add(&split->query->spilled, spill_bytes(split->inner));
	return r;
}

uint32_t split_parts(const struct split *split)
{
	return split->parts;
}

uint32_t split_pieces(const struct split *split, uint32_t part)
{
	return split->pieces[part].n;
}

int split_read(struct split *split, uint32_t part, uint32_t number, struct rows *to)
{
	const struct piece *piece = &split->pieces[part].piece[number];
	cleanup(spill_reader_done) struct spill_reader reader = {};
	auto_free struct slim *row = calloc(split->width, sizeof(*row));
	uint8_t *data;
	size_t len;
	int r = row ? rows_reserve(to, piece->rows) : -ENOMEM;

	spill_reader_init(&reader, split->inner, piece->at, &split->query->budget);
	while (r == 0) {
		r = spill_next(&reader, &data, &len);
		if (r == 0 && !packed_row_get(data, len, row, split->width))
			r = -EBADMSG;
		r = r ? r : rows_add_slims(to, row);
		if (r == 0 && to->n % LOOK_EVERY == 0)
			r = query_check(split->query);
	}
	return r == SPILL_NO_MORE ? 0 : r;
}

/* --- the outer side ------------------------------------------------------------------------------ */

/* Which fields have to be kept. */
static int choose_fields(struct split *split, const struct prepared *prepared, uint32_t stage)
{
	uint32_t n = prepared->n_fields;
	auto_free bool *needed = calloc(n + 1, sizeof(*needed));

	split->field = calloc(n + 1, sizeof(*split->field));
	split->column = calloc(n + 1, sizeof(*split->column));
	if (!needed || !split->field || !split->column)
		return -ENOMEM;
	prepared_needed(prepared, stage, needed);
	for (uint32_t i = 0; i < n; i++) {
		split->column[i] = SPLIT_NONE;
		if (!needed[i] || prepared_stage(prepared, &prepared->field[i]) >= stage)
			continue;
		split->column[i] = split->n_fields;
		split->field[split->n_fields++] = i;
	}
	return 0;
}

int split_begin(struct split *split, const struct prepared *prepared, uint32_t stage,
		uint32_t morsels)
{
	int r = choose_fields(split, prepared, stage);

	if (r)
		return r;
	split->morsels = morsels;
	split->slices = morsels / split->parts + (morsels % split->parts != 0);
	split->rows = calloc((size_t)split->slices * split->parts + 1, sizeof(*split->rows));
	split->fed = calloc(split->slices + 1, sizeof(*split->fed));
	if (!split->rows || !split->fed)
		return -ENOMEM;
	return spill_new(split->query->exec->spill_folder, split->slices * split->parts,
			 &split->query->budget, &split->outer);
}

const uint32_t *split_fields(const struct split *split, uint32_t *ret_n)
{
	*ret_n = split->n_fields;
	return split->field;
}

uint32_t split_column(const struct split *split, uint32_t field)
{
	return split->column[field];
}

uint32_t split_part(const struct split *split, const struct cell *key)
{
	struct cell same = cell_join_key(key);

	return (uint32_t)(cell_hash(split->query->exec->key, &same) >> split->shift);
}

int split_divert(struct split *split, uint32_t morsel, uint32_t part, const struct buf *row)
{
	uint32_t at = morsel / split->parts * split->parts + part;

	if (atomic_fetch_add_explicit(&split->rows[at], 1, memory_order_relaxed) == UINT32_MAX)
		return -EDQUOT;
	return spill_add(split->outer, at, row->data, row->len);
}

int split_fed(struct split *split, uint32_t morsel)
{
	uint32_t slice = morsel / split->parts, first = slice * split->parts;
	uint32_t left = split->morsels - first;
	uint32_t n = left < split->parts ? left : split->parts;
	int r = 0;

	if (atomic_fetch_add(&split->fed[slice], 1) + 1 < n)
		return 0;
	for (uint32_t p = 0; p < split->parts && r == 0; p++)
		r = spill_flush(split->outer, first + p);
	return r;
}

uint32_t split_slices(const struct split *split)
{
	return split->slices;
}

int split_turn(struct split *split, uint32_t part, bool mark)
{
	int r = split->complete ? 0 : spill_end(split->outer);

	if (r)
		return r;
	if (!split->complete)
		atomic_fetch_add(&split->query->spilled, spill_bytes(split->outer));
	split->complete = true;
	if (split->part == part)
		return 0;
	free_marks(split);
	split->part = part;
	if (!mark)
		return 0;
	split->marks = calloc(split->slices + 1, sizeof(uint64_t *));
	for (uint32_t i = 0; split->marks && i < split->slices; i++) {
		size_t rows = split->rows[i * split->parts + part];

		split->marks[i] = calloc(rows / 64 + 1, sizeof(uint64_t));
		if (!split->marks[i])
			return -ENOMEM;
	}
	return split->marks ? 0 : -ENOMEM;
}

void split_reader(struct split *split, uint32_t slice, struct spill_reader *ret)
{
	spill_reader_init(ret, split->outer, slice * split->parts + split->part,
			  &split->query->budget);
}

uint64_t *split_marks(struct split *split, uint32_t slice)
{
	return split->marks ? split->marks[slice] : nullptr;
}
