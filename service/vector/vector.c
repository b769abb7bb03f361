/* SPDX-License-Identifier: Apache-2.0 */
#include "service/vector/vector.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int vector_new(struct vector **ret)
{
	struct vector *vector = malloc(sizeof(*vector));

	if (!vector)
		return -ENOMEM;
	vector->room = (struct pile) {};
	vector_reset(vector);
	*ret = vector;
	return 0;
}

struct vector *vector_free(struct vector *vector)
{
	if (!vector)
		return nullptr;
	pile_done(&vector->room);
	free(vector);
	return nullptr;
}

void vector_set_kind(struct vector *vector, enum kind kind)
{
	memset(vector->kinds, kind, sizeof(vector->kinds));
	vector->uniform = true;
	vector->nulls = kind <= KIND_NULL;
	vector->kind = vector->nulls ? KIND_NULL : kind;
	vector->constant = false;
	vector->full = true;
	vector->dictionary = nullptr;
}

void vector_reset(struct vector *vector)
{
	vector_set_kind(vector, KIND_NULL);
	pile_clear(&vector->room);
}

void vector_fill(struct vector *vector, const struct cell *cell)
{
	vector_set_kind(vector, cell->kind);
	vector->constant = true;
	if (KINDS_INTS >> cell->kind & 1)
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			vector->ints[i] = cell->i;
	else if (cell->kind == KIND_FLOAT)
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			vector->floats[i] = cell->f;
	else if (cell->kind > KIND_FLOAT)
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			vector->strs[i] = cell->s;
}

void vector_cell(const struct vector *vector, uint32_t i, struct cell *ret)
{
	*ret = (struct cell) { .kind = (enum kind)vector->kinds[i] };
	if (KINDS_INTS >> ret->kind & 1)
		ret->i = vector->ints[i];
	else if (ret->kind == KIND_FLOAT)
		ret->f = vector->floats[i];
	else if (ret->kind > KIND_FLOAT)
		ret->s = vector_str(vector, i);
}

void vector_put(struct vector *vector, uint32_t i, const struct cell *cell)
{
	vector->kinds[i] = cell->kind;
	if (KINDS_INTS >> cell->kind & 1)
		vector->ints[i] = cell->i;
	else if (cell->kind == KIND_FLOAT)
		vector->floats[i] = cell->f;
	else if (cell->kind > KIND_FLOAT)
		vector->strs[i] = cell->s;
}

void vector_settle(struct vector *vector, const struct set *selection)
{
	kind_set kinds = 0;
	uint32_t i;

	SET_EACH(selection, i)
	kinds |= (kind_set)(1u << vector->kinds[i]);
	kind_set values = kinds & (kind_set)~KINDS_NULLS;
	vector->nulls = (kinds & KINDS_NULLS) != 0;
	vector->uniform = (values & (values - 1)) == 0;
	vector->kind = values ? (enum kind)stdc_trailing_zeros((unsigned int)values) : KIND_NULL;
}

struct set vector_nulls(const struct vector *vector, const struct set *selection)
{
	uint8_t null[COLUMN_BLOCK];

	if (!vector->nulls)
		return (struct set) {};
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		null[i] = vector->kinds[i] <= KIND_NULL;
	struct set set = set_from_bytes(null);
	return set_and(&set, selection);
}

void vector_gather(const struct vector *from, const uint16_t *index, uint32_t n, struct vector *to)
{
	bool all = !from->uniform;

	pile_clear(&to->room);
	to->constant = from->constant;
	to->uniform = from->uniform;
	to->nulls = from->nulls;
	to->kind = from->kind;
	to->full = true;
	to->dictionary = from->dictionary;
	for (uint32_t i = 0; i < n; i++)
		to->kinds[i] = from->kinds[index[i]];
	if (all || KINDS_INTS >> from->kind & 1)
		for (uint32_t i = 0; i < n; i++)
			to->ints[i] = from->ints[index[i]];
	if (all || from->kind == KIND_FLOAT)
		for (uint32_t i = 0; i < n; i++)
			to->floats[i] = from->floats[index[i]];
	if (from->dictionary)
		for (uint32_t i = 0; i < n; i++)
			to->codes[i] = from->codes[index[i]];
	if (all || (from->kind > KIND_FLOAT && !from->dictionary))
		for (uint32_t i = 0; i < n; i++)
			to->strs[i] = from->strs[index[i]];
}
