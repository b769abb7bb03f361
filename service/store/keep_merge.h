/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keep_merge: the keeper's duties towards segments: merge and purge.
 *
 * Layer 4 (service/store). As keep.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/store/live.h"
#include "service/store/rewrite.h"
#include "service/store/store.h"

/* Merge and purge as far as it is due. Returns 0 or -errno. */
[[nodiscard]] int keep_merge(struct live *live, enum store_keep how);

/*
 * Put a finished rewrite into force: commit it if it is about segments, then show it.
 *
 * removed  [n_removed] segments that have gone by it
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int keep_install(struct rewrite *rewrite, const int64_t *removed, size_t n_removed);
