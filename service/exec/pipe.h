/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pipe: run a plan over the cores and fetch its rows.
 *
 * Layer 5 (service/exec). A morsel is one chunk. Rows come out in the order of chunks and rows unless the plan orders them.
 * Threads: one query belongs to one thread, which takes part in the work; the crew's threads help.
 */

#include "common/base.h"
#include "service/crew/exec.h"
#include "service/expression/plan.h"

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
