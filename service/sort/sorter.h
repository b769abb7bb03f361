/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sorter: any number of rows in an order. What does not fit into memory goes to disk in sorted runs, which are merged.
 *
 * Layer 5 (service/sort). Equal rows come in the order of their positions, so that every run of a query, in little memory or
 * much, gives the same. Threads: sorter_add() from any, each under its own number; the rest by one.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/query.h"
#include "service/expression/plan.h"
#include "service/vector/set.h"
#include "service/vector/vector.h"

struct sorter;

/* What is to be sorted. */
struct sorter_plan {
	const struct order_by *order; /* [n_order] over the columns; borrowed. None: by position */
	uint32_t n_order;
	uint32_t width;	      /* columns of a row */
	int64_t limit;	      /* rows that will be asked for at most; -1: all */
	unsigned int workers; /* threads that add, below CREW_MAX */
};

/* Make one. query is borrowed: its memory, its folder, its figures. Returns 0 or -ENOMEM. */
[[nodiscard]] int sorter_new(struct exec_query *query, const struct sorter_plan *plan,
			     struct sorter **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct sorter *sorter_free(struct sorter *sorter);
CLEANUP_FN(struct sorter, sorter_free)

/*
 * Add the selected entries of column[width]; entry i is at position + i, and no two rows are at one.
 *
 * Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT, -ENOMEM, -EDQUOT or another -errno of writing.
 */
[[nodiscard]] int sorter_add(struct sorter *sorter, unsigned int worker,
			     const struct vector *const *column, const struct set *selection,
			     uint64_t position);

/* Add one row, cell[width]. Returns as sorter_add(). */
[[nodiscard]] int sorter_add_cells(struct sorter *sorter, unsigned int worker,
				   const struct cell *cell, uint64_t position);

/* No more is coming: sort and merge what must be before rows can be had. Returns as sorter_add(), or -EBADMSG (what was written is damaged). */
[[nodiscard]] int sorter_end(struct sorter *sorter);

/* The next row into cell[width]; strings are valid until the next call. Returns 0, PIPE_END or as sorter_end(). */
[[nodiscard]] int sorter_next(struct sorter *sorter, struct cell *cell);

/* Begin again at the first row. Returns as sorter_end(). */
[[nodiscard]] int sorter_rewind(struct sorter *sorter);
