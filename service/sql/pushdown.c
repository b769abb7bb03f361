/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/pushdown.h"
#include "service/sql/compare.h"

#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/value/value.h"

/*
 * Which parts of FROM, WHERE, ORDER BY and LIMIT a pipe does. What it does not do is printed for SQLite.
 */

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

/* The sources that a node's fields belong to, one bit each. */
static uint64_t sources_of(const struct draft *draft, const struct node *node)
{
	uint64_t set = 0;

	if (node->op == OP_FIELD)
		set = 1ull << ((const struct field *)draft->fields.item[node->field])->source;
	for (size_t i = 0; i < node->n_args; i++)
		set |= sources_of(draft, node->arg[i]);
	return set;
}

/* Call fn for each condition that a condition is the conjunction of, until it returns false. */
typedef bool conjunct_fn(void *userdata, const struct expr *e);

static bool each_conjunct(const struct expr *e, conjunct_fn *fn, void *userdata)
{
	if (e->kind != EXPR_AND)
		return fn(userdata, e);
	for (size_t i = 0; i < e->n_args; i++)
		if (!each_conjunct(e->arg[i], fn, userdata))
			return false;
	return true;
}

/* NOLINTEND(misc-no-recursion) */

constexpr size_t JOINS_MAX = 16; /* in one pipe; further ones are SQLite's */

/* A join on its way into a draft. */
struct joining {
	struct binder *b;
	struct draft *draft;
	struct scope *scope;
	uint32_t index; /* of the source that joins */
	struct join join;
	struct vec inner; /* conditions on it alone */
	struct vec later; /* conditions on all, for an inner join */
};

/* Take a = b for the key if one side is the joining source's and the other is not, and no text can be equal to a moment. */
static bool take_key(struct joining *j, const struct expr *e, const struct node *node)
{
	uint64_t self = 1ull << j->index;

	if (node->op != OP_EQ || j->join.outer_key)
		return false;
	uint64_t left = sources_of(j->draft, node->arg[0]),
		 right = sources_of(j->draft, node->arg[1]);
	bool swapped = left == self;
	if (swapped ? right == 0 || (right & self) : right != self || left == 0 || (left & self))
		return false;
	if (kinds_cross_text(kinds_of(j->b, e->arg[0], j->scope),
			     kinds_of(j->b, e->arg[1], j->scope)))
		return false;
	j->join.inner_key = node->arg[swapped ? 0 : 1];
	j->join.outer_key = node->arg[swapped ? 1 : 0];
	return true;
}

static bool take_conjunct(void *userdata, const struct expr *e)
{
	struct joining *j = userdata;
	struct node *node = draft_condition(j->b, j->draft, e, j->scope);

	if (!node)
		return false;
	if (take_key(j, e, node))
		return true;
	bool alone = sources_of(j->draft, node) == 1ull << j->index;
	vec_add(j->b, alone ? &j->inner : &j->later, node);
	return alone || !j->join.left;
}

/*
 * Only what can be the key is taken from WHERE; WHERE as a whole is looked at later, when all sources are in sight: a name
 * that means nothing yet is no error.
 */
static bool look_for_key(void *userdata, const struct expr *e)
{
	struct joining *j = userdata;
	struct sql_error before = *j->b->error;
	struct node *node =
		e->kind == EXPR_COMPARE ? draft_condition(j->b, j->draft, e, j->scope) : nullptr;

	if (j->b->r == SQL_REFUSED) {
		j->b->r = 0;
		*j->b->error = before;
		return true;
	}
	return !node || !take_key(j, e, node);
}

static struct node *all_of(struct binder *b, const struct vec *list)
{
	struct node *node = list->n > 1 ? bind_node(b, sizeof(*node)) : nullptr;

	if (list->n < 2)
		return list->n ? (struct node *)(uintptr_t)list->item[0] : nullptr;
	if (node)
		*node = (struct node) { .op = OP_AND,
					.arg = (struct node **)(uintptr_t)list->item,
					.n_args = list->n,
					.condition = true };
	return node;
}

/* x = x of the two sides of USING (x). */
static bool take_using(struct joining *j, const struct from_item *item, struct source *source)
{
	struct scope right = { .sources = source };
	struct expr name = {
		.kind = EXPR_NAME, .at = item->using[0], .name = item->using, .n_names = 1
	};

	if (item->n_using != 1)
		return false;
	j->join.outer_key = draft_node(j->b, j->draft, &name, j->scope);
	j->join.inner_key = draft_node(j->b, j->draft, &name, &right);
	if (kinds_cross_text(kinds_of(j->b, &name, j->scope), kinds_of(j->b, &name, &right)))
		return false;
	return j->join.outer_key && j->join.inner_key;
}

bool pushdown_join(struct binder *b, struct draft *draft, struct source *source,
		   const struct expr *where, struct scope *scope)
{
	const struct from_item *item = source->item;
	struct draft before = *draft;
	struct joining j = { .b = b,
			     .draft = draft,
			     .scope = scope,
			     .index = (uint32_t)draft->joins.n + 1,
			     .join = { .snapshot = source->snapshot,
				       .left = item->join == JOIN_LEFT } };
	bool cross = item->join == JOIN_COMMA || item->join == JOIN_CROSS;

	if (!source->snapshot || j.index > JOINS_MAX || draft->unnest || item->join > JOIN_LEFT ||
	    draft->outputs.n > 0)
		return false;
	source->draft = draft;
	source->index = j.index;
	struct source **end = &scope->sources;
	while (*end)
		end = &(*end)->next;
	bool good = item->n_using == 0 || take_using(&j, item, source);
	*end = source; /* a condition sees the new source as well */
	if (item->on)
		good = each_conjunct(item->on, take_conjunct, &j);
	else if (cross && where)
		(void)each_conjunct(where, look_for_key, &j);
	*end = nullptr;
	good = good && j.join.outer_key;
	struct join *join = good ? bind_node(b, sizeof(*join)) : nullptr;
	if (!join) {
		*draft = before;
		source->draft = nullptr;
		source->index = 0;
		return false;
	}
	*join = j.join;
	join->inner_filter = all_of(b, &j.inner);
	vec_add(b, &draft->joins, join);
	for (size_t i = 0; i < j.later.n; i++)
		vec_add(b, &draft->filter, j.later.item[i]);
	if (item->n_using > 0)
		vec_add(b, &scope->using, item->using[0]->text);
	return true;
}

bool pushdown_unnest(struct binder *b, struct draft *draft, struct source *source,
		     struct scope *scope)
{
	const struct from_item *item = source->item;
	size_t fields = draft->fields.n;

	if (draft->unnest || draft->joins.n > 0 || draft->outputs.n > 0 || item->ordinality ||
	    item->on || (item->element && item->value) || item->join > JOIN_INNER)
		return false;
	struct node *array = draft_node(b, draft, item->unnest, scope);
	if (!array || array->op != OP_FIELD ||
	    ((const struct field *)draft->fields.item[array->field])->in_element) {
		draft->fields.n = fields;
		return false;
	}
	draft->unnest = draft->fields.item[array->field];
	draft->unnest_at = array->at;
	source->draft = draft;
	source->element = true;
	return true;
}

/* Whether conditions may be tested before the joins: not where an outer join makes up rows of this source. */
static bool may_filter(const struct scope *scope, const struct source *source)
{
	for (const struct source *s = scope->sources; s; s = s->next)
		if (s->item->join > JOIN_LEFT)
			return false;
	return source->item->join != JOIN_LEFT;
}

struct filtering {
	struct binder *b;
	struct buf *out;
	struct scope *scope;
	size_t printed;
};

/* Give a condition to the first pipe that can take it, else print it. */
static bool filter_conjunct(void *userdata, const struct expr *e)
{
	struct filtering *f = userdata;

	for (struct source *s = f->scope->sources; s && !f->b->r; s = s->next) {
		if (f->b->ask->way != SQL_PIPES || !s->draft || s->sql != s->draft->sql ||
		    !may_filter(f->scope, s))
			continue;
		struct node *node = draft_condition(f->b, s->draft, e, f->scope);
		if (node) {
			vec_add(f->b, &s->draft->filter, node);
			return !f->b->r;
		}
	}
	buf_add_str(f->out, f->printed++ ? " AND " : " WHERE ");
	print_condition(f->b, f->out, e, f->scope);
	return !f->b->r;
}

bool pushdown_where(struct binder *b, struct buf *out, const struct expr *where,
		    struct scope *scope)
{
	struct filtering f = { .b = b, .out = out, .scope = scope };

	if (where)
		(void)each_conjunct(where, filter_conjunct, &f);
	return f.printed == 0;
}

struct draft *pushdown_whole(const struct scope *scope)
{
	struct draft *draft = scope->sources ? scope->sources->draft : nullptr;

	for (const struct source *s = scope->sources; s; s = s->next)
		if (s->draft != draft)
			return nullptr;
	return draft;
}

/* A LIMIT or OFFSET that is known now. */
static bool bound_of(struct binder *b, const struct expr *e, int64_t *ret)
{
	const struct sql_parameter *parameter;
	struct value value;

	if (e->kind == EXPR_NUMBER && e->at->kind == TOKEN_INT) {
		*ret = strtoll(e->at->text, nullptr, 10);
		return true;
	}
	parameter = e->kind == EXPR_PARAMETER ? sql_parameter_find(b->ask, e->at->text) : nullptr;
	if (!parameter || !value_open(parameter->packed, parameter->len, &value) ||
	    value.tag != VALUE_NUMBER || !value.is_int)
		return false;
	*ret = value.i;
	return true;
}

/* The rows that LIMIT and OFFSET let through in all; -1: any number, or not known. */
static int64_t rows_wanted(struct binder *b, const struct query *query, int64_t row_limit)
{
	int64_t limit = row_limit > 0 ? row_limit : -1, offset = 0, total;

	if (query->limit && !bound_of(b, query->limit, &limit))
		return -1;
	if (query->offset && !bound_of(b, query->offset, &offset))
		return -1;
	if (limit < 0 || offset < 0 || ckd_add(&total, limit, offset))
		return -1;
	return total;
}

/* NOLINTBEGIN(misc-no-recursion): as above. */

static bool has_window(const struct expr *e)
{
	if (e->window)
		return true;
	for (size_t i = 0; i < e->n_args; i++)
		if (has_window(e->arg[i]))
			return true;
	return (e->operand && has_window(e->operand)) || (e->otherwise && has_window(e->otherwise));
}

/* NOLINTEND(misc-no-recursion) */

/* The pipe's column that an item of ORDER BY is, or SIZE_MAX. */
static size_t order_column(struct binder *b, struct draft *draft, const struct expr *e,
			   struct scope *scope)
{
	if (draft->grouped) {
		const char *sql = grouped_sql(b, e, scope);
		const struct expr *alias = sql ? nullptr : behind_alias(b, e, scope);

		if (alias) {
			const struct select_item *aliases = scope->aliases;

			scope->aliases = nullptr;
			sql = grouped_sql(b, alias, scope);
			scope->aliases = aliases;
		}
		return sql ? strtoul(strrchr(sql, 'c') + 1, nullptr, 10) : SIZE_MAX;
	}
	struct node *node = draft_node(b, draft, e, scope);
	return node ? draft_output(b, draft, node) : SIZE_MAX;
}

bool pushdown_order(struct binder *b, struct draft *draft, const struct core *core,
		    const struct query *query, int64_t row_limit, struct scope *scope)
{
	int64_t rows = rows_wanted(b, query, row_limit);
	struct vec order = {};

	if (core->having)
		rows = -1; /* SQLite drops some of them yet */
	if (core->distinct || (rows < 0 && !query->order))
		return false;
	for (const struct select_item *i = core->items; i; i = i->next)
		if (i->expr && has_window(i->expr))
			return false;
	for (const struct order_item *i = query->order; i && !b->r; i = i->next) {
		const struct expr *e = item_meant(b, core, i->expr, true);
		size_t column = e ? order_column(b, draft, e, scope) : SIZE_MAX;
		struct order_by *by = column == SIZE_MAX ? nullptr : bind_node(b, sizeof(*by));

		if (!by)
			return false;
		*by = (struct order_by) { .column = (uint32_t)column,
					  .descending = i->descending,
					  .nulls_last =
						  i->nulls == NULLS_LAST ||
						  (i->nulls == NULLS_DEFAULT && i->descending) };
		vec_add(b, &order, by);
	}
	draft->order = order;
	draft->limit = rows;
	return order.n > 0;
}
