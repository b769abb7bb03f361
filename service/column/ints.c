/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/ints.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/bits.h"
#include "service/column/ints_format.h"
#include "service/column/kernel.h"

/* A block as its table entry describes it. */
struct block {
	uint8_t encoding;
	uint32_t n;
	uint32_t width;
	uint64_t low,
		spread; /* units; every one that is read is made to be in low to low + spread */
	const uint8_t *data;
	size_t offset;
};

static struct block block_at(const struct ints *ints, uint32_t index)
{
	uint32_t left = ints->n - index * COLUMN_BLOCK, bytes = ints->span_bytes;
	struct block block = { .n = left < COLUMN_BLOCK ? left : COLUMN_BLOCK };
	const uint8_t *entry = ints->table;

	if (ints->n > COLUMN_BLOCK) {
		entry += (size_t)index * ints_entry_size(bytes);
		block.offset = kernel_load32(entry + 1);
		block.low = kernel_load(entry + 5, bytes);
		block.spread = kernel_load(entry + 5 + bytes, bytes) - block.low;
	} else {
		block.spread = ints->span;
	}
	block.encoding = entry[0];
	block.width = bits_width(block.spread);
	block.data = ints->start + block.offset;
	return block;
}

/* Whether the data of a block lies within the left bytes from its beginning. */
static bool data_fits(const struct ints *ints, const struct block *block, size_t left)
{
	size_t head = ints_delta_head(ints->span_bytes);

	switch (block->encoding) {
	case INTS_FILL:
		return true;
	case INTS_PACKED:
		return bits_size(block->width, block->n) <= left;
	case INTS_DELTA:
		return head <= left && block->data[0] <= INTS_DELTA_WIDTH_MAX &&
		       bits_size(block->data[0], block->n) <= left - head;
	case INTS_REPEATS:
		if (left < 2)
			return false;
		uint32_t repeats = kernel_load16(block->data);
		return repeats > 0 && repeats < COLUMN_BLOCK &&
		       2 + 2 * (size_t)repeats + bits_size(block->width, repeats) <= left;
	default:
		return false;
	}
}

/* Whether a block lies within the run: its units below span, its data within the left bytes behind the table. */
static inline bool block_fits(const struct ints *ints, const struct block *block, size_t left)
{
	uint64_t high = block->low + block->spread;

	return high >= block->low && high <= ints->span && block->offset <= left &&
	       data_fits(ints, block, left - block->offset);
}

/* The same of a packed block of 1024 units, which most are, from its table entry. Reads up to 7 bytes behind the entry. */
static inline bool packed_fits(const struct ints *ints, const uint8_t *entry, uint64_t mask,
			       size_t left)
{
	uint64_t low = kernel_load64(entry + 5) & mask;
	uint64_t high = kernel_load64(entry + 5 + ints->span_bytes) & mask;
	size_t offset = kernel_load32(entry + 1);

	return low <= high && high <= ints->span && offset <= left &&
	       bits_size(bits_width(high - low), COLUMN_BLOCK) <= left - offset;
}

static bool blocks_check(const struct ints *ints, size_t left)
{
	uint32_t blocks = column_blocks(ints->n), bytes = ints->span_bytes;
	uint64_t mask = UINT64_MAX >> (64 - 8 * bytes);
	size_t step = ints_entry_size(bytes);

	for (uint32_t i = 0; i < blocks; i++) {
		const uint8_t *entry = ints->table + i * step;
		/* Another entry, of 7 bytes at least, follows all but the last. */
		bool quick = i + 1 < blocks && entry[0] == INTS_PACKED;
		struct block block;

		if (!quick)
			block = block_at(ints, i);
		if (quick ? !packed_fits(ints, entry, mask, left) : !block_fits(ints, &block, left))
			return false;
	}
	return true;
}

/* A signed number of 0 to 8 bytes. */
static int64_t load_signed(const uint8_t *at, uint32_t bytes)
{
	uint32_t unused = 64 - 8 * bytes;

	return bytes == 0 ? 0 : (int64_t)(kernel_load(at, bytes) << unused) >> unused;
}

/* The part behind min. */
static bool open_run(const uint8_t *at, size_t len, struct ints *ints)
{
	uint64_t range;

	if (len < 1)
		return false;
	uint32_t scale_bytes = at[0] >> 4, blocks = column_blocks(ints->n);
	ints->span_bytes = at[0] & 15;
	if (ints->span_bytes < 1 || ints->span_bytes > 8 || scale_bytes > 8 ||
	    len < 1 + ints->span_bytes + scale_bytes)
		return false;
	at++;
	ints->span = kernel_load(at, ints->span_bytes);
	at += ints->span_bytes;
	ints->scale = scale_bytes > 0 ? kernel_load(at, scale_bytes) : 1;
	at += scale_bytes;
	if (__builtin_mul_overflow(ints->span, ints->scale, &range) ||
	    range > (uint64_t)INT64_MAX - (uint64_t)ints->min)
		return false;
	ints->max = (int64_t)((uint64_t)ints->min + range);

	size_t left = len - (1 + ints->span_bytes + scale_bytes);
	size_t table = blocks > 1 ? blocks * ints_entry_size(ints->span_bytes) : 1;
	if (left < table)
		return false;
	ints->table = at;
	ints->start = at + table;
	return blocks_check(ints, left - table);
}

bool ints_open(const uint8_t *data, size_t len, uint32_t n, struct ints *ret)
{
	struct ints ints = { .data = data, .len = len, .n = n, .scale = 1 };

	if (len < 1 || data[0] >> 4 > 8 || len < 1u + (data[0] >> 4))
		return false;
	uint32_t min_bytes = data[0] >> 4;
	ints.min = ints.max = load_signed(data + 1, min_bytes);
	switch (data[0] & 15) {
	case INTS_CONSTANT:
		ints.constant = true;
		break;
	case INTS_RUN:
		if (n == 0 || !open_run(data + 1 + min_bytes, len - 1 - min_bytes, &ints))
			return false;
		break;
	default:
		return false;
	}
	if (n == 0) {
		ints.min = 0;
		ints.max = -1;
		ints.constant = false;
	}
	*ret = ints;
	return true;
}

/* How units become values: base + scale * unit, the unit being at most spread above what base is for. */
struct map {
	uint64_t base, scale, spread;
};

static struct map map_of(const struct ints *ints, const struct block *block)
{
	return (struct map) {
		.base = (uint64_t)ints->min + ints->scale * block->low,
		.scale = ints->scale,
		.spread = block->spread,
	};
}

static inline uint64_t mapped(const struct map *map, uint64_t unit)
{
	return map->base + map->scale * (unit < map->spread ? unit : map->spread);
}

KERNEL static void map16(const uint16_t *in, uint32_t n, const struct map *by, int64_t *out)
{
	auto spread = (uint16_t)by->spread;
	uint64_t base = by->base, scale = by->scale;

	if (scale == 1) {
		for (uint32_t i = 0; i < n; i++)
			out[i] = (int64_t)(base + (in[i] < spread ? in[i] : spread));
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		out[i] = (int64_t)(base + scale * (in[i] < spread ? in[i] : spread));
}

KERNEL static void map32(const uint32_t *in, uint32_t n, const struct map *by, int64_t *out)
{
	auto spread = (uint32_t)by->spread;
	uint64_t base = by->base, scale = by->scale;

	if (scale == 1) {
		for (uint32_t i = 0; i < n; i++)
			out[i] = (int64_t)(base + (in[i] < spread ? in[i] : spread));
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		out[i] = (int64_t)(base + scale * (in[i] < spread ? in[i] : spread));
}

KERNEL static void map64(uint32_t n, const struct map *by, int64_t *out)
{
	struct map map = *by;

	for (uint32_t i = 0; i < n; i++)
		out[i] = (int64_t)mapped(&map, (uint64_t)out[i]);
}

KERNEL static void map16_in_place(uint32_t n, const struct map *by, uint16_t *out)
{
	auto base = (uint16_t)by->base;
	auto scale = (uint16_t)by->scale;
	auto spread = (uint16_t)by->spread;

	for (uint32_t i = 0; i < n; i++)
		out[i] = (uint16_t)(base + (uint32_t)scale * (out[i] < spread ? out[i] : spread));
}

static void read_packed(const struct block *block, const struct map *map, int64_t *out)
{
	KERNEL_SCRATCH uint32_t room[COLUMN_BLOCK];

	if (block->width <= 16) {
		bits_unpack16(block->data, block->width, block->n, (uint16_t *)room);
		map16((uint16_t *)room, block->n, map, out);
	} else if (block->width <= 32) {
		bits_unpack32(block->data, block->width, block->n, room);
		map32(room, block->n, map, out);
	} else {
		bits_unpack64(block->data, block->width, block->n, (uint64_t *)out);
		map64(block->n, map, out);
	}
}

/* Store a value where values of 2 or 8 bytes are wanted. */
KERNEL_PART void store(void *out, bool narrow, uint32_t i, uint64_t value)
{
	if (narrow)
		((uint16_t *)out)[i] = (uint16_t)value;
	else
		((uint64_t *)out)[i] = value;
}

KERNEL_PART void fill(void *out, bool narrow, uint32_t from, uint32_t to, uint64_t value)
{
	for (uint32_t i = from; i < to; i++)
		store(out, narrow, i, value);
}

/* Add up the first n differences of a block. */
KERNEL_PART void read_delta(const struct ints *ints, const struct block *block, uint32_t n,
			    void *out, bool narrow)
{
	KERNEL_SCRATCH uint32_t more[COLUMN_BLOCK];
	const uint8_t *at = block->data + 1;
	struct map map = map_of(ints, block);
	uint64_t smallest = kernel_load64(at + ints->span_bytes);
	uint64_t unit = kernel_load(at, ints->span_bytes) - block->low - smallest;

	bits_unpack32(at + ints->span_bytes + 8, block->data[0], block->n, more);
	for (uint32_t i = 0; i < n; i++) {
		unit += smallest + more[i];
		store(out, narrow, i, mapped(&map, unit));
	}
}

constexpr uint32_t RUN_ROOM = 8; /* most runs are not longer */

/* Store a value from one place up to another; at first a few at once, past the end too if there is room: they are overwritten. */
KERNEL_PART void fill_run(void *out, bool narrow, uint32_t from, uint32_t to, uint64_t value)
{
	if (from + RUN_ROOM <= COLUMN_BLOCK) {
		fill(out, narrow, from, from + RUN_ROOM, value);
		from += RUN_ROOM;
	}
	fill(out, narrow, from, to, value);
}

KERNEL_PART void read_repeats(const struct ints *ints, const struct block *block, void *out,
			      bool narrow)
{
	KERNEL_SCRATCH uint32_t few[COLUMN_BLOCK];
	uint32_t repeats = kernel_load16(block->data), from = 0;
	const uint8_t *end = block->data + 2, *unit = end + 2 * (size_t)repeats;
	struct map map = map_of(ints, block);
	bool small = block->width <= 32;

	if (small)
		bits_unpack32(unit, block->width, repeats, few);
	for (uint32_t r = 0; r < repeats; r++) {
		uint32_t to = kernel_load16(end + 2 * (size_t)r);

		to = to < block->n ? to : block->n;
		uint64_t u = small ? few[r] : bits_get(unit, block->width, repeats, r);
		fill_run(out, narrow, from, to, mapped(&map, u));
		from = to > from ? to : from;
	}
	fill(out, narrow, from, block->n, map.base);
}

static void read_delta64(const struct ints *ints, const struct block *block, int64_t *out)
{
	read_delta(ints, block, block->n, out, false);
}

static void read_delta16(const struct ints *ints, const struct block *block, uint16_t *out)
{
	read_delta(ints, block, block->n, out, true);
}

static void read_repeats64(const struct ints *ints, const struct block *block, int64_t *out)
{
	read_repeats(ints, block, out, false);
}

static void read_repeats16(const struct ints *ints, const struct block *block, uint16_t *out)
{
	read_repeats(ints, block, out, true);
}

void ints_read(const struct ints *ints, uint32_t index, int64_t out[COLUMN_BLOCK])
{
	if (ints->constant) {
		fill(out, false, 0, COLUMN_BLOCK, (uint64_t)ints->min);
		return;
	}
	struct block block = block_at(ints, index);
	struct map map = map_of(ints, &block);
	switch ((enum ints_encoding)block.encoding) {
	case INTS_FILL:
		fill(out, false, 0, COLUMN_BLOCK, map.base);
		return;
	case INTS_PACKED:
		read_packed(&block, &map, out);
		return;
	case INTS_DELTA:
		read_delta64(ints, &block, out);
		return;
	case INTS_REPEATS:
		read_repeats64(ints, &block, out);
		return;
	}
}

void ints_read16(const struct ints *ints, uint32_t index, uint16_t out[COLUMN_BLOCK])
{
	if (ints->constant) {
		fill(out, true, 0, COLUMN_BLOCK, (uint64_t)ints->min);
		return;
	}
	struct block block = block_at(ints, index);
	struct map map = map_of(ints, &block);
	switch ((enum ints_encoding)block.encoding) {
	case INTS_FILL:
		fill(out, true, 0, COLUMN_BLOCK, map.base);
		return;
	case INTS_PACKED: /* of more than 16 bits only if the caller has not looked at min and max */
		bits_unpack16(block.data, block.width <= 16 ? block.width : 0, block.n, out);
		map16_in_place(block.n, &map, out);
		return;
	case INTS_DELTA:
		read_delta16(ints, &block, out);
		return;
	case INTS_REPEATS:
		read_repeats16(ints, &block, out);
		return;
	}
}

KERNEL static void narrow8(const uint16_t in[COLUMN_BLOCK], uint8_t out[COLUMN_BLOCK])
{
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		out[i] = (uint8_t)in[i];
}

void ints_read8(const struct ints *ints, uint32_t index, uint8_t out[COLUMN_BLOCK])
{
	uint16_t wide[COLUMN_BLOCK];

	if (ints->constant) {
		memset(out, (uint8_t)ints->min, COLUMN_BLOCK);
		return;
	}
	ints_read16(ints, index, wide);
	narrow8(wide, out);
}

static uint64_t get_delta(const struct ints *ints, const struct block *block, uint32_t i)
{
	KERNEL_SCRATCH uint32_t more[COLUMN_BLOCK];
	const uint8_t *at = block->data + 1;
	uint64_t smallest = kernel_load64(at + ints->span_bytes);
	uint64_t unit = kernel_load(at, ints->span_bytes) + i * smallest;

	bits_unpack32(at + ints->span_bytes + 8, block->data[0], block->n, more);
	for (uint32_t k = 0; k <= i; k++)
		unit += more[k];
	return unit - block->low;
}

/* The unit of the run that i is in, as read_repeats() finds it. */
static uint64_t get_repeats(const struct block *block, uint32_t i)
{
	uint32_t repeats = kernel_load16(block->data);
	const uint8_t *end = block->data + 2;

	for (uint32_t r = 0; r < repeats; r++) {
		if (i < kernel_load16(end + 2 * (size_t)r))
			return bits_get(end + 2 * (size_t)repeats, block->width, repeats, r);
	}
	return 0;
}

int64_t ints_get(const struct ints *ints, uint32_t i)
{
	if (ints->constant)
		return ints->min;
	struct block block = block_at(ints, i / COLUMN_BLOCK);
	struct map map = map_of(ints, &block);
	uint64_t unit = 0;
	i %= COLUMN_BLOCK;
	switch ((enum ints_encoding)block.encoding) {
	case INTS_FILL:
		break;
	case INTS_PACKED:
		unit = bits_get(block.data, block.width, block.n, i);
		break;
	case INTS_DELTA:
		unit = get_delta(ints, &block, i);
		break;
	case INTS_REPEATS:
		unit = get_repeats(&block, i);
		break;
	}
	return (int64_t)mapped(&map, unit);
}

void ints_bounds(const struct ints *ints, uint32_t index, int64_t *ret_min, int64_t *ret_max)
{
	*ret_min = ints->min;
	*ret_max = ints->max;
	if (ints->constant)
		return;
	struct block block = block_at(ints, index);
	struct map map = map_of(ints, &block);
	*ret_min = (int64_t)map.base;
	*ret_max = (int64_t)mapped(&map, block.spread);
}

/* Units from first to first + more. */
KERNEL static void between16(const uint16_t unit[COLUMN_BLOCK], uint16_t first, uint16_t more,
			     uint8_t yes[COLUMN_BLOCK])
{
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		yes[i] = (uint16_t)(unit[i] - first) <= more;
}

KERNEL static void between32(const uint32_t unit[COLUMN_BLOCK], uint32_t first, uint32_t more,
			     uint8_t yes[COLUMN_BLOCK])
{
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		yes[i] = unit[i] - first <= more;
}

bool ints_between(const struct ints *ints, uint32_t index, int64_t low, int64_t high,
		  uint8_t yes[COLUMN_BLOCK])
{
	KERNEL_SCRATCH uint32_t room[COLUMN_BLOCK];
	int64_t least, most;

	ints_bounds(ints, index, &least, &most);
	if (low > most || high < least || low > high) {
		memset(yes, 0, COLUMN_BLOCK);
		return true;
	}
	if (low <= least && high >= most) {
		memset(yes, 1, COLUMN_BLOCK);
		return true;
	}
	struct block block = block_at(ints, index); /* not constant: then one of the two held */
	if (block.encoding != INTS_PACKED || block.width > 32)
		return false;
	/* What is above the block's spread counts as that: nothing is, in what ints_write() wrote. */
	uint64_t limit = block.width <= 16 ? UINT16_MAX : UINT32_MAX;
	uint64_t first =
		low <= least ? 0
			     : ((uint64_t)low - (uint64_t)least + ints->scale - 1) / ints->scale;
	uint64_t last = high >= most ? limit : ((uint64_t)high - (uint64_t)least) / ints->scale;
	if (first > last) {
		memset(yes, 0, COLUMN_BLOCK);
		return true;
	}
	if (block.width <= 16) {
		bits_unpack16(block.data, block.width, block.n, (uint16_t *)room);
		between16((uint16_t *)room, (uint16_t)first, (uint16_t)(last - first), yes);
	} else {
		bits_unpack32(block.data, block.width, block.n, room);
		between32(room, (uint32_t)first, (uint32_t)(last - first), yes);
	}
	return true;
}
