/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/chunk/chunk.h"
#include "service/snapshot/snapshot.h"
#include "service/sql/bind_call.h"
#include "service/sql/compare.h"
#include "service/sql/draft.h"
#include "service/sql/pushdown.h"
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
};

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
	int r = catalog_collections(b->store, workspace, nullptr, note_like, &lookup);
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

/* The snapshot of a collection; one for all the places where the query reads it. */
static struct snapshot *snapshot_of(struct binder *b, const struct from_item *item,
				    const char *workspace, const char *name)
{
	for (size_t i = 0; i < b->collections.n; i++) {
		const struct bound_collection *c = b->collections.item[i];

		if (strcmp(c->workspace, workspace) == 0 && strcmp(c->name, name) == 0)
			return c->snapshot;
	}
	if (b->collections.n == SQL_COLLECTIONS_MAX) {
		b->r = sql_refuse_at(b->error, item->at, "query_too_complex",
				     "A query can read at most %zu collections.",
				     SQL_COLLECTIONS_MAX);
		return nullptr;
	}
	struct bound_collection *read = bind_node(b, sizeof(*read));
	if (!read)
		return nullptr;
	*read = (struct bound_collection) { .workspace = workspace, .name = name };
	vec_add(b, &b->collections, read);
	if (b->r)
		return nullptr;
	int r = store_snapshot(b->store, workspace, name, &read->snapshot);
	if (r > 0)
		refuse_collection(b, item, workspace, name, r);
	else
		b->r = r;
	return read->snapshot;
}

static void bind_collection(struct binder *b, const struct from_item *item, struct source *source)
{
	static const struct column COLUMNS[] = {
		{ .sql = "doc", .spread = true, .undefined = -1 },
	};
	const char *workspace = workspace_of(b, item);
	const char *name = item->name[item->n_names - 1]->text;

	if (b->r)
		return;
	source->snapshot = snapshot_of(b, item, workspace, name);
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

/* The columns of UNNEST(array AS x), UNNEST(object AS key, value), UNNEST(array of objects). */
static void bind_unnest(struct binder *b, const struct from_item *item, struct source *source)
{
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
}

static void print_unnest(struct binder *b, struct source *source, struct scope *scope)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);

	buf_add_str(&text, "rd_unnest(");
	put_function(b, &text, "rd_entries", source->item->unnest->at);
	print_value(b, &text, source->item->unnest, scope);
	buf_add_str(&text, "))");
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

static void source_append(struct scope *scope, struct source *source)
{
	struct source **end = &scope->sources;

	while (*end)
		end = &(*end)->next;
	*end = source;
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

		auto_buf struct buf l = buf_make(BIND_TEXT_MAX), r = buf_make(BIND_TEXT_MAX);

		print_value(b, &l, &name, left);
		print_value(b, &r, &name, &right);
		struct sides sides = { .operator= "=",
				       .left = bind_keep(b, &l),
				       .right = bind_keep(b, &r),
				       .left_kinds = kinds_of(b, &name, left),
				       .right_kinds = kinds_of(b, &name, &right) };
		buf_add_str(out, i ? " AND " : "");
		put_comparison(out, &sides);
		vec_add(b, &left->using, item->using[i]->text);
	}
}

/* Make a source and its columns; where its rows come from is decided later. */
static struct source *bind_source(struct binder *b, const struct from_item *item)
{
	struct source *source = bind_node(b, sizeof(*source));

	if (!source)
		return nullptr;
	source->item = item;
	source->sql = bind_text(b, "s%u", b->next_source++);
	source->alias = item->alias ? item->alias->text : nullptr;
	const struct bound_cte *cte = find_cte(b, item);
	if (item->unnest) {
		bind_unnest(b, item, source);
	} else if (cte) {
		source->body = cte->sql;
		source->columns = cte->columns;
		source->n_columns = cte->n_columns;
		source->alias = source->alias ? source->alias : cte->name;
	} else if (!item->query) {
		bind_collection(b, item, source);
	}
	return b->r ? nullptr : source;
}

/* Let the pipe of the first source yield this one, too, if it can. */
static bool absorb(struct binder *b, struct source *source, const struct core *core,
		   struct scope *scope)
{
	struct draft *draft = pushdown_whole(scope);

	if (!draft || b->ask->way != SQL_PIPES)
		return false;
	if (source->item->unnest)
		return pushdown_unnest(b, draft, source, scope);
	return pushdown_join(b, draft, source, core->where, scope);
}

/* Where the rows of a source that no pipe before it yields come from, and ON. */
static void bind_rows(struct binder *b, struct source *source, bool joined, struct scope *scope)
{
	const struct from_item *item = source->item;
	auto_buf struct buf on = buf_make(BIND_TEXT_MAX);

	if (source->snapshot) {
		source->draft = draft_new(b, source->sql, source->snapshot);
		source->joined = joined;
	} else if (item->unnest) {
		print_unnest(b, source, scope);
	} else if (item->query) {
		bind_derived(b, item, source, scope);
	}
	if (!b->r && item->n_using > 0)
		print_using(b, &on, item, scope, source);
	source_append(scope, source);
	if (!b->r && item->on)
		print_condition(b, &on, item->on, scope);
	if (!b->r && on.len > 0)
		source->on = bind_keep(b, &on);
}

void bind_from(struct binder *b, const struct core *core, struct scope *scope)
{
	size_t tables = 0;

	for (const struct from_item *i = core->from; i; i = i->next)
		tables += !i->unnest;
	for (const struct from_item *i = core->from; i && !b->r; i = i->next) {
		struct source *source = bind_source(b, i);

		if (!source)
			return;
		if (absorb(b, source, core, scope))
			source_append(scope, source);
		else
			bind_rows(b, source, tables > 1, scope);
	}
}

/* The name of a source's collection, whatever it is called here. */
static const char *collection_name(struct binder *b, const struct source *source)
{
	for (size_t i = 0; i < b->collections.n; i++) {
		const struct bound_collection *c = b->collections.item[i];

		if (c->snapshot == source->snapshot)
			return c->name;
	}
	return "";
}

static void print_source(struct binder *b, struct buf *out, const struct source *source)
{
	const struct draft *draft = source->draft;

	if (!draft) {
		buf_addf(out, "%s AS %s", source->body, source->sql);
		return;
	}
	if (b->ask->way == SQL_TABLES) {
		buf_addf(out, "docs_%s AS %s", collection_name(b, source), source->sql);
		return;
	}
	size_t n = draft_finish(b, draft), columns = draft->outputs.n + draft->aggregates.n;
	if (!source->joined) {
		buf_addf(out, "pipe(%zu) AS %s", n, source->sql);
		return;
	}
	buf_add_str(out, columns ? "(SELECT " : "(SELECT 1");
	for (size_t i = 0; i < columns; i++)
		buf_addf(out, "%sc%zu", i ? ", " : "", i);
	/* The limit keeps SQLite from undoing the sub-select; then it can index what comes out. */
	buf_addf(out, " FROM pipe(%zu) LIMIT -1) AS %s", n, source->sql);
}

/* Whether a source comes out of the pipe of one before it. */
static bool is_inside(const struct source *source)
{
	return source->draft && strcmp(source->draft->sql, source->sql) != 0;
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

		if (is_inside(s))
			continue;
		buf_add_str(out, JOINS[s->item->join]);
		print_source(b, out, s);
		if (s->on || outer)
			buf_add_str(out, " ON ");
		if (s->on || outer)
			buf_add_str(out, s->on ? s->on : "1");
	}
}

/* Ask a pipe for a field. Returns the column's SQL. */
static const char *request(struct binder *b, const struct source *source, struct field *field,
			   bool undefined)
{
	struct draft *draft = source->draft;
	struct node *value = bind_node(b, sizeof(*value));
	struct node *missing = bind_node(b, sizeof(*missing));
	struct node **arg = bind_node(b, sizeof(struct node *));

	if (!value || !missing || !arg)
		return "";
	field->source = source->index;
	field->in_element = source->element;
	arg[0] = value;
	*value = (struct node) { .op = OP_FIELD, .field = draft_field(b, draft, field) };
	*missing =
		(struct node) { .op = OP_IS_MISSING, .arg = arg, .n_args = 1, .condition = true };
	return bind_text(b, undefined ? "(%s.c%zu IS x'03')" : "%s.c%zu", draft->sql,
			 draft_output(b, draft, undefined ? missing : value));
}

void print_steps(struct binder *b, struct buf *out, const struct step *step, size_t n_steps,
		 struct scope *scope)
{
	for (size_t i = 0; i < n_steps && !b->r; i++) {
		buf_add_str(out, ", ");
		if (step[i].name)
			put_literal(out, step[i].name->text, step[i].name->len);
		else
			print_value(b, out, step[i].key, scope);
	}
}

/* Whether an outer join can make up rows of a source, in which everything is NULL. */
static bool is_made_up(const struct source *source)
{
	bool found = source->item->join >= JOIN_LEFT;

	for (const struct source *s = source->next; s && !found; s = s->next)
		found = s->item->join > JOIN_LEFT;
	return found;
}

/* What the steps lead to from a column, or else from a second one. */
static const char *member_sql(struct binder *b, const struct resolved *at, const struct step *step,
			      size_t n, const char *function, struct scope *scope)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	bool both = at->base2 && strcmp(function, "rd_get") == 0;
	bool leads = n > 0 && strcmp(function, "rd_undef") == 0 && at->source->item->unnest &&
		     !is_made_up(at->source);

	if (leads) /* an element that is null has no members either */
		buf_addf(&text, "CASE WHEN %s.%s IS NULL THEN 1 ELSE ", at->source->sql, at->base);
	for (int side = 0; side < 1 + both; side++) {
		buf_add_str(&text, both ? side ? ", " : "coalesce(" : "");
		if (n > 0)
			buf_addf(&text, "%s(", function);
		buf_addf(&text, "%s.%s", at->source->sql, side ? at->base2 : at->base);
		print_steps(b, &text, step, n, scope);
		buf_add_str(&text, n > 0 ? ")" : "");
	}
	buf_add_str(&text, both ? ")" : leads ? " END" : "");
	return bind_keep(b, &text);
}

/* What there is no member of, because it is NULL or missing itself, leads nowhere, if only there is a document, or element. */
static const char *if_null(struct binder *b, const struct source *source)
{
	static const struct str ID = { "_id", 3 };
	struct field field = { .key = &ID, .n = !source->element };

	if (!source->element && !is_made_up(source))
		return "1";
	return bind_text(b, "(%s IS NOT NULL)", request(b, source, &field, false));
}

/* A collection's field, as far as the steps are names; what is left is looked up in it. */
static const char *field_sql(struct binder *b, struct source *source, const struct step *step,
			     size_t n, const char *function, struct scope *scope)
{
	if (b->ask->way == SQL_TABLES)
		return member_sql(b, &(struct resolved) { .source = source, .base = "doc" }, step,
				  n, function, scope);
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct str *key = bind_node(b, (n + 1) * sizeof(*key));
	uint32_t names = 0;

	for (; key && names < n && step[names].name; names++)
		key[names] =
			(struct str) { step[names].name->text, (uint32_t)step[names].name->len };
	struct field field = { .key = key, .n = names };
	bool undefined = names == n && strcmp(function, "rd_undef") == 0;
	const char *sql = request(b, source, &field, undefined);
	if (names == n)
		return sql;
	bool leads = strcmp(function, "rd_undef") == 0;
	if (leads)
		buf_addf(&text, "CASE WHEN %s IS NULL THEN %s ELSE ", sql, if_null(b, source));
	buf_addf(&text, "%s(%s", function, sql);
	print_steps(b, &text, step + names, n - names, scope);
	buf_add_str(&text, leads ? ") END" : ")");
	return bind_keep(b, &text);
}

const char *resolved_sql(struct binder *b, const struct resolved *at, const struct expr *e,
			 const char *function, const struct step *step, size_t n_steps,
			 struct scope *scope)
{
	size_t words = e ? e->n_names - at->used : 0, n = words + n_steps;
	struct step *all = bind_node(b, (n + 1) * sizeof(*all));

	if (b->r || !at->source)
		return "";
	for (size_t i = 0; i < words; i++)
		all[i].name = e->name[at->used + i];
	for (size_t i = 0; i < n_steps; i++)
		all[words + i] = step[i];
	if (at->source->draft)
		return field_sql(b, at->source, all, n, function, scope);
	return member_sql(b, at, all, n, function, scope);
}

/* NOLINTEND(misc-no-recursion) */
