/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * partial: the groups of one chunk on their way into the tables, as records; those of one part of the tables lie together.
 *
 * Layer 5 (service/group). Who merges a part then reads memory in its order. Belongs to one thread until it is given away;
 * what is done with it is used again for another chunk.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/vector/pile.h"
#include "service/vector/record.h"

constexpr uint32_t PARTIAL_PARTS = 64;

struct partial_block {
	struct partial_block *next;
	uint32_t used, size; /* bytes of data */
	_Alignas(8) uint8_t data[];
};

struct partial {
	struct budget *budget;
	struct partial_block *first[PARTIAL_PARTS], *last[PARTIAL_PARTS];
	struct pile strings;	/* of states */
	uint32_t n;		/* records */
	_Atomic uint32_t lanes; /* groups.c's: that have still to merge it */
	struct partial *next;	/* groups.c's */
};

/* Make one. Returns 0 or -ENOMEM. */
[[nodiscard]] int partial_new(struct budget *budget, struct partial **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct partial *partial_free(struct partial *partial);
CLEANUP_FN(struct partial, partial_free)

/* Forget the records, but keep the memory. */
void partial_clear(struct partial *partial);

/* Add a record with room for a key, its states zero. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int partial_add(struct partial *partial, uint64_t hash, uint32_t states_len,
			      uint32_t key_len, struct record **ret);

/* The part where a hash belongs. */
static inline uint32_t partial_part(uint64_t hash)
{
	static_assert(PARTIAL_PARTS == 1u << (64 - 58));
	return (uint32_t)(hash >> 58);
}

/* Where one is in a part's records. */
struct partial_cursor {
	const struct partial_block *block;
	uint32_t at;
};

/* Before a part's first record. */
static inline struct partial_cursor partial_begin(const struct partial *partial, uint32_t part)
{
	return (struct partial_cursor) { partial->first[part], 0 };
}

constexpr uint32_t PARTIAL_AHEAD = 1024; /* bytes that are fetched before they are read */

/* The next record, in the order in which they were added, or nullptr. */
static inline const struct record *partial_next(struct partial_cursor *cursor)
{
	while (cursor->block && cursor->at == cursor->block->used)
		*cursor = (struct partial_cursor) { cursor->block->next, 0 };
	if (!cursor->block)
		return nullptr;
	const struct record *record = (const void *)(cursor->block->data + cursor->at);
	__builtin_prefetch(cursor->block->data + cursor->at + PARTIAL_AHEAD);
	cursor->at += (uint32_t)record_size(record);
	return record;
}
