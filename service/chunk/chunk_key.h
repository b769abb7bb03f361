/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * chunk_key: what a chunk's rows have under some paths, as bytes that sort as these values do.
 *
 * Layer 3 (service/chunk). The order is that of the dialect (service/vector/cell.h): nothing, null and NaN first, then
 * numbers by value, strings by their bytes, everything else by kind and value. Arrays and objects all count as equal.
 * Bytes beyond CHUNK_KEY_BYTES are cut off: rows that differ only there count as equal too.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/chunk.h"

constexpr size_t CHUNK_KEY_FIELDS = 4;	 /* paths of a key; more would be cut off anyway */
constexpr size_t CHUNK_KEY_BYTES = 64;	 /* of a key that count; a multiple of 8 */
constexpr char CHUNK_KEY_BETWEEN = '\n'; /* separates paths; a dot separates the names in one */

/* Called for each row in order. key is filled up with zeros; len is how many bytes of it say something. */
typedef void chunk_key_fn(void *userdata, uint32_t row, const uint8_t key[CHUNK_KEY_BYTES],
			  size_t len);

/*
 * Read the keys of all rows, deleted ones too.
 *
 * paths  one to CHUNK_KEY_FIELDS, the most important first; what comes after these is passed over
 *
 * Returns 0, -EBADMSG (stored bytes are wrong) or another -errno. Cost: decoding the columns.
 */
[[nodiscard]] int chunk_key_each(struct chunk *chunk, const char *paths, chunk_key_fn *fn,
				 void *userdata);
