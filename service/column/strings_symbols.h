/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * strings_symbols: the encoding SYMBOLS, and dictionary entries by symbols.
 *
 * Layer 2 (service/column), private to strings. Results as in strings_internal.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/strings_internal.h"
#include "service/column/symbols.h"

/* Write a table and spans of codes. Returns 0 or -ENOMEM. */
[[nodiscard]] int spans_write_symbols(struct buf *out, const struct str *value, uint32_t n,
				      const struct symbols_encoder *encoder);

/*
 * What dictionary entries have of their own: as they are or by symbols.
 *
 * Write them. Returns 0 or -ENOMEM.
 */
[[nodiscard]] int suffixes_write(struct buf *out, const struct str *suffix, uint32_t n);

/* Open them, strings->distinct in number. */
[[nodiscard]] bool suffixes_open(struct reader *in, struct strings *ret);

/* The table of a dictionary or column that is open; n is UINT32_MAX if it has none. */
void suffix_table(const struct strings *strings, struct symbols *ret);

/* Decode one to to[room], behind which STRINGS_SLACK bytes may be scribbled on. Returns its length; more than room if it has none. */
[[nodiscard]] size_t suffix_decode(const struct strings *strings, const struct symbols *symbols,
				   struct str suffix, char *to, size_t room);

/* The most bytes that one can become. */
[[nodiscard]] size_t suffix_most(const struct symbols *symbols, struct str suffix);

/* Write as SYMBOLS. Returns 0 or -ENOMEM. */
[[nodiscard]] int symbols_column_write(struct buf *out, const struct str *value, uint32_t n,
				       const struct symbols_encoder *encoder);

/* Open SYMBOLS. */
[[nodiscard]] bool symbols_column_open(struct reader *in, struct strings *ret);

/* Decode a block of SYMBOLS. */
[[nodiscard]] int symbols_column_read(const struct strings *strings, uint32_t block,
				      struct strings_room *room, struct str out[COLUMN_BLOCK]);

/* Decode one of SYMBOLS. */
[[nodiscard]] int symbols_column_get(const struct strings *strings, uint32_t i,
				     struct strings_room *room, struct str *ret);
