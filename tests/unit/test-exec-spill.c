/* SPDX-License-Identifier: Apache-2.0 */

/* Sorts, joins and groups in too little memory: the same answers. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/unit/spill-plans.h"
#include "tests/unit/spill-result.h"

static bool sorted_rows_are_the_same_in_little_memory(void)
{
	static const struct order_by ORDERS[][2] = {
		{ { 0, true, true } },	{ { 1, false, false }, { 2, true, true } },
		{ { 1, true, true } }, /* many are equal: the order of documents */
		{ { 1, false, true } }, { { 2, true, false }, { 1, false, false } },
	};

	for (size_t i = 0; i < countof(ORDERS); i++) {
		memcpy(orders, ORDERS[i], sizeof(ORDERS[i]));
		bool two = ORDERS[i][1].column || ORDERS[i][1].descending;
		struct plan plan = sort_plan(many, -1, two ? 2 : 1);

		CHECK(same_in(&plan, LITTLE, true));
		CHECK(same_in(&plan, LEAST * 2, true)); /* more runs than can be merged at once */
		plan.limit = 5000;
		CHECK(same_in(&plan, LITTLE, true));
	}
	return true;
}

static bool equal_rows_come_in_the_order_of_documents(void)
{
	auto_result struct result result = {};
	struct plan plan = sort_plan(many, -1, 1);
	int64_t last = -1;
	uint32_t n = 0;

	orders[0] = (struct order_by) { 1, false, false };
	outputs[1] = field("one");
	plan.n_fields = n_plan_fields;
	run_in(exec, &plan, LITTLE, &result);
	CHECK_EQ(result.r, PIPE_END);
	CHECK(result.spilled > 0);
	for (const char *at = buf_text(&result.text); at && *at; n++) {
		char *end;
		int64_t v = strtoll(at, &end, 10);

		CHECK_EQ(v, last + 1);
		last = v;
		at = strchr(end, '\n') + 1;
	}
	return n == DOCUMENTS;
}

static bool groups_in_an_order_are_the_same_in_little_memory(void)
{
	struct aggregate aggregates[] = { { .kind = AGGREGATE_SUM }, { .kind = AGGREGATE_COUNT } };

	plan_begin();
	struct node *key = field("k");
	aggregates[0].arg = field("v");
	orders[0] = (struct order_by) { 2, true, true };
	orders[1] = (struct order_by) { 0, false, false };
	struct plan plan = { .snapshot = many,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .grouped = true,
			     .output = &key,
			     .n_outputs = 1,
			     .aggregate = aggregates,
			     .n_aggregates = 2,
			     .order = orders,
			     .n_order = 2,
			     .limit = -1 };

	CHECK(same_in(&plan, LITTLE, true));
	plan.limit = 4000;
	return same_in(&plan, LITTLE, true);
}

/* The groups themselves do not fit either. */
static bool groups_beside_a_count_distinct_are_the_same_in_little_memory(void)
{
	struct aggregate aggregates[] = { { .kind = AGGREGATE_COUNT_DISTINCT },
					  { .kind = AGGREGATE_SUM },
					  { .kind = AGGREGATE_MAX },
					  { .kind = AGGREGATE_COUNT_DISTINCT } };

	plan_begin();
	struct node *key = field("k");
	aggregates[0].arg = field("x");
	aggregates[1].arg = field("v");
	aggregates[2].arg = field("x");
	aggregates[3].arg = field("t");
	orders[0] = (struct order_by) { 1, true, true };
	orders[1] = (struct order_by) { 0, false, false };
	struct plan plan = { .snapshot = many,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .grouped = true,
			     .output = &key,
			     .n_outputs = 1,
			     .aggregate = aggregates,
			     .n_aggregates = 4,
			     .order = orders,
			     .n_order = 2,
			     .limit = -1 };

	CHECK(same_in(&plan, 2 * LITTLE, true));
	plan.limit = 50;
	CHECK(same_in(&plan, 2 * LITTLE, true));
	plan.n_order = 0;
	plan.limit = -1;
	return same_in(&plan, 2 * LITTLE, false);
}

static bool joined_rows_are_the_same_in_little_memory(void)
{
	static const char *const KEYS[] = { "v", "k", "x" };

	for (size_t i = 0; i < 2 * countof(KEYS); i++) {
		/* By x there are many for one key, and keys of all kinds, and none. */
		struct snapshot *outer = i / 2 == 2 ? few : many;
		struct plan plan = join_plan(outer, many, KEYS[i / 2], i % 2);

		CHECK(same_in(&plan, LITTLE, false));
		plan.filter = NODE(OP_OR, NODE(OP_GT, field("g"), field_of("g", 1, false)),
				   NODE(OP_IS_MISSING, field_of("x", 1, false)));
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
	}
	return true;
}

/* All rows of the inner side have one key: pieces of one part; and of the outer side only some have it. */
static bool a_key_with_more_rows_than_fit_is_joined_all_the_same(void)
{
	for (int left = 0; left < 2; left++) {
		struct plan plan = join_plan(few, many, "one", left);

		joins[0].outer_key = NODE(OP_SUBTRACT, field("v"), number(7));
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
	}
	return true;
}

/* The second join's rows come out of the first's, and UNNEST's before. */
static bool several_joins_may_be_split(void)
{
	for (int left = 0; left < 4; left++) {
		struct plan plan = join_plan(many, many, "v", left & 1);

		joins[1] = (struct join) { .snapshot = many,
					   .outer_key = field_of("k", 1, false),
					   .inner_key = field_of("k", 2, false),
					   .inner_filter =
						   NODE(OP_GT, field_of("g", 2, false), number(2)),
					   .left = left & 2 };
		outputs[1] = field_of("v", 2, false);
		outputs[2] = field_of("x", 2, false);
		outputs[3] = field_of("t", 2, false);
		plan.n_joins = 2;
		plan.n_outputs = 4;
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
		plan.unnest = &plan_fields[field_of("t", 0, false)->field];
		outputs[3] = field_of("", 0, true);
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
	}
	return true;
}

static bool groups_and_sorts_over_a_split_join_are_the_same(void)
{
	struct aggregate aggregates[] = { { .kind = AGGREGATE_SUM },
					  { .kind = AGGREGATE_COUNT },
					  { .kind = AGGREGATE_COUNT_DISTINCT } };
	struct plan plan = join_plan(many, many, "k", true);

	orders[0] = (struct order_by) { 2, false, false };
	orders[1] = (struct order_by) { 0, true, false };
	plan.order = orders;
	plan.n_order = 2;
	CHECK(same_in(&plan, LITTLE, true));
	plan.limit = 100;
	CHECK(same_in(&plan, LITTLE, true));
	plan.grouped = true;
	plan.n_outputs = 1;
	plan.output = &outputs[1];
	plan.aggregate = aggregates;
	plan.n_aggregates = 3;
	aggregates[0].arg = outputs[2];
	aggregates[2].arg = outputs[3];
	plan.n_order = 0;
	plan.limit = -1;
	return same_in(&plan, LITTLE, false);
}

/* As many as are asked for, and each is one of all. */
static bool a_split_join_yields_no_more_than_its_limit(void)
{
	auto_result struct result little = {};
	struct plan plan = join_plan(many, many, "v", false);
	uint32_t n = 0;

	plan.limit = 1234;
	run_in(exec, &plan, LITTLE, &little);
	CHECK_EQ(little.r, PIPE_END);
	CHECK(little.spilled > 0);
	for (const char *at = buf_text(&little.text); at && *at; n++) {
		const char *end = strchr(at, '\n');
		char *next;
		int64_t v = strtoll(at, &next, 10);

		CHECK(v >= 0 && v < DOCUMENTS);
		at = end + 1;
	}
	return n == 1234;
}

int main(void)
{
	auto_result struct result first = {};

	if (!spill_fixture_init())
		return 1;
	/* One thread first: libcrypto's first steps, which ThreadSanitizer cannot look into, would look like a race. */
	orders[0] = (struct order_by) { 1, false, false };
	struct plan plan = sort_plan(many, -1, 1);
	run_in(alone, &plan, LITTLE, &first);
	RUN(sorted_rows_are_the_same_in_little_memory);
	RUN(equal_rows_come_in_the_order_of_documents);
	RUN(groups_in_an_order_are_the_same_in_little_memory);
	RUN(groups_beside_a_count_distinct_are_the_same_in_little_memory);
	RUN(joined_rows_are_the_same_in_little_memory);
	RUN(a_key_with_more_rows_than_fit_is_joined_all_the_same);
	RUN(several_joins_may_be_split);
	RUN(groups_and_sorts_over_a_split_join_are_the_same);
	RUN(a_split_join_yields_no_more_than_its_limit);
	spill_fixture_done();
	return tap_done();
}
