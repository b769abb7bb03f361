/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ast: a parsed query as a tree. Everything in it lives in one arena.
 *
 * Layer 6 (service/syntax). Plain data.
 */

#include <stddef.h>
#include <stdint.h>

#include "service/syntax/lex.h"

struct expr;
struct query;

enum expr_kind : uint8_t {
	EXPR_NULL,
	EXPR_BOOL,   /* number is 0 or 1 */
	EXPR_NUMBER, /* at: TOKEN_INT or TOKEN_FLOAT */
	EXPR_STRING, /* at */
	EXPR_PARAMETER,
	EXPR_NAME,    /* name[]: a, a.b, a.b.c … */
	EXPR_GET,     /* arg[0], member name[0] or arg[1] */
	EXPR_NEGATE,  /* arg[0] */
	EXPR_BINARY,  /* arithmetic and ||: at is the operator */
	EXPR_COMPARE, /* at is the operator */
	EXPR_AND,
	EXPR_OR,
	EXPR_NOT,
	EXPR_IS_NULL,	   /* negated */
	EXPR_IS_UNDEFINED, /* negated */
	EXPR_IS_BOOL,	   /* number is 0 or 1; negated */
	EXPR_IS_DISTINCT,  /* negated */
	EXPR_LIKE,	   /* arg[0..1], perhaps escape in arg[2]; negated */
	EXPR_IN,	   /* arg[0] in arg[1..] or in query; negated */
	EXPR_BETWEEN,	   /* arg[0..2]; negated */
	EXPR_EXISTS,	   /* query */
	EXPR_QUERY,	   /* query: a scalar */
	EXPR_CASE,	   /* operand (may be nullptr); arg: when, then, … ; otherwise */
	EXPR_CALL,	   /* at is the function's name */
	EXPR_CAST,	   /* arg[0] as name[0]; negated: TRY_CAST */
	EXPR_ARRAY,	   /* arg[] */
	EXPR_OBJECT,	   /* arg: key, value, … */
	EXPR_INTERVAL,	   /* arg[0], unit in name[0] */
	EXPR_AT_ZONE,	   /* arg[0], arg[1] */
	EXPR_EXTRACT,	   /* unit in name[0], arg[0] */
};

struct order_item {
	struct expr *expr;
	bool descending;
	enum : uint8_t {
		NULLS_DEFAULT,
		NULLS_FIRST,
		NULLS_LAST
	} nulls;
	struct order_item *next;
};

/* OVER (…) of a call. */
struct window {
	struct expr **partition;
	size_t n_partition;
	struct order_item *order;
	const char *frame; /* made of known words and digits only; or nullptr */
};

struct expr {
	enum expr_kind kind;
	const struct token *at;
	bool negated, distinct, star; /* distinct, star: of a call's arguments */
	uint16_t depth;		      /* of the tree below */
	int64_t number;
	const struct token **name;
	size_t n_names;
	struct expr **arg;
	size_t n_args;
	struct expr *operand, *otherwise; /* CASE */
	struct order_item *order;	  /* of an aggregate's arguments */
	struct window *window;
	struct query *query;
};

struct select_item {
	struct expr *expr; /* nullptr: a star */
	struct expr *of;   /* a star's qualifier, or nullptr */
	const struct token *alias;
	const struct token **except; /* names a star leaves out */
	size_t n_except;
	const struct token *at;
	struct select_item *next;
};

enum join_kind : uint8_t {
	JOIN_FIRST,
	JOIN_COMMA,
	JOIN_CROSS,
	JOIN_INNER,
	JOIN_LEFT,
	JOIN_RIGHT,
	JOIN_FULL
};

struct from_item {
	enum join_kind join;
	const struct token **name; /* a collection or CTE: [n_names], or … */
	size_t n_names;
	struct query *query; /* … a sub-select, or … */
	struct expr *unnest; /* … UNNEST(unnest AS element[, value]) [WITH ORDINALITY] */
	const struct token *element, *value;
	bool ordinality;
	const struct token *alias;
	const struct token *at;
	struct expr *sample; /* TABLESAMPLE's percentage, while parsing */
	struct expr *on;
	const struct token **using;
	size_t n_using;
	struct from_item *next;
};

enum set_kind : uint8_t {
	SET_FIRST,
	SET_UNION,
	SET_UNION_ALL,
	SET_INTERSECT,
	SET_EXCEPT
};

struct core {
	enum set_kind set;    /* how it joins what is before it */
	struct query *nested; /* in parentheses; then nothing else is set */
	bool distinct;
	struct select_item *items;
	struct from_item *from;
	struct expr *where, *having;
	struct expr **group;
	size_t n_group;
	struct core *next;
};

struct cte {
	const struct token *name;
	const struct token **column;
	size_t n_columns;
	struct query *query;
	struct cte *next;
};

struct query {
	struct cte *ctes;
	struct core *cores;
	struct order_item *order;
	struct expr *limit, *offset;
	bool explain; /* of a statement: say how it would be answered */
};
