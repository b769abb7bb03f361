/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/segment/footer.h"
#include "service/segment/gone.h"
#include "service/segment/segment.h"
#include "service/store/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes as a footer, as a frame's tail and list of ids, and as a set of deleted rows: what is taken is inside them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct footer_chunk chunk[SEGMENT_CHUNKS_MAX];
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_free struct str *id = nullptr;
	cleanup(gone_unref_at) struct gone *gone = nullptr;
	const uint8_t *bits = nullptr;
	size_t len = 0, n = 0;
	uint32_t rows = 0;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (uint32_t chunks = 0; chunks <= 3; chunks++)
		if (footer_read(copy, size, 100, chunks, chunk))
			for (uint32_t i = 0; i < chunks; i++)
				if (chunk[i].head < copy ||
				    chunk[i].head + chunk[i].head_len > copy + size ||
				    chunk[i].page + chunk[i].pages > 100)
					abort();
	if (frame_read_tail(copy, size, &len, &rows, &bits) && len + frame_tail(rows) != size)
		abort();
	if (frame_read_ids(copy, size, &id, &n) == 0)
		for (size_t i = 0; i < n; i++)
			if (id[i].len > 0 && (id[i].at < (const char *)copy ||
					      id[i].at + id[i].len > (const char *)copy + size))
				abort();
	if (gone_read(copy, size, 1000, &gone) == 0 && gone_count(gone) > 1000)
		abort();
	return 0;
}
