/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bytes.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"

struct reader reader_make(const void *data, size_t len)
{
	return (struct reader) { .data = data, .len = len };
}

/* Take the next len bytes, or fail. */
static const uint8_t *take(struct reader *in, size_t len)
{
	if (in->failed || len > in->len - in->pos) {
		in->failed = true;
		return nullptr;
	}

	const uint8_t *at = in->data + in->pos;
	in->pos += len;
	return at;
}

/* The next width-byte number, width 1 to 8. */
static uint64_t read_number(struct reader *in, size_t width)
{
	const uint8_t *at = take(in, width);
	uint64_t value = 0;

	for (size_t i = 0; at && i < width; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

uint8_t read_u8(struct reader *in)
{
	return (uint8_t)read_number(in, 1);
}

uint16_t read_u16(struct reader *in)
{
	return (uint16_t)read_number(in, 2);
}

uint32_t read_u32(struct reader *in)
{
	return (uint32_t)read_number(in, 4);
}

uint64_t read_u64(struct reader *in)
{
	return read_number(in, 8);
}

struct bytes read_bytes(struct reader *in, size_t max)
{
	size_t len = read_u32(in);

	if (len > max)
		in->failed = true;

	const uint8_t *at = take(in, len);
	if (!at)
		return (struct bytes) {};
	return (struct bytes) { .data = at, .len = len };
}

void read_str(struct reader *in, char *ret, size_t room)
{
	struct bytes text = read_bytes(in, room - 1);

	ret[0] = '\0';
	if (text.len == 0)
		return;
	if (memchr(text.data, '\0', text.len) ||
	    !utf8_is_valid((const char *)text.data, text.len)) {
		in->failed = true;
		return;
	}
	memcpy(ret, text.data, text.len);
	ret[text.len] = '\0';
}

bool reader_end(const struct reader *in)
{
	return !in->failed && in->pos == in->len;
}

/* Append the low width bytes of value. */
static void write_number(struct buf *out, uint64_t value, size_t width)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	buf_add(out, bytes, width);
}

void write_u8(struct buf *out, uint8_t value)
{
	write_number(out, value, 1);
}

void write_u16(struct buf *out, uint16_t value)
{
	write_number(out, value, 2);
}

void write_u32(struct buf *out, uint32_t value)
{
	write_number(out, value, 4);
}

void write_u64(struct buf *out, uint64_t value)
{
	write_number(out, value, 8);
}

void write_bytes(struct buf *out, const void *data, size_t len)
{
	assert(len <= UINT32_MAX);
	write_u32(out, (uint32_t)len);
	buf_add(out, data, len);
}

void write_str(struct buf *out, const char *str)
{
	write_bytes(out, str, strlen(str));
}

void bytes_put(uint8_t *at, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}
