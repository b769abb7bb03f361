/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/flow.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint64_t MIB = 1u << 20;
constexpr uint64_t CONNECTION = 3;

/* A flow with 256 MiB of credit. */
static struct flow *make(void)
{
	struct flow *flow = nullptr;

	if (flow_new(&flow))
		return nullptr;
	flow_open(flow, CONNECTION);
	flow_credit(flow, 0, 256 * MIB);
	return flow;
}

static bool take(struct flow *flow, const char *key, uint64_t id, uint64_t bytes)
{
	return flow_take(flow, key, CONNECTION, id, bytes, false);
}

static bool without_credit_nothing_is_sent(void)
{
	cleanup(flow_free_at) struct flow *flow = nullptr;

	CHECK_EQ(flow_new(&flow), 0);
	CHECK(!take(flow, "a", 1, 1));
	flow_open(flow, CONNECTION);
	CHECK(!take(flow, "a", 1, 1));
	CHECK_EQ(flow_room(flow, "a"), 0);
	flow_credit(flow, 0, 64 * MIB);
	CHECK(take(flow, "a", 1, MIB));
	return true;
}

static bool one_of_the_longest_answers_is_always_possible(void)
{
	cleanup(flow_free_at) struct flow *flow = make();

	CHECK(flow);
	CHECK(flow_room(flow, "a") >= 100 * MIB);
	return true;
}

static bool a_key_that_does_not_read_leaves_room_for_others(void)
{
	static const char *const KEYS[] = { "a", "b", "c", "d" };
	cleanup(flow_free_at) struct flow *flow = make();
	uint64_t id = 1, in_all = 0;

	CHECK(flow);
	for (size_t k = 0; k < countof(KEYS); k++) {
		uint64_t room = flow_room(flow, KEYS[k]), has = 0;

		CHECK(room >= MIB);
		while (has < 2 * room && take(flow, KEYS[k], id++, MIB / 4))
			has += MIB / 4;
		in_all += has;
		CHECK(has <= 128 * MIB);
		CHECK(!take(flow, KEYS[k], id, MIB));
	}
	CHECK(in_all < 256 * MIB);
	CHECK(flow_room(flow, "e") > 0);
	return true;
}

static bool what_has_been_read_is_room_again(void)
{
	cleanup(flow_free_at) struct flow *flow = make();

	CHECK(flow);
	CHECK(take(flow, "a", 1, 90 * MIB));
	CHECK(!take(flow, "a", 2, 90 * MIB));
	flow_credit(flow, 1, 0);
	CHECK(take(flow, "a", 2, 90 * MIB));
	flow_credit(flow, 1, 1000 * MIB); /* it is not under way any more: nothing comes of it */
	CHECK(!take(flow, "a", 3, 90 * MIB));
	return true;
}

static bool what_has_been_done_is_told_in_any_case(void)
{
	cleanup(flow_free_at) struct flow *flow = make();

	CHECK(flow);
	for (uint64_t id = 1; id <= 4; id++)
		CHECK(flow_take(flow, "a", CONNECTION, id, 90 * MIB, true));
	CHECK_EQ(flow_room(flow, "a"), 0);
	CHECK_EQ(flow_room(flow, "b"), 0);
	for (uint64_t id = 1; id <= 4; id++)
		flow_credit(flow, id, 0);
	CHECK(flow_room(flow, "b") >= 100 * MIB);
	return true;
}

static bool a_new_front_begins_anew(void)
{
	cleanup(flow_free_at) struct flow *flow = make();

	CHECK(flow);
	CHECK(take(flow, "a", 1, 90 * MIB));
	flow_open(flow, CONNECTION + 1);
	CHECK(!take(flow, "a", 2, MIB));
	flow_credit(flow, 0, 256 * MIB);
	CHECK(!take(flow, "a", 2, MIB)); /* for the connection that has gone */
	CHECK(flow_take(flow, "a", CONNECTION + 1, 2, 90 * MIB, false));
	return true;
}

static bool no_number_makes_it_overflow(void)
{
	cleanup(flow_free_at) struct flow *flow = make();

	CHECK(flow);
	for (size_t i = 0; i < 100; i++)
		flow_credit(flow, 0, UINT64_MAX);
	CHECK(!take(flow, "a", 1, SIZE_MAX));
	CHECK(take(flow, "a", 1, 100 * MIB));
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(flow_free_at) struct flow *flow = nullptr;

		fault_at(n);
		int r = flow_new(&flow);
		bool taken = r == 0;
		if (r == 0) {
			flow_open(flow, CONNECTION);
			flow_credit(flow, 0, 256 * MIB);
			taken = take(flow, "a", 1, MIB);
		}
		if (!fault_end())
			return taken;
		CHECK(!taken);
		CHECK(r == 0 || r == -ENOMEM);
	}
}

int main(void)
{
	RUN(without_credit_nothing_is_sent);
	RUN(one_of_the_longest_answers_is_always_possible);
	RUN(a_key_that_does_not_read_leaves_room_for_others);
	RUN(what_has_been_read_is_room_again);
	RUN(what_has_been_done_is_told_in_any_case);
	RUN(a_new_front_begins_anew);
	RUN(no_number_makes_it_overflow);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
