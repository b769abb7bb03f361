/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/floats.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/hash.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint32_t N = 5000;

static uint64_t random_of(uint64_t i)
{
	return hash_stable_int((int64_t)i);
}

static bool same(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Write, open, read all and each; returns the size, 0 if anything is wrong. */
static size_t round_trip(const double *value, uint32_t n)
{
	auto_buf struct buf out = buf_make(1u << 20);
	auto_free double *room = malloc(COLUMN_BLOCK * sizeof(*room));
	auto_free uint8_t *exact = nullptr;
	struct floats floats;

	floats_write(&out, value, n);
	exact = malloc(out.len + 1);
	if (buf_error(&out) || !room || !exact)
		return 0;
	memcpy(exact, out.data, out.len);
	if (!floats_open(exact, out.len, n, &floats))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		if (i % COLUMN_BLOCK == 0)
			floats_read(&floats, i / COLUMN_BLOCK, room);
		if (!same(room[i % COLUMN_BLOCK], value[i]))
			return 0;
		if (i % 7 == 0 && !same(floats_get(&floats, i), value[i]))
			return 0;
	}
	for (size_t len = 0; n > 0 && len < out.len; len += 1 + out.len / 50) {
		if (floats_open(exact, len, n, &floats))
			return 0;
	}
	return out.len;
}

static bool decimals_take_the_room_of_their_digits(void)
{
	auto_free double *value = calloc(N, sizeof(*value));
	double power = 1;

	CHECK(value);
	for (int places = 0; places < 12; places++, power *= 10) {
		for (uint32_t i = 0; i < N; i++)
			value[i] = ((double)(random_of(i) % 100'000) - 50'000) / power;
		size_t size = round_trip(value, N);
		CHECK(size > 0 && size < N * 18 / 8);
		CHECK(round_trip(value, 100) > 0);
		CHECK(round_trip(value, 1) > 0);
	}
	return true;
}

static bool exceptions_come_back_to_the_bit(void)
{
	auto_free double *value = calloc(N, sizeof(*value));
	static const double ODD[] = { -0.0, NAN, INFINITY, -INFINITY, 0x1p-1074, 1e300, 1.0 / 3 };

	CHECK(value);
	for (uint32_t i = 0; i < N; i++)
		value[i] = i % 50 == 0 ? ODD[i / 50 % countof(ODD)]
				       : (double)(random_of(i) % 100'000) / 100;
	size_t size = round_trip(value, N);
	CHECK(size > 0 && size < N * 3);
	uint64_t nan = 0xfff8000000001234;
	memcpy(&value[17], &nan, sizeof(nan));
	CHECK(round_trip(value, N) > 0);
	for (size_t i = 0; i < countof(ODD); i++)
		CHECK(round_trip(&ODD[i], 1) > 0);
	return true;
}

static bool any_doubles_come_back_as_they_are(void)
{
	auto_free double *value = calloc(N, sizeof(*value));

	CHECK(value);
	for (uint32_t i = 0; i < N; i++) {
		uint64_t bits = random_of(i);

		memcpy(&value[i], &bits, sizeof(bits));
	}
	CHECK_EQ(round_trip(value, N), 1 + N * sizeof(double));
	CHECK_EQ(round_trip(value, 0), 1u);
	for (uint32_t i = 0; i < N; i++)
		value[i] = sin(i);
	CHECK_EQ(round_trip(value, N), 1 + N * sizeof(double));
	for (uint32_t i = 0; i < N; i++)
		value[i] = (double)(int64_t)random_of(i);
	CHECK(round_trip(value, N) > 0);
	return true;
}

/* As many digits as there may be, where a quotient that is not divided shows first. */
static bool quotients_are_those_of_a_division_to_the_bit(void)
{
	auto_free double *value = calloc(N, sizeof(*value));
	double power = 10;

	CHECK(value);
	for (uint32_t places = 1; places <= 15; places++, power *= 10) {
		for (uint32_t i = 0; i < N; i++) {
			auto digits = (double)(random_of(i + places * N) >> 13 | 1);

			value[i] = (i % 2 ? digits : 0x1p51 - 1 - i) / (i % 3 ? power : -power);
		}
		size_t size = round_trip(value, N);
		CHECK(size > 0 && size < N * 7);
	}
	return true;
}

/* The format once more, by hand: FORMAT.md section 4 shows these bytes. */
static bool the_bytes_are_those_of_the_format(void)
{
	auto_buf struct buf out = buf_make(100);
	static const double VALUE[4] = { 1.25, 1.5, 1.75, 1.0 / 3 };
	static const uint8_t WANT[] = {
		0x01, 0x02, 0x01, 0x00, 0x00, 0x00, /* digits / 10^2, one exception */
		0x03, 0x00, 0x00, 0x00, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
		0xd5, 0x3f, 0x11, 0x7d, 0x01, 0x32, 0x01, 0x40, 0x26, 0xcb
	};

	floats_write(&out, VALUE, 4);
	CHECK_EQ(out.len, sizeof(WANT));
	CHECK(memcmp(out.data, WANT, sizeof(WANT)) == 0);
	return true;
}

static bool every_failed_allocation_sticks(void)
{
	auto_free double *value = calloc(N, sizeof(*value));

	CHECK(value);
	for (uint32_t i = 0; i < N; i++)
		value[i] = i / 8.0;
	for (size_t n = 1;; n++) {
		auto_buf struct buf out = buf_make(1u << 20);

		fault_at(n);
		floats_write(&out, value, N);
		if (!fault_end())
			return buf_error(&out) == 0;
		CHECK_EQ(buf_error(&out), -ENOMEM);
	}
}

int main(void)
{
	RUN(decimals_take_the_room_of_their_digits);
	RUN(exceptions_come_back_to_the_bit);
	RUN(any_doubles_come_back_as_they_are);
	RUN(quotients_are_those_of_a_division_to_the_bit);
	RUN(the_bytes_are_those_of_the_format);
	RUN(every_failed_allocation_sticks);
	return tap_done();
}
