/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/run.h"

#include <errno.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "service/exec/split.h"

constexpr uint32_t ALONE = 1; /* chunks that are not worth waking helpers for */
constexpr size_t WORKER_BYTES =
	1u << 19; /* that a thread needs for batches of rows and what it writes */

int run_init(struct run *run, struct exec_query *query, const struct prepared *prepared,
	     const struct snapshot *snapshot)
{
	*run = (struct run) { .query = query, .prepared = prepared, .snapshot = snapshot };
	run->joined = calloc(prepared->plan->n_joins + 1, sizeof(*run->joined));
	run->chunk = calloc(snapshot_chunks(snapshot) + 1, sizeof(*run->chunk));
	return run->joined && run->chunk ? 0 : -ENOMEM;
}

void run_done(struct run *run)
{
	for (size_t i = 0; i < countof(run->scan); i++)
		run->scan[i] = scan_free(run->scan[i]);
	for (uint32_t i = 0; run->joined && i < run->prepared->plan->n_joins; i++)
		join_done(&run->joined[i]);
	free(run->joined);
	free(run->chunk);
	free(run->stretch);
	run->joined = nullptr;
	run->stretch = nullptr;
	run->chunk = nullptr;
}

int run_scan(struct run *run, unsigned int worker, struct scan **ret)
{
	int r = run->scan[worker]
			? 0
			: scan_new(run->query, run->prepared, run->joined, &run->scan[worker]);

	*ret = run->scan[worker];
	return r;
}

unsigned int run_workers(const struct run *run)
{
	unsigned int threads = crew_threads(run->query->exec->crew);
	size_t most = run->query->budget.limit / WORKER_BYTES;

	if (most <= 1)
		return 1;
	return most < threads ? (unsigned int)most : threads;
}

static int list_chunks(struct run *run)
{
	struct scan *scan;
	int r = run_scan(run, 0, &scan);
	size_t n = snapshot_chunks(run->snapshot);

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct snapshot_chunk *at = snapshot_chunk(run->snapshot, i);
		bool skip = at->n_deleted == chunk_rows(at->chunk);

		r = skip ? 0 : scan_open(scan, at, &skip);
		if (r == 0 && !skip)
			run->chunk[run->n_chunks++] = (uint32_t)i;
	}
	if (scan)
		scan_close(scan);
	atomic_fetch_add_explicit(&run->query->chunks, run->n_chunks, memory_order_relaxed);
	atomic_fetch_add_explicit(&run->query->chunks_skipped, n - run->n_chunks,
				  memory_order_relaxed);
	return r;
}

static int add_stretch(struct run *run, const struct stretch *stretch)
{
	if (run->n_stretches == run->stretches_room) {
		uint32_t room = run->stretches_room ? 2 * run->stretches_room : 4;
		struct stretch *grown = reallocarray(run->stretch, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		run->stretch = grown;
		run->stretches_room = room;
	}
	run->stretch[run->n_stretches++] = *stretch;
	return 0;
}

/* A part's slices meet each of its pieces; then those of them come out that have met no partner, if they are to. */
static int list_part(struct run *run, uint32_t join, uint32_t part)
{
	const struct split *split = run->joined[join].split;
	uint32_t pieces = split_pieces(split, part), n = split_slices(split);
	bool left = run->prepared->plan->join[join].left, several = pieces > 1;
	uint32_t times = left && pieces != 1 ? pieces + 1 : pieces;
	int r = 0;

	for (uint32_t i = 0; i < times && r == 0; i++) {
		struct stretch stretch = { .from = run->n_chunks,
					   .join = join,
					   .part = part,
					   .piece = i < pieces ? i : SPLIT_NONE,
					   .left = left && (!several || i == pieces),
					   .mark = left && several && i < pieces,
					   .rest = i == pieces };

		if (ckd_add(&run->n_chunks, run->n_chunks, n))
			return -EDQUOT;
		stretch.to = run->n_chunks;
		r = add_stretch(run, &stretch);
	}
	return r;
}

/* List the stretches. What is before a join's can bring it rows. */
static int list_stretches(struct run *run)
{
	const struct prepared *p = run->prepared;
	int r = add_stretch(run, &(struct stretch) { .to = run->n_chunks, .join = SPLIT_NONE });

	for (uint32_t i = 0; i < p->plan->n_joins && r == 0; i++) {
		struct split *split = run->joined[i].split;
		uint32_t stage = i + 1 + (p->plan->unnest ? 1 : 0);

		if (!split)
			continue;
		r = split_begin(split, p, stage, run->n_chunks);
		for (uint32_t part = 0; part < split_parts(split) && r == 0; part++)
			r = list_part(run, i, part);
	}
	return r;
}

bool run_is_split(const struct run *run)
{
	return run->n_stretches > 1;
}

int run_list(struct run *run)
{
	const struct plan *plan = run->prepared->plan;
	int r = query_check(run->query);

	if (run->listed)
		return r;
	for (uint32_t i = 0; i < plan->n_joins && r == 0; i++)
		r = run->joined[i].table ? 0 : join_build(run->query, plan, i, &run->joined[i]);
	run->n_chunks = run->n_stretches = 0;
	r = r ? r : list_chunks(run);
	r = query_result(run->query, r ? r : list_stretches(run));
	run->listed = r == 0;
	return r;
}

struct chunk_job {
	struct run *run;
	const struct stretch *stretch;
	uint32_t from;
	run_fn *fn;
	void *userdata;
};

/* Tell the joins that are split, and whose rows have not had their turn yet, that a morsel brings no more. */
static int tell_splits(struct run *run, const struct stretch *stretch, uint32_t at)
{
	uint32_t first = stretch->join == SPLIT_NONE ? 0 : stretch->join + 1;
	int r = 0;

	for (uint32_t i = first; i < run->prepared->plan->n_joins && r == 0; i++)
		if (run->joined[i].split)
			r = split_fed(run->joined[i].split, at);
	return r;
}

static int run_morsel(const struct chunk_job *job, struct scan *scan, unsigned int worker,
		      uint32_t at)
{
	struct run *run = job->run;
	bool skip, chunk = job->stretch->join == SPLIT_NONE;
	int r = 0;

	scan_begin(scan, at, job->stretch);
	if (chunk)
		r = scan_open(scan, snapshot_chunk(run->snapshot, run->chunk[at]), &skip);
	r = r ? r : job->fn(job->userdata, scan, worker, at);
	scan_close(scan);
	return r ? r : tell_splits(run, job->stretch, at);
}

static int run_one(void *userdata, unsigned int worker, uint32_t morsel)
{
	const struct chunk_job *job = userdata;
	struct run *run = job->run;
	struct scan *scan;
	int r = query_check(run->query);

	r = r ? r : run_scan(run, worker, &scan);
	r = r ? r : run_morsel(job, scan, worker, job->from + morsel);
	if (r)
		atomic_store(&run->query->failed, true);
	return r;
}

/* Have what a stretch needs in memory. */
static int begin_stretch(struct run *run, uint32_t number)
{
	const struct stretch *stretch = &run->stretch[number];
	int r = 0;

	if (run->at == number || stretch->join == SPLIT_NONE)
		return 0;
	if (run->stretch[run->at].join != SPLIT_NONE && run->stretch[run->at].join != stretch->join)
		r = join_fill(&run->joined[run->stretch[run->at].join], 0, SPLIT_NONE);
	r = r ? r
	      : split_turn(run->joined[stretch->join].split, stretch->part,
			   stretch->mark || stretch->rest);
	r = r ? r : join_fill(&run->joined[stretch->join], stretch->part, stretch->piece);
	if (r == 0)
		run->at = number;
	return query_result(run->query, r);
}

/* Run morsels of one stretch. */
static int run_some(struct run *run, struct chunk_job *chunks, uint32_t n)
{
	struct job job = {
		.run = run_one,
		.userdata = chunks,
		.morsels = n,
		.workers = run_workers(run),
		.cpu_ns = &run->query->cpu_ns,
		.helpers_ns = &run->query->helpers_ns,
	};
	int r = 0;

	if (n > ALONE && job.workers > 1)
		return crew_run(run->query->exec->crew, &job);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = run_one(chunks, 0, i);
	return r;
}

int run_chunks(struct run *run, uint32_t from, uint32_t to, run_fn *fn, void *userdata)
{
	int r = 0;

	for (uint32_t i = 0; i < run->n_stretches && r == 0; i++) {
		const struct stretch *stretch = &run->stretch[i];
		uint32_t first = from > stretch->from ? from : stretch->from;
		uint32_t end = to < stretch->to ? to : stretch->to;
		struct chunk_job chunks = { run, stretch, first, fn, userdata };

		if (first >= end)
			continue;
		r = begin_stretch(run, i);
		r = r ? r : run_some(run, &chunks, end - first);
	}
	return r;
}
