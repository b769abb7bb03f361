/* SPDX-License-Identifier: Apache-2.0 */

/* pool: who waits for whom. Queries are held up by giving the memory of all queries away. */

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"
#include "common/proto/operations.h"
#include "common/secret.h"
#include "service/engine/pool.h"
#include "tests/lib/ledger.h"
#include "tests/lib/tap.h"
#include "tests/unit/engine-fixture.h"

constexpr uint64_t CONNECTION = 7;
constexpr uint64_t MINUTE_US = 60'000'000;
constexpr size_t ALL = 4;  /* shares of the memory that fixture_init() gives to queries */
constexpr size_t SOME = 5; /* queries */

static const char REQUEST_ID[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
static const char QUERY[] = "{\"sql\":{\"query\":\"SELECT COUNT(*) FROM c\"}}";
/* It takes as long as it may. */
static const char LONG[] =
	"{\"sql\":{\"query\":\"SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS a), UNNEST(SEQUENCE(1, 1000000) AS b) WHERE a + b = 0\"}}";
static const char WORKSPACE[] = "{\"name\":\"w\"}";

static struct ledger *ledger;
static struct secret grant_key;

/* A pool over a store with a collection c of one document. */
struct bench {
	struct fixture f;
	struct pool *pool;
};

static void bench_done(struct bench *b)
{
	b->pool = pool_free(b->pool);
	fixture_done(&b->f);
}
#define auto_bench cleanup(bench_done)

static bool bench_init(struct bench *b)
{
	return fixture_init(&b->f) && fixture_collection(&b->f, "c") == 0 &&
	       fixture_add(&b->f, "c", "[{\"v\":1}]") == 0 &&
	       pool_new(b->f.store, b->f.exec, &grant_key, &b->pool) == 0;
}

/* A request that came at a time with a grant that was given at another. */
static struct job *job_at(enum operation op, const char *body, uint64_t id, uint64_t came_us,
			  uint64_t granted_us)
{
	cleanup(job_free_at) struct job *job = calloc(1, sizeof(*job));
	auto_buf struct buf sealed = buf_make(8192), frame = buf_make(8192);
	static struct grant grant; /* too large for a stack */

	grant = (struct grant) {
		.op = op, .privileges = UINT64_MAX, .issued_us = granted_us, .person = "ann"
	};
	(void)snprintf(grant.request_id, sizeof(grant.request_id), "%s", REQUEST_ID);
	if (!job || grant_seal(&sealed, &grant, &grant_key))
		return nullptr;
	struct execute execute = { .op = op,
				   .grant = { sealed.data, sealed.len },
				   .body = { (const uint8_t *)body, strlen(body) } };
	(void)snprintf(execute.request_id, sizeof(execute.request_id), "%s", REQUEST_ID);
	execute_write(&frame, &execute);
	job->fd = job->answer_fd = -1;
	job->id = id;
	job->connection = CONNECTION;
	job->started_us = came_us;
	job->payload_len = frame.len;
	job->payload = TAKE(frame.data);
	if (!execute_read(job->payload, job->payload_len, &job->execute))
		return nullptr;
	return TAKE(job);
}

static int submit_as(struct bench *b, const char *key, enum operation op, const char *body,
		     uint64_t id)
{
	uint64_t now_us = clock_mono_us();
	struct job *job = job_at(op, body, id, now_us, now_us);

	if (!job)
		return -1;
	(void)snprintf(job->turn.key, sizeof(job->turn.key), "%s", key);
	(void)snprintf(job->person, sizeof(job->person), "owner of %s", key);
	int r = pool_submit(b->pool, job);
	if (r)
		job_free(job);
	return r;
}

static bool submit(struct bench *b, enum operation op, const char *body, uint64_t id)
{
	return submit_as(b, "rdt_a", op, body, id) == ADMITTED;
}

/* The next answer; waits for it. */
static struct job *answer(struct bench *b)
{
	struct pollfd fd = { .fd = pool_fd(b->pool), .events = POLLIN };
	struct job *job = pool_take(b->pool);

	while (!job && poll(&fd, 1, 60'000) > 0)
		job = pool_take(b->pool);
	return job;
}

/* Whether the next answer is to a request, with a status. */
static bool is_answered(struct bench *b, uint64_t id, uint16_t status)
{
	cleanup(job_free_at) struct job *job = answer(b);

	CHECK(job);
	CHECK_EQ(job->id, id);
	CHECK_EQ(job->http_status, status);
	return true;
}

/* Whether the next answer says that its request was cancelled. */
static bool is_cancelled(struct bench *b)
{
	cleanup(job_free_at) struct job *job = answer(b);
	const char *text = job ? buf_text(&job->answer) : nullptr;

	return text && strstr(text, "QUERY_CANCELLED");
}

/* Give so much of the memory for queries away, as queries at work would. */
static struct exec_query *hold(struct bench *b, size_t shares)
{
	struct query_limits limits = { UINT64_MAX, nullptr, shares * SQL_MEMORY_MAX };
	struct exec_query *query = nullptr;

	return exec_query_new(b->f.exec, &limits, &query) ? nullptr : query;
}

static bool each_request_is_answered_and_recorded_once(void)
{
	auto_bench struct bench b = {};
	bool seen[60] = {};
	size_t recorded = ledger_count(ledger);

	CHECK(bench_init(&b));
	for (uint64_t i = 0; i < countof(seen); i++)
		CHECK(submit(&b, i % 2 ? OP_QUERY : OP_ORGANIZATION_GET, i % 2 ? QUERY : "", i));
	for (size_t i = 0; i < countof(seen); i++) {
		cleanup(job_free_at) struct job *job = answer(&b);

		CHECK(job && job->id < countof(seen) && !seen[job->id]);
		CHECK_EQ(job->http_status, 200);
		seen[job->id] = true;
	}
	CHECK(!pool_take(b.pool));
	CHECK_EQ(ledger_count(ledger), recorded + 2 * countof(seen)); /* intent and outcome */
	CHECK(submit(&b, OP_WORKSPACE_CREATE, WORKSPACE, 1) && is_answered(&b, 1, 200));
	CHECK_EQ(ledger_count(ledger), recorded + 2 * countof(seen) + 2);
	return true;
}

static bool a_write_does_not_wait_for_queries(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, ALL);
	CHECK(held);
	for (uint64_t i = 0; i < 2 * POOL_WORKERS; i++)
		CHECK(submit(&b, OP_QUERY, QUERY, i));
	CHECK(submit(&b, OP_WORKSPACE_CREATE, WORKSPACE, 100) && is_answered(&b, 100, 200));
	CHECK(submit(&b, OP_ORGANIZATION_GET, "", 101) && is_answered(&b, 101, 200));
	CHECK(!pool_take(b.pool));
	held = exec_query_free(held);
	for (size_t i = 0; i < 2 * POOL_WORKERS; i++) {
		cleanup(job_free_at) struct job *job = answer(&b);

		CHECK(job && job->http_status == 200);
	}
	return true;
}

static bool a_query_is_answered_while_others_have_all_the_memory_that_they_may(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, ALL - 1);
	CHECK(held);
	CHECK(submit(&b, OP_QUERY, QUERY, 1) && is_answered(&b, 1, 200));
	return true;
}

static bool what_is_cancelled_is_answered_whether_it_has_begun_or_not(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, ALL);
	CHECK(held);
	for (uint64_t i = 0; i < SOME; i++)
		CHECK(submit(&b, OP_QUERY, QUERY, i));
	pool_cancel(b.pool, CONNECTION + 1, UINT64_MAX); /* somebody else's */
	CHECK(submit(&b, OP_ORGANIZATION_GET, "", 100) && is_answered(&b, 100, 200));
	CHECK(!pool_take(b.pool));
	pool_cancel(b.pool, CONNECTION, 0);
	CHECK(is_cancelled(&b));
	CHECK(!pool_take(b.pool));
	pool_cancel(b.pool, CONNECTION, UINT64_MAX);
	for (size_t i = 1; i < SOME; i++)
		CHECK(is_cancelled(&b));
	return true;
}

static bool the_end_does_not_wait_for_queries(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, ALL);
	CHECK(held);
	for (uint64_t i = 0; i < SOME; i++)
		CHECK(submit(&b, OP_QUERY, QUERY, i));
	CHECK(submit(&b, OP_ORGANIZATION_GET, "", 100) && is_answered(&b, 100, 200));
	b.pool = pool_free(b.pool);
	held = exec_query_free(held);
	return true;
}

static bool more_than_may_wait_is_refused(void)
{
	auto_bench struct bench b = {};
	size_t taken = 0, r = 0;

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, ALL);
	CHECK(held);
	while (taken < 2 * ADMISSION_WAITING && submit(&b, OP_QUERY, QUERY, taken))
		taken++;
	CHECK(taken >= ADMISSION_KEY_WAITING && taken <= ADMISSION_KEY_WAITING + ALL);
	CHECK_EQ(submit_as(&b, "rdt_a", OP_QUERY, QUERY, 0), ADMISSION_KEY_FULL);
	for (int key = 0; key < 5 && r != ADMISSION_FULL;
	     key++) { /* others may go on, until it is too much */
		char name[16];

		(void)snprintf(name, sizeof(name), "rdt_%d", key);
		do {
			r = (size_t)submit_as(&b, name, OP_QUERY, QUERY, taken);
			taken += r == ADMITTED;
		} while (r == ADMITTED);
	}
	CHECK_EQ(r, ADMISSION_FULL);
	CHECK(taken >= ADMISSION_WAITING && taken <= ADMISSION_WAITING + ADMISSION_PLACES);
	return true;
}

static bool a_request_that_has_waited_is_still_authorised_but_not_one_that_came_late(void)
{
	auto_bench struct bench b = {};
	uint64_t now_us = clock_mono_us(), then_us = now_us > MINUTE_US ? now_us - MINUTE_US : 1;

	CHECK(bench_init(&b));
	CHECK_EQ(pool_submit(b.pool, job_at(OP_ORGANIZATION_GET, "", 1, then_us, then_us)),
		 ADMITTED);
	CHECK(is_answered(&b, 1, 200));
	CHECK_EQ(pool_submit(b.pool,
			     job_at(OP_ORGANIZATION_GET, "", 2, then_us + MINUTE_US / 2, then_us)),
		 ADMITTED);
	CHECK(is_answered(&b, 2, 401));
	return true;
}

/* Queries as pool_queries() tells of them. */
struct shown {
	size_t n, working, with_text;
	uint64_t number; /* of the last of key */
	const char *key;
};

static void count_query(void *userdata, const struct pool_query *query)
{
	struct shown *shown = userdata;

	shown->n++;
	shown->working += query->works;
	shown->with_text += query->works && strstr(query->head, "SEQUENCE") != nullptr;
	if (shown->key && strcmp(query->key, shown->key) == 0 && strstr(query->person, query->key))
		shown->number = query->number;
}

/* Wait until so many long queries are at work in earnest. */
static struct shown wait_for(struct bench *b, size_t working, const char *key)
{
	struct shown shown = {};
	struct timespec moment = { .tv_nsec = 1'000'000 };

	for (int i = 0; i < 20'000 && (i == 0 || shown.with_text < working); i++) {
		shown = (struct shown) { .key = key };
		pool_queries(b->pool, count_query, &shown);
		(void)nanosleep(&moment, nullptr);
	}
	return shown;
}

static bool a_short_query_does_not_wait_for_the_long_ones_of_other_keys(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	for (uint64_t i = 0; i < 20; i++)
		CHECK_EQ(submit_as(&b, i % 2 ? "rdt_x" : "rdt_y", OP_QUERY, LONG, i), ADMITTED);
	CHECK(wait_for(&b, ADMISSION_LONG, nullptr).working >= ADMISSION_LONG);
	for (uint64_t i = 100; i < 110; i++)
		CHECK(submit(&b, OP_QUERY, QUERY, i) && is_answered(&b, i, 200));
	return true;
}

static bool a_query_that_is_cut_off_is_answered_and_recorded_once_in_the_end(void)
{
	static const char SLOW[] =
		"{\"sql\":{\"query\":\"SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS a), UNNEST(SEQUENCE(1, 5) AS b) WHERE a + b = 0\"}}";
	auto_bench struct bench b = {};
	size_t recorded = ledger_ended(ledger);

	CHECK(bench_init(&b));
	for (uint64_t i = 0; i < ADMISSION_LONG; i++) /* no place in the long lane */
		CHECK_EQ(submit_as(&b, i ? "rdt_x" : "rdt_y", OP_QUERY, LONG, i), ADMITTED);
	CHECK(wait_for(&b, ADMISSION_LONG, nullptr).working == ADMISSION_LONG);
	CHECK(submit(&b, OP_QUERY, SLOW, 100));
	while (!pool_take(
		b.pool)) { /* it takes more than a turn: nothing comes before there is a place */
		struct shown shown = wait_for(&b, 0, "rdt_a");

		if (shown.n == ADMISSION_LONG + 1 && shown.working == ADMISSION_LONG)
			break; /* it has been cut off and waits */
	}
	CHECK_EQ(ledger_ended(ledger), recorded);
	CHECK_EQ(pool_kill_key(b.pool, "", "owner of rdt_x"), ADMISSION_LONG - 1);
	size_t good = 0;
	for (size_t i = 0; i < ADMISSION_LONG; i++) {
		cleanup(job_free_at) struct job *job = answer(&b);

		CHECK(job);
		good += job->id == 100 && job->http_status == 200;
	}
	CHECK_EQ(good, 1);
	CHECK_EQ(ledger_ended(ledger), recorded + ADMISSION_LONG);
	return true;
}

static bool a_query_is_killed_by_its_number_its_key_or_its_owner(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	CHECK_EQ(submit_as(&b, "rdt_x", OP_QUERY, LONG, 1), ADMITTED);
	CHECK_EQ(submit_as(&b, "rdt_y", OP_QUERY, LONG, 2), ADMITTED);
	CHECK_EQ(submit_as(&b, "rdt_z", OP_QUERY, LONG, 3), ADMITTED);
	struct shown shown = wait_for(&b, 3, "rdt_x");
	CHECK_EQ(shown.with_text, 3);
	CHECK(!pool_kill(b.pool, shown.number + 1000, ""));
	CHECK(!pool_kill(b.pool, shown.number, "owner of rdt_y"));
	CHECK_EQ(pool_kill_key(b.pool, "", ""), 0);
	CHECK_EQ(pool_kill_key(b.pool, "rdt_none", "nobody"), 0);
	CHECK(!pool_take(b.pool));
	CHECK(pool_kill(b.pool, shown.number, "owner of rdt_x") && is_cancelled(&b));
	CHECK_EQ(pool_kill_key(b.pool, "rdt_y", ""), 1);
	CHECK(is_cancelled(&b));
	CHECK_EQ(pool_kill_key(b.pool, "", "owner of rdt_z"), 1);
	CHECK(is_cancelled(&b));
	return true;
}

static bool a_query_that_does_not_end_is_noticed(void)
{
	auto_bench struct bench b = {};
	char what[128] = "";

	CHECK(bench_init(&b));
	CHECK(submit(&b, OP_QUERY, LONG, 1));
	CHECK_EQ(wait_for(&b, 1, nullptr).with_text, 1);
	uint64_t now_us = clock_mono_us();
	CHECK(!pool_stuck(b.pool, now_us + 120'000'000, what)); /* what any query may take */
	CHECK(!what[0]);
	CHECK(pool_stuck(b.pool, now_us + 120'000'000 + POOL_STUCK_US, what));
	CHECK(strstr(what, REQUEST_ID) && strstr(what, "rdt_a"));
	pool_cancel(b.pool, CONNECTION, 1);
	CHECK(is_cancelled(&b));
	return !pool_stuck(b.pool, UINT64_MAX, what);
}

int main(void)
{
	ledger = ledger_start("audit-engine.sock");
	if (!ledger || secret_init(&grant_key, 64))
		return 1;
	RUN(each_request_is_answered_and_recorded_once);
	RUN(a_write_does_not_wait_for_queries);
	RUN(a_query_is_answered_while_others_have_all_the_memory_that_they_may);
	RUN(what_is_cancelled_is_answered_whether_it_has_begun_or_not);
	RUN(the_end_does_not_wait_for_queries);
	RUN(more_than_may_wait_is_refused);
	RUN(a_short_query_does_not_wait_for_the_long_ones_of_other_keys);
	RUN(a_query_that_is_cut_off_is_answered_and_recorded_once_in_the_end);
	RUN(a_query_is_killed_by_its_number_its_key_or_its_owner);
	RUN(a_query_that_does_not_end_is_noticed);
	RUN(a_request_that_has_waited_is_still_authorised_but_not_one_that_came_late);
	secret_done(&grant_key);
	ledger_stop(ledger);
	return tap_done();
}
