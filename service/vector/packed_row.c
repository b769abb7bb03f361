/* SPDX-License-Identifier: Apache-2.0 */
#include "service/vector/packed_row.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static bool has_word(enum kind kind)
{
	return kind == KIND_FLOAT || KINDS_INTS >> kind & 1;
}

void packed_row_put(struct buf *out, const struct slim *slim)
{
	uint8_t head[1 + 8] = { slim->kind };

	if (has_word(slim->kind)) {
		memcpy(head + 1, &slim->bits, sizeof(slim->bits));
		buf_add(out, head, 1 + sizeof(slim->bits));
	} else if (slim_has_string(slim)) {
		memcpy(head + 1, &slim->len, sizeof(slim->len));
		buf_add(out, head, 1 + sizeof(slim->len));
		buf_add(out, (const void *)(uintptr_t)slim->bits, slim->len);
	} else {
		buf_add(out, head, 1);
	}
}

bool packed_row_get(const uint8_t *data, size_t len, struct slim *ret, uint32_t n)
{
	const uint8_t *end = data + len;

	for (uint32_t i = 0; i < n; i++) {
		if (data == end || *data >= KIND_COUNT)
			return false;
		struct slim slim = { .kind = (enum kind) * data++ };
		if (has_word(slim.kind)) {
			if ((size_t)(end - data) < sizeof(slim.bits))
				return false;
			memcpy(&slim.bits, data, sizeof(slim.bits));
			data += sizeof(slim.bits);
		} else if (slim_has_string(&slim)) {
			if ((size_t)(end - data) < sizeof(slim.len))
				return false;
			memcpy(&slim.len, data, sizeof(slim.len));
			data += sizeof(slim.len);
			if ((size_t)(end - data) < slim.len)
				return false;
			slim.bits = (uint64_t)(uintptr_t)data;
			data += slim.len;
		}
		ret[i] = slim;
	}
	return data == end;
}
