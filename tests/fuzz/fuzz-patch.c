/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/buf.h"
#include "service/value/patch.h"
#include "service/value/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char DOCUMENT[] =
	"{\"_id\":\"1\",\"_event_time\":5,\"n\":1,\"f\":1.5,\"s\":\"x\",\"a\":[1,2,[3]],\"o\":{\"k\":{\"l\":true}},\"\":0}";

/* Any bytes as a patch: what comes out is a whole document. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf room = buf_make(1u << 20), out = buf_make(16u << 20);
	struct value value, again;
	size_t index;
	yyjson_doc *old = yyjson_read(DOCUMENT, strlen(DOCUMENT), YYJSON_READ_NOFLAG);
	yyjson_doc *patch = yyjson_read((const char *)data, size, YYJSON_READ_NOFLAG);

	if (patch && value_from_json(yyjson_doc_get_root(old), &room) == 0 &&
	    value_open(room.data, room.len, &value) &&
	    patch_apply(yyjson_doc_get_root(patch), &value, &out, &index) == 0 &&
	    (!value_read(out.data, out.len, &again) || again.size != out.len))
		abort();
	yyjson_doc_free(patch);
	yyjson_doc_free(old);
	return 0;
}
