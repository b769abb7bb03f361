/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/exec-fixture.h"

static struct exec *exec;

/* Documents with every kind of trouble: nulls, missing members, ints beside floats beside strings. */
static const char DOCUMENTS[] =
	"{\"_id\":\"a\",\"n\":1,\"f\":1.5,\"s\":\"red\",\"m\":1,\"b\":true,\"o\":{\"k\":\"x\"},\"t\":[\"p\",\"q\"]}\n"
	"{\"_id\":\"b\",\"n\":2,\"f\":2.5,\"s\":\"green\",\"m\":1.0,\"b\":false,\"o\":{\"k\":\"y\"},\"t\":[]}\n"
	"{\"_id\":\"c\",\"n\":null,\"s\":\"red\",\"m\":\"1\",\"o\":{},\"t\":[\"q\"]}\n"
	"{\"_id\":\"d\",\"n\":4,\"f\":-1.0,\"s\":null,\"m\":true,\"b\":true,\"o\":null}\n"
	"{\"_id\":\"e\",\"n\":5,\"f\":0.5,\"s\":\"blue\",\"m\":null,\"b\":null,\"o\":{\"k\":\"x\"},\"t\":[\"p\"]}\n"
	"{\"_id\":\"f\",\"n\":2,\"f\":8.25,\"s\":\"green\",\"b\":true,\"o\":7,\"t\":null}\n";

/* In chunks of so many rows, as segments or as what has just come in. */
static struct snapshot *collection(const char *json, uint32_t rows, bool best)
{
	struct snapshot *snapshot = snapshots_new();

	if (snapshot && snapshots_add(snapshot, json, strlen(json), rows, best))
		return snapshot_unref(snapshot);
	return snapshot;
}

/* Run a plan over DOCUMENTS in several layouts; all must say the same. sorted: the order of rows is open. */
static bool check_plan(struct plan *plan, const char *want, bool sorted)
{
	static const struct {
		uint32_t rows;
		bool best;
	} LAYOUTS[] = { { 100, true }, { 100, false }, { 1, true }, { 2, false }, { 4, true } };

	plan->field = plan_fields;
	plan->n_fields = n_plan_fields;
	for (size_t i = 0; i < countof(LAYOUTS); i++) {
		cleanup(snapshot_unref_at) struct snapshot *snapshot =
			collection(DOCUMENTS, LAYOUTS[i].rows, LAYOUTS[i].best);
		static char got[8192];

		CHECK(snapshot);
		plan->snapshot = snapshot;
		(void)run_plan(exec, plan, got);
		if (sorted)
			sort_rows(got);
		if (strcmp(got, want) != 0)
			printf("# layout %zu: got %s, want %s\n", i, got, want);
		CHECK(strcmp(got, want) == 0);
	}
	return true;
}

/* The _ids of the rows that pass a filter. */
static bool check_filter(struct node *filter, const char *want)
{
	struct node *id = field("_id");
	struct plan plan = { .filter = filter, .output = &id, .n_outputs = 1, .limit = -1 };

	return check_plan(&plan, want, false);
}

/* An expression's values, in order. */
static bool check_value(struct node *value, const char *want)
{
	struct plan plan = { .output = &value, .n_outputs = 1, .limit = -1 };

	return check_plan(&plan, want, false);
}

static bool a_filter_keeps_the_rows_for_which_it_is_true(void)
{
	plan_begin();
	CHECK(check_filter(NODE(OP_EQ, field("s"), text("red")), "a|c"));
	CHECK(check_filter(NODE(OP_NE, field("s"), text("red")), "b|e|f"));
	CHECK(check_filter(NODE(OP_GT, field("s"), text("blue")), "a|b|c|f"));
	CHECK(check_filter(NODE(OP_GE, field("n"), number(2)), "b|d|e|f"));
	CHECK(check_filter(NODE(OP_LT, field("n"), real(2.5)), "a|b|f"));
	CHECK(check_filter(NODE(OP_EQ, field("n"), real(2.0)), "b|f"));
	plan_begin();
	CHECK(check_filter(NODE(OP_LE, number(1), field("f")), "a|b|f"));
	CHECK(check_filter(NODE(OP_EQ, field("_id"), text("d")), "d"));
	CHECK(check_filter(NODE(OP_EQ, field("_id"), text("zz")), ""));
	CHECK(check_filter(NODE(OP_EQ, field("o.k"), text("x")), "a|e"));
	CHECK(check_filter(NODE(OP_LT, field("n"), field("f")), "a|b|f"));
	CHECK(check_filter(NODE(OP_EQ, field("none"), number(1)), ""));
	return true;
}

static bool values_of_unlike_kinds_are_unequal_and_have_no_order(void)
{
	plan_begin();
	CHECK(check_filter(NODE(OP_EQ, field("m"), number(1)), "a|b"));
	CHECK(check_filter(NODE(OP_GT, field("m"), number(1)), ""));
	CHECK(check_filter(NODE(OP_LT, field("m"), text("0")), ""));
	CHECK(check_filter(NODE(OP_EQ, field("m"), constant((struct cell) { .kind = KIND_TRUE })),
			   "d"));
	return true;
}

static bool conditions_have_three_values(void)
{
	plan_begin();
	CHECK(check_filter(NODE(OP_NOT, NODE(OP_GT, field("n"), number(2))), "a|b|f"));
	CHECK(check_filter(
		NODE(OP_OR, NODE(OP_IS_NULL, field("n")), NODE(OP_EQ, field("s"), text("blue"))),
		"c|e"));
	CHECK(check_filter(NODE(OP_AND, NODE(OP_GT, field("n"), number(1)),
				NODE(OP_EQ, field("s"), text("green"))),
			   "b|f"));
	plan_begin();
	CHECK(check_filter(NODE(OP_IS_MISSING, field("f")), "c"));
	CHECK(check_filter(NODE(OP_IS_NULL, field("f")), "c"));
	CHECK(check_filter(NODE(OP_IS_MISSING, field("o.k")), "c|d|f"));
	CHECK(check_filter(NODE(OP_IS_MISSING, field("none")), "a|b|c|d|e|f"));
	CHECK(check_filter(NODE(OP_NOT, NODE(OP_IS_NULL, field("b"))), "a|b|d|f"));
	CHECK(check_filter(NODE(OP_TRUTH, field("b")), "a|d|f"));
	plan_begin();
	CHECK(check_filter(NODE(OP_IS_FALSE, NODE(OP_TRUTH, field("b"))), "b"));
	CHECK(check_filter(NODE(OP_TRUTH, field("n")),
			   "error 4: A condition must be a bool, not int."));
	return true;
}

static bool in_and_like_find_what_they_list(void)
{
	plan_begin();
	CHECK(check_filter(NODE(OP_IN, field("n"), number(1), number(4), number(9)), "a|d"));
	CHECK(check_filter(NODE(OP_IN, field("s"), text("blue"), text("green")), "b|e|f"));
	CHECK(check_filter(NODE(OP_NOT, NODE(OP_IN, field("n"), number(1), null())), ""));
	CHECK(check_filter(NODE(OP_IN, field("n"), number(1), null()), "a"));
	CHECK(check_filter(NODE(OP_IN, field("n"), field("m"), number(5)), "a|e"));
	CHECK(check_filter(NODE(OP_LIKE, field("s"), text("%re%")), "a|b|c|f"));
	plan_begin();
	CHECK(check_filter(NODE(OP_LIKE, field("s"), text("%een%")), "b|f"));
	CHECK(check_filter(NODE(OP_LIKE, field("s"), text("_l%")), "e"));
	CHECK(check_filter(NODE(OP_NOT, NODE(OP_LIKE, field("s"), text("r%"))), "b|e|f"));
	CHECK(check_filter(NODE(OP_LIKE, field("n"), text("%")), ""));
	CHECK(check_filter(NODE(OP_ARRAY_CONTAINS, field("t"), text("q")), "a|c"));
	CHECK(check_filter(NODE(OP_NOT, NODE(OP_ARRAY_CONTAINS, field("t"), text("q"))), "b|e"));
	return true;
}

static bool functions_give_what_service_sql_gives(void)
{
	plan_begin();
	CHECK(check_value(NODE(OP_ADD, field("n"), number(10)), "11|12|null|14|15|12"));
	CHECK(check_value(NODE(OP_MULTIPLY, field("n"), field("f")), "1.5|5.0|null|-4.0|2.5|16.5"));
	CHECK(check_value(NODE(OP_DIVIDE, field("n"), number(0)), "error 4: Division by zero."));
	CHECK(check_value(NODE(OP_DIVIDE, field("n"), number(2)), "0|1|null|2|2|1"));
	CHECK(check_value(NODE(OP_UPPER, field("s")), "RED|GREEN|RED|null|BLUE|GREEN"));
	CHECK(check_value(NODE(OP_LENGTH, field("s")), "3|5|3|null|4|5"));
	plan_begin();
	CHECK(check_value(NODE(OP_LENGTH, field("t")), "2|0|1|null|1|null"));
	CHECK(check_value(NODE(OP_SUBSTR, field("s"), number(2), number(2)),
			  "ed|re|ed|null|lu|re"));
	CHECK(check_value(NODE(OP_SUBSTR, field("s"), number(-2)), "ed|en|ed|null|ue|en"));
	CHECK(check_value(NODE(OP_CONCAT, field("s"), text("-"), field("n")),
			  "red-1|green-2|null|null|blue-5|green-2"));
	CHECK(check_value(NODE(OP_COALESCE, field("s"), text("none")),
			  "red|green|red|none|blue|green"));
	CHECK(check_value(NODE(OP_IF, NODE(OP_GT, field("n"), number(2)), field("s"), field("f")),
			  "1.5|2.5|missing|null|blue|8.25"));
	CHECK(check_value(NODE(OP_NEGATE, field("s")), "error 4: -string is not possible."));
	return true;
}

static bool moments_are_cut_to_units(void)
{
	struct node *hour, *month;
	struct cell moment = { .kind = KIND_TIMESTAMP, .i = INT64_C(1'700'000'000'000'000) };

	plan_begin();
	hour = NODE(OP_DATE_TRUNC, constant(moment));
	hour->unit = UNIT_HOUR;
	CHECK(check_value(NODE(OP_SUBTRACT, hour, constant(moment)),
			  "-800000000|-800000000|-800000000|-800000000|-800000000|-800000000"));
	month = NODE(OP_EXTRACT, NODE(OP_PARSE_TIMESTAMP, text("2024-02-29T10:00:00Z")));
	month->unit = UNIT_MONTH;
	CHECK(check_value(month, "2|2|2|2|2|2"));
	CHECK(check_value(NODE(OP_PARSE_TIMESTAMP, field("s")),
			  "error 4: This string is not an ISO 8601 timestamp."));
	return true;
}

static bool groups_are_counted_and_added_up(void)
{
	plan_begin();
	struct node *key = field("s"), *n = field("n"), *f = field("f"), *b = field("b");
	struct aggregate aggregates[] = {
		{ .kind = AGGREGATE_COUNT },
		{ .kind = AGGREGATE_COUNT, .arg = n },
		{ .kind = AGGREGATE_SUM, .arg = n },
		{ .kind = AGGREGATE_AVG, .arg = f },
		{ .kind = AGGREGATE_MIN, .arg = n },
		{ .kind = AGGREGATE_MAX, .arg = field("_id") },
		{ .kind = AGGREGATE_COUNT_DISTINCT, .arg = n },
	};
	struct plan plan = { .grouped = true,
			     .output = &key,
			     .n_outputs = 1,
			     .aggregate = aggregates,
			     .n_aggregates = countof(aggregates),
			     .limit = -1 };
	CHECK(check_plan(&plan,
			 "blue 1 1 5 0.5 5 e 1|green 2 2 4 5.375 2 f 1|"
			 "null 1 1 4 -1.0 4 d 1|red 2 1 1 1.5 1 c 1",
			 true));
	struct aggregate bools[] = { { .kind = AGGREGATE_ANY_TRUE, .arg = b },
				     { .kind = AGGREGATE_ALL_TRUE, .arg = b } };
	plan.aggregate = bools;
	plan.n_aggregates = countof(bools);
	CHECK(check_plan(&plan, "blue null null|green true false|null true true|red true true",
			 true));
	struct node *keys[] = { field("m"), b };
	plan.output = keys;
	plan.n_outputs = 2;
	plan.n_aggregates = 0;
	plan_begin();
	keys[0] = field("m");
	keys[1] = field("b");
	CHECK(check_plan(&plan, "1 null|1 true|1.0 false|null null|null true|true true", true));
	return true;
}

static bool a_table_without_keys_is_one_group_even_if_empty(void)
{
	plan_begin();
	struct aggregate aggregates[] = { { .kind = AGGREGATE_COUNT },
					  { .kind = AGGREGATE_SUM, .arg = field("n") },
					  { .kind = AGGREGATE_COUNT_DISTINCT, .arg = field("s") },
					  { .kind = AGGREGATE_MIN, .arg = field("f") } };
	struct plan plan = { .grouped = true,
			     .aggregate = aggregates,
			     .n_aggregates = countof(aggregates),
			     .limit = -1 };

	CHECK(check_plan(&plan, "6 14 3 -1.0", false));
	plan.filter = NODE(OP_EQ, field("s"), text("pink"));
	CHECK(check_plan(&plan, "0 null 0 null", false));
	plan.filter = nullptr;
	aggregates[1] = (struct aggregate) { .kind = AGGREGATE_MAX, .arg = field("n") };
	aggregates[2] = (struct aggregate) { .kind = AGGREGATE_COUNT, .arg = field("n") };
	CHECK(check_plan(&plan, "6 5 5 -1.0", false));
	return true;
}

static bool sums_that_do_not_fit_and_kinds_that_cannot_be_added_are_errors(void)
{
	plan_begin();
	struct node *most = number(INT64_MAX);
	struct aggregate sum = { .kind = AGGREGATE_SUM, .arg = NODE(OP_COALESCE, null(), most) };
	struct plan plan = { .grouped = true, .aggregate = &sum, .n_aggregates = 1, .limit = -1 };

	CHECK(check_plan(&plan, "error 4: The sum is too large for an int.", false));
	sum.arg = field("s");
	CHECK(check_plan(&plan, "error 4: SUM and AVG cannot take a value of type string.", false));
	return true;
}

static bool distinct_rows_come_once(void)
{
	plan_begin();
	struct node *columns[] = { field("s"), field("n") };
	struct plan plan = { .output = columns, .n_outputs = 2, .distinct = true, .limit = -1 };

	CHECK(check_plan(&plan, "blue 5|green 2|null 4|red 1|red null", true));
	return true;
}

static bool the_first_rows_of_an_order_come_sorted(void)
{
	plan_begin();
	struct node *columns[] = { field("_id"), field("n"), field("f") };
	struct order_by order[] = { { 1, true, true }, { 0, false, false } };
	struct plan plan = {
		.output = columns, .n_outputs = 3, .order = order, .n_order = 2, .limit = 4
	};

	CHECK(check_plan(&plan, "e 5 0.5|d 4 -1.0|b 2 2.5|f 2 8.25", false));
	order[0] = (struct order_by) { 1, false, false };
	plan.limit = 2;
	CHECK(check_plan(&plan, "c null missing|a 1 1.5", false));
	plan.n_order = 0;
	CHECK(check_plan(&plan, "a 1 1.5|b 2 2.5", false));
	plan.limit = 0;
	CHECK(check_plan(&plan, "", false));
	return true;
}

static bool groups_can_be_ordered_too(void)
{
	plan_begin();
	struct node *key = field("s");
	struct aggregate count = { .kind = AGGREGATE_COUNT };
	struct order_by order[] = { { 1, true, true }, { 0, false, false } };
	struct plan plan = { .grouped = true,
			     .output = &key,
			     .n_outputs = 1,
			     .aggregate = &count,
			     .n_aggregates = 1,
			     .order = order,
			     .n_order = 2,
			     .limit = 3 };

	CHECK(check_plan(&plan, "green 2|red 2|null 1", false));
	return true;
}

static bool elements_become_rows(void)
{
	plan_begin();
	struct node *columns[] = { field("_id"), field_of("", 0, true) };
	struct node *array = field("t");
	struct plan plan = {
		.output = columns, .n_outputs = 2, .unnest = &plan_fields[array->field], .limit = -1
	};

	CHECK(check_plan(&plan, "a p|a q|c q|e p", false));
	plan.filter = NODE(OP_EQ, field_of("", 0, true), text("q"));
	CHECK(check_plan(&plan, "a q|c q", false));
	plan.filter = NODE(OP_EQ, field("_id"), text("c"));
	CHECK(check_plan(&plan, "c q", false));
	plan.filter = nullptr;
	plan.unnest_keeps_empty = true;
	CHECK(check_plan(&plan, "a p|a q|b null|c q|d null|e p|f null", true));
	return true;
}

static const char COLOURS[] =
	"{\"name\":\"red\",\"hex\":\"f00\"}\n{\"name\":\"green\",\"hex\":\"0f0\"}\n"
	"{\"name\":\"green\",\"hex\":\"080\"}\n{\"name\":null,\"hex\":\"000\"}\n";

static bool rows_are_joined_with_all_their_partners(void)
{
	cleanup(snapshot_unref_at) struct snapshot *colours = collection(COLOURS, 2, true);

	CHECK(colours);
	plan_begin();
	struct node *columns[] = { field("_id"), field_of("hex", 1, false) };
	struct join join = { .snapshot = colours,
			     .outer_key = field("s"),
			     .inner_key = field_of("name", 1, false) };
	struct plan plan = {
		.output = columns, .n_outputs = 2, .join = &join, .n_joins = 1, .limit = -1
	};

	CHECK(check_plan(&plan, "a f00|b 080|b 0f0|c f00|f 080|f 0f0", true));
	join.left = true;
	CHECK(check_plan(&plan, "a f00|b 080|b 0f0|c f00|d null|e null|f 080|f 0f0", true));
	plan.filter = NODE(OP_EQ, field_of("hex", 1, false), text("080"));
	CHECK(check_plan(&plan, "b 080|f 080", true));
	plan.filter = nullptr;
	join.left = false;
	join.inner_filter = NODE(OP_NE, field_of("hex", 1, false), text("f00"));
	struct order_by order = { 1, false, false };
	plan.order = &order;
	plan.n_order = 1;
	plan.limit = 1;
	columns[0] = field_of("name", 1, false);
	CHECK(check_plan(&plan, "green 080", true));
	return true;
}

static bool deleted_rows_are_not_seen(void)
{
	cleanup(snapshot_unref_at) struct snapshot *snapshot = collection(DOCUMENTS, 4, true);
	static char got[8192];

	CHECK(snapshot && snapshots_delete(snapshot, 0, 1) == 0 &&
	      snapshots_delete(snapshot, 1, 1) == 0);
	plan_begin();
	struct node *id = field("_id");
	struct aggregate aggregates[] = { { .kind = AGGREGATE_COUNT },
					  { .kind = AGGREGATE_MAX, .arg = field("n") } };
	struct plan plan = { .snapshot = snapshot,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .output = &id,
			     .n_outputs = 1,
			     .limit = -1 };
	(void)run_plan(exec, &plan, got);
	CHECK(strcmp(got, "a|c|d|e") == 0);
	plan.grouped = true;
	plan.n_outputs = 0;
	plan.aggregate = aggregates;
	plan.n_aggregates = 2;
	(void)run_plan(exec, &plan, got);
	CHECK(strcmp(got, "4 5") == 0);
	plan.n_aggregates = 1;
	(void)run_plan(exec, &plan, got);
	CHECK(strcmp(got, "4") == 0);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	cleanup(snapshot_unref_at) struct snapshot *snapshot = collection(DOCUMENTS, 2, true);
	cleanup(snapshot_unref_at) struct snapshot *colours = collection(COLOURS, 2, true);
	static char want[8192], got[8192];

	CHECK(snapshot && colours);
	plan_begin();
	struct node *key = NODE(OP_UPPER, field("s"));
	struct aggregate aggregates[] = { { .kind = AGGREGATE_SUM, .arg = field("n") },
					  { .kind = AGGREGATE_COUNT_DISTINCT,
					    .arg = field_of("hex", 1, false) } };
	struct join join = { .snapshot = colours,
			     .outer_key = field("s"),
			     .inner_key = field_of("name", 1, false) };
	struct plan plan = { .snapshot = snapshot,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .grouped = true,
			     .output = &key,
			     .n_outputs = 1,
			     .aggregate = aggregates,
			     .n_aggregates = 2,
			     .join = &join,
			     .n_joins = 1,
			     .limit = -1 };
	cleanup(exec_free_at) struct exec *alone = nullptr;
	CHECK_EQ(exec_new(1, 256u << 20, nullptr, &alone), 0);
	CHECK_EQ(run_plan(alone, &plan, want), PIPE_END);
	sort_rows(want);
	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = run_plan(alone, &plan, got);
		bool failed = fault_end();

		if (r == PIPE_END)
			sort_rows(got);
		CHECK(r == PIPE_END ? strcmp(got, want) == 0 : r == -ENOMEM);
		if (!failed)
			return true;
	}
}

int main(void)
{
	if (exec_new(3, 256u << 20, nullptr, &exec))
		return 1;
	RUN(a_filter_keeps_the_rows_for_which_it_is_true);
	RUN(values_of_unlike_kinds_are_unequal_and_have_no_order);
	RUN(conditions_have_three_values);
	RUN(in_and_like_find_what_they_list);
	RUN(functions_give_what_service_sql_gives);
	RUN(moments_are_cut_to_units);
	RUN(groups_are_counted_and_added_up);
	RUN(a_table_without_keys_is_one_group_even_if_empty);
	RUN(sums_that_do_not_fit_and_kinds_that_cannot_be_added_are_errors);
	RUN(distinct_rows_come_once);
	RUN(the_first_rows_of_an_order_come_sorted);
	RUN(groups_can_be_ordered_too);
	RUN(elements_become_rows);
	RUN(rows_are_joined_with_all_their_partners);
	RUN(deleted_rows_are_not_seen);
	RUN(every_failed_allocation_is_survived);
	exec_free(exec);
	return tap_done();
}
