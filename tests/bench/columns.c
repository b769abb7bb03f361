/* SPDX-License-Identifier: Apache-2.0 */

/*
 * columns: what service/column costs, in bytes and nanoseconds a value, for columns as they occur.
 */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/buf.h"
#include "service/column/floats.h"
#include "service/column/hash.h"
#include "service/column/ints.h"

constexpr uint32_t N = 65'536;
constexpr int ROUNDS = 30;

static uint64_t now_ns(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1'000'000'000 + (uint64_t)at.tv_nsec;
}

/* The best of some rounds, in nanoseconds a value. */
#define BEST(work)                                                             \
	__extension__({                                                        \
		double best_ = 1e9;                                            \
		for (int round_ = 0; round_ < ROUNDS; round_++) {              \
			uint64_t from_ = now_ns();                             \
			work;                                                  \
			double took_ = (double)(now_ns() - from_) / (double)N; \
			best_ = took_ < best_ ? took_ : best_;                 \
		}                                                              \
		best_;                                                         \
	})

static uint64_t random_of(uint64_t i)
{
	return hash_stable_int((int64_t)i);
}

static void read_all(const struct ints *ints, int64_t *out)
{
	for (uint32_t b = 0; b < column_blocks(ints->n); b++)
		ints_read(ints, b, out);
}

static void read_all16(const struct ints *ints, int64_t *out)
{
	for (uint32_t b = 0; b < column_blocks(ints->n); b++)
		ints_read16(ints, b, (uint16_t *)out);
}

static void show_ints(const char *name, const int64_t *value)
{
	auto_buf struct buf out = buf_make(1u << 30);
	struct ints ints;
	auto_free int64_t *room = malloc(COLUMN_BLOCK * sizeof(*room));
	double write = BEST((buf_clear(&out), ints_write(&out, value, N)));

	if (!room || buf_error(&out) || !ints_open(out.data, out.len, N, &ints))
		exit(1);
	double read = BEST(read_all(&ints, room));
	double narrow = ints.min >= 0 && ints.max <= UINT16_MAX ? BEST(read_all16(&ints, room)) : 0;
	printf("%-24s %7.3f bytes  write %6.3f ns  read %6.3f ns  read16 %6.3f ns\n", name,
	       (double)out.len / (double)N, write, read, narrow);
}

static void show_all_ints(void)
{
	auto_free int64_t *value = calloc(N, sizeof(*value));

	if (!value)
		exit(1);
	for (uint32_t width = 1; width <= 64; width += width < 20 ? 3 : 11) {
		char name[40];

		for (uint32_t i = 0; i < N; i++)
			value[i] = (int64_t)(random_of(i) >> (64 - width));
		(void)snprintf(name, sizeof(name), "%u random bits", width);
		show_ints(name, value);
	}
	for (uint32_t i = 0; i < N; i++)
		value[i] = 1'767'225'600'000'000 + 1'296'000 * (int64_t)i +
			   1000 * (int64_t)(random_of(i) % 900);
	show_ints("growing times", value);
	for (uint32_t i = 0; i < N; i++)
		value[i] = 17 * (int64_t)i;
	show_ints("steps of 17", value);
	for (uint32_t i = 0; i < N; i++)
		value[i] = (int64_t)(random_of(i / 50) % 1000);
	show_ints("runs of 50", value);
}

static void floats_all(const struct floats *floats, double *out)
{
	for (uint32_t b = 0; b < column_blocks(floats->n); b++)
		floats_read(floats, b, out);
}

static void show_floats(const char *name, const double *value)
{
	auto_buf struct buf out = buf_make(1u << 30);
	struct floats floats;
	auto_free double *room = malloc(COLUMN_BLOCK * sizeof(*room));
	double write = BEST((buf_clear(&out), floats_write(&out, value, N)));

	if (!room || buf_error(&out) || !floats_open(out.data, out.len, N, &floats))
		exit(1);
	double read = BEST(floats_all(&floats, room));
	printf("%-24s %7.3f bytes  write %6.3f ns  read %6.3f ns\n", name,
	       (double)out.len / (double)N, write, read);
}

static void show_all_floats(void)
{
	auto_free double *value = calloc(N, sizeof(*value));
	static const double POWER[] = { 1, 1e2, 1e3, 1e5 };

	if (!value)
		exit(1);
	for (size_t p = 0; p < countof(POWER); p++) {
		char name[40];

		for (uint32_t i = 0; i < N; i++)
			value[i] = floor((double)random_of(i) / 0x1p64 * 180 * POWER[p]) / POWER[p];
		(void)snprintf(name, sizeof(name), "0 to 180 by 1/%.0f", POWER[p]);
		show_floats(name, value);
	}
	for (uint32_t i = 0; i < N; i++)
		value[i] = (double)random_of(i) / 0x1p64;
	show_floats("any doubles", value);
}

int main(void)
{
	show_all_ints();
	show_all_floats();
	return 0;
}
