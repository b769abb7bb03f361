/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * frame: what a batch is in the log.
 *
 * Layer 4 (service/store). Pure functions. Format: FORMAT.md section 8. Little-endian; by the batch's kind:
 *   ADD     a chunk's bytes; for each row a bit, whether it took the place of another document; u32 rows
 *   DELETE  u32 n; n times an _id after its u32 length
 *   EXPIRE  i64: every document with an _event_time before this (µs since 1970) goes
 * No row numbers of others: what a frame deletes follows from the _ids, so that reading it twice changes nothing.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/strings.h"

enum frame_kind : uint8_t {
	FRAME_ADD = 1,
	FRAME_DELETE = 2,
	FRAME_EXPIRE = 3,
};

/* Bytes that follow the chunk in an ADD of so many rows. */
[[nodiscard]] size_t frame_tail(uint32_t rows);

/* Write these bytes: tail[frame_tail(rows)], replaced[rows]. */
void frame_write_tail(const bool *replaced, uint32_t rows, uint8_t *tail);

/* Take the tail of an ADD apart. Returns whether it is well-formed; *ret_chunk_len and *ret_tail, which borrows, are set only then. */
[[nodiscard]] bool frame_read_tail(const uint8_t *data, size_t len, size_t *ret_chunk_len,
				   uint32_t *ret_rows, const uint8_t **ret_bits);

/* Append a DELETE. A failure sticks to out. */
void frame_write_ids(const struct str *id, size_t n, struct buf *out);

/*
 * Take a DELETE apart.
 *
 * ret  [*ret_n] set only on success; free with free(); borrows data
 *
 * Returns 0, -EBADMSG or -ENOMEM.
 */
[[nodiscard]] int frame_read_ids(const uint8_t *data, size_t len, struct str **ret, size_t *ret_n);
