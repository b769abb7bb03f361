/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * coder: a key's values of one chunk as small numbers, so that groups are found by index.
 *
 * Layer 5 (service/group). Part of local; belongs to one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/vector/vector.h"

constexpr uint32_t CODER_INTS_MAX = 2047; /* different ints of one chunk */
constexpr uint32_t CODER_SLOTS = 4096;

enum coder_form : uint8_t {
	CODER_NONE,
	CODER_DICTIONARY, /* codes; NULL is the last */
	CODER_BOOLS,	  /* NULL, FALSE, TRUE */
	CODER_INTS,	  /* ints of one kind, numbered as they come; NULL is 0 */
};

struct coder {
	enum coder_form form;
	enum kind kind; /* of ints */
	uint32_t cardinality;
	const struct dictionary *dictionary;
	uint64_t id;	/* of the dictionary */
	uint32_t n;	/* ints so far, and one for NULL */
	int64_t *value; /* [CODER_INTS_MAX + 1] by number */
	uint16_t *slot; /* [CODER_SLOTS] numbers by hash; 0 free */
};

/* Free what it owns. */
void coder_done(struct coder *coder);

/* Choose a form for a vector's entries [n]. Returns 0 (form CODER_NONE if there is none) or -ENOMEM. */
[[nodiscard]] int coder_begin(struct coder *coder, const struct vector *vector,
			      const uint16_t *entry, uint32_t n);

/*
 * Add to code[k] the number of entry k times step.
 *
 * Returns false if the vector does not suit the form or there are too many different values; code is spoilt then.
 */
[[nodiscard]] bool coder_add(struct coder *coder, const struct vector *vector,
			     const uint16_t *entry, uint32_t n, uint32_t step, uint32_t *code);

/* The value of a number. */
void coder_cell(const struct coder *coder, uint32_t code, struct cell *ret);
