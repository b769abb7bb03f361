/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/coder.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void coder_done(struct coder *coder)
{
	free(coder->value);
	free(coder->slot);
	*coder = (struct coder) {};
}

/* Whether the selected entries are of no other kinds than one (or, of bools, two) and NULL. */
static bool only(const struct vector *vector, const uint16_t *entry, uint32_t n, kind_set kinds)
{
	kind_set met = 0;

	for (uint32_t k = 0; k < n; k++)
		met |= (kind_set)(1u << vector->kinds[entry[k]]);
	return (met & ~(kinds | KINDS_NULLS)) == 0;
}

static bool suits(const struct coder *coder, const struct vector *vector, const uint16_t *entry,
		  uint32_t n)
{
	bool null = vector->uniform && vector->kind == KIND_NULL;

	switch (coder->form) {
	case CODER_NONE:
		return false;
	case CODER_DICTIONARY:
		if (!vector->dictionary || vector->dictionary->id != coder->id)
			return null;
		return (vector->uniform && vector->kind == KIND_STRING) || null ||
		       only(vector, entry, n, 1u << KIND_STRING);
	case CODER_BOOLS:
		return only(vector, entry, n, 1u << KIND_TRUE | 1u << KIND_FALSE);
	case CODER_INTS:
		return vector->uniform && (vector->kind == coder->kind || null);
	}
	return false;
}

static int begin_ints(struct coder *coder, enum kind kind)
{
	if (!coder->value)
		coder->value = calloc(CODER_INTS_MAX + 1, sizeof(*coder->value));
	if (!coder->slot)
		coder->slot = calloc(CODER_SLOTS, sizeof(*coder->slot));
	if (!coder->value || !coder->slot)
		return -ENOMEM;
	memset(coder->slot, 0, CODER_SLOTS * sizeof(*coder->slot));
	coder->form = CODER_INTS;
	coder->kind = kind;
	coder->n = 1;
	coder->cardinality = CODER_INTS_MAX + 1;
	return 0;
}

int coder_begin(struct coder *coder, const struct vector *vector, const uint16_t *entry, uint32_t n)
{
	coder->form = CODER_NONE;
	if (vector->dictionary) {
		coder->form = CODER_DICTIONARY;
		coder->dictionary = vector->dictionary;
		coder->id = vector->dictionary->id;
		coder->cardinality = vector->dictionary->n + 1;
	} else if (vector->uniform && KINDS_INTS >> vector->kind & 1) {
		return begin_ints(coder, vector->kind);
	} else if (only(vector, entry, n, 1u << KIND_TRUE | 1u << KIND_FALSE)) {
		coder->form = CODER_BOOLS;
		coder->cardinality = 3;
	}
	if (!suits(coder, vector, entry, n))
		coder->form = CODER_NONE;
	return 0;
}

/* The number of an int, new or not; 0 if there are too many. */
static uint32_t number_of(struct coder *coder, int64_t value)
{
	auto hash = (uint32_t)((uint64_t)value * UINT64_C(0x9e3779b97f4a7c15) >> 52);

	static_assert(CODER_SLOTS == 1u << (64 - 52));
	while (coder->slot[hash]) {
		if (coder->value[coder->slot[hash]] == value)
			return coder->slot[hash];
		hash = (hash + 1) % CODER_SLOTS;
	}
	if (coder->n > CODER_INTS_MAX)
		return 0;
	coder->slot[hash] = (uint16_t)coder->n;
	coder->value[coder->n] = value;
	return coder->n++;
}

static bool add_ints(struct coder *coder, const struct vector *vector, const uint16_t *entry,
		     uint32_t n, uint32_t step, uint32_t *code)
{
	int64_t last = 0;
	uint32_t number = 0; /* of last; 0: none */

	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = entry[k];

		if (vector->kinds[i] <= KIND_NULL)
			continue;
		if (number == 0 || vector->ints[i] != last) {
			last = vector->ints[i];
			number = number_of(coder, last);
			if (number == 0)
				return false;
		}
		code[k] += number * step;
	}
	return true;
}

static void add_codes(const struct coder *coder, const struct vector *vector, const uint16_t *entry,
		      uint32_t n, uint32_t step, uint32_t *code)
{
	uint32_t null = coder->dictionary->n;

	if (!vector->nulls && vector->uniform) {
		for (uint32_t k = 0; k < n; k++)
			code[k] += vector->codes[entry[k]] * step;
		return;
	}
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = entry[k];

		code[k] += (vector->kinds[i] <= KIND_NULL ? null : vector->codes[i]) * step;
	}
}

bool coder_add(struct coder *coder, const struct vector *vector, const uint16_t *entry, uint32_t n,
	       uint32_t step, uint32_t *code)
{
	if (!suits(coder, vector, entry, n))
		return false;
	switch (coder->form) {
	case CODER_NONE:
		return false;
	case CODER_DICTIONARY:
		add_codes(coder, vector, entry, n, step, code);
		return true;
	case CODER_BOOLS:
		for (uint32_t k = 0; k < n; k++) {
			uint8_t kind = vector->kinds[entry[k]];

			code[k] += (kind <= KIND_NULL ? 0u : (uint32_t)kind - KIND_NULL) * step;
		}
		return true;
	case CODER_INTS:
		return add_ints(coder, vector, entry, n, step, code);
	}
	return false;
}

void coder_cell(const struct coder *coder, uint32_t code, struct cell *ret)
{
	*ret = (struct cell) { .kind = KIND_NULL };
	switch (coder->form) {
	case CODER_NONE:
		return;
	case CODER_DICTIONARY:
		if (code < coder->dictionary->n)
			*ret = (struct cell) { .kind = KIND_STRING,
					       .s = coder->dictionary->entry[code] };
		return;
	case CODER_BOOLS:
		ret->kind = (enum kind)(code + KIND_NULL);
		return;
	case CODER_INTS:
		if (code > 0)
			*ret = (struct cell) { .kind = coder->kind, .i = coder->value[code] };
		return;
	}
}
