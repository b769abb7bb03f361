/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/exec/pipe_internal.h"
#include "service/sort/best.h"
#include "service/vector/rows.h"

/*
 * The first rows in an order. Each thread keeps its best; what is kept is the columns of the order and the row's position,
 * and the other columns are read for the winners only. Where UNNEST or joins make the rows all columns are kept.
 */

struct state {
	struct pipe *pipe;
	struct best *best[CREW_MAX];
	bool late;	  /* the other columns come later */
	uint32_t *column; /* [width] which outputs are kept, the order's first */
	uint32_t width;
	struct order_by *order; /* [n_order] over the kept columns */
	struct rows winners;	/* all outputs and the position, in order */
	bool made;
	size_t next;
};

struct chunk_sink {
	struct state *state;
	struct best *best;
	uint32_t chunk;
	uint64_t sequence;
	const struct vector **column; /* [width] */
};

static int take(void *userdata, struct eval *eval, uint32_t block, const struct set *selection)
{
	struct chunk_sink *sink = userdata;
	struct state *state = sink->state;
	struct set left = *selection;
	uint64_t position = state->late ? (uint64_t)block * COLUMN_BLOCK : sink->sequence;

	sink->sequence += COLUMN_BLOCK;
	for (uint32_t i = 0; i < state->width; i++) {
		int r = eval_value(eval, state->pipe->prepared.output[state->column[i]], &left,
				   &sink->column[i]);

		if (r)
			return r;
		if (i == 0)
			best_leave(sink->best, sink->column[0], &left);
		if (!set_any(&left))
			return 0;
	}
	return best_add(sink->best, sink->column, &left, (uint64_t)sink->chunk << 32 | position);
}

static int read_chunk(void *userdata, struct scan *scan, unsigned int worker, uint32_t at)
{
	struct state *state = userdata;
	struct pipe *pipe = state->pipe;
	auto_free const struct vector **column = calloc(state->width + 1, sizeof(*column));
	struct best **best = &state->best[worker];
	int r = column ? 0 : -ENOMEM;

	if (r == 0 && !*best)
		r = best_new(state->order, pipe->plan->n_order, state->width,
			     (size_t)pipe->plan->limit, &pipe->query->budget, best);
	if (r)
		return r;
	struct chunk_sink sink = { state, *best, at, 0, column };
	return scan_run(scan, take, &sink);
}

/* Put all threads' rows together and leave the first. */
static int merge(struct state *state, struct best **ret)
{
	*ret = nullptr;
	for (size_t w = 0; w < CREW_MAX; w++) {
		if (!state->best[w])
			continue;
		if (!*ret) {
			*ret = state->best[w];
			continue;
		}
		int r = best_merge(*ret, state->best[w]);
		if (r)
			return r;
	}
	return *ret ? best_sort(*ret) : 0;
}

/* A winner on its way to its other columns. */
struct winner {
	uint64_t position;
	size_t rank;
};

static int by_position(const void *a, const void *b)
{
	const struct winner *x = a, *y = b;

	return (x->position > y->position) - (x->position < y->position);
}

static int keep_all(void *userdata, struct eval *eval, uint32_t, const struct set *selection)
{
	struct chunk_sink *sink = userdata;
	struct pipe *pipe = sink->state->pipe;

	for (uint32_t i = 0; i < pipe->width; i++) {
		int r = eval_value(eval, pipe->prepared.output[i], selection, &sink->column[i]);

		if (r)
			return r;
	}
	return rows_add(&sink->state->winners, sink->column, selection);
}

/* Read all columns of winners [n], which lie in one chunk. */
static int fetch_chunk(struct state *state, const struct winner *winner, size_t n)
{
	struct pipe *pipe = state->pipe;
	auto_free uint32_t *row = calloc(n, sizeof(*row));
	auto_free const struct vector **column = calloc(pipe->width + 1, sizeof(*column));
	uint32_t chunk = pipe->run.chunk[winner[0].position >> 32];
	struct scan *scan;
	bool skip;
	int r = row && column ? run_scan(&pipe->run, 0, &scan) : -ENOMEM;

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		row[i] = (uint32_t)winner[i].position;
	struct chunk_sink sink = { .state = state, .column = column };
	r = scan_open(scan, snapshot_chunk(pipe->plan->snapshot, chunk), &skip);
	r = r ? r : scan_rows(scan, row, n, keep_all, &sink);
	scan_close(scan);
	return r;
}

/* Put rows that were read in the order of positions into the order asked for. */
static int put_in_order(struct rows *rows, const struct winner *winner, size_t n)
{
	struct slim *sorted = calloc(rows->size * rows->width + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		memcpy(sorted + winner[i].rank * rows->width, rows->at + i * rows->width,
		       rows->width * sizeof(*sorted));
	free(rows->at);
	rows->at = sorted;
	return 0;
}

/* Read the winners' columns, chunk by chunk. */
static int fetch(struct state *state, const struct best *best)
{
	size_t n = best_count(best);
	auto_free struct winner *winner = calloc(n + 1, sizeof(*winner));
	int r = 0;

	if (!winner)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		winner[i] = (struct winner) { best_position(best, i), i };
	if (n > 1)
		qsort(winner, n, sizeof(*winner), by_position);
	for (size_t from = 0; from < n && r == 0;) {
		size_t to = from;

		while (to < n && winner[to].position >> 32 == winner[from].position >> 32)
			to++;
		r = fetch_chunk(state, winner + from, to - from);
		from = to;
	}
	return r || n == 0 ? r : put_in_order(&state->winners, winner, n);
}

static int make(struct state *state)
{
	struct pipe *pipe = state->pipe;
	struct best *best;
	int r = run_list(&pipe->run);

	r = r ? r : run_chunks(&pipe->run, 0, pipe->run.n_chunks, read_chunk, state);
	r = r ? r : merge(state, &best);
	if (r || !best)
		return r;
	if (state->late)
		return fetch(state, best);
	best_take(best, &state->winners);
	return 0;
}

static int next(struct pipe *pipe)
{
	struct state *state = pipe->state;

	if (!state->made) {
		int r = make(state);

		if (r)
			return r;
		state->made = true;
	}
	if (state->next == state->winners.n)
		return PIPE_END;
	const struct slim *slim = state->winners.at + state->next++ * state->winners.width;
	for (uint32_t i = 0; i < pipe->width; i++) {
		uint32_t to = state->late ? i : state->column[i]; /* i < width: all are kept */

		slim_cell(&slim[i], &pipe->cell[to]);
	}
	return 0;
}

/* Which columns are kept, and the order over them: the order's first, each once, then the others unless they come later. */
static void choose_columns(struct state *state)
{
	const struct plan *plan = state->pipe->plan;

	for (uint32_t i = 0; i < plan->n_order + plan->n_outputs; i++) {
		bool ordering = i < plan->n_order;
		uint32_t column = ordering ? plan->order[i].column : i - plan->n_order, at = 0;

		while (at < state->width && state->column[at] != column)
			at++;
		if (at == state->width && (ordering || !state->late))
			state->column[state->width++] = column;
		if (!ordering)
			continue;
		state->order[i] = plan->order[i];
		state->order[i].column = at;
	}
}

static int open_top(struct pipe *pipe)
{
	const struct plan *plan = pipe->plan;
	struct state *state = calloc(1, sizeof(*state));

	pipe->state = state;
	if (!state)
		return -ENOMEM;
	state->pipe = pipe;
	state->late = pipe->prepared.n_stages == 1;
	state->column = calloc(plan->n_outputs + 1, sizeof(*state->column));
	state->order = calloc(plan->n_order, sizeof(*state->order));
	if (!state->column || !state->order)
		return -ENOMEM;
	choose_columns(state);
	rows_init(&state->winners, pipe->width, &pipe->query->budget);
	return 0;
}

static void rewind_top(struct pipe *pipe)
{
	struct state *state = pipe->state;

	state->next = 0;
}

static void close_top(struct pipe *pipe)
{
	struct state *state = pipe->state;

	for (size_t w = 0; w < CREW_MAX; w++)
		best_free(state->best[w]);
	rows_done(&state->winners);
	free(state->column);
	free(state->order);
	free(state);
	pipe->state = nullptr;
}

const struct pipe_kind PIPE_TOP = { open_top, next, rewind_top, close_top };
