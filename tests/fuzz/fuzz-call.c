/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/clock.h"
#include "common/proto/operations.h"
#include "service/engine/call.h"
#include "tests/unit/engine-fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fixture f;
static struct grant grant = { .person = "ann", .email = "ann@example.org" };

static void end(void)
{
	fixture_done(&f);
}

/* The first byte is the operation, the rest its body: the answer is JSON with a known status, whatever it says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!f.store) {
		if (!fixture_init(&f) || fixture_collection(&f, "c"))
			abort();
		(void)atexit(end);
	}
	if (size == 0)
		return 0;
	auto_free char *body = malloc(size);
	if (!body)
		return 0;
	memcpy(body, data + 1, size - 1);
	struct call call = { .store = f.store,
			     .session = f.session,
			     .builder = f.builder,
			     .grant = &grant,
			     .op = data[0] % OP_COUNT,
			     .workspace = "commons",
			     .collection = data[0] & 0x80 ? "nope" : "c",
			     .request_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
			     .body = body,
			     .body_len = size - 1,
			     .started_us = clock_mono_us(),
			     .answer_max = RESULT_BODY_MAX,
			     .out = buf_make(64u << 20),
			     .detail = buf_make(8192) };

	if (call.op == OP_COLLECTION_DELETE)
		return 0; /* the rest needs it */
	builder_clear(f.builder);
	call_run(&call);
	yyjson_doc *doc =
		yyjson_read((const char *)call.out.data, call.out.len, YYJSON_READ_NOFLAG);
	if (!doc || call.http_status < 200 || call.http_status > 503 || call.http_status == 500)
		abort();
	yyjson_doc_free(doc);
	buf_done(&call.out);
	buf_done(&call.detail);
	return 0;
}
