/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/builder.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder_internal.h"
#include "service/chunk/chunk.h"
#include "service/chunk/fields.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/value/civil.h"

constexpr size_t NUMBER_SIZE = 10; /* of most packed numbers */

/* Make the fields that all documents have. */
static int make_fixed(struct builder *builder)
{
	uint32_t index;
	int r = fields_member(&builder->fields, FIELD_DOCUMENT, "_id", 3, &index);

	return r ? r : fields_member(&builder->fields, FIELD_DOCUMENT, "_event_time", 11, &index);
}

int builder_new(struct builder **ret)
{
	cleanup(builder_free_at) struct builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return -ENOMEM;
	builder->scratch = buf_make(BUILDER_DOCUMENT_MAX);
	builder->encoded = buf_make(UINT32_MAX);
	builder->small = buf_make(UINT32_MAX);
	int r = fields_init(&builder->fields);
	if (r == 0)
		r = make_fixed(builder);
	if (r)
		return r;
	*ret = TAKE(builder);
	return 0;
}

void builder_clear(struct builder *builder)
{
	fields_clear(&builder->fields, FIELDS_FIXED);
	builder->rows = 0;
	builder->content = 0;
}

struct builder *builder_free(struct builder *builder)
{
	if (!builder)
		return nullptr;
	fields_done(&builder->fields);
	free(builder->members.data);
	buf_done(&builder->scratch);
	buf_done(&builder->encoded);
	buf_done(&builder->small);
	free(builder->source.data);
	free(builder->ints.data);
	free(builder->floats.data);
	free(builder->texts.data);
	free(builder->about.data);
	free(builder);
	return nullptr;
}

uint32_t builder_rows(const struct builder *builder)
{
	return builder->rows;
}

struct str builder_id(const struct builder *builder, uint32_t row)
{
	return ((const struct str *)field_at(&builder->fields, FIELD_ID)->texts.data)[row];
}

size_t builder_size(const struct builder *builder)
{
	return builder->fields.size;
}

void *room_get(struct room *room, size_t size)
{
	if (size <= room->size && room->data)
		return room->data;
	void *data = malloc(size + size / 4 + 64);
	if (!data)
		return nullptr;
	free(room->data);
	room->data = data;
	room->size = size + size / 4 + 64;
	return data;
}

/* --- a document's walk --------------------------------------------------------------------------- */

int walk_begin(struct walk *walk, struct builder *builder)
{
	static const uint32_t FIRST[] = { FIELD_ID, FIELD_EVENT_TIME };

	walk->builder = builder;
	walk->depth = 0;
	walk->size = 0;
	walk->has_id = walk->has_event_time = false;
	fields_begin(&builder->fields);
	if (builder->rows == CHUNK_ROWS || builder->content > BUILDER_BYTES_MAX ||
	    builder->fields.size > BUILDER_BYTES_MAX)
		return BUILDER_FULL;
	builder->members.n = 0;
	int r = walk_open(walk, FIELD_DOCUMENT, builder->rows, true);
	if (r == 0)
		r = fields_grow(&builder->fields, &builder->members, countof(FIRST),
				sizeof(uint32_t));
	if (r)
		return r;
	memcpy(builder->members.data, FIRST, sizeof(FIRST));
	builder->members.n = countof(FIRST);
	return 0;
}

/* What a limit that the document has hit means for it. */
static int outcome(const struct builder *builder, int r)
{
	if (r == FIELDS_FULL)
		return builder->rows > 0 ? BUILDER_FULL : BUILDER_TOO_LARGE;
	return r;
}

int walk_end(struct walk *walk, int r, const char *id, size_t id_len, int64_t now_us)
{
	struct builder *builder = walk->builder;

	if (r == 0 && !walk->has_id)
		r = id ? walk_id(walk, id, id_len) : BUILDER_BAD_ID;
	if (r == 0 && !walk->has_event_time)
		r = id ? walk_event_time(walk, now_us) : BUILDER_BAD_EVENT_TIME;
	if (r == 0)
		r = walk_close(walk);
	if (r == 0 && walk->size > BUILDER_DOCUMENT_MAX)
		r = BUILDER_TOO_LARGE;
	if (r) {
		fields_undo(&builder->fields);
		return outcome(builder, r);
	}
	builder->rows++;
	builder->content += walk->size;
	return 0;
}

int walk_open(struct walk *walk, uint32_t field, uint32_t entry, bool is_object)
{
	struct fields *fields = &walk->builder->fields;
	int r;

	if (walk->depth == BUILDER_DEPTH_MAX)
		return BUILDER_TOO_DEEP;
	if (is_object)
		r = fields_put_int(fields, field, entry, KIND_OBJECT, 0);
	else
		r = fields_put_array(fields, field, entry);
	if (r)
		return r;
	const struct field *of = field_at(fields, field);
	walk->level[walk->depth++] = (struct walk_level) {
		.field = field,
		.entry = entry,
		.slot = (is_object ? of->ints.n : of->ends.n) - 1,
		.expect = of->first,
		.last = CHUNK_NONE,
		.from = walk->builder->members.n,
		.is_object = is_object,
	};
	walk->size += 2;
	return 0;
}

int walk_close(struct walk *walk)
{
	struct fields *fields = &walk->builder->fields;
	struct lane *members = &walk->builder->members;
	const struct walk_level *level = &walk->level[--walk->depth];
	struct field *field = field_at(fields, level->field);
	uint32_t shape;

	if (!level->is_object) {
		((uint32_t *)field->ends.data)[level->slot] =
			field->elements == CHUNK_NONE ? 0
						      : field_at(fields, field->elements)->entries;
		return 0;
	}
	int r = fields_shape(fields, level->field, (const uint32_t *)members->data + level->from,
			     members->n - level->from, &shape);
	if (r)
		return r;
	((int64_t *)field->ints.data)[level->slot] = shape;
	members->n = level->from;
	return 0;
}

static inline bool is_named(const struct fields *fields, uint32_t index, const char *key,
			    size_t len)
{
	const struct field *field = field_at(fields, index);

	return field->key_len == len && memcmp(field->key, key, len) == 0;
}

/* Look for a member that is not where the last document had it, and expect it there from now on. */
static int find_member(struct walk *walk, struct walk_level *level, const char *key, size_t len,
		       uint32_t *ret)
{
	struct fields *fields = &walk->builder->fields;
	int r;

	if (walk->depth == 1 && len == 5 && memcmp(key, "_meta", 5) == 0) {
		*ret = CHUNK_NONE;
		return 0;
	}
	r = fields_member(fields, level->field, key, len, ret);
	if (r)
		return r;
	if (field_at(fields, *ret)->reserved)
		return WALK_SPECIAL;
	uint32_t from = level->last == CHUNK_NONE ? level->field : level->last;
	r = fields_mark(fields, from);
	if (r)
		return r;
	struct field *before = field_at(fields, from);
	*(level->last == CHUNK_NONE ? &before->first : &before->next) = *ret;
	return 0;
}

int walk_member(struct walk *walk, const char *key, size_t len, uint32_t *ret)
{
	struct fields *fields = &walk->builder->fields;
	struct lane *members = &walk->builder->members;
	struct walk_level *level = &walk->level[walk->depth - 1];
	uint32_t found = level->expect;
	int r = 0;

	walk->size += len + 2;
	if (found != CHUNK_NONE && !is_named(fields, found, key, len)) {
		found = field_at(fields, found)->next; /* one that is not in every object */
		if (found != CHUNK_NONE && !is_named(fields, found, key, len))
			found = CHUNK_NONE;
	}
	if (found == CHUNK_NONE) {
		r = find_member(walk, level, key, len, &found);
		if (found == CHUNK_NONE || (r && r != WALK_SPECIAL)) {
			*ret = CHUNK_NONE;
			return r;
		}
	}
	*ret = found;
	level->last = found;
	level->expect = field_at(fields, found)->next;
	if (found == FIELD_ID || found == FIELD_EVENT_TIME)
		return r;
	if (members->n == members->room) {
		int grown = fields_grow(fields, members, 1, sizeof(uint32_t));

		if (grown)
			return grown;
	}
	((uint32_t *)members->data)[members->n++] = found;
	return r;
}

int walk_element(struct walk *walk, uint32_t *ret_field, uint32_t *ret_entry)
{
	struct fields *fields = &walk->builder->fields;
	const struct walk_level *level = &walk->level[walk->depth - 1];
	uint32_t index = field_at(fields, level->field)->elements;
	int r = 0;

	if (index == CHUNK_NONE)
		r = fields_elements(fields, level->field, &index);
	if (r == 0)
		r = fields_mark(fields, index);
	if (r)
		return r;
	struct field *field = field_at(fields, index);
	if (field->entries >= CHUNK_ENTRIES_MAX)
		return FIELDS_FULL;
	*ret_field = index;
	*ret_entry = field->entries++;
	return 0;
}

int walk_id(struct walk *walk, const char *text, size_t len)
{
	if (len == 0 || len > BUILDER_ID_MAX)
		return BUILDER_BAD_ID;
	walk->has_id = true;
	walk->size += len + 2;
	return fields_put_text(&walk->builder->fields, FIELD_ID, walk->builder->rows, KIND_STRING,
			       text, len);
}

int walk_event_time(struct walk *walk, int64_t us)
{
	if (!civil_in_range(us))
		return BUILDER_BAD_EVENT_TIME;
	walk->has_event_time = true;
	walk->size += NUMBER_SIZE;
	return fields_put_int(&walk->builder->fields, FIELD_EVENT_TIME, walk->builder->rows,
			      KIND_TIMESTAMP, us);
}

int walk_event_int(struct walk *walk, int64_t us)
{
	constexpr int64_t FIRST = 631152000; /* 1990-01-01, in seconds */
	constexpr int64_t END = 4102444800;  /* 2100-01-01 */

	if (us >= FIRST && us < END)
		return BUILDER_EVENT_SECONDS;
	if (us >= FIRST * 1000 && us < END * 1000)
		return BUILDER_EVENT_MILLIS;
	return walk_event_time(walk, us);
}
