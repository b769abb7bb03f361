/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/kernel.h"
#include "service/group/aggregate.h"

/* The state of the k-th value's group. */
static inline uint8_t *state_at(const struct update *u, uint32_t offset, uint32_t k)
{
	return (u->state ? u->state[k] : u->one) + offset;
}

/* Add an int to 128 bits. */
static inline void add_int(struct sum *sum, int64_t x)
{
	uint64_t low = sum->low + (uint64_t)x;
	int64_t carry = (x >> 63) + (low < sum->low);

	sum->low = low;
	if (carry) /* seldom: most numbers are small and positive */
		sum->high += carry;
}

/* Source: Knuth, TAOCP 2, section 4.2.2, theorem B: the rounding error of a sum, without a branch. */
static inline void add_real(double *real, double *lost, double x)
{
	double total = *real + x;
	double part = total - *real;

	*lost += (*real - (total - part)) + (x - part);
	*real = total;
}

/* All ints of one group: no 64-bit sum of 1024 halves can overflow. */
KERNEL static void sum_ints_one(struct sum *sum, const int64_t *value, const uint16_t *entry,
				uint32_t n)
{
	int64_t high = 0;
	uint64_t low = 0;

	for (uint32_t k = 0; k < n; k++) {
		high += value[entry[k]] >> 32;
		low += (uint32_t)value[entry[k]];
	}
	high += (int64_t)(low >> 32);
	low = (uint32_t)low;
	/* high * 2^32 + low */
	uint64_t shifted = (uint64_t)high << 32;
	uint64_t total = sum->low + shifted;
	sum->high += (high >> 32) + (total < shifted);
	sum->low = total + low;
	sum->high += sum->low < low;
}

/* All floats of one group, in four lanes that are put together in a fixed order. */
KERNEL static void sum_floats_one(struct sum *sum, const double *value, const uint16_t *entry,
				  uint32_t n)
{
	double real[4] = {}, lost[4] = {};
	uint32_t k = 0;

	for (; k + 4 <= n; k += 4)
		for (uint32_t lane = 0; lane < 4; lane++)
			add_real(&real[lane], &lost[lane], value[entry[k + lane]]);
	for (; k < n; k++)
		add_real(&real[0], &lost[0], value[entry[k]]);
	for (uint32_t lane = 0; lane < 4; lane++) {
		add_real(&sum->real, &sum->lost, real[lane]);
		sum->lost += lost[lane];
	}
	sum->has_real |= n > 0;
}

/* Any values of SUM and AVG, one by one. */
static int sum_any(const struct update *u, uint32_t offset, enum kind *ret_bad)
{
	const struct vector *v = u->value;

	for (uint32_t k = 0; k < u->n; k++) {
		struct sum *sum = (void *)state_at(u, offset, k);
		uint32_t i = u->entry[k];
		auto kind = (enum kind)v->kinds[i];

		if (kind <= KIND_NULL) {
			sum->nulls++;
		} else if (kind == KIND_INT || kind == KIND_INTERVAL) {
			add_int(sum, v->ints[i]);
			sum->has_interval |= kind == KIND_INTERVAL;
		} else if (kind == KIND_FLOAT) {
			add_real(&sum->real, &sum->lost, v->floats[i]);
			sum->has_real = true;
		} else {
			*ret_bad = kind;
			return AGGREGATE_BAD_KIND;
		}
	}
	return 0;
}

/* Leave the entries of list[n] that are not NULL, no branch depending on which; the others are counted. Returns how many are left. */
static uint32_t drop_nulls(const struct update *u, uint32_t offset, uint16_t *list)
{
	uint32_t left = 0;

	for (uint32_t k = 0; k < u->n; k++) {
		struct sum *sum = (void *)state_at(u, offset, k);
		bool null = u->value->kinds[u->entry[k]] <= KIND_NULL;

		sum->nulls += null;
		list[left] = (uint16_t)k;
		left += !null;
	}
	return left;
}

static void sum_ints(const struct update *u, uint32_t offset, const uint16_t *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = list ? list[i] : i;

		add_int((void *)state_at(u, offset, k), u->value->ints[u->entry[k]]);
	}
}

static void sum_floats(const struct update *u, uint32_t offset, const uint16_t *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = list ? list[i] : i;
		struct sum *sum = (void *)state_at(u, offset, k);

		add_real(&sum->real, &sum->lost, u->value->floats[u->entry[k]]);
		sum->has_real = true;
	}
}

/* Ints or floats that all go to one group. */
static void sum_one(struct sum *sum, const struct update *u)
{
	const struct vector *v = u->value;
	KERNEL_SCRATCH uint16_t list[COLUMN_BLOCK];
	const uint16_t *entry = u->entry;
	uint32_t n = u->n;

	if (v->nulls) {
		n = 0;
		for (uint32_t k = 0; k < u->n; k++) { /* no branch depends on which are NULL */
			list[n] = u->entry[k];
			n += v->kinds[u->entry[k]] > KIND_NULL;
		}
		entry = list;
		sum->nulls += u->n - n;
	}
	if (v->kind == KIND_INT)
		sum_ints_one(sum, v->ints, entry, n);
	else
		sum_floats_one(sum, v->floats, entry, n);
}

static int update_sum(const struct update *u, uint32_t offset, enum kind *ret_bad)
{
	const struct vector *v = u->value;
	KERNEL_SCRATCH uint16_t list[COLUMN_BLOCK];

	if (!v->uniform || (v->kind != KIND_INT && v->kind != KIND_FLOAT))
		return sum_any(u, offset, ret_bad);
	if (!u->state) {
		sum_one((void *)(u->one + offset), u);
		return 0;
	}
	uint32_t n = v->nulls ? drop_nulls(u, offset, list) : u->n;
	if (v->kind == KIND_INT)
		sum_ints(u, offset, v->nulls ? list : nullptr, n);
	else
		sum_floats(u, offset, v->nulls ? list : nullptr, n);
	return 0;
}

static void update_count(const struct update *u, uint32_t offset)
{
	for (uint32_t k = 0; u->value && u->value->nulls && k < u->n; k++) {
		struct count *count = (void *)state_at(u, offset, k);

		count->nulls += u->value->kinds[u->entry[k]] <= KIND_NULL;
	}
}

/* Ints of one kind: most are no better than what there is, which is seen without making cells. */
static bool int_is_no_better(bool min, const struct extreme *extreme, const struct vector *v,
			     uint32_t i)
{
	auto best = (int64_t)extreme->best.bits;

	return extreme->best.kind == v->kind && (min ? v->ints[i] >= best : v->ints[i] <= best);
}

static int update_extreme(enum aggregate_kind kind, const struct update *u, uint32_t offset)
{
	const struct vector *v = u->value;
	bool min = kind == AGGREGATE_MIN, ints = v->uniform && KINDS_INTS >> v->kind & 1;

	for (uint32_t k = 0; k < u->n; k++) {
		struct extreme *extreme = (void *)state_at(u, offset, k);
		struct cell old, new;
		uint32_t i = u->entry[k];

		if (v->kinds[i] <= KIND_NULL || (ints && int_is_no_better(min, extreme, v, i)))
			continue;
		vector_cell(v, i, &new);
		slim_cell(&extreme->best, &old);
		int order = old.kind > KIND_NULL ? cell_compare(&new, &old) : min ? -1 : 1;
		if (min ? order >= 0 : order <= 0)
			continue;
		if (new.kind >= KIND_STRING && !(KINDS_INTS >> new.kind & 1)) {
			int r = pile_copy(u->room, &new.s);

			if (r)
				return r;
		}
		extreme->best = slim_of(&new);
	}
	return 0;
}

static int update_seen(const struct update *u, uint32_t offset, enum kind *ret_bad)
{
	for (uint32_t k = 0; k < u->n; k++) {
		struct seen *seen = (void *)state_at(u, offset, k);
		auto kind = (enum kind)u->value->kinds[u->entry[k]];

		seen->yes |= kind == KIND_TRUE;
		seen->no |= kind == KIND_FALSE;
		if (kind > KIND_TRUE) {
			*ret_bad = kind;
			return AGGREGATE_BAD_KIND;
		}
	}
	return 0;
}

int aggregate_update(const struct layout *layout, uint32_t which, const struct update *update,
		     enum kind *ret_bad)
{
	enum aggregate_kind kind = layout->aggregate[which].kind;
	uint32_t offset = layout->offset[which];

	switch (kind) {
	case AGGREGATE_COUNT:
		update_count(update, offset);
		return 0;
	case AGGREGATE_SUM:
	case AGGREGATE_AVG:
		return update_sum(update, offset, ret_bad);
	case AGGREGATE_MIN:
	case AGGREGATE_MAX:
		return update_extreme(kind, update, offset);
	case AGGREGATE_ANY_TRUE:
	case AGGREGATE_ALL_TRUE:
		return update_seen(update, offset, ret_bad);
	case AGGREGATE_COUNT_DISTINCT:
		return 0; /* has a grouping of its own */
	}
	return 0;
}
