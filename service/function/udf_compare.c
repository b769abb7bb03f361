/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "service/function/udf.h"
#include "service/value/match.h"

/* A comparison, by the orders for which it is true. */
enum compare : uintptr_t {
	COMPARE_LESS = 1,
	COMPARE_EQUAL = 2,
	COMPARE_MORE = 4,
	COMPARE_UNLIKE =
		8, /* without it the comparison of unlike values is NULL, or false for equality */
};

/* One side. Returns false for NULL. */
static bool operand_of(sqlite3_value *arg, struct operand *ret)
{
	struct value value;

	udf_value(arg, &value);
	if (value.tag == VALUE_NULL || (value.tag == VALUE_NUMBER && isnan(value.f)))
		return false;
	*ret = (struct operand) { .tag = value.tag,
				  .is_int = value.is_int,
				  .i = value.i,
				  .f = value.f,
				  .text = (const char *)value.data,
				  .len = value.len };
	if (value.tag != VALUE_STRING) { /* packed bytes have the order of the values */
		ret->text = (const char *)value.at;
		ret->len = value.size;
	}
	return true;
}

static bool among(uintptr_t set, int order)
{
	return set & (order == MATCH_UNLIKE ? COMPARE_UNLIKE
		      : order < 0	    ? COMPARE_LESS
		      : order > 0	    ? COMPARE_MORE
					    : COMPARE_EQUAL);
}

/* rd_eq(a, b), rd_lt(a, b) and the like: 0, 1 or NULL. */
static void compare(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto set = (uintptr_t)udf_data(ctx);
	struct operand a, b;

	if (!operand_of(args[0], &a) || !operand_of(args[1], &b))
		return;
	int order = match_values(&a, &b);
	bool equality = set == COMPARE_EQUAL || (set & COMPARE_UNLIKE) != 0;
	if (order != MATCH_UNLIKE || equality)
		sqlite3_result_int(ctx, among(set, order));
}

/* rd_same(a, b): never NULL; two NULLs are the same. */
static void same(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct operand a, b;
	bool x = operand_of(args[0], &a), y = operand_of(args[1], &b);

	sqlite3_result_int(ctx, x && y ? match_values(&a, &b) == 0 : x == y);
}

/* rd_between(x, low, high): as x >= low AND x <= high. */
static void between(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct operand x, bound;
	bool null = !operand_of(args[0], &x);

	for (int side = 0; side < 2; side++) {
		bool known = !null && operand_of(args[side + 1], &bound);
		int order = known ? match_values(&x, &bound) : MATCH_UNLIKE;

		if (order != MATCH_UNLIKE && (side == 0 ? order < 0 : order > 0)) {
			sqlite3_result_int(ctx, 0);
			return;
		}
		if (order == MATCH_UNLIKE && side == 1)
			return;
		if (order == MATCH_UNLIKE) { /* NULL, unless the other side makes it false */
			known = !null && operand_of(args[2], &bound);
			order = known ? match_values(&x, &bound) : MATCH_UNLIKE;
			if (order == 1)
				sqlite3_result_int(ctx, 0);
			return;
		}
	}
	sqlite3_result_int(ctx, 1);
}

/* rd_in(x, member …) */
static void in(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct operand x, member;
	bool null = false;

	if (n < 1 || !operand_of(args[0], &x))
		return;
	for (int i = 1; i < n; i++) {
		if (!operand_of(args[i], &member)) {
			null = true;
		} else if (match_values(&x, &member) == 0) {
			sqlite3_result_int(ctx, 1);
			return;
		}
	}
	if (!null)
		sqlite3_result_int(ctx, 0);
}

/* rd_nullif(a, b): a, but NULL if they are equal. */
static void nullif(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct operand a, b;
	bool both = operand_of(args[0], &a) && operand_of(args[1], &b);

	if (!both || match_values(&a, &b) != 0)
		sqlite3_result_value(ctx, args[0]);
}

/* rd_moment(x): a date, datetime or a text of a moment as the timestamp that it is equal to; others as they are. */
static void as_moment(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct operand a;
	enum value_tag tag = VALUE_TIMESTAMP;
	int64_t us;

	if (!operand_of(args[0], &a))
		return;
	bool good = a.tag == VALUE_STRING ? match_text(VALUE_TIMESTAMP, a.text, a.len, &tag, &us) ||
						    match_text(VALUE_TIME, a.text, a.len, &tag, &us)
					  : match_moment(a.tag, a.i, &us);
	if (good)
		udf_return_moment(ctx, tag, us);
	else
		sqlite3_result_value(ctx, args[0]);
}

int udf_register_compare(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_eq", 2, compare, (void *)COMPARE_EQUAL },
		{ "rd_ne", 2, compare, (void *)(COMPARE_LESS | COMPARE_MORE | COMPARE_UNLIKE) },
		{ "rd_lt", 2, compare, (void *)COMPARE_LESS },
		{ "rd_le", 2, compare, (void *)(COMPARE_LESS | COMPARE_EQUAL) },
		{ "rd_gt", 2, compare, (void *)COMPARE_MORE },
		{ "rd_ge", 2, compare, (void *)(COMPARE_MORE | COMPARE_EQUAL) },
		{ "rd_same", 2, same, nullptr },
		{ "rd_between", 3, between, nullptr },
		{ "rd_in", -1, in, nullptr },
		{ "rd_nullif", 2, nullif, nullptr },
		{ "rd_moment", 1, as_moment, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
