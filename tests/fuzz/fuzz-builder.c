/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/document.h"
#include "service/value/value.h"
#include "service/value/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr size_t ROOM = 16u << 20;

/* Whether a member is one that the builder sees to itself. */
static bool is_special(const struct value *key)
{
	return value_is_text(key, "_id", 3) || value_is_text(key, "_event_time", 11) ||
	       value_is_text(key, "_meta", 5);
}

/* The bytes that a packed object's other members have. */
static void others(const struct value *object, struct buf *out)
{
	struct value_iter iter = value_iterate(object);
	struct value key, value;

	while (value_next(&iter, &key, &value))
		if (!is_special(&key))
			buf_add(out, key.at, key.size + value.size);
}

/* Compare a row with the packed form of the JSON that it came from. */
static void check_row(struct document_reader *reader, uint32_t row, yyjson_val *json)
{
	auto_buf struct buf packed = buf_make(ROOM), read = buf_make(ROOM);
	auto_buf struct buf want = buf_make(ROOM), got = buf_make(ROOM);
	struct value document, object;

	if (value_from_json(json, &packed) || !value_open(packed.data, packed.len, &document) ||
	    document_read(reader, 0, row, &read) || !value_read(read.data, read.len, &object) ||
	    object.size != read.len)
		abort();
	others(&document, &want);
	others(&object, &got);
	if (want.len != got.len || (want.len > 0 && memcmp(want.data, got.data, want.len) != 0))
		abort();
}

/* Add all the documents of an array; returns which of them were, as bits. */
static uint64_t add_all(struct builder *builder, yyjson_val *array)
{
	uint64_t added = 0;
	size_t i, n;
	yyjson_val *json;

	yyjson_arr_foreach(array, i, n, json)
	{
		uint32_t rows = builder_rows(builder);
		bool ok = i < 64 && builder_add_json(builder, json, "id", 2, 5) == 0;

		if (builder_rows(builder) != rows + ok)
			abort();
		added |= (uint64_t)ok << i % 64;
	}
	return added;
}

static void check_all(struct chunk *chunk, yyjson_val *array, uint64_t added)
{
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	uint32_t row = 0;
	size_t i, n;
	yyjson_val *json;

	if (document_reader_new(chunk, &reader))
		return;
	yyjson_arr_foreach(array, i, n, json) if (i < 64 && added >> i & 1)
		check_row(reader, row++, json);
	if (row != chunk_rows(chunk))
		abort();
}

/* JSON text, an array of documents: what is taken in comes back as value_from_json() has it, also by way of another chunk. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	cleanup(builder_free_at) struct builder *other = nullptr;
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(chunk_unref_at) struct chunk *again = nullptr;
	auto_buf struct buf first = buf_make(ROOM), second = buf_make(ROOM);
	yyjson_doc *doc = yyjson_read((const char *)data, size, YYJSON_READ_NOFLAG);

	if (!doc || builder_new(&builder) || builder_new(&other)) {
		yyjson_doc_free(doc);
		return 0;
	}
	uint64_t added = add_all(builder, yyjson_doc_get_root(doc));
	if (added) {
		if (builder_pack(builder, &first) || chunk_open(&first.data, first.len, &chunk) ||
		    builder_add_chunk(other, chunk, nullptr, 0, CHUNK_ROWS) ||
		    builder_pack(other, &second) || chunk_open(&second.data, second.len, &again))
			abort();
		check_all(chunk, yyjson_doc_get_root(doc), added);
		check_all(again, yyjson_doc_get_root(doc), added);
	}
	yyjson_doc_free(doc);
	return 0;
}
