/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * filter: a set of 64-bit hashes that may say yes wrongly and never no wrongly.
 *
 * Layer 2 (service/column). Pure functions. Format: FORMAT.md section 6; a blocked Bloom filter: one 32-byte block per hash,
 * some bits a distinct hash. Source: Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

/* Bits for each different hash, and how often a filter of so many says yes wrongly: once in 100 times, once in 800. */
enum filter_bits : uint32_t {
	FILTER_BITS = 10,
	FILTER_BITS_SURE = 16,
};

/* Append a filter of hash[n]; duplicates are welcome. A failure sticks to out. */
void filter_write(struct buf *out, const uint64_t *hash, uint32_t n, enum filter_bits bits);

/* Whether data[len] can be a filter. */
[[nodiscard]] bool filter_check(const uint8_t *data, size_t len);

/* Whether the hash may be in the set. data[len] has passed filter_check(). */
[[nodiscard]] bool filter_may_have(const uint8_t *data, size_t len, uint64_t hash);
