/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/function/udf.h"
#include "service/sql/bind_call.h"
#include "service/sql/compare.h"
#include "service/sql/draft.h"

constexpr size_t CALL_ARGS_MAX = 100; /* SQLite takes 127 */
constexpr size_t SITES_MAX = 1000;    /* calls of a query that are told apart */

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

void print_args(struct binder *b, struct buf *out, const struct expr *e, size_t from,
		struct scope *scope)
{
	for (size_t i = from; i < e->n_args && !b->r; i++) {
		if (i > from)
			buf_add_str(out, ", ");
		print_value(b, out, e->arg[i], scope);
	}
}

/* Which of a function's calls it is that stands for this token. The last number is of all that are too many. */
static unsigned int site_of(struct binder *b, const char *function, const struct token *at)
{
	unsigned int n = 0;

	for (size_t i = 0; i < b->sites.n; i++) {
		const struct call_site *site = b->sites.item[i];

		if (strcmp(site->function, function) != 0)
			continue;
		if (site->at == at || site->number == UDF_SITES - 1)
			return site->number;
		n++;
	}
	if (b->sites.n >= SITES_MAX) { /* a hostile query is not to make this list long */
		if (udf_add_site(b->db, function, UDF_SITES - 1))
			b->r = -ENOMEM;
		return UDF_SITES - 1;
	}
	struct call_site *new = bind_node(b, sizeof(*new));
	if (!new)
		return 0;
	*new = (struct call_site) { function, n == UDF_SITES - 1 ? nullptr : at, n };
	vec_add(b, &b->sites, new);
	if (udf_add_site(b->db, function, n))
		b->r = -ENOMEM;
	return n;
}

void put_aggregate(struct binder *b, struct buf *out, const char *function, const struct token *at)
{
	bool ours = strncmp(function, "rd_", 3) == 0;
	unsigned int site = ours && !b->calling ? site_of(b, function, at) : 0;

	if (site > 0)
		buf_addf(out, "%s$%u(", function, site);
	else
		buf_addf(out, "%s(", function);
}

void put_function(struct binder *b, struct buf *out, const char *function, const struct token *at)
{
	if (b->trying && strncmp(function, "rd_", 3) == 0)
		buf_addf(out, "rt_%s(", function + 3);
	else
		put_aggregate(b, out, function, at);
}

void print_call_of(struct binder *b, struct buf *out, const char *function, const struct expr *e,
		   struct scope *scope)
{
	put_function(b, out, function, e->at);
	print_args(b, out, e, 0, scope);
	buf_add_str(out, ")");
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
	auto parameter = (const struct token *const *)b->parameters.item;
	size_t i = 0;

	while (i < b->parameters.n && strcmp(parameter[i]->text, e->at->text) != 0)
		i++;
	if (i == b->parameters.n)
		vec_add(b, &b->parameters, e->at);
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
	const char *column = nullptr;
	size_t n = 0;

	while (e->kind == EXPR_GET && n < countof(step) && !column) {
		step[countof(step) - ++n] = step_of(e); /* the last key is met first */
		e = e->arg[0];
		column = grouped_sql(b, e, scope);
	}
	const struct step *first = &step[countof(step) - n];
	if (e->kind == EXPR_NAME && !column) {
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
	bool cross = e->operand && case_crosses(b, e, scope);

	buf_add_str(out, "CASE ");
	if (e->operand && !cross)
		print_value(b, out, e->operand, scope);
	for (size_t i = 0; i + 1 < e->n_args && !b->r; i += 2) {
		buf_add_str(out, " WHEN ");
		if (cross) {
			buf_add_str(out, "rd_eq(");
			print_value(b, out, e->operand, scope);
			buf_add_str(out, ", ");
		}
		if (e->operand)
			print_value(b, out, e->arg[i], scope);
		else
			print_condition(b, out, e->arg[i], scope);
		buf_add_str(out, cross ? ") THEN " : " THEN ");
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
	put_function(b, out, function, e->at);
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
/* Whether a query has one row at most, whatever there is in what it reads. */
static bool is_one_row(const struct query *query)
{
	const struct core *core = query->cores;
	const struct expr *limit = query->limit;

	if (limit && limit->kind == EXPR_NUMBER && strcmp(limit->at->text, "1") == 0)
		return true;
	if (core->next || core->nested || core->n_group > 0)
		return false;
	for (const struct select_item *i = core->items; core->from && i; i = i->next)
		if (i->expr && has_aggregate(i->expr))
			return true;
	return !core->from;
}

static void print_subquery(struct binder *b, struct buf *out, const struct expr *e,
			   struct scope *scope)
{
	struct output output = {};
	bool one = is_one_row(e->query);

	buf_add_str(out, one ? "(" : "(WITH q(v) AS (");
	bind_query(b, out, e->query, scope, 0, false, &output);
	if (!one) {
		buf_add_str(out, ") SELECT ");
		put_aggregate(b, out, "rd_only", e->at);
		buf_add_str(out, "v) FROM q");
	}
	buf_add_str(out, ")");
	if (!b->r && output.n != 1)
		b->r = sql_refuse_at(b->error, e->at, "column_count",
				     "A query used as a value must have one column, not %zu.",
				     output.n);
}

static void print_interval(struct binder *b, struct buf *out, const struct expr *e,
			   struct scope *scope)
{
	if (e->negated)
		put_function(b, out, "rd_negate", e->at);
	print_with_word(b, out, "rd_interval", e, e->name[0], scope);
	buf_add_str(out, e->negated ? ")" : "");
}

void print_value(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope)
{
	if (!bind_goes_on(b))
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
		print_interval(b, out, e, scope);
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
