/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * local_hash: groups of one chunk found by the hash of their keys. They are made right in the partial that they leave in.
 *
 * Layer 5 (service/group). Part of local; belongs to one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/group/groups.h"
#include "service/vector/vector.h"

struct local_hash;

/* Make one for keys of n_keys parts. Returns 0 or -ENOMEM. */
[[nodiscard]] int local_hash_new(uint32_t n_keys, uint32_t states_len, const uint64_t hash_key[2],
				 struct local_hash **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct local_hash *local_hash_free(struct local_hash *hash);
CLEANUP_FN(struct local_hash, local_hash_free)

/* The hash of a key [n_keys]. */
[[nodiscard]] uint64_t local_hash_of(const struct local_hash *hash, const struct cell *key);

/* Find the groups of entries [n] in partial, or make them: their states go to state[n]. Returns 0, -ENOMEM or -EDQUOT. */
[[nodiscard]] int local_hash_find(struct local_hash *hash, struct partial *partial,
				  const struct vector *const *key, const uint16_t *entry,
				  uint32_t n, uint8_t **state);

/* Forget the groups. */
void local_hash_end(struct local_hash *hash);
