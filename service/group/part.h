/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * part: one hash table of groups.
 *
 * Layer 5 (service/group). Part of groups; belongs to one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/group/aggregate.h"
#include "service/group/raw.h"
#include "service/group/small.h"
#include "service/vector/pile.h"
#include "service/vector/record.h"

/* A record and its hash, so that the hash can be had without going to the record. */
struct entry {
	uint64_t hash;
	struct record *record;
};

/*
 * Small keys have a table of their own: slots of a key, free if its high word is 0, and behind it the record's address. Groups
 * without aggregates have no record until part_settle() makes them: they are nothing but their keys.
 */
struct part {
	const struct layout *layout;
	uint32_t n_keys;
	const uint64_t *hash_key; /* [2] */
	struct entry *slot;	  /* [mask + 1] free if it has no record; nullptr: none yet */
	uint64_t mask;
	uint8_t *small; /* [small_mask + 1] of small_size bytes each; nullptr: none yet */
	uint64_t small_mask;
	size_t small_size;
	size_t n;	  /* groups */
	size_t n_small;	  /* of them in small */
	struct pile pile; /* the records and their strings; its budget counts the slots too */
};

/* Begin an empty part. All is borrowed. */
void part_init(struct part *part, const struct layout *layout, uint32_t n_keys,
	       const uint64_t hash_key[2], struct budget *budget);

/* Make a part empty and usable; its memory is freed. */
void part_clear(struct part *part);

/* Merge records [n]; they are copied. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int part_merge(struct part *part, const struct entry *entry, uint32_t n);

/* The group with a record's key, or nullptr; of parts with aggregates. */
[[nodiscard]] struct record *part_find(const struct part *part, const struct record *like);

/* Memory for merging rows; belongs to one thread at a time. Zero-initialise; free with part_room_done(). */
struct part_room {
	struct vector *value;
};

/* Free what it owns. */
void part_room_done(struct part_room *room);

/* Merge a chunk's rows that belong to the p-th part. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int part_merge_raw(struct part *part, const struct raw *raw, uint32_t p,
				 struct part_room *room);

/* Have a record for each group. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int part_settle(struct part *part);

/* Walk the groups of a settled part, in no order: *at is 0 at first. Returns nullptr after the last. */
[[nodiscard]] struct record *part_next(const struct part *part, uint64_t *at);
