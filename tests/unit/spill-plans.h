/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * spill-plans: sorts and joins over the documents of spill-fixture.h.
 *
 * For tests/unit/test-exec-spill*.c. There is one plan at a time.
 */

#include <stdint.h>

#include "tests/unit/spill-fixture.h"

static struct order_by orders[4];
static struct node *outputs[8];

/* Rows of v, x and k, ordered by some of them. */
static inline struct plan sort_plan(struct snapshot *snapshot, int64_t limit, uint32_t n_order)
{
	plan_begin();
	outputs[0] = field("v");
	outputs[1] = field("x");
	outputs[2] = field("k");
	outputs[3] = field("t");
	return (struct plan) { .snapshot = snapshot,
			       .field = plan_fields,
			       .n_fields = n_plan_fields,
			       .output = outputs,
			       .n_outputs = 4,
			       .order = orders,
			       .n_order = n_order,
			       .limit = limit };
}

static struct join joins[2];

/*
 * Rows of many with those of others that have the same key.
 *
 * by  field of both that is the key
 */
static inline struct plan join_plan(struct snapshot *outer, struct snapshot *inner, const char *by,
				    bool left)
{
	plan_begin();
	outputs[0] = field("v");
	outputs[1] = field("x");
	outputs[2] = field_of("v", 1, false);
	outputs[3] = field_of("x", 1, false);
	outputs[4] = field_of("t", 1, false);
	outputs[5] = field_of("none", 0, false);
	joins[0] = (struct join) { .snapshot = inner,
				   .outer_key = field(by),
				   .inner_key = field_of(by, 1, false),
				   .left = left };
	return (struct plan) { .snapshot = outer,
			       .field = plan_fields,
			       .n_fields = n_plan_fields,
			       .join = joins,
			       .n_joins = 1,
			       .output = outputs,
			       .n_outputs = 6,
			       .limit = -1 };
}
