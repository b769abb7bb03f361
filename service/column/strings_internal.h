/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * strings_internal: what strings' encodings share and show one another.
 *
 * Layer 2 (service/column), private to strings. Of each encoding: a writer, an opener of what follows the first byte, a
 * reader of a block. Readers return 0, -ENOMEM or -EBADMSG.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "service/column/strings.h"

constexpr size_t STRINGS_ROOM_MAX = 256u << 20; /* bytes of a decoded block */
constexpr size_t STRINGS_SLACK = 16;		/* bytes past the end that a copy may scribble on */

/*
 * Copy len bytes, in one step if they are few: to has STRINGS_SLACK bytes of room behind them, from has spare bytes.
 * The two do not overlap in those len bytes.
 */
static inline void copy_wide(char *to, const char *from, size_t len, size_t spare)
{
	char word[STRINGS_SLACK];

	if (len <= STRINGS_SLACK && len + spare >= STRINGS_SLACK && from) {
		memcpy(word, from, sizeof(word));
		memcpy(to, word, sizeof(word));
	} else if (len > 0 && from) {
		memmove(to, from, len);
	}
}

/* Bytes that two strings have in common at their beginning. */
static inline uint32_t strings_shared(struct str a, struct str b)
{
	uint32_t most = a.len < b.len ? a.len : b.len, len = 0;

	while (len < most && a.at[len] == b.at[len])
		len++;
	return len;
}

/* Make room->data hold size bytes and STRINGS_SLACK more. Returns 0, -ENOMEM or, beyond STRINGS_ROOM_MAX, -EBADMSG. */
[[nodiscard]] int room_take(struct strings_room *room, size_t size);

/* Make room->number and room->str be there. Returns 0 or -ENOMEM. */
[[nodiscard]] int room_scratch(struct strings_room *room);

/*
 * Begin to keep a dictionary of n entries and size bytes: forgets the one that is kept. The caller fills entry[n], whose
 * strings lie in entry_data, and then sets key and n.
 *
 * Returns as room_take().
 */
[[nodiscard]] int room_keep(struct strings_room *room, uint32_t n, size_t size);

/* Open the part of in that begins with its length. Returns whether it is a run of n. */
[[nodiscard]] bool part_ints(struct reader *in, uint32_t n, struct ints *ret);

/* The same for spans. */
[[nodiscard]] bool part_spans(struct reader *in, uint32_t n, struct spans *ret);

/* Dictionary: the different strings of a column. */
struct distinct {
	uint32_t n;
	uint32_t *
		code; /* [rows] of each string the number of its first occurrence among the different ones */
	struct str *string; /* [n] in the order in which they come */
	size_t bytes;	    /* of all of them */
};

/* Find the different strings. Returns 0, 1 if there are more than STRINGS_DICTIONARY_MAX or it would take long, -ENOMEM. */
[[nodiscard]] int distinct_find(const struct str *value, uint32_t n, struct distinct *ret);

/* Free what it owns. */
void distinct_done(struct distinct *distinct);

/* Sort strings by their bytes. ret_rank[i] becomes the place of string[i]. Returns 0 or -ENOMEM. */
[[nodiscard]] int distinct_sort(struct str *string, uint32_t n, uint32_t *ret_rank);

/* Write a dictionary; sorts distinct. rows is how many strings there are. Returns 0 or -ENOMEM. */
[[nodiscard]] int dictionary_write(struct buf *out, struct distinct *distinct, uint32_t rows);

/* Open one. */
[[nodiscard]] bool dictionary_open(struct reader *in, struct strings *ret);

/* Decode all entries into the room, unless it has them. */
[[nodiscard]] int dictionary_load(const struct strings *strings, struct strings_room *room);

/* One entry, decoded into room->data. */
[[nodiscard]] int dictionary_get(const struct strings *strings, uint32_t entry,
				 struct strings_room *room, struct str *ret);

/* Strings that do not have a form (HEX, TIME): row[n], ascending, of value[]. */
struct odd {
	uint32_t n, room;
	uint32_t *row;
};

/* Remember a row. Returns 0 or -ENOMEM. */
[[nodiscard]] int odd_add(struct odd *odd, uint32_t row);

/* Write them. Returns 0 or -ENOMEM. */
[[nodiscard]] int odd_write(struct buf *out, const struct odd *odd, const struct str *value);

/* Free what it owns. */
void odd_done(struct odd *odd);

/* Open what odd_write() wrote. */
[[nodiscard]] bool odd_open(struct reader *in, struct strings *ret);

/* Put the odd strings of a block into their places in out. length is scratch. */
[[nodiscard]] int odd_read(const struct strings *strings, uint32_t block,
			   int64_t length[COLUMN_BLOCK], struct str out[COLUMN_BLOCK]);

/* The odd string of a row, if it has one. Returns 0 (*ret is set), 1 if it has none, -EBADMSG. */
[[nodiscard]] int odd_get(const struct strings *strings, uint32_t row, int64_t length[COLUMN_BLOCK],
			  struct str *ret);
