/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * substr: a part of a text, counted in characters.
 *
 * Layer 5 (service/expression). Pure function; service/sql gives it to SQLite, whose own stops at a NUL.
 */

#include <stdint.h>

#include "common/base.h"
#include "service/column/strings.h"

/*
 * The characters of text from one on: 1 is the first, -1 the last; 0 is the place before the first.
 *
 * from, n  any; a negative n means the characters before from
 *
 * Returns a part of text. Cost: its length.
 */
[[nodiscard]] struct str substr_of(struct str text, int64_t from, int64_t n);

constexpr int64_t SUBSTR_ALL = INT64_MAX; /* as n: to the end */
