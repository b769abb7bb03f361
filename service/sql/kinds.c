/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "service/chunk/chunk.h"
#include "service/snapshot/snapshot.h"
#include "service/sql/compare.h"
#include "service/sql/native.h"
#include "service/value/value.h"
#include "service/vector/cell.h"

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

constexpr kind_set TEXT = 1u << KIND_STRING;
constexpr kind_set BOOLS = 1u << KIND_FALSE | 1u << KIND_TRUE;
constexpr kind_set NUMBERS = 1u << KIND_INT | 1u << KIND_FLOAT;

/* Kinds that a name can have: a column's, or those of a field in the chunks. */
static kind_set kinds_of_name(struct binder *b, const struct expr *e, struct scope *scope)
{
	struct resolved at;
	kind_set kinds = 0;

	resolve(b, e, scope, &at);
	if (b->r)
		return KINDS_ALL;
	if (at.alias) {
		const struct select_item *aliases = scope->aliases;

		scope->aliases = nullptr; /* an alias is not made of aliases */
		kinds = e->n_names == 1 ? kinds_of(b, at.alias->expr, scope) : KINDS_ALL;
		scope->aliases = aliases;
		return kinds;
	}
	if (!at.source || at.source->element)
		return KINDS_ALL;
	if (!at.source->snapshot)
		return at.used == e->n_names && at.kinds ? at.kinds : KINDS_ALL;
	if (at.used == e->n_names)
		return 1u << KIND_OBJECT;
	if (at.used + 1 == e->n_names && strcmp(e->name[at.used]->text, "_id") == 0)
		return TEXT | KINDS_NULLS;
	if (at.used + 1 == e->n_names && strcmp(e->name[at.used]->text, "_event_time") == 0)
		return 1u << KIND_TIMESTAMP | KINDS_NULLS;
	for (size_t c = 0; c < snapshot_chunks(at.source->snapshot); c++) {
		const struct chunk *chunk = snapshot_chunk(at.source->snapshot, c)->chunk;
		uint32_t column = 0;

		for (size_t i = at.used; i < e->n_names && column != CHUNK_NONE; i++)
			column = chunk_child(chunk, column, e->name[i]->text, e->name[i]->len);
		if (column != CHUNK_NONE)
			kinds |= chunk_column(chunk, column)->kinds;
	}
	return kinds | KINDS_NULLS;
}

static kind_set kinds_of_parameter(struct binder *b, const struct expr *e)
{
	const struct sql_parameter *parameter = sql_parameter_find(b->ask, e->at->text);
	auto_buf struct buf room = buf_make(BIND_TEXT_MAX);
	struct value value;
	struct cell cell;

	if (!parameter || !value_open(parameter->packed, parameter->len, &value))
		return KINDS_ALL;
	cell_unpack(&value, &room, &cell);
	return (kind_set)(1u << cell.kind);
}

static kind_set kinds_of_type(enum sql_type type)
{
	static const kind_set KINDS[] = {
		[TYPE_DATE] = 1u << KIND_DATE,
		[TYPE_DATETIME] = 1u << KIND_DATETIME,
		[TYPE_TIME] = 1u << KIND_TIME,
		[TYPE_TIMESTAMP] = 1u << KIND_TIMESTAMP,
		[TYPE_INTERVAL] = 1u << KIND_INTERVAL | 1u << KIND_MONTHS,
		[TYPE_SAME2] = 0,
	};

	return type < countof(KINDS) && KINDS[type] ? KINDS[type] | KINDS_NULLS : KINDS_ALL;
}

/* What some functions yield always, by what SQLite calls them. */
static kind_set kinds_of_function(const char *sql)
{
	static const struct {
		const char *sql;
		kind_set kinds;
	} FUNCTIONS[] = {
		{ "rd_concat", TEXT },
		{ "lower", TEXT },
		{ "upper", TEXT },
		{ "rd_substr", TEXT },
		{ "replace", TEXT },
		{ "trim", TEXT },
		{ "ltrim", TEXT },
		{ "rtrim", TEXT },
		{ "rd_typeof", TEXT },
		{ "rd_split_part", TEXT },
		{ "rd_to_hex", TEXT },
		{ "rd_format_iso", TEXT },
		{ "rd_format_time", TEXT },
		{ "rd_json_format", TEXT },
		{ "count", NUMBERS },
		{ "distinct", NUMBERS },
		{ "rd_avg", NUMBERS },
		{ "rd_length", NUMBERS },
		{ "row_number", NUMBERS },
		{ "rank", NUMBERS },
		{ "dense_rank", NUMBERS },
		{ "rd_abs", NUMBERS },
		{ "round", NUMBERS },
		{ "ceil", NUMBERS },
		{ "floor", NUMBERS },
		{ "rd_date_diff", NUMBERS },
		{ "rd_unix_micros", NUMBERS },
		{ "rd_unix_millis", NUMBERS },
		{ "rd_unix_seconds", NUMBERS },
	};

	for (size_t i = 0; i < countof(FUNCTIONS); i++)
		if (strcmp(FUNCTIONS[i].sql, sql) == 0)
			return FUNCTIONS[i].kinds | KINDS_NULLS;
	return KINDS_ALL;
}

static kind_set kinds_of_all(struct binder *b, struct expr *const *arg, size_t n,
			     struct scope *scope)
{
	kind_set kinds = KINDS_NULLS;

	for (size_t i = 0; i < n; i++)
		kinds |= kinds_of(b, arg[i], scope);
	return kinds;
}

static kind_set kinds_of_call(struct binder *b, const struct expr *e, struct scope *scope)
{
	const struct function *f = function_find(e->at->text);

	if (!f || e->n_args < f->min)
		return KINDS_ALL;
	if (f->kind == FUNCTION_IF)
		return kinds_of_all(b, e->arg + 1, e->n_args - 1, scope);
	if (f->type ==
	    TYPE_SAME) /* of MIN_BY and the like more than there are, which does no harm */
		return kinds_of_all(b, e->arg, e->n_args, scope);
	if (f->type == TYPE_SAME2) {
		kind_set days = kinds_of(b, e->arg[1], scope) & KINDS_DAYS;

		return days ? days | KINDS_NULLS : KINDS_DAYS | KINDS_NULLS;
	}
	return f->type == TYPE_ANY ? kinds_of_function(f->sql) : kinds_of_type(f->type);
}

static kind_set kinds_of_cast(const struct expr *e)
{
	static const struct {
		const char *name;
		kind_set kinds;
	} TYPES[] = {
		{ "string", TEXT },
		{ "varchar", TEXT },
		{ "text", TEXT },
		{ "int", NUMBERS },
		{ "integer", NUMBERS },
		{ "bigint", NUMBERS },
		{ "float", NUMBERS },
		{ "double", NUMBERS },
		{ "bool", BOOLS },
		{ "boolean", BOOLS },
		{ "date", 1u << KIND_DATE },
		{ "datetime", 1u << KIND_DATETIME },
		{ "time", 1u << KIND_TIME },
		{ "timestamp", 1u << KIND_TIMESTAMP },
	};

	for (size_t i = 0; i < countof(TYPES); i++)
		if (strcasecmp(TYPES[i].name, e->name[0]->text) == 0)
			return TYPES[i].kinds | KINDS_NULLS;
	return KINDS_ALL;
}

static kind_set kinds_of_case(struct binder *b, const struct expr *e, struct scope *scope)
{
	kind_set kinds = KINDS_NULLS;

	for (size_t i = 1; i < e->n_args; i += 2)
		kinds |= kinds_of(b, e->arg[i], scope);
	return e->otherwise ? kinds | kinds_of(b, e->otherwise, scope) : kinds;
}

/* a + b: anything but text; of what is known to be a moment or an interval the like. */
static kind_set kinds_of_sum(struct binder *b, const struct expr *e, struct scope *scope)
{
	constexpr kind_set apart = 1u << KIND_INTERVAL | 1u << KIND_MONTHS;

	if (strcmp(e->at->text, "||") == 0)
		return TEXT | KINDS_NULLS;
	kind_set kinds = kinds_of_all(b, e->arg, e->n_args, scope) & (kind_set)~TEXT;
	return kinds & (KINDS_MOMENTS | apart) ? kinds | apart : kinds;
}

kind_set kinds_of(struct binder *b, const struct expr *e, struct scope *scope)
{
	if (b->r || scope->argument)
		return KINDS_ALL;
	if (is_condition(e))
		return BOOLS | KINDS_NULLS;
	switch ((int)e->kind) {
	case EXPR_NULL:
		return KINDS_NULLS;
	case EXPR_NUMBER:
		return NUMBERS;
	case EXPR_NEGATE:
	case EXPR_BINARY:
		return kinds_of_sum(b, e, scope);
	case EXPR_STRING:
		return TEXT;
	case EXPR_PARAMETER:
		return kinds_of_parameter(b, e);
	case EXPR_NAME:
		return kinds_of_name(b, e, scope);
	case EXPR_CALL:
		return kinds_of_call(b, e, scope);
	case EXPR_CAST:
		return kinds_of_cast(e);
	case EXPR_CASE:
		return kinds_of_case(b, e, scope);
	case EXPR_ARRAY:
		return 1u << KIND_ARRAY;
	case EXPR_OBJECT:
		return 1u << KIND_OBJECT;
	case EXPR_INTERVAL:
		return kinds_of_type(TYPE_INTERVAL);
	case EXPR_AT_ZONE:
		return KINDS_DAYS | KINDS_NULLS;
	case EXPR_EXTRACT:
		return NUMBERS | KINDS_NULLS;
	default:
		return KINDS_ALL;
	}
}

/* NOLINTEND(misc-no-recursion) */
