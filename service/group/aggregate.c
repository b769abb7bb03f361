/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/aggregate.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint32_t size_of(enum aggregate_kind kind)
{
	switch (kind) {
	case AGGREGATE_COUNT:
		return sizeof(struct count);
	case AGGREGATE_SUM:
	case AGGREGATE_AVG:
		return sizeof(struct sum);
	case AGGREGATE_MIN:
	case AGGREGATE_MAX:
		return sizeof(struct extreme);
	case AGGREGATE_COUNT_DISTINCT:
		return sizeof(struct distinct);
	case AGGREGATE_ANY_TRUE:
	case AGGREGATE_ALL_TRUE:
		return 8;
	}
	return 8;
}

int layout_init(struct layout *layout, const struct aggregate *aggregate, uint32_t n)
{
	*layout = (struct layout) { .aggregate = aggregate, .n = n, .size = sizeof(int64_t) };
	layout->offset = calloc(n + 1, sizeof(*layout->offset));
	if (!layout->offset)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		layout->offset[i] = layout->size;
		layout->size += (size_of(aggregate[i].kind) + 7u) & ~7u;
	}
	return 0;
}

void layout_done(struct layout *layout)
{
	free(layout->offset);
	*layout = (struct layout) {};
}

static void add_real(struct sum *sum, double x)
{
	double total = sum->real + x;

	/* Knuth's form of Neumaier's correction: no branch. */
	double part = total - sum->real;
	sum->lost += (sum->real - (total - part)) + (x - part);
	sum->real = total;
}

static void merge_sum(struct sum *to, const struct sum *from)
{
	uint64_t low = to->low + from->low;

	to->high += from->high + (low < to->low);
	to->low = low;
	if (from->has_real) {
		add_real(to, from->real);
		to->lost += from->lost;
	}
	to->nulls += from->nulls;
	to->has_real |= from->has_real;
	to->has_interval |= from->has_interval;
}

static int merge_extreme(enum aggregate_kind kind, struct extreme *to, const struct extreme *from,
			 struct pile *room)
{
	struct cell old, new;

	if (from->best.kind <= KIND_NULL)
		return 0;
	slim_cell(&to->best, &old);
	slim_cell(&from->best, &new);
	if (old.kind > KIND_NULL) {
		int order = cell_compare(&new, &old);

		if (kind == AGGREGATE_MIN ? order >= 0 : order <= 0)
			return 0;
	}
	if (room && new.kind >= KIND_STRING && !(KINDS_INTS >> new.kind & 1)) {
		int r = pile_copy(room, &new.s);

		if (r)
			return r;
	}
	to->best = slim_of(&new);
	return 0;
}

int aggregate_merge(const struct layout *layout, uint8_t *to, const uint8_t *from,
		    struct pile *room)
{
	int r = 0;

	*layout_rows(to) += *(const int64_t *)(const void *)from;
	for (uint32_t i = 0; i < layout->n && r == 0; i++) {
		enum aggregate_kind kind = layout->aggregate[i].kind;
		void *a = to + layout->offset[i];
		const void *b = from + layout->offset[i];

		switch (kind) {
		case AGGREGATE_COUNT:
			((struct count *)a)->nulls += ((const struct count *)b)->nulls;
			break;
		case AGGREGATE_SUM:
		case AGGREGATE_AVG:
			merge_sum(a, b);
			break;
		case AGGREGATE_MIN:
		case AGGREGATE_MAX:
			r = merge_extreme(kind, a, b, room);
			break;
		case AGGREGATE_COUNT_DISTINCT:
			((struct distinct *)a)->n += ((const struct distinct *)b)->n;
			break;
		case AGGREGATE_ANY_TRUE:
		case AGGREGATE_ALL_TRUE:
			((struct seen *)a)->yes |= ((const struct seen *)b)->yes;
			((struct seen *)a)->no |= ((const struct seen *)b)->no;
			break;
		}
	}
	return r;
}

int aggregate_keep(const struct layout *layout, uint8_t *states, struct pile *room)
{
	for (uint32_t i = 0; i < layout->n; i++) {
		enum aggregate_kind kind = layout->aggregate[i].kind;
		struct extreme *extreme = (void *)(states + layout->offset[i]);
		struct cell cell;

		if (kind != AGGREGATE_MIN && kind != AGGREGATE_MAX)
			continue;
		slim_cell(&extreme->best, &cell);
		if (cell.kind < KIND_STRING || KINDS_INTS >> cell.kind & 1)
			continue;
		int r = pile_copy(room, &cell.s);
		if (r)
			return r;
		extreme->best = slim_of(&cell);
	}
	return 0;
}

static bool sum_value(enum aggregate_kind kind, const struct sum *sum, int64_t rows,
		      struct cell *ret)
{
	auto whole = (int64_t)sum->low;
	int64_t n = rows - sum->nulls;

	*ret = (struct cell) { .kind = KIND_NULL };
	if (n == 0)
		return true;
	if (sum->high != (whole < 0 ? -1 : 0))
		return false;
	double total = sum->real + sum->lost + (double)whole;
	if (sum->has_interval)
		*ret = (struct cell) { .kind = KIND_INTERVAL,
				       .i = kind == AGGREGATE_AVG ? whole / n : whole };
	else if (kind == AGGREGATE_AVG)
		*ret = (struct cell) { .kind = KIND_FLOAT, .f = total / (double)n };
	else if (sum->has_real)
		*ret = (struct cell) { .kind = KIND_FLOAT, .f = total };
	else
		*ret = (struct cell) { .kind = KIND_INT, .i = whole };
	if (ret->kind == KIND_FLOAT && isnan(ret->f))
		ret->kind = KIND_NULL;
	return true;
}

bool aggregate_value(const struct layout *layout, uint32_t which, const uint8_t *states,
		     struct cell *ret)
{
	enum aggregate_kind kind = layout->aggregate[which].kind;
	const void *at = states + layout->offset[which];
	int64_t rows = *(const int64_t *)(const void *)states;
	const struct seen *seen = at;

	*ret = (struct cell) { .kind = KIND_INT };
	switch (kind) {
	case AGGREGATE_COUNT:
		ret->i = rows - ((const struct count *)at)->nulls;
		return true;
	case AGGREGATE_SUM:
	case AGGREGATE_AVG:
		return sum_value(kind, at, rows, ret);
	case AGGREGATE_MIN:
	case AGGREGATE_MAX:
		slim_cell(&((const struct extreme *)at)->best, ret);
		if (ret->kind == KIND_MISSING)
			ret->kind = KIND_NULL;
		return true;
	case AGGREGATE_COUNT_DISTINCT:
		ret->i = ((const struct distinct *)at)->n;
		return true;
	case AGGREGATE_ANY_TRUE:
		ret->kind = seen->yes ? KIND_TRUE : seen->no ? KIND_FALSE : KIND_NULL;
		return true;
	case AGGREGATE_ALL_TRUE:
		ret->kind = seen->no ? KIND_FALSE : seen->yes ? KIND_TRUE : KIND_NULL;
		return true;
	}
	return true;
}

/* The string of MIN or MAX, if that is one. */
static bool has_string(const struct layout *layout, uint32_t i, const uint8_t *states,
		       struct cell *ret)
{
	enum aggregate_kind kind = layout->aggregate[i].kind;
	const struct extreme *extreme = (const void *)(states + layout->offset[i]);

	if (kind != AGGREGATE_MIN && kind != AGGREGATE_MAX)
		return false;
	slim_cell(&extreme->best, ret);
	return ret->kind >= KIND_STRING && !(KINDS_INTS >> ret->kind & 1);
}

void aggregate_pack(const struct layout *layout, const uint8_t *states, struct buf *out)
{
	struct cell cell;

	for (uint32_t i = 0; i < layout->n; i++)
		if (has_string(layout, i, states, &cell) && cell.s.len > 0)
			buf_add(out, cell.s.at, cell.s.len);
}

bool aggregate_unpack(const struct layout *layout, uint8_t *states, const uint8_t *data, size_t len)
{
	struct cell cell;

	for (uint32_t i = 0; i < layout->n; i++) {
		if (!has_string(layout, i, states, &cell))
			continue;
		if (cell.s.len > len)
			return false;
		cell.s.at = (const char *)data;
		data += cell.s.len;
		len -= cell.s.len;
		((struct extreme *)(void *)(states + layout->offset[i]))->best = slim_of(&cell);
	}
	return true;
}
