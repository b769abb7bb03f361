/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/worker/smbios.h"
#include "common/base.h"
#include "common/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any structure: found, not found or refused, and nothing is appended unless found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_buf struct buf got = buf_make(1 << 16);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (smbios_find(copy, size, &got) != SMBIOS_OK && got.len != 0)
		abort();
	return 0;
}
