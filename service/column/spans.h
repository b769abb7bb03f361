/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * spans: byte strings one after the other, with their lengths, found by number.
 *
 * Layer 2 (service/column), below strings. Format: FORMAT.md section 5.
 * Trust: spans_open() checks lengths and starts for what they can be; whether they add up is checked block by block.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/ints.h"
#include "service/column/kind.h"

struct str {
	const char *at; /* [len], not NUL-terminated */
	uint32_t len;
};

/* Whether two strings have the same bytes. Empty ones need not point anywhere. */
[[nodiscard]] static inline bool spans_same(const struct str *a, const struct str *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len) == 0);
}

/* The order of two strings by their bytes; a beginning comes before what it begins: < 0, 0 or > 0. */
[[nodiscard]] static inline int spans_compare(const struct str *a, const struct str *b)
{
	uint32_t both = a->len < b->len ? a->len : b->len;
	int order = both > 0 ? memcmp(a->at, b->at, both) : 0;

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

struct spans {
	uint32_t n;
	struct ints length;
	struct ints start;    /* of each block, if there are several */
	const uint8_t *bytes; /* [len] */
	size_t len;
};

/* Append value[n]. Returns 0 or -ENOMEM; a failure of out sticks to it. */
[[nodiscard]] int spans_write(struct buf *out, const struct str *value, uint32_t n);

/* Open what spans_write() wrote. Returns whether it is well-formed; *ret is set only then and borrows data. */
[[nodiscard]] bool spans_open(const uint8_t *data, size_t len, uint32_t n, struct spans *ret);

/*
 * The lengths of a block, each 0 to UINT32_MAX, and where its bytes are: all of them, *ret_total together.
 *
 * Returns 0 or -EBADMSG.
 */
[[nodiscard]] int spans_block(const struct spans *spans, uint32_t block,
			      int64_t length[COLUMN_BLOCK], const uint8_t **ret_at,
			      size_t *ret_total);

/* One string, i < n. length is scratch. Returns as spans_block(). Cost: a block's lengths, unless all are the same. */
[[nodiscard]] int spans_get(const struct spans *spans, uint32_t i, int64_t length[COLUMN_BLOCK],
			    struct str *ret);

/* Begin a part of out that is preceded by its length. Returns where, for spans_part_end(). */
[[nodiscard]] size_t spans_part_begin(struct buf *out);

/* Write the length of a part that is complete. One of 4 GiB or more fails out. */
void spans_part_end(struct buf *out, size_t begin);

/* Entries in a block of n. */
[[nodiscard]] static inline uint32_t spans_in_block(uint32_t n, uint32_t block)
{
	uint32_t left = n - block * COLUMN_BLOCK;

	return left < COLUMN_BLOCK ? left : COLUMN_BLOCK;
}
