/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/spans.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/kernel.h"

size_t spans_part_begin(struct buf *out)
{
	write_u32(out, 0);
	return out->len;
}

void spans_part_end(struct buf *out, size_t begin)
{
	size_t len = out->len - begin;

	if (buf_error(out))
		return;
	if (len > UINT32_MAX) {
		out->error = -EMSGSIZE;
		return;
	}
	auto len32 = (uint32_t)len;
	memcpy(out->data + begin - sizeof(len32), &len32, sizeof(len32));
}

int spans_write(struct buf *out, const struct str *value, uint32_t n)
{
	uint32_t blocks = column_blocks(n);
	auto_free int64_t *number = malloc(((size_t)n + blocks + 1) * sizeof(*number));
	size_t total = 0;

	if (!number)
		return -ENOMEM;
	int64_t *start = number + n;
	for (uint32_t i = 0; i < n; i++) {
		if (i % COLUMN_BLOCK == 0)
			start[i / COLUMN_BLOCK] = (int64_t)total;
		number[i] = value[i].len;
		total += value[i].len;
	}
	size_t part = spans_part_begin(out);
	ints_write(out, number, n);
	spans_part_end(out, part);
	if (blocks > 1) {
		part = spans_part_begin(out);
		ints_write(out, start, blocks);
		spans_part_end(out, part);
	}
	uint8_t *to = buf_reserve(out, total);
	if (!to)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		if (value[i].len > 0)
			memcpy(to, value[i].at, value[i].len);
		to += value[i].len;
	}
	out->len += total;
	return 0;
}

bool spans_open(const uint8_t *data, size_t len, uint32_t n, struct spans *ret)
{
	struct reader in = reader_make(data, len);
	struct spans spans = { .n = n };
	struct bytes part = read_bytes(&in, len);

	if (in.failed || !ints_open(part.data, part.len, n, &spans.length))
		return false;
	if (spans.length.min < 0 || spans.length.max > UINT32_MAX)
		return false;
	if (n > COLUMN_BLOCK) {
		part = read_bytes(&in, len);
		if (in.failed || !ints_open(part.data, part.len, column_blocks(n), &spans.start) ||
		    spans.start.min < 0)
			return false;
	}
	spans.bytes = data + in.pos;
	spans.len = len - in.pos;
	*ret = spans;
	return true;
}

static size_t start_of(const struct spans *spans, uint32_t block)
{
	return spans->n > COLUMN_BLOCK ? (size_t)ints_get(&spans->start, block) : 0;
}

KERNEL static size_t sum(const int64_t *number, uint32_t n)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += (uint64_t)number[i];
	return total;
}

int spans_block(const struct spans *spans, uint32_t block, int64_t length[COLUMN_BLOCK],
		const uint8_t **ret_at, size_t *ret_total)
{
	size_t start = start_of(spans, block);

	ints_read(&spans->length, block, length);
	/* At most 1024 numbers below 2^32: cannot wrap. */
	size_t total = sum(length, spans_in_block(spans->n, block));
	if (start > spans->len || total > spans->len - start)
		return -EBADMSG;
	*ret_at = spans->bytes + start;
	*ret_total = total;
	return 0;
}

int spans_get(const struct spans *spans, uint32_t i, int64_t length[COLUMN_BLOCK], struct str *ret)
{
	size_t start = start_of(spans, i / COLUMN_BLOCK), before;
	auto len = (uint32_t)ints_get(&spans->length, i);

	if (spans->length.constant) {
		before = (size_t)(i % COLUMN_BLOCK) * len;
	} else {
		ints_read(&spans->length, i / COLUMN_BLOCK, length);
		before = sum(length, i % COLUMN_BLOCK);
	}
	if (start > spans->len || before > spans->len - start || len > spans->len - start - before)
		return -EBADMSG;
	*ret = (struct str) { (const char *)spans->bytes + start + before, len };
	return 0;
}
