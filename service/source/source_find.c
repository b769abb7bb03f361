/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/source/source_internal.h"
#include "service/value/civil.h"

int source_lookup(struct source *source, uint32_t field, uint16_t lanes, const struct column **ret)
{
	struct source_field *at = &source->column[field];

	*ret = nullptr;
	if (at->column == CHUNK_NONE)
		return 0;
	if (at->looked && (at->lookup.lanes & lanes) != lanes) {
		column_close(&at->lookup);
		at->looked = false;
	}
	if (!at->looked) {
		int r = column_open(source->at->chunk, at->column, lanes, &at->lookup);

		if (r)
			return source_result(source, r);
		source_count(source, &at->lookup.pages);
		at->looked = true;
	}
	*ret = &at->lookup;
	return 0;
}

int source_find(struct source *source, uint32_t field, uint32_t block, const struct str *needle,
		const struct set *selection, struct truth *ret)
{
	constexpr uint32_t few = 64;
	struct source_field *at = &source->column[field];
	const struct chunk_column *about = source_about(source, field);
	uint8_t match[COLUMN_BLOCK];

	if (!about || about->sparse || about->kinds != (kind_set)(1u << KIND_STRING) ||
	    set_count(selection) < few)
		return BATCH_CANNOT;
	int r = source_open_field(source, at);
	if (r || column_is_dictionary(&at->data))
		return r ? r : BATCH_CANNOT;
	/* Not into the room, where the strings may be that the query has loaded. */
	r = strings_contains(&at->data.strings, block, &at->entry_room, needle->at, needle->len,
			     match);
	if (r)
		return source_result(source, r == -EBADMSG ? CHUNK_DAMAGED : r);
	struct set set = set_from_bytes(match);
	ret->yes = set_and(&set, selection);
	return 0;
}

/* How far the first string's moment is from its number: all are of one form, so it is the same for all. */
static int find_shift(struct source *source, struct source_field *at)
{
	cleanup(strings_room_done) struct strings_room
		room = {}; /* the field's own may be in use */
	struct str first;
	int64_t us;

	if (at->has_shift)
		return 0;
	int r = column_string(&at->data, 0, &room, &first);
	if (r)
		return source_result(source, r);
	if (!civil_parse(first.at, first.len, &us, nullptr, nullptr))
		return BATCH_CANNOT;
	at->shift_us = us - ints_get(&at->data.strings.number, 0);
	at->has_shift = true;
	return 0;
}

int source_moments(struct source *source, uint32_t field, uint32_t block, struct vector *ret)
{
	struct source_field *at = &source->column[field];
	const struct chunk_column *about = source_about(source, field);

	if (!about || about->sparse || about->kinds != (kind_set)(1u << KIND_STRING))
		return BATCH_CANNOT;
	int r = source_open_field(source, at);
	if (r || at->data.strings.encoding != STRINGS_TIME || at->data.strings.odd.n > 0)
		return r ? r : BATCH_CANNOT;
	r = find_shift(source, at);
	if (r)
		return r;
	strings_times(&at->data.strings, block, ret->ints);
	for (uint32_t i = 0; at->shift_us != 0 && i < COLUMN_BLOCK; i++)
		ret->ints[i] = (int64_t)((uint64_t)ret->ints[i] + (uint64_t)at->shift_us);
	return 0;
}

/* A field for an array's elements, made when it is first asked for. */
static int element_of(struct source *source, struct source_field *at, struct source_field **ret)
{
	if (!at->element) {
		at->element = calloc(1, sizeof(*at->element));
		if (!at->element)
			return -ENOMEM;
	}
	at->element->column = at->elements;
	*ret = at->element;
	return source_open_field(source, at->element);
}

/* Which elements of a block are what, when they are strings of a dictionary. */
static int match_codes(struct source *source, struct source_field *element, uint32_t block,
		       const struct cell *what, struct set *ret)
{
	uint8_t yes[COLUMN_BLOCK], kinds[COLUMN_BLOCK];
	uint16_t codes[COLUMN_BLOCK];
	int r = source_entries(source, element);

	if (r)
		return r;
	uint32_t from = 0, to = element->dictionary.n;
	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (cell_compare_text(&element->entry[middle], &what->s) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	*ret = (struct set) {};
	if (from == element->dictionary.n ||
	    cell_compare_text(&element->entry[from], &what->s) != 0)
		return 0;
	strings_codes(&element->data.strings, block, codes);
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		yes[i] = codes[i] == from;
	if (!element->data.one_kind) {
		column_kinds(&element->data, block, kinds);
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			yes[i] &= kinds[i] == KIND_STRING;
	}
	*ret = set_from_bytes(yes);
	return 0;
}

/* The same for elements of any form. */
static int match_cells(struct source *source, struct source_field *element, uint32_t block,
		       const struct cell *what, struct set *ret)
{
	cleanup(vector_free_at) struct vector *vector = nullptr;
	uint32_t n = element->data.about->n - block * COLUMN_BLOCK;
	struct set all = set_first(n < COLUMN_BLOCK ? n : COLUMN_BLOCK);
	uint32_t i;
	int r = vector_new(&vector);

	r = r ? r : source_read(source, element, block, &all, vector);
	if (r)
		return r;
	*ret = (struct set) {};
	SET_EACH(&all, i)
	{
		struct cell cell;

		vector_cell(vector, i, &cell);
		if (cell.kind == what->kind && cell_compare(&cell, what) == 0)
			set_add(ret, i);
	}
	return 0;
}

/* Make at->match that of a block of elements. Not inlined: the scratch arrays would be on the stack together. */
[[gnu::noinline]] static int match_block(struct source *source, struct source_field *at,
					 uint32_t block, const struct cell *what)
{
	struct source_field *element;

	if (at->match_what == what && at->match_block == block)
		return 0;
	int r = element_of(source, at, &element);
	if (r)
		return r;
	bool codes = what->kind == KIND_STRING && column_is_dictionary(&element->data) &&
		     !(element->data.about->kinds >> KIND_BYTES & 1);
	r = codes ? match_codes(source, element, block, what, &at->match)
		  : match_cells(source, element, block, what, &at->match);
	at->match_what = r ? nullptr : what;
	at->match_block = block;
	return r;
}

/* Go through the rows' elements; those that match are few. */
static int contains_rows(struct source *source, struct source_field *at, uint32_t block,
			 const struct cell *what, const struct set *selection, struct set *ret)
{
	uint32_t ends[COLUMN_BLOCK + 1], row = 0;
	uint32_t n = at->data.about->n - block * COLUMN_BLOCK;

	n = n < COLUMN_BLOCK ? n : COLUMN_BLOCK;
	column_ends(&at->data, block, ends);
	for (uint32_t b = ends[0] / COLUMN_BLOCK; b * COLUMN_BLOCK < ends[n]; b++) {
		int r = match_block(source, at, b, what);
		uint32_t i;

		if (r)
			return r;
		SET_EACH(&at->match, i)
		{
			uint32_t element = b * COLUMN_BLOCK + i;

			if (element < ends[0])
				continue;
			while (row < n && ends[row + 1] <= element)
				row++;
			if (row < n)
				set_add(ret, row);
		}
	}
	*ret = set_and(ret, selection);
	return 0;
}

/* The rows of a block where an open field is NULL or missing. */
static struct set null_rows(const struct source_field *at, uint32_t block,
			    const struct set *selection)
{
	uint8_t kinds[COLUMN_BLOCK];

	if ((at->data.about->kinds & KINDS_NULLS) == 0)
		return (struct set) {};
	column_kinds(&at->data, block, kinds);
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		kinds[i] = kinds[i] <= KIND_NULL;
	struct set null = set_from_bytes(kinds);
	return set_and(&null, selection);
}

int source_between(struct source *source, uint32_t field, uint32_t block, const struct span *span,
		   const struct set *selection, struct truth *ret)
{
	struct source_field *at = &source->column[field];
	const struct chunk_column *about = source_about(source, field);
	uint8_t yes[COLUMN_BLOCK];

	if (!about || about->sparse ||
	    (about->kinds & (kind_set)~KINDS_NULLS) != (kind_set)(1u << span->kind))
		return BATCH_CANNOT;
	int r = source_open_field(source, at);
	if (r || !ints_between(&at->data.ints, block, span->low, span->high, yes))
		return r ? r : BATCH_CANNOT;
	struct set set = set_from_bytes(yes);
	ret->null = null_rows(at, block, selection);
	set = set_and(&set, selection);
	ret->yes = set_minus(&set, &ret->null);
	return 0;
}

int source_contains(struct source *source, uint32_t field, uint32_t block, const struct cell *what,
		    const struct set *selection, struct truth *ret)
{
	constexpr kind_set arrays = (1u << KIND_ARRAY) | KINDS_NULLS;
	struct source_field *at = &source->column[field];
	const struct chunk_column *about = source_about(source, field);

	if (!about || (about->kinds & ~arrays) != 0 || what->kind >= KIND_ARRAY)
		return BATCH_CANNOT;
	int r = source_open_field(source, at);
	if (r)
		return r;
	ret->null = null_rows(at, block, selection);
	if (at->elements != CHUNK_NONE)
		r = contains_rows(source, at, block, what, selection, &ret->yes);
	return r;
}

int source_find_text(struct source *source, uint32_t field, const struct str *text,
		     column_entry_fn *fn, void *userdata)
{
	const struct chunk_column *about = source_about(source, field);
	const struct column *column;

	if (!about || (about->kinds & (1u << KIND_BYTES | KINDS_MOMENTS)))
		return BATCH_CANNOT;
	bool ordered = about->lane[LANE_ORDER].len > 0;
	int r = ordered ? source_lookup(source, field,
					(uint16_t)(1u << LANE_ORDER | 1u << LANE_STRINGS), &column)
			: source_lookup(source, field, 1u << LANE_STRINGS, &column);
	if (r)
		return r;
	if (!ordered)
		return BATCH_CANNOT;
	return source_result(source, column_find_text(column, &source->column[field].room, text->at,
						      text->len, fn, userdata));
}
