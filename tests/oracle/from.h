/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * from: random FROM clauses, and the columns that are in sight behind them.
 */

#include "common/base.h"
#include "common/buf.h"
#include "tests/oracle/expression.h"

enum from_kind : uint8_t {
	FROM_COLLECTION,
	FROM_JOIN,
	FROM_UNNEST,
	FROM_QUERY, /* in parentheses, or by a name from WITH */
	FROM_ANY,
};

/*
 * Make one.
 *
 * kind   what it is made of; FROM_ANY: chance decides
 * with   if a query needs it, WITH … is appended here
 * out    " FROM …" is appended
 * scope  empty but for r; gets the columns
 */
void from_put(enum from_kind kind, struct buf *with, struct buf *out, struct scope *scope);
