/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/raw.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/group/groups.h"

static_assert(RAW_PARTS == GROUPS_PARTS && RAW_ROWS <= COLUMN_BLOCK);

static size_t page_size(const struct layout *layout)
{
	return sizeof(struct raw_page) + layout->n * RAW_ROWS * (sizeof(uint64_t) + 1ul);
}

static uint64_t *bits_of(struct raw_page *page, uint32_t column)
{
	return page->data + (size_t)column * RAW_ROWS;
}

static uint8_t *kinds_of(const struct layout *layout, struct raw_page *page, uint32_t column)
{
	return (uint8_t *)bits_of(page, layout->n) + (size_t)column * RAW_ROWS;
}

void raw_pool_init(struct raw_pool *pool, const struct layout *layout, struct budget *budget)
{
	*pool = (struct raw_pool) { .layout = layout, .pile = { .budget = budget } };
	pthread_mutex_init(&pool->lock, nullptr);
}

void raw_pool_done(struct raw_pool *pool)
{
	if (!pool->layout)
		return;
	pile_done(&pool->pile);
	pthread_mutex_destroy(&pool->lock);
	*pool = (struct raw_pool) {};
}

static int take_page(struct raw_pool *pool, struct raw_page **ret)
{
	size_t size = page_size(pool->layout);
	int r = 0;

	pthread_mutex_lock(&pool->lock);
	struct raw_page *page = pool->page;
	if (page)
		pool->page = page->next;
	else
		page = pile_take(&pool->pile, size);
	if (!page)
		r = pile_error(&pool->pile, size);
	pthread_mutex_unlock(&pool->lock);
	if (r)
		return r;
	page->next = nullptr;
	page->n = 0;
	*ret = page;
	return 0;
}

int raw_new(struct raw_pool *pool, struct raw **ret)
{
	struct raw *raw = calloc(1, sizeof(*raw) + pool->layout->n * sizeof(struct raw_column));

	if (!raw)
		return -ENOMEM;
	raw->pool = pool;
	*ret = raw;
	return 0;
}

struct raw *raw_free(struct raw *raw)
{
	if (!raw)
		return nullptr;
	pthread_mutex_lock(&raw->pool->lock);
	for (uint32_t p = 0; p < RAW_PARTS; p++) {
		if (!raw->part[p].first)
			continue;
		raw->part[p].last->next = raw->pool->page;
		raw->pool->page = raw->part[p].first;
	}
	pthread_mutex_unlock(&raw->pool->lock);
	free(raw);
	return nullptr;
}

size_t raw_bytes(const struct raw *raw)
{
	return raw->n_pages * page_size(raw->pool->layout);
}

/* The kinds of values that can be aggregated without an error and without strings. */
static kind_set suitable(enum aggregate_kind kind)
{
	constexpr kind_set numbers = 1u << KIND_INT | 1u << KIND_FLOAT | 1u << KIND_INTERVAL;
	constexpr kind_set bools = 1u << KIND_FALSE | 1u << KIND_TRUE;

	switch (kind) {
	case AGGREGATE_SUM:
	case AGGREGATE_AVG:
		return KINDS_NULLS | numbers;
	case AGGREGATE_ANY_TRUE:
	case AGGREGATE_ALL_TRUE:
		return KINDS_NULLS | bools;
	case AGGREGATE_COUNT:
	case AGGREGATE_COUNT_DISTINCT:
		return (kind_set)~0u;
	case AGGREGATE_MIN:
	case AGGREGATE_MAX:
		return KINDS_NULLS | bools | KINDS_INTS | 1u << KIND_FLOAT;
	}
	return 0;
}

/* Whether a block's values can be taken. */
static bool suits(const struct layout *layout, const struct raw_block *block)
{
	for (uint32_t i = 0; i < layout->n; i++) {
		const struct vector *value = block->value[i];
		kind_set kinds = suitable(layout->aggregate[i].kind), met = 0;

		if (!value || kinds == (kind_set)~0u ||
		    (value->uniform && kinds >> value->kind & 1))
			continue;
		for (uint32_t k = 0; k < block->n; k++)
			met |= (kind_set)(1u << value->kinds[block->entry[k]]);
		if (met & ~kinds)
			return false;
	}
	return true;
}

/* Decide before the first rows which aggregates look at their values: COUNT(DISTINCT x) has a grouping of its own. */
static void begin_columns(struct raw *raw, const struct raw_block *block)
{
	const struct layout *layout = raw->pool->layout;

	for (uint32_t i = 0; i < layout->n; i++) {
		raw->column[i].used =
			block->value[i] && layout->aggregate[i].kind != AGGREGATE_COUNT_DISTINCT;
		if (raw->column[i].used)
			raw->column[i].kind = block->value[i]->kind;
	}
}

/* From now on each row's kind is kept. */
static void keep_kinds(struct raw *raw, uint32_t column)
{
	raw->column[column].mixed = true;
	for (uint32_t p = 0; p < RAW_PARTS; p++)
		for (struct raw_page *page = raw->part[p].first; page; page = page->next)
			memset(kinds_of(raw->pool->layout, page, column), raw->column[column].kind,
			       RAW_ROWS);
}

/* Give keys [n] their places. */
static int place_keys(struct raw *raw, struct raw_room *room, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		uint32_t p = groups_part(room->hash[k]);
		struct raw_page *page = raw->part[p].last;

		if (!page || page->n == RAW_ROWS) {
			int r = take_page(raw->pool, &page);

			if (r)
				return r;
			if (raw->part[p].last)
				raw->part[p].last->next = page;
			else
				raw->part[p].first = page;
			raw->part[p].last = page;
			raw->n_pages++;
		}
		room->page[k] = page;
		room->at[k] = (uint16_t)page->n;
		page->hash[page->n] = (uint32_t)room->hash[k];
		page->key[page->n++] = room->key[k];
	}
	return 0;
}

/* Put an argument's values for the keys [n] to their places. */
static void place_values(struct raw *raw, const struct raw_room *room, uint32_t column,
			 const struct vector *v, uint32_t n)
{
	const struct layout *layout = raw->pool->layout;
	bool plain = v->uniform && !v->nulls;

	if (!raw->column[column].mixed && (!plain || v->kind != raw->column[column].kind))
		keep_kinds(raw, column);
	for (uint32_t k = 0; raw->column[column].mixed && k < n; k++)
		kinds_of(layout, room->page[k], column)[room->at[k]] = v->kinds[room->fits[k]];
	if (!plain || v->kind != KIND_FLOAT)
		for (uint32_t k = 0; k < n; k++)
			bits_of(room->page[k], column)[room->at[k]] =
				(uint64_t)v->ints[room->fits[k]];
	if (plain && v->kind != KIND_FLOAT)
		return;
	for (uint32_t k = 0; k < n; k++)
		if (v->kinds[room->fits[k]] == KIND_FLOAT)
			memcpy(&bits_of(room->page[k], column)[room->at[k]],
			       &v->floats[room->fits[k]], sizeof(double));
}

int raw_add(struct raw *raw, const uint64_t hash_key[2], const struct raw_block *block,
	    struct raw_room *room, uint16_t *ret_rest, uint32_t *ret_rest_n)
{
	const struct layout *layout = raw->pool->layout;

	*ret_rest_n = block->n;
	if (!suits(layout, block)) {
		memcpy(ret_rest, block->entry, block->n * sizeof(*block->entry));
		return 0;
	}
	if (raw->n == 0)
		begin_columns(raw, block);
	uint32_t n =
		small_vector(block->key, block->entry, block->n, room->key, room->fits, ret_rest);
	*ret_rest_n = block->n - n;
	small_hash(hash_key, room->key, n, room->hash);
	int r = place_keys(raw, room, n);
	if (r)
		return r;
	for (uint32_t i = 0; i < layout->n; i++)
		if (raw->column[i].used)
			place_values(raw, room, i, block->value[i], n);
	raw->n += n;
	return 0;
}

/* Put a page's keys into slots, which hold keys of other pages. Returns how many are new. */
static uint32_t note_keys(const struct raw_page *page, const struct small **slot, uint32_t mask)
{
	uint32_t distinct = 0;

	for (uint32_t i = 0; i < page->n; i++) {
		uint32_t at = page->hash[i] & mask;

		while (slot[at] && !small_same(slot[at], &page->key[i]))
			at = (at + 1) & mask;
		distinct += !slot[at];
		slot[at] = &page->key[i];
	}
	return distinct;
}

int raw_distinct(const struct raw *raw, uint32_t *ret)
{
	uint32_t slots = 16, distinct = 0;

	while (slots < 2 * raw->n)
		slots *= 2;
	auto_free const struct small **slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	for (uint32_t p = 0; p < RAW_PARTS; p++)
		for (const struct raw_page *page = raw->part[p].first; page; page = page->next)
			distinct += note_keys(page, slot, slots - 1);
	*ret = distinct;
	return 0;
}

const struct vector *raw_vector(const struct raw *raw, const struct raw_page *page, uint32_t column,
				struct vector *to)
{
	const struct raw_column *about = &raw->column[column];
	auto from = (struct raw_page *)(uintptr_t)page;

	if (!about->used)
		return nullptr;
	to->uniform = !about->mixed;
	to->nulls = about->mixed || about->kind <= KIND_NULL;
	to->kind = about->kind;
	if (about->mixed)
		memcpy(to->kinds, kinds_of(raw->pool->layout, from, column), page->n);
	else
		memset(to->kinds, about->kind, page->n);
	memcpy(to->ints, bits_of(from, column), page->n * sizeof(*to->ints));
	if (about->mixed || about->kind == KIND_FLOAT)
		memcpy(to->floats, bits_of(from, column), page->n * sizeof(*to->floats));
	return to;
}
