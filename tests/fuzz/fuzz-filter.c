/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "service/column/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as hashes, whose filter must have them all; and as a filter that is asked for them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf out = buf_make(16u << 20);
	auto n = (uint32_t)(size / sizeof(uint64_t));
	auto_free uint64_t *hash = malloc(size + 1);
	bool is_filter = filter_check(data, size);

	if (!hash)
		return 0;
	memcpy(hash, data, n * sizeof(*hash));
	filter_write(&out, hash, n, FILTER_BITS);
	if (buf_error(&out) || !filter_check(out.data, out.len))
		abort();
	for (uint32_t i = 0; i < n; i++) {
		if (!filter_may_have(out.data, out.len, hash[i]))
			abort();
		if (is_filter)
			(void)!filter_may_have(data, size, hash[i]);
	}
	return 0;
}
