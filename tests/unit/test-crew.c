/* SPDX-License-Identifier: Apache-2.0 */

/* Whose morsels are next, what comes of a job of which some fail, and who gets memory when there is none left. */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "service/crew/crew.h"
#include "service/crew/exec.h"
#include "tests/lib/tap.h"

constexpr uint32_t LONG = 12; /* morsels */
constexpr uint32_t SHORT = 4;
constexpr uint64_t A_LOT = UINT64_C(1) << 60;

/*
 * A long query is at work, its own thread and the helper with a morsel each, when a short one comes and its own thread has
 * a morsel too. Then the helper's ends, and what it takes next is written down. The other two wait until all is done that
 * they have not begun themselves, so that nothing but the helper's choice decides the order.
 */
struct scene {
	struct crew *crew;
	_Atomic uint64_t long_ns, short_ns, helpers_ns;
	atomic_uint long_begun, long_done, short_begun, short_done;
	char chosen[LONG + SHORT]; /* by the helper, a letter for each morsel: l or s */
	atomic_uint n_chosen;
	pthread_t owner[2]; /* of the long query, of the short one */
};

static void wait_for(const atomic_uint *count, unsigned int n)
{
	while (atomic_load(count) < n)
		(void)sched_yield();
}

static bool is_helper(const struct scene *scene)
{
	return !pthread_equal(pthread_self(), scene->owner[0]) &&
	       !pthread_equal(pthread_self(), scene->owner[1]);
}

/* Use a processor for so long that a clock shows it. */
static void toil(void)
{
	uint64_t from = crew_thread_ns();

	while (crew_thread_ns() - from < 1000)
		;
}

static int run_long(void *userdata, unsigned int, uint32_t)
{
	struct scene *scene = userdata;
	unsigned int number = atomic_fetch_add(&scene->long_begun, 1);

	toil();
	if (!is_helper(scene)) {
		wait_for(&scene->long_done, LONG - 1);
		wait_for(&scene->short_done, SHORT - 1);
	} else if (number < 2) {
		wait_for(&scene->short_begun, 1);
	} else {
		scene->chosen[atomic_fetch_add(&scene->n_chosen, 1)] = 'l';
	}
	atomic_fetch_add(&scene->long_done, 1);
	return 0;
}

static int run_short(void *userdata, unsigned int, uint32_t)
{
	struct scene *scene = userdata;

	atomic_fetch_add(&scene->short_begun, 1);
	if (is_helper(scene))
		scene->chosen[atomic_fetch_add(&scene->n_chosen, 1)] = 's';
	else
		wait_for(&scene->short_done, SHORT - 1);
	atomic_fetch_add(&scene->short_done, 1);
	return 0;
}

static void *ask_long(void *userdata)
{
	struct scene *scene = userdata;
	struct job job = { .run = run_long,
			   .userdata = scene,
			   .morsels = LONG,
			   .workers = 2,
			   .cpu_ns = &scene->long_ns,
			   .helpers_ns = &scene->helpers_ns };

	scene->owner[0] = pthread_self();
	return crew_run(scene->crew, &job) == 0 ? userdata : nullptr;
}

/* Play the scene; so much the queries have used before. Returns whether both jobs ended well. */
static bool play(struct scene *scene, uint64_t long_ns, uint64_t short_ns)
{
	struct job job = { .run = run_short,
			   .userdata = scene,
			   .morsels = SHORT,
			   .workers = 2,
			   .cpu_ns = &scene->short_ns,
			   .helpers_ns = &scene->helpers_ns };
	pthread_t thread;
	void *good = nullptr;

	*scene = (struct scene) { .long_ns = long_ns, .short_ns = short_ns };
	scene->owner[1] = pthread_self();
	CHECK_EQ(crew_new(2, &scene->crew), 0);
	CHECK_EQ(pthread_create(&thread, nullptr, ask_long, scene), 0);
	wait_for(&scene->long_begun, 2);
	int r = crew_run(scene->crew, &job);
	CHECK_EQ(pthread_join(thread, &good), 0);
	scene->crew = crew_free(scene->crew);
	return r == 0 && good;
}

static bool a_short_query_overtakes_a_long_one(void)
{
	static struct scene scene;

	CHECK(play(&scene, A_LOT, 0));
	CHECK_EQ(scene.n_chosen, LONG - 2 + SHORT - 1);
	for (uint32_t i = 0; i < scene.n_chosen; i++)
		CHECK(scene.chosen[i] == (i < SHORT - 1 ? 's' : 'l'));
	return true;
}

static bool a_query_that_comes_anew_but_has_used_more_waits_for_the_other(void)
{
	static struct scene scene;

	CHECK(play(&scene, 0, A_LOT));
	CHECK_EQ(scene.n_chosen, LONG - 2 + SHORT - 1);
	for (uint32_t i = 0; i < scene.n_chosen; i++)
		CHECK(scene.chosen[i] == (i < LONG - 2 ? 'l' : 's'));
	return true;
}

static bool what_helpers_use_is_counted_by_itself_too(void)
{
	static struct scene scene;

	CHECK(play(&scene, 0, 0));
	CHECK(scene.long_ns >= LONG * 1000);
	CHECK(scene.helpers_ns >= (LONG - 1) * 1000);
	CHECK(scene.helpers_ns <= scene.long_ns + scene.short_ns - 1000);
	return true;
}

/* A job in which morsel 0 and morsel 1, at the same time, fail. */
struct failing {
	atomic_uint begun;
};

static int fail_both(void *userdata, unsigned int, uint32_t morsel)
{
	struct failing *failing = userdata;

	atomic_fetch_add(&failing->begun, 1);
	wait_for(&failing->begun, 2);
	return morsel == 0 ? -EIO : -ENOSPC;
}

static bool the_first_morsel_that_fails_says_why_and_no_more_are_begun(void)
{
	cleanup(crew_free_at) struct crew *crew = nullptr;
	_Atomic uint64_t cpu_ns = 0, helpers_ns = 0;

	CHECK_EQ(crew_new(2, &crew), 0);
	for (int i = 0; i < 100; i++) {
		struct failing failing = {};
		struct job job = { .run = fail_both,
				   .userdata = &failing,
				   .morsels = 50,
				   .workers = 2,
				   .cpu_ns = &cpu_ns,
				   .helpers_ns = &helpers_ns };

		CHECK_EQ(crew_run(crew, &job), -EIO);
		CHECK_EQ(failing.begun, 2u);
	}
	return true;
}

/* What the threads of a job have for themselves: places, each with the thread that is there and what it has counted. */
struct places {
	atomic_bool taken[3];
	uint64_t sum[3];
	atomic_uint clashes;
};

static int count_alone(void *userdata, unsigned int worker, uint32_t morsel)
{
	struct places *places = userdata;

	if (worker >= countof(places->sum) || atomic_exchange(&places->taken[worker], true)) {
		atomic_fetch_add(&places->clashes, 1);
		return 0;
	}
	places->sum[worker] += morsel;
	atomic_store(&places->taken[worker], false);
	return 0;
}

static bool each_morsel_is_done_once_and_a_worker_is_one_thread_at_a_time(void)
{
	cleanup(crew_free_at) struct crew *crew = nullptr;
	_Atomic uint64_t cpu_ns = 0, helpers_ns = 0;
	struct places places = {};
	struct job job = { .run = count_alone,
			   .userdata = &places,
			   .morsels = 20'000,
			   .workers = countof(places.sum),
			   .cpu_ns = &cpu_ns,
			   .helpers_ns = &helpers_ns };

	CHECK_EQ(crew_new(6, &crew), 0);
	CHECK_EQ(crew_run(crew, &job), 0);
	CHECK_EQ(places.clashes, 0u);
	CHECK_EQ(places.sum[0] + places.sum[1] + places.sum[2], UINT64_C(20'000) * 19'999 / 2);
	return true;
}

/* --- admission ------------------------------------------------------------------------------ */

constexpr size_t ALL = 100; /* bytes for all queries */

/* A query of a thread of its own that asks for memory. */
struct asking {
	struct exec *exec;
	struct query_limits limits;
	atomic_bool cancel, ended;
	int r;
};

static void *ask(void *userdata)
{
	struct asking *asking = userdata;
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;

	asking->r = exec_query_new(asking->exec, &asking->limits, &query);
	atomic_store(&asking->ended, true);
	return nullptr;
}

/* What becomes of a query that asks for so much memory and has until then to get it. */
static int get(struct exec *exec, size_t memory, uint64_t deadline_us)
{
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	struct query_limits limits = { deadline_us, nullptr, memory };

	return exec_query_new(exec, &limits, &query);
}

/* Whether it is not there, however long one waits: 30 ms. */
static bool is_given_away(struct exec *exec, size_t memory)
{
	CHECK_EQ(get(exec, memory, clock_mono_us() + 30'000), PIPE_TIMEOUT);
	return true;
}

static bool a_query_whose_memory_is_given_away_times_out_while_it_waits(void)
{
	cleanup(exec_free_at) struct exec *exec = nullptr;
	cleanup(exec_query_free_at) struct exec_query *first = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, 60 };

	CHECK_EQ(exec_new(1, ALL, nullptr, &exec), 0);
	CHECK_EQ(exec_query_new(exec, &limits, &first), 0);
	CHECK(is_given_away(exec, 41));
	CHECK_EQ(get(exec, 40, UINT64_MAX), 0);
	first = exec_query_free(first);
	CHECK_EQ(get(exec, ALL, UINT64_MAX), 0); /* nothing is left of what was not admitted */
	return true;
}

static bool a_query_alone_gets_what_it_asks_for(void)
{
	cleanup(exec_free_at) struct exec *exec = nullptr;
	cleanup(exec_query_free_at) struct exec_query *first = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, 10 * ALL };

	CHECK_EQ(exec_new(1, ALL, nullptr, &exec), 0);
	CHECK_EQ(exec_query_new(exec, &limits, &first), 0);
	CHECK(is_given_away(exec, 1));
	return true;
}

/* Ask in another thread while all memory is given away; it has not ended when this returns. */
static bool have_one_wait(struct exec *exec, struct asking *asking, pthread_t *ret)
{
	*asking = (struct asking) { .exec = exec };
	asking->limits = (struct query_limits) { UINT64_MAX, &asking->cancel, 50 };
	CHECK_EQ(pthread_create(ret, nullptr, ask, asking), 0);
	CHECK(is_given_away(exec, 1)); /* time enough for it to get in, if it could */
	return !atomic_load(&asking->ended);
}

static bool a_query_waits_until_memory_is_given_back(void)
{
	cleanup(exec_free_at) struct exec *exec = nullptr;
	cleanup(exec_query_free_at) struct exec_query *first = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, ALL };
	static struct asking asking;
	pthread_t thread;

	CHECK_EQ(exec_new(1, ALL, nullptr, &exec), 0);
	CHECK_EQ(exec_query_new(exec, &limits, &first), 0);
	CHECK(have_one_wait(exec, &asking, &thread));
	first = exec_query_free(first);
	CHECK_EQ(pthread_join(thread, nullptr), 0);
	CHECK_EQ(asking.r, 0);
	return true;
}

static bool a_query_can_be_cancelled_while_it_waits(void)
{
	cleanup(exec_free_at) struct exec *exec = nullptr;
	cleanup(exec_query_free_at) struct exec_query *first = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, ALL };
	static struct asking asking;
	pthread_t thread;

	CHECK_EQ(exec_new(1, ALL, nullptr, &exec), 0);
	CHECK_EQ(exec_query_new(exec, &limits, &first), 0);
	CHECK(have_one_wait(exec, &asking, &thread));
	atomic_store(&asking.cancel, true);
	CHECK_EQ(pthread_join(thread, nullptr), 0);
	CHECK_EQ(asking.r, PIPE_CANCELLED);
	first = exec_query_free(first);
	CHECK_EQ(get(exec, ALL, UINT64_MAX), 0);
	return true;
}

int main(void)
{
	RUN(a_short_query_overtakes_a_long_one);
	RUN(a_query_that_comes_anew_but_has_used_more_waits_for_the_other);
	RUN(what_helpers_use_is_counted_by_itself_too);
	RUN(the_first_morsel_that_fails_says_why_and_no_more_are_begun);
	RUN(each_morsel_is_done_once_and_a_worker_is_one_thread_at_a_time);
	RUN(a_query_whose_memory_is_given_away_times_out_while_it_waits);
	RUN(a_query_alone_gets_what_it_asks_for);
	RUN(a_query_waits_until_memory_is_given_back);
	RUN(a_query_can_be_cancelled_while_it_waits);
	return tap_done();
}
