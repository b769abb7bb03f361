/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * set: a set of the entries of one block.
 *
 * Layer 5 (service/vector). Pure functions, header-only: these are the inner loops.
 */

#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "service/column/kind.h"

constexpr uint32_t SET_WORDS = COLUMN_BLOCK / 64;

struct set {
	uint64_t word[SET_WORDS];
};

/* A condition's outcome for each entry; of those in neither set it is FALSE. */
struct truth {
	struct set yes, null;
};

/* Walk the members in ascending order: uint32_t i; SET_EACH(&bits, i) { … } */
#define SET_EACH(set, i)                                                                       \
	for (uint32_t word_ = 0; word_ < SET_WORDS; word_++)                                   \
		for (uint64_t left_ = (set)->word[word_];                                      \
		     left_ && ((i) = word_ * 64 + (uint32_t)stdc_trailing_zeros(left_), true); \
		     left_ &= left_ - 1)

/* The first n entries. */
static inline struct set set_first(uint32_t n)
{
	struct set set;

	for (uint32_t w = 0; w < SET_WORDS; w++)
		set.word[w] = n >= (w + 1) * 64 ? UINT64_MAX
			      : n > w * 64	? (UINT64_C(1) << (n - w * 64)) - 1
						: 0;
	return set;
}

/* How many there are: bits are added up in pairs, fours, bytes; no byte of the sum of all words comes to more than 128. */
static inline uint32_t set_count(const struct set *set)
{
	constexpr uint64_t pairs = 0x5555555555555555;
	constexpr uint64_t fours = 0x3333333333333333;
	constexpr uint64_t bytes = 0x0f0f0f0f0f0f0f0f;
	constexpr uint64_t words = 0x00ff00ff00ff00ff;
	uint64_t sum = 0;

	static_assert(SET_WORDS <= 31);
	for (uint32_t w = 0; w < SET_WORDS; w++) {
		uint64_t word = set->word[w];

		word -= word >> 1 & pairs;
		word = (word & fours) + (word >> 2 & fours);
		sum += (word + (word >> 4)) & bytes;
	}
	uint64_t halves = (sum & words) + (sum >> 8 & words);
	return (uint32_t)(halves * 0x0001000100010001 >> 48);
}

/* Whether there is any. */
static inline bool set_any(const struct set *set)
{
	uint64_t any = 0;

	for (uint32_t w = 0; w < SET_WORDS; w++)
		any |= set->word[w];
	return any != 0;
}

/* Whether i is in it. */
static inline bool set_has(const struct set *set, uint32_t i)
{
	return set->word[i / 64] >> (i % 64) & 1;
}

/* Put i in. */
static inline void set_add(struct set *set, uint32_t i)
{
	set->word[i / 64] |= UINT64_C(1) << (i % 64);
}

/* What is in both. */
static inline struct set set_and(const struct set *a, const struct set *b)
{
	struct set set;

	for (uint32_t w = 0; w < SET_WORDS; w++)
		set.word[w] = a->word[w] & b->word[w];
	return set;
}

/* What is in a or b. */
static inline struct set set_or(const struct set *a, const struct set *b)
{
	struct set set;

	for (uint32_t w = 0; w < SET_WORDS; w++)
		set.word[w] = a->word[w] | b->word[w];
	return set;
}

/* What is in a but not in b. */
static inline struct set set_minus(const struct set *a, const struct set *b)
{
	struct set set;

	for (uint32_t w = 0; w < SET_WORDS; w++)
		set.word[w] = a->word[w] & ~b->word[w];
	return set;
}

/* From bytes that are 1 or 0. Eight bytes become eight bits by one multiplication that adds no carries. */
static inline struct set set_from_bytes(const uint8_t byte[COLUMN_BLOCK])
{
	struct set set;

	for (uint32_t w = 0; w < SET_WORDS; w++) {
		uint64_t word = 0;

		for (uint32_t b = 0; b < 8; b++) {
			uint64_t eight;

			memcpy(&eight, byte + (size_t)w * 64 + (size_t)b * 8, sizeof(eight));
			word |= eight * UINT64_C(0x0102040810204080) >> 56 << (b * 8);
		}
		set.word[w] = word;
	}
	return set;
}

/* The members as a list; returns their number. */
static inline uint32_t set_list(const struct set *set, uint16_t out[COLUMN_BLOCK])
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < SET_WORDS; w++) {
		uint64_t left = set->word[w];

		for (uint32_t b = 0; left == UINT64_MAX && b < 64; b++)
			out[n + b] = (uint16_t)(w * 64 + b);
		n += left == UINT64_MAX ? 64 : 0;
		for (left = left == UINT64_MAX ? 0 : left; left; left &= left - 1)
			out[n++] = (uint16_t)(w * 64 + (uint32_t)stdc_trailing_zeros(left));
	}
	return n;
}
