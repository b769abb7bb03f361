/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * source: the fields of a chunk, opened as they are needed and read block by block.
 *
 * Layer 5 (service/source). Belongs to one thread. A field that the chunk does not have is MISSING everywhere.
 * All that can fail return 0, PIPE_DAMAGED (a sentence is in error), or -errno.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/expression/plan.h"
#include "service/snapshot/snapshot.h"
#include "service/vector/batch.h"

struct source_field;

struct source {
	const struct field *field; /* [n_fields] borrowed */
	uint32_t number;	   /* only fields with this source are looked for */
	uint32_t n_fields;
	const struct snapshot_chunk *at;
	struct source_field *column; /* [n_fields] */
	struct document_reader *reader;
	uint64_t last_id; /* of dictionaries */
	uint64_t bytes_read;
	struct page_count pages;
	char error[128];
};

/* Begin without a chunk. fields is borrowed; in_element fields are members of array's elements (an index of fields, or UINT32_MAX). */
[[nodiscard]] int source_init(struct source *source, const struct field *fields, uint32_t n_fields,
			      uint32_t array);

/* Free what it owns. */
void source_done(struct source *source);

/* Go to a chunk. Cost: a lookup per member of each field. */
[[nodiscard]] int source_open(struct source *source, const struct snapshot_chunk *at);

/* Let go of the chunk's bytes. */
void source_close(struct source *source);

/* A field's statistics, or nullptr if the chunk does not have it. */
[[nodiscard]] const struct chunk_column *source_about(const struct source *source, uint32_t field);

/* The rows of a block that are not deleted. Returns how many rows the block has. */
uint32_t source_live(const struct source *source, uint32_t block, struct set *ret);

/* Read a block of a field; as batch_ops' load. Rows are entries, or elements for fields in an element. */
[[nodiscard]] int source_load(struct source *source, uint32_t field, uint32_t block,
			      const struct set *selection, struct vector *ret);

/* As batch_ops' coded. */
[[nodiscard]] bool source_coded(struct source *source, uint32_t field, const struct set *selection);

/* As batch_ops' find: BATCH_CANNOT unless the encoding helps. */
[[nodiscard]] int source_find(struct source *source, uint32_t field, uint32_t block,
			      const struct str *needle, const struct set *selection,
			      struct truth *ret);

/* As batch_ops' moments. */
[[nodiscard]] int source_moments(struct source *source, uint32_t field, uint32_t block,
				 struct vector *ret);

/* As batch_ops' contains. */
[[nodiscard]] int source_contains(struct source *source, uint32_t field, uint32_t block,
				  const struct cell *what, const struct set *selection,
				  struct truth *ret);

/* As batch_ops' between. */
[[nodiscard]] int source_between(struct source *source, uint32_t field, uint32_t block,
				 const struct span *span, const struct set *selection,
				 struct truth *ret);

/* The bounds of a field's ints in a block. Returns whether all its values are ints of one kind and the bounds hold. */
[[nodiscard]] bool source_bounds(struct source *source, uint32_t field, uint32_t block,
				 int64_t *ret_min, int64_t *ret_max);

/* Where a block's arrays of a field end among their elements, as column_ends(). */
[[nodiscard]] int source_ends(struct source *source, uint32_t field, uint32_t block,
			      uint32_t out[COLUMN_BLOCK + 1]);

/* Open a field's column with further lanes (LANE_FILTER, LANE_GRAMS, LANE_ORDER) for lookups. *ret is nullptr if the chunk does not have it. */
[[nodiscard]] int source_lookup(struct source *source, uint32_t field, uint16_t lanes,
				const struct column **ret);

/* Find the rows whose field is this string. BATCH_CANNOT if that would read everything. */
[[nodiscard]] int source_find_text(struct source *source, uint32_t field, const struct str *text,
				   column_entry_fn *fn, void *userdata);
