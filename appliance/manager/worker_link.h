/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * worker_link: the job queue. One worker at a time does one job; the others wait.
 *
 * Layer 2 (appliance/manager).
 */

#include <stddef.h>

#include "common/base.h"
#include "common/loop.h"
#include "common/proto/job.h"

constexpr size_t WORKER_QUEUE_MAX = 8; /* more at once than a console and two admins ask for */

struct worker_link;

/* The job has ended; done is borrowed for the call. Called exactly once, never from within worker_link_submit(). */
typedef void worker_done_fn(void *userdata, const struct job_done *done);

/* The job has come this far. */
typedef void worker_progress_fn(void *userdata, const struct job_progress *progress);

/* Make the queue. progress is called for whatever job runs. Returns 0 or -ENOMEM. */
[[nodiscard]] int worker_link_new(struct loop *loop, worker_progress_fn *progress, void *userdata,
				  struct worker_link **ret);

/* Free; jobs not done are not called back. nullptr is a no-op. Always returns nullptr. */
struct worker_link *worker_link_free(struct worker_link *link);
CLEANUP_FN(struct worker_link, worker_link_free)

/*
 * Queue a job.
 *
 * argument, second  copied, wiped after sending; at most JOB_ARGUMENT_MAX - 1 bytes
 *
 * Returns 0, -EMSGSIZE, -EBUSY (the queue is full) or another -errno. A worker that cannot be
 * reached, dies or answers nonsense is a job that ended with JOB_FAULT.
 */
[[nodiscard]] int worker_link_submit(struct worker_link *link, enum job_kind kind,
				     const char *argument, const char *second, worker_done_fn *done,
				     void *userdata);
