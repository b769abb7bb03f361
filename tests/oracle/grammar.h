/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * grammar: random queries, and what may be asked of their answers.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/oracle/random.h"

constexpr size_t ASKED_KEYS = 6;

struct asked {
	struct buf text;
	struct buf unlimited; /* without LIMIT and OFFSET, if there is one; else empty */
	bool loose; /* which of several equal values stands for them (1, 1.0) may differ */
	bool rough; /* numbers depend on the order of rows beyond the usual rounding */
	char key[ASKED_KEYS]
		[8]; /* columns that the rows are ordered by, the first the most important */
	size_t n_keys;
};

/* Make an empty one; asked_done() frees it. */
[[nodiscard]] struct asked asked_make(void);

/* Free what it holds. */
void asked_done(struct asked *asked);

/* Make a query. */
void grammar_query(struct random *r, struct asked *ret);

/* A predicate, and FROM with what it is about; for tests that put them into queries of their own. */
struct predicate {
	struct buf from, condition, number; /* number: an expression to add up */
};

/* Make one; predicate_done() frees it. */
void grammar_predicate(struct random *r, struct predicate *ret);

/* Free what it holds. */
void predicate_done(struct predicate *predicate);
