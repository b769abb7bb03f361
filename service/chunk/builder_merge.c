/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/builder.h"
#include "service/chunk/builder_internal.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/chunk/fields.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"

constexpr size_t PACKED_SHARE = 4; /* a chunk's bytes are about a quarter of its values', packed */

/* Entries of a column that are to be copied: ranges, ascending, and where the first goes. */
struct range {
	uint32_t from, to;
};

struct selection {
	struct range *range; /* [n] */
	uint32_t n, room;
	uint32_t total; /* entries */
	uint32_t base;	/* the first one's entry in the builder */
};

/* A decoded block. */
struct block {
	struct str text[COLUMN_BLOCK];
	int64_t number[COLUMN_BLOCK];
	double real[COLUMN_BLOCK];
	uint32_t end[COLUMN_BLOCK + 1];
	uint8_t kind[COLUMN_BLOCK];
};

struct merge {
	struct builder *builder;
	struct chunk *chunk;
	uint32_t *field;	     /* [columns] */
	uint32_t *domain;	     /* [columns]: whose selection is a column's */
	struct selection *selection; /* [columns]: of column 0 and of elements */
	kind_set *copied;	     /* [columns]: kinds of the entries that were copied */
	struct block *block;
	struct strings_room room;
	/* The column that is being copied. */
	struct column column;
	uint32_t index;
	uint32_t *shape; /* [shapes] its shapes' numbers in the builder, or CHUNK_NONE so far */
	struct selection *elements; /* of its arrays, or nullptr */
};

static void merge_done(struct merge *merge)
{
	for (uint32_t i = 0; merge->selection && i < chunk_columns(merge->chunk); i++)
		free(merge->selection[i].range);
	free(merge->selection);
	free(merge->copied);
	free(merge->field);
	free(merge->block);
	free(merge->shape);
	strings_room_done(&merge->room);
	column_close(&merge->column);
}

/* --- what is to be copied ------------------------------------------------------------------------ */

/* Add a range after those that are there. */
static int select_range(struct selection *selection, uint32_t from, uint32_t to)
{
	struct range *last = selection->n > 0 ? &selection->range[selection->n - 1] : nullptr;

	if (from == to)
		return 0;
	if (last && from < last->to)
		return -EBADMSG;
	selection->total += to - from;
	if (last && from == last->to) {
		last->to = to;
		return 0;
	}
	if (selection->n == selection->room) {
		uint32_t room = selection->room ? 2 * selection->room : 8;
		struct range *grown = realloc(selection->range, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		selection->range = grown;
		selection->room = room;
	}
	selection->range[selection->n++] = (struct range) { from, to };
	return 0;
}

/* Select the rows that are not deleted. */
static int select_rows(struct selection *selection, const uint64_t *deleted, uint32_t from,
		       uint32_t to)
{
	int r = 0;

	if (!deleted)
		return from < to ? select_range(selection, from, to) : 0;
	for (uint32_t i = from; r == 0 && i < to; i++)
		if (!(deleted[i / 64] >> i % 64 & 1))
			r = select_range(selection, i, i + 1);
	return r;
}

/* Find or make each column's field. */
static int map_columns(struct merge *merge)
{
	struct fields *fields = &merge->builder->fields;
	int r = fields_mark(fields, FIELD_DOCUMENT);

	for (uint32_t i = 1; r == 0 && i < chunk_columns(merge->chunk); i++) {
		const struct chunk_column *column = chunk_column(merge->chunk, i);
		uint32_t parent = merge->field[column->parent];

		if (column->element)
			r = fields_elements(fields, parent, &merge->field[i]);
		else
			r = fields_member(fields, parent, column->key.at, column->key.len,
					  &merge->field[i]);
		if (r == 0)
			r = fields_mark(fields, merge->field[i]);
		merge->domain[i] = column->element ? i : merge->domain[column->parent];
	}
	return r;
}

/* --- copying entries ----------------------------------------------------------------------------- */

static struct field *merge_field(const struct merge *merge)
{
	return field_at(&merge->builder->fields, merge->field[merge->index]);
}

/* The number in the builder of one of the column's shapes. */
static int map_shape(struct merge *merge, int64_t number, int64_t *ret)
{
	struct builder *builder = merge->builder;
	uint32_t n;
	const struct chunk_shape *shapes = chunk_shapes(merge->chunk, merge->index, &n);

	if (number < 0 || number >= n)
		return -EBADMSG;
	if (merge->shape[number] == CHUNK_NONE) {
		const struct chunk_shape *shape = &shapes[number];

		builder->members.n = 0;
		int r = fields_grow(&builder->fields, &builder->members, shape->n,
				    sizeof(uint32_t));
		if (r)
			return r;
		uint32_t *member = builder->members.data;
		for (uint32_t i = 0; i < shape->n; i++)
			member[i] = merge->field[shape->column[i]];
		r = fields_shape(&builder->fields, merge->field[merge->index], member, shape->n,
				 &merge->shape[number]);
		if (r)
			return r;
	}
	*ret = merge->shape[number];
	return 0;
}

/* Copy an array: its elements are selected, and it ends where they will. */
static int copy_array(struct merge *merge, uint32_t i, uint32_t to)
{
	uint32_t index = merge->field[merge->index];
	uint32_t from = merge->block->end[i], end = merge->block->end[i + 1];
	int r = fields_put_array(&merge->builder->fields, index, to);

	if (r == 0 && from < end)
		r = merge->elements ? select_range(merge->elements, from, end) : -EBADMSG;
	if (r)
		return r;
	struct field *field = merge_field(merge);
	uint32_t there = field->elements == CHUNK_NONE
				 ? 0
				 : field_at(&merge->builder->fields, field->elements)->entries;
	((uint32_t *)field->ends.data)[field->ends.n - 1] =
		merge->elements ? merge->elements->base + merge->elements->total : there;
	return 0;
}

/* Copy entry i of the block to an entry of the builder. */
static int copy_one(struct merge *merge, uint32_t i, uint32_t to)
{
	struct fields *fields = &merge->builder->fields;
	const struct block *block = merge->block;
	uint32_t index = merge->field[merge->index];
	auto kind = (enum kind)block->kind[i];
	int64_t number;
	int r;

	if (kind == KIND_MISSING)
		return 0;
	if (!(merge->column.about->kinds & 1u << kind))
		return -EBADMSG; /* so that its lane is there */
	merge->copied[merge->index] |= (kind_set)(1u << kind);
	if (1u << kind & KINDS_INTS)
		return fields_put_int(fields, index, to, kind, block->number[i]);
	if (1u << kind & KINDS_TEXTS)
		return fields_put_text(fields, index, to, kind, block->text[i].at,
				       block->text[i].len);
	if (kind == KIND_FLOAT)
		return fields_put_float(fields, index, to, block->real[i]);
	if (kind == KIND_ARRAY)
		return copy_array(merge, i, to);
	if (kind != KIND_OBJECT)
		return fields_put(fields, index, to, kind);
	r = map_shape(merge, block->number[i], &number);
	return r ? r : fields_put_int(fields, index, to, kind, number);
}

/* Whether entries of the column's only kind can be put after a field's entries without looking at each. */
static bool is_plain(const struct merge *merge, uint32_t to)
{
	const struct field *field = merge_field(merge);
	enum kind kind = merge->column.constant_kind;

	return merge->column.one_kind && kind != KIND_ARRAY && field->present > 0 &&
	       !field->mixed && !field->gaps && field->kind == kind && field->present == to;
}

static int copy_texts(struct merge *merge, const struct str *text, uint32_t n)
{
	struct fields *fields = &merge->builder->fields;
	struct lane *lane = &merge_field(merge)->texts;
	struct str *out;
	size_t size = 0;
	int r = fields_grow(fields, lane, n, sizeof(*out));

	for (uint32_t i = 0; i < n; i++)
		size += text[i].len;
	char *at = r ? nullptr : fields_text(fields, size);
	if (!at)
		return -ENOMEM;
	out = (struct str *)lane->data + lane->n;
	for (uint32_t i = 0; i < n; i++) {
		if (text[i].len > 0)
			memcpy(at, text[i].at, text[i].len);
		out[i] = (struct str) { .at = at, .len = text[i].len };
		at += text[i].len;
	}
	lane->n += n;
	return 0;
}

/* Copy entries of a plain column at once. */
static int copy_plain(struct merge *merge, uint32_t from, uint32_t n)
{
	struct fields *fields = &merge->builder->fields;
	const struct block *block = merge->block;
	enum kind kind = merge->column.constant_kind;
	int r = 0;

	merge->copied[merge->index] |= (kind_set)(1u << kind);
	if (1u << kind & KINDS_TEXTS) {
		r = copy_texts(merge, block->text + from, n);
	} else if (kind == KIND_FLOAT) {
		struct lane *lane = &merge_field(merge)->floats;

		r = fields_grow(fields, lane, n, sizeof(double));
		if (r)
			return r;
		memcpy((double *)lane->data + lane->n, block->real + from, n * sizeof(double));
		lane->n += n;
	} else if (1u << kind & (KINDS_INTS | 1u << KIND_OBJECT)) {
		struct lane *lane = &merge_field(merge)->ints;

		r = fields_grow(fields, lane, n, sizeof(int64_t));
		for (uint32_t i = 0; r == 0 && i < n; i++) {
			int64_t *out = (int64_t *)lane->data + lane->n + i;

			*out = block->number[from + i];
			if (kind == KIND_OBJECT)
				r = map_shape(merge, *out, out);
		}
		if (r)
			return r;
		lane->n += n;
	}
	if (r == 0)
		merge_field(merge)->present += n;
	return r;
}

static int decode(struct merge *merge, uint32_t block)
{
	const struct column *column = &merge->column;

	column_kinds(column, block, merge->block->kind);
	if (column->about->kinds & (KINDS_INTS | 1u << KIND_OBJECT))
		column_ints(column, block, merge->block->number);
	if (column->about->kinds & 1u << KIND_FLOAT)
		column_floats(column, block, merge->block->real);
	if (column->about->kinds & 1u << KIND_ARRAY)
		column_ends(column, block, merge->block->end);
	if (column->about->kinds & KINDS_TEXTS)
		return column_strings(column, block, &merge->room, merge->block->text);
	return 0;
}

/* Copy a run of entries that lies in the decoded block. */
static int copy_run(struct merge *merge, uint32_t from, uint32_t n, uint32_t to)
{
	int r = 0;

	if (n > 0 && !is_plain(merge, to)) { /* the first may make it so */
		r = copy_one(merge, from, to);
		from++;
		to++;
		n--;
	}
	if (r == 0 && n > 0 && is_plain(merge, to))
		return copy_plain(merge, from, n);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = copy_one(merge, from + i, to + i);
	return r;
}

static int copy_selected(struct merge *merge, const struct selection *selection)
{
	uint32_t decoded = CHUNK_NONE, to = selection->base;

	for (uint32_t i = 0; i < selection->n; i++) {
		struct range range = selection->range[i];

		while (range.from < range.to) {
			uint32_t block = range.from / COLUMN_BLOCK;
			uint32_t n = COLUMN_BLOCK - range.from % COLUMN_BLOCK;
			int r = 0;

			if (n > range.to - range.from)
				n = range.to - range.from;
			if (block != decoded)
				r = decode(merge, block);
			decoded = block;
			if (r == 0)
				r = copy_run(merge, range.from % COLUMN_BLOCK, n, to);
			if (r)
				return r;
			range.from += n;
			to += n;
		}
	}
	return 0;
}

/* --- columns ------------------------------------------------------------------------------------- */

/* Begin to select the elements of a column's arrays. */
static void begin_elements(struct merge *merge)
{
	uint32_t elements = chunk_elements(merge->chunk, merge->index);

	merge->elements = nullptr;
	if (elements == CHUNK_NONE)
		return;
	merge->elements = &merge->selection[elements];
	merge->elements->base = field_at(&merge->builder->fields, merge->field[elements])->entries;
}

/* Make room in the elements' field for those that have been selected; their columns come later. */
static int end_elements(struct merge *merge)
{
	if (!merge->elements)
		return 0;
	uint32_t elements = chunk_elements(merge->chunk, merge->index);
	struct field *field = field_at(&merge->builder->fields, merge->field[elements]);

	if (merge->elements->total > CHUNK_ENTRIES_MAX - field->entries)
		return FIELDS_FULL;
	field->entries += merge->elements->total;
	return 0;
}

/* Whether entries were copied to a place that no object or array of the column above has. A chunk of these would not open. */
static bool is_stray(const struct merge *merge, uint32_t index)
{
	const struct chunk_column *column = chunk_column(merge->chunk, index);
	kind_set home = column->element ? 1u << KIND_ARRAY : 1u << KIND_OBJECT;

	return index > 0 && merge->copied[index] && !(merge->copied[column->parent] & home);
}

static int copy_column(struct merge *merge, uint32_t index)
{
	const struct selection *selection = &merge->selection[merge->domain[index]];
	uint32_t shapes;

	if (selection->n == 0)
		return 0;
	merge->index = index;
	(void)chunk_shapes(merge->chunk, index, &shapes);
	free(TAKE(merge->shape));
	merge->shape = malloc((shapes + 1ul) * sizeof(*merge->shape));
	if (!merge->shape)
		return -ENOMEM;
	memset(merge->shape, 0xff, (shapes + 1ul) * sizeof(*merge->shape));
	begin_elements(merge);
	int r = column_open(merge->chunk, index, LANES_VALUES, &merge->column);
	if (r == 0)
		r = copy_selected(merge, selection);
	if (r == 0)
		r = is_stray(merge, index) ? -EBADMSG : end_elements(merge);
	column_close(&merge->column);
	return r == CHUNK_DAMAGED || r == FIELDS_TWICE ? -EBADMSG : r;
}

static int merge_init(struct merge *merge, struct builder *builder, struct chunk *chunk)
{
	size_t n = chunk_columns(chunk);

	*merge = (struct merge) { .builder = builder, .chunk = chunk };
	merge->field = calloc(2 * n, sizeof(*merge->field));
	merge->selection = calloc(n, sizeof(*merge->selection));
	merge->copied = calloc(n, sizeof(*merge->copied));
	merge->block = malloc(sizeof(*merge->block));
	if (!merge->field || !merge->selection || !merge->copied || !merge->block)
		return -ENOMEM;
	merge->domain = merge->field + n;
	merge->selection[0].base = builder->rows;
	return 0;
}

static int add_all(struct merge *merge, const uint64_t *deleted, uint32_t from, uint32_t rows)
{
	struct builder *builder = merge->builder;
	struct selection *selected = &merge->selection[0];
	int r = select_rows(selected, deleted, from, from + rows);

	if (r)
		return r;
	if (selected->total > CHUNK_ROWS - builder->rows ||
	    (builder->rows > 0 &&
	     (builder->content > BUILDER_BYTES_MAX || builder->fields.size > BUILDER_BYTES_MAX)))
		return BUILDER_FULL;
	r = map_columns(merge);
	for (uint32_t i = 0; r == 0 && i < chunk_columns(merge->chunk); i++)
		r = copy_column(merge, i);
	return r;
}

int builder_add_chunk(struct builder *builder, struct chunk *chunk, const uint64_t *deleted,
		      uint32_t from, uint32_t rows)
{
	cleanup(merge_done) struct merge merge;
	uint32_t all = chunk_rows(chunk);

	from = from < all ? from : all;
	rows = rows < all - from ? rows : all - from;
	fields_begin(&builder->fields);
	int r = merge_init(&merge, builder, chunk);
	if (r == 0)
		r = add_all(&merge, deleted, from, rows);
	if (r) {
		fields_undo(&builder->fields);
		return r == FIELDS_FULL ? BUILDER_FULL : r;
	}
	uint32_t taken = merge.selection[0].total;
	builder->rows += taken;
	builder->content += chunk_size(chunk) * PACKED_SHARE / all * taken;
	return 0;
}
