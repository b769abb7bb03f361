/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/floats.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/kernel.h"

constexpr uint32_t EXPONENT_MAX = 15; /* 10^15 is exact, and more digits do not fit a double */
constexpr uint32_t SAMPLE = 64;
constexpr uint32_t EXCEPTION = 12; /* bytes: u32 index, f64 value */
constexpr double DIGITS_MAX = 0x1p51;

/* 1.5 * 2^52: adding it to a double rounds that to an integer, whose bits then stand in the sum's lower bits. */
constexpr double ROUNDER = 0x1.8p52;
constexpr uint64_t ROUNDER_BITS = 0x4338000000000000;

static const double POWER[] = { 1e0, 1e1, 1e2,	1e3,  1e4,  1e5,  1e6,	1e7,
				1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

static inline uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline double of_bits(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* An integer of at most 2^51 as a double; any other gives any double. No conversion instruction of SSE2 or AVX2 does this. */
static inline double from_digits(int64_t digits)
{
	return of_bits((uint64_t)digits + ROUNDER_BITS) - ROUNDER;
}

/* The nearest integer to a value that is at most 2^51 in size; for any other, anything. */
static inline int64_t to_digits(double value)
{
	return (int64_t)(bits_of(value + ROUNDER) - ROUNDER_BITS);
}

/* The digits of a value under a power of ten. Returns whether they give back the value, bit for bit. */
static inline bool find_digits(double value, double power, int64_t *ret)
{
	double moved = value * power;
	int64_t digits = to_digits(moved);

	*ret = digits;
	return fabs(moved) < DIGITS_MAX && bits_of(from_digits(digits) / power) == bits_of(value);
}

/* What an exponent would cost for a sample, in bits a value; more than a double if nothing fits. */
static double exponent_cost(const double *value, uint32_t n, uint32_t step, double power)
{
	int64_t min = INT64_MAX, max = INT64_MIN, digits;
	uint32_t fits = 0, count = 0;

	for (uint32_t i = 0; i < n; i += step) {
		count++;
		if (!find_digits(value[i], power, &digits))
			continue;
		fits++;
		min = digits < min ? digits : min;
		max = digits > max ? digits : max;
	}
	if (fits == 0)
		return 8.0 * EXCEPTION;
	auto spread = (uint64_t)max - (uint64_t)min;
	int width = spread == 0 ? 0 : 64 - __builtin_clzll(spread);
	return width + 8.0 * EXCEPTION * (count - fits) / count;
}

/* The exponent under which the values are smallest, or EXPONENT_MAX + 1 if as they are is best. */
static uint32_t find_exponent(const double *value, uint32_t n)
{
	uint32_t step = n / SAMPLE + 1, best = EXPONENT_MAX + 1;
	double least = 60;

	for (uint32_t e = 0; e <= EXPONENT_MAX; e++) {
		double cost = exponent_cost(value, n, step, POWER[e]);

		/* One exponent more is one digit more, so after the best it only gets worse. */
		if (best <= EXPONENT_MAX && cost > least)
			break;
		if (cost < least) {
			least = cost;
			best = e;
		}
	}
	return best;
}

/* Turn all values into digits. Returns how many are exceptions; each has the digits of a neighbour. */
KERNEL static uint32_t make_digits(const double *value, uint32_t n, double power, int64_t *out,
				   uint8_t *wrong)
{
	uint32_t exceptions = 0;

	for (uint32_t i = 0; i < n; i++) {
		double moved = value[i] * power;
		int64_t digits = to_digits(moved);
		bool fits = (fabs(moved) < DIGITS_MAX) &
			    (bits_of(from_digits(digits) / power) == bits_of(value[i]));

		out[i] = digits;
		wrong[i] = !fits;
		exceptions += !fits;
	}
	return exceptions;
}

/* Give exceptions digits that make the packing no wider. */
static void fill_exceptions(int64_t *digits, const uint8_t *wrong, uint32_t n)
{
	int64_t last = 0;
	uint32_t first = 0;

	while (first < n && wrong[first])
		first++;
	last = first < n ? digits[first] : 0;
	for (uint32_t i = 0; i < n; i++)
		last = digits[i] = wrong[i] ? last : digits[i];
}

static void write_raw(struct buf *out, const double *value, uint32_t n)
{
	static const uint8_t RAW = FLOATS_RAW;

	buf_add(out, &RAW, 1);
	buf_add(out, value, (size_t)n * sizeof(*value));
}

static void write_exceptions(struct buf *out, const double *value, uint32_t n, const uint8_t *wrong,
			     uint32_t exceptions)
{
	buf_add(out, &exceptions, sizeof(exceptions));
	for (uint32_t i = 0; i < n && exceptions > 0; i++) {
		if (!wrong[i])
			continue;
		buf_add(out, &i, sizeof(i));
		buf_add(out, &value[i], sizeof(value[i]));
	}
}

void floats_write(struct buf *out, const double *value, uint32_t n)
{
	uint32_t exponent = find_exponent(value, n), exceptions;
	auto_free int64_t *digits = nullptr;
	auto_free uint8_t *wrong = nullptr;

	if (exponent > EXPONENT_MAX || n == 0) {
		write_raw(out, value, n);
		return;
	}
	digits = malloc((size_t)n * sizeof(*digits));
	wrong = calloc(n, 1);
	if (!digits || !wrong) {
		out->error = out->error ? out->error : -ENOMEM;
		return;
	}
	exceptions = make_digits(value, n, POWER[exponent], digits, wrong);
	if (exceptions > n / 2) {
		write_raw(out, value, n);
		return;
	}
	if (exceptions > 0)
		fill_exceptions(digits, wrong, n);
	write_u8(out, FLOATS_DECIMALS);
	write_u8(out, (uint8_t)exponent);
	write_exceptions(out, value, n, wrong, exceptions);
	ints_write(out, digits, n);
}

bool floats_open(const uint8_t *data, size_t len, uint32_t n, struct floats *ret)
{
	struct floats floats = { .n = n };

	if (len < 1)
		return false;
	if (data[0] == FLOATS_RAW) {
		floats.raw = true;
		floats.data = data + 1;
		if ((len - 1) / sizeof(double) < n)
			return false;
		*ret = floats;
		return true;
	}
	if (data[0] != FLOATS_DECIMALS || len < 6 || data[1] > EXPONENT_MAX)
		return false;
	floats.divide = POWER[data[1]];
	floats.n_exceptions = kernel_load32(data + 2);
	floats.exceptions = data + 6;
	size_t head = 6 + (size_t)floats.n_exceptions * EXCEPTION;
	if (floats.n_exceptions > n || head > len ||
	    !ints_open(data + head, len - head, n, &floats.digits))
		return false;
	*ret = floats;
	return true;
}

static void divide_plainly(const int64_t *digits, double power, double *out)
{
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		out[i] = from_digits(digits[i]) / power;
}

#ifdef __x86_64__

static bool can_fuse(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/*
 * The same to the bit, several times as fast: multiply by the inverse, and by it what is left over then. The first product is
 * wrong by at most 1.5 units of its last place. What is left over is exact, because a power of ten up to 10^15 has no more
 * than 35 bits. So the sum, before it is rounded, is wrong by 2^-52 of a unit, but no quotient of 51 bits by such a power is
 * nearer than 2^-36 of a unit to where rounding changes.
 * Source: Muller and others, Handbook of Floating-Point Arithmetic (2018), chapter 4, division with an FMA.
 */
[[gnu::target("avx2,fma")]] static void divide_fused(const int64_t *digits, double power,
						     double *out)
{
	double inverse = 1 / power;

	for (uint32_t i = 0; i < COLUMN_BLOCK; i++) {
		double value = from_digits(digits[i]), near = value * inverse;

		out[i] = __builtin_fma(__builtin_fma(-near, power, value), inverse, near);
	}
}

#else

static bool can_fuse(void)
{
	return false;
}

static void divide_fused(const int64_t *digits, double power, double *out)
{
	divide_plainly(digits, power, out);
}

#endif

static uint32_t exception_index(const struct floats *floats, uint32_t k)
{
	return kernel_load32(floats->exceptions + (size_t)k * EXCEPTION);
}

static double exception_value(const struct floats *floats, uint32_t k)
{
	return of_bits(kernel_load64(floats->exceptions + (size_t)k * EXCEPTION + 4));
}

/* The first exception whose index is at least i, or n_exceptions. */
static uint32_t exception_from(const struct floats *floats, uint32_t i)
{
	uint32_t low = 0, high = floats->n_exceptions;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (exception_index(floats, middle) < i)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void floats_read(const struct floats *floats, uint32_t block, double out[COLUMN_BLOCK])
{
	uint32_t from = block * COLUMN_BLOCK, left = floats->n - from;
	uint32_t n = left < COLUMN_BLOCK ? left : COLUMN_BLOCK;

	if (floats->raw) {
		memcpy(out, floats->data + (size_t)from * sizeof(*out), n * sizeof(*out));
		return;
	}
	/* The digits stand where the doubles will; they are of one size and each becomes the other. */
	ints_read(&floats->digits, block, (int64_t *)out);
	(can_fuse() ? divide_fused : divide_plainly)((int64_t *)out, floats->divide, out);
	for (uint32_t k = exception_from(floats, from); k < floats->n_exceptions; k++) {
		uint32_t at = exception_index(floats, k) - from;

		if (at >= n)
			break;
		out[at] = exception_value(floats, k);
	}
}

double floats_get(const struct floats *floats, uint32_t i)
{
	if (floats->raw)
		return of_bits(kernel_load64(floats->data + (size_t)i * sizeof(double)));
	uint32_t k = exception_from(floats, i);
	if (k < floats->n_exceptions && exception_index(floats, k) == i)
		return exception_value(floats, k);
	return from_digits(ints_get(&floats->digits, i)) / floats->divide;
}
