/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bits: up to 1024 unsigned numbers, packed to a number of bits each.
 *
 * Layer 2 (service/column). Pure functions; the callers have checked that the bytes are there (bits_size).
 * Format: FORMAT.md section 3. A full block of 1024 is transposed: its numbers lie in the lanes of 128-byte words, so that one
 * vector instruction works on neighbours. Fewer numbers are a plain stream of bits.
 * Source: Afroozeh, Boncz: The FastLanes Compression Layout, VLDB 2023 (the idea, not the order of lanes).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/kernel.h"

constexpr uint32_t BITS_BLOCK = 1024;

/* How numbers become what is packed: (value - base) / scale, which is exact. */
struct bits_map {
	uint64_t base;
	uint64_t odd_inverse; /* of scale without its factors of 2, modulo 2^64 */
	uint32_t shift;	      /* those factors */
};

/* Bits that a number needs, 0 to 64. */
[[nodiscard]] static inline uint32_t bits_width(uint64_t value)
{
	return value == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(value);
}

/* Bytes of n numbers, at most BITS_BLOCK, of that many bits. */
[[nodiscard]] static inline size_t bits_size(uint32_t width, uint32_t n)
{
	return ((size_t)width * n + 7) / 8;
}

/* The map for a scale of 1 or more. */
[[nodiscard]] struct bits_map bits_map_make(uint64_t base, uint64_t scale);

/* Whether a number less the base is a multiple of scale. */
[[nodiscard]] bool bits_divides(const struct bits_map *map, uint64_t scale, uint64_t value);

/* What is packed for a number. */
[[nodiscard]] static inline uint64_t bits_mapped(const struct bits_map *map, uint64_t value)
{
	return ((value - map->base) >> map->shift) * map->odd_inverse;
}

/* Map value[n] to numbers that all fit 32 bits. */
void bits_narrow(const uint64_t *value, const struct bits_map *by, uint32_t n, uint32_t *out);

/* Pack number[n], each of width bits, 1 to 32. Writes bits_size() bytes. */
void bits_pack32(const uint32_t *number, uint32_t width, uint32_t n, uint8_t *out);

/* Pack value[n] through a map; width is 33 to 64 for a full block, 1 to 64 for fewer. Writes bits_size() bytes. */
void bits_pack64(const uint64_t *value, const struct bits_map *map, uint32_t width, uint32_t n,
		 uint8_t *out);

/* Unpack numbers of 0 to 16 bits. Past n, out holds anything. */
void bits_unpack16(const uint8_t *in, uint32_t width, uint32_t n, uint16_t out[BITS_BLOCK]);

/* Unpack numbers of 0 to 32 bits. Past n, out holds anything. */
void bits_unpack32(const uint8_t *in, uint32_t width, uint32_t n, uint32_t out[BITS_BLOCK]);

/* Unpack numbers of 33 to 64 bits. Past n, out holds anything. */
void bits_unpack64(const uint8_t *in, uint32_t width, uint32_t n, uint64_t out[BITS_BLOCK]);

/* Number i of n. */
[[nodiscard]] uint64_t bits_get(const uint8_t *in, uint32_t width, uint32_t n, uint32_t i);
