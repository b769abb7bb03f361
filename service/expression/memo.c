/* SPDX-License-Identifier: Apache-2.0 */
#include "service/expression/memo.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

constexpr uint8_t UNKNOWN = KIND_COUNT;

void memo_done(struct memo *memo)
{
	free(memo->kind);
	free(memo->ints);
	free(memo->strs);
	pile_done(&memo->room);
	*memo = (struct memo) {};
}

bool memo_suits(const struct vector *field, const struct set *selection)
{
	uint32_t i;

	if (field->uniform && (field->kind == KIND_STRING || field->kind == KIND_NULL))
		return true;
	SET_EACH(selection, i)
	if (field->kinds[i] > KIND_NULL && field->kinds[i] != KIND_STRING)
		return false;
	return true;
}

/* Make a memo fit a dictionary; forget what it held of another. */
static int memo_begin(struct eval *eval, struct memo *memo, const struct dictionary *dictionary)
{
	uint32_t n = dictionary->n + 2;

	if (memo->dictionary == dictionary->id)
		return 0;
	memo->dictionary = 0;
	pile_clear(&memo->room);
	if (memo->size < n) {
		memo_done(memo);
		memo->kind = malloc(n);
		memo->ints = malloc(n * sizeof(*memo->ints));
		memo->strs = malloc(n * sizeof(*memo->strs));
		if (!memo->kind || !memo->ints || !memo->strs)
			return -ENOMEM;
		memo->size = n;
	}
	memset(memo->kind, UNKNOWN, n);
	memset(memo->strs, 0, n * sizeof(*memo->strs));
	memo->n = dictionary->n;
	memo->dictionary = dictionary->id;
	/* An id of its own, from the other end than those of chunks' dictionaries. */
	memo->result = (struct dictionary) { .entry = memo->strs, .n = n, .id = --eval->last_id };
	return 0;
}

/* Where in the memo an entry of the field is. */
static uint32_t place(const struct memo *memo, const struct vector *field, uint32_t i)
{
	return field->kinds[i] == KIND_STRING ? field->codes[i]
	       : field->kinds[i] == KIND_NULL ? memo->n
					      : memo->n + 1;
}

static int keep(struct memo *memo, uint32_t at, const struct vector *value, uint32_t i)
{
	struct cell cell;

	vector_cell(value, i, &cell);
	if (cell.kind == KIND_FLOAT)
		memcpy(&memo->ints[at], &cell.f, sizeof(cell.f));
	else
		memo->ints[at] = cell.i;
	memo->strs[at] = cell.s;
	int r = pile_copy(&memo->room, &memo->strs[at]);
	if (r == 0)
		memo->kind[at] = cell.kind;
	return r;
}

/* Evaluate the step for the places [n] by putting their strings in the field's stead. */
static int fill(struct eval *eval, uint32_t index, const struct vector *field,
		const uint32_t *places, uint32_t n)
{
	struct memo *memo = &eval->memo[index];
	uint32_t number = eval->program->step[index].field;
	struct vector *outside = eval->field[number];
	bool loaded = eval->loaded[number];
	cleanup(vector_free_at) struct vector *inside = nullptr;
	const struct vector *value;
	int r = vector_new(&inside);

	if (r)
		return r;
	for (uint32_t k = 0; k < n; k++) {
		inside->kinds[k] = places[k] < memo->n	  ? KIND_STRING
				   : places[k] == memo->n ? KIND_NULL
							  : KIND_MISSING;
		if (places[k] < memo->n)
			inside->strs[k] = field->dictionary->entry[places[k]];
	}
	struct set all = set_first(n);
	vector_settle(inside, &all);
	eval->field[number] = inside;
	eval->loaded[number] = true;
	eval->inside = true;
	r = eval_compute(eval, index, &all, &value);
	for (uint32_t k = 0; k < n && r == 0; k++)
		r = keep(memo, places[k], value, k);
	eval->inside = false;
	eval->field[number] = outside;
	eval->loaded[number] = loaded;
	return r;
}

/* Work out what is not known yet. */
static int learn(struct eval *eval, uint32_t index, const struct vector *field,
		 const struct set *selection)
{
	struct memo *memo = &eval->memo[index];
	uint32_t places[COLUMN_BLOCK], n = 0, i;

	SET_EACH(selection, i)
	{
		uint32_t at = place(memo, field, i);

		if (memo->kind[at] != UNKNOWN)
			continue;
		memo->kind[at] = KIND_NULL; /* so that it is listed once */
		places[n++] = at;
	}
	if (n == 0)
		return 0;
	int r = fill(eval, index, field, places, n);
	if (r)
		memo->dictionary = 0; /* some were marked but not evaluated */
	return r;
}

int memo_value(struct eval *eval, uint32_t index, const struct vector *field,
	       const struct set *selection, struct vector *ret)
{
	struct memo *memo = &eval->memo[index];
	bool as_dictionary = field->dictionary->n + 2 <= UINT16_MAX + 1;
	uint32_t i;
	int r = memo_begin(eval, memo, field->dictionary);

	r = r ? r : learn(eval, index, field, selection);
	if (r)
		return r;
	SET_EACH(selection, i)
	{
		uint32_t at = place(memo, field, i);

		ret->kinds[i] = memo->kind[at];
		ret->ints[i] = memo->ints[at];
		memcpy(&ret->floats[i], &memo->ints[at], sizeof(ret->floats[i]));
		if (as_dictionary)
			ret->codes[i] = (uint16_t)at;
		if (!as_dictionary || memo->kind[at] > KIND_STRING)
			ret->strs[i] = memo->strs[at];
	}
	vector_settle(ret, selection);
	if (as_dictionary && (!ret->uniform || ret->kind == KIND_STRING))
		ret->dictionary = &memo->result;
	ret->full = false;
	return 0;
}
