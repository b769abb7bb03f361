/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/native.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/sql/compare.h"
#include "service/sql/evaluate.h"
#include "service/value/civil.h"
#include "service/value/value.h"
#include "service/vector/cell.h"

constexpr size_t ARGUMENTS_MAX = 100; /* of a function; SQLite takes 127 */

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

struct node *node_new(struct binder *b, enum operation op, size_t n_args)
{
	struct node *node = bind_node(b, sizeof(*node));
	struct node **arg = bind_node(b, (n_args + 1) * sizeof(struct node *));

	if (!node || !arg)
		return nullptr;
	*node = (struct node) { .op = op, .at = b->at, .arg = arg, .n_args = n_args };
	return node;
}

struct node *node_constant(struct binder *b, const struct cell *cell)
{
	struct node *node = node_new(b, OP_CONSTANT, 0);

	if (node)
		node->constant = *cell;
	return node;
}

struct node *node_folded(struct binder *b, struct buf *text)
{
	struct cell cell;

	return fold(b, text, &cell) ? node_constant(b, &cell) : nullptr;
}

static struct node *fold_value(struct binder *b, const struct expr *e)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct scope none = {};

	print_value(b, &text, e, &none);
	return node_folded(b, &text);
}

struct node *node_with_args(struct binder *b, struct draft *draft, enum operation op,
			    const struct expr *e, size_t first, struct scope *scope)
{
	struct node *node = node_new(b, op, e->n_args - first);

	for (size_t i = 0; node && i < node->n_args; i++) {
		node->arg[i] = draft_node(b, draft, e->arg[first + i], scope);
		if (!node->arg[i])
			return nullptr;
	}
	return node;
}

/* A name and the members after it. */
static struct node *field_node(struct binder *b, struct draft *draft, const struct expr *e,
			       const struct step *step, size_t n_steps, struct scope *scope)
{
	struct resolved at;

	resolve(b, e, scope, &at);
	if (b->r)
		return nullptr;
	if (at.alias) {
		const struct select_item *aliases = scope->aliases;

		scope->aliases = nullptr; /* an alias is not made of aliases */
		struct node *node = e->n_names == 1 && n_steps == 0
					    ? draft_node(b, draft, at.alias->expr, scope)
					    : nullptr;
		scope->aliases = aliases;
		return node;
	}
	if (!at.source || at.source->draft != draft)
		return nullptr;
	size_t words = e->n_names - at.used;
	struct str *key = bind_node(b, (words + n_steps + 1) * sizeof(*key));
	for (size_t i = 0; key && i < words + n_steps; i++) {
		const struct token *name = i < words ? e->name[at.used + i] : step[i - words].name;

		if (!name)
			return nullptr;
		key[i] = (struct str) { name->text, (uint32_t)name->len };
	}
	struct node *node = node_new(b, OP_FIELD, 0);
	if (node && key)
		node->field = draft_field(b, draft,
					  &(struct field) { .key = key,
							    .n = (uint32_t)(words + n_steps),
							    .source = at.source->index,
							    .in_element = at.source->element });
	return node;
}

static struct node *get_node(struct binder *b, struct draft *draft, const struct expr *e,
			     struct scope *scope)
{
	struct step step[CHAIN_MAX];
	size_t n = 0;

	while (e->kind == EXPR_GET && n < countof(step)) {
		step[countof(step) - ++n] = step_of(e);
		e = e->arg[0];
	}
	return e->kind == EXPR_NAME ? field_node(b, draft, e, &step[countof(step) - n], n, scope)
				    : nullptr;
}

/* a + b, a || b */
static struct node *binary(struct binder *b, struct draft *draft, const struct expr *e,
			   struct scope *scope)
{
	static const struct {
		const char *text;
		enum operation op;
	} OPERATORS[] = { { "+", OP_ADD },    { "-", OP_SUBTRACT }, { "*", OP_MULTIPLY },
			  { "/", OP_DIVIDE }, { "%", OP_MODULO },   { "||", OP_CONCAT } };

	for (size_t i = 0; i < countof(OPERATORS); i++)
		if (strcmp(OPERATORS[i].text, e->at->text) == 0)
			return node_with_args(b, draft, OPERATORS[i].op, e, 0, scope);
	return nullptr;
}

/* condition ? then : otherwise; the last may be nullptr, which is NULL. */
static struct node *choice(struct binder *b, struct node *condition, struct node *then,
			   struct node *otherwise)
{
	struct node *node = condition && then ? node_new(b, OP_IF, otherwise ? 3 : 2) : nullptr;

	if (!node)
		return nullptr;
	node->arg[0] = condition;
	node->arg[1] = then;
	if (otherwise)
		node->arg[2] = otherwise;
	return node;
}

/* CASE is a choice whose otherwise is the next one; made from the last to the first. */
static struct node *case_node(struct binder *b, struct draft *draft, const struct expr *e,
			      struct scope *scope)
{
	struct node *operand = e->operand ? draft_node(b, draft, e->operand, scope) : nullptr;
	struct node *node = e->otherwise ? draft_node(b, draft, e->otherwise, scope) : nullptr;

	if ((e->operand && !operand) || (e->otherwise && !node))
		return nullptr;
	for (size_t i = e->n_args / 2; i-- > 0;) {
		struct node *when = nullptr;

		if (operand) {
			check_moment_text(b, e->operand, e->arg[2 * i], scope);
			struct node *value = draft_node(b, draft, e->arg[2 * i], scope);

			when = value ? node_new(b, OP_EQ, 2) : nullptr;
			if (!when)
				return nullptr;
			when->condition = true;
			when->arg[0] = operand;
			when->arg[1] = value;
		} else {
			when = draft_condition(b, draft, e->arg[2 * i], scope);
		}
		node = choice(b, when, draft_node(b, draft, e->arg[2 * i + 1], scope), node);
		if (!node)
			return nullptr;
	}
	return node;
}

static struct node *if_node(struct binder *b, struct draft *draft, const struct expr *e,
			    struct scope *scope)
{
	struct node *otherwise = e->n_args == 3 ? draft_node(b, draft, e->arg[2], scope) : nullptr;

	if (e->n_args == 3 && !otherwise)
		return nullptr;
	return choice(b, draft_condition(b, draft, e->arg[0], scope),
		      draft_node(b, draft, e->arg[1], scope), otherwise);
}

static bool unit_named(const struct cell *name, enum unit *ret)
{
	static const char *const UNITS[] = {
		[UNIT_MICROSECOND] = "microsecond",
		[UNIT_MILLISECOND] = "millisecond",
		[UNIT_SECOND] = "second",
		[UNIT_MINUTE] = "minute",
		[UNIT_HOUR] = "hour",
		[UNIT_DAY] = "day",
		[UNIT_WEEK] = "week",
		[UNIT_MONTH] = "month",
		[UNIT_QUARTER] = "quarter",
		[UNIT_YEAR] = "year",
	};

	for (size_t i = 0; name->kind == KIND_STRING && i < countof(UNITS); i++)
		if (name->s.len == strlen(UNITS[i]) &&
		    strncasecmp(name->s.at, UNITS[i], name->s.len) == 0) {
			*ret = (enum unit)i;
			return true;
		}
	return false;
}

/* DATE_TRUNC('hour', x), TIME_BUCKET(interval, x): the first argument must be known now. */
static struct node *bucket(struct binder *b, struct draft *draft, enum operation op,
			   const struct expr *e, struct scope *scope)
{
	struct node *first =
		is_constant(b, e->arg[0]) ? draft_node(b, draft, e->arg[0], scope) : nullptr;
	struct node *node = first && first->op == OP_CONSTANT && e->n_args == 2
				    ? node_with_args(b, draft, op, e, 1, scope)
				    : nullptr;

	if (!node || !is_moment(type_of(b, e->arg[1], scope)))
		return nullptr;
	if (op == OP_DATE_TRUNC)
		return unit_named(&first->constant, &node->unit) ? node : nullptr;
	if (first->constant.kind != KIND_INTERVAL || first->constant.i <= 0)
		return nullptr;
	node->width_us = first->constant.i;
	return node;
}

static struct node *call_node(struct binder *b, struct draft *draft, const struct expr *e,
			      struct scope *scope)
{
	static const struct {
		const char *sql;
		enum operation op;
	} CALLS[] = {
		{ "rd_parse_timestamp", OP_PARSE_TIMESTAMP },
		{ "rd_parse_datetime", OP_PARSE_DATETIME },
		{ "rd_date_trunc", OP_DATE_TRUNC },
		{ "rd_time_bucket", OP_TIME_BUCKET },
		{ "rd_array_contains", OP_ARRAY_CONTAINS },
		{ "coalesce", OP_COALESCE },
		{ "lower", OP_LOWER },
		{ "upper", OP_UPPER },
		{ "rd_length", OP_LENGTH },
		{ "rd_parse_date", OP_PARSE_DATE },
		{ "rd_substr", OP_SUBSTR },
		{ "rd_concat", OP_CONCAT },
		{ "rd_mod", OP_MODULO },
	};
	const struct function *f = function_find(e->at->text);

	if (!f || e->star || e->distinct || e->order || e->window || e->n_args < f->min ||
	    e->n_args > f->max)
		return nullptr;
	if (f->kind == FUNCTION_IF)
		return if_node(b, draft, e, scope);
	if (f->kind != FUNCTION_SCALAR && f->kind != FUNCTION_COALESCE)
		return nullptr;
	for (size_t i = 0; i < countof(CALLS); i++) {
		enum operation op = CALLS[i].op;

		if (strcmp(CALLS[i].sql, f->sql) != 0)
			continue;
		if (op == OP_DATE_TRUNC || op == OP_TIME_BUCKET)
			return bucket(b, draft, op, e, scope);
		struct node *node = node_with_args(b, draft, op, e, 0, scope);
		if (node && op == OP_ARRAY_CONTAINS &&
		    (node->arg[0]->op != OP_FIELD || node->arg[1]->op != OP_CONSTANT))
			return nullptr;
		return node;
	}
	return nullptr;
}

/* EXTRACT(part FROM x); nullptr for a part that pipes do not know. */
static struct node *extract_node(struct binder *b, struct draft *draft, const struct expr *e,
				 struct scope *scope)
{
	static const struct {
		const char *name;
		enum unit unit;
	} PARTS[] = {
		{ "MICROSECOND", UNIT_MICROSECOND },
		{ "MILLISECOND", UNIT_MILLISECOND },
		{ "SECOND", UNIT_SECOND },
		{ "MINUTE", UNIT_MINUTE },
		{ "HOUR", UNIT_HOUR },
		{ "DAY", UNIT_DAY },
		{ "WEEK", UNIT_WEEK },
		{ "ISOWEEK", UNIT_WEEK },
		{ "MONTH", UNIT_MONTH },
		{ "QUARTER", UNIT_QUARTER },
		{ "YEAR", UNIT_YEAR },
		{ "DOW", UNIT_DOW },
		{ "ISODOW", UNIT_DOW },
		{ "DAYOFWEEK", UNIT_DAYOFWEEK },
		{ "DOY", UNIT_DOY },
		{ "DAYOFYEAR", UNIT_DOY },
		{ "EPOCH", UNIT_EPOCH },
	};

	for (size_t i = 0; i < countof(PARTS); i++) {
		if (strcasecmp(PARTS[i].name, e->name[0]->text) != 0)
			continue;
		struct node *node = node_with_args(b, draft, OP_EXTRACT, e, 0, scope);
		if (node)
			node->unit = PARTS[i].unit;
		return node;
	}
	return nullptr;
}

/* Whether it is made of its arguments by a function, and nothing else. */
static bool is_function(const struct expr *e)
{
	const struct function *f = e->kind == EXPR_CALL ? function_find(e->at->text) : nullptr;

	if (e->kind == EXPR_CALL)
		return f && f->kind == FUNCTION_SCALAR && is_stable(e);
	return e->kind == EXPR_CAST || e->kind == EXPR_EXTRACT || e->kind == EXPR_AT_ZONE ||
	       e->kind == EXPR_ARRAY || (e->kind == EXPR_GET && e->n_names == 0);
}

/* The evaluation of this text, made once for a query. */
static struct evaluation *evaluation_of(struct binder *b, const char *sql)
{
	struct evaluation *evaluation = b->evaluations;

	while (evaluation && strcmp(evaluation->sql, sql) != 0)
		evaluation = evaluation->next;
	if (evaluation)
		return evaluation->stmt ? evaluation : nullptr;
	evaluation = bind_node(b, sizeof(*evaluation));
	if (!evaluation)
		return nullptr;
	bool good = evaluation_init(b->calls, sql, evaluation);
	evaluation->next = b->evaluations;
	b->evaluations = evaluation;
	return good ? evaluation : nullptr;
}

/* What pipes do of a function themselves. */
static const struct native_call {
	const char *name; /* of a function what SQLite calls it, of a cast the type */
	size_t n_args;
	enum native native;
	int64_t width_us;
} CALLS[] = {
	{ "rd_abs", 1, NATIVE_ABS, 0 },
	{ "ceil", 1, NATIVE_CEIL, 0 },
	{ "floor", 1, NATIVE_FLOOR, 0 },
	{ "round", 1, NATIVE_ROUND, 0 },
	{ "sign", 1, NATIVE_SIGN, 0 },
	{ "sqrt", 1, NATIVE_SQRT, 0 },
	{ "rd_date_diff", 3, NATIVE_DATE_DIFF, 0 },
	{ "rd_unix_micros", 1, NATIVE_UNIX_TIME, 1 },
	{ "rd_unix_millis", 1, NATIVE_UNIX_TIME, 1000 },
	{ "rd_unix_seconds", 1, NATIVE_UNIX_TIME, 1'000'000 },
	{ "rd_unix_date", 1, NATIVE_UNIX_TIME, CIVIL_DAY_US },
	{ "rd_timestamp_micros", 1, NATIVE_TIMESTAMP, 1 },
	{ "rd_timestamp_millis", 1, NATIVE_TIMESTAMP, 1000 },
	{ "rd_timestamp_seconds", 1, NATIVE_TIMESTAMP, 1'000'000 },
}, CASTS[] = {
	{ "int", 1, NATIVE_TO_INT, 0 },	      { "integer", 1, NATIVE_TO_INT, 0 },
	{ "int64", 1, NATIVE_TO_INT, 0 },     { "bigint", 1, NATIVE_TO_INT, 0 },
	{ "float", 1, NATIVE_TO_FLOAT, 0 },   { "double", 1, NATIVE_TO_FLOAT, 0 },
};

/* The length of a unit that always has the same; 0 for others. */
static int64_t unit_us(enum unit unit)
{
	constexpr int64_t second = 1'000'000;
	static const int64_t US[] = {
		[UNIT_MICROSECOND] = 1,		[UNIT_MILLISECOND] = 1000,
		[UNIT_SECOND] = second,		[UNIT_MINUTE] = 60 * second,
		[UNIT_HOUR] = 3600 * second,	[UNIT_DAY] = CIVIL_DAY_US,
		[UNIT_WEEK] = 7 * CIVIL_DAY_US,
	};

	return unit < countof(US) ? US[unit] : 0;
}

/* Say in a call's node what pipes can do of it. */
static void set_native(struct node *node, const struct expr *e)
{
	bool cast = e->kind == EXPR_CAST;
	const char *name = cast			  ? e->name[0]->text
			   : e->kind == EXPR_CALL ? function_find(e->at->text)->sql
						  : "";
	const struct native_call *list = cast ? CASTS : CALLS;
	size_t n = cast ? countof(CASTS) : countof(CALLS);
	enum unit unit;

	for (size_t i = 0; i < n && node->native == NATIVE_NONE; i++)
		if (strcasecmp(list[i].name, name) == 0 && list[i].n_args == node->n_args) {
			node->native = list[i].native;
			node->width_us = list[i].width_us;
		}
	if (node->native != NATIVE_DATE_DIFF)
		return;
	bool known = node->arg[0]->op == OP_CONSTANT && unit_named(&node->arg[0]->constant, &unit);
	node->width_us = known ? unit_us(unit) : 0;
	if (node->width_us == 0)
		node->native = NATIVE_NONE;
}

/* What exec does not know is called back: SQLite evaluates it for each value, or once for each entry of a dictionary. */
static struct node *evaluated(struct binder *b, struct draft *draft, const struct expr *e,
			      struct scope *scope)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct scope arguments = { .argument = e->arg, .n_arguments = e->n_args };
	struct node *node = is_function(e) && e->n_args > 0 && e->n_args < ARGUMENTS_MAX
				    ? node_with_args(b, draft, OP_CALL, e, 0, scope)
				    : nullptr;

	if (!node)
		return nullptr;
	b->calling = true;
	print_value(b, &text, e, &arguments);
	b->calling = false;
	node->userdata = evaluation_of(b, bind_keep(b, &text));
	node->call = evaluation_call;
	node->lock = b->calls_lock;
	set_native(node, e);
	return node->userdata && !b->r ? node : nullptr;
}

static struct node *value_node(struct binder *b, struct draft *draft, const struct expr *e,
			       struct scope *scope)
{
	if (is_condition(e))
		return node_condition(b, draft, e, scope);
	if (is_constant(b, e))
		return fold_value(b, e);
	if (e->kind == EXPR_NAME)
		return field_node(b, draft, e, nullptr, 0, scope);
	struct node *node = e->kind == EXPR_GET	      ? get_node(b, draft, e, scope)
			    : e->kind == EXPR_CALL    ? call_node(b, draft, e, scope)
			    : e->kind == EXPR_EXTRACT ? extract_node(b, draft, e, scope)
						      : nullptr;
	if (node)
		return node;
	if (e->kind == EXPR_BINARY)
		return binary(b, draft, e, scope);
	if (e->kind == EXPR_NEGATE)
		return node_with_args(b, draft, OP_NEGATE, e, 0, scope);
	if (e->kind == EXPR_CASE)
		return case_node(b, draft, e, scope);
	return evaluated(b, draft, e, scope);
}

struct node *draft_node(struct binder *b, struct draft *draft, const struct expr *e,
			struct scope *scope)
{
	size_t fields = draft->fields.n;
	struct place before = b->at;

	b->at = (struct place) { e->at->line, e->at->column };
	struct node *node = b->r ? nullptr : value_node(b, draft, e, scope);
	b->at = before;

	if (!node)
		draft->fields.n = fields;
	return node;
}

/* NOLINTEND(misc-no-recursion) */
