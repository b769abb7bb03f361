/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keep: the keeper's duties: memory to segments, small to large, deleted to gone, and the log short.
 *
 * Layer 4 (service/store). One thread at a time: the store's `keeping` lock.
 *   put together  32 small chunks in memory of a size become one, so that a query meets few
 *   seal          a chunk's worth of documents in memory, or what has been there for a minute, becomes a segment
 *   merge         8 neighbouring segments of a size become one: whole chunks are copied, others written anew
 *   purge         a segment with many deleted documents, or with any for a day, is written anew
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/store/live.h"
#include "service/store/store.h"

/* Put together and seal what is due of a collection. Returns 0 or -errno. */
[[nodiscard]] int keep_memory(struct live *live, enum store_keep how);

/* In between of long work: put together and seal what is due of all collections, and tell writers who wait. What fails is tried again in the next round. */
void keep_between(struct store *store);

/* Remove the log's files that no collection needs any more. Returns 0 or -errno. */
[[nodiscard]] int keep_log(struct store *store);

/*
 * As keep_log(); and if the log is long all the same, or the disk is full, seal the documents because of which it is kept, few or not.
 *
 * Returns as keep_log(), or why they cannot be sealed.
 */
[[nodiscard]] int keep_log_short(struct store *store);

/* Destroy the keys of collections that were deleted while redoubt-keys did not answer. Returns 0 or -errno. */
[[nodiscard]] int keep_doomed(struct store *store);
