/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * reserve: room on the disk that only deleting may use, so that room can be made on a disk that is full.
 *
 * Layer 4 (service/store). A file of zeros beside the catalog. What deletes and finds the disk full gives it up and tries again;
 * until it is there again nothing is added. Threads: any.
 */

#include <stddef.h>

#include "common/base.h"

struct live;
struct store;

constexpr size_t RESERVE_BYTES =
	16u << 20; /* several of the largest deletions, in the log and in the catalog */

/* Make the reserve if it is missing and there is room for twice as much. Returns whether it is there. */
[[nodiscard]] bool reserve_fill(struct store *store);

/*
 * Before something is added: wait for room in memory, see that the reserve is there, and have a log that works, should it have failed
 * for lack of room that there is again.
 *
 * Returns 0, -ENOSPC or another -errno: nothing can be added now.
 */
[[nodiscard]] int reserve_ready(struct live *live);

/*
 * Something that deletes has failed.
 *
 * r  as which error
 *
 * Returns whether it should be tried again: the disk is full, and the reserve has been given up.
 */
[[nodiscard]] bool reserve_use(struct store *store, int r);
