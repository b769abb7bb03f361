/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * builder_internal: what the builder's files share.
 *
 * Layer 3 (service/chunk), for builder*.c only. A document is walked from its root without recursion: whoever reads it
 * (JSON, packed values) opens objects and arrays, names members, puts values, and closes.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/fields.h"

/* Fields that every builder has. */
enum : uint32_t {
	FIELD_DOCUMENT,
	FIELD_ID,
	FIELD_EVENT_TIME,
	FIELDS_FIXED,
};

/* Room that is used again from column to column. */
struct room {
	void *data;
	size_t size;
};

struct builder {
	struct fields fields;
	struct lane members; /* uint32_t: the fields of the members of all open objects */
	uint32_t rows;
	size_t content;	    /* of all documents, as packed values, roughly */
	struct buf scratch; /* a packed value */
	struct room source, ints, floats, texts, about;
	struct buf encoded, small; /* of writing */
};

/* One open object or array. */
struct walk_level {
	uint32_t field, entry; /* what it is */
	uint32_t slot;	       /* in the field's ints (the shape) or ends */
	uint32_t expect, last; /* of an object: the next member's likely field, the last one's */
	uint32_t from;	       /* of an object: its first member in builder->members */
	bool is_object;
};

struct walk {
	struct builder *builder;
	struct walk_level level[BUILDER_DEPTH_MAX];
	unsigned int depth;
	size_t size; /* so far, as a packed value, roughly */
	bool has_id, has_event_time;
};

/* Internal outcome: a member's name says that JSON means another thing than it seems; see it as a packed value. */
constexpr int WALK_SPECIAL = 110;

/* Begin a document at the end of the builder. Returns 0, BUILDER_FULL or -ENOMEM. */
[[nodiscard]] int walk_begin(struct walk *walk, struct builder *builder);

/*
 * Finish it: the members that it lacks, its row.
 *
 * r   what the walk has come to; not 0 undoes everything
 * id  [id_len] its _id if it has none; nullptr is none
 *
 * Returns r, with internal outcomes turned into those of builder.h, FIELDS_TWICE and WALK_SPECIAL left alone.
 */
[[nodiscard]] int walk_end(struct walk *walk, int r, const char *id, size_t id_len, int64_t now_us);

/* Open the object or array that is an entry of a field. Returns 0, BUILDER_TOO_DEEP, FIELDS_TWICE or -ENOMEM. */
[[nodiscard]] int walk_open(struct walk *walk, uint32_t field, uint32_t entry, bool is_object);

/* Close the innermost. Returns 0 or -ENOMEM. */
[[nodiscard]] int walk_close(struct walk *walk);

/*
 * Name the next member of the innermost object.
 *
 * Returns 0, FIELDS_FULL, WALK_SPECIAL (reserved for typed objects; *ret is set) or -ENOMEM.
 * *ret is CHUNK_NONE if the member is to be left out; FIELD_ID and FIELD_EVENT_TIME go to walk_id(), walk_event_time().
 */
[[nodiscard]] int walk_member(struct walk *walk, const char *key, size_t len, uint32_t *ret);

/* The field and entry of the next element of the innermost array. Returns 0, FIELDS_FULL or -ENOMEM. */
[[nodiscard]] int walk_element(struct walk *walk, uint32_t *ret_field, uint32_t *ret_entry);

/* Put the _id. Returns 0, BUILDER_BAD_ID, FIELDS_TWICE or -ENOMEM. */
[[nodiscard]] int walk_id(struct walk *walk, const char *text, size_t len);

/* Put the _event_time. Returns 0, BUILDER_BAD_EVENT_TIME, FIELDS_TWICE or -ENOMEM. */
[[nodiscard]] int walk_event_time(struct walk *walk, int64_t us);

/*
 * Put the _event_time that is a bare number: microseconds. What is likely to be seconds or milliseconds is refused, for the document
 * would be of 1970, and retention would delete it. Returns as walk_event_time(), or BUILDER_EVENT_SECONDS or BUILDER_EVENT_MILLIS.
 */
[[nodiscard]] int walk_event_int(struct walk *walk, int64_t us);

/* Put the _event_time that is a value. Returns as walk_event_time(). */
[[nodiscard]] int walk_event_value(struct walk *walk, const struct value *value);

/* Put a packed value that is no array or object. Returns 0, BUILDER_BAD_TYPE, FIELDS_TWICE or -ENOMEM. */
[[nodiscard]] int walk_scalar(struct walk *walk, uint32_t field, uint32_t entry,
			      const struct value *value);

/* Make room of at least size bytes; its contents are lost. Returns it, or nullptr. */
[[nodiscard]] void *room_get(struct room *room, size_t size);

/* Add a document that is a packed object, as builder_add_json() does. */
[[nodiscard]] int builder_add_packed(struct builder *builder, const struct value *document,
				     const char *id, size_t id_len, int64_t now_us);
