/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * documents: random documents without a schema, as JSON.
 *
 * They have few field names, so that all kinds of values meet under one name, and so that queries meet them:
 *   i   small integers          g   growing integers         f   numbers that add up exactly, some of them integers
 *   w   any numbers at all      b   booleans                 s   few different strings     u   strings, all different
 *   t   ISO 8601 with offset    v   such, and what is none   m   timestamps                d   dates
 *   x   anything                o   an object: n, s, x, p    a   an array of scalars       r   an array of objects: k, v
 *   l   an array of arrays      z…  fields that one document has
 * Each may be missing or null; of a dirty collection each may be anything.
 */

#include <stdint.h>

#include "common/buf.h"
#include "tests/oracle/random.h"

struct style {
	uint32_t dirty;	 /* percent of fields that are not of their kind */
	uint32_t absent; /* percent of fields that are missing */
	uint32_t rare;	 /* percent of documents with a field of their own */
};

/* Append a document. number tells documents apart and grows. */
void documents_put(struct random *r, const struct style *style, const char *id, uint32_t number,
		   struct buf *out);

/* Append any JSON value, arrays and objects at most depth deep. */
void documents_put_any(struct random *r, uint32_t depth, struct buf *out);

extern const char *const DOCUMENTS_TEXTS[]; /* [DOCUMENTS_TEXTS_N] the few strings, as JSON */
constexpr uint32_t DOCUMENTS_TEXTS_N = 16;
