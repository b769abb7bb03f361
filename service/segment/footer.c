/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/footer.h"

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bytes.h"

constexpr uint32_t MAGIC = 0x31464753; /* "SGF1" */

void footer_begin(struct buf *out, uint32_t chunks)
{
	write_u32(out, MAGIC);
	write_u32(out, chunks);
}

void footer_add(struct buf *out, const struct footer_chunk *chunk)
{
	write_u32(out, chunk->page);
	write_u32(out, chunk->pages);
	write_bytes(out, chunk->head, chunk->head_len);
}

bool footer_read(const uint8_t *data, size_t len, uint32_t pages, uint32_t chunks,
		 struct footer_chunk *ret)
{
	struct reader in = reader_make(data, len);

	if (read_u32(&in) != MAGIC || read_u32(&in) != chunks)
		return false;
	for (uint32_t i = 0; i < chunks && !in.failed; i++) {
		struct footer_chunk chunk = { .page = read_u32(&in), .pages = read_u32(&in) };
		struct bytes head = read_bytes(&in, len);

		if (chunk.page > pages || chunk.pages > pages - chunk.page)
			return false;
		chunk.head = head.data;
		chunk.head_len = head.len;
		ret[i] = chunk;
	}
	while (!in.failed && in.pos < in.len)
		if (in.data[in.pos++] != 0)
			return false;
	return !in.failed;
}
