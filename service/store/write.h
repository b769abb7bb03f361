/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * write: a batch of new documents on its way: packed, made findable, put on top of a state.
 *
 * Layer 4 (service/store). The first two steps need no lock; reading the log back takes the same way.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/builder.h"
#include "service/segment/ids.h"
#include "service/segment/part.h"
#include "service/snapshot/state.h"
#include "service/store/live.h"

struct write {
	struct part *part;
	struct ids ids;
	struct gone *gone; /* rows whose _id comes again in the batch; or nullptr */
	bool *replaced;	   /* [rows] whether it takes the place of another document */
	uint8_t *frame; /* [frame_len] the batch for the log: the chunk's own bytes, and a tail */
	size_t frame_len;
};

/* Free what it owns. */
void write_done(struct write *write);

/* Take a builder's documents. Returns 0 or -errno; *ret is set only on success. */
[[nodiscard]] int write_pack(struct builder *builder, struct write *ret);

/*
 * Take a chunk's bytes, with room for a tail after them.
 *
 * bytes  given away on success; freed with free()
 *
 * Returns 0, -EBADMSG (they are no chunk of documents) or another -errno.
 */
[[nodiscard]] int write_open(uint8_t **bytes, size_t chunk_len, struct write *ret);

/*
 * In one's turn: make the state that has the documents, and has those deleted that they replace.
 *
 * Returns 0, -EBADMSG (what is stored is damaged) or another -errno.
 */
[[nodiscard]] int write_apply(struct write *write, struct live *live, struct snapshot **ret);

/* In one's turn: delete documents by _id from a draft of the tip. Returns as write_apply(). */
[[nodiscard]] int write_delete(struct live *live, struct snapshot *draft, const struct ids *ids);

/*
 * Log a batch and pass the turn on, which is the caller's until then; then wait until it is durable and visible.
 *
 * draft  given away; or nullptr if there is nothing to be changed
 * r      what has failed before, or 0
 *
 * Returns r, or 0, or -errno: it did not happen.
 */
[[nodiscard]] int write_log(struct live *live, struct snapshot **draft, struct log_batch *batch,
			    int r);
