/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <yyjson.h>

#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/builder_internal.h"
#include "service/chunk/chunk.h"
#include "service/chunk/fields.h"
#include "service/column/kind.h"
#include "service/value/value.h"
#include "service/value/value_json.h"

/* Where an open object or array is being read. */
struct place {
	yyjson_val *at; /* the next member's name or the next element */
	size_t left;	/* members or elements */
};

struct json_walk {
	struct walk walk;
	struct place place[BUILDER_DEPTH_MAX];
};

/* What went wrong in value_from_json(), in our words. */
static int json_outcome(int r)
{
	if (r == -EMSGSIZE)
		return BUILDER_TOO_LARGE;
	if (r == VALUE_JSON_TOO_DEEP)
		return BUILDER_TOO_DEEP;
	return r == VALUE_JSON_BAD_TYPE ? BUILDER_BAD_TYPE : r;
}

/* See JSON as a packed value, which borrows the builder's scratch. */
static int pack(struct builder *builder, yyjson_val *json, struct value *ret)
{
	buf_clear(&builder->scratch);
	int r = json_outcome(value_from_json(json, &builder->scratch));

	if (r == 0 && !value_open(builder->scratch.data, builder->scratch.len, ret))
		return BUILDER_BAD_TYPE;
	return r;
}

/* Whether an object says its type. Usually its first member does; where another does, WALK_SPECIAL comes up later. */
static bool is_typed(yyjson_val *object)
{
	yyjson_val *key =
		unsafe_yyjson_get_len(object) > 0 ? unsafe_yyjson_get_first(object) : nullptr;

	return key && unsafe_yyjson_equals_strn(key, "__rockset_type", 14);
}

static int put_string(struct walk *walk, uint32_t field, uint32_t entry, yyjson_val *json)
{
	size_t len = unsafe_yyjson_get_len(json);

	walk->size += len + 2;
	return fields_put_text(&walk->builder->fields, field, entry, KIND_STRING,
			       unsafe_yyjson_get_str(json), len);
}

static int put_number(struct walk *walk, uint32_t field, uint32_t entry, yyjson_val *json)
{
	struct fields *fields = &walk->builder->fields;

	walk->size += 10;
	if (yyjson_is_real(json))
		return fields_put_float(fields, field, entry, unsafe_yyjson_get_real(json));
	if (yyjson_is_uint(json) && unsafe_yyjson_get_uint(json) > INT64_MAX)
		return fields_put_float(fields, field, entry, (double)unsafe_yyjson_get_uint(json));
	return fields_put_int(fields, field, entry, KIND_INT, unsafe_yyjson_get_sint(json));
}

static int put_container(struct json_walk *json_walk, uint32_t field, uint32_t entry,
			 yyjson_val *json)
{
	struct walk *walk = &json_walk->walk;
	bool is_object = yyjson_is_obj(json);

	if (is_object && is_typed(json)) {
		struct value value;
		int r = pack(walk->builder, json, &value);

		return r ? r : walk_scalar(walk, field, entry, &value);
	}
	int r = walk_open(walk, field, entry, is_object);
	if (r == 0)
		json_walk->place[walk->depth - 1] =
			(struct place) { .at = unsafe_yyjson_get_first(json),
					 .left = unsafe_yyjson_get_len(json) };
	return r;
}

static int put(struct json_walk *json_walk, uint32_t field, uint32_t entry, yyjson_val *json)
{
	struct walk *walk = &json_walk->walk;

	switch (unsafe_yyjson_get_type(json)) {
	case YYJSON_TYPE_STR:
		return put_string(walk, field, entry, json);
	case YYJSON_TYPE_NUM:
		return put_number(walk, field, entry, json);
	case YYJSON_TYPE_OBJ:
	case YYJSON_TYPE_ARR:
		return put_container(json_walk, field, entry, json);
	case YYJSON_TYPE_BOOL:
		walk->size++;
		return fields_put(&walk->builder->fields, field, entry,
				  unsafe_yyjson_get_bool(json) ? KIND_TRUE : KIND_FALSE);
	default:
		walk->size++;
		return fields_put(&walk->builder->fields, field, entry, KIND_NULL);
	}
}

static int put_event_time(struct walk *walk, yyjson_val *json)
{
	struct value value;

	if (yyjson_is_int(json) &&
	    !(yyjson_is_uint(json) && unsafe_yyjson_get_uint(json) > INT64_MAX))
		return walk_event_int(walk, unsafe_yyjson_get_sint(json));
	int r = pack(walk->builder, json, &value);
	return r ? r : walk_event_value(walk, &value);
}

static int put_id(struct walk *walk, yyjson_val *json)
{
	if (!yyjson_is_str(json))
		return BUILDER_BAD_ID;
	return walk_id(walk, unsafe_yyjson_get_str(json), unsafe_yyjson_get_len(json));
}

static int put_member(struct json_walk *json_walk, yyjson_val *key)
{
	struct walk *walk = &json_walk->walk;
	yyjson_val *value = key + 1;
	uint32_t field = CHUNK_NONE, entry = walk->level[walk->depth - 1].entry;
	int r = walk_member(walk, unsafe_yyjson_get_str(key), unsafe_yyjson_get_len(key), &field);

	if (r || field == CHUNK_NONE)
		return r;
	if (field == FIELD_ID)
		return put_id(walk, value);
	if (field == FIELD_EVENT_TIME)
		return put_event_time(walk, value);
	return put(json_walk, field, entry, value);
}

/* Walk all that is below the document, which has been opened. */
static int walk_all(struct json_walk *json_walk)
{
	struct walk *walk = &json_walk->walk;
	int r = 0;

	while (r == 0) {
		struct place *place = &json_walk->place[walk->depth - 1];
		yyjson_val *at = place->at;

		if (place->left == 0) {
			if (walk->depth == 1)
				return 0;
			r = walk_close(walk);
			continue;
		}
		place->left--;
		if (walk->level[walk->depth - 1].is_object) {
			place->at = unsafe_yyjson_get_next(at + 1);
			r = put_member(json_walk, at);
		} else {
			uint32_t field, entry;

			place->at = unsafe_yyjson_get_next(at);
			r = walk_element(walk, &field, &entry);
			if (r == 0)
				r = put(json_walk, field, entry, at);
		}
	}
	return r;
}

/* The thorough way: names that come twice, objects that say their type at a strange place. */
static int add_thoroughly(struct builder *builder, yyjson_val *json, const char *id, size_t id_len,
			  int64_t now_us)
{
	struct value document;
	int r = pack(builder, json, &document);

	return r ? r : builder_add_packed(builder, &document, id, id_len, now_us);
}

int builder_add_json(struct builder *builder, yyjson_val *json, const char *id, size_t id_len,
		     uint64_t now_us)
{
	struct json_walk json_walk;

	if (!yyjson_is_obj(json))
		return BUILDER_NOT_OBJECT;
	if (is_typed(json))
		return add_thoroughly(builder, json, id, id_len, (int64_t)now_us);
	int r = walk_begin(&json_walk.walk, builder);
	if (r == 0) {
		json_walk.place[0] = (struct place) { .at = unsafe_yyjson_get_first(json),
						      .left = unsafe_yyjson_get_len(json) };
		r = walk_all(&json_walk);
	}
	r = walk_end(&json_walk.walk, r, id ? id : "", id_len, (int64_t)now_us);
	if (r == FIELDS_TWICE || r == WALK_SPECIAL)
		return add_thoroughly(builder, json, id, id_len, (int64_t)now_us);
	return r;
}
