/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * buf: a growable run of bytes with a hard cap.
 *
 * Layer 1 (common). A failed append is remembered (sticky) and leaves the contents as they
 * were, so a caller may append many pieces and ask once, at the end, with buf_error().
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct buf {
	uint8_t *data; /* [len], allocated; nullptr while empty */
	size_t len;
	size_t room; /* allocated bytes */
	size_t max;  /* len never passes this */
	int error;   /* 0, -ENOMEM or -EMSGSIZE; sticky */
};

/* An empty buffer that will never hold more than max bytes. Allocates nothing. */
[[nodiscard]] struct buf buf_make(size_t max);

/* Free the contents and make the buffer empty again; keeps max, clears the error. */
void buf_done(struct buf *buf);

/* Forget the contents and the error, keep the memory. */
void buf_clear(struct buf *buf);

/* Append len bytes. On failure the contents are unchanged and the error is set. */
void buf_add(struct buf *buf, const void *data, size_t len);

/* Append a string without its NUL. */
void buf_add_str(struct buf *buf, const char *str);

/* Append formatted text, printf(3) style, without a NUL. */
[[gnu::format(printf, 2, 3)]] void buf_addf(struct buf *buf, const char *format, ...);

/* Append len bytes as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void buf_add_json(struct buf *buf, const char *str, size_t len);

/*
 * Make room for len more bytes and return where they start; the caller fills them and then
 * adds to buf->len what it used. Returns nullptr, with the error set, if there is no room.
 */
[[nodiscard]] uint8_t *buf_reserve(struct buf *buf, size_t len);

/* Drop the first len (at most buf->len) bytes. */
void buf_drop(struct buf *buf, size_t len);

/*
 * The contents as a NUL-terminated string, owned by the buffer and valid until it changes.
 * Returns nullptr if an append has failed or there is no memory for the NUL.
 */
[[nodiscard]] const char *buf_text(struct buf *buf);

/* 0, or the first failure: -ENOMEM out of memory, -EMSGSIZE the cap was reached. */
[[nodiscard]] int buf_error(const struct buf *buf);

#define auto_buf cleanup(buf_done)
