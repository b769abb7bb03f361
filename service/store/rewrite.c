/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/rewrite.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/store/gone.h"
#include "service/store/part.h"
#include "service/store/segment.h"
#include "service/store/snapshot.h"
#include "service/store/state.h"

constexpr uint32_t PENDING = UINT32_MAX;
constexpr size_t CHUNK_BYTES_MAX = 2u << 30;

/* Rows of a source that went to a new chunk. */
struct rewrite_run {
	uint32_t source, from, rows; /* those that were deleted before are left out */
	uint32_t target, base; /* the new chunk, PENDING until it is written; row of the first */
	bool whole;	       /* the chunk was copied with its deleted rows */
};

void rewrite_done(struct rewrite *rewrite)
{
	builder_free(rewrite->builder);
	segment_writer_free(rewrite->writer);
	for (uint32_t i = 0; i < rewrite->n_parts; i++)
		part_unref(rewrite->part[i]);
	free(rewrite->part);
	free(rewrite->run);
	snapshot_unref(rewrite->before);
	*rewrite = (struct rewrite) {};
}

static const struct entry *source_entry(const struct rewrite *rewrite, uint32_t source)
{
	return &rewrite->before->entry[rewrite->first + source];
}

static int add_run(struct rewrite *rewrite, const struct rewrite_run *run)
{
	if (rewrite->n_runs == rewrite->run_room) {
		size_t room = rewrite->run_room ? 2 * rewrite->run_room : 64;
		struct rewrite_run *grown = reallocarray(rewrite->run, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		rewrite->run = grown;
		rewrite->run_room = room;
	}
	rewrite->run[rewrite->n_runs++] = *run;
	return 0;
}

/* Make room for parts. */
static int part_room(struct rewrite *rewrite, uint32_t more)
{
	if (rewrite->n_parts + more <= rewrite->part_room)
		return 0;
	uint32_t room = rewrite->n_parts + more + 8;
	struct part **grown = reallocarray(rewrite->part, room, sizeof(struct part *));
	if (!grown)
		return -ENOMEM;
	rewrite->part = grown;
	rewrite->part_room = room;
	return 0;
}

/* Keep the builder's documents as a chunk in memory. */
static int pack(struct rewrite *rewrite)
{
	auto_buf struct buf bytes = buf_make(CHUNK_BYTES_MAX);
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	struct part *part = nullptr;
	int r = part_room(rewrite, 1);

	if (r == 0)
		r = builder_pack(rewrite->builder, &bytes);
	if (r == 0)
		r = buf_error(&bytes);
	if (r)
		return r;
	uint8_t *exact = realloc(bytes.data, bytes.len);
	if (exact)
		bytes.data = exact;
	r = chunk_open(&bytes.data, bytes.len, &chunk);
	if (r == 0)
		r = part_of_chunk(&chunk, &part);
	if (r)
		return r > 0 ? -EBADMSG : r;
	part->first = source_entry(rewrite, 0)->part->first;
	rewrite->part[rewrite->n_parts++] = part;
	return 0;
}

static int need_writer(struct rewrite *rewrite)
{
	return rewrite->writer ? 0
			       : segment_writer_new(rewrite->live, rewrite->segment, rewrite->rate,
						    &rewrite->writer);
}

/* Write the builder's documents as a new chunk and begin another. */
static int flush(struct rewrite *rewrite)
{
	uint32_t target = rewrite->n_parts;
	int r = 0;

	if (!rewrite->builder || builder_rows(rewrite->builder) == 0)
		return 0;
	if (rewrite->segment == 0) {
		r = pack(rewrite);
	} else {
		r = need_writer(rewrite);
		target = r ? 0 : segment_writer_chunks(rewrite->writer);
		if (r == 0)
			r = segment_add(rewrite->writer, rewrite->builder);
	}
	if (r)
		return r;
	for (size_t i = rewrite->n_runs; i > 0; i--)
		if (rewrite->run[i - 1].target == PENDING)
			rewrite->run[i - 1].target = target;
	builder_clear(rewrite->builder);
	return 0;
}

/* Add rows of a source to the builder, fewer if documents are so large that they make no whole chunk. Returns as builder_add_chunk(). */
static int add_chunk(struct builder *builder, const struct entry *entry, uint32_t from,
		     uint32_t *rows)
{
	int r = BUILDER_FULL;

	for (uint32_t n = *rows; r == BUILDER_FULL && n > 0; n /= 2) {
		*rows = n;
		r = builder_add_chunk(builder, entry->part->chunk, entry->view.deleted, from, n);
		if (builder_rows(builder) > 0)
			break; /* it can be written, and that makes room */
	}
	return r;
}

/* Add some rows of a source to the builder; those that do not fit are left. Returns 0 or -errno; *rows is how many were taken. */
static int add_rows(struct rewrite *rewrite, uint32_t source, uint32_t from, uint32_t *rows)
{
	const struct entry *entry = source_entry(rewrite, source);
	uint32_t base = builder_rows(rewrite->builder), room = CHUNK_ROWS - base;
	uint32_t gone = gone_between(entry->view.deleted, from, from + *rows);

	if (*rows - gone > room)
		*rows = room;
	int r = *rows == 0 ? BUILDER_FULL : add_chunk(rewrite->builder, entry, from, rows);
	if (r == BUILDER_FULL && base > 0) {
		*rows = 0;
		return flush(rewrite);
	}
	if (r)
		return r > 0 ? -EMSGSIZE : r;
	return add_run(rewrite, &(struct rewrite_run) { .source = source,
							.from = from,
							.rows = *rows,
							.target = PENDING,
							.base = base });
}

int rewrite_source(struct rewrite *rewrite, uint32_t source)
{
	const struct entry *entry = source_entry(rewrite, source);
	int r = rewrite->builder ? 0 : builder_new(&rewrite->builder);

	for (uint32_t from = 0; r == 0 && from < entry->part->rows;) {
		uint32_t rows = entry->part->rows - from;

		r = add_rows(rewrite, source, from, &rows);
		from += rows;
	}
	return r;
}

int rewrite_copy(struct rewrite *rewrite, uint32_t source)
{
	const struct entry *entry = source_entry(rewrite, source);
	int r = need_writer(rewrite);

	if (r)
		return r;
	uint32_t target = segment_writer_chunks(rewrite->writer);
	r = segment_add_copy(rewrite->writer, entry->part);
	return r ? r
		 : add_run(rewrite, &(struct rewrite_run) { .source = source,
							    .rows = entry->part->rows,
							    .target = target,
							    .whole = true });
}

int rewrite_finish(struct rewrite *rewrite)
{
	int r = flush(rewrite);

	rewrite->builder = builder_free(rewrite->builder);
	if (r || !rewrite->writer)
		return r;
	r = segment_finish(rewrite->writer, &rewrite->row);
	if (r == 0)
		r = part_room(rewrite, rewrite->row.chunks);
	if (r == 0)
		r = segment_open(rewrite->live, &rewrite->row, rewrite->part);
	if (r == 0)
		rewrite->n_parts = rewrite->row.chunks;
	return r;
}

/* Delete a run's rows that were deleted since the rewrite began, in the new chunk. */
static int carry_over(const struct rewrite_run *run, const uint64_t *before, const uint64_t *now,
		      struct gone **target)
{
	if (!now || now == before)
		return 0;
	for (uint32_t row = run->from; row < run->from + run->rows; row++) {
		if (!gone_has(now, row) || gone_has(before, row))
			continue;
		if (!*target) {
			int r = gone_copy(nullptr, target);

			if (r)
				return r;
		}
		uint32_t left_out = gone_between(before, run->from, row);
		(void)!gone_add(*target, run->base + (row - run->from) - left_out);
	}
	return 0;
}

static int carry_all(const struct rewrite *rewrite, const struct snapshot *tip, struct gone **gone)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rewrite->n_runs; i++) {
		const struct rewrite_run *run = &rewrite->run[i];
		const struct entry *now = &tip->entry[rewrite->first + run->source];

		if (run->whole)
			gone[run->target] = gone_ref(now->gone);
		else
			r = carry_over(run, source_entry(rewrite, run->source)->view.deleted,
				       now->view.deleted, &gone[run->target]);
	}
	return r;
}

static void push_range(struct snapshot *state, const struct snapshot *from, size_t begin,
		       size_t end)
{
	for (size_t i = begin; i < end; i++)
		state_push(state, part_ref(from->entry[i].part), gone_ref(from->entry[i].gone));
}

int rewrite_apply(const struct rewrite *rewrite, const struct snapshot *tip, struct snapshot **ret)
{
	auto_free struct gone **gone = calloc((size_t)rewrite->n_parts + 1, sizeof(struct gone *));
	cleanup(snapshot_unref_at) struct snapshot *state = nullptr;
	size_t end = rewrite->first + rewrite->n;

	for (size_t i = rewrite->first; i < end; i++) /* only the keeper replaces parts */
		assert(tip->entry[i].part == rewrite->before->entry[i].part);
	if (!gone)
		return -ENOMEM;
	int r = state_new(tip->n - rewrite->n + rewrite->n_parts, &state);
	if (r == 0)
		r = carry_all(rewrite, tip, gone);
	if (r) {
		for (uint32_t i = 0; i < rewrite->n_parts; i++)
			gone_unref(gone[i]);
		return r;
	}
	push_range(state, tip, 0, rewrite->first);
	for (uint32_t i = 0; i < rewrite->n_parts; i++)
		state_push(state, part_ref(rewrite->part[i]), gone[i]);
	push_range(state, tip, end, tip->n);
	state->position = tip->position;
	*ret = TAKE(state);
	return 0;
}
