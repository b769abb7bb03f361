/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * footer: the list of chunks at the end of a segment, as bytes.
 *
 * Layer 4 (service/segment). Pure functions. Format: FORMAT.md section 8: u32 "SGF1", u32 chunks; for each u32 first page,
 * u32 pages, u32 length of its head, the head. Then zeros to the end of the page.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

struct footer_chunk {
	uint32_t page, pages; /* of the segment's file; 0 pages if it has no blobs */
	const uint8_t *head;  /* [head_len] */
	size_t head_len;
};

/* Append the beginning of a footer. As with what follows, a failure sticks to out. */
void footer_begin(struct buf *out, uint32_t chunks);

/* Append a chunk. */
void footer_add(struct buf *out, const struct footer_chunk *chunk);

/*
 * Take a footer apart.
 *
 * data    [len] untrusted; the chunks borrow from it
 * pages   all pages of chunks lie below this one
 * ret     [chunks] set only on success
 *
 * Returns whether it is well-formed and has so many chunks.
 */
[[nodiscard]] bool footer_read(const uint8_t *data, size_t len, uint32_t pages, uint32_t chunks,
			       struct footer_chunk *ret);
