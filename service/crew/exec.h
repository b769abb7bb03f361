/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * exec: the threads and the memory that a process gives to queries, and what one query may use of them.
 *
 * Layer 5 (service/crew). Knows nothing of plans, so that who only starts and counts need not either.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct folder;

/* Where in a query's text something is, from 1; line 0: that is not known. */
struct place {
	uint32_t line, column;
};

struct exec; /* the process's threads and memory for queries */

/*
 * Start the threads.
 *
 * threads       0: one per core
 * memory        bytes for all queries together
 * spill_folder  on the encrypted volume, for sealed files without a name; nullptr: what does not fit into memory is refused
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int exec_new(unsigned int threads, size_t memory, const char *spill_folder,
			   struct exec **ret);

/* As exec_new(), in an open folder, which is given away on success; it or what it points to may be nullptr. */
[[nodiscard]] int exec_new_in(unsigned int threads, size_t memory, struct folder **spill_folder,
			      struct exec **ret);

/* Stop them; no query may be left. nullptr is a no-op. Always returns nullptr. */
struct exec *exec_free(struct exec *exec);
CLEANUP_FN(struct exec, exec_free)

/* Whether there is a folder for what does not fit into memory. */
[[nodiscard]] bool exec_spills(const struct exec *exec);

enum {
	PIPE_OK = 0,
	PIPE_CANCELLED,
	PIPE_TIMEOUT,
	PIPE_TOO_LARGE, /* over the query's budget, even with spilling */
	PIPE_FAILED,	/* an error of the query: exec_query_error() */
	PIPE_DAMAGED,	/* stored bytes are wrong: exec_query_error() names segment and page */
	PIPE_END,	/* of pipe_next(): no more rows */
	PIPE_UNSUITED, /* a value that exec cannot treat just as SQLite does: answer the query another way */
};

struct query_limits {
	uint64_t deadline_us;	   /* clock_mono_us() */
	const atomic_bool *cancel; /* or nullptr */
	size_t memory; /* bytes; waits for its turn if the process's memory is given away */
};

/* Whether a query is to stop: PIPE_CANCELLED, PIPE_TIMEOUT or 0. Cost: reading the clock. */
[[nodiscard]] int query_limits_check(const struct query_limits *limits);

struct query_figures {
	uint64_t rows_read, bytes_read;
	uint64_t pages_read,
		pages_missed; /* needed, from the cache or the disk; of these, from the disk */
	uint64_t chunks, chunks_skipped; /* read; not read because of what is known of them */
	uint64_t spilled_bytes, cpu_us;
};

struct exec_query; /* what the pipes of one query share */

/* Begin a query: admission. Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT or -ENOMEM. */
[[nodiscard]] int exec_query_new(struct exec *exec, const struct query_limits *limits,
				 struct exec_query **ret);

/* End it; its pipes must be closed. nullptr is a no-op. Always returns nullptr. */
struct exec_query *exec_query_free(struct exec_query *query);
CLEANUP_FN(struct exec_query, exec_query_free)

/* What it has used so far, processor time with all that its thread has done since. To be called by that thread. */
void exec_query_figures(struct exec_query *query, struct query_figures *ret);

/* The sentence that goes with PIPE_FAILED, PIPE_DAMAGED or PIPE_TOO_LARGE. */
[[nodiscard]] const char *exec_query_error(const struct exec_query *query);

/* The place that goes with that sentence. */
[[nodiscard]] struct place exec_query_place(const struct exec_query *query);
