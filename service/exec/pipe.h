/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pipe: run a plan over the cores and fetch its rows.
 *
 * Layer 5 (service/exec). A morsel is one chunk. Rows come out in the order of chunks and rows unless the plan orders them.
 * Threads: one query belongs to one thread, which takes part in the work; the crew's threads help.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/exec/exec.h"
#include "service/exec/plan.h"

enum {
	PIPE_OK = 0,
	PIPE_CANCELLED,
	PIPE_TIMEOUT,
	PIPE_TOO_LARGE, /* over the query's budget, even with spilling */
	PIPE_FAILED,	/* an error of the query: pipe_error() */
	PIPE_DAMAGED,	/* stored bytes are wrong: pipe_error() names segment and page */
	PIPE_END,	/* of pipe_next(): no more rows */
	PIPE_UNSUITED, /* a value that exec cannot treat just as SQLite does: answer the query another way */
};

struct query_limits {
	uint64_t deadline_us;	   /* clock_mono_us() */
	const atomic_bool *cancel; /* or nullptr */
	size_t memory; /* bytes; waits for its turn if the process's memory is given away */
};

struct exec_query; /* what the pipes of one query share */

/* Begin a query: admission. Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT or -ENOMEM. */
[[nodiscard]] int exec_query_new(struct exec *exec, const struct query_limits *limits,
				 struct exec_query **ret);

/* End it; its pipes must be closed. nullptr is a no-op. Always returns nullptr. */
struct exec_query *exec_query_free(struct exec_query *query);
CLEANUP_FN(struct exec_query, exec_query_free)

/* What it has used so far. */
void exec_query_figures(struct exec_query *query, struct query_figures *ret);

/* The sentence that goes with PIPE_FAILED, PIPE_DAMAGED or PIPE_TOO_LARGE. */
[[nodiscard]] const char *exec_query_error(const struct exec_query *query);

struct pipe;

/* Open a pipe; nothing is read yet. plan must stay. Returns 0 or -ENOMEM. */
[[nodiscard]] int pipe_open(struct exec_query *query, const struct plan *plan, struct pipe **ret);

/* Close; nullptr is a no-op. Always returns nullptr. */
struct pipe *pipe_close(struct pipe *pipe);
CLEANUP_FN(struct pipe, pipe_close)

/* Start again from the first row. What was made (groups, hash tables) is kept. */
void pipe_rewind(struct pipe *pipe);

/*
 * Go to the next row.
 *
 * ret  [outputs, then aggregates] valid until the next call
 *
 * Returns 0, PIPE_END, another outcome, or -errno.
 */
[[nodiscard]] int pipe_next(struct pipe *pipe, const struct cell **ret);
