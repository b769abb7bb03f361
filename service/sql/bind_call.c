/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_call.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "service/value/civil.h"
#include "service/value/value.h"

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

void print_order(struct binder *b, struct buf *out, const struct order_item *order,
		 struct scope *scope)
{
	static const char *const NULLS[] = { "", " NULLS FIRST", " NULLS LAST" };

	for (const struct order_item *i = order; i && !b->r; i = i->next) {
		if (i != order)
			buf_add_str(out, ", ");
		print_value(b, out, i->expr, scope);
		buf_addf(out, "%s%s", i->descending ? " DESC" : "", NULLS[i->nulls]);
	}
}

static void print_window(struct binder *b, struct buf *out, const struct window *window,
			 struct scope *scope)
{
	buf_add_str(out, " OVER (");
	for (size_t i = 0; i < window->n_partition && !b->r; i++) {
		buf_add_str(out, i ? ", " : "PARTITION BY ");
		print_value(b, out, window->partition[i], scope);
	}
	if (window->order) {
		buf_add_str(out, " ORDER BY ");
		print_order(b, out, window->order, scope);
	}
	if (window->frame)
		buf_addf(out, " %s", window->frame);
	buf_add_str(out, ")");
}

/* A packed value as an SQL literal. */
static void put_blob(struct buf *out, const uint8_t *data, size_t len)
{
	buf_add_str(out, "x'");
	for (size_t i = 0; i < len; i++)
		buf_addf(out, "%02x", data[i]);
	buf_add_str(out, "'");
}

static void put_moment(struct buf *out, enum value_tag tag, int64_t value)
{
	auto_buf struct buf packed = buf_make(16);

	value_put_moment(&packed, tag, value);
	put_blob(out, packed.data, packed.len);
	if (buf_error(&packed))
		out->error = buf_error(&packed);
}

/* CURRENT_…([zone]): the moment the query began. */
static void print_now(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	static const struct {
		const char *name;
		enum value_tag tag;
		const char *type;
		int64_t from, unit;
	} MOMENTS[] = { { "CURRENT_TIMESTAMP", VALUE_TIMESTAMP, "timestamp", INT64_MAX, 1 },
			{ "CURRENT_DATETIME", VALUE_DATETIME, "datetime", INT64_MAX, 1 },
			{ "CURRENT_DATE", VALUE_DATE, "date", INT64_MAX, CIVIL_DAY_US },
			{ "CURRENT_TIME", VALUE_TIME, "time", CIVIL_DAY_US, 1 } };
	auto now = (int64_t)b->now_us;
	size_t i = 0;

	while (i + 1 < countof(MOMENTS) && strcasecmp(e->at->text, MOMENTS[i].name) != 0)
		i++;
	if (e->n_args == 0) {
		put_moment(out, MOMENTS[i].tag, now % MOMENTS[i].from / MOMENTS[i].unit);
		return;
	}
	buf_add_str(out, "rd_cast(");
	put_function(b, out, "rd_at_zone", e->at);
	put_moment(out, VALUE_TIMESTAMP, now);
	buf_add_str(out, ", ");
	print_value(b, out, e->arg[0], scope);
	buf_addf(out, "), '%s')", MOMENTS[i].type);
}

static void refuse_arguments(struct binder *b, const struct expr *e, const struct function *f)
{
	if (b->r)
		return;
	if (f->max == 255)
		b->r = sql_refuse_at(b->error, e->at, "wrong_arguments",
				     "Function `%.60s` takes at least %u arguments, not %zu.",
				     e->at->text, f->min, e->n_args);
	else if (f->min == f->max)
		b->r = sql_refuse_at(b->error, e->at, "wrong_arguments",
				     "Function `%.60s` takes %u argument%s, not %zu.", e->at->text,
				     f->min, f->min == 1 ? "" : "s", e->n_args);
	else
		b->r = sql_refuse_at(b->error, e->at, "wrong_arguments",
				     "Function `%.60s` takes %u to %u arguments, not %zu.",
				     e->at->text, f->min, f->max, e->n_args);
}

static const struct function *find_function(struct binder *b, const struct expr *e)
{
	const struct function *f = function_find(e->at->text);

	if (!f) {
		const char *like = function_like(e->at->text);

		b->r = sql_refuse_at(b->error, e->at, "function_not_found",
				     "Function `%.60s` not found.", e->at->text);
		if (like) /* clients' tests know the message */
			(void)snprintf(b->error->hint, sizeof(b->error->hint), "Did you mean `%s`?",
				       like);
		return nullptr;
	}
	if (!e->star && (e->n_args < f->min || (f->max != 255 && e->n_args > f->max)))
		refuse_arguments(b, e, f);
	bool aggregate = function_is_aggregate(f);
	if (!b->r && ((e->star && f->kind != FUNCTION_COUNT) ||
		      ((e->distinct || e->order || e->window) && !aggregate)))
		b->r = sql_refuse_at(
			b->error, e->at, "wrong_arguments",
			"Function `%.60s` does not take *, DISTINCT, ORDER BY or OVER.",
			e->at->text);
	if (!b->r && f->kind == FUNCTION_WINDOW && !e->window)
		b->r = sql_refuse_at(b->error, e->at, "wrong_arguments",
				     "Function `%.60s` needs OVER (…).", e->at->text);
	return b->r ? nullptr : f;
}

/* An aggregate or window function with all that may go with it. */
static void print_aggregate(struct binder *b, struct buf *out, const struct function *f,
			    const struct expr *e, struct scope *scope)
{
	const struct select_item *aliases = scope->aliases;
	bool approximate = f->kind == FUNCTION_COUNT && strcmp(f->sql, "distinct") == 0;

	scope->aliases = nullptr; /* SUM(x) AS x: inside, x is the field */

	put_aggregate(b, out, approximate ? "count" : f->sql, e->at);
	buf_add_str(out, e->distinct || approximate ? "DISTINCT " : "");
	if (e->star || (f->kind == FUNCTION_COUNT && e->n_args == 0))
		buf_add_str(out, "*");
	else if (approximate)
		print_value(b, out, e->arg[0], scope);
	else
		print_args(b, out, e, 0, scope);
	if (e->order) {
		buf_add_str(out, " ORDER BY ");
		print_order(b, out, e->order, scope);
	}
	buf_add_str(out, ")");
	if (e->window)
		print_window(b, out, e->window, scope);
	scope->aliases = aliases;
}

/* COUNT_IF, BOOL_AND, BOOL_OR: an aggregate over a condition. */
static void print_condition_aggregate(struct binder *b, struct buf *out, const struct function *f,
				      const struct expr *e, struct scope *scope)
{
	bool count = f->kind == FUNCTION_COUNT_IF;

	buf_addf(out, "%s%s(%s", count ? "" : "rd_bool(", f->sql, count ? "CASE WHEN " : "");
	print_condition(b, out, e->arg[0], scope);
	buf_add_str(out, count ? " THEN 1 END)" : ")");
	if (e->window)
		print_window(b, out, e->window, scope);
	buf_add_str(out, count ? "" : ")");
}

static void print_if(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	buf_add_str(out, "CASE WHEN ");
	print_condition(b, out, e->arg[0], scope);
	buf_add_str(out, " THEN ");
	print_value(b, out, e->arg[1], scope);
	if (e->n_args == 3) {
		buf_add_str(out, " ELSE ");
		print_value(b, out, e->arg[2], scope);
	}
	buf_add_str(out, " END");
}

static void print_typeof(struct binder *b, struct buf *out, const struct expr *e,
			 struct scope *scope)
{
	bool undefined = may_be_undefined(b, e->arg[0], scope);

	if (undefined) {
		buf_add_str(out, "CASE WHEN ");
		print_undefined(b, out, e->arg[0], scope);
		buf_add_str(out, " THEN 'undefined' ELSE ");
	}
	print_call_of(b, out, "rd_typeof", e, scope);
	if (undefined)
		buf_add_str(out, " END");
}

/* TRY(e): our functions inside it give NULL where they would fail. */
static void print_try(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	bool before = b->trying;

	b->trying = true;
	print_value(b, out, e, scope);
	b->trying = before;
}

/* ARRAY_MAP('function', array): the function of each element. */
static void print_array_map(struct binder *b, struct buf *out, const struct expr *e,
			    struct scope *scope)
{
	const struct expr *name = e->arg[0];
	const struct function *f =
		name->kind == EXPR_STRING ? function_find(name->at->text) : nullptr;

	if (!f || f->kind != FUNCTION_SCALAR || f->min > 1 || f->max < 1) {
		b->r = b->r ? b->r
			    : sql_refuse_at(b->error, name->at, "wrong_arguments",
					    "ARRAY_MAP takes the name of a function of one "
					    "argument, as in ARRAY_MAP('LOWER', tags).");
		return;
	}
	buf_add_str(out, "(SELECT coalesce(rd_array_agg(");
	put_function(b, out, f->sql, e->at);
	buf_add_str(out, "value) ORDER BY ord), rd_array()) FROM rd_unnest(");
	put_function(b, out, "rd_entries", e->at);
	print_value(b, out, e->arg[1], scope);
	buf_add_str(out, ")))");
}

/* Functions of SQLite's own that would take a packed value's bytes for a text. */
static bool is_for_text(const char *function)
{
	static const char *const NAMES[] = { "lower",	   "upper",    "rd_substr",
					     "rd_replace", "rd_trim",  "rd_ltrim",
					     "rd_rtrim",   "rd_instr", "unicode" };

	for (size_t i = 0; i < countof(NAMES); i++)
		if (strcmp(NAMES[i], function) == 0)
			return true;
	return false;
}

static void print_for_text(struct binder *b, struct buf *out, const char *function,
			   const struct expr *e, struct scope *scope)
{
	put_function(b, out, function, e->at);
	for (size_t i = 0; i < e->n_args && !b->r; i++) {
		bool plain = e->arg[i]->kind == EXPR_STRING || e->arg[i]->kind == EXPR_NUMBER;

		buf_add_str(out, i ? ", " : "");
		if (!plain)
			put_function(b, out, "rd_text", e->arg[i]->at);
		print_value(b, out, e->arg[i], scope);
		buf_add_str(out, plain ? "" : ")");
	}
	buf_add_str(out, ")");
}

void print_call(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	const struct function *f = find_function(b, e);

	if (!f)
		return;
	switch (f->kind) {
	case FUNCTION_SCALAR:
		if (is_for_text(f->sql))
			print_for_text(b, out, f->sql, e, scope);
		else
			print_call_of(b, out, f->sql, e, scope);
		return;
	case FUNCTION_AGGREGATE:
	case FUNCTION_WINDOW:
	case FUNCTION_COUNT:
		print_aggregate(b, out, f, e, scope);
		return;
	case FUNCTION_COUNT_IF:
	case FUNCTION_BOOL_AND:
	case FUNCTION_BOOL_OR:
		print_condition_aggregate(b, out, f, e, scope);
		return;
	case FUNCTION_IF:
		print_if(b, out, e, scope);
		return;
	case FUNCTION_NOW:
		print_now(b, out, e, scope);
		return;
	case FUNCTION_TRY:
		print_try(b, out, e->arg[0], scope);
		return;
	case FUNCTION_ARRAY_MAP:
		print_array_map(b, out, e, scope);
		return;
	case FUNCTION_TYPEOF:
		print_typeof(b, out, e, scope);
		return;
	case FUNCTION_COALESCE:
		if (e->n_args == 1)
			print_value(b, out, e->arg[0], scope);
		else
			print_call_of(b, out, f->sql, e, scope);
		return;
	}
}

/* NOLINTEND(misc-no-recursion) */
