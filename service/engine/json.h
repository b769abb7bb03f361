/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * json: write JSON objects into a buffer without a tree.
 *
 * Layer 7 (service/engine). Commas are put where they belong by looking at what is there already.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

/* Open an object as a member called key, or as an element or the whole if key is nullptr. */
void json_open(struct buf *out, const char *key);

/* Close it. */
void json_close(struct buf *out);

/* Open an array, as json_open(). */
void json_open_list(struct buf *out, const char *key);

/* Close it. */
void json_close_list(struct buf *out);

/* Add a string; nullptr is null. */
void json_text(struct buf *out, const char *key, const char *text);

/* Add a string of len bytes, which need not be UTF-8. */
void json_piece(struct buf *out, const char *key, const char *text, size_t len);

/* Add a whole number. */
void json_int(struct buf *out, const char *key, int64_t number);

/* Add true or false. */
void json_bool(struct buf *out, const char *key, bool value);

/* Add null. */
void json_null(struct buf *out, const char *key);

/* Add JSON that is well-formed already. */
void json_raw(struct buf *out, const char *key, const char *json, size_t len);

/* Add a time as 2026-11-24T03:24:40Z. */
void json_time(struct buf *out, const char *key, uint64_t wall_us);
