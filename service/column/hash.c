/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/hash.h"

#include <stddef.h>
#include <stdint.h>

#include "service/column/kernel.h"

/* Odd, with as many ones as zeros in each byte. Source: wyhash. */
constexpr uint64_t S0 = 0xa0761d6478bd642f;
constexpr uint64_t S1 = 0xe7037ed1a0b428db;
constexpr uint64_t S2 = 0x8ebc6af09c88c6e3;
constexpr uint64_t S3 = 0x589965cc75374cc3;

__extension__ typedef unsigned __int128 product;

/* Multiply to 128 bits and put the halves on top of each other. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	product p = (product)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* The last steps: two words, the state and the length. */
static inline uint64_t finish(uint64_t a, uint64_t b, uint64_t state, size_t len, uint64_t secret)
{
	product p = (product)(a ^ secret) * (b ^ state);

	return mix((uint64_t)p ^ S0 ^ len, (uint64_t)(p >> 64) ^ secret);
}

/* At most 16 bytes: two words that overlap and together hold them all. */
static inline uint64_t hash_short(const uint8_t *at, size_t len, uint64_t state, uint64_t secret)
{
	uint64_t a = 0, b = 0;

	if (len >= 4) {
		size_t half = len / 8 * 4;

		a = (uint64_t)kernel_load32(at) << 32 | kernel_load32(at + half);
		b = (uint64_t)kernel_load32(at + len - 4) << 32 |
		    kernel_load32(at + len - 4 - half);
	} else if (len > 0) {
		a = (uint64_t)at[0] << 16 | (uint64_t)at[len / 2] << 8 | at[len - 1];
	}
	return finish(a, b, state, len, secret);
}

static uint64_t hash_bytes(const uint8_t *at, size_t len, uint64_t state, uint64_t secret)
{
	if (len <= 16)
		return hash_short(at, len, state, secret);

	size_t left = len;
	if (left >= 48) {
		uint64_t second = state, third = state;

		for (; left >= 48; at += 48, left -= 48) {
			state = mix(kernel_load64(at) ^ secret, kernel_load64(at + 8) ^ state);
			second = mix(kernel_load64(at + 16) ^ secret ^ S2,
				     kernel_load64(at + 24) ^ second);
			third = mix(kernel_load64(at + 32) ^ secret ^ S3,
				    kernel_load64(at + 40) ^ third);
		}
		state ^= second ^ third;
	}
	for (; left > 16; at += 16, left -= 16)
		state = mix(kernel_load64(at) ^ secret, kernel_load64(at + 8) ^ state);
	return finish(kernel_load64(at + left - 16), kernel_load64(at + left - 8), state, len,
		      secret);
}

uint64_t hash_stable(const void *data, size_t len)
{
	return hash_bytes(data, len, S0, S1);
}

uint64_t hash_stable_int(int64_t value)
{
	return mix(mix((uint64_t)value ^ S0, S1) ^ S2, S3);
}

uint64_t hash_keyed(const uint64_t key[2], const void *data, size_t len)
{
	return hash_bytes(data, len, key[0], S1 ^ key[1]);
}

uint64_t hash_keyed_int(const uint64_t key[2], uint64_t value)
{
	return mix(mix(value ^ key[0], S1 ^ key[1]) ^ S2, S3 ^ key[0]);
}

void hash_keyed_pairs(const uint64_t key[2], const uint64_t *word, uint64_t mask, size_t n,
		      uint64_t *out)
{
	uint64_t first = key[0], second = S1 ^ key[1], third = S3 ^ key[0];

	for (size_t i = 0; i < n; i++)
		out[i] = mix(mix(word[2 * i] ^ first, (word[2 * i + 1] & mask) ^ second) ^ S2,
			     third);
}
