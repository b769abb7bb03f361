/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/hash.h"
#include "service/column/strings_internal.h"
#include "service/column/strings_symbols.h"

constexpr uint32_t RESTART =
	16; /* every so many entries one shares nothing, so that single ones can be read */

/* Turn sorted strings into what each has of its own. shared[i] is how much it takes from the one before. */
static void cut_shared(struct str *string, uint32_t n, int64_t *shared)
{
	struct str last = {};

	for (uint32_t i = 0; i < n; i++) {
		struct str now = string[i];
		uint32_t len = i % RESTART == 0 ? 0 : strings_shared(last, now);

		shared[i] = len;
		string[i] = (struct str) { now.at + len, now.len - len };
		last = now;
	}
}

/* The entries, behind their count. */
static int write_entries(struct buf *out, struct distinct *distinct)
{
	auto_free int64_t *shared = malloc(((size_t)distinct->n + 1) * sizeof(*shared));
	int r;

	if (!shared)
		return -ENOMEM;
	write_u64(out, distinct->bytes);
	write_u64(out, 0); /* the key, when it is known */
	size_t start = out->len;
	cut_shared(distinct->string, distinct->n, shared);
	size_t part = spans_part_begin(out);
	ints_write(out, shared, distinct->n);
	spans_part_end(out, part);
	r = suffixes_write(out, distinct->string, distinct->n);
	if (r < 0 || buf_error(out))
		return r;
	uint64_t key = hash_stable(out->data + start, out->len - start);
	memcpy(out->data + start - sizeof(key), &key, sizeof(key));
	return 0;
}

int dictionary_write(struct buf *out, struct distinct *distinct, uint32_t rows)
{
	auto_free uint32_t *rank = malloc(((size_t)distinct->n + 1) * sizeof(*rank));
	auto_free int64_t *code = malloc(((size_t)rows + 1) * sizeof(*code));
	int r;

	if (!rank || !code)
		return -ENOMEM;
	r = distinct_sort(distinct->string, distinct->n, rank);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < rows; i++)
		code[i] = rank[distinct->code[i]];
	write_u8(out, STRINGS_DICTIONARY);
	write_u32(out, distinct->n);
	r = write_entries(out, distinct);
	if (r < 0)
		return r;
	ints_write(out, code, rows);
	return 0;
}

bool dictionary_open(struct reader *in, struct strings *ret)
{
	ret->distinct = read_u32(in);
	ret->entries_size = read_u64(in);
	ret->key = read_u64(in);
	if (in->failed || ret->distinct > STRINGS_DICTIONARY_MAX ||
	    (ret->distinct == 0 && ret->n > 0) || !part_ints(in, ret->distinct, &ret->length) ||
	    ret->length.min < 0 || ret->length.max > UINT32_MAX || !suffixes_open(in, ret))
		return false;
	return ints_open(in->data + in->pos, in->len - in->pos, ret->n, &ret->code) &&
	       ret->code.min >= 0 && ret->code.max < ret->distinct;
}

/* Bytes that entries are decoded into, up to end; STRINGS_SLACK follow. */
struct place {
	char *at, *end;
};

/*
 * Decode an entry behind the last one, which is whole.
 *
 * Returns whether it is well-formed and there is room; *last is then the new one.
 */
static bool decode_entry(const struct strings *strings, const struct symbols *symbols,
			 uint32_t shared, struct str suffix, struct place *to, struct str *last)
{
	auto left = (size_t)(to->end - to->at);
	size_t len;

	if (shared > last->len || shared > left)
		return false;
	copy_wide(to->at, last->at, shared, STRINGS_SLACK);
	len = suffix_decode(strings, symbols, suffix, to->at + shared, left - shared);
	if (len > left - shared)
		return false;
	*last = (struct str) { to->at, shared + (uint32_t)len };
	to->at += last->len;
	return true;
}

static int load_block(const struct strings *strings, const struct symbols *symbols,
		      struct strings_room *room, uint32_t block, struct place *to, struct str *last)
{
	uint32_t from = block * COLUMN_BLOCK, n = spans_in_block(strings->distinct, block);
	int64_t *shared = room->number, *own = room->number + COLUMN_BLOCK;
	const uint8_t *at;
	size_t total;
	int r = spans_block(&strings->spans, block, own, &at, &total);

	if (r < 0)
		return r;
	ints_read(&strings->length, block, shared);
	for (uint32_t i = 0; i < n; i++) {
		struct str suffix = { (const char *)at, (uint32_t)own[i] };

		if (!decode_entry(strings, symbols, (uint32_t)shared[i], suffix, to, last))
			return -EBADMSG;
		room->entry[from + i] = *last;
		at += own[i];
	}
	return 0;
}

int dictionary_load(const struct strings *strings, struct strings_room *room)
{
	struct str last = {};
	struct symbols symbols;
	int r;

	if (room->entry && room->key == strings->key && room->n == strings->distinct)
		return 0;
	r = room_scratch(room);
	if (r < 0)
		return r;
	r = room_keep(room, strings->distinct, strings->entries_size);
	if (r < 0)
		return r;
	suffix_table(strings, &symbols);
	struct place to = { room->entry_data, room->entry_data + strings->entries_size };
	for (uint32_t b = 0; b < column_blocks(strings->distinct); b++) {
		r = load_block(strings, &symbols, room, b, &to, &last);
		if (r < 0)
			return r;
	}
	room->key = strings->key;
	room->n = strings->distinct;
	return 0;
}

int dictionary_get(const struct strings *strings, uint32_t entry, struct strings_room *room,
		   struct str *ret)
{
	uint32_t from = entry / RESTART * RESTART;
	struct str suffix, last = {};
	size_t used = 0;
	struct symbols symbols;
	int r = room_scratch(room);

	if (r < 0)
		return r;
	suffix_table(strings, &symbols);
	for (uint32_t i = from; i <= entry; i++) {
		r = spans_get(&strings->spans, i, room->number, &suffix);
		if (r < 0)
			return r;
		auto shared = (uint32_t)ints_get(&strings->length, i);
		size_t most = (size_t)shared + suffix_most(&symbols, suffix);
		size_t last_at = used - last.len;
		r = room_take(room, used + most);
		if (r < 0)
			return r;
		last.at = room->data + last_at;
		struct place to = { room->data + used, room->data + used + most };
		if (!decode_entry(strings, &symbols, shared, suffix, &to, &last))
			return -EBADMSG;
		used += last.len;
	}
	*ret = last;
	return 0;
}
