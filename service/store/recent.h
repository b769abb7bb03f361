/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * recent: the batches that came last, so that one which is sent again changes nothing.
 *
 * Layer 4 (service/store). Belongs to whoever has the collection's turn.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t RECENT_ID = 16;
constexpr uint32_t RECENT_MAX = 4096; /* batches; at 100 a second more than half a minute */

struct recent_batch {
	uint8_t id[RECENT_ID];
	uint64_t position;
	uint32_t rows;
	uint8_t *replaced; /* [(rows + 7) / 8] owned: which documents took the place of others */
};

struct recent {
	struct recent_batch *batch; /* [n] oldest first */
	uint32_t n, room;
};

/* Free what it owns. */
void recent_done(struct recent *recent);

/* Find a batch; nullptr if it is not among the recent ones. Cost: about 10 µs if there are many. */
[[nodiscard]] const struct recent_batch *recent_find(const struct recent *recent,
						     const uint8_t *id);

/* Remember a batch, and forget the oldest ones if there are too many; without memory it is not remembered. replaced is copied. */
void recent_add(struct recent *recent, const uint8_t *id, uint64_t position, uint32_t rows,
		const uint8_t *replaced);

/* Forget the batches after a position. */
void recent_cut(struct recent *recent, uint64_t position);
