/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * eval: run a program's steps over a batch.
 *
 * Layer 5 (service/expression). Belongs to one thread. Conditions come out as two sets of entries, everything else as a vector.
 * A step over one field that is a dictionary is run once per entry of the dictionary that is met, then looked up by code.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/exec.h"
#include "service/expression/program.h"
#include "service/vector/batch.h"

constexpr size_t EVAL_ERROR = 256;

struct eval;

/* Make room for a program's vectors over n_fields fields; they are allocated as they are needed. Returns 0 or -ENOMEM. */
[[nodiscard]] int eval_new(const struct program *program, uint32_t n_fields, struct eval **ret);

/* Have these asked while it evaluates; borrowed as long as it lives. */
void eval_limit(struct eval *eval, const struct query_limits *limits);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct eval *eval_free(struct eval *eval);
CLEANUP_FN(struct eval, eval_free)

/* Go to a batch, borrowed until the next call. What was evaluated before is stale. */
void eval_begin(struct eval *eval, const struct batch *batch);

/*
 * Evaluate a step for selected entries.
 *
 * ret  belongs to eval, valid until the same step is evaluated again or eval_begin()
 *
 * Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT, PIPE_FAILED, PIPE_UNSUITED, PIPE_DAMAGED, or -errno.
 */
[[nodiscard]] int eval_value(struct eval *eval, uint32_t step, const struct set *selection,
			     const struct vector **ret);

/* A field's values, at least of the selected entries. Returns as eval_value(). */
[[nodiscard]] int eval_field(struct eval *eval, uint32_t field, const struct set *selection,
			     const struct vector **ret);

/* Evaluate a condition. Returns as eval_value(). */
[[nodiscard]] int eval_truth(struct eval *eval, uint32_t step, const struct set *selection,
			     struct truth *ret);

/* Leave in selection only the entries for which a condition is TRUE. Returns as eval_value(). */
[[nodiscard]] int eval_filter(struct eval *eval, uint32_t step, struct set *selection);

/* The sentence that goes with PIPE_FAILED. */
[[nodiscard]] const char *eval_error(const struct eval *eval);

/* The place of what failed. */
[[nodiscard]] struct place eval_place(const struct eval *eval);
