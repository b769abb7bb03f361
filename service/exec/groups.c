/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/groups.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

constexpr uint32_t LANES = 4;
constexpr uint32_t LANE_PARTS = GROUPS_PARTS / LANES;
constexpr uint32_t AHEAD = 16; /* records whose memory is fetched before their turn */

/* A hash table; a slot is free if it has no record. */
struct part {
	struct entry *slot;
	uint64_t mask; /* slots - 1; slot nullptr: none yet */
	size_t n;
	struct pile room;
};

struct lane {
	uint32_t next; /* turn */
	bool busy;
};

struct groups {
	const struct layout *layout;
	uint32_t n_keys, turns;
	struct budget *budget;
	struct part part[GROUPS_PARTS];
	pthread_mutex_t lock;
	struct lane lane[LANES];
	struct partial **waiting; /* [turns] */
	bool *given;		  /* [turns] */
	int result;
};

int partial_new(struct budget *budget, struct partial **ret)
{
	struct partial *partial = calloc(1, sizeof(*partial));

	if (!partial)
		return -ENOMEM;
	partial->room = (struct pile) { .budget = budget, .least = 16'384 };
	*ret = partial;
	return 0;
}

struct partial *partial_free(struct partial *partial)
{
	if (!partial)
		return nullptr;
	pile_done(&partial->room);
	free(partial->entry);
	free(partial);
	return nullptr;
}

int partial_add(struct partial *partial, uint64_t hash, uint32_t states_len, uint32_t key_len,
		struct record **ret)
{
	size_t len = record_room(states_len, key_len);

	if (partial->n == partial->size) {
		uint32_t size = partial->size ? 2 * partial->size : 64;
		struct entry *grown = reallocarray(partial->entry, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		partial->entry = grown;
		partial->size = size;
	}
	struct record *record = pile_take(&partial->room, len);
	if (!record)
		return pile_error(&partial->room, len);
	*record = (struct record) { hash, key_len, states_len };
	record_clear(record);
	partial->entry[partial->n++] = (struct entry) { hash, record };
	*ret = record;
	return 0;
}

static uint32_t part_of(uint64_t hash)
{
	return (uint32_t)(hash >> 58);
}

/* Sort the records by part; within a part their order stays. */
static int sort_parts(struct partial *partial)
{
	struct entry *sorted = calloc(partial->n + 1, sizeof(*sorted));
	uint32_t at[GROUPS_PARTS] = {}, sum = 0;

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < partial->n; i++)
		at[part_of(partial->entry[i].hash)]++;
	for (uint32_t p = 0; p < GROUPS_PARTS; p++) {
		uint32_t n = at[p];

		at[p] = sum;
		sum += n;
		partial->end[p] = sum;
	}
	for (uint32_t i = 0; i < partial->n; i++)
		sorted[at[part_of(partial->entry[i].hash)]++] = partial->entry[i];
	free(partial->entry);
	partial->entry = sorted;
	return 0;
}

int groups_new(const struct layout *layout, uint32_t n_keys, uint32_t turns, struct budget *budget,
	       struct groups **ret)
{
	cleanup(groups_free_at) struct groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	pthread_mutex_init(&groups->lock, nullptr);
	groups->layout = layout;
	groups->n_keys = n_keys;
	groups->turns = turns;
	groups->budget = budget;
	for (uint32_t p = 0; p < GROUPS_PARTS; p++)
		groups->part[p].room.budget = budget;
	groups->waiting = calloc(turns + 1, sizeof(struct partial *));
	groups->given = calloc(turns + 1, sizeof(*groups->given));
	if (!groups->waiting || !groups->given)
		return -ENOMEM;
	*ret = TAKE(groups);
	return 0;
}

struct groups *groups_free(struct groups *groups)
{
	if (!groups)
		return nullptr;
	for (uint32_t p = 0; p < GROUPS_PARTS; p++) {
		if (groups->part[p].slot)
			budget_give(groups->budget,
				    (groups->part[p].mask + 1) * sizeof(struct entry));
		free(groups->part[p].slot);
		pile_done(&groups->part[p].room);
	}
	for (uint32_t i = 0; groups->waiting && i < groups->turns; i++)
		partial_free(groups->waiting[i]);
	free(groups->waiting);
	free(groups->given);
	pthread_mutex_destroy(&groups->lock);
	free(groups);
	return nullptr;
}

/* Double a part's slots. */
static int grow(struct groups *groups, struct part *part)
{
	uint64_t slots = part->slot ? 2 * (part->mask + 1) : 16;
	int r = budget_take(groups->budget, slots * sizeof(struct entry));

	if (r)
		return r;
	struct entry *slot = calloc(slots, sizeof(*slot));
	if (!slot) {
		budget_give(groups->budget, slots * sizeof(struct entry));
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
		budget_give(groups->budget, (part->mask + 1) * sizeof(struct entry));
	free(part->slot);
	part->slot = slot;
	part->mask = slots - 1;
	return 0;
}

/* The slot of a key, or the free one where it belongs. */
static struct entry *find_slot(const struct groups *groups, const struct part *part, uint64_t hash,
			       const struct record *like)
{
	uint64_t at = hash & part->mask;

	while (part->slot[at].record) {
		if (part->slot[at].hash == hash &&
		    record_same(part->slot[at].record, like, groups->n_keys))
			break;
		at = (at + 1) & part->mask;
	}
	return &part->slot[at];
}

/* Take a copy of a record into a part. */
static int insert(struct groups *groups, struct part *part, struct entry *slot,
		  const struct record *record)
{
	size_t size = record_size(record);
	struct record *copy = pile_take(&part->room, size);

	if (!copy)
		return pile_error(&part->room, size);
	memcpy(copy, record, size);
	int r = aggregate_keep(groups->layout, record_states(copy), &part->room);
	if (r)
		return r;
	*slot = (struct entry) { record->hash, copy };
	part->n++;
	return 0;
}

static int merge_one(struct groups *groups, struct part *part, const struct entry *entry)
{
	struct entry *slot = find_slot(groups, part, entry->hash, entry->record);

	if (!slot->record)
		return insert(groups, part, slot, entry->record);
	if (groups->layout->n == 0)
		return 0;
	return aggregate_merge(groups->layout, record_states(slot->record),
			       record_states(entry->record), &part->room);
}

/* Merge records [n] into a part; what they need is fetched before their turn. */
static int merge_part(struct groups *groups, struct part *part, const struct entry *entry,
		      uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!part->slot || (part->n + 1) * 2 > part->mask + 1) {
			int r = grow(groups, part);

			if (r)
				return r;
		}
		if (i + 2 * AHEAD < n) {
			__builtin_prefetch(&part->slot[entry[i + 2 * AHEAD].hash & part->mask]);
			__builtin_prefetch(entry[i + 2 * AHEAD].record);
		}
		if (i + AHEAD < n)
			__builtin_prefetch(part->slot[entry[i + AHEAD].hash & part->mask].record);
		int r = merge_one(groups, part, &entry[i]);
		if (r)
			return r;
	}
	return 0;
}

static int merge_lane(struct groups *groups, uint32_t lane, const struct partial *partial)
{
	for (uint32_t p = lane * LANE_PARTS; p < (lane + 1) * LANE_PARTS; p++) {
		uint32_t from = p > 0 ? partial->end[p - 1] : 0;
		int r = merge_part(groups, &groups->part[p], partial->entry + from,
				   partial->end[p] - from);

		if (r)
			return r;
	}
	return 0;
}

/* Merge what has its turn in a lane, until a chunk is missing. The lock is held at the beginning and the end. */
static void drain(struct groups *groups, uint32_t number)
{
	struct lane *lane = &groups->lane[number];

	lane->busy = true;
	while (lane->next < groups->turns && groups->given[lane->next] && groups->result == 0) {
		struct partial *partial = groups->waiting[lane->next];
		uint32_t turn = lane->next;
		int r = 0;

		pthread_mutex_unlock(&groups->lock);
		if (partial)
			r = merge_lane(groups, number, partial);
		pthread_mutex_lock(&groups->lock);
		lane->next++;
		if (r && groups->result == 0)
			groups->result = r;
		if (partial && atomic_fetch_sub(&partial->lanes, 1) == 1)
			groups->waiting[turn] = partial_free(partial);
	}
	lane->busy = false;
}

int groups_give(struct groups *groups, uint32_t turn, struct partial **partial)
{
	int r = *partial ? sort_parts(*partial) : 0;

	if (r)
		return r;
	if (*partial)
		(*partial)->lanes = LANES;
	pthread_mutex_lock(&groups->lock);
	groups->waiting[turn] = TAKE(*partial);
	groups->given[turn] = true;
	for (uint32_t lane = 0; lane < LANES; lane++)
		if (!groups->lane[lane].busy)
			drain(groups, lane);
	r = groups->result;
	pthread_mutex_unlock(&groups->lock);
	return r;
}

size_t groups_count(const struct groups *groups)
{
	size_t n = 0;

	for (uint32_t p = 0; p < GROUPS_PARTS; p++)
		n += groups->part[p].n;
	return n;
}

int groups_each(const struct groups *groups, groups_fn *fn, void *userdata)
{
	for (uint32_t p = 0; p < GROUPS_PARTS; p++) {
		const struct part *part = &groups->part[p];

		for (uint64_t i = 0; part->slot && i <= part->mask; i++) {
			int r = part->slot[i].record ? fn(userdata, part->slot[i].record) : 0;

			if (r)
				return r;
		}
	}
	return 0;
}

struct record *groups_find(const struct groups *groups, const struct record *like)
{
	const struct part *part = &groups->part[part_of(like->hash)];

	if (!part->slot)
		return nullptr;
	return find_slot(groups, part, like->hash, like)->record;
}
