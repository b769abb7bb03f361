/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * strings: a run of byte strings as bytes.
 *
 * Layer 2 (service/column). Pure functions over what is opened; a struct strings_room belongs to one thread.
 * Format: FORMAT.md section 5. Encodings, chosen from a sample:
 *   DICTIONARY  distinct strings sorted by bytes (so that codes keep the order), then a code each
 *   PLAIN       lengths, then the bytes
 *   HEX         a fixed prefix, then a fixed number of lower-case hexadecimal digits, two a byte
 *   WORDS       text that repeats its words: a dictionary of words, then a code for each word
 *   TIME        ISO 8601 times that all have the same form: µs and the form (the string comes back exactly)
 *   SYMBOLS     FSST: up to 255 symbols of 1 to 8 bytes
 * The dictionary's strings and PLAIN's bytes may themselves be in one of the others.
 * Trust: strings_open() checks structure and lengths once; what is only known when decoding is bounded there.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/ints.h"
#include "service/column/kind.h"
#include "service/column/spans.h"

enum strings_effort : uint8_t {
	STRINGS_FAST, /* PLAIN, for what lives seconds: deltas and log frames */
	STRINGS_BEST,
};

enum strings_encoding : uint8_t {
	STRINGS_PLAIN,
	STRINGS_DICTIONARY,
	STRINGS_HEX,
	STRINGS_WORDS,
	STRINGS_TIME,
	STRINGS_SYMBOLS,
	STRINGS_ENCODING_COUNT,
};

constexpr uint32_t STRINGS_DICTIONARY_MAX = 65'536; /* a code fits 16 bits */

/*
 * Append an encoding of value[n]. Identical strings of one call may share memory or not.
 *
 * Returns 0 or -ENOMEM; a failure of out sticks to it.
 */
[[nodiscard]] int strings_write(struct buf *out, const struct str *value, uint32_t n,
				enum strings_effort effort);

struct strings {
	enum strings_encoding encoding;
	uint32_t n;
	uint32_t distinct; /* entries of the dictionary; 0 if there is none */
	struct ints code;  /* DICTIONARY; all below distinct */
	int64_t form; /* TIME: separator of date and time, digits of the fraction << 8, bytes of the zone << 16 */
	struct ints number; /* TIME: µs since 1970, as if the time were UTC */

	/* The rest is for the encodings alone. */
	struct spans
		spans; /* PLAIN the strings; SYMBOLS their codes; of a dictionary what each entry has of its own */
	struct spans odd;    /* HEX, TIME: the strings that have another form */
	const uint8_t *rows; /* [odd.n] u32: and which they are, ascending */
	struct ints
		length; /* DICTIONARY: bytes an entry shares with the one before; WORDS: words of each string */
	struct ints start; /* WORDS: the number of each block's first word */
	struct ints word;  /* WORDS: their codes */
	const uint8_t *
		body; /* HEX: the digits; TIME: the zone; SYMBOLS and DICTIONARY: the table of symbols, if any */
	size_t body_len;
	const uint8_t *shape; /* HEX: what every string has in common */
	uint64_t digits;      /* HEX: at which of its bytes there are digits */
	uint32_t shape_len;
	uint8_t separator;     /* WORDS */
	uint32_t words;	       /* WORDS: of all strings */
	uint32_t vocabulary;   /* WORDS: different ones */
	uint64_t entries_size; /* of a dictionary: bytes of all its entries */
	uint64_t key; /* of a dictionary: a hash of it, by which a room knows what it holds */
};

/* Open what strings_write() wrote. Returns whether it is well-formed and has n strings; *ret is set only then and borrows data. */
[[nodiscard]] bool strings_open(const uint8_t *data, size_t len, uint32_t n, struct strings *ret);

/* Room for decoded bytes, reused from block to block. Zero-initialise; free with strings_room_done(). */
struct strings_room {
	char *data; /* [size] a block's bytes */
	size_t size;
	int64_t *number; /* [2 * COLUMN_BLOCK] scratch */
	struct str *str; /* [COLUMN_BLOCK] scratch */
	uint64_t key;	 /* of the dictionary whose entries are kept, if there are any */
	uint32_t n;
	struct str *entry; /* [n] */
	char *entry_data;
	uint16_t *code; /* [COLUMN_BLOCK * code_blocks] scratch */
	size_t code_blocks;
};

/* Free what it owns. */
void strings_room_done(struct strings_room *room);

/*
 * Decode a block.
 *
 * room  holds the bytes until it is used again; PLAIN strings point into the encoding itself
 * out   past the last string of the last block, empty strings
 *
 * Returns 0, -ENOMEM or -EBADMSG (the bytes are not what was written).
 */
[[nodiscard]] int strings_read(const struct strings *strings, uint32_t block,
			       struct strings_room *room, struct str out[COLUMN_BLOCK]);

/* One string, i < n. Returns as strings_read(). */
[[nodiscard]] int strings_get(const struct strings *strings, uint32_t i, struct strings_room *room,
			      struct str *ret);

/* Of a dictionary: decode all entries, sorted by bytes: out[distinct]. Returns as strings_read(). */
[[nodiscard]] int strings_entries(const struct strings *strings, struct strings_room *room,
				  struct str *out);

/* Of a dictionary: the codes of a block. */
void strings_codes(const struct strings *strings, uint32_t block, uint16_t out[COLUMN_BLOCK]);

/* Of a TIME: µs since 1970 of a block, read as UTC. */
void strings_times(const struct strings *strings, uint32_t block, int64_t out[COLUMN_BLOCK]);

/*
 * Mark the strings that contain needle[len] (1 or more bytes): match[i] becomes 1 or 0, for a whole block; done on words,
 * on the raw bytes with vector instructions, or after decoding, as the encoding allows. Not for DICTIONARY (use its entries).
 *
 * Returns as strings_read().
 */
[[nodiscard]] int strings_contains(const struct strings *strings, uint32_t block,
				   struct strings_room *room, const char *needle, size_t len,
				   uint8_t match[COLUMN_BLOCK]);

/* Whether hay[hay_len] contains needle[len]. */
[[nodiscard]] bool strings_find(const char *hay, size_t hay_len, const char *needle, size_t len);
