/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * join: the rows of a joined collection in a hash table by their key.
 *
 * Layer 5 (service/exec). Made once, then read by many threads. What does not fit into memory is split (split.h); the table
 * then holds one piece of it at a time.
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
struct split;

/* The inner side of a join. */
struct joined {
	struct join_table *table; /* nullptr: it has not been read */
	struct split *split;	  /* nullptr: all of it is in the table */
};

/*
 * Read the collection that a plan's join number names.
 *
 * ret  set only on success; free with join_done()
 *
 * Returns 0, an outcome of pipe.h, or -errno.
 */
[[nodiscard]] int join_build(struct exec_query *query, const struct plan *plan, uint32_t number,
			     struct joined *ret);

/* Free what it owns; harmless on a zeroed one. */
void join_done(struct joined *joined);

/*
 * Have a piece of a part of a split join in the table, instead of what is there; piece SPLIT_NONE: nothing.
 *
 * Returns 0, an outcome of pipe.h, or -errno; the table is empty then.
 */
[[nodiscard]] int join_fill(struct joined *joined, uint32_t part, uint32_t piece);

/* The first row with that key, or JOIN_NONE. NULL has no partner. */
[[nodiscard]] uint32_t join_first(const struct join_table *table, const struct cell *key);

/* Whether no key has more than one row. */
[[nodiscard]] bool join_is_unique(const struct join_table *table);

/* The next row with the same key as a row, or JOIN_NONE. */
[[nodiscard]] uint32_t join_next(const struct join_table *table, uint32_t row);

/* A field of the plan for rows [n], JOIN_NONE giving NULL. */
void join_load(const struct join_table *table, uint32_t field, const uint32_t *row, uint32_t n,
	       struct vector *ret);
