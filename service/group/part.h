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
#include "service/vector/pile.h"
#include "service/vector/record.h"

/* A record and its hash, so that the hash can be had without going to the record. */
struct entry {
	uint64_t hash;
	struct record *record;
};

struct part {
	const struct layout *layout;
	uint32_t n_keys;
	struct entry *slot; /* [mask + 1] free if it has no record; nullptr: none yet */
	uint64_t mask;
	size_t n;	  /* groups */
	struct pile pile; /* the records and their strings; its budget counts the slots too */
};

/* Make a part empty and usable; its memory is freed. */
void part_clear(struct part *part);

/* Merge records [n]; they are copied. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int part_merge(struct part *part, const struct entry *entry, uint32_t n);

/* The group with a record's key, or nullptr. */
[[nodiscard]] struct record *part_find(const struct part *part, const struct record *like);
