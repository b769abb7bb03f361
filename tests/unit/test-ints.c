/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/ints.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/bits.h"
#include "service/column/hash.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint32_t N_MAX = 5000;
constexpr size_t PACKED = 128 * 64;

/* Blocks are read into one place, so that the tests' frames stay small. */
struct room {
	int64_t wide[COLUMN_BLOCK];
	uint16_t narrow[COLUMN_BLOCK];
	uint8_t tiny[COLUMN_BLOCK];
	uint8_t yes[COLUMN_BLOCK];
};

static uint64_t random_of(uint64_t i)
{
	return hash_stable_int((int64_t)i);
}

/* Whether a block reads as value[n] in every width that holds it, and within its bounds. */
static bool block_is(const struct ints *ints, uint32_t block, const int64_t *value, uint32_t n,
		     struct room *room)
{
	int64_t low, high;

	ints_read(ints, block, room->wide);
	ints_bounds(ints, block, &low, &high);
	CHECK(low >= ints->min && high <= ints->max);
	CHECK(memcmp(room->wide, value, n * sizeof(*value)) == 0);
	for (uint32_t i = 0; i < n; i++)
		CHECK(value[i] >= low && value[i] <= high);
	if (ints->min >= 0 && ints->max <= UINT16_MAX) {
		ints_read16(ints, block, room->narrow);
		for (uint32_t i = 0; i < n; i++)
			CHECK(room->narrow[i] == value[i]);
	}
	if (ints->min >= 0 && ints->max <= UINT8_MAX) {
		ints_read8(ints, block, room->tiny);
		for (uint32_t i = 0; i < n; i++)
			CHECK(room->tiny[i] == value[i]);
	}
	return true;
}

/* Whether the values of a block are found that are in spans around some of them. *found counts how often that could be told. */
static bool spans_are_found(const struct ints *ints, uint32_t block, uint32_t n, struct room *room,
			    uint32_t *found)
{
	ints_read(ints, block, room->wide);
	for (uint32_t step = 0; step < 12; step++) {
		int64_t a = room->wide[random_of(step) % n], b = room->wide[random_of(~step) % n];
		int64_t low = a < b ? a : b, high = a < b ? b : a;

		low += step % 3 == 1 && low < INT64_MAX;
		high -= step % 4 == 1 && high > INT64_MIN;
		low = step == 10 ? INT64_MIN : low;
		high = step == 11 ? INT64_MAX : high;
		if (!ints_between(ints, block, low, high, room->yes))
			continue;
		++*found;
		for (uint32_t i = 0; i < n; i++)
			CHECK_EQ(room->yes[i], room->wide[i] >= low && room->wide[i] <= high);
	}
	return true;
}

/* Write, open, read all and each; returns the size, 0 if anything is wrong. */
static size_t round_trip(const int64_t *value, uint32_t n)
{
	auto_buf struct buf out = buf_make(1u << 20);
	auto_free uint8_t *exact = nullptr;
	auto_free struct room *room = malloc(sizeof(*room));
	struct ints ints;

	ints_write(&out, value, n);
	exact = malloc(out.len + 1);
	if (!room || !exact || buf_error(&out))
		return 0;
	memcpy(exact, out.data, out.len);
	struct buf view = { .data = exact, .len = out.len };
	if (!ints_open(view.data, view.len, n, &ints) || ints.n != n)
		return 0;
	for (uint32_t b = 0; b < column_blocks(n); b++) {
		uint32_t from = b * COLUMN_BLOCK;
		uint32_t count = n - from < COLUMN_BLOCK ? n - from : COLUMN_BLOCK;

		if (!block_is(&ints, b, value + from, count, room))
			return 0;
	}
	for (uint32_t i = 0; i < n; i += 1 + n / 500) {
		if (ints_get(&ints, i) != value[i])
			return 0;
	}
	for (size_t len = 0; len < out.len; len += 1 + out.len / 50) {
		if (ints_open(exact, len, n, &ints))
			return 0;
	}
	return out.len;
}

static bool numbers_of_every_width_come_back(void)
{
	auto_free int64_t *value = calloc(N_MAX, sizeof(*value));
	static const uint32_t COUNT[] = { 1, 2, 100, 1023, 1024, 1025, N_MAX };

	CHECK(value);
	for (uint32_t width = 0; width <= 64; width++) {
		for (size_t c = 0; c < countof(COUNT); c++) {
			for (uint32_t i = 0; i < COUNT[c]; i++) {
				uint64_t random = width ? random_of(i) >> (64 - width) : 0;

				value[i] = (int64_t)(random + (width % 3 == 0 ? random_of(7) : 0));
			}
			size_t size = round_trip(value, COUNT[c]);
			CHECK(size > 0);
			CHECK(size < 30 + (size_t)COUNT[c] * (width + 1) / 8 + COUNT[c] / 40);
		}
	}
	return true;
}

static bool numbers_are_compared_without_decoding_them(void)
{
	auto_free int64_t *value = calloc(N_MAX, sizeof(*value));
	auto_free struct room *room = malloc(sizeof(*room));

	CHECK(value && room);
	for (uint32_t width = 1; width <= 64; width++) {
		auto_buf struct buf out = buf_make(1u << 20);
		uint32_t found = 0;
		struct ints ints;

		for (uint32_t i = 0; i < N_MAX; i++) /* every third width in steps of 7 */
			value[i] = (int64_t)((random_of(i) >> (64 - width)) *
					     (width % 3 == 1 && width < 60 ? 7u : 1u)) -
				   (width < 60 ? 1000 : 0);
		ints_write(&out, value, N_MAX);
		CHECK(ints_open(out.data, out.len, N_MAX, &ints));
		for (uint32_t b = 0; b < column_blocks(N_MAX); b++) {
			uint32_t left = N_MAX - b * COLUMN_BLOCK;

			CHECK(spans_are_found(&ints, b, left < COLUMN_BLOCK ? left : COLUMN_BLOCK,
					      room, &found));
		}
		CHECK(width > 32 || found == 12 * column_blocks(N_MAX));
	}
	return true;
}

static bool the_extremes_come_back(void)
{
	auto_free int64_t *value = calloc(N_MAX, sizeof(*value));

	CHECK(value);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = i % 3 == 0 ? INT64_MIN : i % 3 == 1 ? INT64_MAX : 0;
	CHECK(round_trip(value, N_MAX) > 0);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = (int64_t)i * (INT64_MAX / N_MAX) * (i % 2 ? -1 : 1);
	CHECK(round_trip(value, N_MAX) > 0);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = i < N_MAX / 2 ? INT64_MIN + 7 * (int64_t)i : INT64_MAX - 7 * (int64_t)i;
	CHECK(round_trip(value, N_MAX) > 0);
	return true;
}

static bool a_constant_and_nothing_take_a_few_bytes(void)
{
	auto_free int64_t *value = calloc(N_MAX, sizeof(*value));
	struct ints ints;

	CHECK(value);
	CHECK_EQ(round_trip(value, N_MAX), 1u);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = -1000;
	CHECK_EQ(round_trip(value, N_MAX), 3u);
	CHECK_EQ(round_trip(value, 0), 1u);
	CHECK(ints_open((const uint8_t *)"", 1, 0, &ints));
	CHECK(ints.min == 0 && ints.max == -1 && !ints.constant);
	return true;
}

static bool growing_numbers_are_kept_as_differences(void)
{
	auto_free int64_t *value = calloc(N_MAX, sizeof(*value));

	CHECK(value);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = 1767225600000 + 1300 * (int64_t)i + (int64_t)(random_of(i) % 900);
	size_t size = round_trip(value, N_MAX);
	CHECK(size > 0 && size < N_MAX * 12 / 8);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] *= 1000; /* a unit that is never used must not cost anything */
	size_t scaled = round_trip(value, N_MAX);
	CHECK(scaled > 0 && scaled < size + 20);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = 3 * (int64_t)i;
	size = round_trip(value, N_MAX);
	CHECK(size > 0 && size < 200);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = -value[i] + 13 * (int64_t)(i / 1000);
	CHECK(round_trip(value, N_MAX) > 0);
	return true;
}

static bool repeated_numbers_are_kept_once(void)
{
	auto_free int64_t *value = calloc(N_MAX, sizeof(*value));

	CHECK(value);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = (int64_t)(random_of(i / 100) >> 8);
	size_t size = round_trip(value, N_MAX);
	CHECK(size > 0 && size < 1000);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = (int64_t)(random_of(i / 50) % 60000);
	size = round_trip(value, N_MAX);
	CHECK(size > 0 && size < 1000);
	return true;
}

/* The format once more, by hand: FORMAT.md section 3 shows these bytes. */
static bool the_bytes_are_those_of_the_format(void)
{
	auto_buf struct buf out = buf_make(100);
	static const int64_t VALUE[5] = { 200, 203, 201, 200, 207 };
	static const uint8_t WANT[] = { 0x21, 0xc8, 0x00, 0x01, 0x07, 0x01, 0x58, 0x70 };

	ints_write(&out, VALUE, 5);
	CHECK_EQ(out.len, sizeof(WANT));
	CHECK(memcmp(out.data, WANT, sizeof(WANT)) == 0);
	return true;
}

/* FORMAT.md section 3: number i of a full block lies in lane i % lanes, in row i / lanes. */
static bool a_full_block_lies_as_the_format_says(void)
{
	static const uint32_t WIDTH[] = { 1, 5, 16, 17, 31, 32, 33, 50, 64 };
	auto_free uint8_t *packed = malloc(PACKED);

	CHECK(packed);
	for (size_t w = 0; w < countof(WIDTH); w++) {
		uint32_t width = WIDTH[w], bits = width <= 16 ? 16 : width <= 32 ? 32 : 64;
		uint32_t lanes = 1024 / bits;

		for (uint32_t i = 0; i < 1024; i++) {
			memset(packed, 0, PACKED);
			for (uint32_t b = 0; b < width; b++) {
				uint32_t bit = i / lanes * width + b;
				uint32_t at = bit / bits * 1024 + i % lanes * bits + bit % bits;

				packed[at / 8] |= (uint8_t)(1u << at % 8);
			}
			CHECK(bits_get(packed, width, 1024, i) == UINT64_MAX >> (64 - width));
			CHECK(bits_get(packed, width, 1024, (i + 1) % 1024) == 0);
		}
	}
	return true;
}

/* Changed bytes are refused or read as other numbers, but never beyond the promised bounds. */
static bool flipped_bits_do_no_harm(void)
{
	auto_buf struct buf out = buf_make(1u << 20);
	auto_free int64_t *value = calloc(2048, sizeof(*value));
	auto_free struct room *room = malloc(sizeof(*room));
	struct ints ints;

	CHECK(value && room);
	for (uint32_t i = 0; i < 2048; i++)
		value[i] = i < 1024 ? 5 * (int64_t)i + (int64_t)(random_of(i) % 4) : i / 100;
	ints_write(&out, value, 2048);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ints_open(out.data, out.len, 2048, &ints)) {
			for (uint32_t b = 0; b < 2; b++) {
				uint32_t found = 0;

				CHECK(spans_are_found(&ints, b, 1024, room, &found));
				ints_read(&ints, b, room->wide);
				for (uint32_t i = 0; i < 1024; i++) {
					CHECK(room->wide[i] >= ints.min &&
					      room->wide[i] <= ints.max);
					if (i % 97 == 0)
						CHECK(ints_get(&ints, b * 1024 + i) ==
						      room->wide[i]);
				}
			}
		}
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return true;
}

static bool every_failed_allocation_sticks(void)
{
	auto_free int64_t *value = calloc(N_MAX, sizeof(*value));

	CHECK(value);
	for (uint32_t i = 0; i < N_MAX; i++)
		value[i] = (int64_t)random_of(i);
	for (size_t n = 1;; n++) {
		auto_buf struct buf out = buf_make(1u << 20);

		fault_at(n);
		ints_write(&out, value, N_MAX);
		if (!fault_end())
			return buf_error(&out) == 0;
		CHECK_EQ(buf_error(&out), -ENOMEM);
	}
}

int main(void)
{
	RUN(numbers_of_every_width_come_back);
	RUN(numbers_are_compared_without_decoding_them);
	RUN(the_extremes_come_back);
	RUN(a_constant_and_nothing_take_a_few_bytes);
	RUN(growing_numbers_are_kept_as_differences);
	RUN(repeated_numbers_are_kept_once);
	RUN(the_bytes_are_those_of_the_format);
	RUN(a_full_block_lies_as_the_format_says);
	RUN(flipped_bits_do_no_harm);
	RUN(every_failed_allocation_sticks);
	return tap_done();
}
