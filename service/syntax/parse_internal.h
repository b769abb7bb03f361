/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse_internal: what the parts of the parser share.
 *
 * Layer 6 (service/syntax). Only the parser's own files include it. A text becomes tokens (lex.h), each token a code
 * (parse_code.h), the codes a tree (grammar.y calling parse_tree.h). Every function returns nullptr, false or nothing useful once
 * p->r is set, and takes nullptr for what was not made for that reason.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/syntax/arena.h"
#include "service/syntax/ast.h"
#include "service/syntax/refusal.h"

constexpr unsigned int NESTING_MAX =
	100; /* what BRACKET_COST and QUERY_COST come to; bounds all recursion */
constexpr unsigned int BRACKET_COST = 2; /* of ( [ { and CASE */
constexpr unsigned int QUERY_COST = 5;	 /* of a ( before SELECT or WITH */
constexpr uint16_t EXPR_DEPTH_MAX = 300; /* of a tree; SQLite stops at 1000 */

struct parser {
	struct arena *arena;
	const struct token *at; /* the token that the grammar is being given */
	struct query *query;	/* what has come of it in the end */
	bool unexpected;	/* the grammar has no place for the token */
	int r;			/* 0, SQL_REFUSED or -ENOMEM; sticky */
	struct sql_error *error;
};

/* A list that grows in the arena. Its room is the next power of two from n, at least 4. */
struct list {
	void **item;
	size_t n;
};

/* Zeroed memory, or nullptr with p->r set. */
[[nodiscard]] void *node(struct parser *p, size_t size);

/* A list of nothing. */
[[nodiscard]] struct list *list_none(struct parser *p);

/* A list of one thing. */
[[nodiscard]] struct list *list_one(struct parser *p, const void *item);

/* Append to a list. */
void list_add(struct parser *p, struct list *list, const void *item);

/* Refuse the query at a token. */
void refuse_at(struct parser *p, const struct token *at, const char *message);

/* Refuse the query at the token that the grammar is being given: what was expected there. */
void refuse_expected(struct parser *p, const char *what);

/* Refuse the query because the grammar has no place for p->at. tokens  all of them, from the first */
void refuse_unexpected(struct parser *p, const struct token *tokens);

/* --- nodes that the parser makes up (parse_expr.c, parse_rewrite.c) --- */

/* A node of the tree. */
[[nodiscard]] struct expr *expr_make(struct parser *p, enum expr_kind kind, const struct token *at);

/* Give a node the items of a list as its arguments; both may be nullptr. */
void expr_take(struct expr *expr, const struct list *args);

/* Check how deep a node has become. Returns the node. */
[[nodiscard]] struct expr *expr_finish(struct parser *p, struct expr *expr);

/* A word that the query does not have, at the place of another one. */
[[nodiscard]] const struct token *made_up(struct parser *p, const struct token *at,
					  enum token_kind kind, const char *text);

/* A call of a function by name with up to three arguments: those that are not nullptr. */
[[nodiscard]] struct expr *call_of(struct parser *p, const struct token *at, const char *name,
				   struct expr *a, struct expr *b, struct expr *c);

/* A whole number. */
[[nodiscard]] struct expr *number_of(struct parser *p, const struct token *at, const char *digits);
