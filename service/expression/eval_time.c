/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/expression/eval_internal.h"
#include "service/value/civil.h"

constexpr int64_t SECOND = 1'000'000;

/* Units of time, by enum unit: in months or in µs. */
static const struct {
	int64_t months, us;
} UNITS[] = {
	[UNIT_MICROSECOND] = { 0, 1 },
	[UNIT_MILLISECOND] = { 0, 1000 },
	[UNIT_SECOND] = { 0, SECOND },
	[UNIT_MINUTE] = { 0, 60 * SECOND },
	[UNIT_HOUR] = { 0, 3600 * SECOND },
	[UNIT_DAY] = { 0, CIVIL_DAY_US },
	[UNIT_WEEK] = { 0, 7 * CIVIL_DAY_US },
	[UNIT_MONTH] = { 1, 0 },
	[UNIT_QUARTER] = { 3, 0 },
	[UNIT_YEAR] = { 12, 0 },
};

static int64_t floor_to(int64_t value, int64_t step)
{
	int64_t rest = value % step;

	return value - (rest < 0 ? rest + step : rest);
}

/* µs of a moment, or of a time of day if that may be. */
static int moment(struct eval *eval, const struct step *step, const struct cell *cell, bool or_time,
		  int64_t *ret)
{
	bool day = cell->kind == KIND_DATE && cell->i >= CIVIL_DAY_MIN && cell->i <= CIVIL_DAY_MAX;

	*ret = day ? cell->i * CIVIL_DAY_US : cell->i;
	if (or_time && cell->kind == KIND_TIME && cell->i >= 0 && cell->i < CIVIL_DAY_US)
		return 0;
	if (!day && cell->kind != KIND_DATETIME && cell->kind != KIND_TIMESTAMP)
		return eval_fail(eval, step,
				 "A date, datetime or timestamp was expected here, not %s.",
				 cell_type_name(cell->kind));
	if (!civil_in_range(*ret))
		return eval_fail(eval, step, "This time lies outside the years 1 to 9999.");
	return 0;
}

/* µs as the kind of moment that like is. */
static int moment_like(struct eval *eval, const struct step *step, const struct cell *like,
		       int64_t us, struct cell *ret)
{
	if (!civil_in_range(us))
		return eval_fail(eval, step, "The result lies outside the years 1 to 9999.");
	ret->kind = like->kind;
	ret->i = like->kind == KIND_DATE ? floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US : us;
	return 0;
}

/* µs down to a whole unit; a week begins on Monday. */
static int64_t whole_units(enum unit unit, int64_t us)
{
	int64_t months = UNITS[unit].months;

	if (months > 0) {
		struct civil c = civil_from_us(us);

		return civil_days(c.year, (c.month - 1) / months * months + 1, 1) * CIVIL_DAY_US;
	}
	if (unit == UNIT_WEEK) /* day 0 is a Thursday */
		return floor_to(us + 3 * CIVIL_DAY_US, UNITS[unit].us) - 3 * CIVIL_DAY_US;
	return floor_to(us, UNITS[unit].us);
}

static int trunc_cell(struct eval *eval, const struct step *step, const struct cell *arg,
		      struct cell *ret, struct pile *)
{
	int64_t us;
	int r = moment(eval, step, arg, false, &us);

	if (r)
		return r;
	if (step->node->unit >= countof(UNITS))
		return PIPE_UNSUITED;
	return moment_like(eval, step, arg, whole_units(step->node->unit, us), ret);
}

static int bucket_cell(struct eval *eval, const struct step *step, const struct cell *arg,
		       struct cell *ret, struct pile *)
{
	int64_t us;
	int r = moment(eval, step, arg, false, &us);

	return r ? r : moment_like(eval, step, arg, floor_to(us, step->node->width_us), ret);
}

KERNEL static void bounds(const int64_t *value, int64_t *ret_min, int64_t *ret_max)
{
	int64_t min = INT64_MAX, max = INT64_MIN;

	for (uint32_t i = 0; i < COLUMN_BLOCK; i++) {
		min = value[i] < min ? value[i] : min;
		max = value[i] > max ? value[i] : max;
	}
	*ret_min = min;
	*ret_max = max;
}

/* Round all values down to a multiple of width; min and max are theirs. Divides by a reciprocal, and puts right what that misses. */
KERNEL static void floor_block(const int64_t *value, int64_t width, int64_t base, int64_t *out)
{
	double inverse = 1.0 / (double)width;

	for (uint32_t i = 0; i < COLUMN_BLOCK; i++) {
		int64_t at = value[i] - base;
		int64_t rest = at - (int64_t)((double)at * inverse) * width;

		rest = rest < 0 ? rest + width : rest;
		rest = rest >= width ? rest - width : rest;
		out[i] = value[i] - rest;
	}
}

/*
 * Moments of one kind without NULL in a whole block, rounded down: often all to the same. Returns false if it is left
 * to the general way, because an entry is out of range or the numbers are too large for doubles to hold.
 */
static bool floor_vector(const struct vector *a, int64_t width, int64_t origin, struct vector *ret)
{
	int64_t min = 0, max = 0;

	if (!a->uniform || a->nulls || !a->full || a->dictionary ||
	    (a->kind != KIND_DATETIME && a->kind != KIND_TIMESTAMP))
		return false;
	bounds(a->ints, &min, &max);
	if (!civil_in_range(min) || !civil_in_range(max))
		return false;
	int64_t low = floor_to(min - origin, width) + origin,
		high = floor_to(max - origin, width) + origin;
	if (!civil_in_range(low) || max - low > INT64_C(1) << 52)
		return false;
	if (low == high) {
		vector_fill(ret, &(struct cell) { .kind = a->kind, .i = low });
		return true;
	}
	vector_set_kind(ret, a->kind);
	floor_block(a->ints, width, low, ret->ints);
	return true;
}

int eval_date_trunc(struct eval *eval, const struct step *step, const struct set *selection,
		    struct vector *ret)
{
	enum unit unit = step->node->unit;
	const struct vector *a;
	int r = arg_value(eval, step, 0, selection, &a);

	if (r)
		return r;
	if (unit <= UNIT_WEEK &&
	    floor_vector(a, UNITS[unit].us, unit == UNIT_WEEK ? -3 * CIVIL_DAY_US : 0, ret))
		return 0;
	return eval_each(eval, step, selection, trunc_cell, ret);
}

int eval_time_bucket(struct eval *eval, const struct step *step, const struct set *selection,
		     struct vector *ret)
{
	const struct vector *a;
	int r = arg_value(eval, step, 0, selection, &a);

	if (r)
		return r;
	if (step->node->width_us <= 0)
		return eval_fail(eval, step,
				 "TIME_BUCKET takes a positive interval in days or shorter units.");
	if (floor_vector(a, step->node->width_us, 0, ret))
		return 0;
	return eval_each(eval, step, selection, bucket_cell, ret);
}

static int extract_cell(struct eval *eval, const struct step *step, const struct cell *arg,
			struct cell *ret, struct pile *)
{
	int64_t us;
	int r = moment(eval, step, arg, true, &us);

	if (r)
		return r;
	struct civil c = civil_from_us(us);
	int64_t day = floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US;
	int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 0 is Monday */
	int64_t thursday = day - weekday + 3;
	struct civil week_year = civil_from_us(thursday * CIVIL_DAY_US);
	const int64_t parts[] = {
		[UNIT_MICROSECOND] = c.us,
		[UNIT_MILLISECOND] = c.us / 1000,
		[UNIT_SECOND] = c.second,
		[UNIT_MINUTE] = c.minute,
		[UNIT_HOUR] = c.hour,
		[UNIT_DAY] = c.day,
		[UNIT_WEEK] = (thursday - civil_days(week_year.year, 1, 1)) / 7 + 1,
		[UNIT_MONTH] = c.month,
		[UNIT_QUARTER] = (c.month - 1) / 3 + 1,
		[UNIT_YEAR] = c.year,
		[UNIT_DOW] = weekday + 1,
		[UNIT_DAYOFWEEK] = (weekday + 1) % 7 + 1,
		[UNIT_DOY] = day - civil_days(c.year, 1, 1) + 1,
		[UNIT_EPOCH] = floor_to(us, SECOND) / SECOND,
	};
	*ret = (struct cell) { .kind = KIND_INT, .i = parts[step->node->unit] };
	return 0;
}

int eval_extract(struct eval *eval, const struct step *step, const struct set *selection,
		 struct vector *ret)
{
	return eval_each(eval, step, selection, extract_cell, ret);
}

static int parse_cell(struct eval *eval, const struct step *step, const struct cell *arg,
		      struct cell *ret, struct pile *)
{
	static const char *const TYPES[] = { "timestamp", "datetime", "date" };
	static const enum kind KINDS[] = { KIND_TIMESTAMP, KIND_DATETIME, KIND_DATE };
	size_t which = step->op - OP_PARSE_TIMESTAMP;
	int64_t us;

	static_assert(OP_PARSE_DATE == OP_PARSE_TIMESTAMP + 2);
	if (arg->kind != KIND_STRING || !civil_parse(arg->s.at, arg->s.len, &us, nullptr, nullptr))
		return eval_fail(eval, step, "This %s is not an ISO 8601 %s.",
				 cell_type_name(arg->kind), TYPES[which]);
	ret->kind = KINDS[which];
	ret->i = step->op == OP_PARSE_DATE ? floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US : us;
	return 0;
}

int eval_parse(struct eval *eval, const struct step *step, const struct set *selection,
	       struct vector *ret)
{
	const struct batch *batch = eval->batch;

	if (arg_step(eval, step, 0)->op == OP_FIELD && step->op != OP_PARSE_DATE && !eval->inside &&
	    batch->ops->moments) {
		int r = batch->ops->moments(batch->userdata, step->field, ret);

		if (r == 0) {
			uint32_t i = 0;

			memset(ret->kinds,
			       step->op == OP_PARSE_TIMESTAMP ? KIND_TIMESTAMP : KIND_DATETIME,
			       sizeof(ret->kinds));
			ret->kind = (enum kind)ret->kinds[i];
			ret->uniform = ret->full = true;
			ret->nulls = false;
		}
		if (r != BATCH_CANNOT)
			return r;
	}
	return eval_each(eval, step, selection, parse_cell, ret);
}
