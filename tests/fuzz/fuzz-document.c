/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/buf.h"
#include "service/value/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is packed is written as JSON that packs to the same bytes. */
static void round_trip(const uint8_t *packed, size_t len)
{
	auto_buf struct buf text = buf_make(16u << 20), again = buf_make(16u << 20);
	struct value value;

	if (!value_read(packed, len, &value) || value.size != len ||
	    value_to_json(&value, VALUE_JSON_EXACT, &text))
		abort();
	yyjson_doc *doc = yyjson_read((const char *)text.data, text.len, YYJSON_READ_NOFLAG);
	if (!doc || value_from_json(yyjson_doc_get_root(doc), &again) || again.len != len ||
	    memcmp(again.data, packed, len) != 0)
		abort();
	yyjson_doc_free(doc);
}

/* Any bytes as a document's JSON, and as packed bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf room = buf_make(16u << 20), text = buf_make(16u << 20);
	struct value value;
	yyjson_doc *doc = yyjson_read((const char *)data, size, YYJSON_READ_NOFLAG);

	if (doc && value_from_json(yyjson_doc_get_root(doc), &room) == 0)
		round_trip(room.data, room.len);
	yyjson_doc_free(doc);

	auto_free uint8_t *copy = malloc(size + !size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (value_open(copy, size, &value) || value_read(copy, size, &value))
		(void)!value_to_json(&value, VALUE_JSON_RESULT, &text);
	return 0;
}
