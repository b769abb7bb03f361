/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/local_hash.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/hash.h"
#include "service/exec/rows.h"

constexpr uint32_t TRIAL = 8192; /* rows after which it is judged whether looking for equals pays */
constexpr uint32_t SLOTS_FIRST = 2048;

struct local_hash {
	const struct layout *layout;
	uint32_t n_keys;
	const uint64_t *hash_key; /* [2] */
	struct budget *budget;
	uint32_t *slot; /* [mask + 1] group + 1; 0: free */
	uint32_t mask;
	uint32_t n, size; /* groups */
	uint64_t *hash;	  /* [size] */
	struct slim *key; /* [size * n_keys] */
	uint8_t *states;  /* [size * layout->size] */
	struct pile room; /* keys' strings */
	uint64_t rows;
	bool blind; /* every row becomes a group */
	uint64_t block_hash[COLUMN_BLOCK];
};

int local_hash_new(const struct layout *layout, uint32_t n_keys, const uint64_t hash_key[2],
		   struct budget *budget, struct local_hash **ret)
{
	struct local_hash *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	hash->layout = layout;
	hash->n_keys = n_keys;
	hash->hash_key = hash_key;
	hash->budget = budget;
	hash->room.budget = budget;
	*ret = hash;
	return 0;
}

struct local_hash *local_hash_free(struct local_hash *hash)
{
	if (!hash)
		return nullptr;
	free(hash->slot);
	free(hash->hash);
	free(hash->key);
	free(hash->states);
	pile_done(&hash->room);
	free(hash);
	return nullptr;
}

uint64_t local_hash_of(const struct local_hash *hash, const struct cell *key)
{
	uint64_t mixed = 0;

	for (uint32_t i = 0; i < hash->n_keys; i++)
		mixed = record_mix(mixed, cell_hash(hash->hash_key, &key[i]));
	return mixed;
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

/* Room for more groups. */
static int reserve(struct local_hash *hash, uint32_t more)
{
	uint32_t size = hash->size ? hash->size : 1024;

	if (hash->n + more <= hash->size)
		return 0;
	while (size < hash->n + more)
		size *= 2;
	size_t keys = hash->n_keys ? hash->n_keys : 1;
	uint64_t *hashes = reallocarray(hash->hash, size, sizeof(*hashes));
	if (hashes)
		hash->hash = hashes;
	struct slim *key = reallocarray(hash->key, size, keys * sizeof(*key));
	if (key)
		hash->key = key;
	uint8_t *states = reallocarray(hash->states, size, hash->layout->size);
	if (states)
		hash->states = states;
	if (!hashes || !key || !states)
		return -ENOMEM;
	hash->size = size;
	return 0;
}

/* Slots for as many groups as there may be after a block. */
static int grow_slots(struct local_hash *hash)
{
	uint32_t slots = hash->slot ? hash->mask + 1 : SLOTS_FIRST;

	if (hash->slot && (hash->n + COLUMN_BLOCK) * 2 <= slots)
		return 0;
	while ((hash->n + COLUMN_BLOCK) * 2 > slots)
		slots *= 2;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	for (uint32_t g = 0; g < hash->n; g++) {
		uint32_t at = (uint32_t)hash->hash[g] & (slots - 1);

		while (slot[at])
			at = (at + 1) & (slots - 1);
		slot[at] = g + 1;
	}
	free(hash->slot);
	hash->slot = slot;
	hash->mask = slots - 1;
	return 0;
}

static bool same_key(const struct local_hash *hash, uint32_t group, const struct vector *const *key,
		     uint32_t i)
{
	for (uint32_t c = 0; c < hash->n_keys; c++) {
		const struct slim *slim = &hash->key[(size_t)group * hash->n_keys + c];
		struct cell a, b;

		vector_cell(key[c], i, &b);
		slim_cell(slim, &a);
		if (a.kind == KIND_STRING && b.kind == KIND_STRING) {
			if (a.s.len != b.s.len || memcmp(a.s.at, b.s.at, a.s.len) != 0)
				return false;
		} else if (cell_compare(&a, &b) != 0) {
			return false;
		}
	}
	return true;
}

/* Make a group of entry i. Its string is kept. */
static int make_group(struct local_hash *hash, uint64_t value, const struct vector *const *key,
		      uint32_t i)
{
	for (uint32_t c = 0; c < hash->n_keys; c++) {
		struct cell cell;

		vector_cell(key[c], i, &cell);
		if (cell.kind >= KIND_STRING && !(KINDS_INTS >> cell.kind & 1)) {
			int r = pile_copy(&hash->room, &cell.s);

			if (r)
				return r;
		}
		hash->key[(size_t)hash->n * hash->n_keys + c] = slim_of(&cell);
	}
	hash->hash[hash->n] = value;
	memset(hash->states + (size_t)hash->n * hash->layout->size, 0, hash->layout->size);
	hash->n++;
	return 0;
}

/* Find or make one entry's group. */
static int find_one(struct local_hash *hash, const struct vector *const *key, uint32_t i,
		    uint64_t value, uint32_t *ret)
{
	uint32_t at = (uint32_t)value & hash->mask;

	for (; hash->slot[at]; at = (at + 1) & hash->mask) {
		uint32_t group = hash->slot[at] - 1;

		if (hash->hash[group] == value && same_key(hash, group, key, i)) {
			*ret = group;
			return 0;
		}
	}
	*ret = hash->n;
	hash->slot[at] = hash->n + 1;
	return make_group(hash, value, key, i);
}

int local_hash_find(struct local_hash *hash, const struct vector *const *key, const uint16_t *entry,
		    uint32_t n, uint32_t *group)
{
	memset(hash->block_hash, 0, n * sizeof(*hash->block_hash));
	for (uint32_t c = 0; c < hash->n_keys; c++)
		hash_column(hash, key[c], entry, n);
	int r = reserve(hash, n);
	if (r == 0 && !hash->blind)
		r = grow_slots(hash);
	for (uint32_t k = 0; k < n && r == 0; k++) {
		if (!hash->blind) {
			r = find_one(hash, key, entry[k], hash->block_hash[k], &group[k]);
			continue;
		}
		group[k] = hash->n;
		r = make_group(hash, hash->block_hash[k], key, entry[k]);
	}
	hash->rows += n;
	if (hash->rows >= TRIAL && hash->n > hash->rows / 4 * 3)
		hash->blind = true;
	return r;
}

uint8_t *local_hash_states(struct local_hash *hash)
{
	return hash->states;
}

static int put_group(struct local_hash *hash, uint32_t group, struct partial *partial)
{
	const struct slim *key = &hash->key[(size_t)group * hash->n_keys];
	const uint8_t *states = hash->states + (size_t)group * hash->layout->size;
	struct record *record;
	struct cell cell;
	uint32_t len = 0;

	for (uint32_t c = 0; c < hash->n_keys; c++) {
		slim_cell(&key[c], &cell);
		len += record_cell_size(&cell);
	}
	int r = partial_add(partial, hash->hash[group], hash->layout->size, len, &record);
	if (r)
		return r;
	memcpy(record_states(record), states, hash->layout->size);
	uint8_t *at = record->data + record->states_len;
	for (uint32_t c = 0; c < hash->n_keys; c++) {
		slim_cell(&key[c], &cell);
		at = record_put(at, &cell);
	}
	return aggregate_keep(hash->layout, record_states(record), &partial->room);
}

int local_hash_end(struct local_hash *hash, struct partial *partial)
{
	int r = 0;

	for (uint32_t g = 0; g < hash->n && r == 0; g++)
		r = put_group(hash, g, partial);
	hash->n = 0;
	hash->rows = 0;
	hash->blind = false;
	pile_clear(&hash->room);
	if (hash->slot)
		memset(hash->slot, 0, (hash->mask + 1) * sizeof(*hash->slot));
	return r;
}
