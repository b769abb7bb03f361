/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * chunk-fixture: documents into chunks and back, for the tests of service/chunk.
 *
 * Layer: tests.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/document.h"
#include "service/value/value.h"
#include "service/value/value_json.h"

constexpr size_t FIXTURE_ROOM = 256u << 20;
constexpr uint64_t FIXTURE_NOW = 1'700'000'000'000'000;

/* Add a document's text; its _id is id if it has none. Returns as builder_add_json(), -1 if it is no JSON. */
static inline int add_text(struct builder *builder, const char *json, const char *id)
{
	yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	int r = doc ? builder_add_json(builder, yyjson_doc_get_root(doc), id, strlen(id),
				       FIXTURE_NOW)
		    : -1;

	yyjson_doc_free(doc);
	return r;
}

/* Pack a builder's documents and open them. Returns 0, an outcome of chunk_open(), or -errno. */
static inline int pack_chunk(struct builder *builder, struct chunk **ret)
{
	auto_buf struct buf out = buf_make(FIXTURE_ROOM);
	int r = builder_pack(builder, &out);

	if (r == 0)
		r = buf_error(&out);
	return r ? r : chunk_open(&out.data, out.len, ret);
}

/* One body in memory, in which blobs lie as a file has them: one extent. */
struct fixture_file {
	struct buf data, head;
};

static inline int fixture_add(void *userdata, const void *data, size_t len, struct blob *ret)
{
	struct fixture_file *file = userdata;

	*ret = (struct blob) {
		.page = 7, .pages = 1, .offset = (uint32_t)file->data.len, .len = (uint32_t)len
	};
	buf_add(&file->data, data, len);
	return buf_error(&file->data);
}

static inline int fixture_pin(void *userdata, const struct blob *blob, struct chunk_pinned *ret)
{
	const struct fixture_file *file = userdata;

	if (blob->page != 7 || blob->pages != 1 ||
	    (uint64_t)blob->offset + blob->len > file->data.len)
		return CHUNK_DAMAGED;
	*ret = (struct chunk_pinned) { .data = file->data.data + blob->offset };
	return 0;
}

static inline void fixture_unpin(void *userdata, void *pin)
{
	(void)userdata;
	(void)pin;
}

static inline void fixture_done(struct fixture_file *file)
{
	buf_done(&file->data);
	buf_done(&file->head);
}

/* Write a builder's documents as a file would have them, with the best encodings, and open them. */
static inline int write_chunk(struct builder *builder, struct fixture_file *file,
			      struct chunk **ret)
{
	struct chunk_sink sink = { .add = fixture_add, .userdata = file };
	struct chunk_body body = { .pin = fixture_pin, .unpin = fixture_unpin, .userdata = file };

	*file = (struct fixture_file) { buf_make(FIXTURE_ROOM), buf_make(FIXTURE_ROOM) };
	int r = builder_write(builder, STRINGS_BEST, &sink, &file->head);
	if (r == 0)
		r = buf_error(&file->head);
	return r ? r : chunk_open_body(file->head.data, file->head.len, &body, ret);
}

/* Whether a row is a document, as exact JSON. Says what it is if not. */
static inline bool row_is(struct document_reader *reader, uint32_t row, const char *want)
{
	auto_buf struct buf packed = buf_make(FIXTURE_ROOM), text = buf_make(FIXTURE_ROOM);
	struct value value;

	if (document_read(reader, 0, row, &packed) || buf_error(&packed) ||
	    !value_read(packed.data, packed.len, &value) || value.size != packed.len ||
	    value_to_json(&value, VALUE_JSON_EXACT, &text)) {
		printf("# row %u cannot be read\n", row);
		return false;
	}
	const char *got = buf_text(&text);
	if (got && strcmp(got, want) == 0)
		return true;
	printf("# row %u is %.2000s\n# want %.2000s\n", row, got ? got : "?", want);
	return false;
}

/* The exact JSON that a document's text must come back as. Returns whether it is one. */
static inline bool expect_text(const char *json, const char *id, struct buf *out)
{
	auto_buf struct buf packed = buf_make(FIXTURE_ROOM), whole = buf_make(FIXTURE_ROOM);
	yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	int r = doc ? value_from_json(yyjson_doc_get_root(doc), &packed) : -1;
	struct value object, key, member;

	yyjson_doc_free(doc);
	if (r || !value_open(packed.data, packed.len, &object))
		return false;
	value_put_object(&whole);
	value_put_key(&whole, "_id", 3);
	if (value_field(&object, "_id", 3, &member))
		buf_add(&whole, member.at, member.size);
	else
		value_put_string(&whole, id, strlen(id));
	value_put_key(&whole, "_event_time", 11);
	if (value_field(&object, "_event_time", 11, &member))
		value_put_moment(&whole, VALUE_TIMESTAMP, member.i);
	else
		value_put_moment(&whole, VALUE_TIMESTAMP, (int64_t)FIXTURE_NOW);
	struct value_iter iter = value_iterate(&object);
	while (value_next(&iter, &key, &member))
		if (!value_is_text(&key, "_id", 3) && !value_is_text(&key, "_event_time", 11) &&
		    !value_is_text(&key, "_meta", 5))
			buf_add(&whole, key.at, key.size + member.size);
	value_put_end(&whole);
	return value_open(whole.data, whole.len, &object) &&
	       value_to_json(&object, VALUE_JSON_EXACT, out) == 0 && buf_text(out);
}
