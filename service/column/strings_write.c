/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "service/column/strings.h"
#include "service/column/strings_internal.h"

static int write_plain(struct buf *out, const struct str *value, uint32_t n)
{
	write_u8(out, STRINGS_PLAIN);
	return spans_write(out, value, n);
}

int strings_write(struct buf *out, const struct str *value, uint32_t n, enum strings_effort effort)
{
	cleanup(distinct_done) struct distinct distinct = {};
	int r;

	if (effort == STRINGS_FAST || n == 0)
		return write_plain(out, value, n);
	r = distinct_find(value, n, &distinct);
	if (r < 0)
		return r;
	if (r == 0 && distinct.n <= n / 2 && distinct.bytes <= STRINGS_ROOM_MAX)
		return dictionary_write(out, &distinct, n);
	return write_plain(out, value, n);
}
