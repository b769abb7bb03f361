/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse_tree: the expressions that the grammar's actions make: nodes of ast.h, and what is on the way there.
 *
 * Layer 6 (service/syntax). For grammar.y. See parse_internal.h about what happens once the query is refused.
 */

#include "service/syntax/ast.h"
#include "service/syntax/parse_internal.h"

/* LIMIT and OFFSET; either may be nullptr. */
struct limits {
	struct expr *limit, *offset;
};

/* What a call has in its brackets. */
struct arguments {
	bool star, distinct;
	struct list *list; /* of struct expr *, or nullptr */
	struct order_item *order;
	struct limits *slice;
};

/* --- expressions (parse_expr.c) --- */

/* A value that one token says; number is that of EXPR_BOOL. */
[[nodiscard]] struct expr *tree_literal(struct parser *p, enum expr_kind kind,
					const struct token *at, int64_t number);

/* A node with up to three arguments: those that are not nullptr. */
[[nodiscard]] struct expr *tree_of(struct parser *p, enum expr_kind kind, const struct token *at,
				   struct expr *a, struct expr *b, struct expr *c);

/* The same, negated if at is NOT. */
[[nodiscard]] struct expr *tree_test(struct parser *p, enum expr_kind kind, const struct token *at,
				     struct expr *a, struct expr *b, struct expr *c);

/* A node with one argument and a name: a member, a cast's type, a unit. */
[[nodiscard]] struct expr *tree_named(struct parser *p, enum expr_kind kind, const struct token *at,
				      struct expr *arg, const struct token *name);

/* A node with any number of arguments; args may be nullptr. */
[[nodiscard]] struct expr *tree_listed(struct parser *p, enum expr_kind kind,
				       const struct token *at, const struct list *args);

/* A node about a query. */
[[nodiscard]] struct expr *tree_asking(struct parser *p, enum expr_kind kind,
				       const struct token *at, struct query *query);

/* The same node, negated. */
[[nodiscard]] struct expr *tree_negated(struct expr *expr);

/* A name of one word. */
[[nodiscard]] struct expr *tree_name(struct parser *p, const struct token *name);

/* Add a word to a name. */
void tree_add_name(struct parser *p, struct expr *expr, const struct token *name);

/* A name that is a value. One of the words that are functions without brackets, like CURRENT_DATE, becomes a call unless in quotes. */
[[nodiscard]] struct expr *tree_word(struct parser *p, struct expr *name);

/* a AND b, a OR b: if a is a node of that kind already, it takes b too, so that long lists of them are not deep. */
[[nodiscard]] struct expr *tree_joined(struct parser *p, enum expr_kind kind,
				       const struct token *at, struct expr *a, struct expr *b);

/* a IS [NOT] TRUE or FALSE. */
[[nodiscard]] struct expr *tree_is_bool(struct parser *p, const struct token *at, struct expr *a,
					bool value);

/* a [NOT] ILIKE b, both in lower case; escape may be nullptr. */
[[nodiscard]] struct expr *tree_ilike(struct parser *p, const struct token *at, struct expr *a,
				      struct expr *b, struct expr *escape);

/* a [NOT] IN (list) or in a query; the other is nullptr. */
[[nodiscard]] struct expr *tree_in(struct parser *p, const struct token *at, struct expr *a,
				   const struct list *list, struct query *query);

/* CASE; whens are pairs of condition and value. */
[[nodiscard]] struct expr *tree_case(struct parser *p, const struct token *at, struct expr *operand,
				     const struct list *whens, struct expr *otherwise);

/* --- calls (parse_call.c) --- */

/* A copy of what a call has in its brackets. */
[[nodiscard]] struct arguments *tree_arguments(struct parser *p, const struct arguments *arguments);

/* A call; arguments and window may be nullptr. */
[[nodiscard]] struct expr *tree_call(struct parser *p, const struct token *name,
				     const struct arguments *arguments, struct window *window);

/* OVER (…). */
[[nodiscard]] struct window *tree_window(struct parser *p, const struct list *partition,
					 struct order_item *order, const char *frame);

/* A window's frame: the words from this one up to the one that the grammar is being given. */
[[nodiscard]] const char *tree_frame(struct parser *p, const struct token *first);
