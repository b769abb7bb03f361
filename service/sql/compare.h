/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * compare: what kinds of values an expression can have, and comparisons that must mind them (service/value/match.h).
 *
 * Layer 6 (service/sql). SQLite's own operators take values for what they are to it, numbers, texts and bytes, and give all of them
 * an order. They are used where the kinds say that this is the same, so that SQLite can look for equal values by an index.
 */

#include "service/column/kind.h"
#include "service/sql/bind_internal.h"

struct node;

/* Kinds that an expression's values can be of, from its form and from what is known of the chunks that are read. */
[[nodiscard]] kind_set kinds_of(struct binder *b, const struct expr *e, struct scope *scope);

/* Whether values of such kinds can be equal though they are of unlike kinds, as a timestamp and a text can be. */
[[nodiscard]] bool kinds_cross(kind_set a, kind_set b);

/* Whether some can be texts and others moments. */
[[nodiscard]] bool kinds_cross_text(kind_set a, kind_set b);

/* An operator of SQLite's and two sides as SQL, with the kinds that they can be of. */
struct sides {
	const char *operator; /* "=", "<>", "<", "<=", ">", ">=", "IS" or "IS NOT" */
	const char *left, *right;
	kind_set left_kinds, right_kinds;
};

/* Print a comparison. */
void put_comparison(struct buf *out, const struct sides *sides);

/* Print a comparison of an expression's two arguments. */
void print_pair(struct binder *b, struct buf *out, const struct expr *e, const char *operator,
		struct scope * scope);

/* Print BETWEEN. */
void print_between(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope);

/* Print IN with a list or a query. */
void print_in(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope);

/* Whether a CASE's operand can be equal to one of its values in a way that plain SQL does not see. */
[[nodiscard]] bool case_crosses(struct binder *b, const struct expr *e, struct scope *scope);

/* Refuse a text that is compared with e and is no moment, where e's values are nothing but moments. */
void check_moment_text(struct binder *b, const struct expr *e, const struct expr *text,
		       struct scope *scope);

/* Make a constant text that is compared with e the moment that it is, where e's values are moments. */
void node_as_moment(struct binder *b, const struct expr *e, struct scope *scope,
		    struct node *constant);
