/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "service/exec/pipe_internal.h"
#include "service/vector/rows.h"

/*
 * Rows in the order of chunks: some chunks are read at a time, in parallel, each into rows of its own, then handed out.
 * How many grows from one, so that a first row comes soon, for as long as they yield little.
 */

constexpr uint32_t AHEAD_MAX = 256;
constexpr size_t AHEAD_BYTES =
	8u << 20; /* of rows at a time, beyond those of one chunk per thread */

struct ahead {
	struct rows rows[AHEAD_MAX];
	uint32_t n;	     /* chunks that have been read */
	uint32_t first;	     /* of them */
	uint32_t next_chunk; /* to be read */
	uint32_t at;	     /* which of them is being handed out */
	size_t row;
	size_t bytes;	/* that the rows took when they had been read */
	int64_t wanted; /* rows that are still needed; -1: all */
};

struct part {
	struct pipe *pipe;
	struct rows *rows;
};

static int keep(void *userdata, struct eval *eval, uint32_t, const struct set *selection)
{
	struct part *part = userdata;
	struct pipe *pipe = part->pipe;
	const struct ahead *ahead = pipe->state;
	auto_free const struct vector **column = calloc(pipe->width + 1, sizeof(*column));

	if (!column)
		return -ENOMEM;
	for (uint32_t i = 0; i < pipe->width; i++) {
		int r = eval_value(eval, pipe->prepared.output[i], selection, &column[i]);

		if (r)
			return r;
	}
	int r = rows_add(part->rows, column, selection);
	bool enough = ahead->wanted >= 0 && part->rows->n >= (size_t)ahead->wanted;
	return r ? r : enough ? SCAN_ENOUGH : 0;
}

static int read_chunk(void *userdata, struct scan *scan, unsigned int, uint32_t at)
{
	struct pipe *pipe = userdata;
	struct ahead *ahead = pipe->state;
	struct part part = { pipe, &ahead->rows[at - ahead->first] };

	return scan_run(scan, keep, &part);
}

static size_t bytes_of(const struct ahead *ahead)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < ahead->n; i++)
		bytes += ahead->rows[i].room.size +
			 ahead->rows[i].size * ahead->rows[i].width * sizeof(struct slim);
	return bytes;
}

static void forget(struct ahead *ahead)
{
	for (uint32_t i = 0; i < ahead->n; i++)
		rows_done(&ahead->rows[i]);
	ahead->n = ahead->at = 0;
	ahead->row = 0;
}

/* Read the next chunks. Returns PIPE_END if there are none. */
static int read_more(struct pipe *pipe)
{
	struct ahead *ahead = pipe->state;
	uint32_t least = run_workers(&pipe->run), n = 2 * ahead->n;
	int r = run_list(&pipe->run);

	if (r)
		return r;
	if (ahead->n == 0)
		n = 1;
	else if (ahead->bytes > AHEAD_BYTES / 2)
		n = least;
	n = n < AHEAD_MAX ? n : AHEAD_MAX;
	forget(ahead);
	uint32_t left = pipe->run.n_chunks - ahead->next_chunk;
	n = n < left ? n : left;
	if (n == 0)
		return PIPE_END;
	ahead->wanted = pipe->plan->limit < 0 ? -1 : pipe->plan->limit - pipe->given;
	ahead->first = ahead->next_chunk;
	ahead->n = n;
	for (uint32_t i = 0; i < n; i++)
		rows_init(&ahead->rows[i], pipe->width, &pipe->query->budget);
	r = run_chunks(&pipe->run, ahead->first, ahead->first + n, read_chunk, pipe);
	ahead->next_chunk += n;
	ahead->bytes = bytes_of(ahead);
	return r;
}

/* Where a join is split there is no telling how many rows a morsel has, and all go through the disk anyway: have them sorted, by position. */
static int go_through_disk(struct pipe *pipe)
{
	pipe->kind->close(pipe);
	pipe->kind = &PIPE_SORT;
	int r = pipe->kind->open(pipe);
	return r ? r : pipe->kind->next(pipe);
}

static int next(struct pipe *pipe)
{
	struct ahead *ahead = pipe->state;

	if (ahead->next_chunk == 0) {
		int r = run_list(&pipe->run);

		if (r || run_is_split(&pipe->run))
			return r ? r : go_through_disk(pipe);
	}
	for (;;) {
		while (ahead->at < ahead->n && ahead->row == ahead->rows[ahead->at].n) {
			rows_done(&ahead->rows[ahead->at++]);
			ahead->row = 0;
		}
		if (ahead->at < ahead->n)
			break;
		int r = read_more(pipe);
		if (r)
			return r;
	}
	const struct rows *rows = &ahead->rows[ahead->at];
	const struct slim *slim = rows->at + ahead->row++ * rows->width;
	for (uint32_t i = 0; i < pipe->width; i++)
		slim_cell(&slim[i], &pipe->cell[i]);
	return 0;
}

static int open_rows(struct pipe *pipe)
{
	pipe->state = calloc(1, sizeof(struct ahead));
	return pipe->state ? 0 : -ENOMEM;
}

static void rewind_rows(struct pipe *pipe)
{
	struct ahead *ahead = pipe->state;

	forget(ahead);
	ahead->next_chunk = 0;
}

static void close_rows(struct pipe *pipe)
{
	forget(pipe->state);
	free(pipe->state);
	pipe->state = nullptr;
}

const struct pipe_kind PIPE_ROWS = { open_rows, next, rewind_rows, close_rows };
