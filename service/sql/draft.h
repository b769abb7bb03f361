/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * draft: a native pipe in the making, while the binder finds out what a SELECT wants of it.
 *
 * Layer 6 (service/sql). Lives in the binder's arena. What cannot be said as nodes stays SQL; nothing here is an error of
 * the query: "no" means that SQLite does it.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/expression/plan.h"
#include "service/sql/bind_internal.h"

constexpr size_t CHAIN_MAX = 300; /* of a.b[c]…: the parser lets no tree be deeper */

struct draft {
	const char *sql; /* "s0": its columns are s0.c0, s0.c1, … */
	struct snapshot *snapshot;
	struct vec fields, outputs, filter, joins,
		aggregates; /* struct field, node, node, join, aggregate */
	const struct field *unnest;
	struct place unnest_at;
	bool grouped;	  /* outputs are the keys: all known before the first aggregate */
	struct vec order; /* struct order_by */
	int64_t limit;	  /* -1: none */
};

/* Begin the pipe of a collection. nullptr with b->r set on failure. */
[[nodiscard]] struct draft *draft_new(struct binder *b, const char *sql, struct snapshot *snapshot);

/* The number of a field, added if it is new. */
[[nodiscard]] uint32_t draft_field(struct binder *b, struct draft *draft,
				   const struct field *field);

/* The number of an output column that is this node, added if it is new. */
[[nodiscard]] size_t draft_output(struct binder *b, struct draft *draft, struct node *node);

/* The column of an aggregate, added if it is new. */
[[nodiscard]] size_t draft_aggregate(struct binder *b, struct draft *draft,
				     const struct aggregate *aggregate);

/* Make the plan. Returns the k of pipe(k). */
[[nodiscard]] size_t draft_finish(struct binder *b, const struct draft *draft);

/* Whether two expressions of one draft are the same. */
[[nodiscard]] bool node_equal(const struct node *a, const struct node *b);

/*
 * An expression as a node of a draft.
 *
 * Returns nullptr if it cannot be one: it names something else than the draft's sources, or does what exec does not know.
 * Fields that were added for it are taken back then. b->r may be set as always.
 */
[[nodiscard]] struct node *draft_node(struct binder *b, struct draft *draft, const struct expr *e,
				      struct scope *scope);

/* The same for a condition: TRUE, FALSE or NULL. */
[[nodiscard]] struct node *draft_condition(struct binder *b, struct draft *draft,
					   const struct expr *e, struct scope *scope);

/* Whether an expression needs no row: literals, parameters with a value, functions of those that always give the same. */
[[nodiscard]] bool is_constant(struct binder *b, const struct expr *e);

/* Whether a call gives the same each time it has the same arguments. */
[[nodiscard]] bool is_stable(const struct expr *e);

/*
 * Evaluate SQL text that needs no row.
 *
 * Returns whether it had a value; if it fails, the failure is left to whoever runs it in its place.
 */
[[nodiscard]] bool fold(struct binder *b, struct buf *text, struct cell *ret);

/* Whether an expression is made of the draft's keys, native aggregates and constants. */
[[nodiscard]] bool grouped_covers(struct binder *b, struct draft *draft, const struct expr *e,
				  struct scope *scope);

/* The column that an expression is where the pipe groups, or the ?N that it is as an argument of evaluate.h; nullptr: neither. */
[[nodiscard]] const char *grouped_sql(struct binder *b, const struct expr *e, struct scope *scope);

/* Whether there is an aggregate in an expression, sub-queries not counted. */
[[nodiscard]] bool has_aggregate(const struct expr *e);

/*
 * Make the draft, whose filter is complete, a grouped one if the whole of the SELECT allows it.
 *
 * Returns whether it did; scope->grouped is set then, and everything printed in that scope is over the groups.
 */
[[nodiscard]] bool grouped_try(struct binder *b, struct draft *draft, const struct core *core,
			       const struct order_item *order, struct scope *scope);

/* What the key of a.b or a[key] is. */
[[nodiscard]] struct step step_of(const struct expr *e);

/* The expression of the select list that a name is an alias of, or nullptr. */
[[nodiscard]] const struct expr *behind_alias(struct binder *b, const struct expr *e,
					      struct scope *scope);

/* The expression that an item of GROUP BY or, with by_name, ORDER BY means: an item of the select list, or itself; nullptr: that is not known. */
[[nodiscard]] const struct expr *item_meant(struct binder *b, const struct core *core,
					    const struct expr *e, bool by_name);
