/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * run: a prepared plan over a snapshot's chunks, a scan for each thread that helps.
 *
 * Layer 5 (service/exec). Belongs to the query's thread; the functions it is given are called by several.
 *
 * The work is numbered: morsels. First come the chunks. Where a join is split (split.h) they bring no rows; those of the
 * further morsels, slices of its parts, do. A stretch of slices has one piece of a table in memory, so stretches never overlap.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/query.h"
#include "service/exec/join.h"
#include "service/exec/prepared.h"
#include "service/exec/scan.h"
#include "service/snapshot/snapshot.h"

struct run {
	struct exec_query *query;
	const struct prepared *prepared;
	const struct snapshot *snapshot;
	struct joined *joined; /* [plan->n_joins] owned */
	struct scan *scan[CREW_MAX];
	uint32_t *chunk;	 /* those that a look at their statistics has left */
	uint32_t n_chunks;	 /* and the slices: all morsels */
	struct stretch *stretch; /* [n_stretches] in order */
	uint32_t n_stretches, stretches_room;
	uint32_t at; /* the stretch that was begun last */
	bool listed;
};

/* Begin. Returns 0 or -ENOMEM; run_done() is to be called in any case. */
[[nodiscard]] int run_init(struct run *run, struct exec_query *query,
			   const struct prepared *prepared, const struct snapshot *snapshot);

/* Free what it owns. */
void run_done(struct run *run);

/* Build the joins' tables and list the work, if that is not done yet. Returns 0, an outcome of pipe.h, or -errno. */
[[nodiscard]] int run_list(struct run *run);

/* Work on one morsel. scan is open there. Returns 0, an outcome of pipe.h, or -errno. */
typedef int run_fn(void *userdata, struct scan *scan, unsigned int worker, uint32_t at);

/*
 * Call fn for the morsels from one number to before another, on several threads unless few. Where a join is split that goes
 * through them once, ascending.
 *
 * Returns as fn.
 */
[[nodiscard]] int run_chunks(struct run *run, uint32_t from, uint32_t to, run_fn *fn,
			     void *userdata);

/* Whether a join is split. Not known before run_list(). */
[[nodiscard]] bool run_is_split(const struct run *run);

/* How many threads may call fn at a time. */
[[nodiscard]] unsigned int run_workers(const struct run *run);

/* The first thread's scan. Returns 0 or -ENOMEM. */
[[nodiscard]] int run_scan(struct run *run, unsigned int worker, struct scan **ret);
