/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/audit/tile.h"
#include "appliance/audit/wal.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr size_t OUT_MAX = 1u << 21;

/* Whatever entries a bundle yields make the same bytes again. */
static void read_bundle(const uint8_t *data, size_t size)
{
	auto_buf struct buf again = buf_make(OUT_MAX);
	struct bytes rest = { data, size }, entry;

	while (tile_bundle_next(&rest, &entry))
		tile_bundle_add(&again, entry.data, entry.len);
	if (buf_error(&again) == 0 && (again.len + rest.len != size ||
				       (again.len && memcmp(again.data, data, again.len) != 0)))
		abort();
}

/* Whatever records a segment yields make the same bytes again. */
static void read_segment(const uint8_t *data, size_t size)
{
	auto_buf struct buf again = buf_make(OUT_MAX);
	struct bytes rest = { data, size }, entry;
	uint64_t seq = 0;

	if (wal_header_read(&rest, 0) != WAL_RECORD)
		return;
	wal_header_write(&again, 0);
	while (wal_record_read(&rest, seq, &entry) == WAL_RECORD)
		wal_record_write(&again, seq++, entry.data, entry.len);
	if (buf_error(&again) == 0 &&
	    (again.len + rest.len != size || memcmp(again.data, data, again.len) != 0))
		abort();
}

/* Any bytes as a bundle and as a segment. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	read_bundle(copy, size);
	read_segment(copy, size);
	return 0;
}
