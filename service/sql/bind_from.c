/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/store/catalog.h"

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

/* A name of several words as "workspace" and the last word. */
static const char *workspace_of(struct binder *b, const struct from_item *item)
{
	const char *text = item->n_names > 1 ? item->name[0]->text : "commons";

	for (size_t i = 1; i + 1 < item->n_names; i++)
		text = bind_text(b, "%s.%s", text, item->name[i]->text);
	return text;
}

struct lookup {
	const char *want;
	size_t nearest;
	char like[128];
	int64_t n;
	bool built_in;
};

static bool note_collection(void *userdata, const struct collection *collection)
{
	struct lookup *lookup = userdata;

	lookup->n = collection->n;
	lookup->built_in = collection->built_in;
	return false;
}

static bool note_like(void *userdata, const struct collection *collection)
{
	struct lookup *lookup = userdata;
	size_t distance = name_distance(collection->name, lookup->want, 2);

	if (distance < lookup->nearest && strlen(collection->name) < sizeof(lookup->like)) {
		lookup->nearest = distance;
		memcpy(lookup->like, collection->name, strlen(collection->name) + 1);
	}
	return true;
}

static void refuse_collection(struct binder *b, const struct from_item *item, const char *workspace,
			      const char *name, int why)
{
	struct lookup lookup = { .want = name, .nearest = 3 };

	if (why == CATALOG_NO_WORKSPACE) {
		b->r = sql_refuse_at(b->error, item->at, "workspace_not_found",
				     "Workspace with name \"%.100s\" does not exist", workspace);
		return;
	}
	int r = catalog_collections(b->reader, workspace, nullptr, note_like, &lookup);
	if (r < 0)
		b->r = r;
	else if (lookup.like[0])
		b->r = sql_refuse_at(
			b->error, item->at, "collection_not_found",
			"Collection \"%.100s\" does not exist in workspace \"%.100s\"; did you mean \"%s\"?",
			name, workspace, lookup.like);
	else
		b->r = sql_refuse_at(b->error, item->at, "collection_not_found",
				     "Collection \"%.100s\" does not exist in workspace \"%.100s\"",
				     name, workspace);
}

/* Remember that the query reads this collection. */
static void note_read(struct binder *b, const char *workspace, const char *name,
		      const struct lookup *found)
{
	for (size_t i = 0; i < b->collections.n; i++) {
		const struct bound_collection *c = b->collections.item[i];

		if (strcmp(c->workspace, workspace) == 0 && strcmp(c->name, name) == 0)
			return;
	}
	if (b->collections.n == SQL_COLLECTIONS_MAX) {
		b->r = sql_refuse(b->error, SQL_QUERY_ERROR, "query_too_complex",
				  "A query can read at most %zu collections.", SQL_COLLECTIONS_MAX);
		return;
	}
	struct bound_collection *read = bind_node(b, sizeof(*read));
	if (!read)
		return;
	*read = (struct bound_collection) {
		.workspace = workspace, .name = name, .n = found->n, .built_in = found->built_in
	};
	vec_add(b, &b->collections, read);
}

static void bind_collection(struct binder *b, const struct from_item *item, struct source *source)
{
	static const struct column COLUMNS[] = {
		{ .sql = "doc", .spread = true, .undefined = -1 },
	};
	const char *workspace = workspace_of(b, item);
	const char *name = item->name[item->n_names - 1]->text;
	struct lookup found = {};

	if (b->r)
		return;
	int r = catalog_collections(b->reader, workspace, name, note_collection, &found);
	if (r < 0) {
		b->r = r;
		return;
	}
	if (r > 0) {
		refuse_collection(b, item, workspace, name, r);
		return;
	}
	note_read(b, workspace, name, &found);
	source->is_collection = true;
	source->n = found.n;
	source->built_in = found.built_in;
	source->columns = bind_node(b, sizeof(COLUMNS));
	if (source->columns)
		memcpy(source->columns, COLUMNS, sizeof(COLUMNS));
	source->n_columns = countof(COLUMNS);
	source->whole = "doc";
	if (!source->alias) {
		source->workspace = workspace;
		source->name = name;
		source->alias = name;
	}
}

static const struct bound_cte *find_cte(struct binder *b, const struct from_item *item)
{
	if (item->n_names != 1)
		return nullptr;
	for (const struct bound_cte *c = b->ctes; c; c = c->outer)
		if (strcmp(c->name, item->name[0]->text) == 0)
			return c;
	return nullptr;
}

/* UNNEST(array AS x), UNNEST(object AS key, value), UNNEST(array of objects). */
static void bind_unnest(struct binder *b, const struct from_item *item, struct source *source,
			struct scope *scope)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	size_t n = 0;

	source->columns = bind_node(b, 3 * sizeof(*source->columns));
	if (!source->columns)
		return;
	if (item->element && item->value)
		source->columns[n++] = (struct column) { .name = item->element->text,
							 .sql = "key",
							 .undefined = -1 };
	const struct token *value = item->value ? item->value : item->element;
	source->columns[n++] = (struct column) { .name = value ? value->text : nullptr,
						 .sql = "value",
						 .spread = !value,
						 .undefined = -1 };
	if (item->ordinality)
		source->columns[n++] =
			(struct column) { .name = "ordinality", .sql = "ord", .undefined = -1 };
	source->n_columns = n;
	source->whole = "value";
	buf_add_str(&text, "rd_unnest(");
	print_value(b, &text, item->unnest, scope);
	buf_add_str(&text, ")");
	source->body = bind_keep(b, &text);
}

static void bind_derived(struct binder *b, const struct from_item *item, struct source *source,
			 struct scope *scope)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct output output = {};

	buf_add_str(&text, "(");
	bind_query(b, &text, item->query, scope->outer, 0, false, &output);
	buf_add_str(&text, ")");
	source->columns = output.columns;
	source->n_columns = output.n;
	source->body = bind_keep(b, &text);
}

/* USING (a, b): the same names on both sides are equal. */
static void print_using(struct binder *b, struct buf *out, const struct from_item *item,
			struct scope *left, struct source *source)
{
	struct scope right = { .sources = source };

	for (size_t i = 0; i < item->n_using && !b->r; i++) {
		struct expr name = { .kind = EXPR_NAME,
				     .at = item->using[i],
				     .name = &item->using[i],
				     .n_names = 1 };

		buf_add_str(out, i ? " AND " : "");
		print_value(b, out, &name, left);
		buf_add_str(out, " = ");
		print_value(b, out, &name, &right);
		vec_add(b, &left->using, item->using[i]->text);
	}
}

static struct source *bind_source(struct binder *b, const struct from_item *item,
				  struct scope *scope, bool joined)
{
	struct source *source = bind_node(b, sizeof(*source));

	if (!source)
		return nullptr;
	source->item = item;
	source->sql = bind_text(b, "s%u", b->next_source++);
	source->alias = item->alias ? item->alias->text : nullptr;
	if (item->unnest) {
		bind_unnest(b, item, source, scope);
	} else if (item->query) {
		bind_derived(b, item, source, scope);
	} else {
		const struct bound_cte *cte = find_cte(b, item);

		if (cte) {
			source->body = cte->sql;
			source->columns = cte->columns;
			source->n_columns = cte->n_columns;
			source->alias = source->alias ? source->alias : cte->name;
		} else {
			bind_collection(b, item, source);
			source->pruned = joined && !source->built_in;
		}
	}
	return b->r ? nullptr : source;
}

void bind_from(struct binder *b, const struct from_item *from, struct scope *scope)
{
	struct source **end = &scope->sources;
	size_t tables = 0;

	for (const struct from_item *i = from; i; i = i->next)
		tables += !i->unnest;
	for (const struct from_item *i = from; i && !b->r; i = i->next) {
		auto_buf struct buf on = buf_make(BIND_TEXT_MAX);
		struct source *source = bind_source(b, i, scope, tables > 1);

		if (source && i->n_using > 0)
			print_using(b, &on, i, scope, source);
		if (!source || b->r)
			return;
		*end = source;
		end = &source->next;
		if (i->on)
			print_condition(b, &on, i->on, scope);
		if (on.len > 0)
			source->on = bind_keep(b, &on);
	}
}

static void print_source(struct buf *out, const struct source *source)
{
	if (source->built_in) {
		buf_addf(out, "(SELECT NULL AS id, NULL AS et, NULL AS doc WHERE 0) AS %s",
			 source->sql);
	} else if (source->pruned) {
		buf_add_str(out, "(SELECT ");
		for (size_t i = 0; i < source->request.n; i++)
			buf_addf(out, "%s%s AS f%zu", i ? ", " : "",
				 (const char *)source->request.item[i], i);
		/* The limit keeps SQLite from undoing the sub-select; then it can index what comes out. */
		buf_addf(out, "%s FROM docs_%" PRIi64 " AS %s", source->request.n ? "" : "1",
			 source->n, source->sql);
		buf_add_str(out, source->where ? source->where : "");
		buf_addf(out, " LIMIT -1) AS %s", source->sql);
	} else if (source->is_collection) {
		buf_addf(out, "docs_%" PRIi64 " AS %s", source->n, source->sql);
	} else {
		buf_add_str(out, source->body);
		buf_addf(out, " AS %s", source->sql);
	}
}

void print_from(struct binder *b, struct buf *out, const struct scope *scope)
{
	static const char *const JOINS[] = {
		[JOIN_FIRST] = " FROM ",     [JOIN_COMMA] = " JOIN ",
		[JOIN_CROSS] = " JOIN ",     [JOIN_INNER] = " JOIN ",
		[JOIN_LEFT] = " LEFT JOIN ", [JOIN_RIGHT] = " RIGHT JOIN ",
		[JOIN_FULL] = " FULL JOIN ",
	};

	for (const struct source *s = scope->sources; s && !b->r; s = s->next) {
		bool outer = s->item->join >= JOIN_LEFT;

		buf_add_str(out, JOINS[s->item->join]);
		print_source(out, s);
		if (s->on || outer)
			buf_add_str(out, " ON ");
		if (s->on || outer)
			buf_add_str(out, s->on ? s->on : "1");
	}
}

/* What a pruned source calls something computed from its document's row. */
static const char *request(struct binder *b, const struct source *source, const char *sql)
{
	struct vec *list = (struct vec *)(uintptr_t)&source->request;
	size_t i = 0;

	while (i < list->n && strcmp(list->item[i], sql) != 0)
		i++;
	if (i == list->n)
		vec_add(b, list, sql);
	return bind_text(b, "%s.f%zu", source->sql, i);
}

const char *resolved_sql(struct binder *b, const struct resolved *at, const struct expr *e,
			 const char *function, const char *more)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	const struct source *source = at->source;
	size_t n = e ? e->n_names : 0;
	bool both = at->base2 && strcmp(function, "rd_get") == 0;

	if (b->r || !source)
		return "";
	for (int side = 0; side < 1 + both; side++) {
		bool call = at->used < n || more[0];

		buf_add_str(&text, both ? side ? ", " : "coalesce(" : "");
		if (call)
			buf_addf(&text, "%s(", function);
		buf_addf(&text, "%s%s%s", source->pruned ? "" : source->sql,
			 source->pruned ? "" : ".", side ? at->base2 : at->base);
		for (size_t i = at->used; i < n; i++) {
			buf_add_str(&text, ", ");
			put_literal(&text, e->name[i]->text, e->name[i]->len);
		}
		buf_add_str(&text, more);
		buf_add_str(&text, call ? ")" : "");
	}
	buf_add_str(&text, both ? ")" : "");
	const char *sql = bind_keep(b, &text);
	return source->pruned ? request(b, source, sql) : sql;
}

/* NOLINTEND(misc-no-recursion) */
