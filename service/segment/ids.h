/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ids: the _ids of a chunk's rows: as a list to be looked for elsewhere, and as an index to be found in.
 *
 * Layer 4 (service/segment). Immutable after it was made. A chunk in a segment has a filter and an order of its own (LANE_FILTER,
 * LANE_ORDER); one in memory has this.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/chunk.h"
#include "service/column/strings.h"

/* _ids that are to be found. */
struct ids {
	uint32_t n;
	uint64_t *hash; /* [n] */
	struct str *id; /* [n] borrowed, or in text */
	uint8_t *text;	/* their bytes, if they are its own */
};

/* Read the _ids of all rows of a chunk. Returns 0, -EBADMSG (they are not all there) or -ENOMEM; ids_done() frees them. */
[[nodiscard]] int ids_of_chunk(struct chunk *chunk, struct ids *ret);

/* Take id[n], which are borrowed. Returns 0 or -ENOMEM; ids_done() frees what it needs itself. */
[[nodiscard]] int ids_of_list(const struct str *id, size_t n, struct ids *ret);

/* Free what it owns. */
void ids_done(struct ids *ids);

struct ids_index;

/* Make an index of ids, row by row. Returns 0 or -ENOMEM. */
[[nodiscard]] int ids_index_new(const struct ids *ids, struct ids_index **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct ids_index *ids_index_free(struct ids_index *index);
CLEANUP_FN(struct ids_index, ids_index_free)

/* Whether a hash may be in the index (about 1 in 100 is said to be and is not). */
[[nodiscard]] bool ids_index_may_have(const struct ids_index *index, uint64_t hash);

/*
 * Where in the index the rows are that may have an _id with this hash: there they lie in the order of their _ids, those with
 * one _id in ascending order. So however many _ids somebody makes with one hash, one of them is found in few steps.
 *
 * Returns how many there are; *ret_first is set only if there are any.
 */
[[nodiscard]] uint32_t ids_index_find(const struct ids_index *index, uint64_t hash,
				      uint32_t *ret_first);

/* The row at a place in the index. */
[[nodiscard]] uint32_t ids_index_row(const struct ids_index *index, uint32_t at);

/*
 * The rows of ids whose _id comes again, each with the next row that has it.
 *
 * fn  called for each
 *
 * Returns 0 or what fn returned, if that is not 0.
 */
typedef int ids_row_fn(void *userdata, uint32_t row, uint32_t later);
[[nodiscard]] int ids_each_repeated(const struct ids *ids, const struct ids_index *index,
				    ids_row_fn *fn, void *userdata);

/* Hashes of all _ids that several indexes have: one look instead of one in each. Says yes wrongly about once in 50. */
struct ids_seen;

/* Make an empty one, for some 100,000 hashes. Returns 0 or -ENOMEM. */
[[nodiscard]] int ids_seen_new(struct ids_seen **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct ids_seen *ids_seen_free(struct ids_seen *seen);
CLEANUP_FN(struct ids_seen, ids_seen_free)

/* Add the hashes of an index. */
void ids_seen_add(struct ids_seen *seen, const struct ids_index *index);

/* Whether a hash may be in it. */
[[nodiscard]] bool ids_seen_may_have(const struct ids_seen *seen, uint64_t hash);
