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
#include "service/engine/admission.h"
#include "service/engine/call.h"
#include "service/store/store.h"

constexpr size_t POOL_WORKERS = ADMISSION_PLACES;
constexpr size_t POOL_SHORT_MEMORY = 32u << 20; /* bytes of a query that has only a turn */
/* How long after it should have ended a query may still be at work: every loop asks within a millisecond, so something is wrong then. */
constexpr uint64_t POOL_STUCK_US = 10'000'000;
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
	char person[ACCESS_NAME_MAX]; /* the key's owner, as the request says */
	int fd;			      /* the body, or -1; owned */
	atomic_bool cancel;
	struct turn turn; /* key is for the caller to set */
	struct call_query query;
	uint64_t number; /* of all requests of this process */
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

/* Give a request to the workers. Returns ADMITTED, or ADMISSION_FULL or ADMISSION_KEY_FULL: the job is still the caller's. */
[[nodiscard]] int pool_submit(struct pool *pool, struct job *job);

/* Cancel the request with this id of this connection; with id UINT64_MAX all of it. */
void pool_cancel(struct pool *pool, uint64_t connection, uint64_t id);

/* Cancel the query of that number, if person is "" or its key's owner. Returns whether there was one. */
[[nodiscard]] bool pool_kill(struct pool *pool, uint64_t number, const char *person);

/* Cancel all queries of a key and of a person; "": of none. Returns how many there were. */
[[nodiscard]] size_t pool_kill_key(struct pool *pool, const char *key, const char *person);

/* A query that waits or is at work. */
struct pool_query {
	uint64_t number, age_us, cpu_us;
	bool works;
	const char *key, *person, *head;
};

/* Call fn for each query, those at work first; it must not call pool. */
void pool_queries(struct pool *pool, void (*fn)(void *userdata, const struct pool_query *query),
		  void *userdata);

/*
 * Whether a query is still at work POOL_STUCK_US after its deadline or its cancelling: then nothing ends it any more.
 *
 * now_us  clock_mono_us()
 * ret     what is known of it, for the journal; set only if there is one
 */
[[nodiscard]] bool pool_stuck(struct pool *pool, uint64_t now_us, char ret[128]);

/* A descriptor that is readable when there are answers. */
[[nodiscard]] int pool_fd(const struct pool *pool);

/* The next answered request, now the caller's, or nullptr. */
[[nodiscard]] struct job *pool_take(struct pool *pool);
