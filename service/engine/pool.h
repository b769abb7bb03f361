/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pool: a fixed number of worker threads and the queue of requests they work off, queries in their turn and the rest in its.
 *
 * Layer 7 (service/engine). Requests are handed in and answers taken out by the loop's thread. Each worker has a session
 * of its own and a connection to the ledger of its own; they share the store and nothing else.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/execute.h"
#include "common/secret.h"
#include "service/crew/exec.h"
#include "service/store/store.h"

constexpr size_t POOL_WORKERS = 4;
constexpr size_t POOL_QUERIES = 3; /* at work at a time, so that writes never wait for queries */
constexpr size_t POOL_WAITING_MAX = 256; /* requests not begun; more are refused at once */
constexpr size_t POOL_STACK = 16u << 20; /* parsing and binding recurse, within bounds */

struct flow;

/* A request on its way through. */
struct job {
	struct job *next;
	struct flow *flow;   /* the budget of answers under way; borrowed; nullptr: no limit */
	uint64_t id;	     /* of the frame */
	uint64_t connection; /* number of the connection it came by */
	uint8_t *payload;    /* [payload_len] the frame; execute borrows from it */
	size_t payload_len;
	struct execute execute;
	int fd; /* the body, or -1; owned */
	atomic_bool cancel;
	uint64_t started_us;

	uint16_t http_status;
	struct buf answer; /* JSON */
	int answer_fd;	   /* a long answer instead, or -1; owned */
};

/* Free; nullptr is a no-op. Always returns nullptr. */
struct job *job_free(struct job *job);
CLEANUP_FN(struct job, job_free)

struct pool;

/*
 * Start the workers.
 *
 * store, exec, grant_key  borrowed until pool_free()
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int pool_new(struct store *store, struct exec *exec, const struct secret *grant_key,
			   struct pool **ret);

/* Cancel what runs, wait for the workers and free. nullptr is a no-op. Always returns nullptr. */
struct pool *pool_free(struct pool *pool);
CLEANUP_FN(struct pool, pool_free)

/* Give a request to the workers. Returns whether there was room; if not, the job is still the caller's. */
[[nodiscard]] bool pool_submit(struct pool *pool, struct job *job);

/* Cancel the request with this id of this connection; with id UINT64_MAX all of it. */
void pool_cancel(struct pool *pool, uint64_t connection, uint64_t id);

/* A descriptor that is readable when there are answers. */
[[nodiscard]] int pool_fd(const struct pool *pool);

/* The next answered request, now the caller's, or nullptr. */
[[nodiscard]] struct job *pool_take(struct pool *pool);
