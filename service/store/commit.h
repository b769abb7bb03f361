/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * commit: the transaction that says what is in segments and what is not: the only commit point.
 *
 * Layer 4 (service/store). For the keeper, in the collection's turn.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/segment/segment.h"
#include "service/snapshot/state.h"
#include "service/store/live.h"

/*
 * Make durable what a state has in segments: which there are, which rows are deleted, and from where on the log is needed.
 *
 * state    the collection's next one; it is durable in the log
 * added    the segment that has come, or nullptr
 * removed  [n_removed] numbers of those that have gone
 *
 * Returns 0 or -errno: the state before is still the one that counts; but added's file must stay, because a
 * commit that failed may yet turn out to be on the disk.
 */
[[nodiscard]] int commit_state(struct live *live, const struct snapshot *state,
			       const struct segment_row *added, const int64_t *removed,
			       size_t n_removed);

/* Up to which position the log is not needed for a state once its segments are committed. */
[[nodiscard]] uint64_t commit_position(const struct snapshot *state);
