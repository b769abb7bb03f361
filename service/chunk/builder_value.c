/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/builder_internal.h"
#include "service/chunk/chunk.h"
#include "service/chunk/fields.h"
#include "service/column/kind.h"
#include "service/value/civil.h"
#include "service/value/value.h"

struct value_walk {
	struct walk walk;
	struct value_iter iter[BUILDER_DEPTH_MAX];
	struct buf text; /* of a name or string, without escapes */
};

/* The kind of a value whose content is an int64. */
static enum kind moment_kind(enum value_tag tag)
{
	return (enum kind)(KIND_DATE + (tag - VALUE_DATE));
}

static_assert(KIND_MONTHS - KIND_DATE == VALUE_MONTHS - VALUE_DATE);

static int put_text(struct walk *walk, uint32_t field, uint32_t entry, const struct value *value)
{
	enum kind kind = value->tag == VALUE_STRING ? KIND_STRING : KIND_BYTES;
	struct fields *fields = &walk->builder->fields;

	walk->size += value->size;
	if (!value->escaped)
		return fields_put_text(fields, field, entry, kind, (const char *)value->data,
				       value->len);

	auto_buf struct buf plain = buf_make(value->len);
	value_text(value, &plain);
	if (buf_error(&plain))
		return buf_error(&plain);
	return fields_put_text(fields, field, entry, kind, (const char *)plain.data, plain.len);
}

int walk_scalar(struct walk *walk, uint32_t field, uint32_t entry, const struct value *value)
{
	struct fields *fields = &walk->builder->fields;

	switch (value->tag) {
	case VALUE_STRING:
	case VALUE_BYTES:
		return put_text(walk, field, entry, value);
	case VALUE_NUMBER:
		walk->size += value->size;
		return value->is_int ? fields_put_int(fields, field, entry, KIND_INT, value->i)
				     : fields_put_float(fields, field, entry, value->f);
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_TIME:
	case VALUE_TIMESTAMP:
	case VALUE_INTERVAL:
	case VALUE_MONTHS:
		walk->size += value->size;
		return fields_put_int(fields, field, entry, moment_kind(value->tag), value->i);
	case VALUE_FALSE:
	case VALUE_TRUE:
		walk->size++;
		return fields_put(fields, field, entry,
				  value->tag == VALUE_TRUE ? KIND_TRUE : KIND_FALSE);
	case VALUE_NULL:
		walk->size++;
		return fields_put(fields, field, entry, KIND_NULL);
	case VALUE_END:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		break;
	}
	return BUILDER_BAD_TYPE;
}

int walk_event_value(struct walk *walk, const struct value *value)
{
	bool has_zone = false;
	int64_t us;

	if (value->tag == VALUE_NUMBER && value->is_int)
		return walk_event_int(walk, value->i);
	if (value->tag == VALUE_TIMESTAMP)
		us = value->i;
	else if (value->tag != VALUE_STRING || value->escaped ||
		 !civil_parse((const char *)value->data, value->len, &us, nullptr, &has_zone) ||
		 !has_zone)
		return BUILDER_BAD_EVENT_TIME;
	return walk_event_time(walk, us);
}

/* A string without its escapes, in room if it has any. */
static int plain_text(const struct value *value, struct buf *room, const char **ret,
		      size_t *ret_len)
{
	*ret = (const char *)value->data;
	*ret_len = value->len;
	if (!value->escaped)
		return 0;
	buf_clear(room);
	value_text(value, room);
	*ret = (const char *)room->data;
	*ret_len = room->len;
	return buf_error(room);
}

static int put(struct value_walk *value_walk, uint32_t field, uint32_t entry,
	       const struct value *value)
{
	struct walk *walk = &value_walk->walk;
	bool is_object = value->tag == VALUE_OBJECT;

	if (!is_object && value->tag != VALUE_ARRAY)
		return walk_scalar(walk, field, entry, value);
	int r = walk_open(walk, field, entry, is_object);
	if (r == 0)
		value_walk->iter[walk->depth - 1] = value_iterate(value);
	return r;
}

static int put_id(struct value_walk *value_walk, const struct value *value)
{
	const char *text;
	size_t len;

	if (value->tag != VALUE_STRING)
		return BUILDER_BAD_ID;
	int r = plain_text(value, &value_walk->text, &text, &len);
	return r ? r : walk_id(&value_walk->walk, text, len);
}

static int put_member(struct value_walk *value_walk, const struct value *key,
		      const struct value *value)
{
	struct walk *walk = &value_walk->walk;
	uint32_t field = CHUNK_NONE, entry = walk->level[walk->depth - 1].entry;
	const char *name;
	size_t len;
	int r = plain_text(key, &value_walk->text, &name, &len);

	if (r == 0)
		r = walk_member(walk, name, len, &field);
	if (r == WALK_SPECIAL)
		r = 0; /* no matter here: a packed value's types are not in its names */
	if (r || field == CHUNK_NONE)
		return r;
	if (field == FIELD_ID)
		return put_id(value_walk, value);
	if (field == FIELD_EVENT_TIME)
		return walk_event_value(walk, value);
	return put(value_walk, field, entry, value);
}

/* Walk all that is below the document, which has been opened. */
static int walk_all(struct value_walk *value_walk)
{
	struct walk *walk = &value_walk->walk;
	int r = 0;

	while (r == 0) {
		struct value_iter *iter = &value_walk->iter[walk->depth - 1];
		struct value key, value;
		uint32_t field, entry;

		if (!value_next(iter, &key, &value)) {
			if (iter->len > 0)
				return BUILDER_BAD_TYPE;
			if (walk->depth == 1)
				return 0;
			r = walk_close(walk);
		} else if (iter->object) {
			r = put_member(value_walk, &key, &value);
		} else {
			r = walk_element(walk, &field, &entry);
			if (r == 0)
				r = put(value_walk, field, entry, &value);
		}
	}
	return r;
}

int builder_add_packed(struct builder *builder, const struct value *document, const char *id,
		       size_t id_len, int64_t now_us)
{
	struct value_walk value_walk = { .text = buf_make(BUILDER_DOCUMENT_MAX) };

	if (document->tag != VALUE_OBJECT)
		return BUILDER_NOT_OBJECT;
	int r = walk_begin(&value_walk.walk, builder);
	if (r == 0) {
		value_walk.iter[0] = value_iterate(document);
		r = walk_all(&value_walk);
	}
	r = walk_end(&value_walk.walk, r, id, id_len, now_us);
	buf_done(&value_walk.text);
	return r == FIELDS_TWICE ? BUILDER_BAD_TYPE : r;
}

int builder_add_value(struct builder *builder, const struct value *document)
{
	return builder_add_packed(builder, document, nullptr, 0, 0);
}
