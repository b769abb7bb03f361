/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * like: whether a text matches a LIKE pattern.
 *
 * Layer 5 (service/expression). Pure functions.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/strings.h"

struct query_limits;

/*
 * Match a text with a pattern: % any run of characters, _ one character; characters are UTF-8.
 *
 * escape  one character before a wildcard that is meant itself, or empty
 * limits  of the query, asked while it takes long; or nullptr
 *
 * Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT or -ENOMEM; *ret is set only if 0.
 * Cost: the lengths together; a part between two % that has a _ inside: at most its own length for each character of text.
 */
[[nodiscard]] int like_matches(struct str text, struct str pattern, struct str escape,
			       const struct query_limits *limits, bool *ret);

/* Bytes of the first character of text, at least 1 (text is not empty). */
[[nodiscard]] uint32_t like_step(struct str text);
