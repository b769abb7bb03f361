/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * best: the first so many rows in an order of those that have been seen.
 *
 * Layer 5 (service/sort). Belongs to one thread. Rows are collected and cut back from time to time; once that has happened,
 * what cannot be among the first is dropped at sight.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/expression/plan.h"
#include "service/vector/rows.h"

struct best;

/* Make one for rows of width columns; order is borrowed. Returns 0 or -ENOMEM. */
[[nodiscard]] int best_new(const struct order_by *order, uint32_t n_order, uint32_t width,
			   size_t limit, struct budget *budget, struct best **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct best *best_free(struct best *best);
CLEANUP_FN(struct best, best_free)

/* Take out of a selection the entries that cannot be among the first by the order's first column alone. */
void best_leave(const struct best *best, const struct vector *first, struct set *selection);

/* Add the selected entries of column[width]; entry i is at position + i. Positions only grow. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int best_add(struct best *best, const struct vector *const *column,
			   const struct set *selection, uint64_t position);

/* Add another's rows. Its strings must stay. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int best_merge(struct best *best, const struct best *other);

/* Sort and leave the first. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int best_sort(struct best *best);

/* How many rows there are. */
[[nodiscard]] size_t best_count(const struct best *best);

/* A row's position. */
[[nodiscard]] uint64_t best_position(const struct best *best, size_t row);

/* Move all rows to ret, whose budget is the same: the columns, then the position. */
void best_take(struct best *best, struct rows *ret);
