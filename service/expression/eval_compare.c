/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/expression/eval_internal.h"
#include "service/value/civil.h"
#include "service/value/match.h"

/* The same comparison with its sides changed. */
static enum operation mirrored(enum operation op)
{
	switch ((int)op) {
	case OP_LT:
		return OP_GT;
	case OP_LE:
		return OP_GE;
	case OP_GT:
		return OP_LT;
	case OP_GE:
		return OP_LE;
	default:
		return op;
	}
}

/* Whether an order (< 0, 0, > 0) satisfies a comparison. */
static bool holds(enum operation op, int order)
{
	switch ((int)op) {
	case OP_EQ:
		return order == 0;
	case OP_NE:
		return order != 0;
	case OP_LT:
		return order < 0;
	case OP_LE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

/* Loops over a whole block, one for each comparison; yes[i] becomes 1 or 0. */
#define COMPARE_LOOPS(name, type)                                                        \
	KERNEL static void name(enum operation op, const type *a, const type *b, type c, \
				uint8_t yes[COLUMN_BLOCK])                               \
	{                                                                                \
		uint32_t n = COLUMN_BLOCK;                                               \
                                                                                         \
		if (op == OP_EQ && b)                                                    \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] == b[i];                                   \
		else if (op == OP_NE && b)                                               \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] != b[i];                                   \
		else if (op == OP_LT && b)                                               \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] < b[i];                                    \
		else if (op == OP_LE && b)                                               \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] <= b[i];                                   \
		else if (op == OP_EQ)                                                    \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] == c;                                      \
		else if (op == OP_NE)                                                    \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] != c;                                      \
		else if (op == OP_LT)                                                    \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] < c;                                       \
		else if (op == OP_LE)                                                    \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] <= c;                                      \
		else if (op == OP_GT)                                                    \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] > c;                                       \
		else                                                                     \
			for (uint32_t i = 0; i < n; i++)                                 \
				yes[i] = a[i] >= c;                                      \
	}
COMPARE_LOOPS(compare_ints, int64_t)
COMPARE_LOOPS(compare_floats, double)

/* Codes from first to last, both included. */
KERNEL static void codes_between(const uint16_t *code, uint16_t first, uint16_t last,
				 uint8_t yes[COLUMN_BLOCK])
{
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		yes[i] = (uint16_t)(code[i] - first) <= (uint16_t)(last - first);
}

/* Outcome from bytes; entries that are NULL are left out. */
static void finish(const uint8_t yes[COLUMN_BLOCK], const struct set *selection,
		   const struct set *null, struct truth *ret)
{
	struct set set = set_from_bytes(yes);

	set = set_and(&set, selection);
	ret->yes = set_minus(&set, null);
	ret->null = *null;
}

/* Ints against a float: the int from which on, or up to which, it holds. Returns false if no int decides it like that. */
static bool int_for_float(enum operation *op, double f, int64_t *ret)
{
	if (!(f >= -0x1p62 && f <= 0x1p62)) /* beyond: left to the general way */
		return false;
	double down = floor(f);
	*ret = (int64_t)down;
	if (down == f)
		return true;
	if (*op == OP_LT)
		*op = OP_LE;
	else if (*op == OP_GE)
		*op = OP_GT;
	return *op == OP_LE || *op == OP_GT;
}

/* A vector of datetimes or timestamps against another kind of moment: the µs of that. Returns whether it is such a pair. */
static bool us_for_moment(const struct vector *a, const struct cell *c, int64_t *ret)
{
	constexpr kind_set in_us = 1u << KIND_DATETIME | 1u << KIND_TIMESTAMP;

	if (!(in_us >> a->kind & 1) || !(KINDS_DAYS >> c->kind & 1))
		return false;
	if (c->kind != KIND_DATE)
		return true;
	return !ckd_mul(ret, c->i, CIVIL_DAY_US);
}

/* A vector of ints, floats or codes against a constant. Returns whether it was one of these. */
static bool with_constant(enum operation op, const struct vector *a, const struct cell *c,
			  uint8_t yes[COLUMN_BLOCK])
{
	constexpr int64_t exact = INT64_C(1) << 53;
	int64_t i = c->i;

	if (KINDS_INTS >> a->kind & 1 &&
	    (a->kind == c->kind || us_for_moment(a, c, &i) ||
	     (a->kind == KIND_INT && c->kind == KIND_FLOAT && int_for_float(&op, c->f, &i)))) {
		compare_ints(op, a->ints, nullptr, i, yes);
		return true;
	}
	if (a->kind == KIND_FLOAT &&
	    (c->kind == KIND_FLOAT || (c->kind == KIND_INT && c->i > -exact && c->i < exact))) {
		compare_floats(op, a->floats, nullptr, c->kind == KIND_FLOAT ? c->f : (double)c->i,
			       yes);
		return true;
	}
	return false;
}

/* The first entry of a sorted dictionary that is not less than text. */
static uint32_t lower_bound(const struct dictionary *dictionary, const struct str *text)
{
	uint32_t from = 0, to = dictionary->n;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (cell_compare_text(&dictionary->entry[middle], text) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Strings of a sorted dictionary against a string: a range of codes. */
static void with_dictionary(enum operation op, const struct vector *a, const struct str *text,
			    uint8_t yes[COLUMN_BLOCK])
{
	const struct dictionary *dictionary = a->dictionary;
	uint32_t at = lower_bound(dictionary, text);
	bool found = at < dictionary->n && cell_compare_text(&dictionary->entry[at], text) == 0;
	uint32_t first = 0, end = dictionary->n;

	if (op == OP_EQ || op == OP_NE) {
		first = at;
		end = at + found;
	} else if (op == OP_LT || op == OP_LE) {
		end = at + (found && op == OP_LE);
	} else {
		first = at + (found && op == OP_GT);
	}
	if (first < end)
		codes_between(a->codes, (uint16_t)first, (uint16_t)(end - 1), yes);
	else
		memset(yes, 0, COLUMN_BLOCK);
	for (uint32_t i = 0; op == OP_NE && i < COLUMN_BLOCK; i++)
		yes[i] ^= 1;
}

/* Strings against a string, for equality mostly. */
static void with_text(enum operation op, const struct vector *a, const struct str *text,
		      const struct set *selection, uint8_t yes[COLUMN_BLOCK])
{
	uint32_t i;

	memset(yes, 0, COLUMN_BLOCK);
	if (op == OP_EQ || op == OP_NE) {
		SET_EACH(selection, i)
		{
			struct str s = vector_str(a, i);
			bool same = s.len == text->len &&
				    (s.len == 0 || memcmp(s.at, text->at, s.len) == 0);

			yes[i] = same == (op == OP_EQ);
		}
		return;
	}
	SET_EACH(selection, i)
	{
		struct str s = vector_str(a, i);

		yes[i] = holds(op, cell_compare_text(&s, text));
	}
}

/* Any two vectors, entry by entry. */
static void compare_cells(enum operation op, const struct vector *a, const struct vector *b,
			  const struct set *selection, struct truth *ret)
{
	uint32_t i;

	SET_EACH(selection, i)
	{
		struct cell x, y;

		vector_cell(a, i, &x);
		vector_cell(b, i, &y);
		if (cell_is_null(&x) || cell_is_null(&y)) {
			truth_put(ret, i, false, true);
			continue;
		}
		int order = cell_match(&x, &y);
		bool equality = op == OP_EQ || op == OP_NE;
		bool unlike = order == MATCH_UNLIKE;
		truth_put(ret, i, unlike ? op == OP_NE : holds(op, order), unlike && !equality);
	}
}

/* A vector against a constant one that is not NULL. */
static void compare_constant(enum operation op, const struct vector *a, const struct vector *b,
			     const struct set *selection, struct truth *ret)
{
	uint8_t yes[COLUMN_BLOCK];
	struct set null = vector_nulls(a, selection);
	struct cell c;

	vector_cell(b, 0, &c);
	if (!a->uniform) {
		compare_cells(op, a, b, selection, ret);
		return;
	}
	bool text = a->kind == KIND_STRING && c.kind == KIND_STRING;
	struct set left = set_minus(selection, &null);
	if (text && a->dictionary && a->dictionary->sorted)
		with_dictionary(op, a, &c.s, yes);
	else if (text)
		with_text(op, a, &c.s, &left, yes);
	else if (!with_constant(op, a, &c, yes)) {
		compare_cells(op, a, b, selection, ret);
		return;
	}
	finish(yes, selection, &null, ret);
}

/* The ints for which a comparison holds. Returns false if there are none. */
static bool span_of(enum operation op, int64_t c, struct span *ret)
{
	bool less = op == OP_LT || op == OP_LE, more = op == OP_GT || op == OP_GE;

	if ((op == OP_LT && c == INT64_MIN) || (op == OP_GT && c == INT64_MAX))
		return false;
	ret->low = less ? INT64_MIN : op == OP_GT ? c + 1 : c;
	ret->high = more ? INT64_MAX : op == OP_LT ? c - 1 : c;
	return true;
}

/* A field against an int, without its values if its encoding allows. Returns BATCH_CANNOT if not. */
static int compare_field(struct eval *eval, const struct step *step, const struct set *selection,
			 struct truth *ret)
{
	const struct batch *batch = eval->batch;

	if (eval->inside || !batch->ops->between || !program_is_simple(eval->program, step))
		return BATCH_CANNOT;
	const struct step *field = arg_step(eval, step, 0);
	const struct cell *c = &arg_step(eval, step, 1)->node->constant;
	struct span span = { .kind = c->kind };
	if (eval->loaded[field->field] || !(KINDS_INTS >> c->kind & 1) ||
	    !span_of(step->op, c->i, &span))
		return BATCH_CANNOT;
	int r = batch->ops->between(batch->userdata, field->field, &span, selection, ret);
	if (r || step->op != OP_NE)
		return r;
	struct set not_null = set_minus(selection, &ret->null);
	ret->yes = set_minus(&not_null, &ret->yes);
	return 0;
}

int eval_compare(struct eval *eval, const struct step *step, const struct set *selection,
		 struct truth *ret)
{
	const struct vector *a, *b;
	enum operation op = step->op;
	int r = compare_field(eval, step, selection, ret);

	if (r != BATCH_CANNOT)
		return r;
	r = arg_value(eval, step, 0, selection, &a);

	r = r ? r : arg_value(eval, step, 1, selection, &b);
	if (r)
		return r;
	if (a->constant && !b->constant) {
		const struct vector *swap = a;

		a = b;
		b = swap;
		op = mirrored(op);
	}
	if (b->constant && b->kinds[0] > KIND_NULL) {
		compare_constant(op, a, b, selection, ret);
		return 0;
	}
	bool ints = KINDS_INTS >> a->kind & 1 && a->kind == b->kind;
	bool floats = a->kind == KIND_FLOAT && b->kind == KIND_FLOAT;
	if (!a->uniform || !b->uniform || (!ints && !floats)) {
		compare_cells(op, a, b, selection, ret);
		return 0;
	}
	uint8_t yes[COLUMN_BLOCK];
	bool turn = op == OP_GT || op == OP_GE;
	const struct vector *x = turn ? b : a, *y = turn ? a : b;
	if (ints)
		compare_ints(turn ? mirrored(op) : op, x->ints, y->ints, 0, yes);
	else
		compare_floats(turn ? mirrored(op) : op, x->floats, y->floats, 0, yes);
	struct set null = vector_nulls(a, selection), more = vector_nulls(b, selection);
	null = set_or(&null, &more);
	finish(yes, selection, &null, ret);
	return 0;
}

/* Whether a moment or a text is the same as a member of another kind. */
static bool has_alike(const struct step *step, const struct cell *cell)
{
	bool moment = KINDS_MOMENTS >> cell->kind & 1;

	if (!moment && (cell->kind != KIND_STRING || !step->moment_members))
		return false;
	for (uint32_t m = 0; m < step->n_members; m++)
		if (step->member[m].kind != cell->kind && cell_match(&step->member[m], cell) == 0)
			return true;
	return false;
}

/* Entries that are one of the step's constants. */
static void among_members(const struct step *step, const struct vector *a,
			  const struct set *selection, struct set *ret)
{
	constexpr uint32_t few = 8;
	uint8_t yes[COLUMN_BLOCK] = {};
	uint32_t m = 0, i;

	while (a->uniform && m < step->n_members && m < few) {
		if (!with_constant(OP_EQ, a, &step->member[m], yes))
			break;
		struct set one = set_from_bytes(yes);
		*ret = set_or(ret, &one);
		m++;
	}
	if (m > 0 && m == step->n_members) {
		*ret = set_and(ret, selection);
		return;
	}
	*ret = (struct set) {};
	SET_EACH(selection, i)
	{
		struct cell cell;

		vector_cell(a, i, &cell);
		if (program_has_member(step, &cell) || has_alike(step, &cell))
			set_add(ret, i);
	}
}

int eval_in(struct eval *eval, const struct step *step, const struct set *selection,
	    struct truth *ret)
{
	const struct vector *a, *b;
	int r = arg_value(eval, step, 0, selection, &a);

	if (r)
		return r;
	struct set null = vector_nulls(a, selection);
	struct set left = set_minus(selection, &null);
	among_members(step, a, &left, &ret->yes);
	if (step->null_member)
		null = set_or(&null, &left);
	for (uint32_t i = 1; i < step->n_args; i++) {
		struct truth one = {};

		r = arg_value(eval, step, i, selection, &b);
		if (r)
			return r;
		compare_cells(OP_EQ, a, b, &left, &one);
		ret->yes = set_or(&ret->yes, &one.yes);
		null = set_or(&null, &one.null);
	}
	ret->null = set_minus(&null, &ret->yes);
	if (step->n_members == 0 && step->n_args == 1 && !step->null_member)
		ret->null = (struct set) {}; /* x IN () is false even for NULL */
	return 0;
}
