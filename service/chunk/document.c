/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/document.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/buf.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/chunk/head.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"
#include "service/value/value.h"

constexpr size_t BLOCKS_MAX = 64u << 20; /* bytes of decoded blocks that one reader keeps */

/* A decoded block of a column. */
struct block {
	struct str text[COLUMN_BLOCK];
	int64_t number[COLUMN_BLOCK];
	double real[COLUMN_BLOCK];
	uint32_t end[COLUMN_BLOCK + 1];
	uint8_t kind[COLUMN_BLOCK];
};

/*
 * A column that is open. The first entry of a block is looked up by itself; the second makes the whole block be decoded,
 * since whoever reads two neighbours reads more.
 */
struct open_column {
	struct column column;
	uint32_t last;	/* block of the last entry read */
	uint32_t which; /* block that is decoded, or CHUNK_NONE */
	struct block *block;
	struct strings_room room;
};

/* One open array or object. */
struct level {
	uint32_t column;		 /* of the elements; of an object its own */
	uint32_t at, end;		 /* elements to come; of an object members of its shape */
	uint32_t entry;			 /* of an object */
	const struct chunk_shape *shape; /* nullptr of an array */
};

struct document_reader {
	struct chunk *chunk;
	struct open_column **column; /* [columns], each nullptr until it is needed */
	size_t blocks;		     /* bytes */
	struct page_count pages;
	struct strings_room room;
	struct level level[HEAD_DEPTH_MAX + 2]; /* each is a column below the one before */
	uint32_t depth;
};

/* An entry as it was read. */
struct entry {
	enum kind kind;
	int64_t number;
	double real;
	struct str text;
	uint32_t from, to;
};

int document_reader_new(struct chunk *chunk, struct document_reader **ret)
{
	struct document_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->chunk = chunk;
	reader->column = calloc(chunk_columns(chunk), sizeof(struct open_column *));
	if (!reader->column) {
		free(reader);
		return -ENOMEM;
	}
	*ret = reader;
	return 0;
}

struct document_reader *document_reader_free(struct document_reader *reader)
{
	if (!reader)
		return nullptr;
	for (uint32_t i = 0; i < chunk_columns(reader->chunk); i++) {
		struct open_column *open = reader->column[i];

		if (!open)
			continue;
		column_close(&open->column);
		strings_room_done(&open->room);
		free(open->block);
		free(open);
	}
	strings_room_done(&reader->room);
	free(reader->column);
	free(reader);
	return nullptr;
}

struct page_count document_reader_pages(const struct document_reader *reader)
{
	return reader->pages;
}

/* A column's state, opened if it has not been. */
static int open_column(struct document_reader *reader, uint32_t index, struct open_column **ret)
{
	if (!reader->column[index]) {
		struct open_column *open = calloc(1, sizeof(*open));

		if (!open)
			return -ENOMEM;
		open->last = open->which = CHUNK_NONE;
		int r = column_open(reader->chunk, index, LANES_VALUES, &open->column);
		if (r) {
			free(open);
			return r;
		}
		reader->column[index] = open;
		reader->pages.read += open->column.pages.read;
		reader->pages.missed += open->column.pages.missed;
	}
	*ret = reader->column[index];
	return 0;
}

/* --- entries ------------------------------------------------------------------------------------- */

/* Decode a block of a column, unless too many are kept already. */
static int decode(struct document_reader *reader, struct open_column *open, uint32_t block)
{
	const struct column *column = &open->column;
	int r = 0;

	if (!open->block) {
		if (reader->blocks >= BLOCKS_MAX)
			return 0;
		open->block = malloc(sizeof(*open->block));
		if (!open->block)
			return -ENOMEM;
		reader->blocks += sizeof(*open->block);
	}
	open->which = CHUNK_NONE;
	column_kinds(column, block, open->block->kind);
	if (column->lanes & 1u << LANE_FLOATS)
		column_floats(column, block, open->block->real);
	if (column->lanes & 1u << LANE_ENDS)
		column_ends(column, block, open->block->end);
	if (column->lanes & 1u << LANE_STRINGS)
		r = column_strings(column, block, &open->room, open->block->text);
	column_ints(column, block, open->block->number); /* of objects without the lane: zeros */
	if (r == 0)
		open->which = block;
	return r;
}

static void from_block(const struct open_column *open, uint32_t i, struct entry *ret)
{
	const struct block *block = open->block;
	kind_set kind = (kind_set)(1u << block->kind[i]);

	*ret = (struct entry) { .kind = (enum kind)block->kind[i] };
	if (kind & (KINDS_INTS | 1u << KIND_OBJECT)) {
		ret->number = block->number[i];
	} else if (kind & KINDS_TEXTS && open->column.lanes & 1u << LANE_STRINGS) {
		ret->text = block->text[i];
	} else if (kind & 1u << KIND_FLOAT && open->column.lanes & 1u << LANE_FLOATS) {
		ret->real = block->real[i];
	} else if (kind & 1u << KIND_ARRAY && open->column.lanes & 1u << LANE_ENDS) {
		ret->from = block->end[i];
		ret->to = block->end[i + 1];
	}
}

static int from_column(struct document_reader *reader, const struct column *column, uint32_t entry,
		       struct entry *ret)
{
	*ret = (struct entry) { .kind = column_kind(column, entry) };
	kind_set kind = (kind_set)(1u << ret->kind);

	if (kind & (KINDS_INTS | 1u << KIND_OBJECT))
		ret->number = column_int(column, entry);
	else if (kind & KINDS_TEXTS)
		return column_string(column, entry, &reader->room, &ret->text);
	else if (kind & 1u << KIND_FLOAT)
		ret->real = column_float(column, entry);
	else if (kind & 1u << KIND_ARRAY)
		column_bounds(column, entry, &ret->from, &ret->to);
	return 0;
}

static int read_entry(struct document_reader *reader, uint32_t column, uint32_t entry,
		      struct entry *ret)
{
	uint32_t block = entry / COLUMN_BLOCK;
	struct open_column *open;
	int r = open_column(reader, column, &open);

	if (r == 0 && open->which != block && open->last == block)
		r = decode(reader, open, block);
	if (r)
		return r;
	open->last = block;
	if (open->which == block) {
		from_block(open, entry % COLUMN_BLOCK, ret);
		return 0;
	}
	return from_column(reader, &open->column, entry, ret);
}

/* --- values -------------------------------------------------------------------------------------- */

static int open_object(struct document_reader *reader, uint32_t column, uint32_t entry,
		       int64_t number, struct buf *out)
{
	uint32_t n;
	const struct chunk_shape *shapes = chunk_shapes(reader->chunk, column, &n);

	if (number < 0 || number >= n)
		return CHUNK_DAMAGED;
	value_put_object(out);
	reader->level[reader->depth++] = (struct level) {
		.column = column, .end = shapes[number].n, .entry = entry, .shape = &shapes[number]
	};
	return 0;
}

static void open_array(struct document_reader *reader, uint32_t column, const struct entry *entry,
		       struct buf *out)
{
	value_put_array(out);
	reader->level[reader->depth++] =
		(struct level) { .column = entry->from < entry->to
						   ? chunk_elements(reader->chunk, column)
						   : CHUNK_NONE,
				 .at = entry->from,
				 .end = entry->to };
}

static_assert(KIND_MONTHS - KIND_DATE == VALUE_MONTHS - VALUE_DATE);

/* Append an entry; an array or object is opened. */
static int put(struct document_reader *reader, uint32_t column, uint32_t index, struct buf *out)
{
	struct entry entry;
	int r = read_entry(reader, column, index, &entry);

	if (r)
		return r;
	switch (entry.kind) {
	case KIND_FALSE:
	case KIND_TRUE:
		value_put_bool(out, entry.kind == KIND_TRUE);
		return 0;
	case KIND_INT:
		value_put_int(out, entry.number);
		return 0;
	case KIND_FLOAT:
		value_put_float(out, entry.real);
		return 0;
	case KIND_STRING:
		value_put_string(out, entry.text.at, entry.text.len);
		return 0;
	case KIND_BYTES:
		value_put_bytes(out, entry.text.at, entry.text.len);
		return 0;
	case KIND_DATE:
	case KIND_DATETIME:
	case KIND_TIME:
	case KIND_TIMESTAMP:
	case KIND_INTERVAL:
	case KIND_MONTHS:
		value_put_moment(out, (enum value_tag)(VALUE_DATE + (entry.kind - KIND_DATE)),
				 entry.number);
		return 0;
	case KIND_ARRAY:
		open_array(reader, column, &entry, out);
		return 0;
	case KIND_OBJECT:
		return open_object(reader, column, index, entry.number, out);
	case KIND_MISSING:
	case KIND_NULL:
	case KIND_COUNT:
		break;
	}
	value_put_null(out);
	return 0;
}

int document_read(struct document_reader *reader, uint32_t column, uint32_t entry, struct buf *out)
{
	reader->depth = 0;
	int r = put(reader, column, entry, out);

	while (r == 0 && reader->depth > 0 && buf_error(out) == 0) {
		struct level *level = &reader->level[reader->depth - 1];

		if (level->at == level->end) {
			value_put_end(out);
			reader->depth--;
		} else if (level->shape) {
			uint32_t member = level->shape->column[level->at++];
			const struct str *key = &chunk_column(reader->chunk, member)->key;

			value_put_key(out, key->at, key->len);
			r = put(reader, member, level->entry, out);
		} else if (level->column != CHUNK_NONE) {
			r = put(reader, level->column, level->at++, out);
		} else {
			r = CHUNK_DAMAGED;
		}
	}
	return r;
}
