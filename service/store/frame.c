/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/frame.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/column/spans.h"

size_t frame_tail(uint32_t rows)
{
	return (rows + 7) / 8 + sizeof(uint32_t);
}

void frame_write_tail(const bool *replaced, uint32_t rows, uint8_t *tail)
{
	size_t bits = (rows + 7) / 8;

	memset(tail, 0, bits);
	for (uint32_t i = 0; i < rows; i++)
		tail[i / 8] |= (uint8_t)(replaced[i] << i % 8);
	for (size_t i = 0; i < sizeof(rows); i++)
		tail[bits + i] = (uint8_t)(rows >> 8 * i);
}

bool frame_read_tail(const uint8_t *data, size_t len, size_t *ret_chunk_len, uint32_t *ret_rows,
		     const uint8_t **ret_bits)
{
	uint32_t rows = 0;

	if (len < sizeof(rows))
		return false;
	for (size_t i = 0; i < sizeof(rows); i++)
		rows |= (uint32_t)data[len - sizeof(rows) + i] << 8 * i;
	if (rows == 0 || rows > CHUNK_ROWS || len < frame_tail(rows))
		return false;
	*ret_chunk_len = len - frame_tail(rows);
	*ret_rows = rows;
	*ret_bits = data + *ret_chunk_len;
	return true;
}

void frame_write_ids(const struct str *id, size_t n, struct buf *out)
{
	write_u32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		write_bytes(out, id[i].at, id[i].len);
}

int frame_read_ids(const uint8_t *data, size_t len, struct str **ret, size_t *ret_n)
{
	struct reader in = reader_make(data, len);
	uint32_t n = read_u32(&in);

	if (in.failed || n > len / sizeof(uint32_t)) /* each takes at least its length */
		return -EBADMSG;
	auto_free struct str *id = calloc((size_t)n + 1, sizeof(*id));
	if (!id)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct bytes bytes = read_bytes(&in, BUILDER_ID_MAX);

		id[i] = (struct str) { (const char *)bytes.data, (uint32_t)bytes.len };
	}
	if (!reader_end(&in))
		return -EBADMSG;
	*ret = TAKE(id);
	*ret_n = n;
	return 0;
}
