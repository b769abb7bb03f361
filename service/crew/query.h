/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * query: what the pipes of one query share: limits, memory, figures, the first error.
 *
 * Layer 5 (service/crew). Only for service/exec and what it is made of; callers see exec.h. Threads: any, but for the error, which is taken after all have ended.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/crew.h"
#include "service/crew/exec.h"
#include "service/vector/pile.h"

struct exec {
	struct crew *crew;
	uint64_t key[2];	     /* of hash tables */
	struct folder *spill_folder; /* nullptr: nothing is spilled */
	pthread_mutex_t lock;
	pthread_cond_t freed;
	size_t memory, given; /* bytes; under lock */
};

struct exec_query {
	struct exec *exec;
	struct query_limits limits;
	struct budget budget;
	uint64_t began_ns; /* of the thread that the query belongs to */
	_Atomic uint64_t cpu_ns, helpers_ns, rows_read, bytes_read, pages_read, pages_missed,
		chunks, chunks_skipped, spilled;
	_Atomic size_t scratched; /* bytes of its budget in which scratches keep blocks */
	atomic_bool failed;	  /* a thread has met an error: nobody is to wait for it */
	pthread_mutex_t lock;
	char error[256]; /* under lock, as the next */
	struct place place;
};

/* As query_limits_check(). */
[[nodiscard]] static inline int query_check(const struct exec_query *query)
{
	return query_limits_check(&query->limits);
}

/* Keep the sentence of an error, and the place of what failed, if there is none yet. */
void query_fail(struct exec_query *query, struct place place, const char *text);

/* Turn -EDQUOT of a budget and -ENOSPC of a spill into PIPE_TOO_LARGE, and -EBADMSG of a spill into PIPE_DAMAGED, with their sentences; pass everything else on. */
[[nodiscard]] int query_result(struct exec_query *query, int r);
