/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * scan: one thread's way through a chunk: skip, filter, unnest, join, and hand on what is left.
 *
 * Layer 5 (service/exec). Belongs to one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/query.h"
#include "service/exec/join.h"
#include "service/exec/prepared.h"
#include "service/expression/eval.h"
#include "service/source/source.h"

struct scan;
struct stretch;

/* Takes entries of the last stage; evaluates with eval. block: of stage 0. Returns 0, SCAN_ENOUGH, an outcome of pipe.h, or -errno. */
typedef int scan_sink(void *userdata, struct eval *eval, uint32_t block,
		      const struct set *selection);

enum {
	SCAN_ENOUGH = 200, /* of a sink: the rest of the chunk need not be read */
};

/* Make one. joined [plan->n_joins] is borrowed. Returns 0 or -ENOMEM. */
[[nodiscard]] int scan_new(struct exec_query *query, const struct prepared *prepared,
			   const struct joined *joined, struct scan **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct scan *scan_free(struct scan *scan);
CLEANUP_FN(struct scan, scan_free)

/* Say which morsel of a run comes next: a chunk, which scan_open() goes to, or a slice of a stretch, which is gone to with this. */
void scan_begin(struct scan *scan, uint32_t morsel, const struct stretch *stretch);

/*
 * Go to a chunk and judge it by its statistics.
 *
 * ret_skip  set to whether no row of it can pass the filter
 *
 * Returns 0, an outcome of pipe.h, or -errno.
 */
[[nodiscard]] int scan_open(struct scan *scan, const struct snapshot_chunk *at, bool *ret_skip);

/* Whether every row that is not deleted passes the filter, by what scan_open() found. */
[[nodiscard]] bool scan_takes_all(const struct scan *scan);

/* The chunk's fields. */
[[nodiscard]] struct source *scan_source(struct scan *scan);

/* Run the chunk's blocks, or the slice's rows. Returns 0 (also on SCAN_ENOUGH), an outcome of pipe.h, or -errno. */
[[nodiscard]] int scan_run(struct scan *scan, scan_sink *sink, void *userdata);

/* Run single rows of the chunk, ascending, that are known to pass the filter. Returns as scan_run(). */
[[nodiscard]] int scan_rows(struct scan *scan, const uint32_t *row, size_t n, scan_sink *sink,
			    void *userdata);

/* Let go of the chunk. */
void scan_close(struct scan *scan);

/* Turn what eval or source said into the query's error. Returns r. */
[[nodiscard]] int scan_failed(struct scan *scan, const struct eval *eval, int r);
