/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/floats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two bytes say how many numbers, the rest is theirs. Block by block they are what they are one by one, to the bit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free double *out = malloc(COLUMN_BLOCK * sizeof(*out));
	struct floats floats;

	if (size < 2 || !out ||
	    !floats_open(data + 2, size - 2, data[0] | (uint32_t)data[1] << 8, &floats))
		return 0;
	for (uint32_t i = 0; i < floats.n; i++) {
		double one;

		if (i % COLUMN_BLOCK == 0)
			floats_read(&floats, i / COLUMN_BLOCK, out);
		if (i % 61 != 0)
			continue;
		one = floats_get(&floats, i);
		/* Exceptions out of order are found in the one way and not in the other: only whole ones agree. */
		if (floats.n_exceptions == 0 &&
		    memcmp(&one, &out[i % COLUMN_BLOCK], sizeof(one)) != 0)
			abort();
	}
	return 0;
}
