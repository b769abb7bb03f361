/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * eval_internal: what the parts of eval share.
 *
 * Layer 5 (service/expression). Only for eval*.c.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/column/kernel.h"
#include "service/crew/exec.h"
#include "service/expression/eval.h"

/* What a step has come to for each entry of a dictionary. */
struct memo {
	uint64_t dictionary; /* its id; 0: none yet */
	uint32_t n, size;    /* its entries, and behind them one for NULL and one for MISSING */
	uint8_t *kind;	     /* MEMO_UNKNOWN: not evaluated yet */
	int64_t *ints;	     /* of KINDS_INTS, and the bits of floats */
	struct str *strs;
	struct pile room;
	struct dictionary result; /* strs as a dictionary */
};

struct eval {
	const struct program *program;
	uint32_t n_fields;
	const struct batch *batch;
	struct vector **slot;		   /* [program->n] */
	struct vector **field;		   /* [n_fields] */
	bool *loaded;			   /* [n_fields] for this batch and the whole block */
	struct memo *memo;		   /* [program->n] */
	bool inside;			   /* a memo is being filled */
	pthread_mutex_t *held;		   /* a call's lock, or nullptr */
	uint64_t last_id;		   /* of the memos' dictionaries; counts down */
	const struct query_limits *limits; /* or nullptr */
	uint64_t work;			   /* bytes looked at since the limits were asked */
	char error[EVAL_ERROR];
	struct place place; /* of the step that failed */
};

/* Evaluate into ret, which has been reset. */
typedef int value_fn(struct eval *eval, const struct step *step, const struct set *selection,
		     struct vector *ret);
/* ret has been zeroed. */
typedef int truth_fn(struct eval *eval, const struct step *step, const struct set *selection,
		     struct truth *ret);

/* Fail the query with a sentence, at the place of a step. Returns PIPE_FAILED. */
[[gnu::format(printf, 3, 4)]] int eval_fail(struct eval *eval, const struct step *step,
					    const char *format, ...);

/* The step that an argument is. */
static inline const struct step *arg_step(const struct eval *eval, const struct step *step,
					  uint32_t i)
{
	return &eval->program->step[step->arg[i]];
}

/* Evaluate an argument. */
[[nodiscard]] static inline int arg_value(struct eval *eval, const struct step *step, uint32_t i,
					  const struct set *selection, const struct vector **ret)
{
	return eval_value(eval, step->arg[i], selection, ret);
}

/* Count what has been done, in bytes or so, and ask the limits after a millisecond of it. Returns 0, PIPE_CANCELLED or PIPE_TIMEOUT. */
[[nodiscard]] int eval_work(struct eval *eval, size_t bytes);

/* As eval_value(), but without looking at dictionaries; for memo.c. */
[[nodiscard]] int eval_compute(struct eval *eval, uint32_t step, const struct set *selection,
			       const struct vector **ret);

/* For each entry where no argument is NULL call fn; the others are NULL. A function's frame. */
typedef int cell_fn(struct eval *eval, const struct step *step, const struct cell *arg,
		    struct cell *ret, struct pile *room);
[[nodiscard]] int eval_each(struct eval *eval, const struct step *step, const struct set *selection,
			    cell_fn *fn, struct vector *ret);

constexpr uint32_t EVAL_ARGS_MAX = 128; /* of functions; AND, OR, IN and COALESCE have no bound */

/* One outcome into a struct truth: a kind of TRUE, FALSE, NULL. */
static inline void truth_put(struct truth *truth, uint32_t i, bool yes, bool null)
{
	truth->yes.word[i / 64] |= (uint64_t)(yes && !null) << (i % 64);
	truth->null.word[i / 64] |= (uint64_t)null << (i % 64);
}

/* Do what can be done of a call here. Returns whether it could be. */
[[nodiscard]] bool native_cell(const struct node *node, const struct cell *arg, struct cell *ret);

/* The operations, by file. */
truth_fn eval_compare, eval_in, eval_and, eval_or, eval_not, eval_is, eval_as_condition, eval_like,
	eval_array_contains;
value_fn eval_arithmetic, eval_negate, eval_if, eval_coalesce, eval_parse, eval_date_trunc,
	eval_time_bucket, eval_extract, eval_length, eval_case, eval_substr, eval_concat, eval_call;
