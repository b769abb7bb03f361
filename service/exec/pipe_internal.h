/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pipe_internal: what the kinds of pipes share.
 *
 * Layer 5 (service/exec). Only for pipe*.c. A kind makes rows of cells; pipe.c counts them and hands them out.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/query.h"
#include "service/exec/pipe.h"
#include "service/exec/prepared.h"
#include "service/exec/run.h"

struct pipe_kind {
	/* Make the state; nothing is read yet. */
	int (*open)(struct pipe *pipe);
	/* The next row into pipe->cell. Returns as pipe_next(). */
	int (*next)(struct pipe *pipe);
	/* Begin again. */
	void (*rewind)(struct pipe *pipe);
	void (*close)(struct pipe *pipe);
};

struct pipe {
	struct exec_query *query;
	const struct plan *plan;
	struct prepared prepared;
	struct run run;
	const struct pipe_kind *kind;
	void *state;	   /* the kind's */
	struct cell *cell; /* [width] */
	uint32_t width;
	int64_t given; /* rows handed out */
	int result;    /* of an earlier failure; 0: none */
};

extern const struct pipe_kind PIPE_ROWS, PIPE_GROUPS, PIPE_TOP, PIPE_SORT;
