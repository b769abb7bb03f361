/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "service/exec/pipe_internal.h"
#include "service/sort/sorter.h"

/*
 * All rows in an order, or more of them than the best of are kept in memory; or in no order, but that of their positions. Each thread collects; what does not fit goes to
 * disk. Groups and distinct rows come from a pipe of their own that has no order.
 */

constexpr unsigned int CHUNK_SHIFT = 40; /* of a position: below it the row's number in its chunk */

struct state {
	struct sorter *sorter;
	struct plan unordered; /* of the groups' pipe */
	struct pipe *groups;
	_Atomic int64_t wanted; /* rows without an order that are still missing */
	bool made;
};

struct chunk_sink {
	struct pipe *pipe;
	unsigned int worker;
	uint64_t position;
	const struct vector **column; /* [width] */
};

static int take(void *userdata, struct eval *eval, uint32_t, const struct set *selection)
{
	struct chunk_sink *sink = userdata;
	struct pipe *pipe = sink->pipe;
	struct state *state = pipe->state;
	uint64_t position = sink->position;

	if (atomic_fetch_sub(&state->wanted, set_count(selection)) <= 0)
		return SCAN_ENOUGH;
	sink->position += COLUMN_BLOCK;
	for (uint32_t i = 0; i < pipe->width; i++) {
		int r = eval_value(eval, pipe->prepared.output[i], selection, &sink->column[i]);

		if (r)
			return r;
	}
	return sorter_add(state->sorter, sink->worker, sink->column, selection, position);
}

static int read_chunk(void *userdata, struct scan *scan, unsigned int worker, uint32_t at)
{
	struct pipe *pipe = userdata;
	auto_free const struct vector **column = calloc(pipe->width + 1, sizeof(*column));
	struct chunk_sink sink = { pipe, worker, (uint64_t)at << CHUNK_SHIFT, column };

	return column ? scan_run(scan, take, &sink) : -ENOMEM;
}

static int read_rows(struct pipe *pipe)
{
	int r = run_list(&pipe->run);

	return r ? r : run_chunks(&pipe->run, 0, pipe->run.n_chunks, read_chunk, pipe);
}

static int read_groups(struct state *state)
{
	const struct cell *cell;
	uint64_t n = 0;
	int r = 0;

	while (r == 0) {
		r = pipe_next(state->groups, &cell);
		r = r ? r : sorter_add_cells(state->sorter, 0, cell, n++);
	}
	return r == PIPE_END ? 0 : r;
}

static int make(struct pipe *pipe)
{
	struct state *state = pipe->state;
	const struct sorter_plan plan = { .order = pipe->plan->order,
					  .n_order = pipe->plan->n_order,
					  .width = pipe->width,
					  .limit = pipe->plan->limit,
					  .workers = state->groups ? 1 : run_workers(&pipe->run) };
	int r = sorter_new(pipe->query, &plan, &state->sorter);

	state->wanted = plan.n_order > 0 || plan.limit < 0 ? INT64_MAX : plan.limit;
	r = r ? r : state->groups ? read_groups(state) : read_rows(pipe);
	state->groups = pipe_close(state->groups);
	return r ? r : sorter_end(state->sorter);
}

static int next(struct pipe *pipe)
{
	struct state *state = pipe->state;
	int r = 0;

	if (!state->made)
		r = make(pipe);
	else if (pipe->given == 0)
		r = sorter_rewind(state->sorter);
	state->made = true;
	return r ? r : sorter_next(state->sorter, pipe->cell);
}

static int open_sort(struct pipe *pipe)
{
	struct state *state = calloc(1, sizeof(*state));

	pipe->state = state;
	if (!state)
		return -ENOMEM;
	if (!pipe->plan->grouped && !pipe->plan->distinct)
		return 0;
	state->unordered = *pipe->plan;
	state->unordered.n_order = 0;
	state->unordered.limit = -1;
	return pipe_open(pipe->query, &state->unordered, &state->groups);
}

static void rewind_sort(struct pipe *)
{
	/* The first next() after it sees that none has been given. */
}

static void close_sort(struct pipe *pipe)
{
	struct state *state = pipe->state;

	sorter_free(state->sorter);
	pipe_close(state->groups);
	free(state);
	pipe->state = nullptr;
}

const struct pipe_kind PIPE_SORT = { open_sort, next, rewind_sort, close_sort };
