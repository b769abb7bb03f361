/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * document: a chunk's documents, or parts of them, put together again from their columns.
 *
 * Layer 3 (service/chunk). A reader belongs to one thread. What comes out are packed values (service/value/value.h):
 * the document as it was, its members in their own order.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/chunk.h"
#include "service/value/value.h"

struct document_reader;

/* Make a reader; columns are opened as they are needed and stay open. chunk must outlive it. Returns 0 or -ENOMEM. */
[[nodiscard]] int document_reader_new(struct chunk *chunk, struct document_reader **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct document_reader *document_reader_free(struct document_reader *reader);
CLEANUP_FN(struct document_reader, document_reader_free)

/* The pages that opening its columns has taken. */
[[nodiscard]] struct page_count document_reader_pages(const struct document_reader *reader);

/*
 * Append an entry of a column as a packed value; column 0 is the whole document. A MISSING entry appends null.
 *
 * Returns 0, CHUNK_DAMAGED or -errno; a failure to append sticks to out.
 */
[[nodiscard]] int document_read(struct document_reader *reader, uint32_t column, uint32_t entry,
				struct buf *out);
