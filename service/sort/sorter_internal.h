/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sorter_internal: what collecting and merging share.
 *
 * Layer 5 (service/sort). Only for sorter*.c.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/crew/spill.h"
#include "service/sort/sorter.h"
#include "service/vector/rows.h"

/* A row in memory, and what is looked at before the row itself. */
struct sorted {
	uint64_t prefix;
	uint32_t row;
};

/* Rows that one thread has collected, and the runs it has written. */
struct collected {
	struct rows rows;    /* the columns, then the position */
	struct sorted *list; /* [list_size] of rows, once sorted */
	size_t list_size;
	struct vector *position;
	const struct vector **column; /* [width + 1] */
	struct cell *cell;	      /* [width + 1] */
	struct spill *spill;
	uint32_t runs; /* parts of the spill */
	struct buf piece;
};

/* A sorted run on its way into the merging. */
struct cursor {
	const struct slim *row; /* [width + 1] where it is */
	uint64_t prefix;
	const struct collected *memory; /* in memory; or nullptr: reader */
	size_t next;
	struct spill_reader reader;
	struct slim *room; /* [width + 1] for a row that was read */
};

struct sorter {
	struct exec_query *query;
	struct sorter_plan plan;
	size_t share;		 /* bytes that a thread collects before it writes */
	pthread_mutex_t tight;	 /* held by the one that waits for others to write */
	_Atomic uint32_t adding; /* threads that are adding, but for those that wait for the lock */
	struct collected *collected; /* [plan.workers] */
	struct spill *merged;	     /* the runs of the last pass, if there was one */
	uint32_t merged_runs;
	struct cursor *cursor; /* [n_cursors] a heap: the first has the next row */
	uint32_t n_cursors;
	struct slim *room; /* [n_cursors * (width + 1)] */
	bool taken;	   /* the first cursor's row has been handed out */
};

/* The number that a row is first compared by. */
[[nodiscard]] uint64_t sorter_prefix(const struct sorter *sorter, const struct slim *row);

/* The order of two rows with the same prefix: never 0 for different rows. */
[[nodiscard]] int sorter_compare(const struct sorter *sorter, const struct slim *a,
				 const struct slim *b);

/* Append a row to a part of a spill. piece is room. Returns as sorter_add(). */
[[nodiscard]] int sorter_write(const struct sorter *sorter, struct spill *spill, uint32_t part,
			       const struct slim *row, struct buf *piece);

/* Write a thread's rows as a run. Returns as sorter_add(). */
[[nodiscard]] int sorter_put_out(struct sorter *sorter, struct collected *from);

/* Sort a thread's rows. */
void sorter_sort(const struct sorter *sorter, struct collected *from);

/* Close the cursors. */
void sorter_close(struct sorter *sorter);
