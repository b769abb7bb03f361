/* SPDX-License-Identifier: Apache-2.0 */
#include "service/vector/rows.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void rows_init(struct rows *rows, uint32_t width, struct budget *budget)
{
	*rows = (struct rows) { .width = width, .room = { .budget = budget } };
}

void rows_done(struct rows *rows)
{
	budget_give(rows->room.budget, rows->size * rows->width * sizeof(*rows->at));
	free(rows->at);
	pile_done(&rows->room);
	rows->at = nullptr;
	rows->n = rows->size = 0;
}

int rows_reserve(struct rows *rows, size_t n)
{
	if (n <= rows->size)
		return 0;
	size_t grow = (n - rows->size) * rows->width * sizeof(*rows->at);
	int r = budget_take(rows->room.budget, grow);
	if (r)
		return r;
	struct slim *grown =
		reallocarray(rows->at, n * (rows->width ? rows->width : 1), sizeof(*grown));
	if (!grown) {
		budget_give(rows->room.budget, grow);
		return -ENOMEM;
	}
	rows->at = grown;
	rows->size = n;
	return 0;
}

static int reserve(struct rows *rows, size_t more)
{
	size_t size = rows->size ? rows->size : 64;

	while (size < rows->n + more)
		size *= 2;
	return rows->n + more <= rows->size ? 0 : rows_reserve(rows, size);
}

void rows_clear(struct rows *rows)
{
	rows->n = 0;
	pile_clear(&rows->room);
}

/* Put one column's entries into their places. */
static int add_column(struct rows *rows, const struct vector *column, const struct set *selection,
		      struct slim *at)
{
	struct cell cell;
	uint32_t i;

	SET_EACH(selection, i)
	{
		vector_cell(column, i, &cell);
		if (cell.kind >= KIND_STRING && !(KINDS_INTS >> cell.kind & 1)) {
			int r = pile_copy(&rows->room, &cell.s);

			if (r)
				return r;
		}
		*at = slim_of(&cell);
		at += rows->width;
	}
	return 0;
}

int rows_add(struct rows *rows, const struct vector *const *column, const struct set *selection)
{
	uint32_t n = set_count(selection);
	int r = reserve(rows, n);

	for (uint32_t c = 0; c < rows->width && r == 0; c++)
		r = add_column(rows, column[c], selection, rows->at + rows->n * rows->width + c);
	if (r == 0)
		rows->n += n;
	return r;
}

int rows_pick(struct rows *rows, const struct rows *from, const uint32_t *list, size_t n)
{
	int r = reserve(rows, n);

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct slim *row = from->at + (list ? list[i] : i) * from->width;

		for (uint32_t c = 0; c < rows->width && r == 0; c++) {
			struct slim slim = row[c];
			struct cell cell;

			slim_cell(&slim, &cell);
			if (cell.kind >= KIND_STRING && !(KINDS_INTS >> cell.kind & 1)) {
				r = pile_copy(&rows->room, &cell.s);
				slim = slim_of(&cell);
			}
			rows->at[rows->n * rows->width + c] = slim;
		}
		rows->n += r == 0;
	}
	return r;
}

int rows_add_cells(struct rows *rows, const struct cell *cell)
{
	int r = reserve(rows, 1);

	for (uint32_t c = 0; c < rows->width && r == 0; c++) {
		struct slim slim = slim_of(&cell[c]);

		if (slim_has_string(&slim)) {
			struct cell copy = cell[c];

			r = pile_copy(&rows->room, &copy.s);
			slim = slim_of(&copy);
		}
		rows->at[rows->n * rows->width + c] = slim;
	}
	rows->n += r == 0;
	return r;
}

int rows_add_slims(struct rows *rows, const struct slim *row)
{
	int r = reserve(rows, 1);

	for (uint32_t c = 0; c < rows->width && r == 0; c++) {
		struct slim slim = row[c];

		if (slim_has_string(&slim)) {
			struct cell copy;

			slim_cell(&slim, &copy);
			r = pile_copy(&rows->room, &copy.s);
			slim = slim_of(&copy);
		}
		rows->at[rows->n * rows->width + c] = slim;
	}
	rows->n += r == 0;
	return r;
}

size_t rows_bytes(const struct rows *rows)
{
	return rows->size * rows->width * sizeof(*rows->at) + rows->room.size;
}
