/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/small.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/hash.h"
#include "service/vector/record.h"

/* What a number was, of those that are equal to it. */
enum note : uint8_t {
	NOTE_NONE,
	NOTE_FLOAT,
	NOTE_MINUS_ZERO,
};

static struct small other(uint64_t low, enum kind kind, enum note note)
{
	return (struct small) { low, (uint64_t)(SMALL_OTHER + kind) << 56 | (uint64_t)note << 48 };
}

/* A float that is an int has the int's key. */
static struct small of_float(double f)
{
	uint64_t bits;

	if (isnan(f))
		return other(0, KIND_NULL, NOTE_NONE);
	if (f >= -0x1p63 && f < 0x1p63 && (double)(int64_t)f == f)
		return other((uint64_t)(int64_t)f, KIND_INT,
			     f == 0 && signbit(f) ? NOTE_MINUS_ZERO : NOTE_FLOAT);
	memcpy(&bits, &f, sizeof(bits));
	return other(bits, KIND_FLOAT, NOTE_NONE);
}

bool small_of(const struct cell *cell, struct small *ret)
{
	if (cell->kind == KIND_STRING)
		return small_text(cell->s, ret);
	if (KINDS_INTS >> cell->kind & 1)
		*ret = other((uint64_t)cell->i, cell->kind, NOTE_NONE);
	else if (cell->kind == KIND_FLOAT)
		*ret = of_float(cell->f);
	else if (cell->kind < KIND_FLOAT)
		*ret = other(0, cell->kind <= KIND_NULL ? KIND_NULL : cell->kind, NOTE_NONE);
	else
		return false;
	return true;
}

void small_cell(const struct small *small, struct cell *ret)
{
	auto tag = (uint32_t)(small->high >> 56);
	auto note = (enum note)(small->high >> 48);

	if (tag < SMALL_OTHER) {
		*ret = (struct cell) { .kind = KIND_STRING, .s = { (const char *)small, tag - 1 } };
		return;
	}
	*ret = (struct cell) { .kind = (enum kind)(tag - SMALL_OTHER), .i = (int64_t)small->low };
	if (ret->kind == KIND_FLOAT)
		memcpy(&ret->f, &small->low, sizeof(ret->f));
	if (ret->kind != KIND_INT || note == NOTE_NONE)
		return;
	ret->kind = KIND_FLOAT;
	ret->f = note == NOTE_MINUS_ZERO ? -0.0 : (double)ret->i;
}

void small_hash(const uint64_t hash_key[2], const struct small *small, size_t n, uint64_t *ret)
{
	static_assert(sizeof(*small) == 2 * sizeof(uint64_t));
	hash_keyed_pairs(hash_key, &small->low, ~SMALL_NOTE, n, ret);
}

uint32_t small_vector(const struct vector *vector, const uint16_t *entry, uint32_t n,
		      struct small *ret, uint16_t *ret_fits, uint16_t *ret_rest)
{
	bool texts = vector->uniform && !vector->nulls && vector->kind == KIND_STRING;
	uint32_t fits = 0, rest = 0;

	for (uint32_t k = 0; k < n; k++) {
		struct cell cell;
		bool fit;

		if (texts) {
			fit = small_text(vector_str(vector, entry[k]), &ret[fits]);
		} else {
			vector_cell(vector, entry[k], &cell);
			fit = small_of(&cell, &ret[fits]);
		}
		ret_fits[fits] = ret_rest[rest] = entry[k];
		fits += fit;
		rest += !fit;
	}
	return fits;
}

uint64_t small_hash_key(const uint64_t hash_key[2], const struct cell *key, uint32_t n)
{
	struct small small;
	uint64_t hash = 0;

	if (n == 1 && small_of(key, &small)) {
		small_hash(hash_key, &small, 1, &hash);
		return hash;
	}
	for (uint32_t i = 0; i < n; i++)
		hash = record_mix(hash, cell_hash(hash_key, &key[i]));
	return hash;
}
