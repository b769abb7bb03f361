/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/compare.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/expression/plan.h"
#include "service/value/match.h"
#include "service/value/value.h"

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

constexpr kind_set TEXT = 1u << KIND_STRING;

/* Print an expression into the arena. */
static const char *value_sql(struct binder *b, const struct expr *e, struct scope *scope)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);

	print_value(b, &text, e, scope);
	return bind_keep(b, &text);
}

bool kinds_cross_text(kind_set a, kind_set b)
{
	return ((a & KINDS_MOMENTS) && (b & TEXT)) || ((b & KINDS_MOMENTS) && (a & TEXT));
}

bool kinds_cross(kind_set a, kind_set b)
{
	kind_set days = (a | b) & KINDS_DAYS;
	bool several = (days & (days - 1)) != 0 && (a & KINDS_DAYS) && (b & KINDS_DAYS);

	return several || kinds_cross_text(a, b);
}

/* Whether all are of kinds that have one order, in which SQLite has them, too. */
static bool one_order(kind_set kinds)
{
	static const kind_set ORDERS[] = {
		1u << KIND_INT | 1u << KIND_FLOAT,
		1u << KIND_FALSE | 1u << KIND_TRUE,
	};

	kinds &= (kind_set)~KINDS_NULLS;
	for (size_t i = 0; i < countof(ORDERS); i++)
		if ((kinds & ~ORDERS[i]) == 0)
			return true;
	return (kinds & (kinds - 1)) == 0;
}

void put_comparison(struct buf *out, const struct sides *sides)
{
	static const struct {
		const char *operator, * function;
		bool equality;
	} OPERATORS[] = {
		{ "=", "rd_eq", true },	   { "<>", "rd_ne", true },
		{ "<", "rd_lt", false },   { "<=", "rd_le", false },
		{ ">", "rd_gt", false },   { ">=", "rd_ge", false },
		{ "IS", "rd_same", true }, { "IS NOT", "NOT rd_same", true },
	};
	size_t i = 0;

	while (i + 1 < countof(OPERATORS) && strcmp(OPERATORS[i].operator, sides->operator) != 0)
		i++;
	bool plain = OPERATORS[i].equality ? !kinds_cross(sides->left_kinds, sides->right_kinds)
					   : one_order(sides->left_kinds | sides->right_kinds);
	buf_addf(out, "(%s%s", plain ? "" : OPERATORS[i].function, plain ? "" : "(");
	buf_add_str(out, sides->left);
	buf_addf(out, "%s", plain ? " " : ", ");
	buf_addf(out, "%s%s", plain ? sides->operator: "", plain ? " " : "");
	buf_add_str(out, sides->right);
	buf_add_str(out, plain ? ")" : "))");
}

/* A text that is known now: a literal, or a parameter's value. */
static bool text_of(struct binder *b, const struct expr *e, struct value *ret)
{
	const struct sql_parameter *parameter;

	if (e->kind == EXPR_STRING) {
		*ret = (struct value) { .tag = VALUE_STRING,
					.data = (const uint8_t *)e->at->text,
					.len = e->at->len };
		return true;
	}
	parameter = e->kind == EXPR_PARAMETER ? sql_parameter_find(b->ask, e->at->text) : nullptr;
	return parameter && value_open(parameter->packed, parameter->len, ret) &&
	       ret->tag == VALUE_STRING && !ret->escaped;
}

/* The type of moment that all values of such kinds are, or VALUE_NULL. */
static enum value_tag moment_of(kind_set kinds)
{
	static const struct {
		kind_set kind;
		enum value_tag tag;
	} TYPES[] = { { 1u << KIND_DATE, VALUE_DATE },
		      { 1u << KIND_DATETIME, VALUE_DATETIME },
		      { 1u << KIND_TIME, VALUE_TIME },
		      { KINDS_DAYS, VALUE_TIMESTAMP } };

	kinds &= (kind_set)~KINDS_NULLS;
	for (size_t i = 0; i < countof(TYPES) && kinds != 0; i++)
		if ((kinds & ~TYPES[i].kind) == 0)
			return TYPES[i].tag;
	return VALUE_NULL;
}

void check_moment_text(struct binder *b, const struct expr *e, const struct expr *text,
		       struct scope *scope)
{
	enum value_tag type, tag;
	struct value value;
	int64_t us;

	if (b->r || !text_of(b, text, &value))
		return;
	type = moment_of(kinds_of(b, e, scope));
	if (b->r || type == VALUE_NULL ||
	    match_text(type, (const char *)value.data, value.len, &tag, &us))
		return;
	b->r = sql_refuse_at(b->error, text->at, "not_a_moment",
			     "`%.*s` is not an ISO 8601 %s, as what it is compared with.",
			     (int)(value.len < 40 ? value.len : 40), (const char *)value.data,
			     value_type_name(&(struct value) { .tag = type }));
}

void node_as_moment(struct binder *b, const struct expr *e, struct scope *scope,
		    struct node *constant)
{
	static const struct {
		enum value_tag tag;
		enum kind kind;
	} KINDS[] = { { VALUE_DATE, KIND_DATE },
		      { VALUE_DATETIME, KIND_DATETIME },
		      { VALUE_TIMESTAMP, KIND_TIMESTAMP },
		      { VALUE_TIME, KIND_TIME } };
	struct cell *cell = &constant->constant;
	enum value_tag tag;
	int64_t us;

	if (constant->op != OP_CONSTANT || cell->kind != KIND_STRING)
		return;
	enum value_tag type = moment_of(kinds_of(b, e, scope));
	if (type == VALUE_NULL || !match_text(type, cell->s.at, cell->s.len, &tag, &us))
		return;
	for (size_t i = 0; i < countof(KINDS); i++)
		if (KINDS[i].tag == tag)
			*cell = (struct cell) { .kind = KINDS[i].kind, .i = us };
}

void print_pair(struct binder *b, struct buf *out, const struct expr *e, const char *operator,
		struct scope * scope)
{
	check_moment_text(b, e->arg[0], e->arg[1], scope);
	check_moment_text(b, e->arg[1], e->arg[0], scope);
	struct sides sides = { .operator= operator,
			       .left = value_sql(b, e->arg[0], scope),
			       .right = value_sql(b, e->arg[1], scope),
			       .left_kinds = kinds_of(b, e->arg[0], scope),
			       .right_kinds = kinds_of(b, e->arg[1], scope) };
	if (!b->r)
		put_comparison(out, &sides);
}

void print_between(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	kind_set all = 0;

	for (size_t i = 0; i < 3; i++)
		all |= kinds_of(b, e->arg[i], scope);
	for (size_t i = 1; i < 3; i++)
		check_moment_text(b, e->arg[0], e->arg[i], scope);
	bool plain = one_order(all);
	buf_addf(out, "(%s%s", e->negated ? "NOT " : "", plain ? "" : "rd_between(");
	print_value(b, out, e->arg[0], scope);
	buf_add_str(out, plain ? " BETWEEN " : ", ");
	print_value(b, out, e->arg[1], scope);
	buf_add_str(out, plain ? " AND " : ", ");
	print_value(b, out, e->arg[2], scope);
	buf_add_str(out, plain ? ")" : "))");
}

/* x IN (query) */
static void print_in_query(struct binder *b, struct buf *out, const struct expr *e,
			   struct scope *scope)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct output output = {};

	bind_query(b, &text, e->query, scope, 0, false, &output);
	if (!b->r && output.n != 1)
		b->r = sql_refuse_at(b->error, e->at, "column_count",
				     "The query after IN must have one column, not %zu.", output.n);
	if (b->r)
		return;
	const struct column *column = &output.columns[0];
	bool cross = kinds_cross(kinds_of(b, e->arg[0], scope),
				 column->kinds ? column->kinds : KINDS_ALL);
	buf_add_str(out, cross ? "rd_moment(" : "");
	print_value(b, out, e->arg[0], scope);
	buf_addf(out, "%s %sIN (", cross ? ")" : "", e->negated ? "NOT " : "");
	if (cross)
		buf_addf(out, "SELECT rd_moment(%s) FROM (", column->sql);
	buf_add(out, text.data, text.len);
	buf_add_str(out, cross ? "))" : ")");
}

void print_in(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	constexpr size_t members_max = 100; /* of one rd_in() */
	kind_set kinds = kinds_of(b, e->arg[0], scope);
	size_t crossing = 0;

	buf_add_str(out, "(");
	if (e->query) {
		print_in_query(b, out, e, scope);
		buf_add_str(out, ")");
		return;
	}
	const char *operand = value_sql(b, e->arg[0], scope);
	buf_add_str(out, e->negated ? "NOT (" : "(");
	buf_add_str(out, operand);
	buf_add_str(out, " IN (");
	for (size_t i = 1; i < e->n_args && !b->r; i++) {
		check_moment_text(b, e->arg[0], e->arg[i], scope);
		buf_add_str(out, i > 1 ? ", " : "");
		print_value(b, out, e->arg[i], scope);
	}
	buf_add_str(out, ")");
	for (size_t i = 1; i < e->n_args && !b->r; i++) {
		if (!kinds_cross(kinds, kinds_of(b, e->arg[i], scope)))
			continue;
		if (crossing % members_max == 0) {
			buf_add_str(out, crossing ? ") OR rd_in(" : " OR rd_in(");
			buf_add_str(out, operand);
		}
		crossing++;
		buf_add_str(out, ", ");
		print_value(b, out, e->arg[i], scope);
	}
	buf_add_str(out, crossing ? ")))" : "))");
}

bool case_crosses(struct binder *b, const struct expr *e, struct scope *scope)
{
	kind_set kinds = kinds_of(b, e->operand, scope);
	bool cross = false;

	for (size_t i = 0; i + 1 < e->n_args; i += 2) {
		check_moment_text(b, e->operand, e->arg[i], scope);
		cross |= kinds_cross(kinds, kinds_of(b, e->arg[i], scope));
	}
	return cross;
}

/* NOLINTEND(misc-no-recursion) */
