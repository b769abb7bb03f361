/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * expression: random expressions of the dialect over columns whose kinds of values are known, so that most of them mean
 * something and do not fail.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/oracle/random.h"

/* What a column holds, if it is not null or missing. */
enum holds : uint8_t {
	HOLDS_INT,
	HOLDS_NUMBER, /* integers and floats that add up exactly */
	HOLDS_WILD,   /* numbers beyond all bounds: to compare, not to calculate with */
	HOLDS_BOOL,
	HOLDS_TEXT,
	HOLDS_TIME_TEXT, /* ISO 8601 */
	HOLDS_TIMESTAMP,
	HOLDS_DATE,
	HOLDS_ARRAY,
	HOLDS_ANY,
	HOLDS_OPAQUE, /* which of several equal values it is (1, 1.0) is not known: to compare only */
};

struct operand {
	char text[24];
	enum holds holds;
};

constexpr size_t SCOPE_COLUMNS = 110;

/* What an expression may be made of. */
struct scope {
	struct random *r;
	const struct scope *outer; /* of a sub-query; or nullptr */
	struct operand column[SCOPE_COLUMNS];
	size_t n;
	const char *id;	 /* a column that is different in each row, or nullptr */
	bool subqueries; /* may be made */
	bool big;	 /* many rows: what costs the square of them must not be */
	bool fails; /* FROM itself may fail, for rows that WHERE may or may not have left out */
	bool vague; /* which of several equal values the columns have is not known */
	bool rough; /* something was made whose last digits depend on the order of rows */
	uint32_t next_sub; /* number of the next sub-query's source */
};

/* Add a column. */
[[gnu::format(printf, 3, 4)]] void scope_add(struct scope *scope, enum holds holds,
					     const char *format, ...);

/* Add the fields of a collection, as members of alias. */
void scope_add_fields(struct scope *scope, const char *alias, bool dirty);

/*
 * Append what a template stands for. @ and a letter is an expression, as deep as depth:
 *   i n t m d b a  int, number, text, timestamp, date, bool, anything   c  condition
 *   I J B F        an integer, one from 1, one that may be very large, a float, as literals
 *   T P R M L      a text, a LIKE pattern, a regular expression, a timestamp, anything, as literals
 *   A C D          a column that is an array, any column, any but opaque ones
 *   O N U          comparison, NOT or nothing, a unit of time
 *   g G            an aggregate; one to compare
 *   Q E            a query of one column for IN, one for EXISTS
 */
void expression_put(struct scope *scope, struct buf *out, const char *template, int depth);

/* Append an expression that may well fail. */
void expression_put_risky(struct scope *scope, struct buf *out, bool condition);

/* What values an expression of a letter above has. */
[[nodiscard]] enum holds expression_holds(char letter);
