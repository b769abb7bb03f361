/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * groups: all groups of a grouping, in 64 hash tables by their hash, and the chunks' groups on their way into them.
 *
 * Layer 5 (service/group). Each chunk's groups are merged in the order of chunks, whatever thread has them ready first: so
 * that sums of floats are the same in every run. Lanes of tables are merged side by side.
 * Threads: groups_give() from any; the rest by one when all have ended.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/query.h"
#include "service/group/aggregate.h"
#include "service/group/part.h"
#include "service/vector/pile.h"
#include "service/vector/record.h"

constexpr uint32_t GROUPS_PARTS = 64;

/* Groups of one chunk. */
struct partial {
	struct pile pile;    /* the records and their strings */
	struct entry *entry; /* [n] */
	struct raw *raw;     /* rows that are merged after the records; or nullptr */
	uint32_t n, size;
	uint32_t end[GROUPS_PARTS]; /* once sorted: where each part's records end */
	_Atomic uint32_t lanes;	    /* that have still to merge it */
	size_t bytes;
};

/* Make one. Returns 0 or -ENOMEM. */
[[nodiscard]] int partial_new(struct budget *budget, struct partial **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct partial *partial_free(struct partial *partial);
CLEANUP_FN(struct partial, partial_free)

/* Add a record with room for a key, its states zero. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int partial_add(struct partial *partial, uint64_t hash, uint32_t states_len,
			      uint32_t key_len, struct record **ret);

struct groups;

/*
 * Make empty tables.
 *
 * query    whose memory they take and which they serve; borrowed
 * layout   of the states; borrowed
 * n_keys   parts of a key
 * turns    how many partials will be given, numbered from 0; those who give wait a while for the turns before, unless the query has failed
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int groups_new(struct exec_query *query, const struct layout *layout, uint32_t n_keys,
			     uint32_t turns, bool may_spill, struct groups **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct groups *groups_free(struct groups *groups);
CLEANUP_FN(struct groups, groups_free)

/* Give a chunk's groups away (or nullptr: it has none) and merge what has its turn. Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT, -ENOMEM, -EDQUOT or another -errno. */
[[nodiscard]] int groups_give(struct groups *groups, uint32_t turn, struct partial **partial);

/* All has been given. Returns 0 or -errno. */
[[nodiscard]] int groups_end(struct groups *groups);

/* Bytes that went to disk. */
[[nodiscard]] uint64_t groups_spilled(const struct groups *groups);

/*
 * Have a part, below GROUPS_PARTS, in memory; another that was fetched from disk may go.
 *
 * Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT, -ENOMEM, -EDQUOT, -EBADMSG (what was spilled is damaged) or another -errno.
 */
[[nodiscard]] int groups_fetch(struct groups *groups, uint32_t part, const struct part **ret);

/* The same, and its groups can be walked. Returns as groups_fetch(). */
[[nodiscard]] int groups_settle(struct groups *groups, uint32_t part, const struct part **ret);

/* The part where a hash belongs. */
[[nodiscard]] static inline uint32_t groups_part(uint64_t hash)
{
	static_assert(GROUPS_PARTS == 1u << (64 - 58));
	return (uint32_t)(hash >> 58);
}
