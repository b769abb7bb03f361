/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was decoded is encoded again: the same bytes. */
static void same(const struct buf *out, const uint8_t *data, size_t size)
{
	if (buf_error(out) || out->len != size || memcmp(out->data, data, size) != 0)
		abort();
}

/* Any bytes at all: refused, or a uuid, a purpose and lengths that are what they must be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */
	struct keys_request request;
	struct keys_answer answer;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (uint16_t type = KEY_CREATE; type <= KEY_ANSWER; type++) {
		auto_buf struct buf out = buf_make(KEYS_PAYLOAD_MAX);

		if (!keys_request_read(type, copy, size, &request))
			continue;
		if (!keys_is_uuid(request.uuid))
			abort();
		keys_request_write(&out, type, &request);
		same(&out, copy, size);
	}
	auto_buf struct buf out = buf_make(KEYS_PAYLOAD_MAX);
	if (keys_answer_read(copy, size, &answer)) {
		keys_answer_write(&out, &answer);
		same(&out, copy, size);
	}
	return 0;
}
