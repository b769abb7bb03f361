/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/strings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Look at each byte, so that a sanitizer sees where it is. */
static uint32_t touch(const struct str *str, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < str[i].len; k++)
			sum += (uint8_t)str[i].at[k];
	}
	return sum;
}

static void read_dictionary(const struct strings *strings, struct strings_room *room)
{
	auto_free struct str *entry = malloc((strings->distinct + 1) * sizeof(*entry));
	uint16_t code[COLUMN_BLOCK];

	if (!entry || strings_entries(strings, room, entry) < 0)
		return;
	(void)touch(entry, strings->distinct);
	for (uint32_t i = 0; i < strings->n; i++) {
		if (i % COLUMN_BLOCK == 0)
			strings_codes(strings, i / COLUMN_BLOCK, code);
		if (code[i % COLUMN_BLOCK] >= strings->distinct)
			abort();
	}
}

static void read_block(const struct strings *strings, struct strings_room *room, uint32_t block,
		       struct str *out)
{
	static const char *const NEEDLE[] = { "a", "e 1", "0-0", " the user " };
	uint8_t match[COLUMN_BLOCK];

	if (strings_read(strings, block, room, out) == 0)
		(void)touch(out, COLUMN_BLOCK);
	for (size_t i = 0; i < countof(NEEDLE) && strings->encoding != STRINGS_DICTIONARY; i++)
		(void)!strings_contains(strings, block, room, NEEDLE[i], strlen(NEEDLE[i]), match);
}

/* Two bytes say how many strings, the rest is theirs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free struct str *out = malloc(COLUMN_BLOCK * sizeof(*out));
	auto_free int64_t *times = malloc(COLUMN_BLOCK * sizeof(*times));
	cleanup(strings_room_done) struct strings_room room = {};
	struct strings strings;
	struct str one;

	if (size < 2 || !out || !times ||
	    !strings_open(data + 2, size - 2, data[0] | (uint32_t)data[1] << 8, &strings))
		return 0;
	for (uint32_t i = 0; i < strings.n; i += 211) {
		if (strings_get(&strings, i, &room, &one) == 0)
			(void)touch(&one, 1);
	}
	for (uint32_t b = 0; b < column_blocks(strings.n); b++) {
		read_block(&strings, &room, b, out);
		if (strings.encoding == STRINGS_TIME)
			strings_times(&strings, b, times);
	}
	if (strings.encoding == STRINGS_DICTIONARY)
		read_dictionary(&strings, &room);
	return 0;
}
