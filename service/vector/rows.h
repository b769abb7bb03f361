/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * rows: rows of values kept in memory, 16 bytes a value and the bytes of its string.
 *
 * Layer 5 (service/vector). Belongs to one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "service/vector/cell.h"
#include "service/vector/pile.h"
#include "service/vector/vector.h"

/* A cell in 16 bytes. */
struct slim {
	uint64_t bits; /* KINDS_INTS: the int; FLOAT: its bits; with a string: its address */
	uint32_t len;
	enum kind kind;
};

struct rows {
	struct slim *at; /* [n * width] */
	size_t n, size;	 /* rows */
	uint32_t width;
	struct pile room; /* their strings */
};

/* No rows yet. budget may be nullptr. */
void rows_init(struct rows *rows, uint32_t width, struct budget *budget);

/* Free everything. */
void rows_done(struct rows *rows);

/* Append the selected entries of column[width]. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int rows_add(struct rows *rows, const struct vector *const *column,
			   const struct set *selection);

/* Append one row, cell[width]. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int rows_add_cells(struct rows *rows, const struct cell *cell);

/* Append one row, row[width]; strings are copied. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int rows_add_slims(struct rows *rows, const struct slim *row);

/* Have room for so many rows in all, not more. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int rows_reserve(struct rows *rows, size_t n);

/* Forget all rows, but keep the memory for what comes next. */
void rows_clear(struct rows *rows);

/* Bytes that its memory counts as. */
[[nodiscard]] size_t rows_bytes(const struct rows *rows);

/* Append n rows of another, those that list names or its first; strings are copied. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int rows_pick(struct rows *rows, const struct rows *from, const uint32_t *list,
			    size_t n);

/* A cell's slim form; the string is borrowed. */
static inline struct slim slim_of(const struct cell *cell)
{
	struct slim slim = { .bits = (uint64_t)cell->i, .kind = cell->kind };

	if (cell->kind == KIND_FLOAT)
		memcpy(&slim.bits, &cell->f, sizeof(slim.bits));
	else if (cell->kind > KIND_FLOAT && !(KINDS_INTS >> cell->kind & 1))
		slim = (struct slim) { (uint64_t)(uintptr_t)cell->s.at, cell->s.len, cell->kind };
	return slim;
}

/* Whether a slim has a string. */
static inline bool slim_has_string(const struct slim *slim)
{
	return slim->kind > KIND_FLOAT && !(KINDS_INTS >> slim->kind & 1);
}

/* The reverse. */
static inline void slim_cell(const struct slim *slim, struct cell *ret)
{
	*ret = (struct cell) { .kind = slim->kind };
	if (slim->kind == KIND_FLOAT)
		memcpy(&ret->f, &slim->bits, sizeof(ret->f));
	else if (KINDS_INTS >> slim->kind & 1)
		ret->i = (int64_t)slim->bits;
	else if (slim->kind > KIND_FLOAT)
		ret->s = (struct str) { (const char *)(uintptr_t)slim->bits, slim->len };
}
