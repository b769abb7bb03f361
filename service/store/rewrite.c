/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/rewrite.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/segment/gone.h"
#include "service/segment/part.h"
#include "service/segment/segment.h"
#include "service/snapshot/cluster.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/internal.h"

constexpr uint32_t PENDING = UINT32_MAX;
constexpr size_t CHUNK_BYTES_MAX = 2u << 30;

/* Rows of a source that went to a new chunk. */
struct rewrite_run {
	uint32_t source, from, rows; /* those that were deleted before are left out */
	const uint8_t
		*where; /* or nullptr; and so are those for which this is not part; the cluster's */
	uint8_t part;
	uint32_t target, base; /* the new chunk, PENDING until it is written; row of the first */
	bool whole;	       /* the chunk was copied with its deleted rows */
};

void rewrite_done(struct rewrite *rewrite)
{
	builder_free(rewrite->builder);
	segment_writer_free(rewrite->writer);
	cluster_free(rewrite->cluster);
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
	if (rewrite->writer)
		return 0;
	rewrite->began_us = clock_mono_us();
	return live_segment_writer(rewrite->live, rewrite->segment, &rewrite->writer);
}

/* Whether there is no time for resting: writers may be waiting for the keeper, or all waits for its end. */
static bool is_pressed(const struct rewrite *rewrite)
{
	struct store *store = rewrite->live->store;

	return atomic_load(&store->memory) > STORE_MEMORY_MAX / 4 || atomic_load(&store->end);
}

/* Wait until as many bytes may have been written. */
static void keep_to_rate(const struct rewrite *rewrite)
{
	uint64_t took_us = clock_mono_us() - rewrite->began_us;

	if (rewrite->rate == 0 || is_pressed(rewrite))
		return;
	uint64_t due_us = segment_writer_bytes(rewrite->writer) * 1'000'000 / rewrite->rate;
	if (due_us <= took_us)
		return;
	struct timespec rest = { .tv_sec = (time_t)((due_us - took_us) / 1'000'000),
				 .tv_nsec = (long)((due_us - took_us) % 1'000'000 * 1000) };
	(void)nanosleep(&rest, nullptr);
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
		if (r == 0)
			keep_to_rate(rewrite);
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
static int add_chunk(struct builder *builder, struct chunk *chunk, const uint64_t *skip,
		     uint32_t from, uint32_t *rows)
{
	int r = BUILDER_FULL;

	for (uint32_t n = *rows; r == BUILDER_FULL && n > 0; n /= 2) {
		*rows = n;
		r = builder_add_chunk(builder, chunk, skip, from, n);
		if (builder_rows(builder) > 0)
			break; /* it can be written, and that makes room */
	}
	return r;
}

/* Add a run of rows but those to skip to the builder; those that do not fit are left. Returns 0 or -errno; run->rows is how many were taken. */
static int add_rows(struct rewrite *rewrite, struct rewrite_run *run, const uint64_t *skip)
{
	const struct entry *entry = source_entry(rewrite, run->source);
	uint32_t base = builder_rows(rewrite->builder), room = CHUNK_ROWS - base;
	uint32_t gone = gone_between(skip, run->from, run->from + run->rows);

	if (run->rows - gone > room)
		run->rows = room;
	int r = run->rows == 0 ? BUILDER_FULL
			       : add_chunk(rewrite->builder, entry->part->chunk, skip, run->from,
					   &run->rows);
	if (r == BUILDER_FULL && base > 0) {
		run->rows = 0;
		return flush(rewrite);
	}
	if (r)
		return r > 0 ? -EMSGSIZE : r;
	run->target = PENDING;
	run->base = base;
	return add_run(rewrite, run);
}

/* Put a source's rows but those to skip into new chunks. run says what all of its runs have in common. */
static int add_source(struct rewrite *rewrite, struct rewrite_run run, const uint64_t *skip)
{
	uint32_t rows = source_entry(rewrite, run.source)->part->rows;
	int r = rewrite->builder ? 0 : builder_new(&rewrite->builder);

	while (r == 0 && run.from < rows) {
		run.rows = rows - run.from;
		r = add_rows(rewrite, &run, skip);
		run.from += run.rows;
	}
	return r;
}

int rewrite_source(struct rewrite *rewrite, uint32_t source)
{
	return add_source(rewrite, (struct rewrite_run) { .source = source },
			  source_entry(rewrite, source)->view.deleted);
}

/* Put those rows of a source that belong to a new chunk of a cluster there. */
static int add_part(struct rewrite *rewrite, uint32_t source, uint8_t target, uint64_t *skip)
{
	struct rewrite_run run = { .source = source,
				   .where = cluster_where(rewrite->cluster, source),
				   .part = target };
	uint32_t rows = source_entry(rewrite, source)->part->rows;

	memset(skip, 0, GONE_WORDS * sizeof(*skip));
	for (uint32_t row = 0; row < rows; row++)
		skip[row / 64] |= (uint64_t)(run.where[row] != target) << row % 64;
	return add_source(rewrite, run, skip);
}

int rewrite_target(struct rewrite *rewrite, uint32_t target)
{
	const struct cluster *cluster = rewrite->cluster;
	uint32_t copied = cluster_copied(cluster, target);

	if (copied != CHUNK_NONE)
		return rewrite_copy(rewrite, copied);
	auto_free uint64_t *skip = calloc(GONE_WORDS, sizeof(*skip));
	int r = skip ? 0 : -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < rewrite->n; i++)
		if (cluster_rows(cluster, i, target) > 0)
			r = add_part(rewrite, i, (uint8_t)target, skip);
	return r ? r : flush(rewrite);
}

int rewrite_copy(struct rewrite *rewrite, uint32_t source)
{
	const struct entry *entry = source_entry(rewrite, source);
	int r = need_writer(rewrite);

	if (r)
		return r;
	uint32_t target = segment_writer_chunks(rewrite->writer);
	r = segment_add_copy(rewrite->writer, entry->part);
	if (r == 0)
		keep_to_rate(rewrite);
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
		r = live_segment_open(rewrite->live, &rewrite->row, rewrite->part);
	if (r == 0)
		rewrite->n_parts = rewrite->row.chunks;
	return r;
}

/* How many of the rows from to to - 1 went where the run did. */
static uint32_t taken_between(const struct rewrite_run *run, const uint64_t *before, uint32_t from,
			      uint32_t to)
{
	uint32_t n = 0;

	if (!run->where)
		return to - from - gone_between(before, from, to);
	for (uint32_t row = from; row < to; row++)
		n += run->where[row] == run->part;
	return n;
}

/* Delete a run's rows that were deleted since the rewrite began, in the new chunk. */
static int carry_over(const struct rewrite_run *run, const uint64_t *before, const uint64_t *now,
		      struct gone **target)
{
	uint32_t counted = run->from, at = run->base;

	if (!now || now == before)
		return 0;
	for (uint32_t row = run->from; row < run->from + run->rows; row++) {
		if (!gone_has(now, row) || gone_has(before, row) ||
		    (run->where && run->where[row] != run->part))
			continue;
		if (!*target) {
			int r = gone_copy(nullptr, target);

			if (r)
				return r;
		}
		at += taken_between(run, before, counted, row);
		counted = row;
		(void)!gone_add(*target, at);
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
