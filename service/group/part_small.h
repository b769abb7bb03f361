/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * part_small: the table of a part's small keys.
 *
 * Layer 5 (service/group). Only for part*.c.
 */

#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "service/group/part.h"

/* Begin without slots. */
void part_small_init(struct part *part);

/* The record of a slot that has one. */
static inline struct record *small_record(const struct small *slot)
{
	struct record *record;

	memcpy(&record, slot + 1, sizeof(record));
	return record;
}

/* Give a slot its record. */
static inline void small_set_record(struct small *slot, struct record *record)
{
	memcpy(slot + 1, &record, sizeof(record));
}

/*
 * Find a key's slot, or make it one.
 *
 * ret_new  set to whether it is new: the caller gives it its record, if the part's have records, or undoes it
 *
 * Returns 0, -ENOMEM or -EDQUOT.
 */
[[nodiscard]] int part_small_take(struct part *part, uint64_t hash, const struct small *key,
				  struct small **ret, bool *ret_new);

/* Give a slot back that has just been made. */
void part_small_undo(struct part *part, struct small *slot);

/* A key's record, or nullptr; in a part with records. */
[[nodiscard]] struct record *part_small_get(const struct part *part, uint64_t hash,
					    const struct small *key);

/* The i-th slot's record, or nullptr if it is free; in a part with records. */
[[nodiscard]] struct record *part_small_at(const struct part *part, uint64_t i);

/* Have a hash's slot in the cache soon, and of another hash, whose slot is there, the record. */
void part_small_fetch(const struct part *part, uint64_t far, uint64_t near);
