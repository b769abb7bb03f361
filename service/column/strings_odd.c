/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "service/column/kernel.h"
#include "service/column/strings_internal.h"

int odd_add(struct odd *odd, uint32_t row)
{
	if (odd->n == odd->room) {
		uint32_t room = odd->room ? 2 * odd->room : 64;
		uint32_t *more = realloc(odd->row, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		odd->row = more;
		odd->room = room;
	}
	odd->row[odd->n++] = row;
	return 0;
}

void odd_done(struct odd *odd)
{
	free(odd->row);
	*odd = (struct odd) {};
}

int odd_write(struct buf *out, const struct odd *odd, const struct str *value)
{
	auto_free struct str *string = malloc((odd->n + 1) * sizeof(*string));
	int r;

	if (!string)
		return -ENOMEM;
	write_u32(out, odd->n);
	if (odd->n == 0)
		return 0;
	buf_add(out, odd->row, odd->n * sizeof(*odd->row));
	for (uint32_t i = 0; i < odd->n; i++)
		string[i] = value[odd->row[i]];
	size_t part = spans_part_begin(out);
	r = spans_write(out, string, odd->n);
	spans_part_end(out, part);
	return r;
}

bool odd_open(struct reader *in, struct strings *ret)
{
	uint32_t n = read_u32(in);

	if (in->failed || n > ret->n || (in->len - in->pos) / sizeof(n) < n)
		return false;
	if (n == 0)
		return true;
	ret->rows = in->data + in->pos;
	in->pos += n * sizeof(n);
	return part_spans(in, n, &ret->odd);
}

static uint32_t row_of(const struct strings *strings, uint32_t k)
{
	return kernel_load32(strings->rows + (size_t)k * sizeof(uint32_t));
}

/* The first odd string whose row is at least that, or how many there are. */
static uint32_t odd_from(const struct strings *strings, uint32_t row)
{
	uint32_t low = 0, high = strings->odd.n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (row_of(strings, middle) < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int odd_read(const struct strings *strings, uint32_t block, int64_t length[COLUMN_BLOCK],
	     struct str out[COLUMN_BLOCK])
{
	uint32_t from = block * COLUMN_BLOCK, n = spans_in_block(strings->n, block);

	for (uint32_t k = odd_from(strings, from); k < strings->odd.n; k++) {
		uint32_t at = row_of(strings, k) - from;

		if (at >= n)
			break;
		int r = spans_get(&strings->odd, k, length, &out[at]);
		if (r < 0)
			return r;
	}
	return 0;
}

int odd_get(const struct strings *strings, uint32_t row, int64_t length[COLUMN_BLOCK],
	    struct str *ret)
{
	uint32_t k = odd_from(strings, row);

	if (k == strings->odd.n || row_of(strings, k) != row)
		return 1;
	return spans_get(&strings->odd, k, length, ret);
}
