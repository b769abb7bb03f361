/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "service/column/ints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a block reads alike in all ways, within its bounds. */
static bool block_holds(const struct ints *ints, uint32_t block, int64_t *wide, uint16_t *narrow)
{
	uint32_t from = block * COLUMN_BLOCK, n = ints->n - from;
	int64_t low, high;

	n = n < COLUMN_BLOCK ? n : COLUMN_BLOCK;
	ints_read(ints, block, wide);
	ints_bounds(ints, block, &low, &high);
	if (low < ints->min || high > ints->max)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (wide[i] < low || wide[i] > high)
			return false;
		if (i % 61 == 0 && ints_get(ints, from + i) != wide[i])
			return false;
	}
	ints_read16(ints, block, narrow);
	for (uint32_t i = 0; i < n && ints->min >= 0 && ints->max <= UINT16_MAX; i++) {
		if (narrow[i] != wide[i])
			return false;
	}
	ints_read8(ints, block, (uint8_t *)narrow);
	return true;
}

/* Two bytes say how many numbers, the rest is theirs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free int64_t *wide = malloc(COLUMN_BLOCK * sizeof(*wide));
	auto_free uint16_t *narrow = malloc(COLUMN_BLOCK * sizeof(*narrow));
	struct ints ints;

	if (size < 2 || !wide || !narrow ||
	    !ints_open(data + 2, size - 2, data[0] | (uint32_t)data[1] << 8, &ints))
		return 0;
	for (uint32_t b = 0; b < column_blocks(ints.n); b++) {
		if (!block_holds(&ints, b, wide, narrow))
			abort();
	}
	return 0;
}
