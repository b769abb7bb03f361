/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "service/function/function.h"
#include "service/syntax/parse_query.h"
#include "service/syntax/parse_tree.h"

constexpr size_t SETS_MAX = 64; /* parts of the UNION ALL they become; SQLite takes 100 */
constexpr size_t CUBE_MAX = 6;	/* 2^6 sets */

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

/* --- sets of sets --------------------------------------------------------------------------- */

void tree_add_set(struct parser *p, struct list *sets, struct list *set)
{
	if (sets && sets->n == SETS_MAX)
		refuse_at(p, p->at, "GROUP BY has more than 64 grouping sets.");
	list_add(p, sets, set);
}

/* A set of its own at the end of sets, or nullptr. */
static struct list *new_set(struct parser *p, struct list *sets)
{
	struct list *set = list_none(p);

	tree_add_set(p, sets, set);
	return p->r ? nullptr : set;
}

static void add_all(struct parser *p, struct list *to, const struct list *from)
{
	for (size_t i = 0; i < from->n; i++)
		list_add(p, to, from->item[i]);
}

struct list *tree_rollup(struct parser *p, const struct list *parts)
{
	struct list *sets = list_none(p);

	for (size_t n = parts ? parts->n + 1 : 0; n > 0 && !p->r; n--) {
		struct list *set = new_set(p, sets);

		for (size_t i = 0; set && i + 1 < n; i++)
			add_all(p, set, parts->item[i]);
	}
	return sets;
}

struct list *tree_cube(struct parser *p, const struct token *at, const struct list *parts)
{
	struct list *sets = list_none(p);

	if (parts && parts->n > CUBE_MAX)
		refuse_at(p, at, "CUBE takes at most 6 expressions.");
	if (p->r || !parts)
		return nullptr;
	for (size_t without = 0; without < (size_t)1 << parts->n && !p->r; without++) {
		struct list *set = new_set(p, sets);

		for (size_t i = 0; set && i < parts->n; i++)
			if (!(without >> (parts->n - 1 - i) & 1))
				add_all(p, set, parts->item[i]);
	}
	return sets;
}

/* Each of some sets together with each of others. */
static struct list *product(struct parser *p, const struct list *sets, const struct list *with)
{
	struct list *all = list_none(p);

	for (size_t i = 0; !p->r && i < sets->n; i++)
		for (size_t k = 0; !p->r && k < with->n; k++) {
			struct list *set = new_set(p, all);

			if (!set)
				return nullptr;
			add_all(p, set, sets->item[i]);
			add_all(p, set, with->item[k]);
		}
	return all;
}

/* --- comparing expressions ------------------------------------------------------------------ */

static bool same_text(const struct token *a, const struct token *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Whether two names may be the same field: city is c.city as well. */
static bool same_names(const struct expr *a, const struct expr *b)
{
	size_t n = a->n_names < b->n_names ? a->n_names : b->n_names;

	for (size_t i = 1; i <= n; i++)
		if (!same_text(a->name[a->n_names - i], b->name[b->n_names - i]))
			return false;
	return a->kind == EXPR_NAME || a->n_names == b->n_names;
}

static bool same(const struct expr *a, const struct expr *b)
{
	if (!a || !b)
		return a == b;
	bool literal = a->kind == EXPR_STRING || a->kind == EXPR_NUMBER ||
		       a->kind == EXPR_PARAMETER || a->kind == EXPR_BINARY ||
		       a->kind == EXPR_COMPARE;
	bool word = a->kind == EXPR_CALL && b->kind == EXPR_CALL &&
		    strcasecmp(a->at->text, b->at->text) != 0;

	if (a->kind != b->kind || a->negated != b->negated || a->number != b->number ||
	    a->n_args != b->n_args || a->query || b->query || a->window || b->window || word ||
	    (literal && !same_text(a->at, b->at)) || !same_names(a, b))
		return false;
	for (size_t i = 0; i < a->n_args; i++)
		if (!same(a->arg[i], b->arg[i]))
			return false;
	return same(a->operand, b->operand) && same(a->otherwise, b->otherwise);
}

static bool is_in(const struct list *list, const struct expr *e)
{
	for (size_t i = 0; i < list->n; i++)
		if (same(list->item[i], e))
			return true;
	return false;
}

static bool is_subset(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!is_in(b, a->item[i]))
			return false;
	return true;
}

/* GROUP BY DISTINCT: of equal sets the first is kept. */
static void drop_repeated(struct list *sets)
{
	size_t kept = 0;

	for (size_t i = 0; i < sets->n; i++) {
		struct list *set = sets->item[i];
		bool again = false;

		for (size_t k = 0; k < kept; k++) {
			const struct list *before = sets->item[k];

			again |= is_subset(set, before) && is_subset(before, set);
		}
		if (!again)
			sets->item[kept++] = set;
	}
	sets->n = kept;
}

struct list *tree_group(struct parser *p, bool distinct, const struct list *groupings)
{
	struct list *sets = list_one(p, list_none(p));

	for (size_t i = 0; !p->r && i < groupings->n; i++)
		sets = product(p, sets, groupings->item[i]);
	if (!p->r && distinct)
		drop_repeated(sets);
	return sets;
}

/* --- one core for each set ------------------------------------------------------------------ */

/* What one core of several is made with. */
struct expansion {
	struct parser *p;
	const struct list *by;	/* its own set */
	const struct list *all; /* whatever any of the sets has */
};

static bool is_aggregate(const struct expr *e)
{
	const struct function *f = e->kind == EXPR_CALL ? function_find(e->at->text) : nullptr;

	return f && !e->window && function_is_aggregate(f) && f->kind != FUNCTION_WINDOW;
}

static bool has_aggregate(const struct expr *e)
{
	if (!e)
		return false;
	if (is_aggregate(e) || has_aggregate(e->operand) || has_aggregate(e->otherwise))
		return true;
	for (size_t i = 0; i < e->n_args; i++)
		if (has_aggregate(e->arg[i]))
			return true;
	return false;
}

static struct expr *null_at(struct parser *p, const struct token *at)
{
	return tree_literal(p, EXPR_NULL, at, 0);
}

/* GROUPING(a, b) as the number it is in one set: a bit for each argument, 1 if it is not grouped by. */
static struct expr *grouping(const struct expansion *x, const struct expr *e)
{
	uint64_t bits = 0;
	char text[24];

	for (size_t i = 0; i < e->n_args; i++) {
		if (e->n_args > 32 || !is_in(x->all, e->arg[i]))
			refuse_at(x->p, e->at, "GROUPING takes what the query groups by.");
		bits = bits << 1 | !is_in(x->by, e->arg[i]);
	}
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)bits);
	return number_of(x->p, e->at, text);
}

/* An expression as it is in one set: what is not grouped by is NULL, but inside an aggregate. */
static struct expr *replaced(const struct expansion *x, struct expr *e)
{
	if (!e || x->p->r || is_aggregate(e))
		return e;
	if (e->kind == EXPR_CALL && strcasecmp(e->at->text, "GROUPING") == 0)
		return grouping(x, e);
	if (is_in(x->all, e))
		return is_in(x->by, e) ? e : null_at(x->p, e->at);

	struct expr *copy = node(x->p, sizeof(*copy));
	struct list args = {};
	if (!copy)
		return nullptr;
	*copy = *e;
	copy->operand = replaced(x, e->operand);
	copy->otherwise = replaced(x, e->otherwise);
	for (size_t i = 0; i < e->n_args; i++)
		list_add(x->p, &args, replaced(x, e->arg[i]));
	expr_take(copy, &args);
	return expr_finish(x->p, copy);
}

/* What a column is called for which the query has no AS, once it is something else. Source: bind.c, item_name(). */
static const struct token *own_name(struct parser *p, const struct expr *e, size_t position)
{
	char text[80];

	if ((e->kind == EXPR_NAME || e->kind == EXPR_GET) && e->n_names > 0)
		return e->name[e->n_names - 1];
	if (e->kind == EXPR_CALL || e->kind == EXPR_CAST)
		(void)snprintf(text, sizeof(text), "?%.60s", e->at->text);
	else
		(void)snprintf(text, sizeof(text), "?field%zu", position);
	return made_up(p, e->at, TOKEN_QUOTED, text);
}

/* Whether GROUP BY means this item by its alias or its number. */
static bool is_meant(const struct expr *by, const struct select_item *item, size_t position)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%zu", position + 1);
	if (by->kind == EXPR_NUMBER)
		return strcmp(by->at->text, number) == 0;
	return by->kind == EXPR_NAME && by->n_names == 1 && item->alias &&
	       same_text(by->name[0], item->alias);
}

/* Whether an item is grouped by in some set and not in this one. */
static bool is_left_out(const struct expansion *x, const struct select_item *item, size_t position)
{
	bool meant = false;

	for (size_t i = 0; i < x->all->n; i++)
		meant |= is_meant(x->all->item[i], item, position);
	for (size_t i = 0; i < x->by->n; i++)
		if (is_meant(x->by->item[i], item, position))
			return false;
	return meant;
}

/* Whether a field is named outside aggregates. */
static bool has_name(const struct expr *e)
{
	if (!e || is_aggregate(e))
		return false;
	if (e->kind == EXPR_NAME || has_name(e->operand) || has_name(e->otherwise))
		return true;
	for (size_t i = 0; i < e->n_args; i++)
		if (has_name(e->arg[i]))
			return true;
	return false;
}

static struct select_item *expand_items(const struct expansion *x, const struct select_item *items)
{
	struct select_item *first = nullptr, **end = &first;
	size_t position = 0;

	for (const struct select_item *i = items; i; i = i->next, position++) {
		struct select_item *copy = node(x->p, sizeof(*copy));

		if (!copy)
			return nullptr;
		*copy = *i;
		*end = copy;
		end = &copy->next;
		if (!i->expr) {
			refuse_at(x->p, i->at,
				  "Name the columns; * does not go with grouping sets.");
			return nullptr;
		}
		copy->expr =
			is_left_out(x, i, position) ? null_at(x->p, i->at) : replaced(x, i->expr);
		if (x->by->n == 0 && has_name(copy->expr)) {
			refuse_at(x->p, i->at,
				  "This is neither grouped by nor inside an aggregate.");
			return nullptr;
		}
		/* Without GROUP BY, what is no aggregate would give every row: MIN makes one of it. */
		if (x->by->n == 0 && copy->expr && !has_aggregate(copy->expr))
			copy->expr = call_of(x->p, i->at, "MIN", copy->expr, nullptr, nullptr);
		if (!copy->alias)
			copy->alias = own_name(x->p, i->expr, position);
	}
	return first;
}

static struct core *expand(const struct expansion *x, const struct core *core)
{
	struct core *copy = node(x->p, sizeof(*copy));

	if (!copy)
		return nullptr;
	*copy = *core;
	copy->items = expand_items(x, core->items);
	copy->having = replaced(x, core->having);
	copy->group = (struct expr **)(uintptr_t)x->by->item;
	copy->n_group = x->by->n;
	copy->next = nullptr;
	return copy;
}

struct core *tree_grouped(struct parser *p, struct core *core, const struct list *sets)
{
	struct query *query = nullptr;
	struct list all = {};

	for (size_t i = 0; i < sets->n; i++)
		add_all(p, &all, sets->item[i]);
	if (p->r)
		return nullptr;
	if (sets->n == 1 && all.n > 0) {
		core->group = (struct expr **)(uintptr_t)all.item;
		core->n_group = all.n;
		return core;
	}
	struct core *whole = node(p, sizeof(*whole));
	query = node(p, sizeof(*query));
	if (!whole || !query)
		return nullptr;
	struct core **end = &query->cores;
	for (size_t i = 0; i < sets->n && !p->r; i++) {
		struct expansion x = { p, sets->item[i], &all };

		*end = expand(&x, core);
		if (!*end)
			return nullptr;
		(*end)->set = i == 0 ? SET_FIRST : core->distinct ? SET_UNION : SET_UNION_ALL;
		end = &(*end)->next;
	}
	whole->set = core->set;
	whole->nested = query;
	return whole;
}

/* NOLINTEND(misc-no-recursion) */
