/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/wal.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/crc32c.h"

static const uint8_t MAGIC[8] = { 'r', 'd', 't', 'w', 'a', 'l', '1', '\n' };

constexpr size_t CRC_END = 8; /* the checksum covers all that follows it: number and entry */

void wal_path(uint64_t index, char ret[WAL_NAME_MAX])
{
	(void)snprintf(ret, WAL_NAME_MAX, "wal/%020" PRIu64 ".seg",
		       index / WAL_SEGMENT_ENTRIES * WAL_SEGMENT_ENTRIES);
}

void wal_header_write(struct buf *out, uint64_t first)
{
	buf_add(out, MAGIC, sizeof(MAGIC));
	write_u64(out, first);
}

int wal_header_read(struct bytes *segment, uint64_t first)
{
	if (segment->len == 0)
		return WAL_END;
	if (segment->len < WAL_HEADER || memcmp(segment->data, MAGIC, sizeof(MAGIC)) != 0)
		return WAL_TORN;

	struct reader in = reader_make(segment->data + sizeof(MAGIC), sizeof(uint64_t));
	if (read_u64(&in) != first)
		return WAL_TORN;
	segment->data += WAL_HEADER;
	segment->len -= WAL_HEADER;
	return WAL_RECORD;
}

void wal_record_write(struct buf *out, uint64_t seq, const void *entry, size_t len)
{
	size_t start = out->len;

	if (len > UINT16_MAX)
		out->error = out->error ? out->error : -EMSGSIZE;
	write_u32(out, (uint32_t)len);
	write_u32(out, 0);
	write_u64(out, seq);
	buf_add(out, entry, len);
	if (buf_error(out))
		return;

	uint32_t crc = crc32c(out->data + start + CRC_END, out->len - start - CRC_END);
	for (unsigned int i = 0; i < sizeof(crc); i++)
		out->data[start + sizeof(uint32_t) + i] = (uint8_t)(crc >> (8 * i));
}

int wal_record_read(struct bytes *segment, uint64_t seq, struct bytes *ret)
{
	if (segment->len == 0)
		return WAL_END;
	if (segment->len < WAL_RECORD_HEADER)
		return WAL_TORN;

	struct reader in = reader_make(segment->data, segment->len);
	size_t len = read_u32(&in);
	uint32_t crc = read_u32(&in);
	uint64_t found = read_u64(&in);

	if (len > UINT16_MAX || segment->len - WAL_RECORD_HEADER < len || found != seq ||
	    crc32c(segment->data + CRC_END, WAL_RECORD_HEADER - CRC_END + len) != crc)
		return WAL_TORN;
	*ret = (struct bytes) { segment->data + WAL_RECORD_HEADER, len };
	segment->data += WAL_RECORD_HEADER + len;
	segment->len -= WAL_RECORD_HEADER + len;
	return WAL_RECORD;
}
