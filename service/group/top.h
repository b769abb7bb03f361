/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * top: the first so many of things in a plan's order.
 *
 * Layer 5 (service/group).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/expression/plan.h"

/* The order of two rows of cells: < 0 if a comes first. */
[[nodiscard]] int top_compare(const struct order_by *order, uint32_t n_order, const struct cell *a,
			      const struct cell *b);

/* An item's cells. Returns 0, an outcome of pipe.h, or -errno. */
typedef int top_fn(void *userdata, const void *item, struct cell *cell);

/*
 * Leave of items the plan's first, sorted.
 *
 * item   [*n]; the first that are left come first
 * width  cells of an item
 *
 * Returns 0, what fn returned, or -ENOMEM. Cost: n times the logarithm of the limit at worst.
 */
[[nodiscard]] int top_select(const void **item, size_t *n, const struct plan *plan, uint32_t width,
			     top_fn *fn, void *userdata);
