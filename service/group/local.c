/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/local.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/group/coder.h"
#include "service/group/local_hash.h"
#include "service/group/raw.h"

constexpr uint32_t CODES_MAX = 1u << 17; /* combinations of codes that groups are laid out for */
constexpr size_t STATES_MAX = 16u << 20; /* bytes of their states */
constexpr uint32_t FEW_GROUPS =
	64; /* by which a block's rows are sorted: sums of each then stay in registers */
constexpr uint32_t TRIAL = 4096;       /* rows by which it is judged whether to put rows together */
constexpr uint32_t DISTINCT_LEAST = 4; /* one in so many with a key of its own: rather not */

enum mode {
	MODE_EMPTY, /* nothing yet */
	MODE_CODES,
	MODE_HASH, /* until the end of the chunk */
};

/* Of a chunk with keys of one part: whether rows are taken as they are. */
enum choice {
	CHOICE_OPEN, /* not judged yet */
	CHOICE_RAW,
	CHOICE_GROUPS,
};

struct local {
	const struct layout *layout;
	uint32_t n_keys;
	struct budget *budget;
	enum mode mode;
	struct partial *partial; /* what has been put out so far */
	struct pile room;	 /* strings of states */
	/* MODE_CODES */
	struct coder *coder; /* [n_keys] */
	uint32_t *step;	     /* [n_keys] */
	uint32_t groups;
	uint8_t *states; /* [groups * layout->size] */
	size_t states_size;
	/* MODE_HASH */
	struct local_hash *hash;
	enum choice choice;
	const uint64_t *hash_key; /* [2] */
	struct raw_pool *pool;	  /* for keys of one part */
	struct raw *raw;
	struct raw_room *raw_room;
	uint16_t rest[COLUMN_BLOCK];
	uint16_t entry[COLUMN_BLOCK];
	uint32_t code[COLUMN_BLOCK];
	uint8_t *state[COLUMN_BLOCK];
	uint16_t sorted[FEW_GROUPS][COLUMN_BLOCK]; /* entries by group */
};

int local_new(const struct layout *layout, uint32_t n_keys, const uint64_t hash_key[2],
	      struct raw_pool *pool, struct local **ret)
{
	cleanup(local_free_at) struct local *local = calloc(1, sizeof(*local));

	if (!local)
		return -ENOMEM;
	local->layout = layout;
	local->n_keys = n_keys;
	local->hash_key = hash_key;
	local->pool = pool;
	local->budget = pool->pile.budget;
	local->room.budget = local->budget;
	local->coder = calloc(n_keys + 1, sizeof(*local->coder));
	local->step = calloc(n_keys + 1, sizeof(*local->step));
	if (!local->coder || !local->step)
		return -ENOMEM;
	int r = local_hash_new(n_keys, layout->size, hash_key, &local->hash);
	if (r)
		return r;
	*ret = TAKE(local);
	return 0;
}

struct local *local_free(struct local *local)
{
	if (!local)
		return nullptr;
	for (uint32_t i = 0; local->coder && i < local->n_keys; i++)
		coder_done(&local->coder[i]);
	free(local->coder);
	free(local->step);
	free(local->states);
	partial_free(local->partial);
	pile_done(&local->room);
	local_hash_free(local->hash);
	raw_free(local->raw);
	free(local->raw_room);
	free(local);
	return nullptr;
}

/* Try to lay groups out by codes. *ret_done says whether that can be. */
static int begin_codes(struct local *local, const struct vector *const *key, uint32_t n,
		       bool *ret_done)
{
	uint64_t groups = 1;

	*ret_done = false;
	for (uint32_t i = 0; i < local->n_keys; i++) {
		int r = coder_begin(&local->coder[i], key[i], local->entry, n);

		if (r)
			return r;
		if (local->coder[i].form == CODER_NONE)
			return 0;
		local->step[i] = (uint32_t)groups;
		groups *= local->coder[i].cardinality;
		if (groups > CODES_MAX)
			return 0;
	}
	size_t size = groups * local->layout->size;
	if (size > STATES_MAX)
		return 0;
	if (size > local->states_size) {
		free(local->states);
		local->states_size = 0;
		local->states = malloc(size);
		if (!local->states)
			return -ENOMEM;
		local->states_size = size;
	}
	memset(local->states, 0, size);
	local->groups = (uint32_t)groups;
	local->mode = MODE_CODES;
	*ret_done = true;
	return 0;
}

static int partial_of(struct local *local, struct partial **ret)
{
	int r = local->partial ? 0 : partial_new(local->budget, &local->partial);

	*ret = local->partial;
	return r;
}

/* Put one group out. */
static int put_group(struct local *local, uint32_t group, const uint8_t *states)
{
	struct cell cells[8], *cell = cells;
	auto_free struct cell *many = nullptr;
	struct partial *partial;
	uint32_t len = 0;
	int r = partial_of(local, &partial);

	if (local->n_keys > countof(cells)) {
		many = calloc(local->n_keys, sizeof(*many));
		if (!many)
			return -ENOMEM;
		cell = many;
	}
	for (uint32_t i = local->n_keys; i > 0; i--) {
		coder_cell(&local->coder[i - 1], group / local->step[i - 1], &cell[i - 1]);
		group %= local->step[i - 1];
		len += record_cell_size(&cell[i - 1]);
	}
	struct record *record;
	uint64_t hash = local_hash_of(local->hash, cell);
	r = r ? r : partial_add(partial, hash, local->layout->size, len, &record);
	if (r)
		return r;
	memcpy(record_states(record), states, local->layout->size);
	uint8_t *at = record->data + record->states_len;
	for (uint32_t i = 0; i < local->n_keys; i++)
		at = record_put(at, &cell[i]);
	return aggregate_keep(local->layout, record_states(record), &partial->pile);
}

/* Put out what codes have led to. */
static int end_codes(struct local *local)
{
	size_t size = local->layout->size;
	int r = 0;

	local->mode = MODE_EMPTY;
	for (uint32_t g = 0; g < local->groups && r == 0; g++) {
		uint8_t *states = local->states + (size_t)g * size;

		if (r == 0 && *layout_rows(states) > 0)
			r = put_group(local, g, states);
	}
	pile_clear(&local->room);
	return r;
}

/* Add the values of entries [n] to the states of their groups, or all to one. */
static int update(struct local *local, const struct vector *const *value, const uint16_t *entry,
		  uint32_t n, uint8_t *one, struct pile *pile, struct bad_value *ret_bad)
{
	const struct layout *layout = local->layout;
	int r = 0;

	if (one)
		*layout_rows(one) += n;
	for (uint32_t k = 0; !one && k < n; k++)
		++*layout_rows(local->state[k]);
	for (uint32_t i = 0; i < layout->n && r == 0; i++) {
		struct update u = { value[i], entry, one ? nullptr : local->state, n, one, pile };

		r = aggregate_update(layout, i, &u, &ret_bad->kind);
		ret_bad->aggregate = i;
	}
	return r;
}

/* Add a block's values to few groups, one group after the other. */
static int update_sorted(struct local *local, const struct vector *const *value, uint32_t n,
			 struct bad_value *ret_bad)
{
	uint32_t count[FEW_GROUPS] = {};
	int r = 0;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t group = local->code[k];

		local->sorted[group][count[group]++] = local->entry[k];
	}
	for (uint32_t g = 0; g < local->groups && r == 0; g++)
		if (count[g] > 0)
			r = update(local, value, local->sorted[g], count[g],
				   local->states + g * local->layout->size, &local->room, ret_bad);
	return r;
}

/* Take a block in by codes. *ret_done is false if its keys do not suit. */
static int add_codes(struct local *local, const struct vector *const *key,
		     const struct vector *const *value, uint32_t n, struct bad_value *ret_bad,
		     bool *ret_done)
{
	uint32_t *code = local->code, one = 1;

	*ret_done = false;
	for (uint32_t i = 0; i < local->n_keys; i++)
		one &= key[i]->constant;
	uint32_t coded = one ? 1 : n;
	memset(code, 0, coded * sizeof(*code));
	for (uint32_t i = 0; i < local->n_keys; i++)
		if (!coder_add(&local->coder[i], key[i], local->entry, coded, local->step[i], code))
			return 0;
	*ret_done = true;
	size_t size = local->layout->size;
	if (one)
		return update(local, value, local->entry, n, local->states + code[0] * size,
			      &local->room, ret_bad);
	if (local->groups <= FEW_GROUPS && n > 4 * local->groups)
		return update_sorted(local, value, n, ret_bad);
	for (uint32_t k = 0; k < n; k++)
		local->state[k] = local->states + code[k] * size;
	return update(local, value, local->entry, n, nullptr, &local->room, ret_bad);
}

static int add_hash(struct local *local, const struct vector *const *key,
		    const struct vector *const *value, uint32_t n, struct bad_value *ret_bad)
{
	struct partial *partial;
	int r = partial_of(local, &partial);

	r = r ? r : local_hash_find(local->hash, partial, key, local->entry, n, local->state);
	return r ? r : update(local, value, local->entry, n, nullptr, &partial->pile, ret_bad);
}

/* Judge by a chunk's first rows whether rows are to be put together. */
static int choose(struct local *local)
{
	uint32_t distinct;

	if (local->choice != CHOICE_OPEN || local->raw->n < TRIAL)
		return 0;
	int r = raw_distinct(local->raw, &distinct);
	if (r == 0)
		local->choice =
			distinct >= local->raw->n / DISTINCT_LEAST ? CHOICE_RAW : CHOICE_GROUPS;
	return r;
}

static int begin_raw(struct local *local)
{
	if (!local->raw_room)
		local->raw_room = malloc(sizeof(*local->raw_room));
	if (!local->raw_room)
		return -ENOMEM;
	return local->raw ? 0 : raw_new(local->pool, &local->raw);
}

/* Take in rows as they are, as far as that can be; the others go by hash. */
static int add_raw(struct local *local, const struct vector *const *key,
		   const struct vector *const *value, uint32_t n, struct bad_value *ret_bad)
{
	struct raw_block block = { key[0], value, local->entry, n };
	uint32_t rest = n;
	int r = begin_raw(local);

	r = r ? r
	      : raw_add(local->raw, local->hash_key, &block, local->raw_room, local->rest, &rest);
	r = r ? r : choose(local);
	if (r || rest == 0)
		return r;
	memcpy(local->entry, local->rest, rest * sizeof(*local->entry));
	return add_hash(local, key, value, rest, ret_bad);
}

/* Whether it matters which entries there are, and not only how many. */
static bool needs_entries(const struct local *local, const struct vector *const *value)
{
	bool needs = local->n_keys > 0;

	for (uint32_t i = 0; i < local->layout->n; i++)
		needs |= value[i] != nullptr;
	return needs;
}

int local_add(struct local *local, const struct vector *const *key,
	      const struct vector *const *value, const struct set *selection,
	      struct bad_value *ret_bad)
{
	uint32_t n = needs_entries(local, value) ? set_list(selection, local->entry)
						 : set_count(selection);
	bool done = false;
	int r = 0;

	for (int attempt = 0; attempt < 2 && r == 0 && !done && local->mode != MODE_HASH;
	     attempt++) {
		if (local->mode == MODE_EMPTY) {
			r = begin_codes(local, key, n, &done);
			if (r || !done)
				break;
		}
		r = add_codes(local, key, value, n, ret_bad, &done);
		if (r == 0 && !done)
			r = end_codes(local);
	}
	if (r || done)
		return r;
	local->mode = MODE_HASH;
	return local->n_keys == 1 && local->choice != CHOICE_GROUPS
		       ? add_raw(local, key, value, n, ret_bad)
		       : add_hash(local, key, value, n, ret_bad);
}

/* Put out the rows that have been taken as they are. */
static int end_raw(struct local *local)
{
	struct partial *partial;

	if (!local->raw || local->raw->n == 0)
		return 0;
	int r = partial_of(local, &partial);
	if (r == 0)
		partial->raw = TAKE(local->raw);
	return r;
}

int local_end(struct local *local, struct partial **ret)
{
	int r = 0;

	if (local->mode == MODE_CODES)
		r = end_codes(local);
	else if (local->mode == MODE_HASH)
		local_hash_end(local->hash);
	local->mode = MODE_EMPTY;
	local->choice = CHOICE_OPEN;
	r = r ? r : end_raw(local);
	local->raw = raw_free(local->raw);
	if (r == 0)
		*ret = TAKE(local->partial);
	else
		local->partial = partial_free(local->partial);
	return r;
}
