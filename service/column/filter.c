/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/filter.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/kernel.h"

constexpr uint32_t BLOCK = 32; /* bytes: 8 words, one bit in each per hash */
constexpr uint32_t WORDS = 8;

/* Odd numbers that make eight bit numbers of one. Source: Apache Parquet, BloomFilter.md. */
static const uint32_t SALT[8] = {
	0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
	0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
};

/* Which block a hash belongs to: the upper half spread over them. */
static uint32_t block_of(uint64_t hash, uint32_t blocks)
{
	return (uint32_t)((hash >> 32) * blocks >> 32);
}

/* The bit of a hash in a word: the upper 5 bits of the lower half times the word's salt. */
static uint32_t bit_of(uint64_t hash, uint32_t word)
{
	return 1u << ((uint32_t)hash * SALT[word] >> 27);
}

static void insert(uint8_t *data, uint32_t blocks, const uint64_t *hash, uint32_t n)
{
	memset(data, 0, (size_t)blocks * BLOCK);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *at = data + (size_t)block_of(hash[i], blocks) * BLOCK;
		uint32_t word[WORDS];

		memcpy(word, at, BLOCK);
		for (uint32_t w = 0; w < WORDS; w++)
			word[w] |= bit_of(hash[i], w);
		memcpy(at, word, BLOCK);
	}
}

/* Blocks for that many different hashes of some bits each. */
static uint32_t blocks_for(uint32_t distinct, enum filter_bits bits)
{
	return (uint32_t)((uint64_t)distinct * bits / (8ull * BLOCK)) + 1;
}

/* How many different hashes went into a filter: each sets one bit of a word, so the zeros left tell. */
static uint32_t count_distinct(const uint8_t *data, uint32_t blocks, uint32_t n)
{
	uint64_t ones = 0, bits = (uint64_t)blocks * (BLOCK * 8ull);

	for (size_t i = 0; i < (size_t)blocks * BLOCK; i += 8)
		ones += (uint64_t)__builtin_popcountll(kernel_load64(data + i));
	if (ones >= bits)
		return n;
	double distinct = -32.0 * blocks * log((double)(bits - ones) / (double)bits);
	return distinct < n ? (uint32_t)distinct : n;
}

void filter_write(struct buf *out, const uint64_t *hash, uint32_t n, enum filter_bits bits)
{
	uint32_t blocks = blocks_for(n, bits);
	uint8_t *data = n > 0 ? buf_reserve(out, (size_t)blocks * BLOCK) : nullptr;

	if (!data)
		return;
	insert(data, blocks, hash, n);

	/* Rather a second pass than a filter that is larger than its set: it is read far more often than written. */
	uint32_t fit = blocks_for(count_distinct(data, blocks, n), bits);
	if (fit < blocks - blocks / 8)
		insert(data, blocks = fit, hash, n);
	out->len += (size_t)blocks * BLOCK;
}

bool filter_check(const uint8_t *data, size_t len)
{
	(void)data;
	return len % BLOCK == 0 && len / BLOCK <= UINT32_MAX;
}

/* Whether all bits of a hash are set in a block. All words are looked at: no guess of the processor's can be wrong. */
KERNEL static bool has_all(const uint8_t *at, uint64_t hash)
{
	uint32_t lacks = 0;

	for (uint32_t w = 0; w < WORDS; w++)
		lacks |= ~kernel_load32(at + (size_t)w * 4) & bit_of(hash, w);
	return lacks == 0;
}

bool filter_may_have(const uint8_t *data, size_t len, uint64_t hash)
{
	auto blocks = (uint32_t)(len / BLOCK);

	return blocks > 0 && has_all(data + (size_t)block_of(hash, blocks) * BLOCK, hash);
}
