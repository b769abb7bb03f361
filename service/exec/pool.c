/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work, done; /* there are morsels; a morsel is done */
	struct job *jobs;	   /* that have morsels left */
	bool stop;
	unsigned int helpers;
	pthread_t thread[POOL_THREADS_MAX];
};

static uint64_t thread_cpu_ns(void)
{
	struct timespec t = {};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1'000'000'000 + (uint64_t)t.tv_nsec;
}

static bool has_room(const struct job *job)
{
	return job->next < job->morsels && stdc_count_ones(job->busy) < job->workers;
}

/* The job whose query has used least. */
static struct job *pick(const struct pool *pool)
{
	struct job *best = nullptr;

	for (struct job *job = pool->jobs; job; job = job->next_job)
		if (has_room(job) &&
		    (!best || atomic_load_explicit(job->cpu_ns, memory_order_relaxed) <
				      atomic_load_explicit(best->cpu_ns, memory_order_relaxed)))
			best = job;
	return best;
}

static void take_out(struct pool *pool, const struct job *job)
{
	for (struct job **at = &pool->jobs; *at; at = &(*at)->next_job)
		if (*at == job) {
			*at = job->next_job;
			return;
		}
}

/* Do one morsel of a job. The lock is held at the beginning and the end, not in between. */
static void work(struct pool *pool, struct job *job)
{
	auto worker = (unsigned int)stdc_trailing_ones(job->busy);
	uint32_t morsel = job->next++;

	job->busy |= UINT64_C(1) << worker;
	if (job->next == job->morsels)
		take_out(pool, job);
	pthread_mutex_unlock(&pool->lock);

	uint64_t from = thread_cpu_ns();
	int r = job->run(job->userdata, worker, morsel);
	atomic_fetch_add_explicit(job->cpu_ns, thread_cpu_ns() - from, memory_order_relaxed);

	pthread_mutex_lock(&pool->lock);
	job->busy &= ~(UINT64_C(1) << worker);
	if (r && morsel < job->failed) {
		job->failed = morsel;
		job->result = r;
	}
	if (r && job->next < job->morsels) {
		job->next = job->morsels;
		take_out(pool, job);
	}
	if (job->busy == 0 && job->next == job->morsels)
		pthread_cond_broadcast(&pool->done);
}

static void *help(void *userdata)
{
	struct pool *pool = userdata;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stop) {
		struct job *job = pick(pool);

		if (job)
			work(pool, job);
		else
			pthread_cond_wait(&pool->work, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return nullptr;
}

int pool_new(unsigned int threads, struct pool **ret)
{
	cleanup(pool_free_at) struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, nullptr);
	pthread_cond_init(&pool->work, nullptr);
	pthread_cond_init(&pool->done, nullptr);
	if (threads > POOL_THREADS_MAX)
		threads = POOL_THREADS_MAX;
	while (pool->helpers + 1 < threads) {
		int r = pthread_create(&pool->thread[pool->helpers], nullptr, help, pool);

		if (r)
			return -r;
		pool->helpers++;
	}
	*ret = TAKE(pool);
	return 0;
}

struct pool *pool_free(struct pool *pool)
{
	if (!pool)
		return nullptr;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->helpers; i++)
		pthread_join(pool->thread[i], nullptr);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	return nullptr;
}

unsigned int pool_threads(const struct pool *pool)
{
	return pool->helpers + 1;
}

int pool_run(struct pool *pool, struct job *job)
{
	job->next = 0;
	job->failed = UINT32_MAX;
	job->busy = 0;
	job->result = 0;
	if (job->morsels == 0)
		return 0;
	pthread_mutex_lock(&pool->lock);
	job->next_job = pool->jobs;
	pool->jobs = job;
	if (job->morsels > 1 && job->workers > 1 && pool->helpers > 0)
		pthread_cond_broadcast(&pool->work);
	while (job->next < job->morsels || job->busy) {
		if (has_room(job))
			work(pool, job);
		else
			pthread_cond_wait(&pool->done, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return job->result;
}
