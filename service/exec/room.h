/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * room: memory that grows in blocks, never moves and is freed in one go; and the budget of a query that it counts against.
 *
 * Layer 5 (service/exec). A room belongs to one thread at a time, a budget to any.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/strings.h"

struct budget {
	_Atomic size_t used;
	size_t limit;
};

/* Count bytes in. Returns 0, or -EDQUOT if that passes the limit (nothing is counted then). budget may be nullptr. */
[[nodiscard]] int budget_take(struct budget *budget, size_t bytes);

/* Count bytes out again. */
void budget_give(struct budget *budget, size_t bytes);

struct room {
	struct room_block *block; /* the one that is being filled, and by it the earlier ones */
	struct budget *budget;	  /* borrowed; or nullptr */
	size_t size;		  /* bytes allocated */
	size_t least;		  /* of the first block; 0: a default */
};

/* Free everything; the room is empty again and usable. */
void room_done(struct room *room);

/* Forget the contents but keep the latest block for what comes next. */
void room_clear(struct room *room);

/* Get len bytes, aligned to 8. Returns nullptr if there is no memory; room_error() says why. */
[[nodiscard]] void *room_take(struct room *room, size_t len);

/* Copy a string in. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int room_copy(struct room *room, struct str *string);

/* Move everything of from to room, which keeps it; from is empty then. Both have the same budget. */
void room_join(struct room *room, struct room *from);

/* Why room_take() of len bytes has failed: -EDQUOT (the query's budget) or -ENOMEM. */
[[nodiscard]] int room_error(const struct room *room, size_t len);
