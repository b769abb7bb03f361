/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "service/sql/draft.h"

/*
 * What a SELECT that makes groups may name: SQLite would take the value of any row of a group.
 */

constexpr size_t PATH_MAX_WORDS = 40;

/* An expression, and the aliases that its names may be. */
struct term {
	const struct expr *e;
	const struct select_item *aliases;
};

struct groups {
	struct binder *b;
	struct scope *scope;
	const struct core *core;
};

/* A field: what is below a column. */
struct path {
	const struct source *source;
	const char *base;
	const char *word[PATH_MAX_WORDS];
	size_t n;
	const struct token *at, *label;
};

static void resolve_term(const struct groups *groups, const struct term *term, struct resolved *ret)
{
	const struct select_item *before = groups->scope->aliases;

	groups->scope->aliases = term->aliases;
	resolve(groups->b, term->e, groups->scope, ret);
	groups->scope->aliases = before;
}

/* What a term is if it is an alias; otherwise itself. */
static struct term behind(const struct groups *groups, const struct term *term)
{
	struct resolved at = {};

	if (term->e->kind != EXPR_NAME || term->e->n_names != 1 || !term->aliases)
		return *term;
	resolve_term(groups, term, &at);
	return at.alias ? (struct term) { at.alias->expr, nullptr } : *term;
}

/* Read a.b['c'] as a path. Returns whether it is one. */
static bool path_of(const struct groups *groups, const struct term *term, struct path *ret)
{
	const char *last[PATH_MAX_WORDS];
	const struct expr *e = term->e;
	struct resolved at = {};
	size_t n = 0;

	for (; e->kind == EXPR_GET; e = e->arg[0]) {
		bool named = e->n_names > 0 || e->arg[1]->kind == EXPR_STRING;

		if (!named || n == PATH_MAX_WORDS)
			return false;
		last[n++] = e->n_names > 0 ? e->name[0]->text : e->arg[1]->at->text;
	}
	if (e->kind != EXPR_NAME)
		return false;
	struct term name = { e, term->aliases };
	resolve_term(groups, &name, &at);
	if (groups->b->r || at.alias || e->n_names - at.used + n > PATH_MAX_WORDS)
		return false;
	*ret = (struct path) {
		.source = at.source, .base = at.base, .at = e->at, .label = e->name[e->n_names - 1]
	};
	for (size_t i = at.used; i < e->n_names; i++)
		ret->word[ret->n++] = e->name[i]->text;
	while (n > 0)
		ret->word[ret->n++] = last[--n];
	return true;
}

/* Whether a key's path is this one, or leads to something that it is in, or is the _id of its document. */
static bool path_covers(const struct path *key, const struct path *path)
{
	if (key->source != path->source)
		return false;
	if (key->source->snapshot && key->n == 1 && strcmp(key->word[0], "_id") == 0)
		return true;
	if (strcmp(key->base, path->base) != 0 || key->n > path->n)
		return false;
	for (size_t i = 0; i < key->n; i++)
		if (strcmp(key->word[i], path->word[i]) != 0)
			return false;
	return true;
}

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

static bool same(const struct groups *groups, const struct term *a, const struct term *b);

static bool same_parts(const struct groups *groups, const struct term *a, const struct term *b)
{
	for (size_t i = 0; i < a->e->n_args; i++)
		if (!same(groups, &(struct term) { a->e->arg[i], a->aliases },
			  &(struct term) { b->e->arg[i], b->aliases }))
			return false;
	return same(groups, &(struct term) { a->e->operand, a->aliases },
		    &(struct term) { b->e->operand, b->aliases }) &&
	       same(groups, &(struct term) { a->e->otherwise, a->aliases },
		    &(struct term) { b->e->otherwise, b->aliases });
}

/* Whether two nodes are the same but for what is below them. */
static bool same_node(const struct expr *a, const struct expr *b)
{
	bool text = a->kind == EXPR_STRING || a->kind == EXPR_NUMBER || a->kind == EXPR_PARAMETER ||
		    a->kind == EXPR_BINARY || a->kind == EXPR_COMPARE;

	if (a->kind != b->kind || a->negated != b->negated || a->number != b->number ||
	    a->n_args != b->n_args || a->n_names != b->n_names || a->query || b->query ||
	    a->window || b->window || a->distinct != b->distinct || a->order || b->order ||
	    (text && strcmp(a->at->text, b->at->text) != 0) ||
	    (a->kind == EXPR_CALL && strcasecmp(a->at->text, b->at->text) != 0))
		return false;
	for (size_t i = 0; i < a->n_names; i++)
		if (strcasecmp(a->name[i]->text, b->name[i]->text) != 0)
			return false;
	return true;
}

/* Whether two terms are the same expression. */
static bool same(const struct groups *groups, const struct term *a, const struct term *b)
{
	struct path x, y;

	if (!a->e || !b->e)
		return a->e == b->e;
	struct term left = behind(groups, a), right = behind(groups, b);
	if (path_of(groups, &left, &x))
		return path_of(groups, &right, &y) && path_covers(&x, &y) && path_covers(&y, &x) &&
		       x.n == y.n;
	return left.e->kind != EXPR_NAME && same_node(left.e, right.e) &&
	       same_parts(groups, &left, &right);
}

/* NOLINTEND(misc-no-recursion) */

/* What GROUP BY means by its item. Returns whether it means something. */
static bool key_at(const struct groups *groups, size_t i, struct term *ret)
{
	const struct expr *key = groups->core->group[i];
	const struct expr *meant = item_meant(groups->b, groups->core, key, false);

	*ret = (struct term) { meant, meant == key ? groups->core->items : nullptr };
	if (meant)
		*ret = behind(groups, ret);
	return meant != nullptr;
}

/* Whether the groups say what a field is: one of an outer query is the same in all rows. */
static bool has_path(const struct groups *groups, const struct path *path)
{
	bool inside = false;

	for (const struct source *s = groups->scope->sources; s; s = s->next)
		inside |= s == path->source;
	for (size_t i = 0; inside && i < groups->core->n_group; i++) {
		struct term key;
		struct path by;

		if (key_at(groups, i, &key) && path_of(groups, &key, &by) && path_covers(&by, path))
			return true;
	}
	return !inside;
}

static bool is_key(const struct groups *groups, const struct term *term)
{
	for (size_t i = 0; i < groups->core->n_group; i++) {
		struct term key;

		if (key_at(groups, i, &key) && same(groups, &key, term))
			return true;
	}
	return false;
}

static void refuse_ungrouped(struct binder *b, const struct token *at, const char *name)
{
	if (b->r)
		return;
	b->r = sql_refuse_at(b->error, at, "query_error",
			     "`%.60s` is neither grouped by nor inside an aggregate.", name);
	(void)snprintf(
		b->error->hint, sizeof(b->error->hint),
		"Add it to GROUP BY (`_id` stands for all fields), or take ANY_VALUE(%.20s).",
		name);
}

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

static void check(const struct groups *groups, const struct expr *e,
		  const struct select_item *aliases);

static void check_order(const struct groups *groups, const struct order_item *order,
			const struct select_item *aliases)
{
	for (const struct order_item *i = order; i; i = i->next)
		check(groups, i->expr, aliases);
}

/* Check that an expression is the same in all rows of a group; sub-queries are left out. */
static void check(const struct groups *groups, const struct expr *e,
		  const struct select_item *aliases)
{
	struct binder *b = groups->b;
	const struct function *f = e && e->kind == EXPR_CALL ? function_find(e->at->text) : nullptr;
	struct path path;

	if (!e || b->r || (f && !e->window && function_is_aggregate(f)))
		return;
	struct term term = behind(groups, &(struct term) { e, aliases });
	if (b->r || is_key(groups, &term))
		return;
	if (term.e != e) {
		check(groups, term.e, term.aliases);
		return;
	}
	if (path_of(groups, &term, &path)) {
		if (!has_path(groups, &path))
			refuse_ungrouped(b, path.at, path.label->text);
		return;
	}
	for (size_t i = 0; i < e->n_args; i++)
		check(groups, e->arg[i], aliases);
	check(groups, e->operand, aliases);
	check(groups, e->otherwise, aliases);
	check_order(groups, e->order, aliases);
	for (size_t i = 0; e->window && i < e->window->n_partition; i++)
		check(groups, e->window->partition[i], aliases);
	check_order(groups, e->window ? e->window->order : nullptr, aliases);
}

/* NOLINTEND(misc-no-recursion) */

/* Check the columns that a star stands for. */
static void check_star(const struct groups *groups, const struct select_item *item)
{
	const struct expr *of = item->of;
	bool found = false;

	for (const struct source *s = groups->scope->sources; s; s = s->next) {
		bool meant = !of || (of->kind == EXPR_NAME && of->n_names == 1 && s->alias &&
				     strcmp(s->alias, of->name[0]->text) == 0);

		found |= meant;
		for (size_t i = 0; meant && i < s->n_columns; i++) {
			struct path path = { .source = s, .base = s->columns[i].sql };

			if (!has_path(groups, &path))
				refuse_ungrouped(groups->b, item->at,
						 s->columns[i].name ? s->columns[i].name : "*");
		}
	}
	if (!found)
		check(groups, of, nullptr);
}

void check_groups(struct binder *b, const struct core *core, const struct order_item *order,
		  struct scope *scope)
{
	const struct groups groups = { b, scope, core };
	struct term key;

	for (size_t i = 0; i < core->n_group; i++)
		if (!key_at(&groups, i, &key))
			return; /* the number of a column that a star has, or of none */

	for (const struct select_item *i = core->items; i && !b->r; i = i->next) {
		if (i->expr)
			check(&groups, i->expr, nullptr);
		else
			check_star(&groups, i);
	}
	check(&groups, core->having, core->items);
	for (const struct order_item *i = order; i; i = i->next)
		if (item_meant(b, core, i->expr, true) == i->expr)
			check(&groups, i->expr, core->items);
}
