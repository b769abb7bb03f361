/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * stage: the steps in which a scan's rows come about; see prepared.h.
 *
 * Layer 5 (service/exec). Part of scan; belongs to its thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/exec/scan.h"
#include "service/exec/split.h"
#include "service/source/prune.h"
#include "service/vector/batch.h"

/* What an outer key's strings lead to, by code of their dictionary. */
struct heads {
	uint64_t dictionary; /* its id; 0: none */
	uint32_t *row;	     /* [size] first row of the table, JOIN_NONE, or not known yet */
	uint32_t size;
};

struct stage {
	struct scan *scan;
	uint32_t number;
	struct eval *eval;
	struct batch batch;
	struct set selection;	      /* entries of the batch that passed this stage's filters */
	uint32_t block;		      /* 0: of rows; UNNEST: of elements */
	bool empty;		      /* UNNEST: the rows without elements */
	uint16_t index[COLUMN_BLOCK]; /* the entry of the stage before */
	uint32_t inner[COLUMN_BLOCK]; /* joins: row of the table */
	struct heads heads;
	uint64_t *marks; /* a split join's rows that have met a partner; or nullptr: nobody asks */
	uint64_t marks_from; /* the batch's first row there */
};

struct scan {
	struct exec_query *query;
	const struct prepared *prepared;
	const struct joined *joined;   /* [n_joins] */
	const struct stretch *stretch; /* of slices; nullptr: at a chunk */
	uint32_t morsel;
	struct source source;
	struct stage *stage;
	scan_sink *sink;
	void *userdata;
	enum prune *verdict; /* [n_conjuncts] for the chunk */
	uint64_t *found;     /* [CHUNK_ROWS / 64] rows that a lookup gave */
	bool has_found;
	bool filtered; /* rows are known to pass */
	uint64_t rows_read;
};

/* Make a stage ready. Returns 0 or -ENOMEM. */
[[nodiscard]] int stage_init(struct scan *scan, uint32_t number);

/* Free what it owns. */
void stage_done(struct stage *stage);

/* Run rows of a block through all stages into the sink. Returns as a sink. */
[[nodiscard]] int stage_block(struct scan *scan, uint32_t block, uint32_t n,
			      const struct set *rows);

/* Join rows of a stage with the table of the next, and run what comes of it. Returns as a sink. */
[[nodiscard]] int stage_join(struct stage *stage, const struct set *selection);

/* Put rows of a stage on disk, for a join that is split. Returns as a sink. */
[[nodiscard]] int stage_divert(struct stage *stage, uint32_t number, const struct set *selection);

/* Run the scan's slice of a split join into the sink. Returns as a sink. */
[[nodiscard]] int stage_restore(struct scan *scan);
