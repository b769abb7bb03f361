/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/pipe.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "service/exec/pipe_internal.h"

constexpr size_t CELL_BYTES = 32; /* that a value takes, with a short string */

/* Whether the first rows in an order are few enough for each thread to keep its best of them in memory. */
static bool keeps_best(const struct exec_query *query, const struct plan *plan)
{
	size_t width = plan->n_outputs + (plan->grouped ? plan->n_aggregates : 0) + 1;
	size_t row = width * CELL_BYTES * 2 * crew_threads(query->exec->crew);

	return plan->limit >= 0 && (uint64_t)plan->limit <= query->budget.limit / 8 / row;
}

static const struct pipe_kind *kind_of(const struct exec_query *query, const struct plan *plan)
{
	if (plan->n_order > 0 && !keeps_best(query, plan))
		return &PIPE_SORT;
	if (plan->grouped || plan->distinct)
		return &PIPE_GROUPS;
	return plan->n_order > 0 ? &PIPE_TOP : &PIPE_ROWS;
}

int pipe_open(struct exec_query *query, const struct plan *plan, struct pipe **ret)
{
	cleanup(pipe_close_at) struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe)
		return -ENOMEM;
	pipe->query = query;
	pipe->plan = plan;
	pipe->width = plan->n_outputs + (plan->grouped ? plan->n_aggregates : 0);
	pipe->cell = calloc(pipe->width + 1, sizeof(*pipe->cell));
	if (!pipe->cell)
		return -ENOMEM;
	int r = prepared_init(&pipe->prepared, plan);
	if (r == PIPE_UNSUITED)
		pipe->result = r; /* told by the first pipe_next() */
	r = r == PIPE_UNSUITED ? 0 : r;
	r = r ? r : run_init(&pipe->run, query, &pipe->prepared, plan->snapshot);
	if (r)
		return r;
	pipe->kind = kind_of(query, plan);
	r = pipe->kind->open(pipe);
	if (r)
		return r;
	*ret = TAKE(pipe);
	return 0;
}

struct pipe *pipe_close(struct pipe *pipe)
{
	if (!pipe)
		return nullptr;
	if (pipe->state)
		pipe->kind->close(pipe);
	if (pipe->run.query)
		run_done(&pipe->run);
	prepared_done(&pipe->prepared);
	free(pipe->cell);
	free(pipe);
	return nullptr;
}

void pipe_rewind(struct pipe *pipe)
{
	pipe->given = 0;
	pipe->kind->rewind(pipe);
}

int pipe_next(struct pipe *pipe, const struct cell **ret)
{
	if (pipe->result)
		return pipe->result;
	if (pipe->plan->limit >= 0 && pipe->given >= pipe->plan->limit)
		return PIPE_END;
	int r = pipe->kind->next(pipe);
	if (r == 0) {
		pipe->given++;
		*ret = pipe->cell;
	} else if (r != PIPE_END) {
		r = query_result(pipe->query, r);
		pipe->result = r;
	}
	return r;
}
