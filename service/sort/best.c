/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sort/best.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/kernel.h"
#include "service/group/top.h"

constexpr size_t SLACK = 1024; /* rows beyond twice the limit before they are cut back */

struct best {
	const struct order_by *order;
	uint32_t n_order, width; /* without the position */
	size_t limit;
	struct rows rows; /* width columns and the position */
	bool full; /* it has been cut back: rows[0 … limit - 1] are sorted, worst is the last of them */
	struct cell worst;
	struct vector *position;
	const struct vector **column; /* [width + 1] */
	uint32_t *list;		      /* scratch for sorting */
	size_t list_size;
};

int best_new(const struct order_by *order, uint32_t n_order, uint32_t width, size_t limit,
	     struct budget *budget, struct best **ret)
{
	cleanup(best_free_at) struct best *best = calloc(1, sizeof(*best));

	if (!best)
		return -ENOMEM;
	best->order = order;
	best->n_order = n_order;
	best->width = width;
	best->limit = limit;
	rows_init(&best->rows, width + 1, budget);
	best->column = calloc(width + 1, sizeof(*best->column));
	int r = best->column ? vector_new(&best->position) : -ENOMEM;
	if (r)
		return r;
	*ret = TAKE(best);
	return 0;
}

struct best *best_free(struct best *best)
{
	if (!best)
		return nullptr;
	rows_done(&best->rows);
	vector_free(best->position);
	free(best->column);
	free(best->list);
	free(best);
	return nullptr;
}

/*
 * Entries of a lane that come before the worst. Soon a block has none, which whole words of the lane show faster than bytes
 * for each entry. Returns whether there are any; only then yes is set. A function for each direction: of two such loops in one
 * gcc vectorises only the first.
 */
#define LEAVE_LOOP(name, type, before)                                               \
	KERNEL static bool name(bool equal, const type *a, type c, uint8_t *yes)     \
	{                                                                            \
		int64_t out = 0; /* -1: there are any */                             \
                                                                                     \
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)                          \
			out |= -(int64_t)((a[i] before c) | (a[i] == c));            \
		for (uint32_t i = 0; out && i < COLUMN_BLOCK; i++)                   \
			yes[i] = (uint8_t)((a[i] before c) | (equal & (a[i] == c))); \
		return out != 0;                                                     \
	}
LEAVE_LOOP(leave_ints_below, int64_t, <)
LEAVE_LOOP(leave_ints_above, int64_t, >)
LEAVE_LOOP(leave_floats_below, double, <)
LEAVE_LOOP(leave_floats_above, double, >)

void best_leave(const struct best *best, const struct vector *first, struct set *selection)
{
	const struct order_by *order = &best->order[0];
	bool equal = best->n_order > 1, less = !order->descending;
	bool plain = first->uniform && !first->nulls && first->kind == best->worst.kind;
	uint8_t yes[COLUMN_BLOCK];
	bool any = true;
	uint32_t i;

	if (!best->full)
		return;
	if (plain && KINDS_INTS >> first->kind & 1) {
		any = (less ? leave_ints_below : leave_ints_above)(equal, first->ints,
								   best->worst.i, yes);
	} else if (plain && first->kind == KIND_FLOAT) {
		any = (less ? leave_floats_below : leave_floats_above)(equal, first->floats,
								       best->worst.f, yes);
	} else {
		struct order_by one = { 0, order->descending, order->nulls_last };

		memset(yes, 0, sizeof(yes));
		SET_EACH(selection, i)
		{
			struct cell cell;

			vector_cell(first, i, &cell);
			int r = top_compare(&one, 1, &cell, &best->worst);
			yes[i] = r < 0 || (equal && r == 0);
		}
	}
	struct set set = any ? set_from_bytes(yes) : (struct set) {};
	*selection = set_and(selection, &set);
}

static int by_order(const void *a, const void *b, void *userdata)
{
	const struct best *best = userdata;
	const struct slim *x = best->rows.at + (size_t)*(const uint32_t *)a * best->rows.width;
	const struct slim *y = best->rows.at + (size_t)*(const uint32_t *)b * best->rows.width;

	for (uint32_t i = 0; i < best->n_order; i++) {
		struct order_by one = { 0, best->order[i].descending, best->order[i].nulls_last };
		struct cell p, q;

		slim_cell(&x[best->order[i].column], &p);
		slim_cell(&y[best->order[i].column], &q);
		int r = top_compare(&one, 1, &p, &q);
		if (r)
			return r;
	}
	/* Equals in the order of positions, so that every run gives the same. */
	uint64_t p = x[best->width].bits, q = y[best->width].bits;
	return (p > q) - (p < q);
}

static int make_list(struct best *best)
{
	if (best->list_size < best->rows.n) {
		uint32_t *grown = reallocarray(best->list, best->rows.n, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		best->list = grown;
		best->list_size = best->rows.n;
	}
	for (size_t i = 0; i < best->rows.n; i++)
		best->list[i] = (uint32_t)i;
	return 0;
}

int best_sort(struct best *best)
{
	struct rows *rows = &best->rows, kept;
	size_t n = rows->n < best->limit ? rows->n : best->limit;
	int r = make_list(best);

	if (r || rows->n == 0)
		return r;
	qsort_r(best->list, rows->n, sizeof(*best->list), by_order, best);
	rows_init(&kept, rows->width, rows->room.budget);
	r = rows_pick(&kept, rows, best->list, n);
	if (r) {
		rows_done(&kept);
		return r;
	}
	rows_done(rows);
	*rows = kept;
	if (n == best->limit && n > 0) {
		best->full = true;
		slim_cell(&rows->at[(n - 1) * rows->width + best->order[0].column], &best->worst);
	}
	return 0;
}

int best_add(struct best *best, const struct vector *const *column, const struct set *selection,
	     uint64_t position)
{
	vector_set_kind(best->position, KIND_INT);
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		best->position->ints[i] = (int64_t)(position + i);
	for (uint32_t c = 0; c < best->width; c++)
		best->column[c] = column[c];
	best->column[best->width] = best->position;
	int r = rows_add(&best->rows, best->column, selection);
	if (r || best->rows.n < 2 * best->limit + SLACK)
		return r;
	return best_sort(best);
}

int best_merge(struct best *best, const struct best *other)
{
	return rows_pick(&best->rows, &other->rows, nullptr, other->rows.n);
}

size_t best_count(const struct best *best)
{
	return best->rows.n;
}

uint64_t best_position(const struct best *best, size_t row)
{
	return best->rows.at[row * best->rows.width + best->width].bits;
}

void best_take(struct best *best, struct rows *ret)
{
	rows_done(ret);
	*ret = best->rows;
	rows_init(&best->rows, ret->width, ret->room.budget);
}
