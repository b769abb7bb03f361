/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * state: what a collection holds after a batch: snapshot.h from within.
 *
 * Layer 4 (service/snapshot). Whoever has made a state may change it until it is shown to others; then nobody may.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/segment/gone.h"
#include "service/segment/part.h"
#include "service/snapshot/snapshot.h"

struct entry {
	struct snapshot_chunk view;
	struct part *part;
	struct gone *gone; /* or nullptr */
};

struct snapshot {
	atomic_uint refs;
	struct snapshot *next; /* while it waits to be durable; its collection's lock guards it */
	uint64_t position;     /* in the log, of its last batch */
	int64_t documents;     /* that are not deleted */
	int64_t bytes;	       /* of these, about */
	size_t memory_parts;   /* of all parts, those in memory */
	uint64_t memory_rows, memory_bytes;
	size_t n, room;
	struct entry entry[]; /* [n] */
};

/* Make an empty one with room for parts. Returns 0 or -ENOMEM. */
[[nodiscard]] int state_new(size_t room, struct snapshot **ret);

/* Make one that holds what another holds, with room for more parts. Returns 0 or -ENOMEM. */
[[nodiscard]] int state_copy(const struct snapshot *from, size_t more, struct snapshot **ret);

/* Put a part at the end. There must be room. gone, which may be nullptr, and part are the callee's from now on. */
void state_push(struct snapshot *state, struct part *part, struct gone *gone);

/* Delete a row of an entry. Returns 0 or -ENOMEM; *ret_new is whether it was there. */
[[nodiscard]] int state_delete(struct snapshot *state, size_t index, uint32_t row, bool *ret_new);
