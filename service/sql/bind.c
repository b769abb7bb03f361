/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "service/snapshot/snapshot.h"
#include "service/sql/compare.h"
#include "service/sql/draft.h"
#include "service/sql/evaluate.h"
#include "service/sql/pushdown.h"

void *bind_node(struct binder *b, size_t size)
{
	void *at = b->r ? nullptr : arena_get(b->arena, size);

	if (!at && !b->r)
		b->r = -ENOMEM;
	return at;
}

void vec_add(struct binder *b, struct vec *vec, const void *item)
{
	if (b->r)
		return;
	if (vec->n == vec->room) {
		size_t room = vec->room ? 2 * vec->room : 8;
		const void **grown = bind_node(b, room * sizeof(*grown));

		if (!grown)
			return;
		if (vec->n > 0)
			memcpy(grown, vec->item, vec->n * sizeof(*grown));
		vec->item = grown;
		vec->room = room;
	}
	vec->item[vec->n++] = item;
}

const char *bind_text(struct binder *b, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text)) {
		b->r = b->r ? b->r : -EMSGSIZE;
		return "";
	}
	const char *copy = b->r ? nullptr : arena_text(b->arena, text, (size_t)len);
	if (!copy)
		b->r = b->r ? b->r : -ENOMEM;
	return copy ? copy : "";
}

const char *bind_keep(struct binder *b, struct buf *buf)
{
	const char *text = b->r ? nullptr : buf_text(buf);

	if (!b->r && !text)
		b->r = buf_error(buf) ? buf_error(buf) : -ENOMEM;
	const char *copy = b->r ? nullptr : arena_text(b->arena, text, buf->len);
	if (!copy)
		b->r = b->r ? b->r : -ENOMEM;
	return copy ? copy : "";
}

/* Note a failure to print: no memory, or too much text. */
static void check_buf(struct binder *b, const struct buf *buf)
{
	int r = buf_error(buf);

	if (!b->r && r == -EMSGSIZE)
		b->r = sql_refuse(b->error, SQL_QUERY_ERROR, "query_too_complex",
				  "The query is too large to run.");
	else if (!b->r)
		b->r = r;
}

void put_literal(struct buf *out, const char *text, size_t len)
{
	buf_add_str(out, "'");
	while (len > 0) {
		const char *quote = memchr(text, '\'', len);
		size_t run = quote ? (size_t)(quote - text) + 1 : len;

		buf_add(out, text, run);
		if (quote)
			buf_add_str(out, "'");
		text += run;
		len -= run;
	}
	buf_add_str(out, "'");
}

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

/* What a column is called if the query does not say. Source: the Rockset API; ?field counts from 0. */
static const char *item_name(struct binder *b, const struct select_item *item, size_t position)
{
	const struct expr *e = item->expr;

	if (item->alias)
		return item->alias->text;
	if (e->kind == EXPR_NAME || (e->kind == EXPR_GET && e->n_names == 1))
		return e->name[e->n_names - 1]->text;
	if (e->kind == EXPR_GET && e->arg[1]->kind == EXPR_STRING)
		return e->arg[1]->at->text;
	if (e->kind == EXPR_CALL ||
	    (e->kind == EXPR_CAST && strcasecmp(e->at->text, e->name[0]->text) != 0))
		return bind_text(b, "?%s", e->at->text);
	return bind_text(b, "?field%zu", position);
}

/* The columns of a core while they are being made. */
struct columns {
	struct vec list; /* struct column */
	struct buf text; /* what SELECT lists */
	struct buf hidden;
	size_t n_hidden;
	const struct core *core;
	struct scope *scope;
};

static void add_column(struct binder *b, struct columns *to, struct column column, const char *sql)
{
	struct column *kept = bind_node(b, sizeof(*kept));

	if (!kept)
		return;
	column.sql = bind_text(b, "c%zu", to->list.n);
	*kept = column;
	buf_addf(&to->text, "%s%s AS c%zu", to->list.n ? ", " : "", sql, to->list.n);
	vec_add(b, &to->list, kept);
}

/* Whether the core lists a column of this name itself; a star's column then steps back. */
static bool is_explicit(struct binder *b, const struct core *core, const char *name)
{
	size_t position = 0;

	for (const struct select_item *i = core->items; i; i = i->next, position++)
		if (i->expr && strcmp(item_name(b, i, position), name) == 0)
			return true;
	return false;
}

static bool is_left_out(const struct select_item *item, const char *name)
{
	for (size_t i = 0; i < item->n_except; i++)
		if (strcmp(item->except[i]->text, name) == 0)
			return true;
	return false;
}

/* The names a spread of this item leaves out: the item's own and those it left out already. */
static void set_except(struct binder *b, struct columns *to, const struct select_item *item,
		       const struct column *from, struct column *ret)
{
	struct vec names = {};
	size_t position = 0;

	for (size_t i = 0; from && i < from->n_except; i++)
		vec_add(b, &names, from->except[i]);
	for (size_t i = 0; i < item->n_except; i++)
		vec_add(b, &names, item->except[i]->text);
	for (const struct select_item *i = to->core->items; i; i = i->next, position++)
		if (i->expr)
			vec_add(b, &names, item_name(b, i, position));
	ret->except = (const char **)names.item;
	ret->n_except = names.n;
}

/* Add all columns of a source. */
static void add_star_of(struct binder *b, struct columns *to, const struct select_item *item,
			struct source *source)
{
	for (size_t i = 0; i < source->n_columns; i++) {
		const struct column *from = &source->columns[i];
		struct column column = { .name = from->name,
					 .type = from->type,
					 .kinds = from->kinds,
					 .spread = from->spread,
					 .undefined = -1 };
		struct resolved at = { .source = source, .base = from->sql };

		if (!from->spread &&
		    (is_left_out(item, from->name) || is_explicit(b, to->core, from->name)))
			continue;
		if (from->spread)
			set_except(b, to, item, from, &column);
		add_column(b, to, column,
			   resolved_sql(b, &at, nullptr, "rd_get", nullptr, 0, to->scope));
	}
}

/* alias.* or object.* */
static void add_qualified_star(struct binder *b, struct columns *to, const struct select_item *item)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct column column = { .spread = true, .undefined = -1 };

	if (item->of->kind == EXPR_NAME && item->of->n_names == 1)
		for (struct source *s = to->scope->sources; s; s = s->next)
			if (s->alias && strcmp(s->alias, item->of->name[0]->text) == 0) {
				add_star_of(b, to, item, s);
				return;
			}
	print_value(b, &text, item->of, to->scope);
	set_except(b, to, item, nullptr, &column);
	add_column(b, to, column, bind_keep(b, &text));
}

static void add_item(struct binder *b, struct columns *to, const struct select_item *item,
		     size_t position, bool hidden)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct column column = { .name = item_name(b, item, position),
				 .type = type_of(b, item->expr, to->scope),
				 .kinds = kinds_of(b, item->expr, to->scope),
				 .undefined = -1 };

	print_value(b, &text, item->expr, to->scope);
	if (hidden && !b->r && may_be_undefined(b, item->expr, to->scope)) {
		buf_add_str(&to->hidden, ", ");
		print_undefined(b, &to->hidden, item->expr, to->scope);
		buf_addf(&to->hidden, " AS u%zu", to->n_hidden);
		column.undefined = (int)to->n_hidden++;
	}
	add_column(b, to, column, bind_keep(b, &text));
}

static void add_items(struct binder *b, struct columns *to, bool hidden)
{
	size_t position = 0;

	for (const struct select_item *i = to->core->items; i && !b->r; i = i->next, position++) {
		if (i->expr) {
			add_item(b, to, i, position, hidden);
		} else if (i->of) {
			add_qualified_star(b, to, i);
		} else {
			if (!to->scope->sources)
				b->r = sql_refuse_at(b->error, i->at, "syntax_error",
						     "SELECT * needs a FROM clause.");
			for (struct source *s = to->scope->sources; s && !b->r; s = s->next)
				add_star_of(b, to, i, s);
		}
	}
	if (!b->r && to->list.n == 0)
		b->r = sql_refuse(b->error, SQL_QUERY_ERROR, "syntax_error",
				  "The query selects no columns.");
}

/* The number, from 1, of the first column that comes from an item whose alias, or own name, this is; 0 if none. */
static size_t ordinal_of(struct binder *b, const struct columns *to, const struct expr *e,
			 bool implicit)
{
	size_t column = 0, position = 0;

	if (e->kind != EXPR_NAME || e->n_names != 1)
		return 0;
	for (const struct select_item *i = to->core->items; i; i = i->next, position++) {
		if (!i->expr)
			return 0; /* how many columns a star has is not known here */
		column++;
		if ((i->alias || implicit) &&
		    strcmp(item_name(b, i, position), e->name[0]->text) == 0)
			return column;
	}
	return 0;
}

const struct expr *item_meant(struct binder *b, const struct core *core, const struct expr *e,
			      bool by_name)
{
	const struct columns columns = { .core = core };
	bool number = e->kind == EXPR_NUMBER && e->at->kind == TOKEN_INT;
	size_t ordinal =
		number ? strtoul(e->at->text, nullptr, 10) : ordinal_of(b, &columns, e, by_name);
	size_t at = 0;

	if (ordinal == 0)
		return e->kind == EXPR_NUMBER ? nullptr : e;
	for (const struct select_item *i = core->items; i && i->expr; i = i->next)
		if (++at == ordinal)
			return i->expr;
	return nullptr;
}

/* GROUP BY and HAVING; the first is done already where the pipe groups. */
static void print_group(struct binder *b, struct buf *out, struct columns *columns)
{
	const struct core *core = columns->core;
	bool grouped = columns->scope->grouped != nullptr;

	columns->scope->aliases = core->items;
	for (size_t i = 0; i < core->n_group && !grouped; i++) {
		size_t ordinal = ordinal_of(b, columns, core->group[i], false);

		check_ordinal(b, core->group[i], columns->list.n);
		buf_add_str(out, i ? ", " : " GROUP BY ");
		if (ordinal)
			buf_addf(out, "%zu", ordinal);
		else
			print_value(b, out, core->group[i], columns->scope);
	}
	if (core->having) {
		buf_add_str(out, grouped ? " WHERE " : " HAVING ");
		print_condition(b, out, core->having, columns->scope);
	}
}

static const char *const NULLS[] = { "", " NULLS FIRST", " NULLS LAST" };

/* ORDER BY of one SELECT: an item that is a column's name becomes its number. */
static void print_query_order(struct binder *b, struct buf *out, const struct order_item *order,
			      struct columns *columns)
{
	for (const struct order_item *i = order; i && !b->r; i = i->next) {
		size_t ordinal = ordinal_of(b, columns, i->expr, true);

		check_ordinal(b, i->expr, columns->list.n);
		buf_add_str(out, i == order ? " ORDER BY " : ", ");
		if (ordinal)
			buf_addf(out, "%zu", ordinal);
		else
			print_value(b, out, i->expr, columns->scope);
		buf_addf(out, "%s%s", i->descending ? " DESC" : "", NULLS[i->nulls]);
	}
}

/* ORDER BY after UNION or parentheses, where only the columns are in sight. */
static void print_set_order(struct binder *b, struct buf *out, const struct order_item *order,
			    const struct output *output)
{
	for (const struct order_item *i = order; i && !b->r; i = i->next) {
		size_t column = 0;

		for (size_t c = output->n;
		     i->expr->kind == EXPR_NAME && i->expr->n_names == 1 && c > 0; c--)
			if (output->columns[c - 1].name &&
			    strcmp(output->columns[c - 1].name, i->expr->name[0]->text) == 0)
				column = c;
		check_ordinal(b, i->expr, output->n);
		buf_add_str(out, i == order ? " ORDER BY " : ", ");
		if (column)
			buf_addf(out, "%zu", column);
		else if (i->expr->kind == EXPR_NUMBER && i->expr->at->kind == TOKEN_INT)
			buf_add_str(out, i->expr->at->text);
		else
			b->r = sql_refuse_at(b->error, i->expr->at, "order_by",
					     "ORDER BY takes a column's name or number here.");
		buf_addf(out, "%s%s", i->descending ? " DESC" : "", NULLS[i->nulls]);
	}
}

static bool is_grouping(const struct core *core)
{
	bool found = core->n_group > 0 || core->having;

	for (const struct select_item *i = core->items; i && !found; i = i->next)
		found = i->expr && has_aggregate(i->expr);
	return found;
}

/* Bind one SELECT; ORDER BY, if it is this SELECT's own, is printed into order, because FROM must know what that asks for. */
static void bind_core(struct binder *b, struct buf *out, const struct core *core,
		      struct scope *outer, const struct query *query, int64_t row_limit,
		      struct buf *order, bool hidden, struct output *ret)
{
	auto_buf struct buf where = buf_make(BIND_TEXT_MAX), group = buf_make(BIND_TEXT_MAX);
	struct scope scope = { .outer = outer };
	struct columns columns = { .text = buf_make(BIND_TEXT_MAX),
				   .hidden = buf_make(BIND_TEXT_MAX),
				   .core = core,
				   .scope = &scope };
	bool grouping = is_grouping(core);

	if (!outer) /* in there an aggregate may be one of the query around it */
		check_aggregates(b, core, query ? query->order : nullptr, grouping);
	bind_from(b, core, &scope);
	if (grouping && !b->r)
		check_groups(b, core, query ? query->order : nullptr, &scope);
	bool filtered = !b->r && pushdown_where(b, &where, core->where, &scope);
	struct draft *whole =
		filtered && b->ask->way == SQL_PIPES ? pushdown_whole(&scope) : nullptr;
	if (whole && grouping &&
	    !grouped_try(b, whole, core, query ? query->order : nullptr, &scope))
		whole = nullptr;
	if (!b->r)
		add_items(b, &columns, hidden && !grouping);
	if (!b->r)
		print_group(b, &group, &columns);
	if (!b->r && query) {
		print_query_order(b, order, query->order, &columns);
		if (whole && pushdown_order(b, whole, core, query, row_limit, &scope))
			buf_clear(order); /* its rows come in order */
	}

	buf_addf(out, "SELECT %s", core->distinct ? "DISTINCT " : "");
	buf_add(out, columns.text.data, columns.text.len);
	buf_add(out, columns.hidden.data, columns.hidden.len);
	if (!b->r)
		print_from(b, out, &scope);
	buf_add(out, where.data, where.len);
	buf_add(out, group.data, group.len);

	check_buf(b, &columns.text);
	check_buf(b, &columns.hidden);
	check_buf(b, &where);
	check_buf(b, &group);
	buf_done(&columns.text);
	buf_done(&columns.hidden);
	ret->n = columns.list.n;
	ret->columns = bind_node(b, (columns.list.n + 1) * sizeof(*ret->columns));
	for (size_t i = 0; ret->columns && i < ret->n; i++)
		ret->columns[i] = *(const struct column *)columns.list.item[i];
}

static void bind_ctes(struct binder *b, struct buf *out, const struct cte *cte, struct scope *outer)
{
	for (const struct cte *c = cte; c && !b->r; c = c->next) {
		struct bound_cte *bound = bind_node(b, sizeof(*bound));
		struct output output = {};

		if (!bound)
			return;
		bound->sql = bind_text(b, "w%u", b->next_cte++);
		buf_addf(out, "%s%s AS (", c == cte ? "WITH " : ", ", bound->sql);
		bind_query(b, out, c->query, outer, 0, false, &output);
		buf_add_str(out, ")");
		if (!b->r && c->n_columns > 0 && c->n_columns != output.n)
			b->r = sql_refuse_at(b->error, c->name, "column_count",
					     "`%.60s` names %zu columns, its query has %zu.",
					     c->name->text, c->n_columns, output.n);
		for (size_t i = 0; !b->r && i < c->n_columns; i++)
			output.columns[i].name = c->column[i]->text;
		bound->name = c->name->text;
		bound->columns = output.columns;
		bound->n_columns = output.n;
		bound->outer = b->ctes;
		b->ctes = bound;
	}
	if (cte)
		buf_add_str(out, " ");
}

static void print_limits(struct binder *b, struct buf *out, const struct query *query,
			 int64_t row_limit)
{
	const struct expr *const bounds[] = { query->limit, query->offset };
	struct scope empty = {};

	for (size_t i = 0; i < countof(bounds); i++) {
		if (bounds[i] && bounds[i]->kind != EXPR_PARAMETER &&
		    (bounds[i]->kind != EXPR_NUMBER || bounds[i]->at->kind != TOKEN_INT))
			b->r = b->r ? b->r
				    : sql_refuse_at(b->error, bounds[i]->at, "limit",
						    "LIMIT and OFFSET take a whole number.");
		if (bounds[i]) {
			buf_add_str(out, i == 0 ? " LIMIT " : " OFFSET ");
			print_value(b, out, bounds[i], &empty);
		} else if (i == 0 && row_limit > 0) {
			buf_addf(out, " LIMIT %lld", (long long)row_limit);
		} else if (i == 0 && query->offset) {
			buf_add_str(out, " LIMIT -1");
		}
	}
}

/* The token with which what a part selects begins. */
static const struct token *first_token(const struct core *core)
{
	while (core->nested)
		core = core->nested->cores;
	return core->items->at;
}

void bind_query(struct binder *b, struct buf *out, const struct query *query, struct scope *outer,
		int64_t row_limit, bool hidden, struct output *ret)
{
	static const char *const SETS[] = { [SET_FIRST] = "",
					    [SET_UNION] = " UNION ",
					    [SET_UNION_ALL] = " UNION ALL ",
					    [SET_INTERSECT] = " INTERSECT ",
					    [SET_EXCEPT] = " EXCEPT " };
	auto_buf struct buf order = buf_make(BIND_TEXT_MAX);
	struct bound_cte *before = b->ctes;
	bool of_set = query->cores && query->cores->next;

	bind_ctes(b, out, query->ctes, outer);
	for (const struct core *core = query->cores; core && !b->r; core = core->next) {
		struct output output = {};
		bool first = core->set == SET_FIRST;

		buf_add_str(out, SETS[core->set]);
		if (core->nested) {
			buf_add_str(out, "SELECT * FROM (");
			bind_query(b, out, core->nested, outer, 0, false, &output);
			buf_add_str(out, ")");
		} else {
			bind_core(b, out, core, outer, of_set ? nullptr : query, row_limit, &order,
				  hidden && !of_set, &output);
		}
		if (first)
			*ret = output;
		else if (!b->r && output.n != ret->n)
			b->r = sql_refuse_at(
				b->error, first_token(core), "column_count",
				"The parts of a UNION, INTERSECT or EXCEPT have %zu and %zu columns.",
				ret->n, output.n);
	}
	if (!b->r && query->order && (of_set || query->cores->nested))
		print_set_order(b, &order, query->order, ret);
	buf_add(out, order.data, order.len);
	print_limits(b, out, query, row_limit);
	b->ctes = before;
	check_buf(b, out);
	check_buf(b, &order);
}

/* NOLINTEND(misc-no-recursion) */

/* Lists of pointers as the arrays that callers want. */
static void keep_collections(struct binder *b, struct bound *ret)
{
	ret->n_collections = b->collections.n;
	ret->collections = bind_node(b, (ret->n_collections + 1) * sizeof(*ret->collections));
	for (size_t i = 0; ret->collections && i < ret->n_collections; i++)
		ret->collections[i] = *(const struct bound_collection *)b->collections.item[i];
	ret->parameters = (const struct token *const *)b->parameters.item;
	ret->n_parameters = b->parameters.n;
	ret->plans = (const struct plan *const *)(uintptr_t)b->plans.item;
	ret->n_plans = b->plans.n;
	ret->sites = (const struct call_site *const *)(uintptr_t)b->sites.item;
	ret->n_sites = b->sites.n;
	ret->evaluations = b->evaluations;
}

void bound_done(struct bound *bound)
{
	for (size_t i = 0; i < bound->n_collections; i++)
		snapshot_unref(bound->collections[i].snapshot);
	evaluation_done(bound->evaluations);
	*bound = (struct bound) {};
}

/* Let go of everything a binder that failed has taken. */
static void binder_done(struct binder *b)
{
	for (size_t i = 0; i < b->collections.n; i++)
		snapshot_unref(((const struct bound_collection *)b->collections.item[i])->snapshot);
	evaluation_done(b->evaluations);
}

int bind_tree(struct arena *arena, struct store *store, const struct bind_databases *databases,
	      const struct query *query, const struct sql_query *ask, struct bound *ret,
	      struct sql_error *error)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct binder b = { .arena = arena,
			    .store = store,
			    .db = databases->now,
			    .calls = databases->calls,
			    .calls_lock = databases->calls_lock,
			    .ask = ask,
			    .error = error,
			    .now_us = clock_wall_us() };
	struct output output = {};
	struct bound bound = {};

	bind_query(&b, &text, query, nullptr, ask->row_limit, true, &output);
	bound.sql = bind_keep(&b, &text);
	bound.columns = output.columns;
	bound.n_columns = output.n;
	keep_collections(&b, &bound);
	if (b.r == 0) {
		*ret = bound;
		return 0;
	}
	binder_done(&b);
	if (b.r == -EMSGSIZE)
		return sql_refuse(error, SQL_QUERY_ERROR, "query_too_complex",
				  "The query is too large to run.");
	return b.r;
}
