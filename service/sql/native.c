/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/draft.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/exec/cell.h"
#include "service/value/value.h"

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

static struct node *node_of(struct binder *b, enum operation op, size_t n_args)
{
	struct node *node = bind_node(b, sizeof(*node));
	struct node **arg = bind_node(b, (n_args + 1) * sizeof(struct node *));

	if (!node || !arg)
		return nullptr;
	*node = (struct node) { .op = op, .arg = arg, .n_args = n_args };
	return node;
}

static struct node *constant(struct binder *b, const struct cell *cell)
{
	struct node *node = node_of(b, OP_CONSTANT, 0);

	if (node)
		node->constant = *cell;
	return node;
}

/* One constant: SQL text, evaluated now. */
static struct node *folded(struct binder *b, struct buf *text)
{
	struct cell cell;

	return fold(b, text, &cell) ? constant(b, &cell) : nullptr;
}

static struct node *fold_value(struct binder *b, const struct expr *e)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct scope none = {};

	print_value(b, &text, e, &none);
	return folded(b, &text);
}

/* A moment that is to be compared with others of a type, when it is known now. */
static struct node *fold_as(struct binder *b, const struct expr *e, enum sql_type as)
{
	auto_buf struct buf text = buf_make(BIND_TEXT_MAX);
	struct scope none = {};

	print_as(b, &text, e, as, &none);
	return folded(b, &text);
}

/* The arguments of e from the first on as those of a node. Returns nullptr if one cannot be. */
static struct node *with_args(struct binder *b, struct draft *draft, enum operation op,
			      const struct expr *e, size_t first, struct scope *scope)
{
	struct node *node = node_of(b, op, e->n_args - first);

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
	struct node *node = node_of(b, OP_FIELD, 0);
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

/* A side of a comparison in the type that both sides are compared in. */
static struct node *side(struct binder *b, struct draft *draft, const struct expr *e,
			 enum sql_type common, struct scope *scope)
{
	if (!is_moment(common) || type_of(b, e, scope) == common)
		return draft_node(b, draft, e, scope);
	return is_constant(b, e) ? fold_as(b, e, common) : nullptr;
}

static struct node *compare_node(struct binder *b, struct draft *draft, enum operation op,
				 const struct expr *left, const struct expr *right,
				 enum sql_type common, struct scope *scope)
{
	struct node *node = node_of(b, op, 2);

	if (!node)
		return nullptr;
	node->condition = true;
	node->arg[0] = side(b, draft, left, common, scope);
	node->arg[1] = node->arg[0] ? side(b, draft, right, common, scope) : nullptr;
	return node->arg[1] ? node : nullptr;
}

static struct node *comparison(struct binder *b, struct draft *draft, const struct expr *e,
			       struct scope *scope)
{
	static const struct {
		const char *text;
		enum operation op;
	} OPERATORS[] = { { "=", OP_EQ },  { "<>", OP_NE }, { "!=", OP_NE }, { "<", OP_LT },
			  { "<=", OP_LE }, { ">", OP_GT },  { ">=", OP_GE } };

	for (size_t i = 0; i < countof(OPERATORS); i++)
		if (strcmp(OPERATORS[i].text, e->at->text) == 0)
			return compare_node(b, draft, OPERATORS[i].op, e->arg[0], e->arg[1],
					    common_type(b, e, scope), scope);
	return nullptr;
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
			return with_args(b, draft, OPERATORS[i].op, e, 0, scope);
	return nullptr;
}

/* A node around one condition. */
static struct node *around(struct binder *b, enum operation op, struct node *inside, bool condition)
{
	struct node *node = inside ? node_of(b, op, 1) : nullptr;

	if (node) {
		node->arg[0] = inside;
		node->condition = condition;
	}
	return node;
}

static struct node *negate_if(struct binder *b, bool negated, struct node *node)
{
	return negated ? around(b, OP_NOT, node, true) : node;
}

static struct node *between(struct binder *b, struct draft *draft, const struct expr *e,
			    struct scope *scope)
{
	enum sql_type common = common_type(b, e, scope);
	struct node *node = node_of(b, OP_AND, 2);

	if (!node)
		return nullptr;
	node->condition = true;
	node->arg[0] = compare_node(b, draft, OP_GE, e->arg[0], e->arg[1], common, scope);
	node->arg[1] = node->arg[0]
			       ? compare_node(b, draft, OP_LE, e->arg[0], e->arg[2], common, scope)
			       : nullptr;
	return node->arg[1] ? negate_if(b, e->negated, node) : nullptr;
}

static struct node *in_list(struct binder *b, struct draft *draft, const struct expr *e,
			    struct scope *scope)
{
	enum sql_type common = common_type(b, e, scope);
	struct node *node = e->query ? nullptr : node_of(b, OP_IN, e->n_args);

	for (size_t i = 0; node && i < e->n_args; i++) {
		node->arg[i] = side(b, draft, e->arg[i], common, scope);
		if (!node->arg[i])
			return nullptr;
	}
	if (node)
		node->condition = true;
	return negate_if(b, e->negated, node);
}

/* AND, OR: all arguments must be conditions that can be nodes. */
static struct node *joined(struct binder *b, struct draft *draft, const struct expr *e,
			   struct scope *scope)
{
	struct node *node = node_of(b, e->kind == EXPR_AND ? OP_AND : OP_OR, e->n_args);

	for (size_t i = 0; node && i < e->n_args; i++) {
		node->arg[i] = draft_condition(b, draft, e->arg[i], scope);
		if (!node->arg[i])
			return nullptr;
	}
	if (node)
		node->condition = true;
	return node;
}

/* x LIKE 'pattern': the pattern must be known now. */
static struct node *like(struct binder *b, struct draft *draft, const struct expr *e,
			 struct scope *scope)
{
	struct node *node = with_args(b, draft, OP_LIKE, e, 0, scope);

	for (size_t i = 1; node && i < node->n_args; i++)
		if (node->arg[i]->op != OP_CONSTANT || node->arg[i]->constant.kind != KIND_STRING)
			return nullptr;
	if (node)
		node->condition = true;
	return negate_if(b, e->negated, node);
}

static struct node *is_undefined(struct binder *b, struct draft *draft, const struct expr *e,
				 struct scope *scope)
{
	struct node *field = e->arg[0]->kind == EXPR_NAME || e->arg[0]->kind == EXPR_GET
				     ? draft_node(b, draft, e->arg[0], scope)
				     : nullptr;

	if (!field || field->op != OP_FIELD || !may_be_undefined(b, e->arg[0], scope))
		return nullptr;
	return negate_if(b, e->negated, around(b, OP_IS_MISSING, field, true));
}

static struct node *condition_node(struct binder *b, struct draft *draft, const struct expr *e,
				   struct scope *scope)
{
	switch (e->kind) {
	case EXPR_COMPARE:
		return comparison(b, draft, e, scope);
	case EXPR_AND:
	case EXPR_OR:
		return joined(b, draft, e, scope);
	case EXPR_NOT:
		return negate_if(b, true, draft_condition(b, draft, e->arg[0], scope));
	case EXPR_IS_NULL:
		return negate_if(
			b, e->negated,
			around(b, OP_IS_NULL, draft_node(b, draft, e->arg[0], scope), true));
	case EXPR_IS_UNDEFINED:
		return is_undefined(b, draft, e, scope);
	case EXPR_IS_BOOL:
		return negate_if(b, e->negated,
				 around(b, e->number ? OP_IS_TRUE : OP_IS_FALSE,
					draft_condition(b, draft, e->arg[0], scope), true));
	case EXPR_LIKE:
		return like(b, draft, e, scope);
	case EXPR_IN:
		return in_list(b, draft, e, scope);
	case EXPR_BETWEEN:
		return between(b, draft, e, scope);
	case EXPR_BOOL:
		return constant(b, &(struct cell) { .kind = e->number ? KIND_TRUE : KIND_FALSE });
	case EXPR_NULL:
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_PARAMETER:
	case EXPR_NAME:
	case EXPR_GET:
	case EXPR_NEGATE:
	case EXPR_BINARY:
	case EXPR_IS_DISTINCT:
	case EXPR_EXISTS:
	case EXPR_QUERY:
	case EXPR_CASE:
	case EXPR_CALL:
	case EXPR_CAST:
	case EXPR_ARRAY:
	case EXPR_OBJECT:
	case EXPR_INTERVAL:
	case EXPR_AT_ZONE:
	case EXPR_EXTRACT:
		return nullptr;
	}
	return nullptr;
}

static bool is_condition(const struct expr *e)
{
	switch (e->kind) {
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
	case EXPR_BOOL:
		return true;
	case EXPR_NULL:
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_PARAMETER:
	case EXPR_NAME:
	case EXPR_GET:
	case EXPR_NEGATE:
	case EXPR_BINARY:
	case EXPR_QUERY:
	case EXPR_CASE:
	case EXPR_CALL:
	case EXPR_CAST:
	case EXPR_ARRAY:
	case EXPR_OBJECT:
	case EXPR_INTERVAL:
	case EXPR_AT_ZONE:
	case EXPR_EXTRACT:
		return false;
	}
	return false;
}

struct node *draft_condition(struct binder *b, struct draft *draft, const struct expr *e,
			     struct scope *scope)
{
	if (is_condition(e))
		return condition_node(b, draft, e, scope);
	return around(b, OP_TRUTH, draft_node(b, draft, e, scope), true);
}

/* condition ? then : otherwise; the last may be nullptr, which is NULL. */
static struct node *choice(struct binder *b, struct node *condition, struct node *then,
			   struct node *otherwise)
{
	struct node *node = condition && then ? node_of(b, OP_IF, otherwise ? 3 : 2) : nullptr;

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
			struct node *value = draft_node(b, draft, e->arg[2 * i], scope);

			when = value ? node_of(b, OP_EQ, 2) : nullptr;
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
				    ? with_args(b, draft, op, e, 1, scope)
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
		{ "substr", OP_SUBSTR },
		{ "rd_concat", OP_CONCAT },
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
		struct node *node = with_args(b, draft, op, e, 0, scope);
		if (node && op == OP_ARRAY_CONTAINS &&
		    (node->arg[0]->op != OP_FIELD || node->arg[1]->op != OP_CONSTANT))
			return nullptr;
		return node;
	}
	return nullptr;
}

static struct node *value_node(struct binder *b, struct draft *draft, const struct expr *e,
			       struct scope *scope)
{
	if (is_condition(e))
		return condition_node(b, draft, e, scope);
	if (is_constant(b, e))
		return fold_value(b, e);
	if (e->kind == EXPR_NAME)
		return field_node(b, draft, e, nullptr, 0, scope);
	if (e->kind == EXPR_GET)
		return get_node(b, draft, e, scope);
	if (e->kind == EXPR_BINARY)
		return binary(b, draft, e, scope);
	if (e->kind == EXPR_NEGATE)
		return with_args(b, draft, OP_NEGATE, e, 0, scope);
	if (e->kind == EXPR_CASE)
		return case_node(b, draft, e, scope);
	return e->kind == EXPR_CALL ? call_node(b, draft, e, scope) : nullptr;
}

struct node *draft_node(struct binder *b, struct draft *draft, const struct expr *e,
			struct scope *scope)
{
	size_t fields = draft->fields.n;
	struct node *node = b->r ? nullptr : value_node(b, draft, e, scope);

	if (!node)
		draft->fields.n = fields;
	return node;
}

/* NOLINTEND(misc-no-recursion) */
