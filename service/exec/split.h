/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * split: a join whose table does not fit into memory. Both sides are on disk in parts by the hash of the key, so that rows
 * that have the same key are in the same part; one part's table is in memory at a time.
 *
 * Layer 5 (service/exec). What of the inner side falls into a part is cut into pieces that fit, however the keys are
 * distributed: one key's rows may be more than one piece; the outer side's rows of the part meet one piece after the other.
 * The outer side's rows of a part are in slices of about as many rows as a chunk has, so that they are work for several threads.
 * Threads: the two that add, from any; the rest by the query's thread while no other is at it.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/crew/query.h"
#include "service/crew/spill.h"
#include "service/exec/prepared.h"
#include "service/vector/rows.h"

constexpr uint32_t SPLIT_NONE = UINT32_MAX;

struct split;

/* Some of the morsels of a run: chunks, or slices of a part of a split join that meet one piece of its table. */
struct stretch {
	uint32_t from, to; /* morsels; of slices the first is slice 0 */
	uint32_t join;	   /* SPLIT_NONE: chunks */
	uint32_t part, piece;
	bool left; /* rows without a partner come out */
	bool mark; /* a row that has a partner is remembered, for there are other pieces */
	bool rest; /* only the rows that are not remembered take part; there is no table */
};

/*
 * Begin with the inner side.
 *
 * width  columns of its rows, the key first
 * room   bytes that the query may use for the join
 *
 * Returns 0, -EDQUOT (nothing may be written), -ENOMEM or another -errno.
 */
[[nodiscard]] int split_new(struct exec_query *query, uint32_t width, size_t room,
			    struct split **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct split *split_free(struct split *split);
CLEANUP_FN(struct split, split_free)

/* Add a row of the inner side, row[width]. piece is room of the caller's. Returns 0 or as spill_add(). */
[[nodiscard]] int split_add(struct split *split, const struct slim *row, struct buf *piece);

/* The inner side is complete. Returns 0 or as spill_end(). */
[[nodiscard]] int split_end(struct split *split);

/* How many parts there are. */
[[nodiscard]] uint32_t split_parts(const struct split *split);

/* How many pieces a part's table has. */
[[nodiscard]] uint32_t split_pieces(const struct split *split, uint32_t part);

/* Read a piece of a part by its number. to is empty. Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT, -EBADMSG, -EDQUOT, -ENOMEM or another -errno. */
[[nodiscard]] int split_read(struct split *split, uint32_t part, uint32_t number, struct rows *to);

/*
 * Begin with the outer side.
 *
 * stage    at which the join's fields are there: fields of earlier ones that are needed from then on are kept
 * morsels  how many can bring rows
 *
 * Returns 0, -ENOMEM or another -errno.
 */
[[nodiscard]] int split_begin(struct split *split, const struct prepared *prepared, uint32_t stage,
			      uint32_t morsels);

/* The fields that are kept of the outer side [*ret_n]. */
[[nodiscard]] const uint32_t *split_fields(const struct split *split, uint32_t *ret_n);

/* Which of them a field is, or SPLIT_NONE. */
[[nodiscard]] uint32_t split_column(const struct split *split, uint32_t field);

/* The part where a key belongs. */
[[nodiscard]] uint32_t split_part(const struct split *split, const struct cell *key);

/* Add a row of the outer side that comes from a morsel. row: its fields, packed. Returns 0 or as spill_add(). */
[[nodiscard]] int split_divert(struct split *split, uint32_t morsel, uint32_t part,
			       const struct buf *row);

/* A morsel brings no more. Returns 0 or as spill_add(). */
[[nodiscard]] int split_fed(struct split *split, uint32_t morsel);

/* How many slices a part has. */
[[nodiscard]] uint32_t split_slices(const struct split *split);

/* The outer side is complete, if it has not been, and a part of it has its turn; mark: its rows will be remembered. Returns 0, -ENOMEM or as spill_end(). */
[[nodiscard]] int split_turn(struct split *split, uint32_t part, bool mark);

/* Begin to read a slice of the part that has its turn. */
void split_reader(struct split *split, uint32_t slice, struct spill_reader *ret);

/* Which rows of a slice are remembered, a bit each, in the order in which they are read; nullptr: none are. */
[[nodiscard]] uint64_t *split_marks(struct split *split, uint32_t slice);
