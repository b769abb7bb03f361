/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/strings.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/find.h"
#include "service/column/kernel.h"
#include "service/column/strings_forms.h"
#include "service/column/strings_internal.h"
#include "service/column/strings_symbols.h"
#include "service/column/strings_words.h"

void strings_room_done(struct strings_room *room)
{
	free(room->data);
	free(room->number);
	free(room->str);
	free(room->entry);
	free(room->entry_data);
	free(room->code);
	*room = (struct strings_room) {};
}

int room_take(struct strings_room *room, size_t size)
{
	if (size > STRINGS_ROOM_MAX)
		return -EBADMSG;
	if (room->data && size <= room->size)
		return 0;
	char *data = realloc(room->data, size + STRINGS_SLACK);
	if (!data)
		return -ENOMEM;
	room->data = data;
	room->size = size;
	return 0;
}

int room_scratch(struct strings_room *room)
{
	if (!room->number)
		room->number = malloc(2 * (size_t)COLUMN_BLOCK * sizeof(*room->number));
	if (!room->str)
		room->str = malloc(COLUMN_BLOCK * sizeof(*room->str));
	return room->number && room->str ? 0 : -ENOMEM;
}

int room_keep(struct strings_room *room, uint32_t n, size_t size)
{
	if (size > STRINGS_ROOM_MAX)
		return -EBADMSG;
	free(room->entry);
	free(room->entry_data);
	room->n = 0;
	room->key = 0;
	room->entry_data = malloc(size + STRINGS_SLACK);
	room->entry = malloc(((size_t)n + 1) * sizeof(*room->entry));
	if (room->entry_data && room->entry)
		return 0;
	free(room->entry);
	room->entry = nullptr;
	return -ENOMEM;
}

bool part_ints(struct reader *in, uint32_t n, struct ints *ret)
{
	struct bytes part = read_bytes(in, in->len);

	return !in->failed && ints_open(part.data, part.len, n, ret);
}

bool part_spans(struct reader *in, uint32_t n, struct spans *ret)
{
	struct bytes part = read_bytes(in, in->len);

	return !in->failed && spans_open(part.data, part.len, n, ret);
}

bool strings_open(const uint8_t *data, size_t len, uint32_t n, struct strings *ret)
{
	struct reader in = reader_make(data, len);
	struct strings strings = { .n = n };
	uint8_t encoding = read_u8(&in);
	bool fine = false;

	if (in.failed || encoding >= STRINGS_ENCODING_COUNT)
		return false;
	strings.encoding = encoding;
	switch (strings.encoding) {
	case STRINGS_PLAIN:
		fine = spans_open(data + 1, len - 1, n, &strings.spans);
		break;
	case STRINGS_DICTIONARY:
		fine = dictionary_open(&in, &strings);
		break;
	case STRINGS_HEX:
		fine = hex_open(&in, &strings);
		break;
	case STRINGS_WORDS:
		fine = words_open(&in, &strings);
		break;
	case STRINGS_TIME:
		fine = time_open(&in, &strings);
		break;
	case STRINGS_SYMBOLS:
		fine = symbols_column_open(&in, &strings);
		break;
	case STRINGS_ENCODING_COUNT:
		break;
	}
	if (fine)
		*ret = strings;
	return fine;
}

static int read_plain(const struct strings *strings, uint32_t block, struct strings_room *room,
		      struct str *out)
{
	const uint8_t *at;
	size_t total;
	int r = spans_block(&strings->spans, block, room->number, &at, &total);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < spans_in_block(strings->n, block); i++) {
		out[i] = (struct str) { (const char *)at, (uint32_t)room->number[i] };
		at += room->number[i];
	}
	return 0;
}

static int read_dictionary(const struct strings *strings, uint32_t block, struct strings_room *room,
			   struct str *out)
{
	uint16_t code[COLUMN_BLOCK];
	int r = dictionary_load(strings, room);

	if (r < 0)
		return r;
	ints_read16(&strings->code, block, code);
	for (uint32_t i = 0; i < spans_in_block(strings->n, block); i++)
		out[i] = room->entry[code[i]];
	return 0;
}

static int read_block(const struct strings *strings, uint32_t block, struct strings_room *room,
		      struct str *out)
{
	int r = room_scratch(room);

	if (r < 0)
		return r;
	switch (strings->encoding) {
	case STRINGS_PLAIN:
		return read_plain(strings, block, room, out);
	case STRINGS_DICTIONARY:
		return read_dictionary(strings, block, room, out);
	case STRINGS_HEX:
		return hex_read(strings, block, room, out);
	case STRINGS_WORDS:
		return words_read(strings, block, room, out);
	case STRINGS_TIME:
		return time_read(strings, block, room, out);
	case STRINGS_SYMBOLS:
		return symbols_column_read(strings, block, room, out);
	case STRINGS_ENCODING_COUNT:
		break;
	}
	return -EBADMSG;
}

int strings_read(const struct strings *strings, uint32_t block, struct strings_room *room,
		 struct str out[COLUMN_BLOCK])
{
	uint32_t n = spans_in_block(strings->n, block);
	int r = read_block(strings, block, room, out);

	if (r < 0)
		return r;
	for (uint32_t i = n; i < COLUMN_BLOCK; i++)
		out[i] = (struct str) { "", 0 };
	return 0;
}

int strings_get(const struct strings *strings, uint32_t i, struct strings_room *room,
		struct str *ret)
{
	int r = room_scratch(room);

	if (r < 0)
		return r;
	switch (strings->encoding) {
	case STRINGS_PLAIN:
		return spans_get(&strings->spans, i, room->number, ret);
	case STRINGS_DICTIONARY:
		return dictionary_get(strings, (uint32_t)ints_get(&strings->code, i), room, ret);
	case STRINGS_HEX:
		return hex_get(strings, i, room, ret);
	case STRINGS_WORDS:
		return words_get(strings, i, room, ret);
	case STRINGS_TIME:
		return time_get(strings, i, room, ret);
	case STRINGS_SYMBOLS:
		return symbols_column_get(strings, i, room, ret);
	case STRINGS_ENCODING_COUNT:
		break;
	}
	return -EBADMSG;
}

int strings_entries(const struct strings *strings, struct strings_room *room, struct str *out)
{
	int r = dictionary_load(strings, room);

	if (r < 0)
		return r;
	memcpy(out, room->entry, strings->distinct * sizeof(*out));
	return 0;
}

void strings_codes(const struct strings *strings, uint32_t block, uint16_t out[COLUMN_BLOCK])
{
	ints_read16(&strings->code, block, out);
}

void strings_times(const struct strings *strings, uint32_t block, int64_t out[COLUMN_BLOCK])
{
	ints_read(&strings->number, block, out);
}

int strings_contains(const struct strings *strings, uint32_t block, struct strings_room *room,
		     const char *needle, size_t len, uint8_t match[COLUMN_BLOCK])
{
	int r = room_scratch(room);

	if (r < 0)
		return r;
	if (strings->encoding == STRINGS_WORDS) {
		r = words_contains(strings, block, room, needle, len, match);
		if (r != 1)
			return r;
	}
	r = read_block(strings, block, room, room->str);
	if (r < 0)
		return r;
	memset(match, 0, COLUMN_BLOCK);
	find_mark(room->str, spans_in_block(strings->n, block), needle, len, match);
	return 0;
}

bool strings_find(const char *hay, size_t hay_len, const char *needle, size_t len)
{
	return find_next(hay, hay_len, 0, needle, len) != FIND_NONE;
}
