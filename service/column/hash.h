/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * hash: 64-bit hashes of strings and numbers for filters and hash tables.
 *
 * Layer 2 (service/column). Pure functions. Two families: hash_stable() is part of the file format and has no key; whoever
 * uses it must bear with chosen collisions (a filter does: it only loses speed). hash_keyed() takes the process's random key and is for tables.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

/* Source: wyhash final version 4's mixing (public domain), written anew. */
[[nodiscard]] uint64_t hash_stable(const void *data, size_t len);

/* Of an integer. */
[[nodiscard]] uint64_t hash_stable_int(int64_t value);

/* The same under a key of 16 random bytes. */
[[nodiscard]] uint64_t hash_keyed(const uint64_t key[2], const void *data, size_t len);

/* Of an integer under a key. */
[[nodiscard]] uint64_t hash_keyed_int(const uint64_t key[2], uint64_t value);

/* Of pairs of words under a key: word[2 i] and those bits of word[2 i + 1] that are in mask, i below n. */
void hash_keyed_pairs(const uint64_t key[2], const uint64_t *word, uint64_t mask, size_t n,
		      uint64_t *out);
