/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/part_small.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

constexpr uint64_t SLOTS_FIRST = 16;
constexpr uint32_t MOVED = 64; /* slots that are moved together */
constexpr size_t KEYS_ONLY = sizeof(struct small);
constexpr size_t WITH_RECORDS = sizeof(struct small) + sizeof(struct record *);

void part_small_init(struct part *part)
{
	part->small_size = part->layout->n == 0 ? KEYS_ONLY : WITH_RECORDS;
}

static struct small *slot_at(const struct part *part, uint64_t i)
{
	return (struct small *)(void *)(part->small + (i & part->small_mask) * part->small_size);
}

/* The slot of a key, or the free one where it belongs; there are slots, of size bytes. */
KERNEL_PART struct small *find_sized(const struct part *part, size_t size, uint64_t hash,
				     const struct small *key)
{
	for (uint64_t i = hash;; i++) {
		auto slot = (struct small *)(void *)(part->small + (i & part->small_mask) * size);

		if (!slot->high || small_same(slot, key))
			return slot;
	}
}

/* The same, whatever the size. */
static struct small *find(const struct part *part, uint64_t hash, const struct small *key)
{
	return find_sized(part, part->small_size, hash, key);
}

/* Have the slots of keys [n] in the cache soon. A slot's place depends on the hash's lower half only. */
static void fetch_slots(const struct part *part, const uint32_t *hash, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		__builtin_prefetch(slot_at(part, hash[k]), 1);
}

/* Put what another table's slots have into this one's, which has room. */
static void move(struct part *to, const struct part *from)
{
	const struct small *some[MOVED];
	struct small key[MOVED];
	uint64_t hash[MOVED];
	uint32_t n = 0;

	for (uint64_t i = 0; i <= from->small_mask; i++) {
		some[n] = slot_at(from, i);
		key[n] = *some[n];
		n += key[n].high != 0;
		if (n < MOVED && i < from->small_mask)
			continue;
		small_hash(to->hash_key, key, n, hash);
		for (uint32_t k = 0; k < n; k++) {
			struct small *new = find(to, hash[k], &key[k]);

			*new = key[k];
			if (from->small_size == WITH_RECORDS)
				small_set_record(new, small_record(some[k]));
		}
		n = 0;
	}
}

/* Have so many slots of so many bytes. */
static int resize(struct part *part, uint64_t slots, size_t each)
{
	uint64_t old = part->small ? part->small_mask + 1 : 0;
	struct part from = *part;
	int r = budget_take(part->pile.budget, slots * each);

	if (r)
		return r;
	uint8_t *small = calloc(slots, each);
	if (!small) {
		budget_give(part->pile.budget, slots * each);
		return -ENOMEM;
	}
	part->small = small;
	part->small_mask = slots - 1;
	part->small_size = each;
	if (old > 0)
		move(part, &from);
	budget_give(part->pile.budget, old * from.small_size);
	free(from.small);
	return 0;
}

/* Have slots for so many groups more; at least a third stay free. */
static int have_room(struct part *part, uint32_t more)
{
	uint64_t old = part->small ? part->small_mask + 1 : 0, slots = old ? old : SLOTS_FIRST;

	if ((part->n_small + more) * 3 <= old * 2)
		return 0;
	while ((part->n_small + more) * 3 > slots * 2)
		slots *= 2;
	return resize(part, slots, part->small_size);
}

/* Take a free slot for a key. */
static void fill(struct part *part, struct small *slot, const struct small *key)
{
	*slot = *key;
	part->n++;
	part->n_small++;
}

int part_small_take(struct part *part, uint64_t hash, const struct small *key, struct small **ret,
		    bool *ret_new)
{
	int r = have_room(part, 1);

	if (r)
		return r;
	*ret = find(part, hash, key);
	*ret_new = (*ret)->high == 0;
	if (*ret_new)
		fill(part, *ret, key);
	return 0;
}

void part_small_undo(struct part *part, struct small *slot)
{
	*slot = (struct small) {};
	part->n--;
	part->n_small--;
}

struct record *part_small_get(const struct part *part, uint64_t hash, const struct small *key)
{
	const struct small *slot = part->small ? find(part, hash, key) : nullptr;

	return slot && slot->high ? small_record(slot) : nullptr;
}

struct record *part_small_at(const struct part *part, uint64_t i)
{
	const struct small *slot = slot_at(part, i);

	return slot->high ? small_record(slot) : nullptr;
}

/* Have a group's states in the cache soon, to be written to; of few, what is written most is in one line. */
static void fetch(const struct part *part, struct record *record)
{
	__builtin_prefetch(record_states(record), 1);
	if (part->layout->size > 64)
		__builtin_prefetch(record_states(record) + 64, 1);
}

void part_small_fetch(const struct part *part, uint64_t far, uint64_t near)
{
	__builtin_prefetch(slot_at(part, far));
	const struct small *slot = slot_at(part, near);
	if (part->small_size == WITH_RECORDS && slot->high)
		fetch(part, small_record(slot));
}

/* Make the record of a small key, its states empty. */
static int make_record(struct part *part, const struct small *key, struct record **ret)
{
	struct cell cell;
	uint64_t hash;

	small_hash(part->hash_key, key, 1, &hash);
	small_cell(key, &cell);
	uint32_t len = record_cell_size(&cell);
	size_t room = record_room(part->layout->size, len);
	struct record *record = pile_take(&part->pile, room);
	if (!record)
		return pile_error(&part->pile, room);
	*record = (struct record) { hash, len, part->layout->size };
	record_clear(record);
	(void)record_put(record->data + record->states_len, &cell);
	*ret = record;
	return 0;
}

int part_settle(struct part *part)
{
	if (part->small_size == WITH_RECORDS || part->n_small == 0)
		return 0;
	int r = resize(part, part->small_mask + 1, WITH_RECORDS);

	for (uint64_t i = 0; i <= part->small_mask && r == 0; i++) {
		struct small *slot = slot_at(part, i);
		struct record *record = nullptr;

		if (!slot->high)
			continue;
		r = make_record(part, slot, &record);
		small_set_record(slot, record);
	}
	return r;
}

void part_room_done(struct part_room *room)
{
	room->value = vector_free(room->value);
}

/* Find or make the groups of keys [n], which are nothing but keys. */
static int find_keys(struct part *part, const struct raw_page *page)
{
	fetch_slots(part, page->hash, page->n);
	for (uint32_t k = 0; k < page->n; k++) {
		struct small *slot = find_sized(part, KEYS_ONLY, page->hash[k], &page->key[k]);

		if (!slot->high)
			fill(part, slot, &page->key[k]);
	}
	return 0;
}

/* Find or make the groups of a page's keys: their states go to state[page->n]. */
static int find_states(struct part *part, const struct raw_page *page, uint8_t **state)
{
	fetch_slots(part, page->hash, page->n);
	for (uint32_t k = 0; k < page->n; k++) {
		const struct small *key = &page->key[k];
		struct small *slot = find_sized(part, WITH_RECORDS, page->hash[k], key);

		if (!slot->high) {
			struct record *record;
			int r = make_record(part, key, &record);

			if (r)
				return r;
			fill(part, slot, key);
			small_set_record(slot, record);
		}
		state[k] = record_states(small_record(slot));
		fetch(part, small_record(slot));
	}
	return 0;
}

static int merge_page(struct part *part, const struct raw *raw, const struct raw_page *page,
		      struct part_room *room)
{
	uint8_t *state[RAW_ROWS];
	uint16_t entry[RAW_ROWS];
	enum kind bad;
	int r = have_room(part, page->n);

	if (r)
		return r;
	if (part->small_size == KEYS_ONLY)
		return find_keys(part, page);
	r = find_states(part, page, state);
	for (uint32_t k = 0; k < page->n && r == 0; k++) {
		entry[k] = (uint16_t)k;
		++*layout_rows(state[k]);
	}
	for (uint32_t i = 0; i < part->layout->n && r == 0; i++) {
		struct update u = { .value = raw_vector(raw, page, i, room->value),
				    .entry = entry,
				    .state = state,
				    .n = page->n,
				    .room = &part->pile };

		r = aggregate_update(part->layout, i, &u, &bad);
	}
	return r;
}

int part_merge_raw(struct part *part, const struct raw *raw, uint32_t p, struct part_room *room)
{
	int r = room->value || part->layout->n == 0 ? 0 : vector_new(&room->value);

	for (const struct raw_page *page = raw->part[p].first; page && r == 0; page = page->next) {
		if (page->next)
			__builtin_prefetch(page->next);
		r = merge_page(part, raw, page, room);
	}
	return r;
}
