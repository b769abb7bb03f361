/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * part: a chunk that a collection holds, in memory or in a segment. Everything but the keeper's notes is immutable.
 *
 * Layer 4 (service/segment). Reference counted, by any thread.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/segment/gone.h"
#include "service/segment/ids.h"

struct segment;

struct part {
	atomic_uint refs;
	struct chunk *chunk;
	uint32_t rows;
	uint64_t size; /* bytes */

	/* In memory: */
	struct ids_index *index;
	uint64_t
		first; /* position in the log of the oldest batch in it; set before it is shown to others */

	/* In a segment: */
	struct segment *segment;
	uint32_t number; /* of the chunk in it, from 0 */

	/* Notes, for the keeper's thread only. */
	struct gone *saved; /* what the catalog has of the rows that are deleted */
	uint64_t since_us;  /* wall time when it first had any; 0: none */
};

/*
 * Make a part of a chunk.
 *
 * chunk    given away on success, as is segment
 * index    of a chunk in memory, given away on success; else nullptr
 * segment  and which chunk of it; or nullptr
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int part_new(struct chunk **chunk, struct ids_index **index, struct segment **segment,
			   uint32_t number, struct part **ret);

/* Make a part in memory of a chunk, and its index. chunk is given away on success. Returns 0, -EBADMSG or -ENOMEM. */
[[nodiscard]] int part_of_chunk(struct chunk **chunk, struct part **ret);

/* Take part in its life. Returns part. */
struct part *part_ref(struct part *part);

/* Leave it. nullptr is a no-op. Always returns nullptr. */
struct part *part_unref(struct part *part);
CLEANUP_FN(struct part, part_unref)
