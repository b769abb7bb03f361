/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pushdown: which parts of FROM, WHERE, ORDER BY and LIMIT a native pipe does; the rest is printed for SQLite.
 *
 * Layer 6 (service/sql). As draft.h: "no" is no error.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/sql/draft.h"

/* Join a collection to a pipe by hash, if ON, USING or, for a cross join, WHERE has an equality for it. Returns whether it is joined; source->draft is set then. */
[[nodiscard]] bool pushdown_join(struct binder *b, struct draft *draft, struct source *source,
				 const struct expr *where, struct scope *scope);

/* Let a pipe unnest an array of its documents. Returns whether it does. */
[[nodiscard]] bool pushdown_unnest(struct binder *b, struct draft *draft, struct source *source,
				   struct scope *scope);

/* Give each condition of WHERE to a pipe, or print it after " WHERE ". Returns whether nothing was printed. */
[[nodiscard]] bool pushdown_where(struct binder *b, struct buf *out, const struct expr *where,
				  struct scope *scope);

/* The pipe that is all of FROM, or nullptr. */
[[nodiscard]] struct draft *pushdown_whole(const struct scope *scope);

/*
 * Let a pipe that is all of FROM and WHERE yield its rows in the order of ORDER BY, and only those that LIMIT wants, which is
 * still printed. Returns whether SQLite need not sort any more.
 */
[[nodiscard]] bool pushdown_order(struct binder *b, struct draft *draft, const struct core *core,
				  const struct query *query, int64_t row_limit,
				  struct scope *scope);
