/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * cluster: which row of some chunks goes to which new chunk, so that each of these has a range of the collection's
 * clustering key to itself.
 *
 * Layer 4 (service/snapshot). For rewrites of a collection that has such a key. The ranges of two new chunks have at most a
 * value in common, that of rows which fill more than one. While it is made it takes 16 bytes a row, afterwards one.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/chunk.h"

constexpr size_t CLUSTER_SOURCES_MAX = 128; /* so that a new chunk's number fits a byte */

/* A chunk whose rows are to be put elsewhere. */
struct cluster_source {
	struct chunk *chunk;	 /* borrowed */
	const uint64_t *deleted; /* bit set of rows that go nowhere, or nullptr; borrowed */
	bool whole; /* may stay one chunk as it is, if no other has rows in its range */
};

struct cluster;

/*
 * Decide.
 *
 * source    [n], n up to CLUSTER_SOURCES_MAX
 * paths     the key, as of chunk_key_each()
 * rows_max  rows of a new chunk; there are never more new chunks than sources if that is CHUNK_ROWS
 *
 * Returns 0, -EBADMSG (stored bytes are wrong) or another -errno. Cost: reads the key's columns about four times.
 */
[[nodiscard]] int cluster_new(const struct cluster_source *source, uint32_t n, const char *paths,
			      uint32_t rows_max, struct cluster **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct cluster *cluster_free(struct cluster *cluster);
CLEANUP_FN(struct cluster, cluster_free)

/* New chunks. Their ranges ascend. */
[[nodiscard]] uint32_t cluster_targets(const struct cluster *cluster);

/* The source that becomes a new chunk as it is, or CHUNK_NONE. */
[[nodiscard]] uint32_t cluster_copied(const struct cluster *cluster, uint32_t target);

/* How many rows of a source go to a new chunk. */
[[nodiscard]] uint32_t cluster_rows(const struct cluster *cluster, uint32_t source,
				    uint32_t target);

/* Each row's new chunk, [rows of the source]; something else for a row that is deleted. */
[[nodiscard]] const uint8_t *cluster_where(const struct cluster *cluster, uint32_t source);
