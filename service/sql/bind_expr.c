/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/sql/draft.h"
#include "service/value/civil.h"
#include "service/value/value.h"

constexpr size_t CALL_ARGS_MAX = 100; /* SQLite takes 127 */

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

static void print_args(struct binder *b, struct buf *out, const struct expr *e, size_t from,
		       struct scope *scope)
{
	for (size_t i = from; i < e->n_args && !b->r; i++) {
		if (i > from)
			buf_add_str(out, ", ");
		print_value(b, out, e->arg[i], scope);
	}
}

/* function(a, b, …) */
static void print_call_of(struct binder *b, struct buf *out, const char *function,
			  const struct expr *e, struct scope *scope)
{
	buf_addf(out, "%s(", function);
	print_args(b, out, e, 0, scope);
	buf_add_str(out, ")");
}

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
	buf_add_str(out, "rd_cast(rd_at_zone(");
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
	bool aggregate;

	if (!f) {
		const char *like = function_like(e->at->text);

		/* The first sentence is what clients' tests compare; the hint is kept out of it. */
		(void)like;
		b->r = sql_refuse_at(b->error, e->at, "function_not_found",
				     "Function `%.60s` not found.", e->at->text);
		return nullptr;
	}
	if (!e->star && (e->n_args < f->min || (f->max != 255 && e->n_args > f->max)))
		refuse_arguments(b, e, f);
	aggregate = (f->kind >= FUNCTION_AGGREGATE && f->kind <= FUNCTION_WINDOW) ||
		    (f->kind >= FUNCTION_COUNT && f->kind <= FUNCTION_BOOL_OR);
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

	buf_addf(out, "%s(%s", approximate ? "count" : f->sql,
		 e->distinct || approximate ? "DISTINCT " : "");
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

static void print_call(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	const struct function *f = find_function(b, e);

	if (!f)
		return;
	switch (f->kind) {
	case FUNCTION_SCALAR:
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

static void print_number(struct binder *b, struct buf *out, const struct expr *e)
{
	char *end = nullptr;

	(void)b;
	errno = 0;
	long long whole = e->at->kind == TOKEN_INT ? strtoll(e->at->text, &end, 10) : 0;
	if (e->at->kind == TOKEN_INT && errno == 0)
		buf_addf(out, "%lld", whole);
	else
		buf_addf(out, "%.17e", strtod(e->at->text, nullptr));
}

static void print_parameter(struct binder *b, struct buf *out, const struct expr *e)
{
	size_t i = 0;

	while (i < b->parameters.n && strcmp(b->parameters.item[i], e->at->text) != 0)
		i++;
	if (i == b->parameters.n)
		vec_add(b, &b->parameters, e->at->text);
	if (i >= SQL_PARAMETERS_MAX)
		b->r = sql_refuse_at(b->error, e->at, "query_too_complex",
				     "A query can have at most %zu parameters.",
				     SQL_PARAMETERS_MAX);
	buf_addf(out, "?%zu", i + 1);
}

/* A name and the steps from there: a column, a member of a document, or an alias, which stands for its expression. */
static void print_name(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope,
		       const char *function, const struct step *step, size_t n_steps)
{
	struct resolved at;

	resolve(b, e, scope, &at);
	if (b->r)
		return;
	if (!at.alias) {
		buf_add_str(out, resolved_sql(b, &at, e, function, step, n_steps, scope));
		return;
	}
	const struct select_item *aliases = scope->aliases;
	bool call = e->n_names > 1 || n_steps > 0;

	scope->aliases = nullptr; /* an alias is not made of aliases */
	if (call)
		buf_addf(out, "%s(", function);
	print_value(b, out, at.alias->expr, scope);
	for (size_t i = 1; i < e->n_names; i++) {
		buf_add_str(out, ", ");
		put_literal(out, e->name[i]->text, e->name[i]->len);
	}
	scope->aliases = aliases;
	print_steps(b, out, step, n_steps, scope);
	buf_add_str(out, call ? ")" : "");
}

struct step step_of(const struct expr *e)
{
	if (e->n_names > 0)
		return (struct step) { .name = e->name[0] };
	if (e->arg[1]->kind == EXPR_STRING)
		return (struct step) { .name = e->arg[1]->at };
	return (struct step) { .key = e->arg[1] };
}

/* a['b'].c[1] */
static void print_get(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope,
		      const char *function)
{
	struct step step[CHAIN_MAX];
	size_t n = 0;

	while (e->kind == EXPR_GET && n < countof(step)) {
		step[countof(step) - ++n] = step_of(e); /* the last key is met first */
		e = e->arg[0];
	}
	const struct step *first = &step[countof(step) - n];
	if (e->kind == EXPR_NAME) {
		print_name(b, out, e, scope, function, first, n);
		return;
	}
	buf_addf(out, "%s(", function);
	print_value(b, out, e, scope);
	print_steps(b, out, first, n, scope);
	buf_add_str(out, ")");
}

bool may_be_undefined(struct binder *b, const struct expr *e, struct scope *scope)
{
	struct resolved at;

	while (e->kind == EXPR_GET)
		e = e->arg[0];
	if (e->kind != EXPR_NAME)
		return false;
	resolve(b, e, scope, &at);
	/* A member of something, in this query's own FROM. */
	return !b->r && !at.alias && at.source && at.used < e->n_names;
}

void print_undefined(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	if (!may_be_undefined(b, e, scope))
		buf_add_str(out, "0");
	else if (e->kind == EXPR_GET)
		print_get(b, out, e, scope, "rd_undef");
	else
		print_name(b, out, e, scope, "rd_undef", nullptr, 0);
}

static void print_array(struct binder *b, struct buf *out, const struct expr *e,
			struct scope *scope)
{
	bool object = e->kind == EXPR_OBJECT;
	size_t chunks = (e->n_args + CALL_ARGS_MAX - 1) / CALL_ARGS_MAX;

	if (chunks > CALL_ARGS_MAX || (object && chunks > 1)) {
		b->r = sql_refuse_at(b->error, e->at, "query_too_complex",
				     "This array or object has too many members.");
		return;
	}
	if (chunks > 1)
		buf_add_str(out, "rd_array_concat(");
	for (size_t c = 0; c < (chunks ? chunks : 1) && !b->r; c++) {
		struct expr part = *e;

		part.arg += c * CALL_ARGS_MAX;
		part.n_args -= c * CALL_ARGS_MAX;
		if (part.n_args > CALL_ARGS_MAX)
			part.n_args = CALL_ARGS_MAX;
		buf_add_str(out, c ? ", " : "");
		print_call_of(b, out, object ? "rd_object" : "rd_array", &part, scope);
	}
	buf_add_str(out, chunks > 1 ? ")" : "");
}

static void print_case(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	buf_add_str(out, "CASE ");
	if (e->operand)
		print_value(b, out, e->operand, scope);
	for (size_t i = 0; i + 1 < e->n_args && !b->r; i += 2) {
		buf_add_str(out, " WHEN ");
		if (e->operand)
			print_value(b, out, e->arg[i], scope);
		else
			print_condition(b, out, e->arg[i], scope);
		buf_add_str(out, " THEN ");
		print_value(b, out, e->arg[i + 1], scope);
	}
	if (e->otherwise) {
		buf_add_str(out, " ELSE ");
		print_value(b, out, e->otherwise, scope);
	}
	buf_add_str(out, " END");
}

/* function(argument, 'word') */
static void print_with_word(struct binder *b, struct buf *out, const char *function,
			    const struct expr *e, const struct token *word, struct scope *scope)
{
	buf_addf(out, "%s(", function);
	print_value(b, out, e->arg[0], scope);
	buf_add_str(out, ", ");
	put_literal(out, word->text, word->len);
	buf_add_str(out, ")");
}

static void print_binary(struct binder *b, struct buf *out, const struct expr *e,
			 struct scope *scope)
{
	static const struct {
		const char *operator, * function;
	} OPERATORS[] = { { "+", "rd_add" },	{ "-", "rd_subtract" }, { "*", "rd_multiply" },
			  { "/", "rd_divide" }, { "%", "rd_mod" },	{ "||", "rd_concat" } };

	for (size_t i = 0; i < countof(OPERATORS); i++)
		if (strcmp(OPERATORS[i].operator, e->at->text) == 0)
			print_call_of(b, out, OPERATORS[i].function, e, scope);
}

/* A query as one value: its only column. */
static void print_subquery(struct binder *b, struct buf *out, const struct expr *e,
			   struct scope *scope)
{
	struct output output = {};

	buf_add_str(out, "(");
	bind_query(b, out, e->query, scope, 0, false, &output);
	buf_add_str(out, ")");
	if (!b->r && output.n != 1)
		b->r = sql_refuse_at(b->error, e->at, "column_count",
				     "A query used as a value must have one column, not %zu.",
				     output.n);
}

void print_value(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	if (b->r)
		return;
	const char *column = grouped_sql(b, e, scope);
	if (column) {
		buf_add_str(out, column);
		return;
	}
	switch (e->kind) {
	case EXPR_NULL:
		buf_add_str(out, "NULL");
		return;
	case EXPR_BOOL:
		buf_add_str(out, e->number ? "x'03'" : "x'02'");
		return;
	case EXPR_NUMBER:
		print_number(b, out, e);
		return;
	case EXPR_STRING:
		put_literal(out, e->at->text, e->at->len);
		return;
	case EXPR_PARAMETER:
		print_parameter(b, out, e);
		return;
	case EXPR_NAME:
		print_name(b, out, e, scope, "rd_get", nullptr, 0);
		return;
	case EXPR_GET:
		print_get(b, out, e, scope, "rd_get");
		return;
	case EXPR_NEGATE:
		print_call_of(b, out, "rd_negate", e, scope);
		return;
	case EXPR_BINARY:
		print_binary(b, out, e, scope);
		return;
	case EXPR_QUERY:
		print_subquery(b, out, e, scope);
		return;
	case EXPR_CASE:
		print_case(b, out, e, scope);
		return;
	case EXPR_CALL:
		print_call(b, out, e, scope);
		return;
	case EXPR_CAST:
		print_with_word(b, out, e->negated ? "rd_try_cast" : "rd_cast", e, e->name[0],
				scope);
		return;
	case EXPR_ARRAY:
	case EXPR_OBJECT:
		print_array(b, out, e, scope);
		return;
	case EXPR_INTERVAL:
		buf_add_str(out, e->negated ? "rd_negate(" : "");
		print_with_word(b, out, "rd_interval", e, e->name[0], scope);
		buf_add_str(out, e->negated ? ")" : "");
		return;
	case EXPR_AT_ZONE:
		print_call_of(b, out, "rd_at_zone", e, scope);
		return;
	case EXPR_EXTRACT:
		print_with_word(b, out, "rd_extract", e, e->name[0], scope);
		return;
	case EXPR_COMPARE:
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
	case EXPR_IS_NULL:
	case EXPR_IS_UNDEFINED:
	case EXPR_IS_BOOL:
	case EXPR_IS_DISTINCT:
	case EXPR_LIKE:
	case EXPR_IN:
	case EXPR_BETWEEN:
	case EXPR_EXISTS:
		buf_add_str(out, "rd_bool(");
		print_condition(b, out, e, scope);
		buf_add_str(out, ")");
		return;
	}
}

/* NOLINTEND(misc-no-recursion) */
