/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/expression/eval_internal.h"
#include "service/value/civil.h"

static char sign_of(enum operation op)
{
	static const char SIGNS[] = { '+', '-', '*', '/', '%' };

	static_assert(OP_MODULO == OP_ADD + 4);
	return SIGNS[op - OP_ADD];
}

static int one_int(struct eval *eval, const struct step *step, int64_t a, int64_t b, int64_t *ret)
{
	enum operation op = step->op;
	bool overflow = false;

	if ((op == OP_DIVIDE || op == OP_MODULO) && b == 0)
		return eval_fail(eval, step, "Division by zero.");
	if (op == OP_ADD)
		overflow = ckd_add(ret, a, b);
	else if (op == OP_SUBTRACT)
		overflow = ckd_sub(ret, a, b);
	else if (op == OP_MULTIPLY)
		overflow = ckd_mul(ret, a, b);
	else if (op == OP_MODULO)
		*ret = b == -1 ? 0 : a % b;
	else if (b == -1)
		overflow = ckd_sub(ret, 0, a);
	else
		*ret = a / b;
	return overflow ? eval_fail(eval, step, "The result of %c is too large for an int.",
				    sign_of(op))
			: 0;
}

static int one_float(struct eval *eval, const struct step *step, double a, double b, double *ret)
{
	enum operation op = step->op;

	if ((op == OP_DIVIDE || op == OP_MODULO) && b == 0)
		return eval_fail(eval, step, "Division by zero.");
	*ret = op == OP_ADD	   ? a + b
	       : op == OP_SUBTRACT ? a - b
	       : op == OP_MULTIPLY ? a * b
	       : op == OP_DIVIDE   ? a / b
				   : fmod(a, b);
	return 0;
}

static bool is_moment(const struct cell *c)
{
	return (c->kind == KIND_DATE && c->i >= CIVIL_DAY_MIN && c->i <= CIVIL_DAY_MAX) ||
	       c->kind == KIND_DATETIME || c->kind == KIND_TIMESTAMP;
}

static bool is_interval(const struct cell *c)
{
	return c->kind == KIND_INTERVAL || c->kind == KIND_MONTHS;
}

static int64_t micros(const struct cell *moment)
{
	return moment->kind == KIND_DATE ? moment->i * CIVIL_DAY_US : moment->i;
}

static int shift(struct eval *eval, const struct step *step, const struct cell *moment,
		 const struct cell *interval, struct cell *ret)
{
	constexpr int64_t months_max = 12 * 20'000;
	int64_t us = micros(moment), by = interval->i;
	bool bad = !civil_in_range(us) || by == INT64_MIN;

	by = step->op == OP_SUBTRACT && !bad ? -by : by;
	if (interval->kind == KIND_MONTHS)
		bad |= by > months_max || by < -months_max;
	if (!bad && interval->kind == KIND_MONTHS)
		us = civil_add_months(us, by);
	else if (!bad)
		bad = ckd_add(&us, us, by);
	if (bad || !civil_in_range(us))
		return eval_fail(eval, step, "The result lies outside the years 1 to 9999.");
	bool day = moment->kind == KIND_DATE, whole = us % CIVIL_DAY_US == 0;
	ret->kind = day && !whole ? KIND_DATETIME : moment->kind;
	ret->i = day && whole ? us / CIVIL_DAY_US : us;
	return 0;
}

/* Sums and differences of moments and intervals, products of intervals. *ret_done says whether it was one. */
static int times(struct eval *eval, const struct step *step, const struct cell *a,
		 const struct cell *b, struct cell *ret, bool *ret_done)
{
	enum operation op = step->op;
	bool overflow = false;

	*ret_done = true;
	if ((op == OP_ADD || op == OP_SUBTRACT) && is_moment(a) && is_interval(b))
		return shift(eval, step, a, b, ret);
	if (op == OP_ADD && is_interval(a) && is_moment(b))
		return shift(eval, step, b, a, ret);
	ret->kind = a->kind;
	if (op == OP_SUBTRACT && is_moment(a) && is_moment(b)) {
		ret->kind = KIND_INTERVAL;
		overflow = ckd_sub(&ret->i, micros(a), micros(b));
	} else if ((op == OP_ADD || op == OP_SUBTRACT) && is_interval(a) && a->kind == b->kind) {
		overflow =
			op == OP_ADD ? ckd_add(&ret->i, a->i, b->i) : ckd_sub(&ret->i, a->i, b->i);
	} else if (op == OP_MULTIPLY && is_interval(a) && b->kind == KIND_INT) {
		overflow = ckd_mul(&ret->i, a->i, b->i);
	} else if (op == OP_MULTIPLY && is_interval(b) && a->kind == KIND_INT) {
		ret->kind = b->kind;
		overflow = ckd_mul(&ret->i, a->i, b->i);
	} else {
		*ret_done = false;
	}
	return overflow ? eval_fail(eval, step, "The result of %c is too large for an interval.",
				    sign_of(op))
			: 0;
}

static double as_float(const struct cell *cell)
{
	return cell->kind == KIND_INT ? (double)cell->i : cell->f;
}

static bool is_number(const struct cell *cell)
{
	return cell->kind == KIND_INT || cell->kind == KIND_FLOAT;
}

/* The general case; the frame has taken care of NULL. */
static int arithmetic_cell(struct eval *eval, const struct step *step, const struct cell *arg,
			   struct cell *ret, struct pile *)
{
	const struct cell *a = &arg[0], *b = &arg[1];
	bool done;

	if (a->kind == KIND_INT && b->kind == KIND_INT) {
		ret->kind = KIND_INT;
		return one_int(eval, step, a->i, b->i, &ret->i);
	}
	if (is_number(a) && is_number(b)) {
		int r = one_float(eval, step, as_float(a), as_float(b), &ret->f);

		ret->kind = r || isnan(ret->f) ? KIND_NULL : KIND_FLOAT;
		return r;
	}
	int r = times(eval, step, a, b, ret, &done);
	if (r || done)
		return r;
	return eval_fail(eval, step, "%s %c %s is not possible.", cell_type_name(a->kind),
			 sign_of(step->op), cell_type_name(b->kind));
}

/* Sums, differences and products of whole blocks; *ret_over tells that one of them may have overflowed. */
KERNEL static void int_block(enum operation op, const int64_t *a, const int64_t *b, int64_t *out,
			     bool *ret_over)
{
	uint64_t over = 0;

	if (op == OP_ADD) {
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++) {
			uint64_t x = (uint64_t)a[i], y = (uint64_t)b[i], z = x + y;

			out[i] = (int64_t)z;
			over |= (x ^ z) & (y ^ z);
		}
	} else {
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++) {
			uint64_t x = (uint64_t)a[i], y = (uint64_t)b[i], z = x - y;

			out[i] = (int64_t)z;
			over |= (x ^ y) & (x ^ z);
		}
	}
	*ret_over = over >> 63;
}

/* Entries that are NULL may hold 0 too. */
#ifdef __SANITIZE_ADDRESS__
[[gnu::no_sanitize("float-divide-by-zero")]]
#endif
KERNEL static void float_block(enum operation op, const double *a, const double *b, double *out)
{
	if (op == OP_ADD)
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			out[i] = a[i] + b[i];
	else if (op == OP_SUBTRACT)
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			out[i] = a[i] - b[i];
	else if (op == OP_MULTIPLY)
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			out[i] = a[i] * b[i];
	else
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			out[i] = a[i] / b[i];
}

/* Give ret a kind where neither argument is NULL; floats that are no number become NULL. */
static void set_kinds(const struct vector *a, const struct vector *b, enum kind kind,
		      const struct set *selection, struct vector *ret)
{
	bool nan = false;

	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		ret->kinds[i] =
			a->kinds[i] > KIND_NULL && b->kinds[i] > KIND_NULL ? kind : KIND_NULL;
	if (kind == KIND_FLOAT)
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			nan |= ret->floats[i] != ret->floats[i];
	for (uint32_t i = 0; nan && i < COLUMN_BLOCK; i++)
		if (ret->floats[i] != ret->floats[i])
			ret->kinds[i] = KIND_NULL;
	ret->uniform = true;
	ret->nulls = a->nulls || b->nulls || nan;
	ret->kind = kind;
	ret->full = false;
	if (ret->nulls)
		vector_settle(ret, selection);
}

static bool has_zero(const struct vector *b, const struct set *selection)
{
	uint32_t i;

	SET_EACH(selection, i)
	if (b->kinds[i] > KIND_NULL && b->floats[i] == 0)
		return true;
	return false;
}

int eval_arithmetic(struct eval *eval, const struct step *step, const struct set *selection,
		    struct vector *ret)
{
	const struct vector *a, *b;
	enum operation op = step->op;
	int r = arg_value(eval, step, 0, selection, &a);

	r = r ? r : arg_value(eval, step, 1, selection, &b);
	if (r)
		return r;
	bool uniform = a->uniform && b->uniform;
	if (uniform && a->kind == KIND_INT && b->kind == KIND_INT && op <= OP_SUBTRACT) {
		bool over = false;

		int_block(op, a->ints, b->ints, ret->ints, &over);
		if (!over) {
			set_kinds(a, b, KIND_INT, selection, ret);
			return 0;
		}
	} else if (uniform && a->kind == KIND_FLOAT && b->kind == KIND_FLOAT && op != OP_MODULO &&
		   (op != OP_DIVIDE || !has_zero(b, selection))) {
		float_block(op, a->floats, b->floats, ret->floats);
		set_kinds(a, b, KIND_FLOAT, selection, ret);
		return 0;
	}
	return eval_each(eval, step, selection, arithmetic_cell, ret);
}

static int negate_cell(struct eval *eval, const struct step *step, const struct cell *arg,
		       struct cell *ret, struct pile *)
{
	*ret = *arg;
	if (arg->kind == KIND_FLOAT)
		ret->f = arg->f == 0x1p63 ? -0x1p63 : -arg->f;
	else if ((arg->kind == KIND_INT || is_interval(arg)) && arg->i != INT64_MIN)
		ret->i = -arg->i;
	else
		return eval_fail(eval, step, "-%s is not possible.", cell_type_name(arg->kind));
	return 0;
}

int eval_negate(struct eval *eval, const struct step *step, const struct set *selection,
		struct vector *ret)
{
	return eval_each(eval, step, selection, negate_cell, ret);
}
