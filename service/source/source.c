/* SPDX-License-Identifier: Apache-2.0 */
#include "service/source/source.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "service/chunk/document.h"
#include "service/source/source_internal.h"

constexpr uint32_t FEW = 32; /* entries of a block that are rather read one by one */
constexpr uint32_t ENTRIES_EACH =
	64; /* entries of a dictionary that are decoded for one that is wanted */
constexpr size_t PACKED_MAX = 256u << 20;

int source_init(struct source *source, const struct field *fields, uint32_t n_fields,
		uint32_t array)
{
	*source = (struct source) { .field = fields, .n_fields = n_fields };
	source->column = calloc(n_fields + 1, sizeof(*source->column));
	if (!source->column)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_fields; i++)
		source->column[i].parent = fields[i].in_element ? array : UINT32_MAX;
	return 0;
}

void source_count(struct source *source, const struct page_count *pages)
{
	source->pages.read += pages->read;
	source->pages.missed += pages->missed;
}

void source_close_field(struct source_field *field)
{
	column_close(&field->data);
	column_close(&field->lookup);
	field->open = field->looked = field->has_shift = false;
	field->dictionary.id = 0;
	field->match_what = nullptr;
	if (field->element)
		source_close_field(field->element); /* NOLINT(misc-no-recursion): one level */
}

void source_free_field(struct source_field *field)
{
	source_close_field(field);
	strings_room_done(&field->room);
	strings_room_done(&field->entry_room);
	free(field->entry);
	if (field->element)
		source_free_field(field->element); /* NOLINT(misc-no-recursion): one level */
	free(field->element);
}

void source_close(struct source *source)
{
	for (uint32_t i = 0; i < source->n_fields && source->at; i++)
		source_close_field(&source->column[i]);
	if (source->reader) {
		struct page_count pages = document_reader_pages(source->reader);

		source_count(source, &pages);
	}
	source->reader = document_reader_free(source->reader);
	source->at = nullptr;
}

void source_done(struct source *source)
{
	if (!source->column)
		return;
	source_close(source);
	for (uint32_t i = 0; i < source->n_fields; i++)
		source_free_field(&source->column[i]);
	free(source->column);
	source->column = nullptr;
}

static uint32_t follow(const struct chunk *chunk, uint32_t column, const struct field *field)
{
	for (uint32_t k = 0; k < field->n && column != CHUNK_NONE; k++)
		column = chunk_child(chunk, column, field->key[k].at, field->key[k].len);
	return column;
}

int source_open(struct source *source, const struct snapshot_chunk *at)
{
	source_close(source);
	source->at = at;
	for (int elements = 0; elements < 2; elements++) /* arrays before what is in them */
		for (uint32_t i = 0; i < source->n_fields; i++) {
			struct source_field *column = &source->column[i];
			bool inside = column->parent != UINT32_MAX;
			uint32_t from = 0;

			if (inside != (elements != 0))
				continue;
			if (inside)
				from = source->column[column->parent].elements;
			column->column =
				from == CHUNK_NONE || source->field[i].source != source->number
					? CHUNK_NONE
					: follow(at->chunk, from, &source->field[i]);
			column->elements = column->column == CHUNK_NONE
						   ? CHUNK_NONE
						   : chunk_elements(at->chunk, column->column);
		}
	return 0;
}

const struct chunk_column *source_about(const struct source *source, uint32_t field)
{
	uint32_t column = source->column[field].column;

	return column == CHUNK_NONE ? nullptr : chunk_column(source->at->chunk, column);
}

uint32_t source_live(const struct source *source, uint32_t block, struct set *ret)
{
	uint32_t left = chunk_rows(source->at->chunk) - block * COLUMN_BLOCK;
	uint32_t n = left < COLUMN_BLOCK ? left : COLUMN_BLOCK;

	*ret = set_first(n);
	for (uint32_t w = 0; source->at->deleted && w < SET_WORDS; w++)
		ret->word[w] &= ~source->at->deleted[block * SET_WORDS + w];
	return n;
}

int source_result(struct source *source, int r)
{
	if (r <= 0)
		return r;
	(void)snprintf(source->error, sizeof(source->error),
		       "Stored bytes of segment %lld are not what was written.",
		       (long long)source->at->segment);
	return PIPE_DAMAGED;
}

int source_open_field(struct source *source, struct source_field *field)
{
	if (field->open)
		return 0;
	int r = column_open(source->at->chunk, field->column, LANES_VALUES, &field->data);
	if (r)
		return source_result(source, r);
	field->open = true;
	source_count(source, &field->data.pages);
	for (int lane = 0; lane < LANE_COUNT; lane++)
		if (LANES_VALUES >> lane & 1)
			source->bytes_read += field->data.about->lane[lane].len;
	return 0;
}

int source_entries(struct source *source, struct source_field *field)
{
	uint32_t n = field->data.strings.distinct;

	if (field->dictionary.id)
		return 0;
	if (field->entry_size < n) {
		struct str *grown = reallocarray(field->entry, n, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		field->entry = grown;
		field->entry_size = n;
	}
	int r = strings_entries(&field->data.strings, &field->entry_room, field->entry);
	if (r)
		return source_result(source, r == -EBADMSG ? CHUNK_DAMAGED : r);
	field->dictionary = (struct dictionary) {
		.entry = field->entry, .n = n, .sorted = true, .id = ++source->last_id
	};
	return 0;
}

/* Some strings one by one; they are copied, for the column's room holds only one. */
static int read_few(struct source *source, struct source_field *field, uint32_t block,
		    const struct set *selection, struct vector *ret)
{
	uint32_t i;

	ret->full = false;
	SET_EACH(selection, i)
	{
		if (ret->kinds[i] != KIND_STRING && ret->kinds[i] != KIND_BYTES)
			continue;
		int r = column_string(&field->data, block * COLUMN_BLOCK + i, &field->room,
				      &ret->strs[i]);

		r = r ? source_result(source, r) : pile_copy(&ret->room, &ret->strs[i]);
		if (r)
			return r;
	}
	return 0;
}

/* Whether an open field is read by codes for so many entries of a block: its entries are decoded then, all of them. */
static bool by_codes(const struct source_field *field, uint32_t n)
{
	const struct column *column = &field->data;

	return column_is_dictionary(column) && !(column->about->kinds >> KIND_BYTES & 1) &&
	       (field->dictionary.id || column->strings.distinct <= ENTRIES_EACH * n);
}

bool source_coded(struct source *source, uint32_t field, const struct set *selection)
{
	struct source_field *at = &source->column[field];

	return at->column != CHUNK_NONE && source_open_field(source, at) == 0 &&
	       by_codes(at, set_count(selection));
}

static int read_strings(struct source *source, struct source_field *field, uint32_t block,
			const struct set *selection, struct vector *ret)
{
	const struct column *column = &field->data;
	uint32_t n = set_count(selection);

	if (by_codes(field, n)) {
		int r = source_entries(source, field);

		if (r)
			return r;
		strings_codes(&column->strings, block, ret->codes);
		ret->dictionary = &field->dictionary;
		return 0;
	}
	if (n <= FEW)
		return read_few(source, field, block, selection, ret);
	return source_result(source, column_strings(column, block, &field->room, ret->strs));
}

/* Arrays and objects, put together packed. */
static int read_packed(struct source *source, const struct source_field *field, uint32_t block,
		       const struct set *selection, struct vector *ret)
{
	auto_buf struct buf packed = buf_make(PACKED_MAX);
	uint32_t i;
	int r = source->reader ? 0 : document_reader_new(source->at->chunk, &source->reader);

	if (r)
		return r;
	ret->full = false;
	SET_EACH(selection, i)
	{
		if (ret->kinds[i] != KIND_ARRAY && ret->kinds[i] != KIND_OBJECT)
			continue;
		buf_clear(&packed);
		r = document_read(source->reader, field->column, block * COLUMN_BLOCK + i, &packed);
		if (r || buf_error(&packed))
			return r ? source_result(source, r) : buf_error(&packed);
		ret->strs[i] = (struct str) { (const char *)packed.data, (uint32_t)packed.len };
		r = pile_copy(&ret->room, &ret->strs[i]);
		if (r)
			return r;
	}
	return 0;
}

/* What is no number is NULL, as in SQLite. */
static void drop_nan(struct vector *ret)
{
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		if (ret->kinds[i] == KIND_FLOAT && isnan(ret->floats[i]))
			ret->kinds[i] = KIND_NULL;
	ret->nulls = true;
}

/* What kinds the column's statistics allow. */
static void set_form(const struct chunk_column *about, struct vector *ret)
{
	kind_set values = about->kinds & (kind_set)~KINDS_NULLS;

	ret->uniform = (values & (values - 1)) == 0;
	ret->nulls = (about->kinds & KINDS_NULLS) != 0;
	ret->kind = values ? (enum kind)stdc_trailing_zeros((unsigned int)values) : KIND_NULL;
}

int source_read(struct source *source, struct source_field *field, uint32_t block,
		const struct set *selection, struct vector *ret)
{
	constexpr kind_set packed = 1u << KIND_ARRAY | 1u << KIND_OBJECT;
	const struct column *column = &field->data;
	const struct chunk_column *about = column->about;
	int r = 0;

	if (column->one_kind)
		memset(ret->kinds, column->constant_kind, sizeof(ret->kinds));
	else
		column_kinds(column, block, ret->kinds);
	set_form(about, ret);
	if (about->kinds & KINDS_INTS)
		column_ints(column, block, ret->ints);
	if (about->kinds >> KIND_FLOAT & 1)
		column_floats(column, block, ret->floats);
	if (about->has_nan)
		drop_nan(ret);
	if (about->kinds & KINDS_TEXTS)
		r = read_strings(source, field, block, selection, ret);
	if (r == 0 && about->kinds & packed)
		r = read_packed(source, field, block, selection, ret);
	return r;
}

int source_load(struct source *source, uint32_t field, uint32_t block, const struct set *selection,
		struct vector *ret)
{
	struct source_field *at = &source->column[field];

	ret->full = true;
	if (at->column == CHUNK_NONE) {
		vector_set_kind(ret, KIND_MISSING);
		return 0;
	}
	int r = source_open_field(source, at);
	return r ? r : source_read(source, at, block, selection, ret);
}

bool source_bounds(struct source *source, uint32_t field, uint32_t block, int64_t *ret_min,
		   int64_t *ret_max)
{
	struct source_field *at = &source->column[field];
	const struct chunk_column *about = source_about(source, field);

	if (!about || about->sparse || (about->kinds & KINDS_INTS) == 0 ||
	    (about->kinds & ~(KINDS_INTS | KINDS_NULLS)) != 0 || source_open_field(source, at))
		return false;
	ints_bounds(&at->data.ints, block, ret_min, ret_max);
	return true;
}

int source_ends(struct source *source, uint32_t field, uint32_t block,
		uint32_t out[COLUMN_BLOCK + 1])
{
	struct source_field *at = &source->column[field];
	int r = source_open_field(source, at);

	if (r == 0)
		column_ends(&at->data, block, out);
	return r;
}
