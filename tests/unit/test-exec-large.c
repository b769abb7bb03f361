/* SPDX-License-Identifier: Apache-2.0 */

/* Plans over more documents: what does not fit into memory, sums that must be the same in every run, many chunks at once. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "tests/lib/tap.h"
#include "tests/unit/exec-fixture.h"

constexpr uint32_t DOCUMENTS = 60'000;
constexpr uint32_t KEYS = 40'000;

static struct exec *exec;
static struct snapshot *snapshot;

/*
 * x: numbers of very different size, each with its opposite some thousand documents later and in the same g, so that their sum
 * is 0 and what an addition rounds is all that is left of it: it depends on the order.
 */
static bool load(void)
{
	auto_buf struct buf text = buf_make(64u << 20);

	for (uint32_t i = 0; i < DOCUMENTS; i++) {
		uint32_t y = i < 56'000 ? i % 3500 : 0; /* 16 times all of them, then zeros */

		buf_addf(&text, "{\"k\":\"key%u\",\"v\":%u,\"f\":%u.%03u,\"g\":%u,",
			 i * 7919 % KEYS, i, i % 997, i * 31 % 1000, i % 7);
		buf_addf(&text, "\"x\":%s%u.%03ue%u}\n", i / 3500 % 2 ? "-" : "", y * 7919 % 9973,
			 y * 31 % 1000, y % 37);
	}
	snapshot = snapshots_new();
	return snapshot && buf_error(&text) == 0 &&
	       snapshots_add(snapshot, (const char *)text.data, text.len, 1000, true) == 0;
}

/* What a plan yields with so much memory, row by row. */
struct result {
	int r;
	uint64_t spilled;
	int64_t rows, sum; /* of the int columns */
	char last[256];
};

static void run(const struct plan *plan, size_t memory, struct result *ret)
{
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, memory };
	uint32_t width = plan->n_outputs + (plan->grouped ? plan->n_aggregates : 0);
	const struct cell *cell;
	struct query_figures figures;

	*ret = (struct result) { .r = exec_query_new(exec, &limits, &query) };
	if (ret->r)
		return;
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	ret->r = pipe_open(query, plan, &pipe);
	while (ret->r == 0 && (ret->r = pipe_next(pipe, &cell)) == 0) {
		ret->rows++;
		for (uint32_t i = 0; i < width; i++)
			if (cell[i].kind == KIND_INT)
				ret->sum += cell[i].i;
		put_cell(&cell[0], ret->last, sizeof(ret->last));
	}
	exec_query_figures(query, &figures);
	ret->spilled = figures.spilled_bytes;
}

static struct plan plan_of(struct node **keys, uint32_t n_keys, struct aggregate *aggregate,
			   uint32_t n)
{
	return (struct plan) { .snapshot = snapshot,
			       .field = plan_fields,
			       .n_fields = n_plan_fields,
			       .grouped = true,
			       .output = keys,
			       .n_outputs = n_keys,
			       .aggregate = aggregate,
			       .n_aggregates = n,
			       .limit = -1 };
}

static bool groups_that_do_not_fit_go_to_disk_and_come_back_the_same(void)
{
	plan_begin();
	struct node *key = field("k");
	struct aggregate aggregates[] = { { .kind = AGGREGATE_SUM, .arg = field("v") },
					  { .kind = AGGREGATE_COUNT },
					  { .kind = AGGREGATE_MAX, .arg = field("k") },
					  { .kind = AGGREGATE_AVG, .arg = field("f") } };
	struct plan plan = plan_of(&key, 1, aggregates, countof(aggregates));
	struct order_by order = { 1, true, true };
	struct result much, little;

	run(&plan, 256u << 20, &much);
	run(&plan, 6u << 20, &little);
	CHECK_EQ(much.r, PIPE_END);
	CHECK_EQ(little.r, PIPE_END);
	CHECK(much.spilled == 0 && little.spilled > 0);
	CHECK_EQ(much.rows, KEYS);
	CHECK_EQ(little.rows, KEYS);
	CHECK_EQ(much.sum, little.sum);
	CHECK_EQ(much.sum, (int64_t)DOCUMENTS * (DOCUMENTS - 1) / 2 + DOCUMENTS);
	plan.order = &order;
	plan.n_order = 1;
	plan.limit = 10;
	run(&plan, 256u << 20, &much);
	run(&plan, 6u << 20, &little);
	CHECK(little.r == PIPE_END && little.spilled > 0 && little.rows == 10);
	CHECK_EQ(much.sum, little.sum);
	CHECK(strcmp(much.last, little.last) == 0);
	return true;
}

static bool distinct_values_that_do_not_fit_are_counted_all_the_same(void)
{
	plan_begin();
	struct aggregate aggregate = { .kind = AGGREGATE_COUNT_DISTINCT, .arg = field("k") };
	struct plan plan = plan_of(nullptr, 0, &aggregate, 1);
	struct result little;

	run(&plan, 3u << 20, &little);
	CHECK_EQ(little.r, PIPE_END);
	CHECK(little.spilled > 0);
	CHECK_EQ(little.sum, KEYS);
	return true;
}

/* Whether a grouping has the same sums in every run. */
static bool sums_stay_the_same(struct node *key)
{
	struct aggregate aggregates[] = { { .kind = AGGREGATE_SUM, .arg = field("x") } };
	struct plan plan = plan_of(&key, 1, aggregates, 1);
	static char want[8192], got[8192];

	CHECK_EQ(run_plan(exec, &plan, want), PIPE_END);
	sort_rows(want);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(run_plan(exec, &plan, got), PIPE_END);
		sort_rows(got);
		CHECK(strcmp(got, want) == 0);
	}
	return true;
}

static bool sums_of_floats_are_the_same_whatever_thread_comes_first(void)
{
	plan_begin();
	CHECK(sums_stay_the_same(field("g"))); /* a chunk's rows are put together */
	plan_begin();
	CHECK(sums_stay_the_same(
		NODE(OP_ADD, field("g"), real(0.5)))); /* they go to the tables as they are */
	return true;
}

static bool rows_come_in_the_order_of_documents(void)
{
	plan_begin();
	struct node *output[] = { field("v") };
	struct plan plan = { .snapshot = snapshot,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .filter = NODE(OP_EQ, field("g"), number(3)),
			     .output = output,
			     .n_outputs = 1,
			     .limit = -1 };
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, 64u << 20 };
	const struct cell *cell;
	int64_t next = 3;

	plan.n_fields = n_plan_fields;
	CHECK_EQ(exec_query_new(exec, &limits, &query), 0);
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	CHECK_EQ(pipe_open(query, &plan, &pipe), 0);
	for (int round = 0; round < 2; round++) {
		for (next = 3; pipe_next(pipe, &cell) == 0; next += 7)
			CHECK_EQ(cell[0].i, next);
		CHECK(next >= DOCUMENTS && next < DOCUMENTS + 7);
		pipe_rewind(pipe);
	}
	return true;
}

static bool a_query_ends_when_it_is_cancelled_or_late(void)
{
	plan_begin();
	struct node *key = field("k");
	struct plan plan = plan_of(&key, 1, nullptr, 0);
	const atomic_bool cancel = true;
	struct query_limits limits = { 1, nullptr, 1u << 20 };
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	const struct cell *cell;

	CHECK_EQ(exec_query_new(exec, &limits, &query), PIPE_TIMEOUT);
	limits = (struct query_limits) { UINT64_MAX, &cancel, 1u << 20 };
	CHECK_EQ(exec_query_new(exec, &limits, &query), PIPE_CANCELLED);
	atomic_bool later = false;
	limits.cancel = &later;
	CHECK_EQ(exec_query_new(exec, &limits, &query), 0);
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	CHECK_EQ(pipe_open(query, &plan, &pipe), 0);
	later = true;
	CHECK_EQ(pipe_next(pipe, &cell), PIPE_CANCELLED);
	return true;
}

int main(void)
{
	if (exec_new(4, 512u << 20, "/tmp", &exec) || !load())
		return 1;
	RUN(groups_that_do_not_fit_go_to_disk_and_come_back_the_same);
	RUN(distinct_values_that_do_not_fit_are_counted_all_the_same);
	RUN(sums_of_floats_are_the_same_whatever_thread_comes_first);
	RUN(rows_come_in_the_order_of_documents);
	RUN(a_query_ends_when_it_is_cancelled_or_late);
	snapshot_unref(snapshot);
	exec_free(exec);
	return tap_done();
}
