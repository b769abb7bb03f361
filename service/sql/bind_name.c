/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/chunk/chunk.h"
#include "service/snapshot/snapshot.h"

/* Find a word among a source's columns, or as a member of what it spreads. Returns whether it can be there. */
static bool find_column(struct source *source, const char *name, size_t used, struct resolved *ret)
{
	const char *spread[2] = {};
	size_t n = 0;

	for (size_t i = 0; i < source->n_columns; i++) {
		const struct column *column = &source->columns[i];

		if (!column->spread && strcmp(column->name, name) == 0) {
			*ret = (struct resolved) { .source = source,
						   .base = column->sql,
						   .used = used + 1,
						   .type = column->type,
						   .kinds = column->kinds };
			return true;
		}
		if (column->spread && n < countof(spread))
			spread[n++] = column->sql;
	}
	if (n == 0)
		return false;
	*ret = (struct resolved) {
		.source = source, .base = spread[0], .base2 = spread[1], .used = used
	};
	return true;
}

/* The one field whose type is known. */
static void find_special(const struct expr *e, struct resolved *at)
{
	if (at->source && at->source->snapshot && at->used + 1 == e->n_names &&
	    strcmp(e->name[at->used]->text, "_event_time") == 0)
		at->type = TYPE_TIMESTAMP;
}

/* How many words of the name are the source's own name: its alias, or workspace and collection. */
static size_t qualifier(const struct source *source, const struct expr *e)
{
	size_t pos = 0, i = 0;

	if (!source->alias)
		return 0;
	if (strcmp(source->alias, e->name[0]->text) == 0)
		return 1;
	if (!source->workspace)
		return 0;
	for (; i + 1 < e->n_names; i++) { /* the workspace may have dots */
		size_t len = strlen(e->name[i]->text);

		if (strncmp(source->workspace + pos, e->name[i]->text, len) != 0)
			return 0;
		pos += len;
		if (source->workspace[pos] == '\0')
			break;
		if (source->workspace[pos++] != '.')
			return 0;
	}
	if (i + 1 >= e->n_names || strcmp(e->name[i + 1]->text, source->name) != 0)
		return 0;
	return i + 2;
}

static bool resolve_qualified(struct binder *b, const struct expr *e, const struct scope *scope,
			      struct resolved *ret)
{
	struct source *found = nullptr;
	size_t words = 0;

	for (struct source *s = scope->sources; s; s = s->next) {
		size_t used = qualifier(s, e);

		if (used > 0 && found) {
			b->r = sql_refuse_at(
				b->error, e->at, "ambiguous_name",
				"`%.60s` stands for more than one thing in FROM; give them other names with AS.",
				e->at->text);
			return true;
		}
		if (used > 0) {
			found = s;
			words = used;
		}
	}
	if (!found)
		return false;
	if (words < e->n_names && find_column(found, e->name[words]->text, words, ret))
		return true;
	if (found->whole && (words == e->n_names || found->item->unnest)) {
		*ret = (struct resolved) { .source = found, .base = found->whole, .used = words };
		return true;
	}
	/* The name of a column may also be that of a source: `UNNEST(tags AS tag) AS tag`. */
	if (find_column(found, e->name[0]->text, 0, ret) && ret->used > 0)
		return true;
	if (words < e->n_names)
		b->r = sql_refuse_at(b->error, e->name[words], "field_not_found",
				     "`%.60s` has no column `%.60s`.", found->alias,
				     e->name[words]->text);
	else
		b->r = sql_refuse_at(b->error, e->at, "field_not_found",
				     "`%.60s` is not a single value here; name one of its columns.",
				     e->at->text);
	return true;
}

/* Whether any document of a collection has the field. */
static bool has_field(const struct source *source, const struct token *name)
{
	for (size_t i = 0; source->snapshot && i < snapshot_chunks(source->snapshot); i++)
		if (chunk_child(snapshot_chunk(source->snapshot, i)->chunk, 0, name->text,
				name->len) != CHUNK_NONE)
			return true;
	return false;
}

static bool is_using(const struct scope *scope, const char *name)
{
	for (size_t i = 0; i < scope->using.n; i++)
		if (strcmp(scope->using.item[i], name) == 0)
			return true;
	return false;
}

/* Of several sources that could have the field, the one that is known to. */
static void choose(struct binder *b, const struct expr *e, const struct scope *scope,
		   struct resolved *ret)
{
	const char *name = e->name[0]->text;
	size_t known = 0;

	for (struct source *s = scope->sources; s && !b->r; s = s->next) {
		struct resolved at;

		if (!find_column(s, name, 0, &at) || !has_field(s, e->name[0]))
			continue;
		known++;
		if (known == 1)
			*ret = at;
	}
	if (b->r || known == 1 || is_using(scope, name))
		return;
	b->r = sql_refuse_at(
		b->error, e->at, "ambiguous_name",
		"`%.60s` could belong to more than one collection; say which, as in `c.%.60s`.",
		name, name);
}

static bool resolve_plain(struct binder *b, const struct expr *e, const struct scope *scope,
			  struct resolved *ret)
{
	struct resolved exact = {}, open = {};
	size_t n_exact = 0, n_open = 0;

	for (struct source *s = scope->sources; s; s = s->next) {
		struct resolved at;

		if (!find_column(s, e->name[0]->text, 0, &at))
			continue;
		if (at.used > 0 && n_exact++ == 0)
			exact = at;
		if (at.used == 0 && n_open++ == 0)
			open = at;
	}
	if (n_exact > 1 && !is_using(scope, e->name[0]->text))
		b->r = sql_refuse_at(b->error, e->at, "ambiguous_name",
				     "Column `%.60s` is in more than one part of FROM; say which.",
				     e->at->text);
	*ret = n_exact > 0 ? exact : open;
	if (n_exact == 0 && n_open > 1)
		choose(b, e, scope, ret);
	return n_exact > 0 || n_open > 0;
}

/* An alias of the select list, where those may be used. */
static bool resolve_alias(const struct expr *e, const struct scope *scope, struct resolved *ret)
{
	for (const struct select_item *i = scope->aliases; i; i = i->next)
		if (i->expr && i->alias && strcmp(i->alias->text, e->name[0]->text) == 0) {
			*ret = (struct resolved) { .alias = i, .used = 1 };
			return true;
		}
	return false;
}

void resolve(struct binder *b, const struct expr *e, struct scope *scope, struct resolved *ret)
{
	*ret = (struct resolved) {};
	if (e->n_names == 1 && resolve_alias(e, scope, ret))
		return;
	for (const struct scope *s = scope; e->n_names > 1 && s && !b->r; s = s->outer)
		if (resolve_qualified(b, e, s, ret)) {
			if (!b->r)
				find_special(e, ret);
			return;
		}
	for (const struct scope *s = scope; s && !b->r; s = s->outer)
		if ((e->n_names == 1 && resolve_qualified(b, e, s, ret)) ||
		    (s == scope && resolve_alias(e, s, ret)) || resolve_plain(b, e, s, ret)) {
			if (!b->r)
				find_special(e, ret);
			return;
		}
	if (!b->r)
		b->r = sql_refuse_at(
			b->error, e->at, "field_not_found",
			scope->sources ? "There is no column `%.60s` here."
				       : "`%.60s` is a field, but the query has no FROM clause.",
			e->at->text);
}
