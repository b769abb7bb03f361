/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * utf8: is this text well-formed, and how long is its next character.
 *
 * Layer 1 (common). Pure functions, safe from any thread.
 */

#include <stddef.h>

/*
 * Length of the well-formed UTF-8 character at the start of str.
 *
 * str  [len] bytes
 *
 * Returns 1 to 4, or 0 if len is 0 or the bytes are not well-formed (overlong, surrogate,
 * above U+10FFFF, cut off). Source: RFC 3629 section 4, Unicode 15 table 3-7.
 */
[[nodiscard]] size_t utf8_step(const char *str, size_t len);

/* Whether all of str[len] is well-formed UTF-8. An empty text is. */
[[nodiscard]] bool utf8_is_valid(const char *str, size_t len);

/* Whether str[len] is well-formed and has no control characters (C0, DEL, C1). */
[[nodiscard]] bool utf8_is_printable(const char *str, size_t len);
