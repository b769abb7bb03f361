/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * source_internal: what the parts of source share.
 *
 * Layer 5 (service/source). Only for source*.c.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/column.h"
#include "service/column/strings.h"
#include "service/crew/exec.h"
#include "service/source/source.h"

struct source_field {
	uint32_t parent;   /* index of the field whose elements it is in; UINT32_MAX: rows */
	uint32_t column;   /* CHUNK_NONE: the chunk does not have it */
	bool open, looked; /* column and lookup are open */
	struct column data, lookup;
	struct strings_room room, entry_room;
	struct str *entry; /* [entry_size] the dictionary's strings */
	uint32_t entry_size;
	struct dictionary dictionary; /* id 0: not decoded yet */
	bool has_shift;
	int64_t shift_us; /* from a TIME's number to the moment it means */
	/* For contains: the array's elements, and which of one block of them are the one. */
	uint32_t elements;
	uint32_t match_block;
	const struct cell *match_what;
	struct set match;
	struct source_field *element;
};

/* Turn a chunk's outcome into a pipe's. */
[[nodiscard]] int source_result(struct source *source, int r);

/* Open a field's values. */
[[nodiscard]] int source_open_field(struct source *source, struct source_field *field);

/* Decode the dictionary of an open field. */
[[nodiscard]] int source_entries(struct source *source, struct source_field *field);

/* Read a block of an open column into a vector. */
[[nodiscard]] int source_read(struct source *source, struct source_field *field, uint32_t block,
			      const struct set *selection, struct vector *ret);

/* Count the pages that opening something took. */
void source_count(struct source *source, const struct page_count *pages);

/* Close what is open of a field and forget the chunk. */
void source_close_field(struct source_field *field);

/* Free a field's memory too. */
void source_free_field(struct source_field *field);
