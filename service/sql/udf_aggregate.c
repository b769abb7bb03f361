/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/udf.h"

#include <errno.h>
#include <math.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* SQLite zeroes the context of an aggregate at its first row. */
static void *context(sqlite3_context *ctx, size_t size)
{
	void *at = sqlite3_aggregate_context(ctx, (int)size);

	if (!at)
		sqlite3_result_error_nomem(ctx);
	return at;
}

/* SUM and AVG, which must be able to take rows back for windows. */
struct sum {
	int64_t whole, rows, reals;
	double real, lost; /* Neumaier: what rounding lost */
	bool overflow, interval;
};

static void add_real(struct sum *sum, double x)
{
	double total = sum->real + x;

	if (fabs(sum->real) >= fabs(x))
		sum->lost += sum->real - total + x;
	else
		sum->lost += x - total + sum->real;
	sum->real = total;
}

/* Count a value in, or (sign -1) out again. */
static void sum_change(sqlite3_context *ctx, sqlite3_value *arg, int sign)
{
	struct sum *sum = context(ctx, sizeof(*sum));
	struct value value;

	if (!sum)
		return;
	udf_value(arg, &value);
	if (value.tag == VALUE_NULL)
		return;
	sum->rows += sign;
	if ((value.tag == VALUE_NUMBER && value.is_int) || value.tag == VALUE_INTERVAL) {
		sum->interval |= value.tag == VALUE_INTERVAL;
		bool over = sign > 0 ? ckd_add(&sum->whole, sum->whole, value.i)
				     : ckd_sub(&sum->whole, sum->whole, value.i);
		sum->overflow |= over;
	} else if (value.tag == VALUE_NUMBER) {
		sum->reals += sign;
		add_real(sum, sign > 0 ? value.f : -value.f);
	} else {
		udf_fail(ctx, "SUM and AVG cannot take a value of type %s.",
			 value_type_name(&value));
	}
}

static void sum_step(sqlite3_context *ctx, int, sqlite3_value **args)
{
	sum_change(ctx, args[0], 1);
}

static void sum_inverse(sqlite3_context *ctx, int, sqlite3_value **args)
{
	sum_change(ctx, args[0], -1);
}

static void sum_value(sqlite3_context *ctx)
{
	const struct sum *sum = context(ctx, sizeof(*sum));
	bool average = sqlite3_user_data(ctx) != nullptr;

	if (!sum || sum->rows == 0)
		return;
	double total = sum->real + sum->lost + (double)sum->whole;
	if (sum->overflow)
		udf_fail(ctx, "The sum is too large for an int.");
	else if (sum->interval)
		udf_return_moment(ctx, VALUE_INTERVAL,
				  average ? sum->whole / sum->rows : sum->whole);
	else if (average)
		sqlite3_result_double(ctx, total / (double)sum->rows);
	else if (sum->reals > 0)
		sqlite3_result_double(ctx, total);
	else
		sqlite3_result_int64(ctx, sum->whole);
}

/* Variance. Source: Welford; Knuth, TAOCP 2, section 4.2.2. */
struct spread {
	int64_t rows;
	double mean, squares;
};

enum spread_kind : uintptr_t {
	VAR_POP,
	VAR_SAMP,
	STDDEV_POP,
	STDDEV_SAMP
};

static void spread_step(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct spread *spread = context(ctx, sizeof(*spread));
	struct value value;

	if (!spread)
		return;
	udf_value(args[0], &value);
	if (value.tag == VALUE_NULL)
		return;
	if (value.tag != VALUE_NUMBER) {
		udf_fail(ctx, "A variance cannot take a value of type %s.",
			 value_type_name(&value));
		return;
	}
	double x = value.f, delta = x - spread->mean;
	spread->rows++;
	spread->mean += delta / (double)spread->rows;
	spread->squares += delta * (x - spread->mean);
}

static void spread_final(sqlite3_context *ctx)
{
	auto kind = (enum spread_kind)(uintptr_t)sqlite3_user_data(ctx);
	const struct spread *spread = context(ctx, sizeof(*spread));
	bool sample = kind == VAR_SAMP || kind == STDDEV_SAMP;

	if (!spread || spread->rows < (sample ? 2 : 1))
		return;
	double variance = spread->squares / (double)(spread->rows - sample);
	sqlite3_result_double(ctx, kind >= STDDEV_POP ? sqrt(variance) : variance);
}

/* ARRAY_AGG, MAP_AGG: what is collected so far. */
struct collected {
	struct buf *buf;
};

static struct buf *collect(sqlite3_context *ctx)
{
	struct collected *collected = context(ctx, sizeof(*collected));

	if (!collected)
		return nullptr;
	if (!collected->buf) {
		collected->buf = malloc(sizeof(*collected->buf));
		if (!collected->buf) {
			sqlite3_result_error_nomem(ctx);
			return nullptr;
		}
		*collected->buf = buf_make(UDF_RESULT_MAX);
		if (sqlite3_user_data(ctx))
			value_put_object(collected->buf);
		else
			value_put_array(collected->buf);
	}
	return collected->buf;
}

static void array_step(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct buf *buf = collect(ctx);

	if (buf)
		udf_pack(args[0], buf);
}

static void map_step(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct buf *buf = collect(ctx);

	if (!buf || sqlite3_value_type(args[0]) == SQLITE_NULL)
		return;
	if (sqlite3_value_type(args[0]) != SQLITE_TEXT) {
		udf_fail(ctx, "MAP_AGG: a key must be a string.");
		return;
	}
	value_put_key(buf, (const char *)sqlite3_value_text(args[0]),
		      (size_t)sqlite3_value_bytes(args[0]));
	udf_pack(args[1], buf);
}

static void collected_final(sqlite3_context *ctx)
{
	struct collected *collected = sqlite3_aggregate_context(ctx, 0);

	if (!collected || !collected->buf) /* no rows, or the failure is reported already */
		return;
	value_put_end(collected->buf);
	udf_return_packed(ctx, collected->buf);
	buf_done(collected->buf);
	free(collected->buf);
	collected->buf = nullptr;
}

/* MIN_BY(x, by), MAX_BY (user data set): the x of the least or greatest by. */
struct best {
	sqlite3_value *value, *by;
};

/* Order of two values as SQLite has it for our mixed types: numbers, texts, then packed ones. */
static int compare(sqlite3_value *a, sqlite3_value *b)
{
	struct value x, y;

	udf_value(a, &x);
	udf_value(b, &y);
	if (x.tag != y.tag)
		return x.tag < y.tag ? -1 : 1;
	if (x.tag == VALUE_NUMBER && x.is_int && y.is_int)
		return (x.i > y.i) - (x.i < y.i);
	if (x.tag == VALUE_NUMBER)
		return (x.f > y.f) - (x.f < y.f);
	const uint8_t *xs = x.at ? x.at : x.data, *ys = y.at ? y.at : y.data;
	size_t xn = x.at ? x.size : x.len, yn = y.at ? y.size : y.len, n = xn < yn ? xn : yn;
	int r = n > 0 && xs && ys ? memcmp(xs, ys, n) : 0;
	return r ? r : (xn > yn) - (xn < yn);
}

static void best_step(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct best *best = context(ctx, sizeof(*best));
	bool max = sqlite3_user_data(ctx) != nullptr;

	if (!best || sqlite3_value_type(args[1]) == SQLITE_NULL)
		return;
	if (best->by) {
		int order = compare(args[1], best->by);

		if (max ? order <= 0 : order >= 0)
			return;
	}
	sqlite3_value_free(best->value);
	sqlite3_value_free(best->by);
	best->value = sqlite3_value_dup(args[0]);
	best->by = sqlite3_value_dup(args[1]);
	if (!best->value || !best->by)
		sqlite3_result_error_nomem(ctx);
}

static void best_final(sqlite3_context *ctx)
{
	struct best *best = sqlite3_aggregate_context(ctx, 0);

	if (!best)
		return;
	if (best->value)
		sqlite3_result_value(ctx, best->value);
	sqlite3_value_free(best->value);
	sqlite3_value_free(best->by);
	*best = (struct best) {};
}

int udf_register_aggregate(sqlite3 *db)
{
	static char yes;
	constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	static const struct {
		const char *name;
		int args;
		void *data;
		void (*step)(sqlite3_context *, int, sqlite3_value **);
		void (*final)(sqlite3_context *);
	} AGGREGATES[] = {
		{ "rd_var_pop", 1, (void *)VAR_POP, spread_step, spread_final },
		{ "rd_var_samp", 1, (void *)VAR_SAMP, spread_step, spread_final },
		{ "rd_stddev_pop", 1, (void *)STDDEV_POP, spread_step, spread_final },
		{ "rd_stddev_samp", 1, (void *)STDDEV_SAMP, spread_step, spread_final },
		{ "rd_array_agg", 1, nullptr, array_step, collected_final },
		{ "rd_map_agg", 2, &yes, map_step, collected_final },
		{ "rd_min_by", 2, nullptr, best_step, best_final },
		{ "rd_max_by", 2, &yes, best_step, best_final },
	};

	for (size_t i = 0; i < countof(AGGREGATES); i++)
		if (sqlite3_create_function_v2(db, AGGREGATES[i].name, AGGREGATES[i].args, flags,
					       AGGREGATES[i].data, nullptr, AGGREGATES[i].step,
					       AGGREGATES[i].final, nullptr) != SQLITE_OK)
			return -ENOMEM;
	for (int average = 0; average < 2; average++)
		if (sqlite3_create_window_function(db, average ? "rd_avg" : "rd_sum", 1, flags,
						   average ? &yes : nullptr, sum_step, sum_value,
						   sum_value, sum_inverse, nullptr) != SQLITE_OK)
			return -ENOMEM;
	return 0;
}
