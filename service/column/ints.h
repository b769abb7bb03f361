/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ints: a run of int64 as bytes, in blocks of 1024, each with the encoding that suits it.
 *
 * Layer 2 (service/column). Pure functions, safe from any thread.
 * Format: FORMAT.md section 3. Per block one of: constant; frame of reference + bit packing (1 to 64 bits, transposed so
 * that unpacking vectorises); delta + frame of reference; run-length. Chosen from the block's own statistics.
 * Trust: ints_open() checks every offset and width once; after that reading cannot leave the bytes, whatever they are,
 * and every value that is read lies within its block's bounds and so between min and max.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/kind.h"

/* Append an encoding of value[n]; n may be 0. A failure sticks to out. Cost: O(n), about 1 ns a value. */
void ints_write(struct buf *out, const int64_t *value, uint32_t n);

struct ints {
	const uint8_t *data; /* [len] borrowed */
	size_t len;
	uint32_t n;
	int64_t min, max; /* of all values; 0, -1 if n is 0 */
	bool constant;	  /* all equal min; false if n is 0 */

	/* The rest is for the reader alone. */
	uint64_t scale, span; /* value = min + scale * (0 to span) */
	uint32_t span_bytes;
	const uint8_t *table, *start;
};

/* Open what ints_write() wrote. Returns whether it is well-formed and has n values; *ret is set only then and borrows data. */
[[nodiscard]] bool ints_open(const uint8_t *data, size_t len, uint32_t n, struct ints *ret);

/* Decode the block of an index, 0 to column_blocks(n) - 1. Past the last value of the last block out holds anything. */
void ints_read(const struct ints *ints, uint32_t index, int64_t out[COLUMN_BLOCK]);

/* The same for values that are all in 0…65535 (check min and max first), as dictionary codes are. */
void ints_read16(const struct ints *ints, uint32_t index, uint16_t out[COLUMN_BLOCK]);

/* The same for values that are all in 0…255, as tags are. */
void ints_read8(const struct ints *ints, uint32_t index, uint8_t out[COLUMN_BLOCK]);

/* One value, i < n. Cost: constant, except in delta and run-length blocks, where it is that of a block. */
[[nodiscard]] int64_t ints_get(const struct ints *ints, uint32_t i);

/* The smallest and largest value a block can have, from its header; for skipping it. */
void ints_bounds(const struct ints *ints, uint32_t index, int64_t *ret_min, int64_t *ret_max);

/*
 * Mark the values of a block that are low to high, both included, without decoding them: yes[i] becomes 1 or 0; past the last
 * value anything.
 *
 * Returns false, having done nothing, if the encoding does not help.
 */
[[nodiscard]] bool ints_between(const struct ints *ints, uint32_t index, int64_t low, int64_t high,
				uint8_t yes[COLUMN_BLOCK]);
