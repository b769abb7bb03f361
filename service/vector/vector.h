/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * vector: up to 1024 values that are treated together, at the positions that their entries have in a block.
 *
 * Layer 5 (service/vector). Belongs to one thread. A lane holds sense only where kinds says so; elsewhere anything.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/kind.h"
#include "service/column/strings.h"
#include "service/vector/cell.h"
#include "service/vector/pile.h"
#include "service/vector/set.h"

/* Strings that vectors refer to by number. */
struct dictionary {
	const struct str *entry; /* [n] */
	uint32_t n;
	bool sorted; /* by bytes, each once */
	uint64_t id; /* of all dictionaries one thread meets no two have the same */
};

struct vector {
	bool constant; /* all entries are equal (and all are filled in) */
	bool uniform; /* entries that are not NULL or MISSING are all of this kind; NULL if there are none */
	bool nulls; /* some may be NULL or MISSING */
	bool full;  /* filled in for the whole block, not only for a selection */
	enum kind kind;
	struct set have; /* if not full, of a field: the selection that is filled in */
	const struct dictionary
		*dictionary; /* STRING entries are its entry[codes[i]]; or nullptr: strs */
	struct pile room;    /* bytes of strings made here */
	uint8_t kinds[COLUMN_BLOCK];
	uint16_t codes[COLUMN_BLOCK];
	int64_t ints[COLUMN_BLOCK];
	double floats[COLUMN_BLOCK];
	struct str strs[COLUMN_BLOCK]; /* STRING, BYTES; ARRAY and OBJECT packed */
};

/* Make a vector, its lanes not cleared. Returns 0 or -ENOMEM. */
[[nodiscard]] int vector_new(struct vector **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct vector *vector_free(struct vector *vector);
CLEANUP_FN(struct vector, vector_free)

/* Begin anew: all entries NULL, nothing borrowed. Cost: that of setting the kinds. */
void vector_reset(struct vector *vector);

/* Give all entries one kind; values are the caller's. */
void vector_set_kind(struct vector *vector, enum kind kind);

/* Give all entries one value; its string is borrowed. */
void vector_fill(struct vector *vector, const struct cell *cell);

/* The string of an entry that is STRING, BYTES, ARRAY or OBJECT. */
static inline struct str vector_str(const struct vector *vector, uint32_t i)
{
	return vector->dictionary && vector->kinds[i] == KIND_STRING
		       ? vector->dictionary->entry[vector->codes[i]]
		       : vector->strs[i];
}

/* An entry; the string is borrowed. */
void vector_cell(const struct vector *vector, uint32_t i, struct cell *ret);

/* Set an entry; the string is borrowed. Call vector_settle() after the last. Not for vectors with a dictionary. */
void vector_put(struct vector *vector, uint32_t i, const struct cell *cell);

/* Work out uniform, kind and nulls from the kinds of selected entries. */
void vector_settle(struct vector *vector, const struct set *selection);

/* The selected entries that are NULL or MISSING. */
[[nodiscard]] struct set vector_nulls(const struct vector *vector, const struct set *selection);

/* Set entries 0 to n - 1 of to to those of from that index names; strings are borrowed. */
void vector_gather(const struct vector *from, const uint16_t *index, uint32_t n, struct vector *to);
