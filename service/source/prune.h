/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * prune: what a chunk's statistics and filters say about a condition before a row is read.
 *
 * Layer 5 (service/source). As source.h: belongs to one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/expression/program.h"
#include "service/source/source.h"

enum prune : uint8_t {
	PRUNE_SOME, /* must be evaluated */
	PRUNE_NONE, /* TRUE for no row */
	PRUNE_ALL,  /* TRUE for every row */
};

/* Judge a condition for the chunk that source is at. Returns 0, PIPE_DAMAGED or -errno. */
[[nodiscard]] int prune_chunk(struct source *source, const struct program *program, uint32_t step,
			      enum prune *ret);

/* Judge a condition for one block, by the bounds of its ints; without reading it. */
[[nodiscard]] enum prune prune_block(struct source *source, const struct program *program,
				     uint32_t step, uint32_t block);
