/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * segment_body: what the writer of segments has to know of a segment's insides.
 *
 * Layer 4 (service/segment).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/disk/sealed.h"
#include "service/segment/part.h"

/* Write what a segment's file is sealed as. */
void segment_context(const char *uuid, int64_t n, char ret[SEALED_CONTEXT_MAX]);

/* Where the pages of a part's chunk are in its segment's file. */
void segment_place(const struct part *part, uint32_t *ret_page, uint32_t *ret_pages);

/* Read pages of a part's segment, past the cache. Returns 0, -EBADMSG or another -errno. */
[[nodiscard]] int segment_read(const struct part *part, uint32_t page, uint32_t pages,
			       uint8_t *ret);
