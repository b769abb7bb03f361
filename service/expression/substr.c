/* SPDX-License-Identifier: Apache-2.0 */
#include "service/expression/substr.h"

#include <stddef.h>
#include <stdint.h>

#include "service/expression/like.h"

constexpr int64_t FAR = INT64_C(1) << 40; /* beyond any text, and sums of it do not overflow */

static int64_t within(int64_t value)
{
	return value < -FAR ? -FAR : value > FAR ? FAR : value;
}

/* SQLite's rules: the first character that is meant, from 0, and how many. */
static void range_of(int64_t len, int64_t *from, int64_t *n)
{
	if (*from < 0) {
		*from += len;
		if (*from < 0) {
			*n = *n < 0 ? 0 : *n + *from;
			*from = 0;
		}
	} else if (*from > 0) {
		(*from)--;
	} else if (*n > 0) {
		(*n)--;
	}
	if (*n < 0) {
		*n = -*n;
		*from -= *n;
		if (*from < 0) {
			*n += *from;
			*from = 0;
		}
	}
}

struct str substr_of(struct str text, int64_t from, int64_t n)
{
	int64_t len = 0;

	for (uint32_t i = 0; i < text.len; i++)
		len += (text.at[i] & 0xc0) != 0x80;
	from = within(from);
	n = within(n);
	range_of(len, &from, &n);
	while (from > 0 && text.len > 0) {
		uint32_t step = like_step(text);

		text = (struct str) { text.at + step, text.len - step };
		from--;
	}
	struct str part = { text.at, 0 };
	while (n > 0 && part.len < text.len) {
		part.len += like_step((struct str) { text.at + part.len, text.len - part.len });
		n--;
	}
	return part;
}
