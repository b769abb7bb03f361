/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * strings_forms: the encodings of strings that all look alike: HEX, TIME and WORDS.
 *
 * Layer 2 (service/column), private to strings. A writer's step is the distance of the strings that it may take for a sample;
 * it returns 0, 1 (the strings do not have the form; nothing is written) or -ENOMEM. Readers as in strings_internal.h; what
 * they need of room_scratch() is there.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/strings_internal.h"

constexpr uint32_t STRINGS_HEX_MAX = 64;  /* bytes of such a string */
constexpr uint32_t STRINGS_ODD_PART = 16; /* at most one string in so many may have another form */

/* Bytes that HEX would take, by the sample; SIZE_MAX if it does not fit. */
[[nodiscard]] size_t hex_estimate(const struct str *value, uint32_t n, uint32_t step);

/* Write as HEX. */
[[nodiscard]] int hex_write(struct buf *out, const struct str *value, uint32_t n, uint32_t step);

/* Open HEX. */
[[nodiscard]] bool hex_open(struct reader *in, struct strings *ret);

/* Decode a block of HEX. */
[[nodiscard]] int hex_read(const struct strings *strings, uint32_t block, struct strings_room *room,
			   struct str out[COLUMN_BLOCK]);

/* Decode one of HEX. */
[[nodiscard]] int hex_get(const struct strings *strings, uint32_t i, struct strings_room *room,
			  struct str *ret);

/* Whether the sample is times of one form. */
[[nodiscard]] bool time_fits(const struct str *value, uint32_t n, uint32_t step);

/* Write as TIME. */
[[nodiscard]] int time_write(struct buf *out, const struct str *value, uint32_t n, uint32_t step);

/* Open TIME. */
[[nodiscard]] bool time_open(struct reader *in, struct strings *ret);

/* Decode a block of TIME. */
[[nodiscard]] int time_read(const struct strings *strings, uint32_t block,
			    struct strings_room *room, struct str out[COLUMN_BLOCK]);

/* Decode one of TIME. */
[[nodiscard]] int time_get(const struct strings *strings, uint32_t i, struct strings_room *room,
			   struct str *ret);
