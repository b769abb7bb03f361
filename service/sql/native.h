/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * native: what native.c and native_condition.c share in making nodes of expressions.
 *
 * Layer 6 (service/sql). nullptr means that there can be no such node, or that b->r is set.
 */

#include <stddef.h>

#include "service/sql/draft.h"

/* A node with room for n_args arguments. */
[[nodiscard]] struct node *node_new(struct binder *b, enum operation op, size_t n_args);

/* A constant. */
[[nodiscard]] struct node *node_constant(struct binder *b, const struct cell *cell);

/* A constant: SQL text, evaluated now. */
[[nodiscard]] struct node *node_folded(struct binder *b, struct buf *text);

/* The arguments of e from the first on as those of a node. */
[[nodiscard]] struct node *node_with_args(struct binder *b, struct draft *draft, enum operation op,
					  const struct expr *e, size_t first, struct scope *scope);

/* A condition that is a node of its own kind: a comparison, AND, LIKE, …; nullptr for everything else. */
[[nodiscard]] struct node *node_condition(struct binder *b, struct draft *draft,
					  const struct expr *e, struct scope *scope);

/* Whether an expression is a condition by its kind. */
[[nodiscard]] bool is_condition(const struct expr *e);
