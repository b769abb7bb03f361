/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/compare.h"
#include "service/sql/native.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

/* A side of a comparison with another expression. */
static struct node *side(struct binder *b, struct draft *draft, const struct expr *e,
			 const struct expr *other, struct scope *scope)
{
	check_moment_text(b, other, e, scope);
	struct node *node = draft_node(b, draft, e, scope);
	if (node && node->op == OP_CONSTANT)
		node_as_moment(b, other, scope, node);
	return node;
}

static struct node *compare_node(struct binder *b, struct draft *draft, enum operation op,
				 const struct expr *left, const struct expr *right,
				 struct scope *scope)
{
	struct node *node = node_new(b, op, 2);

	if (!node)
		return nullptr;
	node->condition = true;
	node->arg[0] = side(b, draft, left, right, scope);
	node->arg[1] = node->arg[0] ? side(b, draft, right, left, scope) : nullptr;
	return node->arg[1] ? node : nullptr;
}

static struct node *comparison(struct binder *b, struct draft *draft, const struct expr *e,
			       struct scope *scope)
{
	static const struct {
		const char *text;
		enum operation op;
	} OPERATORS[] = { { "=", OP_EQ },  { "<>", OP_NE }, { "!=", OP_NE }, { "<", OP_LT },
			  { "<=", OP_LE }, { ">", OP_GT },  { ">=", OP_GE } };

	for (size_t i = 0; i < countof(OPERATORS); i++)
		if (strcmp(OPERATORS[i].text, e->at->text) == 0)
			return compare_node(b, draft, OPERATORS[i].op, e->arg[0], e->arg[1], scope);
	return nullptr;
}

/* A node around one condition. */
static struct node *around(struct binder *b, enum operation op, struct node *inside, bool condition)
{
	struct node *node = inside ? node_new(b, op, 1) : nullptr;

	if (node) {
		node->arg[0] = inside;
		node->condition = condition;
	}
	return node;
}

static struct node *negate_if(struct binder *b, bool negated, struct node *node)
{
	return negated ? around(b, OP_NOT, node, true) : node;
}

static struct node *between(struct binder *b, struct draft *draft, const struct expr *e,
			    struct scope *scope)
{
	struct node *node = node_new(b, OP_AND, 2);

	if (!node)
		return nullptr;
	node->condition = true;
	node->arg[0] = compare_node(b, draft, OP_GE, e->arg[0], e->arg[1], scope);
	node->arg[1] =
		node->arg[0] ? compare_node(b, draft, OP_LE, e->arg[0], e->arg[2], scope) : nullptr;
	return node->arg[1] ? negate_if(b, e->negated, node) : nullptr;
}

static struct node *in_list(struct binder *b, struct draft *draft, const struct expr *e,
			    struct scope *scope)
{
	struct node *node = e->query ? nullptr : node_new(b, OP_IN, e->n_args);

	for (size_t i = 0; node && i < e->n_args; i++) {
		node->arg[i] = i == 0 ? draft_node(b, draft, e->arg[0], scope)
				      : side(b, draft, e->arg[i], e->arg[0], scope);
		if (!node->arg[i])
			return nullptr;
	}
	if (node)
		node->condition = true;
	return negate_if(b, e->negated, node);
}

/* AND, OR: all arguments must be conditions that can be nodes. */
static struct node *joined(struct binder *b, struct draft *draft, const struct expr *e,
			   struct scope *scope)
{
	struct node *node = node_new(b, e->kind == EXPR_AND ? OP_AND : OP_OR, e->n_args);

	for (size_t i = 0; node && i < e->n_args; i++) {
		node->arg[i] = draft_condition(b, draft, e->arg[i], scope);
		if (!node->arg[i])
			return nullptr;
	}
	if (node)
		node->condition = true;
	return node;
}

/* x LIKE 'pattern': the pattern must be known now. */
static struct node *like(struct binder *b, struct draft *draft, const struct expr *e,
			 struct scope *scope)
{
	struct node *node = node_with_args(b, draft, OP_LIKE, e, 0, scope);

	for (size_t i = 1; node && i < node->n_args; i++)
		if (node->arg[i]->op != OP_CONSTANT || node->arg[i]->constant.kind != KIND_STRING)
			return nullptr;
	if (node)
		node->condition = true;
	return negate_if(b, e->negated, node);
}

static struct node *is_undefined(struct binder *b, struct draft *draft, const struct expr *e,
				 struct scope *scope)
{
	struct node *field = e->arg[0]->kind == EXPR_NAME || e->arg[0]->kind == EXPR_GET
				     ? draft_node(b, draft, e->arg[0], scope)
				     : nullptr;

	if (!field || field->op != OP_FIELD || !may_be_undefined(b, e->arg[0], scope))
		return nullptr;
	return negate_if(b, e->negated, around(b, OP_IS_MISSING, field, true));
}

struct node *node_condition(struct binder *b, struct draft *draft, const struct expr *e,
			    struct scope *scope)
{
	switch (e->kind) {
	case EXPR_COMPARE:
		return comparison(b, draft, e, scope);
	case EXPR_AND:
	case EXPR_OR:
		return joined(b, draft, e, scope);
	case EXPR_NOT:
		return negate_if(b, true, draft_condition(b, draft, e->arg[0], scope));
	case EXPR_IS_NULL:
		return negate_if(
			b, e->negated,
			around(b, OP_IS_NULL, draft_node(b, draft, e->arg[0], scope), true));
	case EXPR_IS_UNDEFINED:
		return is_undefined(b, draft, e, scope);
	case EXPR_IS_BOOL:
		return negate_if(b, e->negated,
				 around(b, e->number ? OP_IS_TRUE : OP_IS_FALSE,
					draft_condition(b, draft, e->arg[0], scope), true));
	case EXPR_LIKE:
		return like(b, draft, e, scope);
	case EXPR_IN:
		return in_list(b, draft, e, scope);
	case EXPR_BETWEEN:
		return between(b, draft, e, scope);
	case EXPR_BOOL:
		return node_constant(b,
				     &(struct cell) { .kind = e->number ? KIND_TRUE : KIND_FALSE });
	case EXPR_NULL:
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_PARAMETER:
	case EXPR_NAME:
	case EXPR_GET:
	case EXPR_NEGATE:
	case EXPR_BINARY:
	case EXPR_IS_DISTINCT:
	case EXPR_EXISTS:
	case EXPR_QUERY:
	case EXPR_CASE:
	case EXPR_CALL:
	case EXPR_CAST:
	case EXPR_ARRAY:
	case EXPR_OBJECT:
	case EXPR_INTERVAL:
	case EXPR_AT_ZONE:
	case EXPR_EXTRACT:
		return nullptr;
	}
	return nullptr;
}

bool is_condition(const struct expr *e)
{
	switch (e->kind) {
	case EXPR_COMPARE:
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
	case EXPR_IS_NULL:
	case EXPR_IS_UNDEFINED:
	case EXPR_IS_BOOL:
	case EXPR_IS_DISTINCT:
	case EXPR_LIKE:
	case EXPR_IN:
	case EXPR_BETWEEN:
	case EXPR_EXISTS:
	case EXPR_BOOL:
		return true;
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
		return false;
	}
	return false;
}

struct node *draft_condition(struct binder *b, struct draft *draft, const struct expr *e,
			     struct scope *scope)
{
	struct place before = b->at;

	b->at = (struct place) { e->at->line, e->at->column };
	struct node *node = is_condition(e)
				    ? node_condition(b, draft, e, scope)
				    : around(b, OP_TRUTH, draft_node(b, draft, e, scope), true);
	b->at = before;
	return node;
}

/* NOLINTEND(misc-no-recursion) */
