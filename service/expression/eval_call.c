/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>

#include "service/expression/eval_internal.h"
#include "service/value/civil.h"

/* An int stays one. */
static bool number(const struct cell *arg, double (*fn)(double), struct cell *ret)
{
	*ret = *arg;
	if (arg->kind == KIND_FLOAT)
		ret->f = fn(arg->f);
	return arg->kind == KIND_INT || arg->kind == KIND_FLOAT;
}

static bool native_abs(const struct node *, const struct cell *arg, struct cell *ret)
{
	if (arg->kind != KIND_INT)
		return number(arg, fabs, ret);
	*ret = (struct cell) { .kind = KIND_INT, .i = arg->i };
	return arg->i >= 0 || !ckd_sub(&ret->i, 0, arg->i);
}

static bool native_ceil(const struct node *, const struct cell *arg, struct cell *ret)
{
	return number(arg, ceil, ret);
}

static bool native_floor(const struct node *, const struct cell *arg, struct cell *ret)
{
	return number(arg, floor, ret);
}

static bool as_float(const struct cell *arg, double *ret)
{
	*ret = arg->kind == KIND_INT ? (double)arg->i : arg->f;
	return arg->kind == KIND_INT || arg->kind == KIND_FLOAT;
}

/* As SQLite's round(): halves away from zero; beyond 2^52 all floats are whole. */
static bool native_round(const struct node *, const struct cell *arg, struct cell *ret)
{
	double x = 0;
	bool good = as_float(arg, &x);

	if (good && fabs(x) <= 0x1p52)
		x = (double)(int64_t)(x + (x < 0 ? -0.5 : 0.5));
	*ret = (struct cell) { .kind = KIND_FLOAT, .f = x };
	return good;
}

static bool native_sign(const struct node *, const struct cell *arg, struct cell *ret)
{
	double x = 0;
	bool good = as_float(arg, &x);

	*ret = (struct cell) { .kind = KIND_INT, .i = (x > 0) - (x < 0) };
	return good;
}

static bool native_sqrt(const struct node *, const struct cell *arg, struct cell *ret)
{
	double x = 0;
	bool good = as_float(arg, &x);

	*ret = (struct cell) { .kind = x < 0 ? KIND_NULL : KIND_FLOAT, .f = x < 0 ? 0 : sqrt(x) };
	return good;
}

static bool native_to_int(const struct node *, const struct cell *arg, struct cell *ret)
{
	bool is_int = arg->kind == KIND_INT;

	if (!is_int && (arg->kind != KIND_FLOAT || arg->f <= -0x1p63 || arg->f >= 0x1p63))
		return false;
	*ret = (struct cell) { .kind = KIND_INT, .i = is_int ? arg->i : (int64_t)arg->f };
	return true;
}

static bool native_to_float(const struct node *, const struct cell *arg, struct cell *ret)
{
	ret->kind = KIND_FLOAT;
	return as_float(arg, &ret->f);
}

/* µs of a date, datetime or timestamp. */
static bool micros(const struct cell *cell, int64_t *ret)
{
	bool day = cell->kind == KIND_DATE && cell->i >= CIVIL_DAY_MIN && cell->i <= CIVIL_DAY_MAX;

	*ret = day ? cell->i * CIVIL_DAY_US : cell->i;
	return (day || cell->kind == KIND_DATETIME || cell->kind == KIND_TIMESTAMP) &&
	       civil_in_range(*ret);
}

static bool native_date_diff(const struct node *node, const struct cell *arg, struct cell *ret)
{
	int64_t from, to;

	if (!micros(&arg[1], &from) || !micros(&arg[2], &to))
		return false;
	*ret = (struct cell) { .kind = KIND_INT, .i = (to - from) / node->width_us };
	return true;
}

static bool native_unix_time(const struct node *node, const struct cell *arg, struct cell *ret)
{
	int64_t us;

	if (!micros(arg, &us))
		return false;
	int64_t rest = us % node->width_us;
	*ret = (struct cell) { .kind = KIND_INT, .i = us / node->width_us - (rest < 0) };
	return true;
}

static bool native_timestamp(const struct node *node, const struct cell *arg, struct cell *ret)
{
	ret->kind = KIND_TIMESTAMP;
	return arg->kind == KIND_INT && !ckd_mul(&ret->i, arg->i, node->width_us) &&
	       civil_in_range(ret->i);
}

bool native_cell(const struct node *node, const struct cell *arg, struct cell *ret)
{
	static bool (*const NATIVES[])(const struct node *node, const struct cell *arg,
				       struct cell *ret) = {
		[NATIVE_ABS] = native_abs,
		[NATIVE_CEIL] = native_ceil,
		[NATIVE_FLOOR] = native_floor,
		[NATIVE_ROUND] = native_round,
		[NATIVE_SIGN] = native_sign,
		[NATIVE_SQRT] = native_sqrt,
		[NATIVE_TO_INT] = native_to_int,
		[NATIVE_TO_FLOAT] = native_to_float,
		[NATIVE_DATE_DIFF] = native_date_diff,
		[NATIVE_UNIX_TIME] = native_unix_time,
		[NATIVE_TIMESTAMP] = native_timestamp,
	};

	static_assert(countof(NATIVES) == NATIVE_COUNT);
	for (size_t i = 0; i < node->n_args; i++) {
		if (arg[i].kind <= KIND_NULL) /* ret is NULL */
			return true;
		if (arg[i].kind == KIND_FLOAT && isnan(arg[i].f))
			return false;
	}
	return NATIVES[node->native](node, arg, ret);
}

static int call_cell(struct eval *eval, const struct step *step, const struct cell *arg,
		     struct cell *ret, struct pile *room)
{
	const struct node *node = step->node;

	if (node->native != NATIVE_NONE && native_cell(node, arg, ret))
		return 0;
	if (!eval->held) {
		(void)pthread_mutex_lock(node->lock);
		eval->held = node->lock;
	}
	*ret = (struct cell) { .kind = KIND_NULL };
	int r = node->call(node->userdata, arg, step->n_args, ret);
	if (r == -ECANCELED && eval->limits) { /* SQLite has asked them */
		r = query_limits_check(eval->limits);
		return r ? r : -EIO;
	}
	if (r > 0)
		return eval_fail(eval, step, "%.*s", (int)ret->s.len, ret->s.at);
	if (r < 0 || ret->kind < KIND_STRING || KINDS_INTS >> ret->kind & 1)
		return r;
	return pile_copy(room, &ret->s);
}

int eval_call(struct eval *eval, const struct step *step, const struct set *selection,
	      struct vector *ret)
{
	int r = eval_each(eval, step, selection, call_cell, ret);

	if (eval->held) /* once for a block: threads would wait for each other all the time */
		(void)pthread_mutex_unlock(eval->held);
	eval->held = nullptr;
	return r;
}
