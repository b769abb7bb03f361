/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/ints.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/bits.h"
#include "service/column/ints_format.h"
#include "service/column/kernel.h"

constexpr uint32_t SCALE_SAMPLE = 32;
constexpr uint32_t SCALE_VALUES_MIN = 64; /* fewer have a common factor by chance */
constexpr uint32_t REPEATS_MAX = 512;	  /* per block; as many do not pay */

/* A run while it is written. */
struct run {
	const int64_t *value;
	uint32_t n;
	int64_t min, max;
	uint64_t scale, span;
	uint32_t span_bytes;
	struct bits_map map;
};

/* What a block's encoding is chosen by, in values. */
struct block_facts {
	int64_t min, max;
	int64_t delta_min, delta_max; /* modulo 2^64, as the reader adds */
	uint32_t repeats;	      /* runs of equal values */
};

/* How a block will be written. */
struct block_plan {
	enum ints_encoding encoding;
	uint64_t low, high; /* units */
	uint32_t width, delta_width;
	uint64_t delta_min; /* units, modulo 2^64 */
	uint32_t repeats;
	size_t size;
};

KERNEL static void find_bounds(const int64_t *value, uint32_t n, int64_t *ret_min, int64_t *ret_max)
{
	int64_t min = value[0], max = value[0];

	for (uint32_t i = 0; i < n; i++) {
		min = value[i] < min ? value[i] : min;
		max = value[i] > max ? value[i] : max;
	}
	*ret_min = min;
	*ret_max = max;
}

KERNEL static void find_deltas(const int64_t *value, uint32_t n, struct block_facts *facts)
{
	int64_t min = INT64_MAX, max = INT64_MIN;
	uint64_t changes = 0;

	for (uint32_t i = 1; i < n; i++) {
		auto delta = (int64_t)((uint64_t)value[i] - (uint64_t)value[i - 1]);

		min = delta < min ? delta : min;
		max = delta > max ? delta : max;
		changes += delta != 0;
	}
	facts->delta_min = min;
	facts->delta_max = max;
	facts->repeats = (uint32_t)changes + 1;
}

static uint64_t common_factor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The largest number that divides all values less the smallest; 1 at the first sign that there is none of use. */
static uint64_t find_scale(const int64_t *value, uint32_t n, int64_t min)
{
	uint32_t step = n / SCALE_SAMPLE;
	uint64_t scale = 0;

	if (n < SCALE_VALUES_MIN)
		return 1;
	for (uint32_t i = 0; i < n && scale != 1; i += step)
		scale = common_factor((uint64_t)value[i] - (uint64_t)min, scale);
	if (scale <= 1)
		return 1;

	struct bits_map map = bits_map_make((uint64_t)min, scale);
	for (uint32_t i = 0; i < n && scale != 1; i++) {
		if (bits_divides(&map, scale, (uint64_t)value[i]))
			continue;
		scale = common_factor((uint64_t)value[i] - (uint64_t)min, scale);
		map = bits_map_make((uint64_t)min, scale);
	}
	return scale;
}

/* Bytes that hold a number. */
static uint32_t bytes_of(uint64_t value)
{
	return (bits_width(value) + 7) / 8;
}

/* Bytes that hold a signed number, whose uppermost bit is its sign; 0 needs none. */
static uint32_t bytes_of_signed(int64_t value)
{
	return value == 0 ? 0 : (bits_width((uint64_t)(value < 0 ? ~value : value)) + 8) / 8;
}

static void put(uint8_t **at, uint64_t value, uint32_t bytes)
{
	memcpy(*at, &value, bytes);
	*at += bytes;
}

static void consider_delta(const struct run *run, const struct block_facts *facts,
			   struct block_plan *plan, uint32_t n)
{
	struct bits_map map = run->map;
	uint64_t spread = (uint64_t)facts->delta_max - (uint64_t)facts->delta_min;

	/* A difference that wraps around is no multiple of the scale. */
	if (run->scale > 1 && (uint64_t)run->max - (uint64_t)run->min > INT64_MAX)
		return;
	/* Deltas are multiples of the scale, so their spread is; the smallest may be negative: divide its size. */
	map.base = 0;
	uint32_t width = bits_width(bits_mapped(&map, spread));
	size_t size = ints_delta_head(run->span_bytes) + bits_size(width, n);
	if (width > INTS_DELTA_WIDTH_MAX || size * 4 > plan->size * 3)
		return;
	plan->encoding = INTS_DELTA;
	plan->delta_width = width;
	plan->delta_min = facts->delta_min < 0 ? -bits_mapped(&map, -(uint64_t)facts->delta_min)
					       : bits_mapped(&map, (uint64_t)facts->delta_min);
	plan->size = size;
}

static void consider_repeats(const struct block_facts *facts, struct block_plan *plan)
{
	size_t size = 2 + 2 * (size_t)facts->repeats + bits_size(plan->width, facts->repeats);

	if (facts->repeats > REPEATS_MAX || size * 4 > plan->size * 3)
		return;
	plan->encoding = INTS_REPEATS;
	plan->repeats = facts->repeats;
	plan->size = size;
}

static struct block_plan make_plan(const struct run *run, const int64_t *value, uint32_t n)
{
	struct block_facts facts = { .min = run->min, .max = run->max };
	struct block_plan plan = {};

	if (run->n > COLUMN_BLOCK)
		find_bounds(value, n, &facts.min, &facts.max);
	plan.low = bits_mapped(&run->map, (uint64_t)facts.min);
	plan.high = bits_mapped(&run->map, (uint64_t)facts.max);
	plan.width = bits_width(plan.high - plan.low);
	if (plan.width == 0)
		return plan;
	plan.encoding = INTS_PACKED;
	plan.size = bits_size(plan.width, n);
	find_deltas(value, n, &facts);
	consider_delta(run, &facts, &plan, n);
	consider_repeats(&facts, &plan);
	return plan;
}

/* The map whose base is that many units above the run's. */
static struct bits_map map_from(const struct run *run, uint64_t low)
{
	struct bits_map map = run->map;

	map.base += low * run->scale;
	return map;
}

/* The units of a block less their lowest, packed as the reader of that width expects. */
static void write_packed(const struct run *run, const int64_t *value, uint32_t n,
			 const struct block_plan *plan, uint8_t *at)
{
	KERNEL_SCRATCH uint32_t number[COLUMN_BLOCK];
	struct bits_map map = map_from(run, plan->low);

	if (plan->width > 32) {
		bits_pack64((const uint64_t *)value, &map, plan->width, n, at);
		return;
	}
	bits_narrow((const uint64_t *)value, &map, n, number);
	bits_pack32(number, plan->width, n, at);
}

static void write_delta(const struct run *run, const int64_t *value, uint32_t n,
			const struct block_plan *plan, uint8_t *at)
{
	KERNEL_SCRATCH uint32_t number[COLUMN_BLOCK];
	struct bits_map map = map_from(run, plan->delta_min);

	map.base -= run->map.base;
	number[0] = 0;
	for (uint32_t i = 1; i < n; i++)
		number[i] =
			(uint32_t)bits_mapped(&map, (uint64_t)value[i] - (uint64_t)value[i - 1]);
	put(&at, plan->delta_width, 1);
	put(&at, bits_mapped(&run->map, (uint64_t)value[0]), run->span_bytes);
	put(&at, plan->delta_min, 8);
	if (plan->delta_width > 0)
		bits_pack32(number, plan->delta_width, n, at);
}

static void write_repeats(const struct run *run, const int64_t *value, uint32_t n,
			  const struct block_plan *plan, uint8_t *at)
{
	uint64_t first[REPEATS_MAX];
	struct bits_map map = map_from(run, plan->low);
	uint32_t repeats = 0;

	put(&at, plan->repeats, 2);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 1 < n && value[i + 1] == value[i])
			continue;
		first[repeats++] = (uint64_t)value[i];
		put(&at, i + 1, 2);
	}
	bits_pack64(first, &map, plan->width, repeats, at);
}

/* Write one block: its entry at table, its data to the end; start is where the data of all begins. */
static void write_block(const struct run *run, struct buf *out, uint32_t block, size_t table,
			size_t start)
{
	const int64_t *value = run->value + (size_t)block * COLUMN_BLOCK;
	uint32_t n = run->n - block * COLUMN_BLOCK;

	n = n < COLUMN_BLOCK ? n : COLUMN_BLOCK;
	struct block_plan plan = make_plan(run, value, n);
	uint8_t *at = buf_reserve(out, plan.size);
	if (!at)
		return;
	if (plan.encoding == INTS_PACKED)
		write_packed(run, value, n, &plan, at);
	if (plan.encoding == INTS_DELTA)
		write_delta(run, value, n, &plan, at);
	if (plan.encoding == INTS_REPEATS)
		write_repeats(run, value, n, &plan, at);

	bool many = run->n > COLUMN_BLOCK;
	uint8_t *entry = out->data + table + (many ? block * ints_entry_size(run->span_bytes) : 0);
	put(&entry, plan.encoding, 1);
	if (many) {
		put(&entry, out->len - start, 4);
		put(&entry, plan.low, run->span_bytes);
		put(&entry, plan.high, run->span_bytes);
	}
	out->len += plan.size;
}

/* The bytes up to the table. */
static void write_head(const struct run *run, struct buf *out)
{
	uint32_t min_bytes = bytes_of_signed(run->min);
	uint32_t scale_bytes = run->scale > 1 ? bytes_of(run->scale) : 0;
	uint8_t head[2 + 8 + 8 + 8], *at = head;

	put(&at, (run->span > 0 ? INTS_RUN : INTS_CONSTANT) | min_bytes << 4, 1);
	put(&at, (uint64_t)run->min, min_bytes);
	if (run->span > 0) {
		put(&at, run->span_bytes | scale_bytes << 4, 1);
		put(&at, run->span, run->span_bytes);
		put(&at, run->scale, scale_bytes);
	}
	buf_add(out, head, (size_t)(at - head));
}

void ints_write(struct buf *out, const int64_t *value, uint32_t n)
{
	struct run run = { .value = value, .n = n, .scale = 1 };
	uint32_t blocks = column_blocks(n);

	if (n > 0) {
		find_bounds(value, n, &run.min, &run.max);
		run.scale = find_scale(value, n, run.min);
	}
	run.map = bits_map_make((uint64_t)run.min, run.scale);
	run.span = n > 0 ? bits_mapped(&run.map, (uint64_t)run.max) : 0;
	run.span_bytes = bytes_of(run.span);
	write_head(&run, out);
	if (run.span == 0)
		return;

	size_t table = out->len;
	size_t size = blocks > 1 ? blocks * ints_entry_size(run.span_bytes) : 1;
	if (!buf_reserve(out, size))
		return;
	out->len += size;
	for (uint32_t block = 0; block < blocks; block++)
		write_block(&run, out, block, table, table + size);
}
