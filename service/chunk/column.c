/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/column.h"

#include <errno.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/column/filter.h"
#include "service/column/floats.h"
#include "service/column/ints.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"

/*
 * Of a sparse column, all lanes but the strings are decoded when it is opened: there are few values, and where they are
 * has to be checked anyway. An array column needs room to decode a block of ends in, or has them all decoded if they are few.
 */
struct column_own {
	uint32_t *row; /* [n] of a sparse column: which entries are there */
	uint8_t *kind; /* [n] these three likewise, where there is a lane */
	int64_t *number;
	double *real;
	uint32_t *end;	  /* [n] of a sparse column, or one of a block or less */
	int64_t *scratch; /* [COLUMN_BLOCK] */
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* --- opening ------------------------------------------------------------------------------------- */

/* Whether a lane's bytes are what the lane must be. */
static bool open_lane(struct column *column, enum chunk_lane lane, const uint8_t *data, size_t len)
{
	uint32_t n = column->n;

	switch (lane) {
	case LANE_KINDS:
		return ints_open(data, len, n, &column->kinds) && column->kinds.min >= 0 &&
		       column->kinds.max < KIND_COUNT;
	case LANE_ROWS:
		return ints_open(data, len, n, &column->rows) && column->rows.min >= 0 &&
		       column->rows.max < column->about->n;
	case LANE_INTS:
		return ints_open(data, len, n, &column->ints);
	case LANE_FLOATS:
		return floats_open(data, len, n, &column->floats);
	case LANE_STRINGS:
		return strings_open(data, len, n, &column->strings);
	case LANE_ENDS:
		return ints_open(data, len, n, &column->ends) && column->ends.min >= 0 &&
		       column->ends.max <= column->elements;
	case LANE_FILTER:
		column->filter = data;
		column->filter_len = len;
		return filter_check(data, len);
	case LANE_ORDER:
		return ints_open(data, len, n, &column->order) && column->order.min >= 0 &&
		       column->order.max < n;
	case LANE_GRAMS:
		column->grams = data;
		column->grams_len = len;
		return filter_check(data, len);
	case LANE_COUNT:
		break;
	}
	return false;
}

/* Decode a whole lane of ints into out[n] of size bytes each. room is for one block. */
static void decode_ints(const struct ints *ints, uint32_t n, int64_t *room, size_t size, void *out)
{
	for (uint32_t from = 0; from < n; from += COLUMN_BLOCK) {
		uint32_t here = least(n - from, COLUMN_BLOCK);

		ints_read(ints, from / COLUMN_BLOCK, room);
		for (uint32_t i = 0; i < here; i++) {
			if (size == sizeof(uint8_t))
				((uint8_t *)out)[from + i] = (uint8_t)room[i];
			else if (size == sizeof(uint32_t))
				((uint32_t *)out)[from + i] = (uint32_t)room[i];
			else
				((int64_t *)out)[from + i] = room[i];
		}
	}
}

static void decode_floats(const struct floats *floats, uint32_t n, double *room, double *out)
{
	for (uint32_t from = 0; from < n; from += COLUMN_BLOCK) {
		floats_read(floats, from / COLUMN_BLOCK, room);
		memcpy(out + from, room, least(n - from, COLUMN_BLOCK) * sizeof(*out));
	}
}

static bool ascends(const uint32_t *row, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (row[i] <= row[i - 1])
			return false;
	return true;
}

static bool is_open(const struct column *column, enum chunk_lane lane)
{
	return column->lanes & 1u << lane;
}

/* Decode what of a sparse column is decoded at once. */
static int decode_sparse(struct column *column, struct column_own *own)
{
	size_t n = column->n;
	size_t size = n * (sizeof(int64_t) * is_open(column, LANE_INTS) +
			   sizeof(double) * is_open(column, LANE_FLOATS) +
			   sizeof(uint32_t) * is_open(column, LANE_ENDS) + sizeof(uint32_t) +
			   sizeof(uint8_t) * is_open(column, LANE_KINDS));
	auto_free int64_t *room = malloc(COLUMN_BLOCK * sizeof(*room));

	own->number = malloc(size); /* one allocation, the widest types first */
	if (!room || !own->number)
		return -ENOMEM;
	own->real = (double *)(own->number + n * is_open(column, LANE_INTS));
	own->end = (uint32_t *)(own->real + n * is_open(column, LANE_FLOATS));
	own->row = own->end + n * is_open(column, LANE_ENDS);
	own->kind = (uint8_t *)(own->row + n);
	decode_ints(&column->rows, column->n, room, sizeof(uint32_t), own->row);
	if (!ascends(own->row, column->n))
		return CHUNK_DAMAGED;
	if (is_open(column, LANE_KINDS))
		decode_ints(&column->kinds, column->n, room, sizeof(uint8_t), own->kind);
	if (is_open(column, LANE_INTS))
		decode_ints(&column->ints, column->n, room, sizeof(int64_t), own->number);
	if (is_open(column, LANE_FLOATS))
		decode_floats(&column->floats, column->n, (double *)room, own->real);
	if (is_open(column, LANE_ENDS))
		decode_ints(&column->ends, column->n, room, sizeof(uint32_t), own->end);
	return 0;
}

/* Room for blocks of ends; all of them at once if they are one block. */
static int decode_ends(struct column *column, struct column_own *own)
{
	own->scratch = malloc(COLUMN_BLOCK * sizeof(*own->scratch));
	if (!own->scratch)
		return -ENOMEM;
	if (column->n > COLUMN_BLOCK)
		return 0;
	own->end = malloc(column->n * sizeof(*own->end));
	if (!own->end)
		return -ENOMEM;
	decode_ints(&column->ends, column->n, own->scratch, sizeof(*own->end), own->end);
	free(TAKE(own->scratch));
	return 0;
}

static int decode_own(struct column *column)
{
	bool sparse = column->about->sparse;

	if (!sparse && !is_open(column, LANE_ENDS))
		return 0;
	column->own = calloc(1, sizeof(*column->own));
	if (!column->own)
		return -ENOMEM;
	return sparse ? decode_sparse(column, column->own) : decode_ends(column, column->own);
}

static int open_lanes(struct column *column, uint16_t lanes)
{
	for (uint32_t i = 0; i < LANE_COUNT; i++) {
		auto lane = (enum chunk_lane)i;
		const struct blob *blob = &column->about->lane[lane];
		struct chunk_pinned pinned;

		if (!(lanes & 1u << lane) || blob->len == 0)
			continue;
		int r = chunk_pin(column->chunk, blob, &pinned);
		if (r)
			return r;
		column->pin[lane] = pinned.pin;
		column->pages.read += pinned.pages.read;
		column->pages.missed += pinned.pages.missed;
		column->lanes |= (uint16_t)(1u << lane);
		if (!open_lane(column, lane, pinned.data, blob->len))
			return CHUNK_DAMAGED;
	}
	return decode_own(column);
}

int column_open(struct chunk *chunk, uint32_t index, uint16_t lanes, struct column *ret)
{
	const struct chunk_column *about = chunk_column(chunk, index);
	struct column column = { .chunk = chunk,
				 .about = about,
				 .n = about->sparse ? about->present : about->n };
	kind_set kinds = about->kinds;
	uint32_t elements = about->lane[LANE_ENDS].len ? chunk_elements(chunk, index) : CHUNK_NONE;

	if (elements != CHUNK_NONE)
		column.elements = chunk_column(chunk, elements)->n;
	if (about->sparse)
		kinds &= (kind_set) ~(1u << KIND_MISSING);
	if (about->lane[LANE_KINDS].len == 0)
		column.constant_kind = (enum kind)stdc_trailing_zeros(kinds);
	column.one_kind = !about->sparse && about->lane[LANE_KINDS].len == 0;
	int r = open_lanes(&column, lanes | 1u << LANE_KINDS | 1u << LANE_ROWS);
	if (r)
		column_close(&column);
	else
		*ret = column;
	return r;
}

void column_close(struct column *column)
{
	if (!column->chunk) /* most fields of a query that reads few rows: not worth clearing */
		return;
	for (uint32_t i = 0; i < LANE_COUNT; i++)
		if (column->lanes & 1u << i)
			chunk_unpin(column->chunk, column->pin[i]);
	if (column->own) {
		free(column->own->scratch);
		if (column->own->number)
			free(column->own->number); /* and with it all that is in one piece */
		else
			free(column->own->end);
		free(column->own);
	}
	*column = (struct column) {};
}

/* --- blocks -------------------------------------------------------------------------------------- */

/* The first of a sparse column's values at an entry or after it. */
static uint32_t position_of(const struct column *column, uint64_t entry)
{
	uint32_t from = 0, to = column->n;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;

		if (column->own->row[mid] < entry)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* The values of a sparse column that lie in a block. */
struct stretch {
	uint32_t from, to; /* values */
	uint32_t first;	   /* the block's first entry */
};

static struct stretch stretch_of(const struct column *column, uint32_t block)
{
	uint64_t first = (uint64_t)block * COLUMN_BLOCK;

	return (struct stretch) { .from = position_of(column, first),
				  .to = position_of(column, first + COLUMN_BLOCK),
				  .first = (uint32_t)first };
}

void column_kinds(const struct column *column, uint32_t block, uint8_t out[COLUMN_BLOCK])
{
	if (column->one_kind) {
		memset(out, column->constant_kind, COLUMN_BLOCK);
		return;
	}
	if (!column->about->sparse) {
		ints_read8(&column->kinds, block, out);
		return;
	}
	struct stretch stretch = stretch_of(column, block);
	memset(out, KIND_MISSING, COLUMN_BLOCK);
	for (uint32_t i = stretch.from; i < stretch.to; i++)
		out[column->own->row[i] - stretch.first] =
			is_open(column, LANE_KINDS) ? column->own->kind[i] : column->constant_kind;
}

void column_ints(const struct column *column, uint32_t block, int64_t out[COLUMN_BLOCK])
{
	if (!is_open(column, LANE_INTS)) {
		memset(out, 0, COLUMN_BLOCK * sizeof(*out));
		return;
	}
	if (!column->about->sparse) {
		ints_read(&column->ints, block, out);
		return;
	}
	struct stretch stretch = stretch_of(column, block);
	memset(out, 0, COLUMN_BLOCK * sizeof(*out));
	for (uint32_t i = stretch.from; i < stretch.to; i++)
		out[column->own->row[i] - stretch.first] = column->own->number[i];
}

void column_floats(const struct column *column, uint32_t block, double out[COLUMN_BLOCK])
{
	if (!is_open(column, LANE_FLOATS)) {
		memset(out, 0, COLUMN_BLOCK * sizeof(*out));
		return;
	}
	if (!column->about->sparse) {
		floats_read(&column->floats, block, out);
		return;
	}
	struct stretch stretch = stretch_of(column, block);
	memset(out, 0, COLUMN_BLOCK * sizeof(*out));
	for (uint32_t i = stretch.from; i < stretch.to; i++)
		out[column->own->row[i] - stretch.first] = column->own->real[i];
}

/* The end of value i, at least floor: bytes from outside need not ascend. */
static uint32_t end_of(const struct column *column, uint32_t i, uint32_t floor)
{
	uint32_t end =
		column->own->end ? column->own->end[i] : (uint32_t)ints_get(&column->ends, i);

	return end < floor ? floor : end;
}

static void sparse_ends(const struct column *column, uint32_t block, uint32_t out[COLUMN_BLOCK + 1])
{
	struct stretch stretch = stretch_of(column, block);
	uint32_t end = stretch.from > 0 ? end_of(column, stretch.from - 1, 0) : 0, at = 0;

	for (uint32_t i = stretch.from; i < stretch.to; i++) {
		uint32_t entry = column->own->row[i] - stretch.first;

		while (at <= entry)
			out[at++] = end;
		end = end_of(column, i, end);
	}
	while (at <= COLUMN_BLOCK)
		out[at++] = end;
}

void column_ends(const struct column *column, uint32_t block, uint32_t out[COLUMN_BLOCK + 1])
{
	uint32_t first = block * COLUMN_BLOCK;

	if (!is_open(column, LANE_ENDS)) {
		memset(out, 0, (COLUMN_BLOCK + 1) * sizeof(*out));
		return;
	}
	if (column->about->sparse) {
		sparse_ends(column, block, out);
		return;
	}
	uint32_t here = least(column->n - first, COLUMN_BLOCK);
	const uint32_t *end = column->own->end;
	out[0] = first > 0 ? end_of(column, first - 1, 0) : 0;
	if (!end)
		ints_read(&column->ends, block, column->own->scratch);
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++) {
		uint32_t value = out[i];

		if (i < here)
			value = end ? end[i] : (uint32_t)column->own->scratch[i];
		out[i + 1] = value < out[i] ? out[i] : value;
	}
}

/* Put copies of some strings into the room, in the place of what it holds; with[with_n] may be among that and comes too. */
static int take_in(struct strings_room *room, struct str *text, uint32_t n, struct str *with,
		   uint32_t with_n)
{
	size_t size = 1;

	for (uint32_t i = 0; i < n; i++)
		size += text[i].len;
	for (uint32_t i = 0; i < with_n; i++)
		size += with[i].len;
	char *data = malloc(size), *at = data;
	if (!data)
		return -ENOMEM;
	for (uint32_t i = 0; i < n + with_n; i++) {
		struct str *one = i < n ? &text[i] : &with[i - n];

		if (one->len > 0)
			memcpy(at, one->at, one->len);
		one->at = at;
		at += one->len;
	}
	free(room->data);
	room->data = data;
	room->size = size;
	return 0;
}

/* The strings of a sparse column that lie in a block: values from two blocks of the lane at most. */
static int sparse_strings(const struct column *column, uint32_t block, struct strings_room *room,
			  struct str out[COLUMN_BLOCK])
{
	struct stretch stretch = stretch_of(column, block);
	cleanup(strings_room_done) struct strings_room first_room = {};
	auto_free struct str *text = malloc(2ul * COLUMN_BLOCK * sizeof(*text));
	uint32_t lane_block = stretch.from / COLUMN_BLOCK, skip = stretch.from % COLUMN_BLOCK;
	uint32_t n = stretch.to - stretch.from, here = least(n, COLUMN_BLOCK - skip);
	int r = 0;

	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		out[i] = (struct str) { .at = "" };
	if (n == 0)
		return 0;
	if (!text)
		return -ENOMEM;
	r = strings_read(&column->strings, lane_block, here < n ? &first_room : room, text);
	if (r == 0 && here < n)
		r = strings_read(&column->strings, lane_block + 1, room, text + COLUMN_BLOCK);
	if (r == 0 && here < n)
		r = take_in(room, text + skip, here, text + COLUMN_BLOCK, n - here);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		out[column->own->row[stretch.from + i] - stretch.first] = text[skip + i];
	return r == -EBADMSG ? CHUNK_DAMAGED : r;
}

int column_strings(const struct column *column, uint32_t block, struct strings_room *room,
		   struct str out[COLUMN_BLOCK])
{
	if (!is_open(column, LANE_STRINGS)) {
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			out[i] = (struct str) { .at = "" };
		return 0;
	}
	if (column->about->sparse)
		return sparse_strings(column, block, room, out);
	int r = strings_read(&column->strings, block, room, out);
	return r == -EBADMSG ? CHUNK_DAMAGED : r;
}

bool column_is_dictionary(const struct column *column)
{
	return !column->about->sparse && is_open(column, LANE_STRINGS) &&
	       column->strings.encoding == STRINGS_DICTIONARY;
}

const uint32_t *column_rows(const struct column *column)
{
	return column->about->sparse ? column->own->row : nullptr;
}

/* --- single entries ------------------------------------------------------------------------------ */

/* Which of the lanes' values an entry is, or CHUNK_NONE. */
static uint32_t value_of(const struct column *column, uint32_t i)
{
	if (!column->about->sparse)
		return i;
	uint32_t position = position_of(column, i);
	return position < column->n && column->own->row[position] == i ? position : CHUNK_NONE;
}

enum kind column_kind(const struct column *column, uint32_t i)
{
	uint32_t value = column->one_kind ? 0 : value_of(column, i);

	if (value == CHUNK_NONE)
		return KIND_MISSING;
	if (!is_open(column, LANE_KINDS))
		return column->constant_kind;
	return (enum kind)(column->about->sparse ? column->own->kind[value]
						 : ints_get(&column->kinds, value));
}

int64_t column_int(const struct column *column, uint32_t i)
{
	uint32_t value = is_open(column, LANE_INTS) ? value_of(column, i) : CHUNK_NONE;

	if (value == CHUNK_NONE)
		return 0;
	return column->about->sparse ? column->own->number[value] : ints_get(&column->ints, value);
}

double column_float(const struct column *column, uint32_t i)
{
	uint32_t value = is_open(column, LANE_FLOATS) ? value_of(column, i) : CHUNK_NONE;

	if (value == CHUNK_NONE)
		return 0;
	return column->about->sparse ? column->own->real[value]
				     : floats_get(&column->floats, value);
}

int column_string(const struct column *column, uint32_t i, struct strings_room *room,
		  struct str *ret)
{
	uint32_t value = is_open(column, LANE_STRINGS) ? value_of(column, i) : CHUNK_NONE;

	if (value == CHUNK_NONE) {
		*ret = (struct str) { .at = "" };
		return 0;
	}
	int r = strings_get(&column->strings, value, room, ret);
	return r == -EBADMSG ? CHUNK_DAMAGED : r;
}

void column_bounds(const struct column *column, uint32_t i, uint32_t *ret_from, uint32_t *ret_to)
{
	uint32_t value = is_open(column, LANE_ENDS) ? value_of(column, i) : CHUNK_NONE;

	*ret_from = *ret_to = 0;
	if (value == CHUNK_NONE)
		return;
	*ret_from = value > 0 ? end_of(column, value - 1, 0) : 0;
	*ret_to = end_of(column, value, *ret_from);
}
