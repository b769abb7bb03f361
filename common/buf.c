/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

constexpr size_t ROOM_MIN = 256;

struct buf buf_make(size_t max)
{
	return (struct buf) { .max = max };
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	*buf = buf_make(buf->max);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->error = 0;
}

/* Make room for len more bytes plus a NUL. Returns whether there is room. */
static bool grow(struct buf *buf, size_t len)
{
	if (buf->error)
		return false;
	if (len > buf->max - buf->len) {
		buf->error = -EMSGSIZE;
		return false;
	}

	size_t need = buf->len + len + 1; /* max is far below SIZE_MAX: cannot wrap */
	if (need <= buf->room)
		return true;

	size_t room = buf->room < ROOM_MIN ? ROOM_MIN : buf->room;
	while (room < need)
		room += room / 2;

	uint8_t *data = realloc(buf->data, room);
	if (!data) {
		buf->error = -ENOMEM;
		return false;
	}
	buf->data = data;
	buf->room = room;
	return true;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (len == 0 || !grow(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

void buf_add_str(struct buf *buf, const char *str)
{
	buf_add(buf, str, strlen(str));
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(nullptr, 0, format, args);
	va_end(args);

	if (len > 0 && grow(buf, (size_t)len)) {
		(void)vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

/* The two-character escape of a byte in JSON, or nullptr. Source: RFC 8259 section 7. */
static const char *short_escape(uint8_t byte)
{
	static const char *const ESCAPES[256] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
		['\n'] = "\\n", ['\r'] = "\\r",	 ['\t'] = "\\t",
	};

	return ESCAPES[byte];
}

/* How many of the first bytes stand for themselves in JSON; most texts are nothing else. */
static size_t plain_run(const char *str, size_t len)
{
	size_t i = 0;

	while (i < len && str[i] >= 0x20 && str[i] < 0x7F && str[i] != '"' && str[i] != '\\')
		i++;
	return i;
}

void buf_add_json(struct buf *buf, const char *str, size_t len)
{
	buf_add_str(buf, "\"");
	for (size_t i = 0; i < len;) {
		size_t run = plain_run(str + i, len - i);

		if (run > 0) {
			buf_add(buf, str + i, run);
			i += run;
			continue;
		}
		auto byte = (uint8_t)str[i];
		size_t step = utf8_step(str + i, len - i);

		if (step == 0)
			buf_add_str(buf, "\uFFFD");
		else if (short_escape(byte))
			buf_add_str(buf, short_escape(byte));
		else if (byte < 0x20 || byte == 0x7F)
			buf_addf(buf, "\\u%04x", byte);
		else
			buf_add(buf, str + i, step);
		i += step ? step : 1;
	}
	buf_add_str(buf, "\"");
}

uint8_t *buf_reserve(struct buf *buf, size_t len)
{
	return grow(buf, len) ? buf->data + buf->len : nullptr;
}

void buf_drop(struct buf *buf, size_t len)
{
	if (len >= buf->len) {
		buf->len = 0;
		return;
	}
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
}

const char *buf_text(struct buf *buf)
{
	if (!grow(buf, 0))
		return nullptr;
	buf->data[buf->len] = '\0';
	return (const char *)buf->data;
}

int buf_error(const struct buf *buf)
{
	return buf->error;
}
