/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * local: one thread's groups of one chunk, found by small numbers where keys have such, else by hash.
 *
 * Layer 5 (service/group). Belongs to one thread. When most rows are groups of their own, looking for equal ones is given up:
 * what comes out may then have a key more than once, or rows as they are (raw), which merging puts right.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/group/aggregate.h"
#include "service/group/groups.h"
#include "service/vector/vector.h"

struct local;

/*
 * Make one.
 *
 * layout    of the states; borrowed
 * n_keys    parts of a key
 * hash_key  the process's
 * pool      for rows that are taken as they are, with the same layout; its budget is used for all
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int local_new(const struct layout *layout, uint32_t n_keys,
			    const uint64_t hash_key[2], struct raw_pool *pool, struct local **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct local *local_free(struct local *local);
CLEANUP_FN(struct local, local_free)

/* What cannot be added up. */
struct bad_value {
	enum kind kind;
	uint32_t aggregate; /* whose argument it is */
};

/*
 * Take in the selected entries of a block.
 *
 * key    [n_keys]
 * value  [layout->n] the aggregates' arguments; nullptr for COUNT(*)
 *
 * Returns 0, AGGREGATE_BAD_KIND (*ret_bad says of what), -ENOMEM or -EDQUOT.
 */
[[nodiscard]] int local_add(struct local *local, const struct vector *const *key,
			    const struct vector *const *value, const struct set *selection,
			    struct bad_value *ret_bad);

/* End the chunk: what it has, or nullptr if nothing; local is empty again. Dictionaries must still be there. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int local_end(struct local *local, struct partial **ret);
