/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse_internal: what the parts of the parser share.
 *
 * Layer 6 (service/sql). Only parse*.c include it. Every function returns nullptr, false or nothing
 * useful once p->r is set; callers look at it where they must not go on.
 */

#include <stddef.h>

#include "common/base.h"
#include "service/sql/arena.h"
#include "service/sql/ast.h"
#include "service/sql/sql.h"

constexpr unsigned int PARSE_DEPTH_MAX =
	100;				 /* nested parentheses and the like; bounds our stack */
constexpr uint16_t EXPR_DEPTH_MAX = 300; /* of a tree; SQLite stops at 1000 */
constexpr unsigned int QUERY_COST = 5;	 /* a nested query counts as so many parentheses */

struct parser {
	struct arena *arena;
	const struct token *at; /* the next token */
	unsigned int depth;
	int r; /* 0, SQL_REFUSED or -ENOMEM; sticky */
	struct sql_error *error;
};

/* A list that grows in the arena. */
struct list {
	void **item;
	size_t n, room;
};

/* Append to a list. */
void list_add(struct parser *p, struct list *list, const void *item);

/* Whether the next token is this keyword, in any case. */
[[nodiscard]] bool is_word(const struct parser *p, const char *word);

/* Whether the token n after the next one is this keyword. */
[[nodiscard]] bool is_word_at(const struct parser *p, size_t n, const char *word);

/* Take the next token if it is this keyword. */
[[nodiscard]] bool take_word(struct parser *p, const char *word);

/* Whether the next token is this operator. */
[[nodiscard]] bool is_operator(const struct parser *p, const char *text);

/* Take the next token if it is this operator. */
[[nodiscard]] bool take_operator(struct parser *p, const char *text);

/* Take this operator or refuse the query. */
void want_operator(struct parser *p, const char *text);

/* Take this keyword or refuse the query. */
void want_word(struct parser *p, const char *word);

/* Refuse the query at the next token: what was expected there. */
void refuse_expected(struct parser *p, const char *what);

/* Refuse the query at a token. */
void refuse_at(struct parser *p, const struct token *at, const char *message);

/* Take a name: a quoted one, or a word that is not reserved. */
[[nodiscard]] const struct token *want_name(struct parser *p, const char *what);

/* Whether the next token may be a name. */
[[nodiscard]] bool is_name(const struct parser *p);

/* One set of expressions to group by. */
struct group_set {
	struct list by; /* of struct expr * */
};

/*
 * Parse what follows GROUP: BY and a list of expressions, (), GROUPING SETS, CUBE and ROLLUP.
 *
 * ret_sets  of struct group_set *; one for a plain GROUP BY
 */
void parse_group(struct parser *p, struct list *ret_sets);

/* Give a core the sets it groups by: several become a UNION ALL of a core for each. Returns the core to use instead. */
[[nodiscard]] struct core *expand_sets(struct parser *p, struct core *core,
				       const struct list *sets);

/* Parse TABLESAMPLE BERNOULLI (p) if it is next; the percentage, or nullptr. */
[[nodiscard]] struct expr *parse_sample(struct parser *p);

/* Make the samples that a core's FROM asks for conditions of WHERE, or sub-selects where it joins. */
void apply_samples(struct parser *p, struct core *core);

/* Parse the name of a collection, its workspace before it, into item->name. */
void parse_path(struct parser *p, struct from_item *item);

/* Parse DESCRIBE collection; the word has been taken. */
[[nodiscard]] struct query *parse_describe(struct parser *p);

/* A word that the query does not have, for nodes that the parser makes up; at the place of another one. */
[[nodiscard]] const struct token *made_up(struct parser *p, const struct token *at,
					  enum token_kind kind, const char *text);

/* A call of a function by name with one to three arguments; b and c may be nullptr. */
[[nodiscard]] struct expr *call_of(struct parser *p, const struct token *at, const char *name,
				   struct expr *a, struct expr *b, struct expr *c);

/* Zeroed memory, or nullptr with p->r set. */
[[nodiscard]] void *node(struct parser *p, size_t size);

/* Parse an expression. */
[[nodiscard]] struct expr *parse_expr(struct parser *p);

/* Parse a query without its end. */
[[nodiscard]] struct query *parse_query(struct parser *p);

/* Parse ORDER BY's items. */
[[nodiscard]] struct order_item *parse_order(struct parser *p);

/* A node of the tree. */
[[nodiscard]] struct expr *expr_make(struct parser *p, enum expr_kind kind, const struct token *at);

/* Give a node its arguments (or nullptr) and check how deep it has become. */
[[nodiscard]] struct expr *expr_finish(struct parser *p, struct expr *expr,
				       const struct list *args);

/* Give a node one to three arguments; b and c may be nullptr. */
[[nodiscard]] struct expr *expr_with(struct parser *p, struct expr *expr, struct expr *a,
				     struct expr *b, struct expr *c);

/* Parse the arguments of a call whose name and ( have been taken, and what may follow it. */
[[nodiscard]] struct expr *parse_call(struct parser *p, const struct token *name);
