/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"
#include "service/sql/draft.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "service/sql/bind_call.h"
#include "service/sql/compare.h"

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

bool is_moment(enum sql_type type)
{
	return type == TYPE_DATE || type == TYPE_DATETIME || type == TYPE_TIMESTAMP;
}

static enum sql_type type_of_call(struct binder *b, const struct expr *e, struct scope *scope)
{
	const struct function *f = function_find(e->at->text);

	if (!f)
		return TYPE_ANY;
	if (f->type == TYPE_SAME)
		return e->n_args > 0 ? type_of(b, e->arg[0], scope) : TYPE_ANY;
	if (f->type == TYPE_SAME2)
		return e->n_args > 1 ? type_of(b, e->arg[1], scope) : TYPE_ANY;
	return f->type;
}

static enum sql_type type_named(const char *name)
{
	static const struct {
		const char *name;
		enum sql_type type;
	} TYPES[] = { { "date", TYPE_DATE },
		      { "datetime", TYPE_DATETIME },
		      { "time", TYPE_TIME },
		      { "timestamp", TYPE_TIMESTAMP } };

	for (size_t i = 0; i < countof(TYPES); i++)
		if (strcasecmp(TYPES[i].name, name) == 0)
			return TYPES[i].type;
	return TYPE_ANY;
}

/* The type of a + b or a - b. */
static enum sql_type type_of_sum(struct binder *b, const struct expr *e, struct scope *scope)
{
	if (e->at->text[0] != '+' && e->at->text[0] != '-')
		return TYPE_ANY;
	enum sql_type left = type_of(b, e->arg[0], scope), right = type_of(b, e->arg[1], scope);
	if (is_moment(left) && is_moment(right))
		return TYPE_INTERVAL;
	return left != TYPE_ANY && left != TYPE_INTERVAL ? left : right;
}

enum sql_type type_of(struct binder *b, const struct expr *e, struct scope *scope)
{
	struct resolved at;
	enum sql_type type;

	if (b->r)
		return TYPE_ANY;
	if (e->kind == EXPR_CALL)
		return type_of_call(b, e, scope);
	if (e->kind == EXPR_CAST)
		return type_named(e->name[0]->text);
	if (e->kind == EXPR_BINARY)
		return type_of_sum(b, e, scope);
	if (e->kind == EXPR_INTERVAL)
		return TYPE_INTERVAL;
	if (e->kind == EXPR_CASE)
		return e->n_args > 1 ? type_of(b, e->arg[1], scope) : TYPE_ANY;
	if (e->kind == EXPR_AT_ZONE) {
		type = type_of(b, e->arg[0], scope);
		return type == TYPE_TIMESTAMP ? TYPE_DATETIME : TYPE_TIMESTAMP;
	}
	if (e->kind != EXPR_NAME)
		return TYPE_ANY;
	resolve(b, e, scope, &at);
	if (b->r || (!at.alias && at.used < e->n_names))
		return TYPE_ANY;
	if (!at.alias)
		return at.type;
	const struct select_item *aliases = scope->aliases;
	scope->aliases = nullptr;
	type = e->n_names == 1 ? type_of(b, at.alias->expr, scope) : TYPE_ANY;
	scope->aliases = aliases;
	return type;
}

static void print_joined(struct binder *b, struct buf *out, const struct expr *e,
			 struct scope *scope)
{
	for (size_t i = 0; i < e->n_args && !b->r; i++) {
		buf_add_str(out, i == 0 ? "(" : e->kind == EXPR_AND ? " AND " : " OR ");
		print_condition(b, out, e->arg[i], scope);
	}
	buf_add_str(out, ")");
}

static void print_like(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	buf_add_str(out, e->negated ? "(NOT " : "(");
	put_function(b, out, "rd_like", e->at);
	for (size_t i = 0; i < e->n_args; i++) {
		buf_add_str(out, i ? ", " : "");
		print_value(b, out, e->arg[i], scope);
	}
	buf_add_str(out, "))");
}

/* IS [NOT] TRUE, FALSE, NULL, UNDEFINED: never NULL themselves. */
static void print_is(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	buf_add_str(out, "(");
	if (e->kind == EXPR_IS_UNDEFINED)
		print_undefined(b, out, e->arg[0], scope);
	else if (e->kind == EXPR_IS_BOOL)
		print_condition(b, out, e->arg[0], scope);
	else
		print_value(b, out, e->arg[0], scope);
	buf_addf(out, " IS %s%s)", e->negated ? "NOT " : "",
		 e->kind == EXPR_IS_NULL		     ? "NULL"
		 : e->kind == EXPR_IS_UNDEFINED || e->number ? "1"
							     : "0");
}

static void print_exists(struct binder *b, struct buf *out, const struct expr *e,
			 struct scope *scope)
{
	struct output output = {};

	buf_add_str(out, "EXISTS (");
	bind_query(b, out, e->query, scope, 0, false, &output);
	buf_add_str(out, ")");
}

void print_condition(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	if (!bind_goes_on(b))
		return;
	const char *column = grouped_sql(b, e, scope);
	if (column) {
		put_function(b, out, "rd_truth", e->at);
		buf_addf(out, "%s)", column);
		return;
	}
	switch (e->kind) {
	case EXPR_COMPARE:
		print_pair(b, out, e, strcmp(e->at->text, "!=") == 0 ? "<>" : e->at->text, scope);
		return;
	case EXPR_AND:
	case EXPR_OR:
		print_joined(b, out, e, scope);
		return;
	case EXPR_NOT:
		buf_add_str(out, "(NOT ");
		print_condition(b, out, e->arg[0], scope);
		buf_add_str(out, ")");
		return;
	case EXPR_IS_NULL:
	case EXPR_IS_UNDEFINED:
	case EXPR_IS_BOOL:
		print_is(b, out, e, scope);
		return;
	case EXPR_IS_DISTINCT:
		print_pair(b, out, e, e->negated ? "IS" : "IS NOT", scope);
		return;
	case EXPR_LIKE:
		print_like(b, out, e, scope);
		return;
	case EXPR_IN:
		print_in(b, out, e, scope);
		return;
	case EXPR_BETWEEN:
		print_between(b, out, e, scope);
		return;
	case EXPR_EXISTS:
		print_exists(b, out, e, scope);
		return;
	case EXPR_BOOL:
		buf_add_str(out, e->number ? "1" : "0");
		return;
	case EXPR_NULL:
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_PARAMETER:
	case EXPR_NAME:
	case EXPR_GET:
	case EXPR_NEGATE:
	case EXPR_BINARY:
	case EXPR_QUERY:
	case EXPR_CASE:
	case EXPR_CALL:
	case EXPR_CAST:
	case EXPR_ARRAY:
	case EXPR_OBJECT:
	case EXPR_INTERVAL:
	case EXPR_AT_ZONE:
	case EXPR_EXTRACT:
		put_function(b, out, "rd_truth", e->at);
		print_value(b, out, e, scope);
		buf_add_str(out, ")");
		return;
	}
}

/* NOLINTEND(misc-no-recursion) */
