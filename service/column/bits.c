/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/bits.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/kernel.h"

constexpr uint32_t WORD = 128; /* bytes of a transposed word: lanes of 16, 32 or 64 bits */

/* Four vectors are a word. GNU C's vectors, because C's own integer promotion keeps 16-bit lanes from being vectorised. */
typedef uint16_t vec16 [[gnu::vector_size(32)]];
typedef uint32_t vec32 [[gnu::vector_size(32)]];
typedef uint64_t vec64 [[gnu::vector_size(32)]];

struct bits_map bits_map_make(uint64_t base, uint64_t scale)
{
	auto shift = (uint32_t)__builtin_ctzll(scale);
	uint64_t odd = scale >> shift, inverse = odd;

	/* Newton's iteration; each round doubles the right bits, of which there are 3 at first. */
	for (int round = 0; round < 5; round++)
		inverse *= 2 - odd * inverse;
	return (struct bits_map) { .base = base, .odd_inverse = inverse, .shift = shift };
}

bool bits_divides(const struct bits_map *map, uint64_t scale, uint64_t value)
{
	uint64_t mapped = bits_mapped(map, value);

	return mapped <= UINT64_MAX / scale && mapped * scale == value - map->base;
}

/* Bits of a lane that holds numbers of a width. */
static uint32_t lane_bits(uint32_t width)
{
	if (width <= 16)
		return 16;
	return width <= 32 ? 32 : 64;
}

/*
 * Row r of a transposed block is the numbers r * lanes to r * lanes + lanes - 1, one in each lane, at bit r * width of the
 * lane. A number that does not fit the rest of a lane goes on in the next word's. The next word is read in any case
 * and what it does not give is masked, which is quicker than asking.
 */
#define UNPACK(bits, vec)                                                                   \
	KERNEL static void unpack_full##bits(const uint8_t *in, uint32_t width,             \
					     uint##bits##_t *out)                           \
	{                                                                                   \
		auto mask = (uint##bits##_t)(UINT64_MAX >> (64 - width));                   \
                                                                                            \
		for (uint32_t row = 0; row < (bits); row++) {                               \
			uint32_t word = row * width / (bits), shift = row * width % (bits); \
			uint32_t next = word + 1 < width ? word + 1 : word;                 \
			auto down = (uint##bits##_t)shift;                                  \
			auto up = (uint##bits##_t)((bits) - 1 - shift);                     \
                                                                                            \
			for (size_t k = 0; k < WORD; k += sizeof(vec)) {                    \
				vec part, over;                                             \
                                                                                            \
				memcpy(&part, in + (size_t)word * WORD + k, sizeof(part));  \
				memcpy(&over, in + (size_t)next * WORD + k, sizeof(over));  \
				part = (part >> down | over << 1 << up) & mask;             \
				memcpy((uint8_t *)out + (size_t)row * WORD + k, &part,      \
				       sizeof(part));                                       \
			}                                                                   \
		}                                                                           \
	}

UNPACK(16, vec16)
UNPACK(32, vec32)
UNPACK(64, vec64)

/* The same backwards. A word is begun by the number that starts in it or by the one that runs over into it. */
#define PACK_ROWS(bits, vec, number)                                            \
	for (uint32_t row = 0; row < (bits); row++) {                           \
		constexpr uint32_t LANES = WORD * 8 / (bits);                   \
		uint32_t shift = row * width % (bits);                          \
		uint8_t *at = out + (size_t)(row * width / (bits)) * WORD;      \
		uint##bits##_t lane[LANES];                                     \
                                                                                \
		for (uint32_t i = 0; i < LANES; i++)                            \
			lane[i] = (uint##bits##_t)(number);                     \
		for (size_t k = 0; k < WORD; k += sizeof(vec)) {                \
			vec part, have = {};                                    \
                                                                                \
			memcpy(&part, (const uint8_t *)lane + k, sizeof(part)); \
			if (shift > 0)                                          \
				memcpy(&have, at + k, sizeof(have));            \
			have |= part << (uint##bits##_t)shift;                  \
			memcpy(at + k, &have, sizeof(have));                    \
			if (shift + width > (bits)) {                           \
				part >>= (uint##bits##_t)((bits) - shift);      \
				memcpy(at + WORD + k, &part, sizeof(part));     \
			}                                                       \
		}                                                               \
	}

KERNEL static void pack_full16(const uint32_t *number, uint32_t width,
			       uint8_t *out) { PACK_ROWS(16, vec16, number[row * LANES + i]) }

KERNEL static void pack_full32(const uint32_t *number, uint32_t width,
			       uint8_t *out) { PACK_ROWS(32, vec32, number[row * LANES + i]) }

KERNEL static void pack_full64(const uint64_t *value, const struct bits_map *by, uint32_t width,
			       uint8_t *out)
{
	struct bits_map map = *by;

	PACK_ROWS(64, vec64, bits_mapped(&map, value[row * LANES + i]))
}

KERNEL void bits_narrow(const uint64_t *value, const struct bits_map *by, uint32_t n, uint32_t *out)
{
	struct bits_map map = *by;

	if (map.odd_inverse == 1 && map.shift == 0) {
		for (uint32_t i = 0; i < n; i++)
			out[i] = (uint32_t)value[i] - (uint32_t)map.base;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		out[i] = (uint32_t)bits_mapped(&map, value[i]);
}

/* A stream of bits while it is written. */
struct stream {
	uint8_t *out;
	uint64_t word;
	uint32_t have;
};

static inline void stream_put(struct stream *to, uint64_t number, uint32_t width)
{
	to->word |= number << to->have;
	if (to->have + width < 64) {
		to->have += width;
		return;
	}
	memcpy(to->out, &to->word, sizeof(to->word));
	to->out += sizeof(to->word);
	to->word = to->have > 0 ? number >> (64 - to->have) : 0;
	to->have = to->have + width - 64;
}

void bits_pack32(const uint32_t *number, uint32_t width, uint32_t n, uint8_t *out)
{
	struct stream to = { .out = out };

	if (n == BITS_BLOCK && width <= 16) {
		pack_full16(number, width, out);
		return;
	}
	if (n == BITS_BLOCK) {
		pack_full32(number, width, out);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		stream_put(&to, number[i], width);
	memcpy(to.out, &to.word, (to.have + 7) / 8);
}

void bits_pack64(const uint64_t *value, const struct bits_map *map, uint32_t width, uint32_t n,
		 uint8_t *out)
{
	struct stream to = { .out = out };

	if (n == BITS_BLOCK) {
		pack_full64(value, map, width, out);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		stream_put(&to, bits_mapped(map, value[i]), width);
	memcpy(to.out, &to.word, (to.have + 7) / 8);
}

/* A number of a plain stream. Near the end fewer bytes are read, so that none past it is. */
static inline uint64_t get_few(const uint8_t *in, uint32_t width, size_t size, uint32_t i)
{
	size_t bit = (size_t)i * width, at = bit / 8;
	uint32_t shift = bit % 8;
	uint64_t word = at + 8 <= size ? kernel_load64(in + at)
				       : kernel_load(in + at, (uint32_t)(size - at));

	word >>= shift;
	if (shift + width > 64)
		word |= ((uint64_t)in[at + 8] << 1) << (63 - shift);
	return word & UINT64_MAX >> (64 - width);
}

#define UNPACK_FEW(bits)                                                            \
	static void unpack_few##bits(const uint8_t *in, uint32_t width, uint32_t n, \
				     uint##bits##_t *out)                           \
	{                                                                           \
		size_t size = bits_size(width, n);                                  \
                                                                                    \
		for (uint32_t i = 0; i < n; i++)                                    \
			out[i] = (uint##bits##_t)get_few(in, width, size, i);       \
	}

UNPACK_FEW(16)
UNPACK_FEW(32)
UNPACK_FEW(64)

void bits_unpack16(const uint8_t *in, uint32_t width, uint32_t n, uint16_t out[BITS_BLOCK])
{
	if (width == 0)
		memset(out, 0, n * sizeof(*out));
	else if (n < BITS_BLOCK)
		unpack_few16(in, width, n, out);
	else
		unpack_full16(in, width, out);
}

KERNEL static void widen(const uint16_t in[BITS_BLOCK], uint32_t out[BITS_BLOCK])
{
	for (uint32_t i = 0; i < BITS_BLOCK; i++)
		out[i] = in[i];
}

void bits_unpack32(const uint8_t *in, uint32_t width, uint32_t n, uint32_t out[BITS_BLOCK])
{
	KERNEL_SCRATCH uint16_t narrow[BITS_BLOCK];

	if (width == 0) {
		memset(out, 0, n * sizeof(*out));
	} else if (n < BITS_BLOCK) {
		unpack_few32(in, width, n, out);
	} else if (width <= 16) {
		unpack_full16(in, width, narrow);
		widen(narrow, out);
	} else {
		unpack_full32(in, width, out);
	}
}

void bits_unpack64(const uint8_t *in, uint32_t width, uint32_t n, uint64_t out[BITS_BLOCK])
{
	if (n < BITS_BLOCK)
		unpack_few64(in, width, n, out);
	else
		unpack_full64(in, width, out);
}

uint64_t bits_get(const uint8_t *in, uint32_t width, uint32_t n, uint32_t i)
{
	if (width == 0)
		return 0;
	if (n < BITS_BLOCK)
		return get_few(in, width, bits_size(width, n), i);

	uint32_t bits = lane_bits(width), bytes = bits / 8, lanes = WORD / bytes;
	uint32_t bit = i / lanes * width, word = bit / bits, shift = bit % bits;
	const uint8_t *at = in + (size_t)word * WORD + (size_t)(i % lanes) * bytes;
	uint64_t number = kernel_load(at, bytes) >> shift;

	if (shift + width > bits)
		number |= kernel_load(at + WORD, bytes) << (bits - shift);
	return number & UINT64_MAX >> (64 - width);
}
