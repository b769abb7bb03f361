/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * rewrite: some chunks of a collection being replaced by others with the same documents, while writers go on.
 *
 * Layer 4 (service/store). For the keeper. The new chunks are made of a snapshot; what was deleted meanwhile is found when
 * they are put in the place of the old ones, because it is known which row went where.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/builder.h"
#include "service/segment/segment.h"
#include "service/snapshot/state.h"
#include "service/store/live.h"

struct cluster;
struct rewrite_run;

struct rewrite {
	struct live *live;
	struct snapshot *before; /* owned */
	size_t first, n;	 /* entries of it that are replaced */
	uint64_t rate;		 /* bytes a second that may be written; 0: as fast as it goes */
	int64_t segment;	 /* number of the new segment; 0: the new chunks stay in memory */
	struct cluster *cluster; /* owned; or nullptr: documents stay in their order */

	struct builder *builder;
	struct segment_writer *writer;
	uint64_t began_us;	/* to write; monotonic */
	struct segment_row row; /* of the new segment, if there is one (chunks > 0) */
	struct part **part;	/* [n_parts] the new chunks */
	uint32_t n_parts, part_room;
	struct rewrite_run *run; /* [n_runs] which rows went where */
	size_t n_runs, run_room;
};

/* Free what it owns. */
void rewrite_done(struct rewrite *rewrite);

/* Put the documents of a source, 0 to n - 1, that are not deleted into new chunks. Returns 0 or -errno. */
[[nodiscard]] int rewrite_source(struct rewrite *rewrite, uint32_t source);

/* Make one of the new chunks that `cluster` has, 0 and on; its sources are all of these, 0 to n - 1. Returns 0 or -errno. */
[[nodiscard]] int rewrite_target(struct rewrite *rewrite, uint32_t target);

/* Copy a source's chunk as it is, deleted rows too, from its segment to the new one. Returns 0 or -errno. */
[[nodiscard]] int rewrite_copy(struct rewrite *rewrite, uint32_t source);

/* Write what is left; the new chunks are open then, and their segment's file durable. Returns 0 or -errno. */
[[nodiscard]] int rewrite_finish(struct rewrite *rewrite);

/*
 * Make the state that has the new chunks.
 *
 * tip  the collection's newest state: what before has, and more at the end
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int rewrite_apply(const struct rewrite *rewrite, const struct snapshot *tip,
				struct snapshot **ret);
