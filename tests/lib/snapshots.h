/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * snapshots: collections in memory that stand in for the store's, for tests of what reads them.
 *
 * Implements service/snapshot/snapshot.h but for store_snapshot() and snapshot_find(); not to be linked with the store.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/snapshot/snapshot.h"

/* An empty collection. Returns nullptr if there is no memory. */
[[nodiscard]] struct snapshot *snapshots_new(void);

/*
 * Add documents.
 *
 * text  [len] one JSON document a line
 * rows  documents of a chunk at most
 * best  with the encodings, filters and orders of segment files
 *
 * Returns 0 or -errno; -EBADMSG if a line is no document.
 */
[[nodiscard]] int snapshots_add(struct snapshot *snapshot, const char *text, size_t len,
				uint32_t rows, bool best);

/* Delete a row of a chunk. Returns 0 or -ENOMEM. */
[[nodiscard]] int snapshots_delete(struct snapshot *snapshot, size_t chunk, uint32_t row);
