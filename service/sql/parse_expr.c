/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/parse_internal.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* NOLINTBEGIN(misc-no-recursion): descent follows the grammar; PARSE_DEPTH_MAX bounds it. */

struct expr *expr_make(struct parser *p, enum expr_kind kind, const struct token *at)
{
	struct expr *expr = node(p, sizeof(*expr));

	if (expr) {
		expr->kind = kind;
		expr->at = at;
	}
	return expr;
}

static uint16_t deeper(uint16_t depth, const struct expr *child)
{
	return child && child->depth > depth ? child->depth : depth;
}

struct expr *expr_finish(struct parser *p, struct expr *expr, const struct list *args)
{
	uint16_t depth = 0;

	if (!expr || p->r)
		return nullptr;
	if (args) {
		expr->arg = (struct expr **)(uintptr_t)args->item;
		expr->n_args = args->n;
	}
	for (size_t i = 0; i < expr->n_args; i++)
		depth = deeper(depth, expr->arg[i]);
	depth = deeper(deeper(depth, expr->operand), expr->otherwise);
	expr->depth = (uint16_t)(depth + 1);
	if (expr->depth > EXPR_DEPTH_MAX)
		refuse_at(p, expr->at, "This expression is nested too deeply.");
	return p->r ? nullptr : expr;
}

struct expr *expr_with(struct parser *p, struct expr *expr, struct expr *a, struct expr *b,
		       struct expr *c)
{
	struct list args = {};

	list_add(p, &args, a);
	if (b)
		list_add(p, &args, b);
	if (c)
		list_add(p, &args, c);
	return expr_finish(p, expr, &args);
}

static void set_name(struct parser *p, struct expr *expr, const struct token *name)
{
	struct list names = {};

	list_add(p, &names, name);
	if (expr) {
		expr->name = (const struct token **)(uintptr_t)names.item;
		expr->n_names = names.n;
	}
}

/* Parse expressions up to a closing operator, which is taken. */
static void parse_list(struct parser *p, struct list *args, const char *close)
{
	if (take_operator(p, close))
		return;
	do
		list_add(p, args, parse_expr(p));
	while (!p->r && take_operator(p, ","));
	want_operator(p, close);
}

static struct expr *parse_case(struct parser *p, const struct token *at)
{
	struct expr *expr = expr_make(p, EXPR_CASE, at);
	struct list args = {};

	if (!expr)
		return nullptr;
	if (!is_word(p, "WHEN"))
		expr->operand = parse_expr(p);
	while (!p->r && take_word(p, "WHEN")) {
		list_add(p, &args, parse_expr(p));
		want_word(p, "THEN");
		list_add(p, &args, parse_expr(p));
	}
	if (!p->r && args.n == 0)
		refuse_expected(p, "WHEN");
	if (!p->r && take_word(p, "ELSE"))
		expr->otherwise = parse_expr(p);
	want_word(p, "END");
	return expr_finish(p, expr, &args);
}

/* CAST(x AS type), TRY_CAST(x AS type). */
static struct expr *parse_cast(struct parser *p, const struct token *at, bool try)
{
	struct expr *expr = expr_make(p, EXPR_CAST, at);

	want_operator(p, "(");
	struct expr *arg = parse_expr(p);
	want_word(p, "AS");
	const struct token *type = want_name(p, "a type");
	if (!p->r && strcasecmp(type->text, "double") == 0)
		(void)take_word(p, "PRECISION");
	want_operator(p, ")");
	set_name(p, expr, type);
	if (expr)
		expr->negated = try;
	return expr_with(p, expr, arg, nullptr, nullptr);
}

static struct expr *parse_extract(struct parser *p, const struct token *at)
{
	struct expr *expr = expr_make(p, EXPR_EXTRACT, at);

	want_operator(p, "(");
	set_name(p, expr, want_name(p, "a part, like YEAR"));
	want_word(p, "FROM");
	struct expr *arg = parse_expr(p);
	want_operator(p, ")");
	return expr_with(p, expr, arg, nullptr, nullptr);
}

/* INTERVAL 21 DAY, INTERVAL '1' MONTH. */
static struct expr *parse_interval(struct parser *p, const struct token *at)
{
	struct expr *expr = expr_make(p, EXPR_INTERVAL, at);
	bool minus = take_operator(p, "-");
	struct expr *arg = nullptr;

	if (p->at->kind == TOKEN_INT || p->at->kind == TOKEN_STRING)
		arg = expr_make(p, p->at->kind == TOKEN_INT ? EXPR_NUMBER : EXPR_STRING, p->at);
	else if (p->at->kind == TOKEN_PARAMETER)
		arg = expr_make(p, EXPR_PARAMETER, p->at);
	if (!arg) {
		refuse_expected(p, "a number");
		return nullptr;
	}
	p->at++;
	set_name(p, expr, want_name(p, "a unit, like DAY"));
	if (expr)
		expr->negated = minus;
	return expr_with(p, expr, arg, nullptr, nullptr);
}

static struct expr *parse_object(struct parser *p, const struct token *at)
{
	struct list args = {};

	if (!take_operator(p, "}")) {
		do {
			list_add(p, &args, parse_expr(p));
			want_operator(p, ":");
			list_add(p, &args, parse_expr(p));
		} while (!p->r && take_operator(p, ","));
		want_operator(p, "}");
	}
	return expr_finish(p, expr_make(p, EXPR_OBJECT, at), &args);
}

/* ( expression ) or ( query ); the ( has been taken. */
static struct expr *parse_parentheses(struct parser *p, const struct token *at)
{
	if (!is_word(p, "SELECT") && !is_word(p, "WITH")) {
		struct expr *expr = parse_expr(p);

		want_operator(p, ")");
		return p->r ? nullptr : expr;
	}
	struct expr *expr = expr_make(p, EXPR_QUERY, at);
	struct query *query = parse_query(p);
	want_operator(p, ")");
	if (expr)
		expr->query = query;
	return expr_finish(p, expr, nullptr);
}

static struct expr *parse_exists(struct parser *p, const struct token *at)
{
	struct expr *expr = expr_make(p, EXPR_EXISTS, at);

	want_operator(p, "(");
	struct query *query = p->r ? nullptr : parse_query(p);
	want_operator(p, ")");
	if (expr)
		expr->query = query;
	return expr_finish(p, expr, nullptr);
}

/* A.B.C, or a call. */
static struct expr *parse_name(struct parser *p)
{
	const struct token *at = want_name(p, "an expression");
	struct list names = {};

	if (p->r)
		return nullptr;
	if (at->kind == TOKEN_WORD && take_operator(p, "("))
		return parse_call(p, at);
	list_add(p, &names, at);
	while (!p->r && is_operator(p, ".") && p->at[1].kind != TOKEN_OPERATOR) {
		p->at++;
		if (p->at->kind != TOKEN_WORD && p->at->kind != TOKEN_QUOTED)
			refuse_expected(p, "a field name");
		else
			list_add(p, &names, p->at++);
	}
	struct expr *expr = expr_make(p, EXPR_NAME, at);
	if (p->r)
		return nullptr;
	expr->name = (const struct token **)(uintptr_t)names.item;
	expr->n_names = names.n;
	return expr_finish(p, expr, nullptr);
}

/* What stands for one value by itself. */
static struct expr *parse_literal(struct parser *p, const struct token *at)
{
	static const struct {
		const char *word;
		enum expr_kind kind;
		int64_t number;
	} WORDS[] = { { "NULL", EXPR_NULL, 0 },
		      { "TRUE", EXPR_BOOL, 1 },
		      { "FALSE", EXPR_BOOL, 0 } };
	static const enum expr_kind KINDS[] = { [TOKEN_STRING] = EXPR_STRING,
						[TOKEN_INT] = EXPR_NUMBER,
						[TOKEN_FLOAT] = EXPR_NUMBER,
						[TOKEN_PARAMETER] = EXPR_PARAMETER };

	if (at->kind == TOKEN_STRING || at->kind == TOKEN_INT || at->kind == TOKEN_FLOAT ||
	    at->kind == TOKEN_PARAMETER) {
		p->at++;
		return expr_finish(p, expr_make(p, KINDS[at->kind], at), nullptr);
	}
	for (size_t i = 0; i < countof(WORDS); i++)
		if (take_word(p, WORDS[i].word)) {
			struct expr *expr = expr_make(p, WORDS[i].kind, at);

			if (expr)
				expr->number = WORDS[i].number;
			return expr_finish(p, expr, nullptr);
		}
	return nullptr;
}

/* DATE '2024-01-01' and its like, as casts. */
static struct expr *parse_typed_literal(struct parser *p, const struct token *at)
{
	static const char *const TYPES[] = { "DATE", "DATETIME", "TIME", "TIMESTAMP" };

	for (size_t i = 0; i < countof(TYPES); i++)
		if (is_word(p, TYPES[i]) && p->at[1].kind == TOKEN_STRING) {
			struct expr *expr = expr_make(p, EXPR_CAST, at);

			set_name(p, expr, at);
			p->at++;
			return expr_with(p, expr, parse_literal(p, p->at), nullptr, nullptr);
		}
	return nullptr;
}

static struct expr *parse_primary(struct parser *p)
{
	const struct token *at = p->at;
	struct expr *expr = parse_literal(p, at);

	if (!expr && !p->r)
		expr = parse_typed_literal(p, at);
	if (expr || p->r)
		return expr;
	if (take_operator(p, "("))
		return parse_parentheses(p, at);
	if (take_operator(p, "[")) {
		struct list args = {};

		parse_list(p, &args, "]");
		return expr_finish(p, expr_make(p, EXPR_ARRAY, at), &args);
	}
	if (take_operator(p, "{"))
		return parse_object(p, at);
	if (take_word(p, "CASE"))
		return parse_case(p, at);
	if (take_word(p, "EXISTS"))
		return parse_exists(p, at);
	bool call = p->at->kind == TOKEN_WORD && p->at[1].kind == TOKEN_OPERATOR &&
		    strcmp(p->at[1].text, "(") == 0;
	if (call && (take_word(p, "CAST") || take_word(p, "STATIC_CAST")))
		return parse_cast(p, at, false);
	if (call && (take_word(p, "TRY_CAST") || take_word(p, "TRY_STATIC_CAST")))
		return parse_cast(p, at, true);
	if (call && take_word(p, "EXTRACT"))
		return parse_extract(p, at);
	if (is_word(p, "INTERVAL") &&
	    (p->at[1].kind == TOKEN_INT || p->at[1].kind == TOKEN_STRING ||
	     p->at[1].kind == TOKEN_PARAMETER || strcmp(p->at[1].text, "-") == 0)) {
		p->at++;
		return parse_interval(p, at);
	}
	return parse_name(p);
}

/* Members, elements and time zones after a value. */
static struct expr *parse_postfix(struct parser *p)
{
	struct expr *expr = parse_primary(p);

	while (!p->r) {
		const struct token *at = p->at;

		if (take_operator(p, "[")) {
			struct expr *key = parse_expr(p);

			want_operator(p, "]");
			expr = expr_with(p, expr_make(p, EXPR_GET, at), expr, key, nullptr);
		} else if (is_operator(p, ".") && p->at[1].kind != TOKEN_OPERATOR) {
			p->at++;
			struct expr *get = expr_make(p, EXPR_GET, at);

			set_name(p, get, want_name(p, "a field name"));
			expr = expr_with(p, get, expr, nullptr, nullptr);
		} else if (is_word(p, "AT") && is_word_at(p, 1, "TIME")) {
			p->at += 2;
			want_word(p, "ZONE");
			expr = expr_with(p, expr_make(p, EXPR_AT_ZONE, at), expr, parse_primary(p),
					 nullptr);
		} else {
			return expr;
		}
	}
	return nullptr;
}

static struct expr *parse_unary(struct parser *p)
{
	const struct token *at = p->at;
	struct expr *expr;

	if (++p->depth > PARSE_DEPTH_MAX)
		refuse_at(p, at, "This expression is nested too deeply.");
	if (p->r)
		return nullptr;
	if (take_operator(p, "-")) {
		expr = parse_unary(p);
		expr = expr_with(p, expr_make(p, EXPR_NEGATE, at), expr, nullptr, nullptr);
	} else if (take_operator(p, "+")) {
		expr = parse_unary(p);
	} else {
		expr = parse_postfix(p);
	}
	p->depth--;
	return expr;
}

/* Left-associative operators, loosest first. */
static const char *const LEVELS[][4] = { { "||" }, { "+", "-" }, { "*", "/", "%" } };

static struct expr *parse_arithmetic(struct parser *p, size_t level)
{
	if (level == countof(LEVELS))
		return parse_unary(p);

	struct expr *expr = parse_arithmetic(p, level + 1);
	for (size_t i = 0; !p->r && i < countof(LEVELS[level]) && LEVELS[level][i];) {
		const struct token *at = p->at;

		if (!take_operator(p, LEVELS[level][i])) {
			i++;
			continue;
		}
		expr = expr_with(p, expr_make(p, EXPR_BINARY, at), expr,
				 parse_arithmetic(p, level + 1), nullptr);
		i = 0;
	}
	return expr;
}

static struct expr *parse_value(struct parser *p)
{
	return parse_arithmetic(p, 0);
}

/* What follows IS [NOT]. */
static struct expr *parse_is(struct parser *p, struct expr *left, const struct token *at)
{
	bool negated = take_word(p, "NOT");
	struct expr *expr = expr_make(p, EXPR_IS_NULL, at);

	if (!expr)
		return nullptr;
	expr->negated = negated;
	if (take_word(p, "NULL")) {
		/* as made */
	} else if (take_word(p, "UNDEFINED")) {
		expr->kind = EXPR_IS_UNDEFINED;
	} else if (is_word(p, "TRUE") || is_word(p, "FALSE")) {
		expr->kind = EXPR_IS_BOOL;
		expr->number = is_word(p, "TRUE");
		p->at++;
	} else if (take_word(p, "DISTINCT")) {
		expr->kind = EXPR_IS_DISTINCT;
		want_word(p, "FROM");
		return expr_with(p, expr, left, parse_value(p), nullptr);
	} else {
		refuse_expected(p, "NULL, UNDEFINED, TRUE, FALSE or DISTINCT FROM");
	}
	return expr_with(p, expr, left, nullptr, nullptr);
}

static struct expr *parse_in(struct parser *p, struct expr *left, const struct token *at)
{
	struct expr *expr = expr_make(p, EXPR_IN, at);
	struct list args = {};

	list_add(p, &args, left);
	want_operator(p, "(");
	if (!p->r && (is_word(p, "SELECT") || is_word(p, "WITH"))) {
		struct query *query = parse_query(p);

		want_operator(p, ")");
		if (expr)
			expr->query = query;
	} else {
		parse_list(p, &args, ")");
	}
	return expr_finish(p, expr, &args);
}

/* [NOT] LIKE, IN, BETWEEN after a value; nullptr without an error if there is none of them. */
static struct expr *parse_test(struct parser *p, struct expr *left)
{
	const struct token *at = p->at;
	bool negated = (is_word_at(p, 1, "LIKE") || is_word_at(p, 1, "ILIKE") ||
			is_word_at(p, 1, "IN") || is_word_at(p, 1, "BETWEEN")) &&
		       take_word(p, "NOT");
	struct expr *expr = nullptr;

	if (take_word(p, "LIKE")) {
		struct expr *pattern = parse_value(p);
		struct expr *escape = !p->r && take_word(p, "ESCAPE") ? parse_value(p) : nullptr;

		expr = expr_with(p, expr_make(p, EXPR_LIKE, at), left, pattern, escape);
	} else if (take_word(p, "ILIKE")) {
		struct expr *pattern = call_of(p, at, "LOWER", parse_value(p), nullptr, nullptr);

		left = call_of(p, at, "LOWER", left, nullptr, nullptr);
		expr = expr_with(p, expr_make(p, EXPR_LIKE, at), left, pattern, nullptr);
	} else if (take_word(p, "IN")) {
		expr = parse_in(p, left, at);
	} else if (take_word(p, "BETWEEN")) {
		struct expr *low = parse_value(p);

		want_word(p, "AND");
		expr = expr_with(p, expr_make(p, EXPR_BETWEEN, at), left, low, parse_value(p));
	}
	if (expr)
		expr->negated = negated;
	return expr;
}

static struct expr *parse_predicate(struct parser *p)
{
	static const char *const COMPARISONS[] = { "=", "<>", "!=", "<=", ">=", "<", ">" };
	struct expr *expr = parse_value(p);

	for (size_t i = 0; !p->r && i < countof(COMPARISONS);) {
		const struct token *at = p->at;
		struct expr *test = nullptr;

		if (take_operator(p, COMPARISONS[i]))
			test = expr_with(p, expr_make(p, EXPR_COMPARE, at), expr, parse_value(p),
					 nullptr);
		else if (take_word(p, "IS"))
			test = parse_is(p, expr, at);
		else
			test = parse_test(p, expr);
		if (test)
			expr = test;
		i = test ? 0 : i + 1;
	}
	return p->r ? nullptr : expr;
}

static struct expr *parse_not(struct parser *p)
{
	const struct token *at = p->at;

	if (!take_word(p, "NOT"))
		return parse_predicate(p);
	if (++p->depth > PARSE_DEPTH_MAX)
		refuse_at(p, at, "This expression is nested too deeply.");
	struct expr *arg = p->r ? nullptr : parse_not(p);
	p->depth--;
	return expr_with(p, expr_make(p, EXPR_NOT, at), arg, nullptr, nullptr);
}

/* Operands joined by AND or OR become one node, so that long lists of them are not deep. */
static struct expr *parse_joined(struct parser *p, enum expr_kind kind)
{
	const char *word = kind == EXPR_OR ? "OR" : "AND";
	const struct token *at = p->at;
	struct list args = {};

	do
		list_add(p, &args, kind == EXPR_OR ? parse_joined(p, EXPR_AND) : parse_not(p));
	while (!p->r && take_word(p, word));
	if (p->r)
		return nullptr;
	return args.n == 1 ? args.item[0] : expr_finish(p, expr_make(p, kind, at), &args);
}

struct expr *parse_expr(struct parser *p)
{
	if (++p->depth > PARSE_DEPTH_MAX)
		refuse_at(p, p->at, "This expression is nested too deeply.");
	struct expr *expr = p->r ? nullptr : parse_joined(p, EXPR_OR);
	p->depth--;
	return expr;
}

/* NOLINTEND(misc-no-recursion) */
