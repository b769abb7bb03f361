/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * snapshot: what a collection held at one moment. Immutable, reference counted; keeps its chunks, and their files, alive.
 *
 * Layer 4 (service/snapshot). Threads: any.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/chunk.h"

struct snapshot_chunk {
	struct chunk *chunk;
	const uint64_t
		*deleted; /* [CHUNK_ROWS / 64] bit set of rows that are gone; nullptr: none */
	uint32_t n_deleted;
	int64_t segment; /* number of the segment it is in; 0: in memory */
};

struct snapshot; /* made by store_snapshot() */

/* Take part in its life. Returns snapshot. */
struct snapshot *snapshot_ref(struct snapshot *snapshot);

/* Leave it. nullptr is a no-op. Always returns nullptr. */
struct snapshot *snapshot_unref(struct snapshot *snapshot);
CLEANUP_FN(struct snapshot, snapshot_unref)

/* Number of chunks; oldest first. */
[[nodiscard]] size_t snapshot_chunks(const struct snapshot *snapshot);

/* One of them. */
[[nodiscard]] const struct snapshot_chunk *snapshot_chunk(const struct snapshot *snapshot,
							  size_t index);

/* Documents in it, deleted ones not counted. */
[[nodiscard]] int64_t snapshot_documents(const struct snapshot *snapshot);

/*
 * Find a document.
 *
 * Returns 1 and where it is, 0 (there is none), or -errno (-EBADMSG: stored bytes are wrong).
 */
[[nodiscard]] int snapshot_find(const struct snapshot *snapshot, const char *id, size_t len,
				size_t *ret_chunk, uint32_t *ret_row);
