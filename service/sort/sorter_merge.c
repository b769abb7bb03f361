/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/sort/sorter.h"
#include "service/sort/sorter_internal.h"
#include "service/vector/packed_row.h"

constexpr uint32_t LOOK_EVERY = 4096; /* rows between two looks at the clock */
constexpr uint32_t TOGETHER_MIN = 2;  /* runs that are merged at a time, at least and at most */
constexpr uint32_t TOGETHER_MAX = 512;

/* A run on disk. */
struct run_at {
	struct spill *spill;
	uint32_t part;
};

/* --- cursors ------------------------------------------------------------------------------------- */

void sorter_close(struct sorter *sorter)
{
	for (uint32_t i = 0; i < sorter->n_cursors; i++)
		spill_reader_done(&sorter->cursor[i].reader);
	free(sorter->cursor);
	free(sorter->room);
	sorter->cursor = nullptr;
	sorter->room = nullptr;
	sorter->n_cursors = 0;
	sorter->taken = false;
}

/* Go to a cursor's next row. Returns 0, PIPE_END or as sorter_end(). */
static int advance(const struct sorter *sorter, struct cursor *cursor)
{
	uint32_t width = sorter->plan.width + 1;
	const struct collected *memory = cursor->memory;
	uint8_t *data;
	size_t len;

	if (memory) {
		if (cursor->next == memory->rows.n)
			return PIPE_END;
		cursor->prefix = memory->list[cursor->next].prefix;
		cursor->row = memory->rows.at + (size_t)memory->list[cursor->next++].row * width;
		return 0;
	}
	int r = spill_next(&cursor->reader, &data, &len);
	if (r)
		return r == SPILL_NO_MORE ? PIPE_END : r;
	if (!packed_row_get(data, len, cursor->room, width))
		return -EBADMSG;
	cursor->row = cursor->room;
	cursor->prefix = sorter_prefix(sorter, cursor->row);
	return 0;
}

static bool is_before(const struct sorter *sorter, const struct cursor *a, const struct cursor *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix;
	return sorter_compare(sorter, a->row, b->row) < 0;
}

/* Put a cursor of the heap where its row belongs. */
static void sink_down(struct sorter *sorter, uint32_t at)
{
	struct cursor *heap = sorter->cursor;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= sorter->n_cursors)
			return;
		if (child + 1 < sorter->n_cursors &&
		    is_before(sorter, &heap[child + 1], &heap[child]))
			child++;
		if (!is_before(sorter, &heap[child], &heap[at]))
			return;
		struct cursor other = heap[at];
		heap[at] = heap[child];
		heap[child] = other;
		at = child;
	}
}

/* Take a cursor that has no more rows out of those that are open. */
static void take_out(struct sorter *sorter, uint32_t at)
{
	spill_reader_done(&sorter->cursor[at].reader);
	sorter->cursor[at] = sorter->cursor[--sorter->n_cursors];
	sorter->cursor[sorter->n_cursors] = (struct cursor) {};
}

/* Open cursors on runs [n], and on what is in memory if that takes part. */
static int open_cursors(struct sorter *sorter, const struct run_at *run, uint32_t n, bool memory)
{
	uint32_t width = sorter->plan.width + 1, most = n + (memory ? sorter->plan.workers : 0);

	sorter_close(sorter);
	sorter->cursor = calloc(most + 1, sizeof(*sorter->cursor));
	sorter->room = calloc((size_t)most * width + 1, sizeof(*sorter->room));
	if (!sorter->cursor || !sorter->room)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct cursor *cursor = &sorter->cursor[sorter->n_cursors++];

		cursor->room = sorter->room + (size_t)i * width;
		spill_reader_init(&cursor->reader, run[i].spill, run[i].part,
				  &sorter->query->budget);
	}
	for (unsigned int w = 0; memory && w < sorter->plan.workers; w++)
		if (sorter->collected[w].rows.n > 0)
			sorter->cursor[sorter->n_cursors++].memory = &sorter->collected[w];
	for (uint32_t i = 0; i < sorter->n_cursors;) {
		int r = advance(sorter, &sorter->cursor[i]);

		if (r == PIPE_END)
			take_out(sorter, i);
		else if (r)
			return r;
		i += r == 0;
	}
	for (uint32_t i = sorter->n_cursors; i > 0; i--)
		sink_down(sorter, i - 1);
	return 0;
}

/* The next row of all cursors. */
static int next_row(struct sorter *sorter, const struct slim **ret)
{
	if (sorter->taken) {
		int r = advance(sorter, &sorter->cursor[0]);

		sorter->taken = false;
		if (r == PIPE_END)
			take_out(sorter, 0);
		else if (r)
			return r;
		sink_down(sorter, 0);
	}
	if (sorter->n_cursors == 0)
		return PIPE_END;
	sorter->taken = true;
	*ret = sorter->cursor[0].row;
	return 0;
}

/* --- runs ---------------------------------------------------------------------------------------- */

/* How many runs' buffers may be in memory at a time, beside one that is written. */
static uint32_t together(const struct sorter *sorter)
{
	size_t n = sorter->query->budget.limit / 4 / SPILL_BUFFER;

	return n < TOGETHER_MIN ? TOGETHER_MIN : n > TOGETHER_MAX ? TOGETHER_MAX : (uint32_t)n;
}

static uint32_t count_runs(const struct sorter *sorter)
{
	uint32_t n = sorter->merged_runs;

	for (unsigned int w = 0; w < sorter->plan.workers; w++)
		n += sorter->collected[w].runs;
	return n;
}

/* The runs that there are. */
static void list_runs(const struct sorter *sorter, struct run_at *ret)
{
	for (uint32_t i = 0; i < sorter->merged_runs; i++)
		*ret++ = (struct run_at) { sorter->merged, i };
	for (unsigned int w = 0; w < sorter->plan.workers; w++)
		for (uint32_t i = 0; i < sorter->collected[w].runs; i++)
			*ret++ = (struct run_at) { sorter->collected[w].spill, i };
}

/* Merge some runs into one. */
static int merge_some(struct sorter *sorter, const struct run_at *run, uint32_t n, struct spill *to,
		      struct buf *piece)
{
	int64_t left = sorter->plan.limit < 0 ? INT64_MAX : sorter->plan.limit;
	const struct slim *row;
	uint32_t part;
	int r = spill_part(to, &part);

	r = r ? r : open_cursors(sorter, run, n, false);
	while (r == 0 && left-- > 0) {
		r = next_row(sorter, &row);
		r = r ? r : sorter_write(sorter, to, part, row, piece);
		if (r == 0 && left % LOOK_EVERY == 0)
			r = query_check(sorter->query);
	}
	sorter_close(sorter);
	r = r == PIPE_END ? 0 : r;
	return r ? r : spill_flush(to, part);
}

/* Let go of the runs of the pass before, and have those of this one instead. */
static void replace_runs(struct sorter *sorter, struct spill *merged, uint32_t n)
{
	for (unsigned int w = 0; w < sorter->plan.workers; w++) {
		sorter->collected[w].spill = spill_free(sorter->collected[w].spill);
		sorter->collected[w].runs = 0;
	}
	spill_free(sorter->merged);
	sorter->merged = merged;
	sorter->merged_runs = n;
}

/* Merge all runs so that there are fewer. */
static int merge_pass(struct sorter *sorter)
{
	uint32_t n = count_runs(sorter), most = together(sorter), made = 0;
	cleanup(spill_free_at) struct spill *to = nullptr;
	auto_free struct run_at *run = calloc(n, sizeof(*run));
	auto_buf struct buf piece = buf_make(PACKED_ROW_MAX);
	int r = run ? spill_new(sorter->query->exec->spill_folder, 0, nullptr, &to) : -ENOMEM;

	if (r)
		return r;
	list_runs(sorter, run);
	for (uint32_t from = 0; from < n && r == 0; from += most, made++)
		r = merge_some(sorter, run + from, n - from < most ? n - from : most, to, &piece);
	r = r ? r : spill_end(to);
	atomic_fetch_add(&sorter->query->spilled, spill_bytes(to));
	if (r == 0)
		replace_runs(sorter, TAKE(to), made);
	return r;
}

/* If there is little memory beside the runs' buffers, write what is still there, too. */
static int put_rest_out(struct sorter *sorter)
{
	uint32_t runs = count_runs(sorter);
	int r = 0;

	if (runs == 0 || runs <= together(sorter) / 2)
		return 0;
	for (unsigned int w = 0; w < sorter->plan.workers && r == 0; w++)
		if (sorter->collected[w].rows.n > 0)
			r = sorter_put_out(sorter, &sorter->collected[w]);
	return r;
}

int sorter_end(struct sorter *sorter)
{
	int r = put_rest_out(sorter);

	for (unsigned int w = 0; w < sorter->plan.workers && r == 0; w++) {
		struct collected *from = &sorter->collected[w];

		if (from->rows.n > 0)
			sorter_sort(sorter, from);
		if (!from->spill)
			continue;
		r = spill_end(from->spill);
		atomic_fetch_add(&sorter->query->spilled, spill_bytes(from->spill));
	}
	while (r == 0 && count_runs(sorter) > together(sorter))
		r = merge_pass(sorter);
	return r ? r : sorter_rewind(sorter);
}

int sorter_rewind(struct sorter *sorter)
{
	uint32_t n = count_runs(sorter);
	auto_free struct run_at *run = calloc(n + 1, sizeof(*run));

	if (!run)
		return -ENOMEM;
	list_runs(sorter, run);
	return open_cursors(sorter, run, n, true);
}

int sorter_next(struct sorter *sorter, struct cell *cell)
{
	const struct slim *row;
	int r = next_row(sorter, &row);

	for (uint32_t i = 0; i < sorter->plan.width && r == 0; i++)
		slim_cell(&row[i], &cell[i]);
	return r;
}
