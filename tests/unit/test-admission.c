/* SPDX-License-Identifier: Apache-2.0 */

/* admission: who may begin, in which lane, and that nobody keeps another key from its turn. */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "service/engine/admission.h"
#include "tests/lib/tap.h"

static struct admission a;
static struct turn turns[1000];
static size_t n_turns;
static uint64_t now_us;

static void begin_test(void)
{
	admission_init(&a);
	n_turns = 0;
	now_us = 1'000'000;
}

/* A request waits; nullptr if it is not let. */
static struct turn *come(const char *key, bool query)
{
	struct turn *turn = &turns[n_turns++];

	*turn = (struct turn) { .query = query };
	(void)snprintf(turn->key, sizeof(turn->key), "%s", key);
	return admission_add(&a, turn) == ADMITTED ? turn : nullptr;
}

/* The next begins, or nullptr. */
static struct turn *go(void)
{
	struct turn *turn = admission_next(&a);

	if (turn)
		admission_begin(&a, turn, now_us);
	return turn;
}

static void end(struct turn *turn, uint64_t took_us, bool again)
{
	now_us += took_us;
	admission_end(&a, turn, now_us, again);
}

static bool one_key_leaves_a_place_of_each_lane_to_others(void)
{
	begin_test();
	for (int i = 0; i < 10; i++)
		CHECK(come("x", true));
	size_t lane[LANES] = {};
	for (struct turn *turn; (turn = go());)
		lane[turn->lane]++;
	CHECK_EQ(lane[LANE_LONG], ADMISSION_KEY_LONG);
	CHECK_EQ(lane[LANE_SHORT], ADMISSION_KEY_QUERIES - ADMISSION_KEY_LONG);
	CHECK(come("y", true) && come("y", true));
	struct turn *first = go(), *second = go();
	CHECK(first && strcmp(first->key, "y") == 0 && first->lane == LANE_LONG);
	CHECK(second && strcmp(second->key, "y") == 0 && second->lane == LANE_SHORT);
	return !go();
}

static bool what_is_no_query_does_not_wait_for_queries(void)
{
	begin_test();
	for (int i = 0; i < 10; i++)
		CHECK(come(i % 2 ? "x" : "y", true));
	while (go())
		;
	for (size_t i = 0; i < ADMISSION_OTHERS; i++)
		CHECK(come("x", false) && go());
	CHECK(come("x", false));
	return !go();
}

static bool who_has_been_cut_off_waits_for_the_long_lane_and_before_others_of_its_key(void)
{
	begin_test();
	struct turn *x[ADMISSION_LONG];
	for (size_t i = 0; i < ADMISSION_LONG; i++) {
		CHECK(come(i ? "x" : "y", true));
		x[i] = go();
		CHECK(x[i] && x[i]->lane == LANE_LONG);
	}
	struct turn *cut = come("z", true);
	CHECK(cut && go() == cut && cut->lane == LANE_SHORT);
	struct turn *later = come("z", true);
	end(cut, ADMISSION_TURN_US, true);
	CHECK(go() == later && later->lane == LANE_SHORT); /* it is short, perhaps */
	CHECK(!go());
	end(x[0], 1, false);
	CHECK(come("z", true));
	CHECK(go() == cut && cut->lane == LANE_LONG);
	return true;
}

static bool keys_take_turns(void)
{
	begin_test();
	for (int i = 0; i < 60; i++)
		CHECK(come("x", true));
	for (int i = 0; i < 6; i++)
		CHECK(come("y", true));
	/* A worker with one place: each that begins ends before the next. */
	int before = 0, of_y = 0;
	for (int i = 0; i < 14; i++) {
		struct turn *turn = go();

		CHECK(turn);
		of_y += strcmp(turn->key, "y") == 0;
		before += of_y < 6;
		end(turn, 1000, false);
	}
	CHECK_EQ(of_y, 6);
	CHECK(before <= 12);
	return true;
}

static bool who_has_been_away_has_saved_nothing_up(void)
{
	begin_test();
	struct turn *turn = nullptr;
	for (int i = 0; i < 50; i++) {
		CHECK(come("x", true));
		turn = go();
		CHECK(turn);
		CHECK(come("x", true)); /* it never goes away */
		end(turn, 10'000, false);
		turn = go();
		end(turn, 10'000, false);
		CHECK(come("x", true));
	}
	for (int i = 0; i < 10; i++)
		CHECK(come("new", true));
	int in_a_row = 0, most = 0;
	for (int i = 0; i < 10; i++) {
		turn = go();
		CHECK(turn);
		in_a_row = strcmp(turn->key, "new") == 0 ? in_a_row + 1 : 0;
		most = in_a_row > most ? in_a_row : most;
		end(turn, 10'000, false);
	}
	CHECK(most <= 3);
	return true;
}

static bool a_key_fills_its_part_of_the_queue_and_no_more(void)
{
	struct turn refused = { .key = "x", .query = true };
	size_t n = 0;

	begin_test();
	while (come("x", true))
		n++;
	CHECK_EQ(n, ADMISSION_KEY_WAITING);
	CHECK_EQ(admission_add(&a, &refused), ADMISSION_KEY_FULL);
	while (come("x", false))
		n++;
	CHECK_EQ(n, ADMISSION_KEY_ALL_WAITING);
	while (come("y", false))
		n++;
	CHECK_EQ(n, ADMISSION_WAITING);
	CHECK_EQ(admission_add(&a, &refused), ADMISSION_FULL);
	return true;
}

static bool what_is_cancelled_begins_at_once_and_takes_no_place(void)
{
	atomic_bool cancel = true;

	begin_test();
	for (int i = 0; i < 10; i++)
		CHECK(come("x", true));
	struct turn *last = &turns[n_turns - 1];
	last->cancel = &cancel;
	CHECK(go() == last);
	while (go())
		;
	last = come("x", true);
	last->cancel = &cancel;
	CHECK(go() == last && last->freely);
	end(last, 1, false);
	CHECK(!go());
	return true;
}

static bool accounts_do_not_run_out(void)
{
	begin_test();
	for (int i = 0; i < 5000; i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "k%d", i);
		n_turns = 0;
		CHECK(come(key, true));
		struct turn *turn = go();
		CHECK(turn);
		end(turn, 10, false);
	}
	CHECK_EQ(a.n_accounts, 0);
	return true;
}

int main(void)
{
	RUN(one_key_leaves_a_place_of_each_lane_to_others);
	RUN(what_is_no_query_does_not_wait_for_queries);
	RUN(who_has_been_cut_off_waits_for_the_long_lane_and_before_others_of_its_key);
	RUN(keys_take_turns);
	RUN(who_has_been_away_has_saved_nothing_up);
	RUN(a_key_fills_its_part_of_the_queue_and_no_more);
	RUN(what_is_cancelled_begins_at_once_and_takes_no_place);
	RUN(accounts_do_not_run_out);
	return tap_done();
}
