/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * answer: the rows of a query's answer, to be compared with those of another.
 */

#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/base.h"
#include "service/sql/sql.h"

struct answer {
	int r; /* what sql_run() returned */
	struct sql_error error;
	yyjson_doc *read;
	yyjson_val **row; /* [n] in the order in which they came */
	size_t n;
	bool spilled; /* some of it was on disk for a while */
};

/* How far two values may lie apart and still be the same. */
struct tolerance {
	bool loose;	 /* an int may be the float of the same value */
	double relative; /* of floats */
};

/* Run a query one way, with so many bytes for its pipes (0: the usual). parameters are the same for all. Free with answer_done(). */
void answer_get(struct sql_session *session, enum sql_way way, size_t memory, const char *text,
		struct answer *ret);

/* Free what it holds. */
void answer_done(struct answer *answer);

/* Whether both have the same rows, in any order. */
[[nodiscard]] bool answer_same(const struct answer *a, const struct answer *b,
			       const struct tolerance *tolerance);

/* Whether the rows of part are among those of whole. */
[[nodiscard]] bool answer_within(const struct answer *part, const struct answer *whole,
				 const struct tolerance *tolerance);

/* Whether the columns called key[n] have the same values row by row; a missing one is as null. */
[[nodiscard]] bool answer_ordered(const struct answer *a, const struct answer *b,
				  const char (*key)[8], size_t n,
				  const struct tolerance *tolerance);

/* Print the first rows, only those that are not in the other answer if there is one, or the error. */
void answer_print(const char *title, const struct answer *answer, const struct answer *other);
