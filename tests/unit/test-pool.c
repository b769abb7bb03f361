/* SPDX-License-Identifier: Apache-2.0 */

/* pool: who waits for whom. Queries are held up by giving the memory of all queries away. */

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static const char REQUEST_ID[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
static const char QUERY[] = "{\"sql\":{\"query\":\"SELECT COUNT(*) FROM c\"}}";
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

static bool submit(struct bench *b, enum operation op, const char *body, uint64_t id)
{
	uint64_t now_us = clock_mono_us();
	struct job *job = job_at(op, body, id, now_us, now_us);

	if (job && pool_submit(b->pool, job))
		return true;
	job_free(job);
	return false;
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
	CHECK_EQ(ledger_count(ledger), recorded + countof(seen));
	CHECK(submit(&b, OP_WORKSPACE_CREATE, WORKSPACE, 1) && is_answered(&b, 1, 200));
	CHECK_EQ(ledger_count(ledger), recorded + countof(seen) + 2);
	return true;
}

static bool a_write_does_not_wait_for_queries(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, POOL_QUERIES);
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
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, POOL_QUERIES - 1);
	CHECK(held);
	CHECK(submit(&b, OP_QUERY, QUERY, 1) && is_answered(&b, 1, 200));
	return true;
}

static bool what_is_cancelled_is_answered_whether_it_has_begun_or_not(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, POOL_QUERIES);
	CHECK(held);
	for (uint64_t i = 0; i < POOL_QUERIES + 2; i++)
		CHECK(submit(&b, OP_QUERY, QUERY, i));
	pool_cancel(b.pool, CONNECTION + 1, UINT64_MAX); /* somebody else's */
	CHECK(submit(&b, OP_ORGANIZATION_GET, "", 100) && is_answered(&b, 100, 200));
	CHECK(!pool_take(b.pool));
	pool_cancel(b.pool, CONNECTION, 0);
	CHECK(is_cancelled(&b));
	CHECK(!pool_take(b.pool));
	pool_cancel(b.pool, CONNECTION, UINT64_MAX);
	for (size_t i = 1; i < POOL_QUERIES + 2; i++)
		CHECK(is_cancelled(&b));
	return true;
}

static bool the_end_does_not_wait_for_queries(void)
{
	auto_bench struct bench b = {};

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, POOL_QUERIES);
	CHECK(held);
	for (uint64_t i = 0; i < POOL_QUERIES + 2; i++)
		CHECK(submit(&b, OP_QUERY, QUERY, i));
	CHECK(submit(&b, OP_ORGANIZATION_GET, "", 100) && is_answered(&b, 100, 200));
	b.pool = pool_free(b.pool);
	held = exec_query_free(held);
	return true;
}

static bool more_than_may_wait_is_refused(void)
{
	auto_bench struct bench b = {};
	size_t taken = 0;

	CHECK(bench_init(&b));
	cleanup(exec_query_free_at) struct exec_query *held = hold(&b, POOL_QUERIES);
	CHECK(held);
	while (taken < 2 * POOL_WAITING_MAX && submit(&b, OP_QUERY, QUERY, taken))
		taken++;
	CHECK(taken >= POOL_WAITING_MAX && taken <= POOL_WAITING_MAX + POOL_QUERIES);
	return true;
}

static bool a_request_that_has_waited_is_still_authorised_but_not_one_that_came_late(void)
{
	auto_bench struct bench b = {};
	uint64_t now_us = clock_mono_us(), then_us = now_us > MINUTE_US ? now_us - MINUTE_US : 1;

	CHECK(bench_init(&b));
	CHECK(pool_submit(b.pool, job_at(OP_ORGANIZATION_GET, "", 1, then_us, then_us)));
	CHECK(is_answered(&b, 1, 200));
	CHECK(pool_submit(b.pool,
			  job_at(OP_ORGANIZATION_GET, "", 2, then_us + MINUTE_US / 2, then_us)));
	CHECK(is_answered(&b, 2, 401));
	return true;
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
	RUN(a_request_that_has_waited_is_still_authorised_but_not_one_that_came_late);
	secret_done(&grant_key);
	ledger_stop(ledger);
	return tap_done();
}
