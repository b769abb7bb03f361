/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * small: a key of one part in 16 bytes, if it fits, so that keys are compared without going to where they lie.
 *
 * Layer 5 (service/group). Pure functions. The highest byte of high says what it is: 1 + length of a string, or SMALL_OTHER +
 * kind; it is never 0. Keys are equal if all but the note are equal; 1 and 1.0 differ in the note only.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/kernel.h"
#include "service/vector/cell.h"
#include "service/vector/vector.h"

constexpr uint32_t SMALL_TEXT_MAX = 14;
constexpr uint64_t SMALL_NOTE = UINT64_C(0xff) << 48; /* of a number: which of its equals it was */
constexpr uint32_t SMALL_OTHER = 0x10;

struct small {
	uint64_t low, high;
};

/* Whether two are the same key. */
static inline bool small_same(const struct small *a, const struct small *b)
{
	return ((a->low ^ b->low) | ((a->high ^ b->high) & ~SMALL_NOTE)) == 0;
}

/* A string's. Returns whether it fits. */
static inline bool small_text(struct str text, struct small *ret)
{
	uint32_t len = text.len;
	uint64_t low = 0, high = 0;

	if (len > SMALL_TEXT_MAX)
		return false;
	if (len >= 8) { /* two words that overlap; the second without what the first has */
		low = kernel_load64(text.at);
		high = kernel_load64(text.at + len - 8) >> 1 >> (8 * (16 - len) - 1);
	} else if (len >= 4) {
		low = kernel_load32(text.at) | (uint64_t)kernel_load32(text.at + len - 4)
						       << (8 * (len - 4));
	} else {
		low = kernel_load((const uint8_t *)text.at, len);
	}
	*ret = (struct small) { low, high | (uint64_t)(len + 1) << 56 };
	return true;
}

/* A cell's. Returns whether it fits. */
[[nodiscard]] bool small_of(const struct cell *cell, struct small *ret);

/* The cell; its string is in *small. */
void small_cell(const struct small *small, struct cell *ret);

/* The hashes of small keys [n] under the process's key. */
void small_hash(const uint64_t hash_key[2], const struct small *small, size_t n, uint64_t *ret);

/*
 * The small keys of a vector's entries [n].
 *
 * ret       [n] of those that fit
 * ret_fits  [n] which entries those are
 * ret_rest  [n] the other entries
 *
 * Returns how many fit.
 */
[[nodiscard]] uint32_t small_vector(const struct vector *vector, const uint16_t *entry, uint32_t n,
				    struct small *ret, uint16_t *ret_fits, uint16_t *ret_rest);

/* The hash of a key of n parts: that of the small key if it is one, whoever asks. */
[[nodiscard]] uint64_t small_hash_key(const uint64_t hash_key[2], const struct cell *key,
				      uint32_t n);
