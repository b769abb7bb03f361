/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * aggregate: what a group has added up so far, as fixed-size states that can be moved with memcpy() and merged.
 *
 * Layer 5 (service/group). Semantics are those of SQLite and service/function/udf_aggregate.c. States of one group lie one after
 * the other: first how many rows it has, then one for each aggregate. Zero bytes are empty states.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/expression/plan.h"
#include "service/vector/pile.h"
#include "service/vector/rows.h"
#include "service/vector/vector.h"

/* SUM, AVG. How many values: the group's rows less nulls. */
struct sum {
	uint64_t low; /* of the ints' sum, 128 bits in all */
	int64_t high;
	double real, lost; /* Neumaier: what rounding lost */
	int64_t nulls;
	bool has_real, has_interval;
};

/* COUNT of values: the group's rows less these. */
struct count {
	int64_t nulls;
};

/* COUNT DISTINCT: filled in at the end, from a grouping of its own. */
struct distinct {
	int64_t n;
};

/* MIN, MAX. */
struct extreme {
	struct slim best; /* NULL: none yet */
};

/* ANY_TRUE, ALL_TRUE. */
struct seen {
	bool yes, no;
};

struct layout {
	const struct aggregate *aggregate; /* [n] */
	uint32_t n;
	uint32_t *offset; /* [n] of each state */
	uint32_t size;	  /* of a group's states, rows included */
};

/* Work the layout out. Returns 0 or -ENOMEM; layout_done() frees. */
[[nodiscard]] int layout_init(struct layout *layout, const struct aggregate *aggregate, uint32_t n);

/* Free what it owns. */
void layout_done(struct layout *layout);

/* How many rows a group has. */
static inline int64_t *layout_rows(uint8_t *states)
{
	return (int64_t *)(void *)states;
}

/*
 * Add a block's values to the states of their groups, other than rows.
 *
 * which   the aggregate
 * value   its argument, or nullptr for COUNT(*)
 * entry   [n] which of its entries, ascending
 * state   [n] the states of the group that each goes to; nullptr: all go to one
 * room    takes strings
 *
 * Returns 0, AGGREGATE_BAD_KIND (value's entry *ret_bad cannot be added up), -ENOMEM or -EDQUOT.
 */
enum {
	AGGREGATE_BAD_KIND = 300,
};
struct update {
	const struct vector *value;
	const uint16_t *entry;
	uint8_t *const *state;
	uint32_t n;
	uint8_t *one;
	struct pile *room;
};
[[nodiscard]] int aggregate_update(const struct layout *layout, uint32_t which,
				   const struct update *update, enum kind *ret_bad);

/* Add the states of from to those of to, rows included; strings are copied to room unless it is nullptr. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int aggregate_merge(const struct layout *layout, uint8_t *to, const uint8_t *from,
				  struct pile *room);

/* Move strings that states refer to into a room. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int aggregate_keep(const struct layout *layout, uint8_t *states, struct pile *room);

/* Append the strings that states refer to. A failure sticks to out. */
void aggregate_pack(const struct layout *layout, const uint8_t *states, struct buf *out);

/* Let states refer to strings that aggregate_pack() has appended: data[len]. Returns whether they are all there. */
[[nodiscard]] bool aggregate_unpack(const struct layout *layout, uint8_t *states,
				    const uint8_t *data, size_t len);

/* The value of an aggregate. Returns whether it can be told: the sum of ints fits an int. */
[[nodiscard]] bool aggregate_value(const struct layout *layout, uint32_t which,
				   const uint8_t *states, struct cell *ret);
