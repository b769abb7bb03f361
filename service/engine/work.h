/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * work: what a worker thread does with a request: check the grant, record, carry out, record, encode.
 *
 * Layer 7 (service/engine). A struct worker belongs to one thread.
 */

#include "common/base.h"
#include "common/secret.h"
#include "service/crew/exec.h"
#include "service/engine/pool.h"
#include "service/store/store.h"

struct worker;

/* Make a worker with a session of its own. store, exec and grant_key are borrowed. Returns 0 or -errno. */
[[nodiscard]] int worker_new(struct store *store, struct exec *exec, const struct secret *grant_key,
			     struct worker **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct worker *worker_free(struct worker *worker);
CLEANUP_FN(struct worker, worker_free)

/* Carry a request out; its answer is set whatever happens. */
void worker_run(struct worker *worker, struct job *job);

/* Give back the memory that is kept for the next request, after a while without one. */
void worker_rest(struct worker *worker);

/* Delete the documents that their collections keep no longer; recorded before and after. */
void worker_expire(struct worker *worker);
