/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * op: the operations that a plan's nodes can be, and the units of time that some of them take.
 *
 * Layer 5 (service/expression). Pure data. What each does with a NULL or MISSING argument is said in plan.h.
 */

#include <stdint.h>

enum operation : uint8_t {
	OP_FIELD,    /* field */
	OP_CONSTANT, /* constant */
	OP_EQ,	     /* arg[0], arg[1], by cell_compare() */
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_AND, /* arg[0…] */
	OP_OR,
	OP_NOT,
	OP_IS_NULL, /* of NULL and MISSING: never NULL itself */
	OP_IS_MISSING,
	OP_IS_TRUE,
	OP_IS_FALSE,
	OP_TRUTH, /* a value as a condition, as rd_truth() of service/function */
	OP_IN,	  /* arg[0] among arg[1…]; constants are hashed */
	OP_LIKE, /* arg[0], constant pattern arg[1], constant escape arg[2] or none: as rd_like() */
	OP_ADD,	 /* as rd_add(): numbers (int unless one is float), moments and intervals */
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_DIVIDE,
	OP_MODULO,
	OP_NEGATE,
	OP_IF, /* condition, value, else (or none: NULL); CASE is a chain of them */
	OP_COALESCE,
	OP_PARSE_TIMESTAMP, /* of a STRING in ISO 8601: TIMESTAMP; of one that is none: an error of the query */
	OP_PARSE_DATETIME,
	OP_PARSE_DATE,
	OP_DATE_TRUNC,	   /* arg[0] a moment, unit */
	OP_TIME_BUCKET,	   /* arg[0] a moment, width_us */
	OP_EXTRACT,	   /* arg[0] a moment, unit */
	OP_ARRAY_CONTAINS, /* arg[0] a field, arg[1] a constant: without making the array */
	OP_LENGTH,	   /* of a string (characters), bytes, array */
	OP_LOWER,	   /* of ASCII letters; of anything but strings and ints PIPE_UNSUITED */
	OP_UPPER,
	OP_SUBSTR, /* arg[0], from, and maybe how many, as SQLite's; of anything but strings and ints PIPE_UNSUITED */
	OP_CONCAT,
	OP_CALL, /* anything else: native or call(), once per distinct argument where arguments come from one dictionary */
	OP_COUNT,
};

/* What is done here of an OP_CALL, for arguments of these kinds; call() does all others. Each is NULL if an argument is. */
enum native : uint8_t {
	NATIVE_NONE,
	NATIVE_ABS, /* of a number, as the next */
	NATIVE_CEIL,
	NATIVE_FLOOR,
	NATIVE_ROUND, /* to a whole number */
	NATIVE_SIGN,
	NATIVE_SQRT,
	NATIVE_TO_INT, /* CAST */
	NATIVE_TO_FLOAT,
	NATIVE_DATE_DIFF, /* from the moment arg[1] to arg[2] in a unit of fixed length */
	NATIVE_UNIX_TIME, /* of a moment, in width_us */
	NATIVE_TIMESTAMP, /* of an int, in width_us */
	NATIVE_COUNT,
};

enum unit : uint8_t {
	UNIT_MICROSECOND,
	UNIT_MILLISECOND,
	UNIT_SECOND,
	UNIT_MINUTE,
	UNIT_HOUR,
	UNIT_DAY,
	UNIT_WEEK, /* begins on Monday */
	UNIT_MONTH,
	UNIT_QUARTER,
	UNIT_YEAR,
	UNIT_DOW,	/* these are for OP_EXTRACT only; 1 is Monday */
	UNIT_DAYOFWEEK, /* 1 is Sunday */
	UNIT_DOY,
	UNIT_EPOCH, /* seconds since 1970 */
};
