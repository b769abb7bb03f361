/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * join: the rows of a joined collection in a hash table by their key.
 *
 * Layer 5 (service/exec). Made once, then read by many threads.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/query.h"
#include "service/expression/plan.h"
#include "service/vector/cell.h"
#include "service/vector/vector.h"

constexpr uint32_t JOIN_NONE = UINT32_MAX;
constexpr uint32_t JOIN_ROWS_MAX = 1u << 30;

struct join_table;

/*
 * Read the collection that a plan's join number names.
 *
 * Returns 0, an outcome of pipe.h, or -errno.
 */
[[nodiscard]] int join_build(struct exec_query *query, const struct plan *plan, uint32_t number,
			     struct join_table **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct join_table *join_free(struct join_table *table);
CLEANUP_FN(struct join_table, join_free)

/* The first row with that key, or JOIN_NONE. NULL has no partner. */
[[nodiscard]] uint32_t join_first(const struct join_table *table, const struct cell *key);

/* Whether no key has more than one row. */
[[nodiscard]] bool join_is_unique(const struct join_table *table);

/* The next row with the same key as a row, or JOIN_NONE. */
[[nodiscard]] uint32_t join_next(const struct join_table *table, uint32_t row);

/* A field of the plan for rows [n], JOIN_NONE giving NULL. */
void join_load(const struct join_table *table, uint32_t field, const uint32_t *row, uint32_t n,
	       struct vector *ret);
