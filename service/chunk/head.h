/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * head: a chunk's head as bytes.
 *
 * Layer 3 (service/chunk), for chunk.c and the builder. Pure functions. Format: FORMAT.md section 7.
 * Trust: the bytes are from outside; what head_read() lets through is consistent in itself.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/chunk.h"

/* Columns nest no deeper: a document's levels, and as many arrays directly in arrays. */
constexpr uint32_t HEAD_DEPTH_MAX = 64;

/* Columns that every chunk has. */
enum : uint32_t {
	COLUMN_DOCUMENT,
	COLUMN_ID,
	COLUMN_EVENT_TIME,
	COLUMNS_FIXED,
};

struct head {
	uint32_t rows, columns;
	struct chunk_column *column; /* [columns] */
	uint32_t *
		shape_from; /* [columns + 1]: column i's shapes are shape_from[i] to shape_from[i + 1] - 1 */
	struct chunk_shape *shape;
	void *owned; /* what head_read() allocated: all of the above */
};

/* Lanes that a column must have, by its kinds, its sparseness and its number of shapes. */
[[nodiscard]] uint16_t head_lanes(const struct chunk_column *column, uint32_t shapes);

/* Append a head. Returns 0 or -ENOMEM; a failure of out sticks to it. */
[[nodiscard]] int head_write(const struct head *head, struct buf *out);

/*
 * Read and check a head.
 *
 * data      [len] untrusted; borrowed by the columns' keys
 * body_len  of a body in memory; nullptr if the body is in a file
 * ret       set only on success; free ret->owned
 *
 * Returns 0, CHUNK_DAMAGED, CHUNK_TOO_NEW or -ENOMEM. Cost: memory in proportion to len.
 */
[[nodiscard]] int head_read(const uint8_t *data, size_t len, const size_t *body_len,
			    struct head *ret);
