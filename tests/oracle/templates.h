/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * templates: what expressions are made of. A row for each form; expression.h says what the letters stand for.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tests/oracle/expression.h"

/* One kind of expression: which columns are of it, how else it is made, what stands for it if nothing else does. */
struct kind_of_expression {
	char letter;
	enum holds holds;
	uint32_t columns;
	const char *type; /* as TYPEOF says it, for a column that may hold anything; or nullptr */
	const char *literal;
	const char *const *templates; /* [n_templates] */
	size_t n_templates;
};

extern const struct kind_of_expression KINDS[];
extern const char *const CONDITIONS[]; /* the first N_CONDITIONS_FLAT do not nest */
extern const char
	*const AGGREGATES[]; /* the first N_AGGREGATES_PLAIN can be compared with an integer */
extern const char *const SUBQUERIES[6]; /* conditions */
extern const char *const RISKY[22];
constexpr size_t N_KINDS = 7;
constexpr uint32_t N_CONDITIONS = 48;
constexpr uint32_t N_CONDITIONS_FLAT = 31;
constexpr uint32_t N_AGGREGATES = 33;
constexpr uint32_t N_AGGREGATES_PLAIN = 11;

extern const char *const INT_LITERALS[6],
	*const BIG_LITERALS[6],
		*const FLOAT_LITERALS[8],
			*const TEXT_LITERALS[16],
				*const PATTERNS[14],
					*const REGULAR[6],
						*const UNITS[8],
							*const COMPARISONS[7],
								*const TIMESTAMP_LITERALS[6],
									*const ANY_LITERALS[15];
