/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/expression.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/oracle/templates.h"

void scope_add(struct scope *scope, enum holds holds, const char *format, ...)
{
	va_list args;

	if (scope->n == SCOPE_COLUMNS)
		return;
	struct operand *column = &scope->column[scope->n++];
	column->holds = holds;
	va_start(args, format);
	(void)vsnprintf(column->text, sizeof(column->text), format, args);
	va_end(args);
}

void scope_add_fields(struct scope *scope, const char *alias, bool dirty)
{
	static const struct {
		const char *text;
		enum holds holds;
	} FIELDS[] = {
		{ "i", HOLDS_INT },	  { "i", HOLDS_INT },	    { "g", HOLDS_INT },
		{ "f", HOLDS_NUMBER },	  { "f", HOLDS_NUMBER },    { "w", HOLDS_WILD },
		{ "b", HOLDS_BOOL },	  { "s", HOLDS_TEXT },	    { "s", HOLDS_TEXT },
		{ "u", HOLDS_TEXT },	  { "t", HOLDS_TIME_TEXT }, { "v", HOLDS_TEXT },
		{ "m", HOLDS_TIMESTAMP }, { "d", HOLDS_DATE },	    { "a", HOLDS_ARRAY },
		{ "l", HOLDS_ARRAY },	  { "x", HOLDS_ANY },	    { "x", HOLDS_ANY },
		{ "o.n", HOLDS_INT },	  { "o.s", HOLDS_TEXT },    { "o['x']", HOLDS_ANY },
		{ "o.p.q", HOLDS_INT },	  { "a[1]", HOLDS_ANY },    { "o", HOLDS_ANY },
		{ "r", HOLDS_ARRAY },	  { "x.n", HOLDS_ANY },	    { "r[1].k", HOLDS_INT },
		{ "nowhere", HOLDS_ANY }, { "z7", HOLDS_ANY },	    { "x[2]", HOLDS_ANY },
	};
	const char *dot = alias[0] ? "." : "";

	for (size_t i = 0; i < countof(FIELDS); i++)
		scope_add(scope, dirty ? HOLDS_ANY : FIELDS[i].holds, "%s%s%s", alias, dot,
			  FIELDS[i].text);
	scope_add(scope, HOLDS_TEXT, "%s%s_id", alias, dot);
	scope_add(scope, HOLDS_TIMESTAMP, "%s%s_event_time", alias, dot);
}

/* A column that holds one of a set of kinds, or nullptr. */
static const struct operand *pick(struct scope *scope, uint32_t set)
{
	size_t count = 0, at;

	for (size_t i = 0; i < scope->n; i++)
		count += (set >> scope->column[i].holds) & 1;
	if (count == 0)
		return nullptr;
	at = random_below(scope->r, (uint32_t)count);
	for (size_t i = 0; i < scope->n; i++)
		if (((set >> scope->column[i].holds) & 1) && at-- == 0)
			return &scope->column[i];
	return nullptr;
}

static void put_column(struct scope *scope, struct buf *out, uint32_t set, const char *otherwise)
{
	const struct operand *column = pick(scope, set);

	buf_add_str(out, column ? column->text : otherwise);
}

/* The beginning of IF: a column that may hold anything, if it is of the kind. Of numbers only what calculates exactly. */
static void put_guarded(struct buf *out, const struct kind_of_expression *kind, const char *column)
{
	bool whole = kind->letter == 'i', real = kind->letter == 'n';

	buf_addf(out, "IF(TYPEOF(%s) = '%s', %s%s%s, ", column, kind->type, real ? "FLOOR(" : "",
		 column,
		 whole	? " % 1000"
		 : real ? " % 1000.0)"
			: "");
}

/* NOLINTBEGIN(misc-no-recursion): depth is counted down. */

/* An expression of one kind: a column, a literal, a guarded column, or a template. */
static void put_typed(struct scope *scope, struct buf *out, const struct kind_of_expression *kind,
		      int depth)
{
	uint32_t roll = random_below(scope->r, 100);
	const struct operand *column = pick(scope, kind->columns);

	if (depth > 0 && roll < 45) {
		size_t at = random_below(scope->r, (uint32_t)kind->n_templates);

		expression_put(scope, out, kind->templates[at], depth - 1);
		return;
	}
	if (column && roll < 88) {
		buf_add_str(out, column->text);
		return;
	}
	column = kind->type ? pick(scope, 1u << HOLDS_ANY) : nullptr;
	if (column && !pick(scope, kind->columns)) {
		put_guarded(out, kind, column->text);
		expression_put(scope, out, kind->literal, 0);
		buf_add_str(out, ")");
		return;
	}
	expression_put(scope, out, kind->literal, 0);
}

/* A query over a small collection, whose scope is its own. */
static void put_subquery(struct scope *scope, struct buf *out, bool exists, int depth)
{
	static const char *const NAMES[] = { "few", "few", "odd", "none" };
	struct scope inner = { .r = scope->r, .outer = scope, .next_sub = scope->next_sub + 1 };
	const char *name = random_of(scope->r, NAMES);
	bool correlated = exists && !scope->big && random_percent(scope->r, 70);
	char alias[16];

	(void)snprintf(alias, sizeof(alias), "y%u", scope->next_sub++);
	scope_add_fields(&inner, alias, name[0] == 'o');
	buf_add_str(out, exists ? "SELECT 1 AS one" : "SELECT ");
	if (!exists)
		expression_put(&inner, out, "@C AS k", 0);
	buf_addf(out, " FROM %s %s", name, alias);
	if (correlated) {
		expression_put(&inner, out, " WHERE @C = ", 0);
		expression_put(scope, out, "@C", 0);
		expression_put(&inner, out, random_percent(scope->r, 50) ? "" : " AND @c", depth);
	} else if (random_percent(scope->r, 60)) {
		expression_put(&inner, out, " WHERE @c", depth);
	}
}

static void put_condition(struct scope *scope, struct buf *out, int depth)
{
	uint32_t n = depth > 0 ? N_CONDITIONS : N_CONDITIONS_FLAT;

	if (scope->subqueries && random_percent(scope->r, 4)) {
		expression_put(scope, out, random_of(scope->r, SUBQUERIES), depth);
		return;
	}
	expression_put(scope, out, CONDITIONS[random_below(scope->r, n)], depth - 1);
}

static void put_aggregate(struct scope *scope, struct buf *out, int depth, bool to_compare)
{
	uint32_t n = to_compare ? N_AGGREGATES_PLAIN : N_AGGREGATES;
	const char *template = AGGREGATES[random_below(scope->r, n)];

	if (strstr(template, "_BY(") && !scope->id)
		template = "COUNT(*)";
	scope->rough |= strncmp(template, "STD", 3) == 0 || strncmp(template, "VAR", 3) == 0;
	if (strcmp(template, "ARRAY_AGG") == 0) { /* in an order of its own, or it is any */
		const struct operand *column = pick(scope, UINT32_MAX);
		const char *text = column ? column->text : "1";

		buf_addf(out, "ARRAY_AGG(%s ORDER BY %s)", text, text);
		return;
	}
	expression_put(scope, out, template, depth - 1);
	if (strstr(template, "_BY("))
		buf_addf(out, "%s)", scope->id);
}

static void put_literal(struct scope *scope, struct buf *out, char letter)
{
	struct random *r = scope->r;

	switch (letter) {
	case 'I':
		if (random_percent(r, 80))
			buf_addf(out, "%" PRIi64, random_between(r, -25, 35));
		else
			buf_add_str(out, random_of(r, INT_LITERALS));
		return;
	case 'B':
		buf_add_str(out, random_of(r, BIG_LITERALS));
		return;
	case 'J':
		buf_addf(out, "%" PRIi64, random_between(r, 1, 9));
		return;
	case 'F':
		buf_add_str(out, random_of(r, FLOAT_LITERALS));
		return;
	case 'T':
		buf_add_str(out, random_of(r, TEXT_LITERALS));
		return;
	case 'P':
		buf_add_str(out, random_of(r, PATTERNS));
		return;
	case 'R':
		buf_add_str(out, random_of(r, REGULAR));
		return;
	case 'U':
		buf_add_str(out, random_of(r, UNITS));
		return;
	case 'O':
		buf_add_str(out, random_of(r, COMPARISONS));
		return;
	case 'N':
		buf_add_str(out, random_percent(r, 30) ? "NOT " : "");
		return;
	case 'M':
		buf_add_str(out, random_of(r, TIMESTAMP_LITERALS));
		return;
	default:
		buf_add_str(out, random_of(r, ANY_LITERALS));
	}
}

static void put_letter(struct scope *scope, struct buf *out, char letter, int depth)
{
	switch (letter) {
	case 'c':
		put_condition(scope, out, depth);
		return;
	case 'A':
		put_column(scope, out, 1u << HOLDS_ARRAY, "[1, 2, 'a']");
		return;
	case 'C':
		put_column(scope, out, UINT32_MAX, "7");
		return;
	case 'D':
		put_column(scope, out, ~(1u << HOLDS_OPAQUE), "7");
		return;
	case 'g':
	case 'G':
		put_aggregate(scope, out, depth, letter == 'G');
		return;
	case 'Q':
	case 'E':
		put_subquery(scope, out, letter == 'E', depth);
		return;
	default:
		break;
	}
	for (size_t i = 0; i < N_KINDS; i++)
		if (KINDS[i].letter == letter) {
			put_typed(scope, out, &KINDS[i], depth);
			return;
		}
	put_literal(scope, out, letter);
}

void expression_put(struct scope *scope, struct buf *out, const char *template, int depth)
{
	for (const char *c = template; *c; c++) {
		if (*c == '@')
			put_letter(scope, out, *++c, depth);
		else
			buf_add(out, c, 1);
	}
}

/* NOLINTEND(misc-no-recursion) */

void expression_put_risky(struct scope *scope, struct buf *out, bool condition)
{
	expression_put(scope, out, random_of(scope->r, RISKY), 1);
	if (condition)
		expression_put(scope, out, " @O @L", 0);
}

enum holds expression_holds(char letter)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (KINDS[i].letter == letter)
			return KINDS[i].holds;
	return letter == 'c' ? HOLDS_BOOL : HOLDS_ANY;
}
