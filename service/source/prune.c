/* SPDX-License-Identifier: Apache-2.0 */
#include "service/source/prune.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/filter.h"
#include "service/column/hash.h"
#include "service/value/match.h"

constexpr uint32_t MEMBERS_MAX = 64; /* of an IN that are each looked for */

/* What a comparison comes to for values from min to max. */
static enum prune by_bounds(enum operation op, int min, int max, bool nulls)
{
	/* min, max: how the least and the greatest value compare with the constant */
	bool none = false, all = false;

	switch ((int)op) {
	case OP_EQ:
		none = min > 0 || max < 0;
		all = min == 0 && max == 0;
		break;
	case OP_NE:
		none = min == 0 && max == 0;
		all = min > 0 || max < 0;
		break;
	case OP_LT:
		none = min >= 0;
		all = max < 0;
		break;
	case OP_LE:
		none = min > 0;
		all = max <= 0;
		break;
	case OP_GT:
		none = max <= 0;
		all = min > 0;
		break;
	case OP_GE:
		none = max < 0;
		all = min >= 0;
		break;
	default:
		break;
	}
	return none ? PRUNE_NONE : all && !nulls ? PRUNE_ALL : PRUNE_SOME;
}

/* The first 8 bytes of a string as statistics have them. */
static uint64_t prefix_of(const struct str *text)
{
	uint64_t prefix = 0;

	for (uint32_t i = 0; i < 8; i++)
		prefix = prefix << 8 | (i < text->len ? (uint8_t)text->at[i] : 0);
	return prefix;
}

static enum prune by_text(enum operation op, const struct chunk_column *about,
			  const struct str *text)
{
	uint64_t prefix = prefix_of(text);
	bool low = prefix<about->text_min, high = prefix> about->text_max;
	bool none = (op == OP_EQ && (low || high)) || ((op == OP_LT || op == OP_LE) && low) ||
		    ((op == OP_GT || op == OP_GE) && high);

	return none ? PRUNE_NONE : PRUNE_SOME;
}

/* A comparison of a value with one that it has no order with: only that they are not equal is true. */
static enum prune by_unlike(enum operation op, bool nulls)
{
	return op != OP_NE ? PRUNE_NONE : nulls ? PRUNE_SOME : PRUNE_ALL;
}

/* As by_bounds(), for the least and the greatest value. */
static enum prune by_cells(enum operation op, const struct cell *min, const struct cell *max,
			   const struct cell *constant, bool nulls)
{
	int low = cell_match(min, constant), high = cell_match(max, constant);

	if (low == MATCH_UNLIKE || high == MATCH_UNLIKE)
		return by_unlike(op, nulls);
	return by_bounds(op, low, high, nulls);
}

/* A comparison with a constant by the column's statistics. */
static enum prune by_statistics(enum operation op, const struct chunk_column *about,
				const struct cell *constant)
{
	kind_set values = about->kinds & (kind_set)~KINDS_NULLS;
	bool nulls = (about->kinds & KINDS_NULLS) != 0 || about->has_nan;
	struct cell min = { .kind = KIND_NULL }, max = min;

	if (values == 0 || cell_is_null(constant))
		return PRUNE_NONE;
	if ((values & (values - 1)) != 0)
		return PRUNE_SOME;
	auto kind = (enum kind)stdc_trailing_zeros((unsigned int)values);
	if (KINDS_INTS >> kind & 1) {
		min = (struct cell) { .kind = kind, .i = about->int_min };
		max = (struct cell) { .kind = kind, .i = about->int_max };
	} else if (kind == KIND_FLOAT && about->float_min <= about->float_max) {
		min = (struct cell) { .kind = kind, .f = about->float_min };
		max = (struct cell) { .kind = kind, .f = about->float_max };
	} else if (kind == KIND_STRING && constant->kind == KIND_STRING) {
		return by_text(op, about, &constant->s);
	} else if (kind == KIND_STRING && !(KINDS_MOMENTS >> constant->kind & 1)) {
		return by_unlike(op, nulls);
	} else {
		return PRUNE_SOME;
	}
	return by_cells(op, &min, &max, constant, nulls);
}

/* Whether a value can be equal to others of another kind. */
static bool has_alikes(kind_set kinds, const struct cell *cell)
{
	kind_set own = (kind_set)(1u << cell->kind);
	bool moment = KINDS_MOMENTS >> cell->kind & 1;

	if (cell->kind == KIND_STRING)
		return (kinds & KINDS_MOMENTS) != 0;
	return moment && (kinds & (KINDS_MOMENTS | 1u << KIND_STRING) & ~own) != 0;
}

/* Whether the column's filter lets a value through. */
static bool may_have(const struct column *column, const struct cell *cell)
{
	if (cell->kind == KIND_STRING || cell->kind == KIND_BYTES)
		return column_may_have(column,
				       column_hash_text(cell->kind, cell->s.at, cell->s.len));
	if (cell->kind == KIND_FLOAT)
		return column_may_have(column, column_hash_float(cell->f));
	if (KINDS_INTS >> cell->kind & 1)
		return column_may_have(column, column_hash_int(cell->kind, cell->i));
	return true;
}

/* field = constant */
static int judge_equal(struct source *source, uint32_t field, const struct cell *constant,
		       enum prune *ret)
{
	const struct chunk_column *about = source_about(source, field);
	const struct column *column;

	*ret = about ? by_statistics(OP_EQ, about, constant) : PRUNE_NONE;
	if (*ret != PRUNE_SOME || about->lane[LANE_FILTER].len == 0 ||
	    has_alikes(about->kinds, constant))
		return 0;
	int r = source_lookup(source, field, 1u << LANE_FILTER, &column);
	if (r == 0 && !may_have(column, constant))
		*ret = PRUNE_NONE;
	return r;
}

static int judge_compare(struct source *source, const struct program *program,
			 const struct step *step, enum prune *ret)
{
	if (!program_is_simple(program, step))
		return 0;
	uint32_t field = program->step[step->arg[0]].field;
	const struct cell *constant = &program->step[step->arg[1]].node->constant;
	const struct chunk_column *about = source_about(source, field);
	if (step->op == OP_EQ)
		return judge_equal(source, field, constant, ret);
	*ret = about ? by_statistics(step->op, about, constant) : PRUNE_NONE;
	return 0;
}

static int judge_in(struct source *source, const struct program *program, const struct step *step,
		    enum prune *ret)
{
	const struct step *arg = &program->step[step->arg[0]];

	if (arg->op != OP_FIELD || step->n_args != 1 || step->n_members > MEMBERS_MAX)
		return 0;
	for (uint32_t i = 0; i < step->n_members; i++) {
		enum prune one;
		int r = judge_equal(source, arg->field, &step->member[i], &one);

		if (r || one != PRUNE_NONE)
			return r;
	}
	*ret = PRUNE_NONE;
	return 0;
}

/* IS NULL, IS MISSING of a field. */
static enum prune judge_is(const struct source *source, const struct program *program,
			   const struct step *step)
{
	const struct step *arg = &program->step[step->arg[0]];
	kind_set want = step->op == OP_IS_NULL ? KINDS_NULLS : 1u << KIND_MISSING;

	if (arg->op != OP_FIELD)
		return PRUNE_SOME;
	const struct chunk_column *about = source_about(source, arg->field);
	if (!about || (about->kinds & ~want) == 0)
		return PRUNE_ALL;
	bool nan = about->has_nan && step->op == OP_IS_NULL;
	return (about->kinds & want) == 0 && !nan ? PRUNE_NONE : PRUNE_SOME;
}

/* As the builder hashes the runs of LANE_GRAMS. */
static uint64_t hash_gram(const char gram[3])
{
	return hash_stable_int((uint8_t)gram[0] | (int64_t)(uint8_t)gram[1] << 8 |
			       (int64_t)(uint8_t)gram[2] << 16);
}

/* %needle%: every three bytes of it must be in the filter. */
static int judge_like(struct source *source, const struct program *program, const struct step *step,
		      enum prune *ret)
{
	const struct step *arg = &program->step[step->arg[0]];
	const struct column *column;

	if (arg->op != OP_FIELD)
		return 0;
	const struct chunk_column *about = source_about(source, arg->field);
	if (!about || !(about->kinds >> KIND_STRING & 1)) {
		*ret = PRUNE_NONE;
		return 0;
	}
	if (step->needle.len < 3 || about->lane[LANE_GRAMS].len == 0)
		return 0;
	int r = source_lookup(source, arg->field, 1u << LANE_GRAMS, &column);
	for (uint32_t i = 0; r == 0 && i + 3 <= step->needle.len; i++)
		if (!filter_may_have(column->grams, column->grams_len,
				     hash_gram(step->needle.at + i)))
			*ret = PRUNE_NONE;
	return r;
}

/* NOLINTBEGIN(misc-no-recursion): the plan's depth, which the parser bounds. */

/* OR, AND: each argument counts. */
static int judge_parts(struct source *source, const struct program *program,
		       const struct step *step, enum prune *ret)
{
	enum prune strong = step->op == OP_OR ? PRUNE_ALL : PRUNE_NONE;
	enum prune weak = step->op == OP_OR ? PRUNE_NONE : PRUNE_ALL;
	bool all_weak = step->n_args > 0;

	for (uint32_t i = 0; i < step->n_args; i++) {
		enum prune one;
		int r = prune_chunk(source, program, step->arg[i], &one);

		if (r)
			return r;
		if (one == strong) {
			*ret = strong;
			return 0;
		}
		all_weak &= one == weak;
	}
	if (all_weak)
		*ret = weak;
	return 0;
}

int prune_chunk(struct source *source, const struct program *program, uint32_t index,
		enum prune *ret)
{
	const struct step *step = &program->step[index];

	*ret = PRUNE_SOME;
	if (step->op >= OP_EQ && step->op <= OP_GE)
		return judge_compare(source, program, step, ret);
	if (step->op == OP_AND || step->op == OP_OR)
		return judge_parts(source, program, step, ret);
	if (step->op == OP_IN)
		return judge_in(source, program, step, ret);
	if (step->op == OP_LIKE)
		return judge_like(source, program, step, ret);
	if (step->op == OP_IS_NULL || step->op == OP_IS_MISSING)
		*ret = judge_is(source, program, step);
	const struct step *arg = step->n_args > 0 ? &program->step[step->arg[0]] : nullptr;
	if (step->op == OP_NOT && (arg->op == OP_IS_NULL || arg->op == OP_IS_MISSING)) {
		enum prune one = judge_is(source, program, arg);

		*ret = one == PRUNE_NONE ? PRUNE_ALL : one == PRUNE_ALL ? PRUNE_NONE : PRUNE_SOME;
	}
	if (step->op == OP_TRUTH && arg->op == OP_FIELD && !source_about(source, arg->field))
		*ret = PRUNE_NONE;
	return 0;
}

/* NOLINTEND(misc-no-recursion) */

enum prune prune_block(struct source *source, const struct program *program, uint32_t index,
		       uint32_t block)
{
	const struct step *step = &program->step[index];
	int64_t min, max;

	if (step->op > OP_GE || step->op < OP_EQ || !program_is_simple(program, step))
		return PRUNE_SOME;
	uint32_t field = program->step[step->arg[0]].field;
	const struct cell *constant = &program->step[step->arg[1]].node->constant;
	const struct chunk_column *about = source_about(source, field);
	kind_set values = about ? about->kinds & (kind_set)~KINDS_NULLS : 0;
	if ((values & (values - 1)) != 0 || !source_bounds(source, field, block, &min, &max))
		return PRUNE_SOME;
	auto kind = (enum kind)stdc_trailing_zeros((unsigned int)values);
	struct cell low = { .kind = kind, .i = min }, high = { .kind = kind, .i = max };
	return by_cells(step->op, &low, &high, constant, (about->kinds & KINDS_NULLS) != 0);
}
