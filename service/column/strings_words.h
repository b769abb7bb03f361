/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * strings_words: the encoding WORDS, of text that repeats its words.
 *
 * Layer 2 (service/column), private to strings. Results as in strings_forms.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/strings_internal.h"

/* Bytes that WORDS would take, by the sample; *ret is SIZE_MAX if it does not pay. Returns 0 or -ENOMEM. */
[[nodiscard]] int words_estimate(const struct str *value, uint32_t n, uint32_t step, size_t *ret);

/* Write as WORDS. */
[[nodiscard]] int words_write(struct buf *out, const struct str *value, uint32_t n);

/* Open WORDS. */
[[nodiscard]] bool words_open(struct reader *in, struct strings *ret);

/* Decode a block of WORDS. */
[[nodiscard]] int words_read(const struct strings *strings, uint32_t block,
			     struct strings_room *room, struct str out[COLUMN_BLOCK]);

/* Decode one of WORDS. */
[[nodiscard]] int words_get(const struct strings *strings, uint32_t i, struct strings_room *room,
			    struct str *ret);

/* Mark the strings that contain needle[len], without decoding any. Returns as words_read(), or 1: decode and see. */
[[nodiscard]] int words_contains(const struct strings *strings, uint32_t block,
				 struct strings_room *room, const char *needle, size_t len,
				 uint8_t match[COLUMN_BLOCK]);
