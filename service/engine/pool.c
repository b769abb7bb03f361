/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/pool.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	bool sleeps[POOL_WORKERS];  /* it waits for wake */
	struct admission admission; /* those that wait */
	uint64_t number;	    /* of the last request */
	struct job *done, **done_end;
	struct job *running[POOL_WORKERS];
	uint64_t cpu_us[POOL_WORKERS]; /* of the worker's thread when it began */
	uint64_t expire_at_us;	       /* when somebody must look at retention next */
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
	return job->execute.op == OP_QUERY || job->execute.op == OP_QUERY_VALIDATE;
}

/* What a thread has used of a processor so far. */
static uint64_t thread_us(pthread_t thread)
{
	struct timespec t = {};
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) == 0)
		(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

/* Take a request out of the queue. Called with the lock held. */
static struct job *begin(struct pool *pool, size_t number, struct turn *turn)
{
	struct job *job = turn->job;

	admission_begin(&pool->admission, turn, clock_mono_us());
	job->query.turn_us = turn->query && turn->lane == LANE_SHORT ? ADMISSION_TURN_US : 0;
	job->query.memory = job->query.turn_us ? POOL_SHORT_MEMORY : SQL_MEMORY_MAX;
	job->query.again = false;
	pool->running[number] = job;
	pool->cpu_us[number] = turn->query ? thread_us(pthread_self()) : 0;
	return job;
}

/*
 * The worker to wake for a request that may begin, or nullptr if there is none or none sleeps. The first of them: if there is little to do it is always the
 * same one, whose memory is in the processor's caches, and the others rest. Called with the lock held; the caller posts to it
 * when it no longer holds the lock, or the worker would wake to wait for that.
 */
static sem_t *sleeper(struct pool *pool)
{
	if (!admission_next(&pool->admission))
		return nullptr;
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
	struct turn *turn;
	uint64_t rest_at_us = rested ? UINT64_MAX : clock_mono_us() + REST_AFTER_US;

	*ret_errand = NOTHING;
	while (!(turn = admission_next(&pool->admission)) && !pool->end) {
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
	return pool->end || !turn ? nullptr : begin(pool, number, turn);
}

/* Put an answered request where the loop finds it, or back among those that wait. The worker looks for the next one itself: there is nobody to wake. */
static void deliver(struct pool *pool, size_t number, struct job *job)
{
	uint64_t one = 1;

	(void)pthread_mutex_lock(&pool->lock);
	bool again = job->query.again && !pool->end;
	pool->running[number] = nullptr;
	admission_end(&pool->admission, &job->turn, clock_mono_us(), again);
	if (again) {
		buf_done(&job->answer);
	} else {
		*pool->done_end = job;
		pool->done_end = &job->next;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	/* The counter cannot be full: the loop empties it. */
	if (!again)
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
		sem_t *other =
			job ? sleeper(pool) : nullptr; /* a place may have become free for two */
		(void)pthread_mutex_unlock(&pool->lock);
		if (other)
			(void)sem_post(other);
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
	admission_init(&pool->admission);
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
	for (struct turn *turn = pool->admission.waiting, *next; turn; turn = next) {
		next = turn->next;
		job_free(turn->job);
	}
	free_list(pool->done);
	close_at(&pool->event_fd);
	for (size_t i = 0; i < POOL_WORKERS; i++)
		(void)sem_destroy(&pool->wake[i]);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
	return nullptr;
}

int pool_submit(struct pool *pool, struct job *job)
{
	struct turn *turn = &job->turn;
	sem_t *wake = nullptr;

	turn->job = job;
	turn->query = is_query(job);
	turn->long_only = job->fd >= 0; /* a body that came in a memfd is read once */
	turn->cancel = &job->cancel;
	(void)pthread_mutex_lock(&pool->lock);
	int r = admission_add(&pool->admission, turn);
	if (r == ADMITTED) {
		job->next = nullptr;
		job->number = ++pool->number;
		wake = sleeper(pool);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (wake)
		(void)sem_post(wake);
	return r;
}

/* --- ending queries ------------------------------------------------------------------------ */

/* Which requests are to end. */
struct which {
	const uint64_t *connection, *id, *number; /* nullptr: any */
	const char *key, *person;		  /* either; nullptr: any */
	bool queries;				  /* nothing but queries */
};

static bool is_meant(const struct which *which, const struct job *job)
{
	bool somebody = which->key || which->person;

	return (!which->connection || job->connection == *which->connection) &&
	       (!which->id || job->id == *which->id) &&
	       (!which->number || job->number == *which->number) &&
	       (!which->queries || job->turn.query) &&
	       (!somebody || (which->key && strcmp(which->key, job->turn.key) == 0) ||
		(which->person && strcmp(which->person, job->person) == 0));
}

/* Cancel a request if it is meant. Returns whether it is. */
static bool cancel_one(const struct which *which, struct job *job)
{
	if (!job || !is_meant(which, job))
		return false;
	uint64_t now_us = clock_mono_us(), stop_us = atomic_load(&job->query.stop_us);
	atomic_store(&job->cancel, true);
	if (stop_us > now_us)
		(void)atomic_compare_exchange_strong(&job->query.stop_us, &stop_us, now_us);
	return true;
}

static size_t cancel_all(struct pool *pool, const struct which *which)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < POOL_WORKERS; i++)
		n += cancel_one(which, pool->running[i]);
	for (struct turn *turn = pool->admission.waiting; turn; turn = turn->next)
		n += cancel_one(which, turn->job);
	sem_t *wake = sleeper(pool); /* what is cancelled may begin, to be answered */
	(void)pthread_mutex_unlock(&pool->lock);
	if (wake)
		(void)sem_post(wake);
	return n;
}

void pool_cancel(struct pool *pool, uint64_t connection, uint64_t id)
{
	const struct which which = { .connection = &connection,
				     .id = id == UINT64_MAX ? nullptr : &id };

	(void)cancel_all(pool, &which);
}

bool pool_kill(struct pool *pool, uint64_t number, const char *person)
{
	const struct which which = { .number = &number,
				     .person = person[0] ? person : nullptr,
				     .queries = true };

	return cancel_all(pool, &which) > 0;
}

size_t pool_kill_key(struct pool *pool, const char *key, const char *person)
{
	const struct which which = { .key = key[0] ? key : nullptr,
				     .person = person[0] ? person : nullptr,
				     .queries = true };

	return key[0] || person[0] ? cancel_all(pool, &which) : 0;
}

static void show(struct pool *pool, const struct job *job, const size_t *worker,
		 void (*fn)(void *userdata, const struct pool_query *query), void *userdata)
{
	bool has_head = atomic_load(&job->query.has_head);
	uint64_t cpu_us = worker ? thread_us(pool->thread[*worker]) - pool->cpu_us[*worker] : 0;

	fn(userdata, &(struct pool_query) { .number = job->number,
					    .age_us = clock_mono_us() - job->started_us,
					    .cpu_us = cpu_us,
					    .works = worker != nullptr,
					    .key = job->turn.key,
					    .person = job->person,
					    .head = has_head ? job->query.head : "" });
}

void pool_queries(struct pool *pool, void (*fn)(void *userdata, const struct pool_query *query),
		  void *userdata)
{
	(void)pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < POOL_WORKERS; i++)
		if (pool->running[i] && pool->running[i]->turn.query)
			show(pool, pool->running[i], &i, fn, userdata);
	for (struct turn *turn = pool->admission.waiting; turn; turn = turn->next)
		if (turn->query)
			show(pool, turn->job, nullptr, fn, userdata);
	(void)pthread_mutex_unlock(&pool->lock);
}

bool pool_stuck(struct pool *pool, uint64_t now_us, char ret[128])
{
	bool stuck = false;

	(void)pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < POOL_WORKERS && !stuck; i++) {
		const struct job *job = pool->running[i];
		uint64_t stop_us = job ? atomic_load(&job->query.stop_us) : 0;

		stuck = stop_us > 0 && now_us > stop_us && now_us - stop_us >= POOL_STUCK_US;
		if (stuck)
			(void)snprintf(ret, 128, "request %s of key %s", job->execute.request_id,
				       job->turn.key);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return stuck;
}

/* --- answers ------------------------------------------------------------------------------- */

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
