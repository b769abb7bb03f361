/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * match: how two values of any types compare in a condition, `=` or `<`; the total order in which values are sorted is another one.
 *
 * Layer 2 (service/value). Pure functions, safe from any thread.
 * Numbers compare with numbers, exactly; strings with strings and bytes with bytes, byte by byte; date, datetime and timestamp with
 * each other, as the widest of them, which is as µs in UTC; time with time, intervals with intervals of their kind, arrays with
 * arrays, objects with objects, bools with bools. A string that is an ISO 8601 moment compares with date, datetime and timestamp,
 * one that is a time of day with time. All others are unlike.
 */

#include <stddef.h>
#include <stdint.h>

#include "service/value/value.h"

/* One side of a comparison, neither NULL nor NaN. */
struct operand {
	enum value_tag tag;
	bool is_int; /* of a NUMBER */
	int64_t i;
	double f;
	const char *
		text; /* STRING and BYTES: the bytes, not escaped; ARRAY and OBJECT: the packed value */
	size_t len;
};

/* Outcomes beside < 0, 0 and > 0, which are 1 or -1. */
constexpr int MATCH_UNLIKE = 2; /* not equal, and neither is less */

/* Compare two values: -1, 0, 1 or MATCH_UNLIKE. */
[[nodiscard]] int match_values(const struct operand *a, const struct operand *b);

/* Compare an int with a float, exactly: -1, 0 or 1. f is no NaN. */
[[nodiscard]] int match_mixed(int64_t i, double f);

/* The µs of a date, datetime or timestamp. Returns whether it is one; *ret is set only then. */
[[nodiscard]] bool match_moment(enum value_tag tag, int64_t i, int64_t *ret);

/*
 * A text as a value of a type, to be compared with others of it: a date that has a time of day becomes a datetime.
 *
 * type  DATE, DATETIME, TIMESTAMP or TIME
 *
 * Returns whether it is one; outputs are set only then.
 */
[[nodiscard]] bool match_text(enum value_tag type, const char *text, size_t len,
			      enum value_tag *ret_tag, int64_t *ret);
