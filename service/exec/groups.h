/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * groups: all groups of a grouping, in 64 hash tables by their hash, and the chunks' groups on their way into them.
 *
 * Layer 5 (service/exec). Each chunk's groups are merged in the order of chunks, whatever thread has them ready first: so
 * that sums of floats are the same in every run. Lanes of tables are merged side by side.
 * Threads: groups_give() from any; the rest by one when all have ended.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/exec/aggregate.h"
#include "service/exec/pile.h"
#include "service/exec/record.h"

constexpr uint32_t GROUPS_PARTS = 64;

/* A record and its hash, so that the hash can be had without going to the record. */
struct entry {
	uint64_t hash;
	struct record *record;
};

/* Groups of one chunk. */
struct partial {
	struct pile room;    /* the records and their strings */
	struct entry *entry; /* [n] */
	uint32_t n, size;
	uint32_t end[GROUPS_PARTS]; /* once sorted: where each part's records end */
	_Atomic uint32_t lanes;	    /* that have still to merge it */
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
 * layout  of the states; borrowed
 * n_keys  parts of a key
 * turns   how many partials will be given, numbered from 0
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int groups_new(const struct layout *layout, uint32_t n_keys, uint32_t turns,
			     struct budget *budget, struct groups **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct groups *groups_free(struct groups *groups);
CLEANUP_FN(struct groups, groups_free)

/* Give a chunk's groups away (or nullptr: it has none) and merge what has its turn. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int groups_give(struct groups *groups, uint32_t turn, struct partial **partial);

/* How many there are. */
[[nodiscard]] size_t groups_count(const struct groups *groups);

typedef int groups_fn(void *userdata, struct record *record);

/* Call fn for each; it may change the states. Returns 0 or what fn returned to stop. */
[[nodiscard]] int groups_each(const struct groups *groups, groups_fn *fn, void *userdata);

/* Find the group with a record's key of n_keys parts, or nullptr. */
[[nodiscard]] struct record *groups_find(const struct groups *groups, const struct record *like);
