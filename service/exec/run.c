/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/run.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

constexpr uint32_t ALONE = 1; /* chunks that are not worth waking helpers for */

int run_init(struct run *run, struct exec_query *query, const struct prepared *prepared,
	     const struct snapshot *snapshot)
{
	*run = (struct run) { .query = query, .prepared = prepared, .snapshot = snapshot };
	run->table = calloc(prepared->plan->n_joins + 1, sizeof(struct join_table *));
	run->chunk = calloc(snapshot_chunks(snapshot) + 1, sizeof(*run->chunk));
	return run->table && run->chunk ? 0 : -ENOMEM;
}

void run_done(struct run *run)
{
	for (size_t i = 0; i < countof(run->scan); i++)
		run->scan[i] = scan_free(run->scan[i]);
	for (uint32_t i = 0; run->table && i < run->prepared->plan->n_joins; i++)
		join_free(run->table[i]);
	free(run->table);
	free(run->chunk);
	run->table = nullptr;
	run->chunk = nullptr;
}

int run_scan(struct run *run, unsigned int worker, struct scan **ret)
{
	int r = run->scan[worker]
			? 0
			: scan_new(run->query, run->prepared, run->table, &run->scan[worker]);

	*ret = run->scan[worker];
	return r;
}

unsigned int run_workers(const struct run *run)
{
	return crew_threads(run->query->exec->crew);
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

int run_list(struct run *run)
{
	const struct plan *plan = run->prepared->plan;
	int r = query_check(run->query);

	if (run->listed)
		return r;
	for (uint32_t i = 0; i < plan->n_joins && r == 0; i++)
		r = run->table[i] ? 0 : join_build(run->query, plan, i, &run->table[i]);
	run->n_chunks = 0;
	r = r ? r : list_chunks(run);
	run->listed = r == 0;
	return r;
}

struct chunk_job {
	struct run *run;
	uint32_t from;
	run_fn *fn;
	void *userdata;
};

static int run_one(void *userdata, unsigned int worker, uint32_t morsel)
{
	const struct chunk_job *job = userdata;
	struct run *run = job->run;
	uint32_t at = job->from + morsel;
	struct scan *scan;
	bool skip;
	int r = query_check(run->query);

	r = r ? r : run_scan(run, worker, &scan);
	if (r) {
		atomic_store(&run->query->failed, true);
		return r;
	}
	r = scan_open(scan, snapshot_chunk(run->snapshot, run->chunk[at]), &skip);
	r = r ? r : job->fn(job->userdata, scan, worker, at);
	scan_close(scan);
	if (r)
		atomic_store(&run->query->failed, true);
	return r;
}

int run_chunks(struct run *run, uint32_t from, uint32_t to, run_fn *fn, void *userdata)
{
	struct chunk_job chunks = { run, from, fn, userdata };
	struct job job = {
		.run = run_one,
		.userdata = &chunks,
		.morsels = to - from,
		.workers = run_workers(run),
		.cpu_ns = &run->query->cpu_ns,
		.helpers_ns = &run->query->helpers_ns,
	};
	int r = 0;

	if (to - from > ALONE && job.workers > 1)
		return crew_run(run->query->exec->crew, &job);
	for (uint32_t i = 0; i < to - from && r == 0; i++)
		r = run_one(&chunks, 0, i);
	return r;
}
