/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

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

static void shift(sqlite3_context *ctx, const struct value *moment, const struct value *interval,
		  bool back)
{
	constexpr int64_t months_max = 240'000; /* 20,000 years */
	int64_t us = micros(moment), by = interval->i;
	bool bad = !civil_in_range(us) || by == INT64_MIN;

	by = back && !bad ? -by : by;
	if (interval->tag == VALUE_MONTHS)
		bad |= by > months_max || by < -months_max;
	if (!bad && interval->tag == VALUE_MONTHS)
		us = civil_add_months(us, by);
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

static bool is_clock(const struct value *v)
{
	return v->tag == VALUE_TIME && v->i >= 0 && v->i < CIVIL_DAY_US;
}

/* A time of day and an interval, or two times of day. Returns whether it was one. */
static bool clocks(sqlite3_context *ctx, enum operator op, const struct value *a,
		   const struct value *b)
{
	if (op == SUBTRACT && is_clock(a) && is_clock(b)) {
		udf_return_moment(ctx, VALUE_INTERVAL, a->i - b->i);
		return true;
	}
	if ((op != ADD && op != SUBTRACT) || !is_clock(a) || b->tag != VALUE_INTERVAL)
		return false;
	int64_t by = b->i % CIVIL_DAY_US; /* a clock goes round */
	int64_t at = a->i + (op == ADD ? by : -by) + CIVIL_DAY_US;
	udf_return_moment(ctx, VALUE_TIME, at % CIVIL_DAY_US);
	return true;
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
	} else if (!clocks(ctx, op, &a, &b) && !times(ctx, op, &a, &b)) {
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

/* A number, or NULL; the query fails for anything else. */
static bool number_arg(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret)
{
	udf_value(arg, ret);
	if (ret->tag == VALUE_NUMBER)
		return true;
	if (ret->tag != VALUE_NULL)
		udf_fail(ctx, "A number was expected here, not %s.", value_type_name(ret));
	return false;
}

/* A float; one that is not a number crosses SQLite packed, since it would make NULL of it. */
static void return_float(sqlite3_context *ctx, double x)
{
	auto_buf struct buf packed = buf_make(VALUE_NUMBER_SIZE);

	value_put_float(&packed, x);
	if (!isnan(x))
		sqlite3_result_double(ctx, x);
	else if (buf_error(&packed))
		sqlite3_result_error_nomem(ctx);
	else
		sqlite3_result_blob64(ctx, packed.data, packed.len, SQLITE_TRANSIENT);
}

static void not_a_number(sqlite3_context *ctx, int, sqlite3_value **)
{
	return_float(ctx, (double)NAN);
}

static void infinity(sqlite3_context *ctx, int, sqlite3_value **)
{
	return_float(ctx, (double)INFINITY);
}

enum class : uintptr_t {
	IS_NAN,
	IS_FINITE,
	IS_INFINITE
};

static void is_class(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto class = (enum class)(uintptr_t)udf_data(ctx);
	struct value x;

	if (!number_arg(ctx, args[0], &x))
		return;
	udf_return_bool(ctx, class == IS_NAN	  ? isnan(x.f)
			     : class == IS_FINITE ? isfinite(x.f)
						  : isinf(x.f));
}

static void absolute(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value x;

	if (!number_arg(ctx, args[0], &x))
		return;
	if (!x.is_int)
		return_float(ctx, fabs(x.f));
	else if (x.i == INT64_MIN)
		udf_fail(ctx, "The result of ABS is too large for an int.");
	else
		sqlite3_result_int64(ctx, x.i < 0 ? -x.i : x.i);
}

/* LOG(x) natural, LOG(base, x) */
static void logarithm(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value a, b;

	if (!number_arg(ctx, args[0], &a) || (n == 2 && !number_arg(ctx, args[1], &b)))
		return;
	double x = n == 2 ? b.f : a.f;
	if (x <= 0 || (n == 2 && (a.f <= 0 || a.f == 1)))
		udf_fail(ctx, "LOG takes numbers above 0, and a base other than 1.");
	else
		return_float(ctx, n == 1      ? log(x)
				  : a.f == 2  ? log2(x)
				  : a.f == 10 ? log10(x)
					      : log(x) / log(a.f));
}

/* TRUNC(x[, digits]): towards zero. */
static void truncated(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value x, digits = { .i = 0 };

	if (!number_arg(ctx, args[0], &x) || (n == 2 && !number_arg(ctx, args[1], &digits)))
		return;
	if (x.is_int && digits.i >= 0) {
		sqlite3_result_value(ctx, args[0]);
		return;
	}
	if (digits.i < -300 || digits.i > 300) {
		udf_fail(ctx, "TRUNC takes -300 to 300 digits.");
		return;
	}
	double scale = pow(10, (double)digits.i), scaled = x.f * scale;
	if (x.is_int)
		sqlite3_result_int64(ctx, (sqlite3_int64)(trunc(scaled) / scale)); /* not larger */
	else
		return_float(ctx, isfinite(scaled) ? trunc(scaled) / scale : x.f);
}

/* CBRT(x) */
static void cube_root(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value x;

	if (!number_arg(ctx, args[0], &x))
		return;
	double root = cbrt(x.f), cube = root * root * root;
	if (isfinite(cube) &&
	    cube != 0) /* libc's is off by a bit at times; one step of Newton's mends it */
		root -= (cube - x.f) / (3 * root * root);
	return_float(ctx, root);
}

/* HYPOT(x, y) */
static void hypotenuse(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value x, y;

	if (number_arg(ctx, args[0], &x) && number_arg(ctx, args[1], &y))
		return_float(ctx, hypot(x.f, y.f));
}

enum bitwise : uintptr_t {
	AND,
	OR,
	XOR
};

/* BITWISE_AND, _OR, _XOR(a, b): the operator is the user data. */
static void bits(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto op = (enum bitwise)(uintptr_t)udf_data(ctx);
	struct value a, b;

	if (!number_arg(ctx, args[0], &a) || !number_arg(ctx, args[1], &b))
		return;
	if (!a.is_int || !b.is_int)
		udf_fail(ctx, "Bitwise functions take ints.");
	else
		sqlite3_result_int64(ctx, op == AND ? a.i & b.i : op == OR ? a.i | b.i : a.i ^ b.i);
}

static void bits_not(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value x;

	if (!number_arg(ctx, args[0], &x))
		return;
	if (x.is_int)
		sqlite3_result_int64(ctx, ~x.i);
	else
		udf_fail(ctx, "Bitwise functions take ints.");
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
		{ "rd_abs", 1, absolute, nullptr },
		{ "rd_nan", 0, not_a_number, nullptr },
		{ "rd_infinity", 0, infinity, nullptr },
		{ "rd_is_nan", 1, is_class, (void *)IS_NAN },
		{ "rd_is_finite", 1, is_class, (void *)IS_FINITE },
		{ "rd_is_infinite", 1, is_class, (void *)IS_INFINITE },
		{ "rd_log", 1, logarithm, nullptr },
		{ "rd_log", 2, logarithm, nullptr },
		{ "rd_trunc", 1, truncated, nullptr },
		{ "rd_trunc", 2, truncated, nullptr },
		{ "rd_cbrt", 1, cube_root, nullptr },
		{ "rd_hypot", 2, hypotenuse, nullptr },
		{ "rd_bitwise_and", 2, bits, (void *)AND },
		{ "rd_bitwise_or", 2, bits, (void *)OR },
		{ "rd_bitwise_xor", 2, bits, (void *)XOR },
		{ "rd_bitwise_not", 1, bits_not, nullptr },
	};

	static const struct udf VARYING[] = {
		{ "rd_rand", 0, random_number, nullptr },
	};
	int r = udf_register(db, FUNCTIONS, countof(FUNCTIONS));

	return r ? r : udf_register_varying(db, VARYING, countof(VARYING));
}
