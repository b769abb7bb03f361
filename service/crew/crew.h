/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * crew: threads that help queries with their morsels, the query that has used least first.
 *
 * Layer 5 (service/crew). The thread that asks for a job works on it too; helpers come and go between morsels, so that a
 * short query never waits for a long one to end.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr unsigned int CREW_MAX = 64;

struct crew;

/* Work on one morsel. worker is below job->workers and no other thread's at the time. Returns 0, or anything else to end the job. */
typedef int job_fn(void *userdata, unsigned int worker, uint32_t morsel);

struct job {
	job_fn *run;
	void *userdata;
	uint32_t morsels;
	unsigned int workers;	      /* at most that many threads at a time, 1 to CREW_MAX */
	_Atomic uint64_t *cpu_ns;     /* what the query has used of all threads; counted on */
	_Atomic uint64_t *helpers_ns; /* and of the crew's */
	/* The crew's own. */
	struct job *next_job;
	uint32_t next, failed; /* morsel */
	uint64_t busy;	       /* workers at work, one bit each */
	int result;
};

/* Start threads - 1 helpers. Returns 0 or -errno. */
[[nodiscard]] int crew_new(unsigned int threads, struct crew **ret);

/* Stop them; no job may run. nullptr is a no-op. Always returns nullptr. */
struct crew *crew_free(struct crew *crew);
CLEANUP_FN(struct crew, crew_free)

/* What the calling thread has used of a processor so far. */
[[nodiscard]] uint64_t crew_thread_ns(void);

/* How many threads may work on one job. */
[[nodiscard]] unsigned int crew_threads(const struct crew *crew);

/*
 * Run all morsels. They are begun in ascending order.
 *
 * Returns 0, or what the first morsel that failed returned.
 */
[[nodiscard]] int crew_run(struct crew *crew, struct job *job);
