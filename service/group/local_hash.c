/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/local_hash.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/hash.h"
#include "service/group/small.h"

constexpr uint32_t TRIAL = 8192; /* rows after which it is judged whether looking for equals pays */
constexpr uint32_t SLOTS_FIRST = 4096;

struct slot {
	uint32_t tag; /* of the hash */
	uint32_t at;  /* number of the record + 1; 0: free */
};

struct local_hash {
	uint32_t n_keys, states_len;
	const uint64_t *hash_key; /* [2] */
	struct slot *slot;	  /* [mask + 1] */
	uint32_t mask;
	uint32_t n; /* groups */
	uint64_t rows;
	bool blind; /* every row becomes a group */
	uint64_t block_hash[COLUMN_BLOCK];
};

int local_hash_new(uint32_t n_keys, uint32_t states_len, const uint64_t hash_key[2],
		   struct local_hash **ret)
{
	struct local_hash *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	hash->n_keys = n_keys;
	hash->states_len = states_len;
	hash->hash_key = hash_key;
	*ret = hash;
	return 0;
}

struct local_hash *local_hash_free(struct local_hash *hash)
{
	if (!hash)
		return nullptr;
	free(hash->slot);
	free(hash);
	return nullptr;
}

uint64_t local_hash_of(const struct local_hash *hash, const struct cell *key)
{
	return small_hash_key(hash->hash_key, key, hash->n_keys);
}

/* Keys of one part: what is small has the hash of that, wherever it is met. */
static void hash_single(struct local_hash *hash, const struct vector *v, const uint16_t *entry,
			uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		struct cell cell;

		vector_cell(v, entry[k], &cell);
		hash->block_hash[k] = small_hash_key(hash->hash_key, &cell, 1);
	}
}

/* Mix one part of the keys into block_hash. The loops do for common kinds what cell_hash() does. */
static void hash_column(struct local_hash *hash, const struct vector *v, const uint16_t *entry,
			uint32_t n)
{
	uint64_t *out = hash->block_hash;

	if (v->uniform && !v->nulls && v->kind == KIND_STRING) {
		for (uint32_t k = 0; k < n; k++) {
			struct str s = vector_str(v, entry[k]);

			out[k] = record_mix(out[k], hash_keyed(hash->hash_key, s.at, s.len));
		}
		return;
	}
	if (v->uniform && !v->nulls && v->kind == KIND_INT) {
		for (uint32_t k = 0; k < n; k++)
			out[k] = record_mix(out[k], hash_keyed_int(hash->hash_key,
								   (uint64_t)v->ints[entry[k]]));
		return;
	}
	for (uint32_t k = 0; k < n; k++) {
		struct cell cell;

		vector_cell(v, entry[k], &cell);
		out[k] = record_mix(out[k], cell_hash(hash->hash_key, &cell));
	}
}

static void put_slot(struct local_hash *hash, uint64_t value, uint32_t record)
{
	uint32_t at = (uint32_t)value & hash->mask;

	while (hash->slot[at].at)
		at = (at + 1) & hash->mask;
	hash->slot[at] = (struct slot) { (uint32_t)(value >> 32), record + 1 };
}

/* Slots for as many groups as there may be after a block. */
static int grow_slots(struct local_hash *hash, const struct partial *partial)
{
	uint32_t slots = hash->slot ? hash->mask + 1 : SLOTS_FIRST;

	if (hash->slot && (hash->n + COLUMN_BLOCK) * 2 <= slots)
		return 0;
	while ((hash->n + COLUMN_BLOCK) * 2 > slots)
		slots *= 2;
	struct slot *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(hash->slot);
	hash->slot = slot;
	hash->mask = slots - 1;
	for (uint32_t i = partial->n - hash->n; i < partial->n; i++)
		put_slot(hash, partial->entry[i].hash, i);
	return 0;
}

/* Whether a record's key is that of entry i. */
static bool same_key(const struct local_hash *hash, const struct record *record,
		     const struct vector *const *key, uint32_t i)
{
	const uint8_t *at = record_key(record);

	for (uint32_t c = 0; c < hash->n_keys; c++) {
		struct cell a, b;

		at = record_get(at, &a);
		vector_cell(key[c], i, &b);
		if (a.kind == KIND_STRING && b.kind == KIND_STRING) {
			if (a.s.len != b.s.len || memcmp(a.s.at, b.s.at, a.s.len) != 0)
				return false;
		} else if (cell_compare(&a, &b) != 0) {
			return false;
		}
	}
	return true;
}

/* Make a group of entry i. */
static int make_group(const struct local_hash *hash, struct partial *partial, uint64_t value,
		      const struct vector *const *key, uint32_t i, struct record **ret)
{
	uint32_t len = 0;
	struct cell cell;

	for (uint32_t c = 0; c < hash->n_keys; c++) {
		vector_cell(key[c], i, &cell);
		len += record_cell_size(&cell);
	}
	int r = partial_add(partial, value, hash->states_len, len, ret);
	if (r)
		return r;
	uint8_t *at = (*ret)->data + hash->states_len;
	for (uint32_t c = 0; c < hash->n_keys; c++) {
		if (hash->n_keys > 1) /* else it is there already */
			vector_cell(key[c], i, &cell);
		at = record_put(at, &cell);
	}
	return 0;
}

/* Find or make one entry's group. */
static int find_one(struct local_hash *hash, struct partial *partial,
		    const struct vector *const *key, uint32_t i, uint64_t value,
		    struct record **ret)
{
	uint32_t at = (uint32_t)value & hash->mask;

	for (; hash->slot[at].at; at = (at + 1) & hash->mask) {
		if (hash->slot[at].tag != (uint32_t)(value >> 32))
			continue;
		*ret = partial->entry[hash->slot[at].at - 1].record;
		if ((*ret)->hash == value && same_key(hash, *ret, key, i))
			return 0;
	}
	hash->slot[at] = (struct slot) { (uint32_t)(value >> 32), partial->n + 1 };
	hash->n++;
	return make_group(hash, partial, value, key, i, ret);
}

int local_hash_find(struct local_hash *hash, struct partial *partial,
		    const struct vector *const *key, const uint16_t *entry, uint32_t n,
		    uint8_t **state)
{
	int r = hash->blind ? 0 : grow_slots(hash, partial);

	memset(hash->block_hash, 0, n * sizeof(*hash->block_hash));
	if (hash->n_keys == 1)
		hash_single(hash, key[0], entry, n);
	for (uint32_t c = 0; hash->n_keys > 1 && c < hash->n_keys; c++)
		hash_column(hash, key[c], entry, n);
	for (uint32_t k = 0; k < n && r == 0; k++) {
		uint64_t value = hash->block_hash[k];
		struct record *record = nullptr;

		r = hash->blind ? make_group(hash, partial, value, key, entry[k], &record)
				: find_one(hash, partial, key, entry[k], value, &record);
		if (r == 0)
			state[k] = record_states(record);
	}
	hash->rows += n;
	if (hash->rows >= TRIAL && hash->n > hash->rows / 4 * 3)
		hash->blind = true;
	return r;
}

void local_hash_end(struct local_hash *hash)
{
	hash->n = 0;
	hash->rows = 0;
	hash->blind = false;
	if (hash->slot)
		memset(hash->slot, 0, (hash->mask + 1) * sizeof(*hash->slot));
}
