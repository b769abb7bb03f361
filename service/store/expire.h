/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * expire: documents that are older than their collection keeps them.
 *
 * Layer 4 (service/store).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/snapshot/state.h"

/*
 * Count a state's documents with an _event_time before a time, and delete them from a draft.
 *
 * cutoff_us  µs since 1970
 * draft      the state itself while it may be changed, or nullptr: only count
 *
 * Returns 0, -EBADMSG or another -errno.
 */
[[nodiscard]] int expire_before(const struct snapshot *state, int64_t cutoff_us,
				struct snapshot *draft, int64_t *ret);
