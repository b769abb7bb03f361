/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/strings_internal.h"

int suffixes_write(struct buf *out, const struct str *suffix, uint32_t n)
{
	write_u8(out, 0);
	size_t part = spans_part_begin(out);
	int r = spans_write(out, suffix, n);

	spans_part_end(out, part);
	return r;
}

bool suffixes_open(struct reader *in, struct strings *ret)
{
	return read_u8(in) == 0 && part_spans(in, ret->distinct, &ret->spans);
}

size_t suffix_decode(const struct strings *strings, struct str suffix, char *to, size_t room)
{
	const char *end = (const char *)strings->spans.bytes + strings->spans.len;

	if (suffix.len <= room)
		copy_wide(to, suffix.at, suffix.len, (size_t)(end - suffix.at) - suffix.len);
	return suffix.len;
}

size_t suffix_most(const struct strings *strings, struct str suffix)
{
	(void)strings;
	return suffix.len;
}
