/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/draft.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A SELECT with GROUP BY or aggregates whose keys and arguments are all nodes becomes a grouped pipe: what is left for
 * SQLite are expressions over the keys and aggregates, which are columns by then.
 */

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

static bool is_aggregate(const struct expr *e)
{
	const struct function *f = e->kind == EXPR_CALL ? function_find(e->at->text) : nullptr;

	return f && !e->window &&
	       (f->kind == FUNCTION_AGGREGATE || f->kind == FUNCTION_COUNT ||
		f->kind == FUNCTION_COUNT_IF || f->kind == FUNCTION_BOOL_AND ||
		f->kind == FUNCTION_BOOL_OR);
}

/* COUNT_IF(condition): the count of 1 where it holds. */
static struct node *one_if(struct binder *b, struct node *condition)
{
	struct node *node = bind_node(b, sizeof(*node)), *one = bind_node(b, sizeof(*one));
	struct node **arg = bind_node(b, 2 * sizeof(struct node *));

	if (!node || !one || !arg || !condition)
		return nullptr;
	*one = (struct node) { .op = OP_CONSTANT, .constant = { .kind = KIND_INT, .i = 1 } };
	arg[0] = condition;
	arg[1] = one;
	*node = (struct node) { .op = OP_IF, .arg = arg, .n_args = 2 };
	return node;
}

/* Which aggregate a call is. Returns whether it can be a native one. */
static bool aggregate_of(struct binder *b, struct draft *draft, const struct expr *e,
			 struct scope *scope, struct aggregate *ret)
{
	static const struct {
		const char *sql;
		enum aggregate_kind kind;
	} KINDS[] = { { "count", AGGREGATE_COUNT },
		      { "distinct", AGGREGATE_COUNT_DISTINCT },
		      { "rd_sum", AGGREGATE_SUM },
		      { "rd_avg", AGGREGATE_AVG } };
	const struct function *f = function_find(e->at->text);
	size_t i = 0;

	*ret = (struct aggregate) { .at = { e->at->line, e->at->column } };
	if (!f || e->order || e->n_args < f->min || (!e->star && e->n_args > f->max))
		return false;
	if (f->kind == FUNCTION_COUNT_IF || f->kind == FUNCTION_BOOL_AND ||
	    f->kind == FUNCTION_BOOL_OR) {
		struct node *condition = draft_condition(b, draft, e->arg[0], scope);

		ret->kind = f->kind == FUNCTION_COUNT_IF   ? AGGREGATE_COUNT
			    : f->kind == FUNCTION_BOOL_AND ? AGGREGATE_ALL_TRUE
							   : AGGREGATE_ANY_TRUE;
		ret->arg = f->kind == FUNCTION_COUNT_IF ? one_if(b, condition) : condition;
		return ret->arg && !e->distinct;
	}
	if (strcmp(f->name, "MIN") == 0 || strcmp(f->name, "MAX") == 0) {
		ret->kind = f->name[1] == 'I' ? AGGREGATE_MIN : AGGREGATE_MAX;
	} else {
		while (i < countof(KINDS) && strcmp(KINDS[i].sql, f->sql) != 0)
			i++;
		if (i == countof(KINDS))
			return false;
		ret->kind = KINDS[i].kind;
	}
	if (e->distinct && ret->kind != AGGREGATE_COUNT && ret->kind != AGGREGATE_COUNT_DISTINCT &&
	    ret->kind != AGGREGATE_MIN && ret->kind != AGGREGATE_MAX)
		return false;
	if (e->distinct && ret->kind == AGGREGATE_COUNT)
		ret->kind = AGGREGATE_COUNT_DISTINCT;
	if (e->star || e->n_args == 0)
		return ret->kind == AGGREGATE_COUNT;
	ret->arg = draft_node(b, draft, e->arg[0], scope);
	return ret->arg != nullptr;
}

/* The key that an expression is, or SIZE_MAX. */
static size_t key_of(struct binder *b, struct draft *draft, const struct expr *e,
		     struct scope *scope)
{
	size_t fields = draft->fields.n;
	struct node *node = draft_node(b, draft, e, scope);

	draft->fields.n = fields; /* a key's fields are there already */
	for (size_t i = 0; node && i < draft->outputs.n; i++)
		if (node_equal(draft->outputs.item[i], node))
			return i;
	return SIZE_MAX;
}

static bool all_covered(struct binder *b, struct draft *draft, struct expr *const *e, size_t n,
			struct scope *scope)
{
	for (size_t i = 0; i < n; i++)
		if (!grouped_covers(b, draft, e[i], scope))
			return false;
	return true;
}

const struct expr *behind_alias(struct binder *b, const struct expr *e, struct scope *scope)
{
	struct resolved at;

	if (e->kind != EXPR_NAME || e->n_names != 1)
		return nullptr;
	resolve(b, e, scope, &at);
	return !b->r && at.alias ? at.alias->expr : nullptr;
}

bool grouped_covers(struct binder *b, struct draft *draft, const struct expr *e,
		    struct scope *scope)
{
	struct aggregate aggregate;

	if (b->r || e->window || e->query)
		return false;
	if (is_aggregate(e)) {
		const struct select_item *aliases = scope->aliases;

		scope->aliases = nullptr; /* SUM(x) AS x: inside, x is the field */
		bool good = aggregate_of(b, draft, e, scope, &aggregate);
		scope->aliases = aliases;
		return good;
	}
	if (is_constant(b, e) || key_of(b, draft, e, scope) != SIZE_MAX)
		return true;
	const struct expr *alias = behind_alias(b, e, scope);
	if (alias) {
		const struct select_item *aliases = scope->aliases;

		scope->aliases = nullptr;
		bool good = grouped_covers(b, draft, alias, scope);
		scope->aliases = aliases;
		return good;
	}
	if (e->kind == EXPR_NAME || (e->kind == EXPR_CALL && e->n_args == 0))
		return false;
	return all_covered(b, draft, e->arg, e->n_args, scope) &&
	       (!e->operand || grouped_covers(b, draft, e->operand, scope)) &&
	       (!e->otherwise || grouped_covers(b, draft, e->otherwise, scope));
}

/* NOLINTEND(misc-no-recursion) */

const char *grouped_sql(struct binder *b, const struct expr *e, struct scope *scope)
{
	struct draft *draft = scope->grouped;
	struct aggregate aggregate;
	size_t column;

	for (size_t i = 0; i < scope->n_arguments; i++)
		if (scope->argument[i] == e)
			return bind_text(b, "?%zu", i + 1);
	if (!draft || b->r || is_constant(b, e))
		return nullptr;
	if (is_aggregate(e)) {
		const struct select_item *aliases = scope->aliases;

		scope->aliases = nullptr;
		bool good = aggregate_of(b, draft, e, scope, &aggregate);
		scope->aliases = aliases;
		if (!good)
			return nullptr;
		column = draft_aggregate(b, draft, &aggregate);
	} else {
		column = key_of(b, draft, e, scope);
	}
	return column == SIZE_MAX ? nullptr : bind_text(b, "%s.c%zu", draft->sql, column);
}

static bool has_aggregate_items(const struct core *core)
{
	for (const struct select_item *i = core->items; i; i = i->next)
		if (i->expr && has_aggregate(i->expr))
			return true;
	return core->having && has_aggregate(core->having);
}

/* NOLINTBEGIN(misc-no-recursion): as above. */

bool has_aggregate(const struct expr *e)
{
	if (is_aggregate(e))
		return true;
	for (size_t i = 0; i < e->n_args; i++)
		if (has_aggregate(e->arg[i]))
			return true;
	return (e->operand && has_aggregate(e->operand)) ||
	       (e->otherwise && has_aggregate(e->otherwise));
}

/* NOLINTEND(misc-no-recursion) */

/* Whether everything that is computed from the groups is made of keys and aggregates. */
static bool all_items_covered(struct binder *b, struct draft *draft, const struct core *core,
			      const struct order_item *order, struct scope *scope)
{
	for (const struct select_item *i = core->items; i; i = i->next)
		if (!i->expr || !grouped_covers(b, draft, i->expr, scope))
			return false;
	scope->aliases = core->items;
	bool good = !core->having || grouped_covers(b, draft, core->having, scope);
	for (const struct order_item *i = order; good && i; i = i->next) {
		const struct expr *e = item_meant(b, core, i->expr, true);

		good = e && grouped_covers(b, draft, e, scope);
	}
	scope->aliases = nullptr;
	return good;
}

bool grouped_try(struct binder *b, struct draft *draft, const struct core *core,
		 const struct order_item *order, struct scope *scope)
{
	struct draft before = *draft;
	bool good = draft->outputs.n == 0 && (core->n_group > 0 || has_aggregate_items(core));

	scope->aliases = core->items;
	for (size_t i = 0; good && i < core->n_group; i++) {
		const struct expr *e = item_meant(b, core, core->group[i], false);
		struct node *key = e ? draft_node(b, draft, e, scope) : nullptr;

		good = key && !has_aggregate(e);
		if (good)
			(void)draft_output(b, draft, key);
	}
	scope->aliases = nullptr;
	good = good && all_items_covered(b, draft, core, order, scope);
	if (!good) {
		*draft = before;
		return false;
	}
	draft->grouped = true;
	scope->grouped = draft;
	return true;
}
