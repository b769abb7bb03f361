/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * find: the places of one byte string in another.
 *
 * Layer 2 (service/column), below strings. Compares the needle's first and last byte at 32 places at once.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/spans.h"

constexpr size_t FIND_NONE = SIZE_MAX;

/* The first place at or after from where hay[hay_len] has needle[len], 1 or more bytes; FIND_NONE if there is none. */
[[nodiscard]] size_t find_next(const char *hay, size_t hay_len, size_t from, const char *needle,
			       size_t len);

/* Mark which of str[n] have it: match[i] becomes 1 or 0. Quickest if they lie one after the other. */
void find_mark(const struct str *str, uint32_t n, const char *needle, size_t len, uint8_t *match);
