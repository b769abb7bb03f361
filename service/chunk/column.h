/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * column: one column of a chunk, open for reading block by block.
 *
 * Layer 3 (service/chunk). A struct column belongs to one thread; entries are 0 to about->n - 1, block b holds entries
 * 1024 b and on. Sparse columns read like any other: their missing entries are filled in.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/column/floats.h"
#include "service/column/ints.h"
#include "service/column/strings.h"

struct column {
	struct chunk *chunk; /* borrowed */
	const struct chunk_column *about;
	bool one_kind; /* all entries have the kind constant_kind */
	enum kind constant_kind;
	struct ints kinds, rows, ints, ends, order;
	struct floats floats;
	struct strings strings;
	const uint8_t *filter, *grams;
	size_t filter_len, grams_len;
	void *pin[LANE_COUNT];
	struct page_count pages; /* that opening it took */
	uint16_t lanes;		 /* bit set of those that are open */
	uint32_t n;	   /* values of each lane: about->n, of a sparse column about->present */
	uint32_t elements; /* of its arrays */
	struct column_own *own; /* what had to be decoded when it was opened */
};

/* Every lane but those for lookups. */
constexpr uint16_t LANES_VALUES = 1u << LANE_KINDS | 1u << LANE_ROWS | 1u << LANE_INTS |
				  1u << LANE_FLOATS | 1u << LANE_STRINGS | 1u << LANE_ENDS;

/*
 * Open some lanes of a column; LANE_KINDS and LANE_ROWS always come along.
 *
 * chunk  must outlive it
 * ret    set only on success; close with column_close()
 *
 * Returns 0, CHUNK_DAMAGED or -errno.
 */
[[nodiscard]] int column_open(struct chunk *chunk, uint32_t index, uint16_t lanes,
			      struct column *ret);

/* Let go of its bytes. Harmless on a zeroed or closed one. */
void column_close(struct column *column);

/* The kinds of a block's entries. */
void column_kinds(const struct column *column, uint32_t block, uint8_t out[COLUMN_BLOCK]);

/* The ints lane of a block; entries of other kinds hold anything. */
void column_ints(const struct column *column, uint32_t block, int64_t out[COLUMN_BLOCK]);

/* The floats lane of a block; entries of other kinds hold anything. */
void column_floats(const struct column *column, uint32_t block, double out[COLUMN_BLOCK]);

/* The strings lane of a block; entries of other kinds hold anything valid. Returns 0, CHUNK_DAMAGED or -ENOMEM. */
[[nodiscard]] int column_strings(const struct column *column, uint32_t block,
				 struct strings_room *room, struct str out[COLUMN_BLOCK]);

/* Whether the strings lane is a dictionary that can be read by codes: not sparse. */
[[nodiscard]] bool column_is_dictionary(const struct column *column);

/* Where a block's arrays lie among the elements: entry i's are out[i] to out[i + 1] - 1 (none if it is no array). */
void column_ends(const struct column *column, uint32_t block, uint32_t out[COLUMN_BLOCK + 1]);

/* Of a sparse column which entries are there, ascending, [column->n]; nullptr of others. */
[[nodiscard]] const uint32_t *column_rows(const struct column *column);

/* One entry's kind, i < about->n. */
[[nodiscard]] enum kind column_kind(const struct column *column, uint32_t i);

/* One entry's int, float, string, array bounds; as the block forms. */
[[nodiscard]] int64_t column_int(const struct column *column, uint32_t i);

/* See column_int(). */
[[nodiscard]] double column_float(const struct column *column, uint32_t i);

/* See column_int(). Returns 0, CHUNK_DAMAGED or -ENOMEM. */
[[nodiscard]] int column_string(const struct column *column, uint32_t i, struct strings_room *room,
				struct str *ret);

/* See column_int(). */
void column_bounds(const struct column *column, uint32_t i, uint32_t *ret_from, uint32_t *ret_to);

/* The hash under which the filter has a string (STRING or BYTES). */
[[nodiscard]] uint64_t column_hash_text(enum kind kind, const char *text, size_t len);

/* The hash under which the filter has an int, a date … or, by the number it equals, a float that is whole. */
[[nodiscard]] uint64_t column_hash_int(enum kind kind, int64_t value);

/* The hash of a float. Equal numbers have equal hashes, whatever their kind. */
[[nodiscard]] uint64_t column_hash_float(double value);

/* The hash of a run of 3 bytes, under which LANE_GRAMS has it. */
[[nodiscard]] uint64_t column_hash_gram(const char gram[3]);

/* Whether an entry may have this hash, by the filter (true if there is none). LANE_FILTER must be open. */
[[nodiscard]] bool column_may_have(const struct column *column, uint64_t hash);

/*
 * Find the entries that are exactly this string, by LANE_ORDER, the dictionary, or reading all.
 *
 * fn  called for each in ascending order of entries; return false to stop
 *
 * Returns 0, CHUNK_DAMAGED or -errno. LANE_ORDER and LANE_STRINGS must be open.
 */
typedef bool column_entry_fn(void *userdata, uint32_t entry);
[[nodiscard]] int column_find_text(const struct column *column, struct strings_room *room,
				   const char *text, size_t len, column_entry_fn *fn,
				   void *userdata);
