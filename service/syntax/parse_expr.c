/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include "service/syntax/parse_internal.h"
#include "service/syntax/parse_tree.h"

static uint16_t deeper(uint16_t depth, const struct expr *child)
{
	return child && child->depth > depth ? child->depth : depth;
}

struct expr *expr_make(struct parser *p, enum expr_kind kind, const struct token *at)
{
	struct expr *expr = node(p, sizeof(*expr));

	if (expr) {
		expr->kind = kind;
		expr->at = at;
	}
	return expr;
}

struct expr *expr_finish(struct parser *p, struct expr *expr)
{
	uint16_t depth = 0;

	if (!expr || p->r)
		return nullptr;
	for (size_t i = 0; i < expr->n_args; i++)
		depth = deeper(depth, expr->arg[i]);
	depth = deeper(deeper(depth, expr->operand), expr->otherwise);
	expr->depth = (uint16_t)(depth + 1);
	if (expr->depth > EXPR_DEPTH_MAX)
		refuse_at(p, expr->at, "This expression is nested too deeply.");
	return p->r ? nullptr : expr;
}

void expr_take(struct expr *expr, const struct list *args)
{
	if (!expr || !args)
		return;
	expr->arg = (struct expr **)(uintptr_t)args->item;
	expr->n_args = args->n;
}

static struct expr *with_name(struct parser *p, struct expr *expr, const struct token *name)
{
	struct list names = {};

	list_add(p, &names, name);
	if (!expr || p->r)
		return nullptr;
	expr->name = (const struct token **)(uintptr_t)names.item;
	expr->n_names = names.n;
	return expr;
}

struct expr *tree_literal(struct parser *p, enum expr_kind kind, const struct token *at,
			  int64_t number)
{
	struct expr *expr = expr_make(p, kind, at);

	if (expr)
		expr->number = number;
	return expr_finish(p, expr);
}

struct expr *tree_of(struct parser *p, enum expr_kind kind, const struct token *at, struct expr *a,
		     struct expr *b, struct expr *c)
{
	struct expr *expr = expr_make(p, kind, at), *const all[] = { a, b, c };
	struct list args = {};

	for (size_t i = 0; i < countof(all); i++)
		if (all[i])
			list_add(p, &args, all[i]);
	expr_take(expr, &args);
	return expr_finish(p, expr);
}

struct expr *tree_negated(struct expr *expr)
{
	if (expr)
		expr->negated = true;
	return expr;
}

/* One that is negated if the words it is at begin with NOT. */
static struct expr *perhaps_negated(struct expr *expr)
{
	if (expr && (expr->at->text[0] == 'n' || expr->at->text[0] == 'N'))
		expr->negated = true;
	return expr;
}

struct expr *tree_test(struct parser *p, enum expr_kind kind, const struct token *at,
		       struct expr *a, struct expr *b, struct expr *c)
{
	return perhaps_negated(tree_of(p, kind, at, a, b, c));
}

struct expr *tree_named(struct parser *p, enum expr_kind kind, const struct token *at,
			struct expr *arg, const struct token *name)
{
	return with_name(p, tree_of(p, kind, at, arg, nullptr, nullptr), name);
}

struct expr *tree_listed(struct parser *p, enum expr_kind kind, const struct token *at,
			 const struct list *args)
{
	struct expr *expr = expr_make(p, kind, at);

	expr_take(expr, args);
	return expr_finish(p, expr);
}

struct expr *tree_asking(struct parser *p, enum expr_kind kind, const struct token *at,
			 struct query *query)
{
	struct expr *expr = expr_make(p, kind, at);

	if (expr)
		expr->query = query;
	return expr_finish(p, expr);
}

struct expr *tree_name(struct parser *p, const struct token *name)
{
	return expr_finish(p, with_name(p, expr_make(p, EXPR_NAME, name), name));
}

void tree_add_name(struct parser *p, struct expr *expr, const struct token *name)
{
	if (!expr)
		return;

	struct list names = { (void **)(uintptr_t)expr->name, expr->n_names };
	list_add(p, &names, name);
	expr->name = (const struct token **)(uintptr_t)names.item;
	expr->n_names = names.n;
}

struct expr *tree_joined(struct parser *p, enum expr_kind kind, const struct token *at,
			 struct expr *a, struct expr *b)
{
	if (!a || a->kind != kind)
		return tree_of(p, kind, at, a, b, nullptr);

	struct list args = { (void **)(uintptr_t)a->arg, a->n_args };
	list_add(p, &args, b);
	expr_take(a, &args);
	if (b &&
	    b->depth >= a->depth) /* only now: a list of thousands is not looked through for each */
		return expr_finish(p, a);
	return p->r ? nullptr : a;
}

struct expr *tree_is_bool(struct parser *p, const struct token *at, struct expr *a, bool value)
{
	struct expr *expr = tree_test(p, EXPR_IS_BOOL, at, a, nullptr, nullptr);

	if (expr)
		expr->number = value;
	return expr;
}

struct expr *tree_ilike(struct parser *p, const struct token *at, struct expr *a, struct expr *b,
			struct expr *escape)
{
	return tree_test(p, EXPR_LIKE, at, call_of(p, at, "LOWER", a, nullptr, nullptr),
			 call_of(p, at, "LOWER", b, nullptr, nullptr), escape);
}

struct expr *tree_in(struct parser *p, const struct token *at, struct expr *a,
		     const struct list *list, struct query *query)
{
	struct expr *expr = expr_make(p, EXPR_IN, at);
	struct list args = {};

	list_add(p, &args, a);
	for (size_t i = 0; list && i < list->n; i++)
		list_add(p, &args, list->item[i]);
	expr_take(expr, &args);
	if (expr)
		expr->query = query;
	return perhaps_negated(expr_finish(p, expr));
}

struct expr *tree_case(struct parser *p, const struct token *at, struct expr *operand,
		       const struct list *whens, struct expr *otherwise)
{
	struct expr *expr = expr_make(p, EXPR_CASE, at);

	expr_take(expr, whens);
	if (expr) {
		expr->operand = operand;
		expr->otherwise = otherwise;
	}
	return expr_finish(p, expr);
}

struct expr *tree_word(struct parser *p, struct expr *name)
{
	static const char *const CALLS[] = { "CURRENT_TIMESTAMP", "CURRENT_DATETIME",
					     "CURRENT_DATE", "CURRENT_TIME" };

	if (!name || name->n_names != 1 || name->at->kind != TOKEN_WORD)
		return name;
	for (size_t i = 0; i < countof(CALLS); i++)
		if (strcasecmp(name->at->text, CALLS[i]) == 0)
			return tree_of(p, EXPR_CALL, name->at, nullptr, nullptr, nullptr);
	return name;
}
