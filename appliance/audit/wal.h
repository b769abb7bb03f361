/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * wal: the records that make an entry durable before it is in a tile.
 *
 * Layer 2 (appliance/audit). Pure functions; a segment's bytes are untrusted input.
 * Format: FORMAT.md section 2.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"

constexpr uint64_t WAL_SEGMENT_ENTRIES = 4096; /* a segment begins at each multiple of this */
constexpr size_t WAL_HEADER = 16;
constexpr size_t WAL_RECORD_HEADER = 16;
constexpr size_t WAL_NAME_MAX = 32;
/* As long as a segment can be: every entry of the greatest length. */
constexpr size_t WAL_SEGMENT_MAX =
	WAL_HEADER + WAL_SEGMENT_ENTRIES * (WAL_RECORD_HEADER + UINT16_MAX);

enum {
	WAL_RECORD = 0,
	WAL_END,  /* nothing is left */
	WAL_TORN, /* what is left is no whole record with a right checksum and the next number */
};

/* The path of the segment that holds entry index: "wal/00000000000000004096.seg". */
void wal_path(uint64_t index, char ret[WAL_NAME_MAX]);

/* Append a segment's header; first is a multiple of WAL_SEGMENT_ENTRIES. A failure sticks to out. */
void wal_header_write(struct buf *out, uint64_t first);

/*
 * Step past a segment's header.
 *
 * Returns WAL_RECORD, WAL_END (an empty file) or WAL_TORN (not the header of the segment beginning at first).
 */
[[nodiscard]] int wal_header_read(struct bytes *segment, uint64_t first);

/* Append a record. A failure, also that it is longer than 65,535 bytes, sticks to out. */
void wal_record_write(struct buf *out, uint64_t seq, const void *entry, size_t len);

/*
 * Step to a segment's next record.
 *
 * segment  what is left of it; moved past the record
 * seq      the number that the record must have
 * ret      set only on WAL_RECORD; points into the segment
 *
 * Returns WAL_RECORD, WAL_END or WAL_TORN.
 */
[[nodiscard]] int wal_record_read(struct bytes *segment, uint64_t seq, struct bytes *ret);
