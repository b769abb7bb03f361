/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pages: a chunk's blobs being laid out in pages.
 *
 * Layer 4 (service/segment). Belongs to one thread. A large blob may begin in the middle of a page, a small one never
 * crosses into another: reading a blob should cost few pages, and pages should be full.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/chunk.h"
#include "service/disk/sealed.h"

constexpr size_t PAGES_OPEN = 8; /* pages with room for a small blob that are kept in mind */

struct pages {
	struct buf data; /* all pages so far; the last one may be short */
	struct {
		uint32_t page, used;
	} open[PAGES_OPEN];
	size_t n_open;
};

/* Empty pages. */
[[nodiscard]] struct pages pages_make(void);

/* Free what it owns. */
void pages_done(struct pages *pages);

/* Forget all blobs. */
void pages_clear(struct pages *pages);

/* Put a blob, data[len] with len > 0, somewhere. Returns 0 or -errno. */
[[nodiscard]] int pages_add(struct pages *pages, const void *data, size_t len, struct blob *ret);
