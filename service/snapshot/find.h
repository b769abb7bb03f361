/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * find: where documents are, by _id.
 *
 * Layer 4 (service/snapshot). Chunk by chunk with all _ids at once, so that a chunk's filter is in the processor's cache while
 * it is asked; the newest chunk first.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/segment/ids.h"
#include "service/snapshot/state.h"

/* Called for each that was found: which of ids, and where. Return non-zero to stop with that. */
typedef int find_fn(void *userdata, uint32_t index, size_t chunk, uint32_t row);

/*
 * Find documents that are not deleted. fn may delete rows of the state where it is told of them.
 *
 * ids   an _id may be there several times: it is told of each time, unless fn deletes it
 * seen  the _ids of all chunks in memory; or nullptr
 *
 * Returns 0, what fn returned, -EBADMSG (stored bytes are wrong) or another -errno.
 */
[[nodiscard]] int find_ids(const struct snapshot *state, const struct ids *ids,
			   const struct ids_seen *seen, find_fn *fn, void *userdata);
