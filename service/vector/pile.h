/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pile: memory that grows in blocks, never moves and is freed in one go; and the budget of a query that it counts against.
 *
 * Layer 5 (service/vector). A pile belongs to one thread at a time, a budget to any.
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

struct pile {
	struct pile_block *block; /* the one that is being filled, and by it the earlier ones */
	uint8_t *at;		  /* where the next bytes come from */
	size_t left;		  /* bytes there */
	struct budget *budget;	  /* borrowed; or nullptr */
	size_t size;		  /* bytes allocated */
	size_t least;		  /* of the first block; 0: a default */
};

/* Free everything; the pile is empty again and usable. */
void pile_done(struct pile *pile);

/* Forget the contents but keep the latest block for what comes next. */
void pile_clear(struct pile *pile);

/* Begin a block with len bytes; for pile_take(). Returns nullptr if there is no memory. */
[[nodiscard]] void *pile_grow(struct pile *pile, size_t len);

/* Get len bytes, aligned to 8. Returns nullptr if there is no memory; pile_error() says why. */
[[nodiscard]] static inline void *pile_take(struct pile *pile, size_t len)
{
	size_t rounded =
		(len + 7) & ~(size_t)7; /* no caller asks for more than the memory there is */

	if (rounded > pile->left)
		return pile_grow(pile, rounded);
	pile->left -= rounded;
	pile->at += rounded;
	return pile->at - rounded;
}

/* Copy a string in. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int pile_copy(struct pile *pile, struct str *string);

/* Move everything of from to pile, which keeps it; from is empty then. Both have the same budget. */
void pile_join(struct pile *pile, struct pile *from);

/* Why pile_take() of len bytes has failed: -EDQUOT (the query's budget) or -ENOMEM. */
[[nodiscard]] int pile_error(const struct pile *pile, size_t len);
