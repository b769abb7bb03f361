/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * prepared: a plan made ready to run: its expressions as a program, its filter taken apart.
 *
 * Layer 5 (service/exec). Made by one thread, then read by many.
 *
 * A pipe's rows come about in stages: 0 is the rows of the scanned collection, then UNNEST's elements if there is one, then
 * one stage for each join. A part of the filter is applied at the first stage that has all its fields.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/expression/plan.h"
#include "service/expression/program.h"

struct conjunct {
	uint32_t step;
	uint32_t stage;
};

struct prepared {
	const struct plan *plan;
	struct program program;
	struct field *field; /* [n_fields] the plan's, and the unnested array as the last */
	uint32_t n_fields;
	uint32_t array; /* index of that one, or UINT32_MAX */
	uint32_t n_stages;
	struct conjunct *conjunct; /* [n_conjuncts] what AND puts together, by stage */
	uint32_t n_conjuncts;
	uint32_t *output;    /* [plan->n_outputs] steps */
	uint32_t *aggregate; /* [plan->n_aggregates] steps; PROGRAM_NONE: rows are counted */
	uint32_t *outer_key; /* [plan->n_joins] steps */
};

/* Prepare. plan is borrowed. Returns 0, PIPE_UNSUITED, or -ENOMEM; prepared_done() is to be called in any case. */
[[nodiscard]] int prepared_init(struct prepared *prepared, const struct plan *plan);

/* Free what it owns. */
void prepared_done(struct prepared *prepared);

/* The stage at which a field is there. */
[[nodiscard]] uint32_t prepared_stage(const struct prepared *prepared, const struct field *field);

/*
 * Which fields are referred to from a stage on: by what is left of the filter, the keys of later joins, and what comes out. Of
 * a join's stage its own key is one of these, for it is evaluated over the stage before.
 *
 * ret  [n_fields] set to true for those; the others are left alone
 */
void prepared_needed(const struct prepared *prepared, uint32_t stage, bool *ret);
