/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * function: the functions a query may call, in one table.
 *
 * Layer 6 (service/function). Pure data.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

/* What is known of a value's type before it is computed; most is known only then. */
enum sql_type : uint8_t {
	TYPE_ANY,
	TYPE_DATE,
	TYPE_DATETIME,
	TYPE_TIME,
	TYPE_TIMESTAMP,
	TYPE_INTERVAL,
	TYPE_SAME,  /* as the first argument */
	TYPE_SAME2, /* as the second argument */
};

enum function_kind : uint8_t {
	FUNCTION_SCALAR,
	FUNCTION_AGGREGATE, /* DISTINCT, ORDER BY and OVER may go with it */
	FUNCTION_WINDOW,    /* needs OVER */
	/* The rest is printed in ways of its own. */
	FUNCTION_IF,
	FUNCTION_COUNT,
	FUNCTION_COUNT_IF,
	FUNCTION_BOOL_AND,
	FUNCTION_BOOL_OR,
	FUNCTION_NOW,
	FUNCTION_TYPEOF,
	FUNCTION_COALESCE,
	FUNCTION_TRY,
	FUNCTION_ARRAY_MAP,
};

struct function {
	const char *name; /* upper case */
	enum function_kind kind;
	uint8_t min, max; /* arguments; 255: any number */
	const char *sql;  /* what SQLite calls it */
	enum sql_type type;
};

/* The function of that name, in any case, or nullptr. */
[[nodiscard]] const struct function *function_find(const char *name);

/* Whether it makes one value of many rows, with OVER or without. */
[[nodiscard]] bool function_is_aggregate(const struct function *f);

/* A function whose name is close to this one, for a hint; or nullptr. */
[[nodiscard]] const char *function_like(const char *name);

/* Whether SQLite may call a function of this name for us: ours and the built-in ones of the table. */
[[nodiscard]] bool function_allowed(const char *sql);

/* How many letters apart two names are, looking no further than limit. Source: Levenshtein distance. */
[[nodiscard]] size_t name_distance(const char *a, const char *b, size_t limit);
