/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/part.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

constexpr uint32_t AHEAD = 24; /* records whose memory is fetched before their turn */
constexpr uint64_t SLOTS_FIRST = 16;

void part_clear(struct part *part)
{
	if (part->slot)
		budget_give(part->pile.budget, (part->mask + 1) * sizeof(*part->slot));
	free(part->slot);
	part->slot = nullptr;
	part->n = 0;
	pile_done(&part->pile);
}

/* Double the slots. */
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
static int insert(struct part *part, struct entry *slot, const struct record *record)
{
	size_t size = record_size(record);
	struct record *copy = pile_take(&part->pile, size);

	if (!copy)
		return pile_error(&part->pile, size);
	memcpy(copy, record, size);
	int r = aggregate_keep(part->layout, record_states(copy), &part->pile);
	if (r)
		return r;
	*slot = (struct entry) { record->hash, copy };
	part->n++;
	return 0;
}

static int merge_one(struct part *part, const struct entry *entry)
{
	struct entry *slot = find_slot(part, entry->hash, entry->record);

	if (!slot->record)
		return insert(part, slot, entry->record);
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
	if (i + 2 * AHEAD < n) {
		__builtin_prefetch(&part->slot[entry[i + 2 * AHEAD].hash & part->mask]);
		fetch(entry[i + 2 * AHEAD].record);
	}
	if (i + AHEAD < n)
		fetch(part->slot[entry[i + AHEAD].hash & part->mask].record);
}

int part_merge(struct part *part, const struct entry *entry, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int r = 0;

		if (!part->slot || (part->n + 1) * 2 > part->mask + 1)
			r = grow(part);
		if (r)
			return r;
		fetch_ahead(part, entry, i, n);
		r = merge_one(part, &entry[i]);
		if (r)
			return r;
	}
	return 0;
}

struct record *part_find(const struct part *part, const struct record *like)
{
	return part->slot ? find_slot(part, like->hash, like)->record : nullptr;
}
