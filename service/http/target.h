/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * target: a request target, cut into its path's segments and percent-decoded.
 *
 * Layer 2 (service/http). Pure. Source: RFC 9112 section 3.2, RFC 3986 section 2.1.
 */

#include <stddef.h>

#include "common/base.h"

constexpr size_t TARGET_SEGMENTS_MAX = 16; /* the longest path of the API has 11 */

struct target {
	const char *segment[TARGET_SEGMENTS_MAX]; /* [n] decoded, printable UTF-8; borrowed */
	size_t n;
	const char *query; /* behind the '?', as it came; "" if there is none; borrowed */
};

enum {
	TARGET_OK = 0,
	TARGET_MALFORMED, /* neither a path nor a URL; a bad %; not printable UTF-8; too deep */
};

/*
 * Where the path of a target starts: the text itself ("/v1/x"), or what follows the host of
 * "https://host/v1/x". Returns nullptr if it is neither.
 */
[[nodiscard]] const char *target_path(const char *text);

/*
 * Cut and decode. Empty segments (double slashes, a slash at the end) are dropped.
 *
 * text  changed in place; ret points into it
 *
 * Returns 0 or TARGET_MALFORMED.
 */
[[nodiscard]] int target_parse(char *text, struct target *ret);
