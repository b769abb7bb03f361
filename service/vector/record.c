/* SPDX-License-Identifier: Apache-2.0 */
#include "service/vector/record.h"

#include <stddef.h>
#include <stdint.h>

uint8_t *record_put(uint8_t *at, const struct cell *cell)
{
	*at++ = cell->kind == KIND_MISSING ? KIND_NULL : cell->kind;
	if (cell->kind == KIND_FLOAT) {
		memcpy(at, &cell->f, sizeof(cell->f));
		return at + sizeof(cell->f);
	}
	if (KINDS_INTS >> cell->kind & 1) {
		memcpy(at, &cell->i, sizeof(cell->i));
		return at + sizeof(cell->i);
	}
	if (cell->kind < KIND_FLOAT)
		return at;
	memcpy(at, &cell->s.len, sizeof(cell->s.len));
	at += sizeof(cell->s.len);
	if (cell->s.len > 0)
		memcpy(at, cell->s.at, cell->s.len);
	return at + cell->s.len;
}

const uint8_t *record_get(const uint8_t *at, struct cell *ret)
{
	*ret = (struct cell) { .kind = (enum kind) * at++ };
	if (ret->kind == KIND_FLOAT) {
		memcpy(&ret->f, at, sizeof(ret->f));
		return at + sizeof(ret->f);
	}
	if (KINDS_INTS >> ret->kind & 1) {
		memcpy(&ret->i, at, sizeof(ret->i));
		return at + sizeof(ret->i);
	}
	if (ret->kind < KIND_FLOAT)
		return at;
	memcpy(&ret->s.len, at, sizeof(ret->s.len));
	at += sizeof(ret->s.len);
	ret->s.at = (const char *)at;
	return at + ret->s.len;
}

/* Keys begin at multiples of 8 bytes and are filled up with zeros to such. */
static bool same_words(const uint8_t *x, const uint8_t *y, uint32_t len)
{
	for (uint32_t i = 0; i < len; i += 8) {
		uint64_t a, b;

		memcpy(&a, x + i, sizeof(a));
		memcpy(&b, y + i, sizeof(b));
		if (a != b)
			return false;
	}
	return true;
}

bool record_same(const struct record *a, const struct record *b, uint32_t n)
{
	const uint8_t *x = record_key(a), *y = record_key(b);

	if (a->key_len == b->key_len && same_words(x, y, a->key_len))
		return true;
	for (uint32_t i = 0; i < n; i++) {
		struct cell p, q;

		x = record_get(x, &p);
		y = record_get(y, &q);
		if (cell_compare(&p, &q) != 0)
			return false;
	}
	return true;
}
