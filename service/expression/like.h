/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * like: whether a text matches a LIKE pattern.
 *
 * Layer 5 (service/expression). Pure function.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/strings.h"

/*
 * Match a text with a pattern: % any run of characters, _ one character; characters are UTF-8.
 *
 * escape  one character before a wildcard that is meant itself, or empty
 *
 * Cost: at most the product of the lengths; only the last % is tried again.
 */
[[nodiscard]] bool like_matches(struct str text, struct str pattern, struct str escape);

/* Bytes of the first character of text, at least 1 (text is not empty). */
[[nodiscard]] uint32_t like_step(struct str text);
