/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/pool.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/proto/operations.h"
#include "service/engine/work.h"
#include "service/sql/sql.h"

constexpr time_t EXPIRE_EVERY_S = 60; /* how often retention is looked at */
constexpr uint64_t REST_AFTER_US = 1'000'000;

struct pool {
	struct store *store;
	struct exec *exec;
	const struct secret *grant_key;
	int event_fd;

	pthread_mutex_t lock; /* guards all below */
	sem_t wake[POOL_WORKERS];
	bool sleeps[POOL_WORKERS]; /* it waits for wake */
	struct job *waiting, **waiting_end;
	size_t n_waiting, n_queries; /* n_queries: at work */
	struct job *done, **done_end;
	struct job *running[POOL_WORKERS];
	uint64_t expire_at_us; /* when somebody must look at retention next */
	bool end;

	pthread_t thread[POOL_WORKERS];
	struct worker *worker[POOL_WORKERS];
	size_t n_threads;
};

/* What a thread is started with. */
struct start {
	struct pool *pool;
	size_t number;
};

struct job *job_free(struct job *job)
{
	if (job) {
		close_at(&job->fd);
		close_at(&job->answer_fd);
		free(job->payload);
		buf_done(&job->answer);
	}
	free(job);
	return nullptr;
}

/* What a worker is to do when there is no request. */
enum errand : uint8_t {
	NOTHING,
	EXPIRE, /* it is the time to look at retention */
	REST,	/* there was no request for a while */
};

static bool is_query(const struct job *job)
{
	return job->execute.op == OP_QUERY;
}

/* Where the first request is that may begin now; at the end of the list there is none. Called with the lock held. */
static struct job **next_job(struct pool *pool)
{
	struct job **at = &pool->waiting;

	while (*at && is_query(*at) && pool->n_queries == POOL_QUERIES)
		at = &(*at)->next;
	return at;
}

/* Take a request out of the queue. Called with the lock held. */
static struct job *begin(struct pool *pool, size_t number, struct job **at)
{
	struct job *job = *at;

	*at = job->next;
	if (!*at)
		pool->waiting_end = at;
	pool->n_waiting--;
	pool->n_queries += is_query(job);
	job->next = nullptr;
	pool->running[number] = job;
	return job;
}

/*
 * The worker to wake for a request, or nullptr if none sleeps. The first of them: if there is little to do it is always the
 * same one, whose memory is in the processor's caches, and the others rest. Called with the lock held; the caller posts to it
 * when it no longer holds the lock, or the worker would wake to wait for that.
 */
static sem_t *sleeper(struct pool *pool)
{
	for (size_t i = 0; i < POOL_WORKERS; i++)
		if (pool->sleeps[i]) {
			pool->sleeps[i] = false;
			return &pool->wake[i];
		}
	return nullptr;
}

/* Sleep until woken, or a time. Called and returns with the lock held. */
static void sleep_until(struct pool *pool, size_t number, uint64_t until_us)
{
	struct timespec until = { .tv_sec = (time_t)(until_us / 1'000'000 + 1) };

	pool->sleeps[number] = true;
	(void)pthread_mutex_unlock(&pool->lock);
	/* If it was woken just when the time was up, the next sleep ends at once. */
	(void)sem_clockwait(&pool->wake[number], CLOCK_MONOTONIC, &until);
	(void)pthread_mutex_lock(&pool->lock);
	pool->sleeps[number] = false;
}

/*
 * Wait for a request, the end, or an errand. Called and returns with the lock held.
 *
 * rested  whether the worker has rested since its last request
 */
static struct job *wait_for_job(struct pool *pool, size_t number, bool rested,
				enum errand *ret_errand)
{
	uint64_t rest_at_us = rested ? UINT64_MAX : clock_mono_us() + REST_AFTER_US;

	*ret_errand = NOTHING;
	while (!*next_job(pool) && !pool->end) {
		uint64_t now_us = clock_mono_us();
		uint64_t next_us =
			pool->expire_at_us < rest_at_us ? pool->expire_at_us : rest_at_us;

		if (now_us >= pool->expire_at_us) {
			pool->expire_at_us = now_us + EXPIRE_EVERY_S * UINT64_C(1'000'000);
			*ret_errand = EXPIRE;
			return nullptr;
		}
		if (now_us >= rest_at_us) {
			*ret_errand = REST;
			return nullptr;
		}
		sleep_until(pool, number, next_us);
	}
	return pool->end ? nullptr : begin(pool, number, next_job(pool));
}

/* Put an answered request where the loop finds it. The worker looks for the next one itself: there is nobody to wake. */
static void deliver(struct pool *pool, size_t number, struct job *job)
{
	uint64_t one = 1;

	(void)pthread_mutex_lock(&pool->lock);
	pool->running[number] = nullptr;
	pool->n_queries -= is_query(job);
	*pool->done_end = job;
	pool->done_end = &job->next;
	(void)pthread_mutex_unlock(&pool->lock);
	/* The counter cannot be full: the loop empties it. */
	(void)!write(pool->event_fd, &one, sizeof(one));
}

static void *work(void *argument)
{
	auto_free struct start *start = argument;
	struct pool *pool = start->pool;
	struct worker *worker = pool->worker[start->number];
	bool end = false, rested = true;

	while (!end) {
		enum errand errand;

		(void)pthread_mutex_lock(&pool->lock);
		struct job *job = wait_for_job(pool, start->number, rested, &errand);
		end = pool->end;
		(void)pthread_mutex_unlock(&pool->lock);
		if (errand == EXPIRE)
			worker_expire(worker);
		if (errand == REST)
			worker_rest(worker);
		rested |= errand == REST;
		if (!job)
			continue;
		rested = false;
		worker_run(worker, job);
		deliver(pool, start->number, job);
	}
	return nullptr;
}

static int start_thread(struct pool *pool, const pthread_attr_t *attributes)
{
	struct start *start = malloc(sizeof(*start));

	if (!start)
		return -ENOMEM;
	*start = (struct start) { pool, pool->n_threads };
	int r = worker_new(pool->store, pool->exec, pool->grant_key,
			   &pool->worker[pool->n_threads]);
	if (r == 0)
		r = -pthread_create(&pool->thread[pool->n_threads], attributes, work, start);
	if (r) {
		pool->worker[pool->n_threads] = worker_free(pool->worker[pool->n_threads]);
		free(start);
		return r;
	}
	pool->n_threads++;
	return 0;
}

int pool_new(struct store *store, struct exec *exec, const struct secret *grant_key,
	     struct pool **ret)
{
	pthread_attr_t attributes;
	cleanup(pool_free_at) struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->event_fd = -1;
	pool->store = store;
	pool->exec = exec;
	pool->grant_key = grant_key;
	pool->waiting_end = &pool->waiting;
	pool->done_end = &pool->done;
	pool->expire_at_us = clock_mono_us();
	if (pthread_mutex_init(&pool->lock, nullptr) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < POOL_WORKERS; i++)
		(void)sem_init(&pool->wake[i], 0, 0);
	pool->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->event_fd < 0)
		return neg_errno();
	if (pthread_attr_init(&attributes) != 0)
		return -ENOMEM;
	int r = -pthread_attr_setstacksize(&attributes, POOL_STACK);
	while (r == 0 && pool->n_threads < POOL_WORKERS)
		r = start_thread(pool, &attributes);
	(void)pthread_attr_destroy(&attributes);
	if (r)
		return r;
	*ret = TAKE(pool);
	return 0;
}

static void free_list(struct job *job)
{
	while (job) {
		struct job *next = job->next;

		job_free(job);
		job = next;
	}
}

struct pool *pool_free(struct pool *pool)
{
	if (!pool)
		return nullptr;
	(void)pthread_mutex_lock(&pool->lock);
	pool->end = true;
	for (size_t i = 0; i < POOL_WORKERS; i++)
		if (pool->running[i])
			atomic_store(&pool->running[i]->cancel, true);
	(void)pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < POOL_WORKERS; i++)
		(void)sem_post(&pool->wake[i]);
	for (size_t i = 0; i < pool->n_threads; i++)
		(void)pthread_join(pool->thread[i], nullptr);
	for (size_t i = 0; i < pool->n_threads; i++)
		worker_free(pool->worker[i]);
	free_list(pool->waiting);
	free_list(pool->done);
	close_at(&pool->event_fd);
	for (size_t i = 0; i < POOL_WORKERS; i++)
		(void)sem_destroy(&pool->wake[i]);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
	return nullptr;
}

bool pool_submit(struct pool *pool, struct job *job)
{
	sem_t *wake = nullptr;

	(void)pthread_mutex_lock(&pool->lock);
	bool room = pool->n_waiting < POOL_WAITING_MAX;
	if (room) {
		job->next = nullptr;
		*pool->waiting_end = job;
		pool->waiting_end = &job->next;
		pool->n_waiting++;
		wake = sleeper(pool);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (wake)
		(void)sem_post(wake);
	return room;
}

static void cancel_one(struct job *job, uint64_t connection, uint64_t id)
{
	if (job && job->connection == connection && (job->id == id || id == UINT64_MAX))
		atomic_store(&job->cancel, true);
}

void pool_cancel(struct pool *pool, uint64_t connection, uint64_t id)
{
	(void)pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < POOL_WORKERS; i++)
		cancel_one(pool->running[i], connection, id);
	for (struct job *job = pool->waiting; job; job = job->next)
		cancel_one(job, connection, id);
	(void)pthread_mutex_unlock(&pool->lock);
}

int pool_fd(const struct pool *pool)
{
	return pool->event_fd;
}

struct job *pool_take(struct pool *pool)
{
	uint64_t count;

	(void)pthread_mutex_lock(&pool->lock);
	struct job *job = pool->done;
	if (job) {
		pool->done = job->next;
		if (!pool->done)
			pool->done_end = &pool->done;
		job->next = nullptr;
	} else {
		(void)!read(pool->event_fd, &count, sizeof(count)); /* it is non-blocking */
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return job;
}
