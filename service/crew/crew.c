/* SPDX-License-Identifier: Apache-2.0 */
#include "service/crew/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t work, done; /* there are morsels; a morsel is done */
	struct job *jobs;	   /* that have morsels left */
	bool stop;
	unsigned int helpers;
	pthread_t thread[CREW_MAX];
};

uint64_t crew_thread_ns(void)
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
static struct job *pick(const struct crew *crew)
{
	struct job *best = nullptr;

	for (struct job *job = crew->jobs; job; job = job->next_job)
		if (has_room(job) &&
		    (!best || atomic_load_explicit(job->cpu_ns, memory_order_relaxed) <
				      atomic_load_explicit(best->cpu_ns, memory_order_relaxed)))
			best = job;
	return best;
}

static void take_out(struct crew *crew, const struct job *job)
{
	for (struct job **at = &crew->jobs; *at; at = &(*at)->next_job)
		if (*at == job) {
			*at = job->next_job;
			return;
		}
}

/* Do one morsel of a job. The lock is held at the beginning and the end, not in between. */
static void work(struct crew *crew, struct job *job, bool helps)
{
	auto worker = (unsigned int)stdc_trailing_ones(job->busy);
	uint32_t morsel = job->next++;

	job->busy |= UINT64_C(1) << worker;
	if (job->next == job->morsels)
		take_out(crew, job);
	pthread_mutex_unlock(&crew->lock);

	uint64_t from = crew_thread_ns();
	int r = job->run(job->userdata, worker, morsel);
	uint64_t took = crew_thread_ns() - from;
	atomic_fetch_add_explicit(job->cpu_ns, took, memory_order_relaxed);
	if (helps)
		atomic_fetch_add_explicit(job->helpers_ns, took, memory_order_relaxed);

	pthread_mutex_lock(&crew->lock);
	job->busy &= ~(UINT64_C(1) << worker);
	if (r && morsel < job->failed) {
		job->failed = morsel;
		job->result = r;
	}
	if (r && job->next < job->morsels) {
		job->next = job->morsels;
		take_out(crew, job);
	}
	if (job->busy == 0 && job->next == job->morsels)
		pthread_cond_broadcast(&crew->done);
}

static void *help(void *userdata)
{
	struct crew *crew = userdata;

	pthread_mutex_lock(&crew->lock);
	while (!crew->stop) {
		struct job *job = pick(crew);

		if (job)
			work(crew, job, true);
		else
			pthread_cond_wait(&crew->work, &crew->lock);
	}
	pthread_mutex_unlock(&crew->lock);
	return nullptr;
}

int crew_new(unsigned int threads, struct crew **ret)
{
	cleanup(crew_free_at) struct crew *crew = calloc(1, sizeof(*crew));

	if (!crew)
		return -ENOMEM;
	pthread_mutex_init(&crew->lock, nullptr);
	pthread_cond_init(&crew->work, nullptr);
	pthread_cond_init(&crew->done, nullptr);
	if (threads > CREW_MAX)
		threads = CREW_MAX;
	while (crew->helpers + 1 < threads) {
		int r = pthread_create(&crew->thread[crew->helpers], nullptr, help, crew);

		if (r)
			return -r;
		crew->helpers++;
	}
	*ret = TAKE(crew);
	return 0;
}

struct crew *crew_free(struct crew *crew)
{
	if (!crew)
		return nullptr;
	pthread_mutex_lock(&crew->lock);
	crew->stop = true;
	pthread_cond_broadcast(&crew->work);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned int i = 0; i < crew->helpers; i++)
		pthread_join(crew->thread[i], nullptr);
	pthread_cond_destroy(&crew->done);
	pthread_cond_destroy(&crew->work);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
	return nullptr;
}

unsigned int crew_threads(const struct crew *crew)
{
	return crew->helpers + 1;
}

int crew_run(struct crew *crew, struct job *job)
{
	job->next = 0;
	job->failed = UINT32_MAX;
	job->busy = 0;
	job->result = 0;
	if (job->morsels == 0)
		return 0;
	pthread_mutex_lock(&crew->lock);
	job->next_job = crew->jobs;
	crew->jobs = job;
	if (job->morsels > 1 && job->workers > 1 && crew->helpers > 0)
		pthread_cond_broadcast(&crew->work);
	while (job->next < job->morsels || job->busy) {
		if (has_room(job))
			work(crew, job, false);
		else
			pthread_cond_wait(&crew->done, &crew->lock);
	}
	pthread_mutex_unlock(&crew->lock);
	return job->result;
}
