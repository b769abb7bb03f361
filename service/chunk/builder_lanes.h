/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * builder_lanes: a field's lanes as they are written: full length, statistics, and what helps to find values.
 *
 * Layer 3 (service/chunk), for builder*.c only. What the lanes_…() functions return belongs to the field or to the builder's rooms
 * and is valid until the next one is called; nullptr is -ENOMEM. They have about->n values, of sparse columns about->present.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder_internal.h"
#include "service/chunk/chunk.h"
#include "service/chunk/fields.h"
#include "service/column/strings.h"

/* Fill in kinds, nulls and the smallest and largest values; n and present are there. */
void lanes_statistics(const struct field *field, struct chunk_column *about);

/* Each entry's kind. */
[[nodiscard]] const int64_t *lanes_kinds(struct builder *builder, const struct field *field,
					 const struct chunk_column *about);

/* Which entries are there. */
[[nodiscard]] const int64_t *lanes_rows(struct builder *builder, const struct field *field);

/* The ints; an entry of another kind repeats the one before it, so that they stay easy to encode. */
[[nodiscard]] const int64_t *lanes_ints(struct builder *builder, const struct field *field,
					const struct chunk_column *about);

/* The floats, likewise. */
[[nodiscard]] const double *lanes_floats(struct builder *builder, const struct field *field,
					 const struct chunk_column *about);

/* The texts, likewise. */
[[nodiscard]] const struct str *lanes_texts(struct builder *builder, const struct field *field,
					    const struct chunk_column *about);

/* Where each array ends, running on over other entries. */
[[nodiscard]] const int64_t *lanes_ends(struct builder *builder, const struct field *field,
					const struct chunk_column *about);

/* A strings lane that has just been written. */
struct lane_source {
	const struct str *value; /* [n] */
	uint32_t n;
	const struct strings *strings; /* its encoding */
};

/* Whether it should have LANE_ORDER: a column is _id, or has so many strings that reading all of them takes long. */
[[nodiscard]] bool lanes_want_order(const struct lane_source *source, uint32_t column);

/* Sort the entries by hash, then by position: builder->ints becomes int64_t[n]. Returns 0 or -ENOMEM. */
[[nodiscard]] int lanes_order(struct builder *builder, const struct lane_source *source);

/* Append a LANE_FILTER of a lane that has STRINGs only, if it should have one. Returns 0 or -ENOMEM; a failure of out sticks to it. */
[[nodiscard]] int lanes_filter_texts(struct builder *builder, const struct lane_source *source,
				     uint32_t column, struct buf *out);

/* Append a LANE_FILTER of any field, if it should have one. Returns as lanes_filter_texts(). */
[[nodiscard]] int lanes_filter(struct builder *builder, const struct field *field,
			       const struct chunk_column *about, struct buf *out);

/* Whether it should have LANE_GRAMS: long texts. */
[[nodiscard]] bool lanes_want_grams(const struct field *field, const struct chunk_column *about);

/* Append the filter of all 3-byte runs. Returns 0 or -ENOMEM; a failure of out sticks to it. */
[[nodiscard]] int lanes_grams(struct builder *builder, const struct field *field, struct buf *out);
