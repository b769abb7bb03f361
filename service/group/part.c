/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/part.h"
#include "service/group/part_small.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

constexpr uint32_t AHEAD = 24; /* records whose memory is fetched before their turn */
constexpr uint64_t SLOTS_FIRST = 16;

void part_init(struct part *part, const struct layout *layout, uint32_t n_keys,
	       const uint64_t hash_key[2], struct budget *budget)
{
	*part = (struct part) { .layout = layout,
				.n_keys = n_keys,
				.hash_key = hash_key,
				.pile = { .budget = budget } };
	part_small_init(part);
}

void part_clear(struct part *part)
{
	if (part->slot)
		budget_give(part->pile.budget, (part->mask + 1) * sizeof(*part->slot));
	if (part->small)
		budget_give(part->pile.budget, (part->small_mask + 1) * part->small_size);
	free(part->slot);
	free(part->small);
	part->slot = nullptr;
	part->small = nullptr;
	part->n = part->n_small = 0;
	part_small_init(part);
	pile_done(&part->pile);
}

/* Double the slots of keys that are not small. */
static int grow(struct part *part)
{
	uint64_t slots = part->slot ? 2 * (part->mask + 1) : SLOTS_FIRST;
	int r = budget_take(part->pile.budget, slots * sizeof(struct entry));

	if (r)
		return r;
	struct entry *slot = calloc(slots, sizeof(*slot));
	if (!slot) {
		budget_give(part->pile.budget, slots * sizeof(struct entry));
		return -ENOMEM;
	}
	for (uint64_t i = 0; part->slot && i <= part->mask; i++) {
		if (!part->slot[i].record)
			continue;
		uint64_t at = part->slot[i].hash & (slots - 1);
		while (slot[at].record)
			at = (at + 1) & (slots - 1);
		slot[at] = part->slot[i];
	}
	if (part->slot)
		budget_give(part->pile.budget, (part->mask + 1) * sizeof(*part->slot));
	free(part->slot);
	part->slot = slot;
	part->mask = slots - 1;
	return 0;
}

/* The slot of a key, or the free one where it belongs. */
static struct entry *find_slot(const struct part *part, uint64_t hash, const struct record *like)
{
	uint64_t at = hash & part->mask;

	while (part->slot[at].record) {
		if (part->slot[at].hash == hash &&
		    record_same(part->slot[at].record, like, part->n_keys))
			break;
		at = (at + 1) & part->mask;
	}
	return &part->slot[at];
}

/* Take a copy of a record in. */
static int insert(struct part *part, const struct record *record, struct record **ret)
{
	size_t size = record_size(record);
	struct record *copy = pile_take(&part->pile, size);

	if (!copy)
		return pile_error(&part->pile, size);
	memcpy(copy, record, size);
	int r = aggregate_keep(part->layout, record_states(copy), &part->pile);
	if (r)
		return r;
	*ret = copy;
	return 0;
}

/* The small key of a record, if it has one. */
static bool small_key(const struct part *part, const struct record *record, struct small *ret)
{
	struct cell cell;

	if (part->n_keys != 1)
		return false;
	(void)record_get(record_key(record), &cell);
	return small_of(&cell, ret);
}

static int merge_small(struct part *part, const struct entry *entry, const struct small *key)
{
	bool new;
	struct small *slot;
	int r = part_small_take(part, entry->hash, key, &slot, &new);

	if (r || part->small_size == sizeof(*slot))
		return r;
	if (!new)
		return part->layout->n == 0
			       ? 0
			       : aggregate_merge(part->layout, record_states(small_record(slot)),
						 record_states(entry->record), &part->pile);
	struct record *copy;
	r = insert(part, entry->record, &copy);
	if (r == 0)
		small_set_record(slot, copy);
	else
		part_small_undo(part, slot);
	return r;
}

static int merge_one(struct part *part, const struct entry *entry)
{
	struct small key;

	if (small_key(part, entry->record, &key))
		return merge_small(part, entry, &key);
	if (!part->slot || (part->n - part->n_small + 1) * 2 > part->mask + 1) {
		int r = grow(part);

		if (r)
			return r;
	}
	struct entry *slot = find_slot(part, entry->hash, entry->record);

	if (!slot->record) {
		struct record *copy = nullptr;
		int r = insert(part, entry->record, &copy);

		if (r)
			return r;
		*slot = (struct entry) { entry->hash, copy };
		part->n++;
		return 0;
	}
	if (part->layout->n == 0)
		return 0;
	return aggregate_merge(part->layout, record_states(slot->record),
			       record_states(entry->record), &part->pile);
}

/* Have a record in the cache soon; few are longer than two lines. */
static void fetch(const struct record *record)
{
	__builtin_prefetch(record);
	__builtin_prefetch((const uint8_t *)record + 64);
}

/* Fetch what merging entries after the i-th will need: first their slots and themselves, later what the slots name. */
static void fetch_ahead(const struct part *part, const struct entry *entry, uint32_t i, uint32_t n)
{
	uint64_t far = i + 2 * AHEAD < n ? entry[i + 2 * AHEAD].hash : 0;
	uint64_t near = i + AHEAD < n ? entry[i + AHEAD].hash : 0;

	if (i + 2 * AHEAD < n)
		fetch(entry[i + 2 * AHEAD].record);
	if (part->small)
		part_small_fetch(part, far, near);
	if (part->slot) {
		__builtin_prefetch(&part->slot[far & part->mask]);
		fetch(part->slot[near & part->mask].record);
	}
}

int part_merge(struct part *part, const struct entry *entry, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		fetch_ahead(part, entry, i, n);
		int r = merge_one(part, &entry[i]);
		if (r)
			return r;
	}
	return 0;
}

struct record *part_find(const struct part *part, const struct record *like)
{
	struct small key;

	if (small_key(part, like, &key))
		return part_small_get(part, like->hash, &key);
	return part->slot ? find_slot(part, like->hash, like)->record : nullptr;
}

struct record *part_next(const struct part *part, uint64_t *at)
{
	uint64_t smalls = part->small ? part->small_mask + 1 : 0;
	uint64_t slots = part->slot ? part->mask + 1 : 0;

	while (*at < smalls + slots) {
		uint64_t i = (*at)++;
		struct record *record =
			i < smalls ? part_small_at(part, i) : part->slot[i - smalls].record;

		if (record)
			return record;
	}
	return nullptr;
}
