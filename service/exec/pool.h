/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pool: threads that help queries with their morsels, the query that has used least first.
 *
 * Layer 5 (service/exec). The thread that asks for a job works on it too; helpers come and go between morsels, so that a
 * short query never waits for a long one to end.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr unsigned int POOL_THREADS_MAX = 64;

struct pool;

/* Work on one morsel. worker is below job->workers and no other thread's at the time. Returns 0, or anything else to end the job. */
typedef int job_fn(void *userdata, unsigned int worker, uint32_t morsel);

struct job {
	job_fn *run;
	void *userdata;
	uint32_t morsels;
	unsigned int workers;	  /* at most that many threads at a time, 1 to POOL_THREADS_MAX */
	_Atomic uint64_t *cpu_ns; /* what the query has used; counted on */
	/* The pool's own. */
	struct job *next_job;
	uint32_t next, failed; /* morsel */
	uint64_t busy;	       /* workers at work, one bit each */
	int result;
};

/* Start threads - 1 helpers. Returns 0 or -errno. */
[[nodiscard]] int pool_new(unsigned int threads, struct pool **ret);

/* Stop them; no job may run. nullptr is a no-op. Always returns nullptr. */
struct pool *pool_free(struct pool *pool);
CLEANUP_FN(struct pool, pool_free)

/* How many threads may work on one job. */
[[nodiscard]] unsigned int pool_threads(const struct pool *pool);

/*
 * Run all morsels. They are begun in ascending order.
 *
 * Returns 0, or what the first morsel that failed returned.
 */
[[nodiscard]] int pool_run(struct pool *pool, struct job *job);
