/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * told: what the ledger is told of a query's text: all of a short one; of a long one its head, its tail, its length and its hash.
 *
 * Layer 7 (service/engine). What is written has a bound that no text can exceed: escapes are counted as they will be written.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t TOLD_HEAD = 800; /* bytes of JSON */
constexpr size_t TOLD_TAIL = 400;
constexpr size_t TOLD_MAX = TOLD_HEAD + TOLD_TAIL + 200;

/* Append `"sql":"…"`, for a long one `"sql_end":"…"` too, and `"sql_bytes":n,"sql_sha256":"…"`; at most TOLD_MAX bytes. */
void told_put_text(struct buf *out, const char *text, size_t len);

/* How many bytes of text, from its start, take at most room bytes as a JSON string. Never part of a character. */
[[nodiscard]] size_t told_head(const char *text, size_t len, size_t room);

/* How many bytes, from its end. */
[[nodiscard]] size_t told_tail(const char *text, size_t len, size_t room);
