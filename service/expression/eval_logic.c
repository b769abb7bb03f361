/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/expression/eval_internal.h"

/* NOLINTBEGIN(misc-no-recursion): as deep as the plan's expressions, which the parser bounds. */

int eval_and(struct eval *eval, const struct step *step, const struct set *selection,
	     struct truth *ret)
{
	struct set open = *selection; /* not FALSE so far */
	struct set null = {};

	for (uint32_t i = 0; i < step->n_args; i++) {
		struct truth one;
		int r = eval_truth(eval, step->arg[i], &open, &one);

		if (r)
			return r;
		null = set_or(&null, &one.null);
		open = set_or(&one.yes, &one.null);
	}
	ret->null = set_and(&open, &null);
	ret->yes = set_minus(&open, &null);
	return 0;
}

int eval_or(struct eval *eval, const struct step *step, const struct set *selection,
	    struct truth *ret)
{
	struct set open = *selection; /* not TRUE so far */

	for (uint32_t i = 0; i < step->n_args; i++) {
		struct truth one;
		int r = eval_truth(eval, step->arg[i], &open, &one);

		if (r)
			return r;
		ret->yes = set_or(&ret->yes, &one.yes);
		ret->null = set_or(&ret->null, &one.null);
		open = set_minus(&open, &one.yes);
	}
	ret->null = set_minus(&ret->null, &ret->yes);
	return 0;
}

int eval_not(struct eval *eval, const struct step *step, const struct set *selection,
	     struct truth *ret)
{
	struct truth one;
	int r = eval_truth(eval, step->arg[0], selection, &one);

	if (r)
		return r;
	struct set rest = set_minus(selection, &one.yes);
	ret->yes = set_minus(&rest, &one.null);
	ret->null = one.null;
	return 0;
}

/* IS NULL, IS MISSING of values; IS TRUE, IS FALSE of conditions. None is ever NULL. */
int eval_is(struct eval *eval, const struct step *step, const struct set *selection,
	    struct truth *ret)
{
	const struct vector *value;
	struct truth one;
	int r;

	if (step->op == OP_IS_TRUE || step->op == OP_IS_FALSE) {
		r = eval_truth(eval, step->arg[0], selection, &one);
		if (r)
			return r;
		struct set rest = set_minus(selection, &one.yes);
		ret->yes = step->op == OP_IS_TRUE ? one.yes : set_minus(&rest, &one.null);
		return 0;
	}
	r = arg_value(eval, step, 0, selection, &value);
	if (r)
		return r;
	if (step->op == OP_IS_NULL) {
		ret->yes = vector_nulls(value, selection);
		return 0;
	}
	uint8_t yes[COLUMN_BLOCK];
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		yes[i] = value->kinds[i] == KIND_MISSING;
	struct set set = set_from_bytes(yes);
	ret->yes = set_and(&set, selection);
	return 0;
}

/* Copy selected entries of one vector into another. Strings are borrowed. */
static void copy_entries(const struct vector *from, const struct set *selection, struct vector *to)
{
	uint32_t i;

	SET_EACH(selection, i)
	{
		struct cell cell;

		vector_cell(from, i, &cell);
		vector_put(to, i, &cell);
	}
}

int eval_if(struct eval *eval, const struct step *step, const struct set *selection,
	    struct vector *ret)
{
	const struct vector *value;
	struct truth one;
	int r = eval_truth(eval, step->arg[0], selection, &one);

	if (r)
		return r;
	if (set_any(&one.yes)) {
		r = arg_value(eval, step, 1, &one.yes, &value);
		if (r)
			return r;
		copy_entries(value, &one.yes, ret);
	}
	struct set rest = set_minus(selection, &one.yes);
	if (step->n_args > 2 && set_any(&rest)) {
		r = arg_value(eval, step, 2, &rest, &value);
		if (r)
			return r;
		copy_entries(value, &rest, ret);
	}
	vector_settle(ret, selection);
	ret->full = false;
	return 0;
}

int eval_coalesce(struct eval *eval, const struct step *step, const struct set *selection,
		  struct vector *ret)
{
	struct set open = *selection;

	for (uint32_t i = 0; i < step->n_args && set_any(&open); i++) {
		const struct vector *value;
		int r = arg_value(eval, step, i, &open, &value);

		if (r)
			return r;
		struct set null = vector_nulls(value, &open);
		struct set found = set_minus(&open, &null);
		copy_entries(value, &found, ret);
		open = null;
	}
	vector_settle(ret, selection);
	ret->full = false;
	return 0;
}

/* NOLINTEND(misc-no-recursion) */
