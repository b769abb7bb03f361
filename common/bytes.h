/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bytes: read and write messages field by field, little-endian, never past the end.
 *
 * Layer 1 (common). A reader that meets a malformed field yields zeros and empty texts from
 * then on and remembers it: decode everything, then ask reader_end() once.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

struct reader {
	const uint8_t *data; /* [len], borrowed */
	size_t len;
	size_t pos;
	bool failed;
};

/* A run of bytes inside the message; borrowed, not NUL-terminated. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

/* Read data[len], which must outlive the reader and all it yields. */
[[nodiscard]] struct reader reader_make(const void *data, size_t len);

/* The next byte; 0 after a failure. */
[[nodiscard]] uint8_t read_u8(struct reader *in);

/* The next 16-bit number; 0 after a failure. */
[[nodiscard]] uint16_t read_u16(struct reader *in);

/* The next 32-bit number; 0 after a failure. */
[[nodiscard]] uint32_t read_u32(struct reader *in);

/* The next 64-bit number; 0 after a failure. */
[[nodiscard]] uint64_t read_u64(struct reader *in);

/* The next u32-counted bytes, at most max of them; empty after a failure. */
[[nodiscard]] struct bytes read_bytes(struct reader *in, size_t max);

/*
 * The next u32-counted text of at most room - 1 bytes, copied to ret[room] and NUL-terminated.
 * Fails the reader if it is longer, holds a NUL or is not UTF-8; *ret is then "".
 */
void read_str(struct reader *in, char *ret, size_t room);

/* Whether every read succeeded and nothing is left over. */
[[nodiscard]] bool reader_end(const struct reader *in);

/* Append a byte. As with all that follow, a failure sticks to the buffer. */
void write_u8(struct buf *out, uint8_t value);

/* Append a 16-bit number. */
void write_u16(struct buf *out, uint16_t value);

/* Append a 32-bit number. */
void write_u32(struct buf *out, uint32_t value);

/* Append a 64-bit number. */
void write_u64(struct buf *out, uint64_t value);

/* Append len bytes after their count; len is below 2^32. */
void write_bytes(struct buf *out, const void *data, size_t len);

/* Append a text after its count, without its NUL. */
void write_str(struct buf *out, const char *str);

/* Store the low width (1 to 8) bytes of a number at a fixed place of a header. */
void bytes_put(uint8_t *at, uint64_t value, size_t width);
