/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/udf.h"

#include <errno.h>
#include <math.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "service/value/civil.h"

enum operator: uintptr_t {
	ADD,
	SUBTRACT,
	MULTIPLY,
	DIVIDE,
	MODULO
};
static const char *const SIGNS[] = { "+", "-", "*", "/", "%" };

static void integers(sqlite3_context *ctx, enum operator op, int64_t a, int64_t b)
{
	int64_t result = 0;
	bool overflow = false;

	if ((op == DIVIDE || op == MODULO) && b == 0) {
		udf_fail(ctx, "Division by zero.");
		return;
	}
	switch (op) {
	case ADD:
		overflow = ckd_add(&result, a, b);
		break;
	case SUBTRACT:
		overflow = ckd_sub(&result, a, b);
		break;
	case MULTIPLY:
		overflow = ckd_mul(&result, a, b);
		break;
	case DIVIDE:
		overflow = a == INT64_MIN && b == -1;
		result = overflow ? 0 : a / b;
		break;
	case MODULO:
		result = b == -1 ? 0 : a % b;
		break;
	}
	if (overflow)
		udf_fail(ctx, "The result of %s is too large for an int.", SIGNS[op]);
	else
		sqlite3_result_int64(ctx, result);
}

static void floats(sqlite3_context *ctx, enum operator op, double a, double b)
{
	switch (op) {
	case ADD:
		sqlite3_result_double(ctx, a + b);
		return;
	case SUBTRACT:
		sqlite3_result_double(ctx, a - b);
		return;
	case MULTIPLY:
		sqlite3_result_double(ctx, a * b);
		return;
	case DIVIDE:
	case MODULO:
		if (b == 0)
			udf_fail(ctx, "Division by zero.");
		else
			sqlite3_result_double(ctx, op == DIVIDE ? a / b : fmod(a, b));
		return;
	}
}

/* Microseconds of a moment. */
static int64_t micros(const struct value *moment)
{
	return moment->tag == VALUE_DATE ? moment->i * CIVIL_DAY_US
					 : moment->i; /* days are in range */
}

static bool is_moment(const struct value *v)
{
	return (v->tag == VALUE_DATE && v->i >= CIVIL_DAY_MIN && v->i <= CIVIL_DAY_MAX) ||
	       v->tag == VALUE_DATETIME || v->tag == VALUE_TIMESTAMP;
}

static bool is_interval(const struct value *v)
{
	return v->tag == VALUE_INTERVAL || v->tag == VALUE_MONTHS;
}

/* Add months: the day is kept, or becomes the last of the month. */
static int64_t add_months(int64_t us, int64_t months)
{
	struct civil c = civil_from_us(us);
	int64_t index = c.year * 12 + c.month - 1 + months;

	c.year = index / 12 - (index % 12 < 0);
	c.month = index - c.year * 12 + 1;
	int64_t last = civil_month_days(c.year, c.month);
	c.day = c.day > last ? last : c.day;
	return civil_to_us(&c);
}

static void shift(sqlite3_context *ctx, const struct value *moment, const struct value *interval,
		  bool back)
{
	constexpr int64_t months_max = 12 * 20'000;
	int64_t us = micros(moment), by = interval->i;
	bool bad = !civil_in_range(us) || by == INT64_MIN;

	by = back && !bad ? -by : by;
	if (interval->tag == VALUE_MONTHS)
		bad |= by > months_max || by < -months_max;
	if (!bad && interval->tag == VALUE_MONTHS)
		us = add_months(us, by);
	else if (!bad)
		bad = ckd_add(&us, us, by);
	if (bad || !civil_in_range(us)) {
		udf_fail(ctx, "The result lies outside the years 1 to 9999.");
		return;
	}
	bool whole = us % CIVIL_DAY_US == 0;
	if (moment->tag == VALUE_DATE && whole)
		udf_return_moment(ctx, VALUE_DATE, us / CIVIL_DAY_US);
	else
		udf_return_moment(ctx, moment->tag == VALUE_DATE ? VALUE_DATETIME : moment->tag,
				  us);
}

/* Sums and differences of moments and intervals, products of intervals. Returns whether it was one. */
static bool times(sqlite3_context *ctx, enum operator op, const struct value *a,
		  const struct value *b)
{
	int64_t result = 0;
	bool overflow = false;

	if ((op == ADD || op == SUBTRACT) && is_moment(a) && is_interval(b)) {
		shift(ctx, a, b, op == SUBTRACT);
		return true;
	}
	if (op == ADD && is_interval(a) && is_moment(b)) {
		shift(ctx, b, a, false);
		return true;
	}
	enum value_tag tag = a->tag;
	if (op == SUBTRACT && is_moment(a) && is_moment(b)) {
		tag = VALUE_INTERVAL;
		overflow = ckd_sub(&result, micros(a), micros(b));
	} else if ((op == ADD || op == SUBTRACT) && is_interval(a) && a->tag == b->tag) {
		overflow = op == ADD ? ckd_add(&result, a->i, b->i) : ckd_sub(&result, a->i, b->i);
	} else if (op == MULTIPLY && is_interval(a) && b->tag == VALUE_NUMBER && b->is_int) {
		overflow = ckd_mul(&result, a->i, b->i);
	} else if (op == MULTIPLY && is_interval(b) && a->tag == VALUE_NUMBER && a->is_int) {
		tag = b->tag;
		overflow = ckd_mul(&result, a->i, b->i);
	} else {
		return false;
	}
	if (overflow)
		udf_fail(ctx, "The result of %s is too large for an interval.", SIGNS[op]);
	else
		udf_return_moment(ctx, tag, result);
	return true;
}

static void arithmetic(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto op = (enum operator)(uintptr_t)udf_data(ctx);
	struct value a, b;

	udf_value(args[0], &a);
	udf_value(args[1], &b);
	if (a.tag == VALUE_NULL || b.tag == VALUE_NULL)
		return;
	if (a.tag == VALUE_NUMBER && b.tag == VALUE_NUMBER) {
		if (a.is_int && b.is_int)
			integers(ctx, op, a.i, b.i);
		else
			floats(ctx, op, a.f, b.f);
	} else if (!times(ctx, op, &a, &b)) {
		udf_fail(ctx, "%s %s %s is not possible.", value_type_name(&a), SIGNS[op],
			 value_type_name(&b));
	}
}

static void negate(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;

	udf_value(args[0], &value);
	if (value.tag == VALUE_NULL)
		return;
	if (value.tag == VALUE_NUMBER && !value.is_int)
		sqlite3_result_double(ctx, value.f == 0x1p63 ? -0x1p63 : -value.f);
	else if (value.tag == VALUE_NUMBER && value.i != INT64_MIN)
		sqlite3_result_int64(ctx, -value.i);
	else if (is_interval(&value) && value.i != INT64_MIN)
		udf_return_moment(ctx, value.tag, -value.i);
	else
		udf_fail(ctx, "-%s is not possible.", value_type_name(&value));
}

static void random_number(sqlite3_context *ctx, int, sqlite3_value **)
{
	uint64_t bits;

	sqlite3_randomness(sizeof(bits), &bits);
	sqlite3_result_double(ctx, (double)(bits >> 11) * 0x1p-53);
}

int udf_register_number(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_add", 2, arithmetic, (void *)ADD },
		{ "rd_subtract", 2, arithmetic, (void *)SUBTRACT },
		{ "rd_multiply", 2, arithmetic, (void *)MULTIPLY },
		{ "rd_divide", 2, arithmetic, (void *)DIVIDE },
		{ "rd_mod", 2, arithmetic, (void *)MODULO },
		{ "rd_negate", 1, negate, nullptr },
	};

	static const struct udf VARYING[] = {
		{ "rd_rand", 0, random_number, nullptr },
	};
	int r = udf_register(db, FUNCTIONS, countof(FUNCTIONS));

	return r ? r : udf_register_varying(db, VARYING, countof(VARYING));
}
