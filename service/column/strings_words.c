/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/strings_words.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/find.h"
#include "service/column/kernel.h"

bool words_open(struct reader *in, struct strings *ret)
{
	ret->separator = read_u8(in);
	ret->words = read_u32(in);
	ret->vocabulary = read_u32(in);
	ret->key = read_u64(in);
	if (in->failed || ret->vocabulary > STRINGS_DICTIONARY_MAX ||
	    !part_spans(in, ret->vocabulary, &ret->spans) || !part_ints(in, ret->n, &ret->length) ||
	    (ret->n > 0 && ret->length.min < 1) || ret->length.max > UINT32_MAX)
		return false;
	if (ret->n > COLUMN_BLOCK &&
	    (!part_ints(in, column_blocks(ret->n), &ret->start) || ret->start.min < 0))
		return false;
	return ints_open(in->data + in->pos, in->len - in->pos, ret->words, &ret->word) &&
	       ret->word.min >= 0 && ret->word.max < ret->vocabulary;
}

/* Copy the words into the room, unless it has them. */
static int load_vocabulary(const struct strings *strings, struct strings_room *room)
{
	char *to;
	int r;

	if (room->entry && room->key == strings->key && room->n == strings->vocabulary)
		return 0;
	r = room_keep(room, strings->vocabulary, strings->spans.len);
	if (r < 0)
		return r;
	to = room->entry_data;
	for (uint32_t b = 0; b < column_blocks(strings->vocabulary); b++) {
		const uint8_t *at;
		size_t total;

		r = spans_block(&strings->spans, b, room->number, &at, &total);
		if (r < 0)
			return r;
		if (total > strings->spans.len - (size_t)(to - room->entry_data))
			return -EBADMSG;
		if (total > 0)
			memcpy(to, at, total);
		for (uint32_t i = 0; i < spans_in_block(strings->vocabulary, b); i++) {
			auto len = (uint32_t)room->number[i];

			room->entry[b * COLUMN_BLOCK + i] = (struct str) { to, len };
			to += len;
		}
	}
	room->key = strings->key;
	room->n = strings->vocabulary;
	return 0;
}

/* The words of some strings, as codes. */
struct text {
	const uint16_t *code; /* [n], in the room */
	uint32_t n;
};

/* Read the codes from word first on. Returns 0, -ENOMEM or -EBADMSG. */
static int read_codes(const struct strings *strings, struct strings_room *room, uint64_t first,
		      uint64_t n, struct text *ret)
{
	if (first > strings->words || n > strings->words - first || n > STRINGS_ROOM_MAX)
		return -EBADMSG;
	*ret = (struct text) {};
	if (n == 0)
		return 0;

	auto from = (uint32_t)(first / COLUMN_BLOCK);
	auto to = (uint32_t)((first + n - 1) / COLUMN_BLOCK);
	size_t blocks = (size_t)to - from + 1;
	if (blocks > room->code_blocks) {
		uint16_t *more = realloc(room->code, blocks * COLUMN_BLOCK * sizeof(*more));

		if (!more)
			return -ENOMEM;
		room->code = more;
		room->code_blocks = blocks;
	}
	for (uint32_t b = from; b <= to; b++)
		ints_read16(&strings->word, b, room->code + (size_t)(b - from) * COLUMN_BLOCK);
	*ret = (struct text) { room->code + first % COLUMN_BLOCK, (uint32_t)n };
	return 0;
}

static uint64_t sum(const int64_t *number, uint32_t n)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += (uint64_t)number[i];
	return total;
}

/* The words of a block; room->number becomes how many each string has. */
static int read_text(const struct strings *strings, uint32_t block, struct strings_room *room,
		     struct text *ret)
{
	uint64_t first = strings->n > COLUMN_BLOCK ? (uint64_t)ints_get(&strings->start, block) : 0;

	ints_read(&strings->length, block, room->number);
	return read_codes(strings, room, first,
			  sum(room->number, spans_in_block(strings->n, block)), ret);
}

/* Bytes of a text with a separator behind each word; more than STRINGS_ROOM_MAX if it would be. */
static size_t text_size(const struct str *entry, const struct text *text)
{
	size_t size = 0;

	for (uint32_t i = 0; i < text->n && size <= STRINGS_ROOM_MAX; i++)
		size += entry[text->code[i]].len + 1;
	return size;
}

/* Put words together. Returns where the next goes. */
static char *join(const struct str *entry, const uint16_t *code, uint32_t n, char separator,
		  char *to)
{
	for (uint32_t i = 0; i < n; i++) {
		struct str word = entry[code[i]];

		copy_wide(to, word.at, word.len, STRINGS_SLACK);
		to += word.len;
		*to++ = separator;
	}
	return to;
}

int words_read(const struct strings *strings, uint32_t block, struct strings_room *room,
	       struct str out[COLUMN_BLOCK])
{
	auto separator = (char)strings->separator;
	struct text text;
	int r = load_vocabulary(strings, room);

	if (r < 0)
		return r;
	r = read_text(strings, block, room, &text);
	if (r < 0)
		return r;
	r = room_take(room, text_size(room->entry, &text));
	if (r < 0)
		return r;
	char *to = room->data;
	const uint16_t *code = text.code;
	for (uint32_t i = 0; i < spans_in_block(strings->n, block); i++) {
		auto words = (uint32_t)room->number[i];
		char *from = to;

		to = join(room->entry, code, words, separator, to);
		code += words;
		out[i] = (struct str) { from, (uint32_t)(to - from - 1) };
	}
	return 0;
}

int words_get(const struct strings *strings, uint32_t i, struct strings_room *room, struct str *ret)
{
	uint32_t block = i / COLUMN_BLOCK;
	uint64_t first = strings->n > COLUMN_BLOCK ? (uint64_t)ints_get(&strings->start, block) : 0;
	struct text text;
	int r = load_vocabulary(strings, room);

	if (r < 0)
		return r;
	ints_read(&strings->length, block, room->number);
	first += sum(room->number, i % COLUMN_BLOCK);
	r = read_codes(strings, room, first, (uint64_t)room->number[i % COLUMN_BLOCK], &text);
	if (r < 0)
		return r;
	r = room_take(room, text_size(room->entry, &text));
	if (r < 0)
		return r;
	char *end = join(room->entry, text.code, text.n, (char)strings->separator, room->data);
	*ret = (struct str) { room->data, (uint32_t)(end - room->data - 1) };
	return 0;
}

/* The first place from from on that has a code; n if there is none. */
KERNEL static uint32_t find_code(const uint16_t *code, uint32_t from, uint32_t n, uint16_t wanted)
{
	constexpr uint32_t STEP = 128;

	for (; from + STEP <= n; from += STEP) {
		uint16_t found = 0;

		for (uint32_t i = 0; i < STEP; i++)
			found |= code[from + i] == wanted;
		if (found)
			break;
	}
	while (from < n && code[from] != wanted)
		from++;
	return from;
}

/* Which words of a vocabulary are looked for. */
struct wanted {
	const uint8_t *mark; /* [vocabulary] */
	uint32_t n;
	uint16_t only; /* if n is 1: which */
};

static uint32_t find_wanted(const struct text *text, uint32_t from, const struct wanted *wanted)
{
	if (wanted->n == 1)
		return find_code(text->code, from, text->n, wanted->only);
	while (from < text->n && !wanted->mark[text->code[from]])
		from++;
	return from;
}

/* Find the words that contain a needle. Returns 0, -ENOMEM or -EBADMSG. */
static int find_words(struct strings_room *room, const char *needle, size_t len, struct wanted *ret)
{
	int r = room_take(room, room->n);

	if (r < 0)
		return r;
	auto mark = (uint8_t *)room->data;
	*ret = (struct wanted) { .mark = mark };
	find_mark(room->entry, room->n, needle, len, mark);
	for (uint32_t i = 0; i < room->n; i++) {
		ret->n += mark[i];
		ret->only = mark[i] ? (uint16_t)i : ret->only;
	}
	return 0;
}

/* Whether no string can have a needle that has separators, because the vocabulary lacks one of its whole words. */
static bool lacks_a_word(const struct strings_room *room, char separator, const char *needle,
			 size_t len)
{
	const char *end = needle + len, *from = memchr(needle, separator, len);

	while (from) {
		const char *to = memchr(from + 1, separator, (size_t)(end - from - 1));
		bool have = false;

		if (!to)
			return false;
		for (uint32_t i = 0; i < room->n && !have; i++)
			have = room->entry[i].len == (size_t)(to - from - 1) &&
			       memcmp(room->entry[i].at, from + 1, room->entry[i].len) == 0;
		if (!have)
			return true;
		from = to;
	}
	return false;
}

/* Whether a word of the block may be among those wanted, by the bounds of its codes. */
static bool may_have(const struct strings *strings, uint32_t block, const struct wanted *wanted)
{
	int64_t min, max, first = 0, end = strings->words;

	if (wanted->n != 1 || strings->n <= COLUMN_BLOCK)
		return wanted->n > 0;
	first = ints_get(&strings->start, block);
	if (block + 1 < column_blocks(strings->n))
		end = ints_get(&strings->start, block + 1);
	if (first >= strings->words || end > strings->words)
		return true; /* reading will say what is wrong */
	for (int64_t b = first / COLUMN_BLOCK; b * COLUMN_BLOCK < end; b++) {
		ints_bounds(&strings->word, (uint32_t)b, &min, &max);
		if (wanted->only >= min && wanted->only <= max)
			return true;
	}
	return false;
}

int words_contains(const struct strings *strings, uint32_t block, struct strings_room *room,
		   const char *needle, size_t len, uint8_t match[COLUMN_BLOCK])
{
	uint32_t n = spans_in_block(strings->n, block);
	struct wanted wanted = {};
	struct text text;
	int r = load_vocabulary(strings, room);

	if (r < 0)
		return r;
	memset(match, 0, COLUMN_BLOCK);
	if (memchr(needle, strings->separator, len))
		return lacks_a_word(room, (char)strings->separator, needle, len) ? 0 : 1;
	r = find_words(room, needle, len, &wanted);
	if (r < 0 || !may_have(strings, block, &wanted))
		return r;
	r = read_text(strings, block, room, &text);
	if (r < 0)
		return r;
	uint32_t end = 0, at = find_wanted(&text, 0, &wanted);
	for (uint32_t i = 0; i < n && at < text.n; i++) {
		end += (uint32_t)room->number[i];
		if (at >= end)
			continue;
		match[i] = 1;
		at = find_wanted(&text, end, &wanted);
	}
	return 0;
}
