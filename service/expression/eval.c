/* SPDX-License-Identifier: Apache-2.0 */
#include "service/expression/eval.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/expression/eval_internal.h"
#include "service/expression/memo.h"

constexpr uint64_t WORK_BETWEEN = 262'144; /* bytes between two looks at the limits */
constexpr size_t STEP_WORK = 16'384;	   /* what a step over a batch counts for */
constexpr size_t CALL_WORK = 2048; /* what having SQLite call a function for one entry counts for */

/* What evaluates an operation: one of the two; memo: worth to be done once per entry of a dictionary. */
static const struct {
	value_fn *value;
	truth_fn *truth;
	bool memo;
} OPERATIONS[OP_COUNT] = {
	[OP_EQ] = { nullptr, eval_compare, true },
	[OP_NE] = { nullptr, eval_compare, true },
	[OP_LT] = { nullptr, eval_compare, true },
	[OP_LE] = { nullptr, eval_compare, true },
	[OP_GT] = { nullptr, eval_compare, true },
	[OP_GE] = { nullptr, eval_compare, true },
	[OP_AND] = { nullptr, eval_and, false },
	[OP_OR] = { nullptr, eval_or, false },
	[OP_NOT] = { nullptr, eval_not, false },
	[OP_IS_NULL] = { nullptr, eval_is, false },
	[OP_IS_MISSING] = { nullptr, eval_is, false },
	[OP_IS_TRUE] = { nullptr, eval_is, false },
	[OP_IS_FALSE] = { nullptr, eval_is, false },
	[OP_TRUTH] = { nullptr, eval_as_condition, false },
	[OP_IN] = { nullptr, eval_in, true },
	[OP_LIKE] = { nullptr, eval_like, true },
	[OP_ADD] = { eval_arithmetic, nullptr, true },
	[OP_SUBTRACT] = { eval_arithmetic, nullptr, true },
	[OP_MULTIPLY] = { eval_arithmetic, nullptr, true },
	[OP_DIVIDE] = { eval_arithmetic, nullptr, true },
	[OP_MODULO] = { eval_arithmetic, nullptr, true },
	[OP_NEGATE] = { eval_negate, nullptr, true },
	[OP_IF] = { eval_if, nullptr, true },
	[OP_COALESCE] = { eval_coalesce, nullptr, true },
	[OP_PARSE_TIMESTAMP] = { eval_parse, nullptr, true },
	[OP_PARSE_DATETIME] = { eval_parse, nullptr, true },
	[OP_PARSE_DATE] = { eval_parse, nullptr, true },
	[OP_DATE_TRUNC] = { eval_date_trunc, nullptr, true },
	[OP_TIME_BUCKET] = { eval_time_bucket, nullptr, true },
	[OP_EXTRACT] = { eval_extract, nullptr, true },
	[OP_ARRAY_CONTAINS] = { nullptr, eval_array_contains, false },
	[OP_LENGTH] = { eval_length, nullptr, true },
	[OP_LOWER] = { eval_case, nullptr, true },
	[OP_UPPER] = { eval_case, nullptr, true },
	[OP_SUBSTR] = { eval_substr, nullptr, true },
	[OP_CONCAT] = { eval_concat, nullptr, true },
	[OP_CALL] = { eval_call, nullptr, true },
};

int eval_new(const struct program *program, uint32_t n_fields, struct eval **ret)
{
	cleanup(eval_free_at) struct eval *eval = calloc(1, sizeof(*eval));

	if (!eval)
		return -ENOMEM;
	eval->program = program;
	eval->n_fields = n_fields;
	eval->slot = calloc(program->n + 1, sizeof(struct vector *));
	eval->field = calloc(n_fields + 1, sizeof(struct vector *));
	eval->loaded = calloc(n_fields + 1, sizeof(*eval->loaded));
	eval->memo = calloc(program->n + 1, sizeof(*eval->memo));
	if (!eval->slot || !eval->field || !eval->loaded || !eval->memo)
		return -ENOMEM;
	*ret = TAKE(eval);
	return 0;
}

void eval_limit(struct eval *eval, const struct query_limits *limits)
{
	eval->limits = limits;
}

int eval_work(struct eval *eval, size_t bytes)
{
	eval->work += bytes;
	if (eval->work < WORK_BETWEEN || !eval->limits)
		return 0;
	eval->work = 0;
	return query_limits_check(eval->limits);
}

struct eval *eval_free(struct eval *eval)
{
	if (!eval)
		return nullptr;
	for (uint32_t i = 0; i < eval->program->n; i++) {
		if (eval->slot)
			vector_free(eval->slot[i]);
		if (eval->memo)
			memo_done(&eval->memo[i]);
	}
	for (uint32_t i = 0; eval->field && i < eval->n_fields; i++)
		vector_free(eval->field[i]);
	free(eval->slot);
	free(eval->field);
	free(eval->loaded);
	free(eval->memo);
	free(eval);
	return nullptr;
}

void eval_begin(struct eval *eval, const struct batch *batch)
{
	eval->batch = batch;
	if (eval->n_fields > 0)
		memset(eval->loaded, 0, eval->n_fields * sizeof(*eval->loaded));
}

const char *eval_error(const struct eval *eval)
{
	return eval->error;
}

struct place eval_place(const struct eval *eval)
{
	return eval->place;
}

int eval_fail(struct eval *eval, const struct step *step, const char *format, ...)
{
	va_list args;

	eval->place = step->node->at;
	va_start(args, format);
	(void)vsnprintf(eval->error, sizeof(eval->error), format, args);
	va_end(args);
	return PIPE_FAILED;
}

/* Whether a field has been read for these entries. */
static bool covers(const struct vector *vector, const struct set *selection)
{
	struct set missing = set_minus(selection, &vector->have);

	return vector->full || !set_any(&missing);
}

int eval_field(struct eval *eval, uint32_t field, const struct set *selection,
	       const struct vector **ret)
{
	struct vector **at = &eval->field[field];
	int r = *at ? 0 : vector_new(at);

	if (r)
		return r;
	bool again = eval->loaded[field];
	if (!again || !covers(*at, selection)) {
		struct set want = again ? set_or(selection, &(*at)->have) : *selection;

		eval->loaded[field] = false;
		if (again)
			vector_set_kind(*at, KIND_NULL); /* others have borrowed its strings */
		else
			vector_reset(*at);
		r = eval->batch->ops->load(eval->batch->userdata, field, &want, *at);
		if (r)
			return r;
		(*at)->have = want;
		eval->loaded[field] = true;
	}
	*ret = *at;
	return 0;
}

/* A step's own vector, reset. */
static int get_slot(struct eval *eval, uint32_t step, struct vector **ret)
{
	struct vector **at = &eval->slot[step];
	int r = *at ? 0 : vector_new(at);

	if (r)
		return r;
	vector_reset(*at);
	*ret = *at;
	return 0;
}

/* A condition's outcome as values. */
static void from_truth(const struct truth *truth, struct vector *ret)
{
	uint32_t i;

	vector_set_kind(ret, KIND_FALSE);
	SET_EACH(&truth->yes, i)
	ret->kinds[i] = KIND_TRUE;
	SET_EACH(&truth->null, i)
	ret->kinds[i] = KIND_NULL;
}

/* Values that must be conditions as an outcome. */
static int to_truth(struct eval *eval, const struct step *step, const struct vector *value,
		    const struct set *selection, struct truth *ret)
{
	uint8_t yes[COLUMN_BLOCK], null[COLUMN_BLOCK], other[COLUMN_BLOCK];

	for (uint32_t i = 0; i < COLUMN_BLOCK; i++) {
		yes[i] = value->kinds[i] == KIND_TRUE;
		null[i] = value->kinds[i] <= KIND_NULL;
		other[i] = value->kinds[i] > KIND_TRUE;
	}
	struct set set = set_from_bytes(other);
	set = set_and(&set, selection);
	uint32_t i;
	SET_EACH(&set, i)
	return eval_fail(eval, step, "A condition must be a bool, not %s.",
			 cell_type_name((enum kind)value->kinds[i]));
	set = set_from_bytes(yes);
	ret->yes = set_and(&set, selection);
	set = set_from_bytes(null);
	ret->null = set_and(&set, selection);
	return 0;
}

/* Whether a step is to be run through its field's dictionary: *ret is then the field. */
static int find_dictionary(struct eval *eval, const struct step *step, const struct set *selection,
			   const struct vector **ret)
{
	*ret = nullptr;
	if (eval->inside || step->field == PROGRAM_NONE || !OPERATIONS[step->op].memo)
		return 0;
	const struct batch *batch = eval->batch;
	if (!eval->loaded[step->field] && batch->ops->coded &&
	    !batch->ops->coded(batch->userdata, step->field, selection))
		return 0; /* there may be a shorter way than to load it */
	const struct vector *field;
	int r = eval_field(eval, step->field, selection, &field);
	if (r || !field->dictionary)
		return r;
	bool direct = step->op <= OP_GE && program_is_simple(eval->program, step) &&
		      field->dictionary->sorted;
	if (!direct && memo_suits(field, selection))
		*ret = field;
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the plan's expressions, which the parser bounds. */

/* Evaluate without a memo. */
static int compute_value(struct eval *eval, uint32_t index, const struct set *selection,
			 struct vector *ret)
{
	const struct step *step = &eval->program->step[index];

	if (OPERATIONS[step->op].value) {
		int r = OPERATIONS[step->op].value(eval, step, selection, ret);

		return r;
	}
	struct truth truth = {};
	int r = OPERATIONS[step->op].truth(eval, step, selection, &truth);
	if (r)
		return r;
	from_truth(&truth, ret);
	vector_settle(ret, selection);
	return 0;
}

int eval_value(struct eval *eval, uint32_t index, const struct set *selection,
	       const struct vector **ret)
{
	const struct step *step = &eval->program->step[index];
	const struct vector *field = nullptr;
	struct vector *slot = nullptr;

	if (step->op == OP_FIELD)
		return eval_field(eval, step->field, selection, ret);
	if (step->op == OP_CONSTANT && eval->slot[index]) {
		*ret = eval->slot[index];
		return 0;
	}
	int r = eval_work(eval, STEP_WORK);

	r = r ? r : find_dictionary(eval, step, selection, &field);
	r = r ? r : get_slot(eval, index, &slot);
	if (r)
		return r;
	if (step->op == OP_CONSTANT)
		vector_fill(slot, &step->node->constant);
	else if (field)
		r = memo_value(eval, index, field, selection, slot);
	else
		r = compute_value(eval, index, selection, slot);
	*ret = slot;
	return r;
}

int eval_compute(struct eval *eval, uint32_t index, const struct set *selection,
		 const struct vector **ret)
{
	struct vector *slot = nullptr;
	int r = get_slot(eval, index, &slot);

	r = r ? r : compute_value(eval, index, selection, slot);
	*ret = slot;
	return r;
}

int eval_truth(struct eval *eval, uint32_t index, const struct set *selection, struct truth *ret)
{
	const struct step *step = &eval->program->step[index];
	const struct vector *field = nullptr, *value;

	*ret = (struct truth) {};
	if (!set_any(selection))
		return 0;
	int r = eval_work(eval, STEP_WORK);

	r = r ? r : find_dictionary(eval, step, selection, &field);
	if (r)
		return r;
	if (!field && OPERATIONS[step->op].truth)
		return OPERATIONS[step->op].truth(eval, step, selection, ret);
	r = eval_value(eval, index, selection, &value);
	return r ? r : to_truth(eval, step, value, selection, ret);
}

int eval_as_condition(struct eval *eval, const struct step *step, const struct set *selection,
		      struct truth *ret)
{
	return eval_truth(eval, step->arg[0], selection, ret);
}

int eval_filter(struct eval *eval, uint32_t index, struct set *selection)
{
	const struct step *step = &eval->program->step[index];
	struct truth truth;
	int r = 0;

	for (uint32_t i = 0; step->op == OP_AND && i < step->n_args && r == 0; i++)
		r = eval_filter(eval, step->arg[i], selection);
	if (r || step->op == OP_AND)
		return r;
	r = eval_truth(eval, index, selection, &truth);
	if (r == 0)
		*selection = truth.yes;
	return r;
}

/* Call fn for one entry with its arguments. */
static int call_one(struct eval *eval, const struct step *step, const struct vector *const *arg,
		    uint32_t i, cell_fn *fn, struct vector *ret)
{
	struct cell cells[16], result = { .kind = KIND_NULL };
	struct cell *cell = cells;
	auto_free struct cell *many = nullptr;

	if (step->n_args > countof(cells)) {
		many = calloc(step->n_args, sizeof(*many));
		if (!many)
			return -ENOMEM;
		cell = many;
	}
	size_t bytes = step->op == OP_CALL ? CALL_WORK : 0;

	for (uint32_t a = 0; a < step->n_args; a++) {
		vector_cell(arg[a], i, &cell[a]);
		bytes += cell[a].s.len;
	}
	int r = eval_work(eval, bytes);
	r = r ? r : fn(eval, step, cell, &result, &ret->room);
	if (r == 0)
		vector_put(ret, i, &result);
	return r;
}

int eval_each(struct eval *eval, const struct step *step, const struct set *selection, cell_fn *fn,
	      struct vector *ret)
{
	const struct vector *arg[EVAL_ARGS_MAX];
	struct set left = *selection;
	uint32_t i;

	if (step->n_args > EVAL_ARGS_MAX)
		return PIPE_UNSUITED;
	for (uint32_t a = 0; a < step->n_args; a++) {
		int r = arg_value(eval, step, a, selection, &arg[a]);

		if (r)
			return r;
		if (step->op == OP_CALL)
			continue;
		struct set null = vector_nulls(arg[a], selection);
		left = set_minus(&left, &null);
	}
	SET_EACH(&left, i)
	{
		int r = call_one(eval, step, arg, i, fn, ret);

		if (r)
			return r;
	}
	vector_settle(ret, selection);
	ret->full = false;
	return 0;
}

/* NOLINTEND(misc-no-recursion) */
