/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

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
	bool average = udf_data(ctx) != nullptr;

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
	auto kind = (enum spread_kind)(uintptr_t)udf_data(ctx);
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
		if (udf_data(ctx))
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
	bool max = udf_data(ctx) != nullptr;

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

/*
 * APPROX_PERCENTILE(x, fraction): all values as long as there are no more than these, then a random sample of as many.
 * Source: Vitter's algorithm R.
 */
constexpr size_t SAMPLE_MAX = 1u << 20;

struct sample {
	double *value;
	size_t n, room;
	uint64_t seen, random; /* state of the generator; the same values give the same answer */
	double fraction;
};

/* Source: Marsaglia's xorshift64 with Vigna's multiplier. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static bool grow(struct sample *sample)
{
	if (sample->n < sample->room)
		return true;
	size_t room = sample->room ? 2 * sample->room : 64;
	double *grown = sqlite3_realloc64(sample->value, room * sizeof(*grown));
	if (!grown)
		return false;
	sample->value = grown;
	sample->room = room;
	return true;
}

static void sample_add(sqlite3_context *ctx, struct sample *sample, double x)
{
	size_t at = sample->n;

	if (sample->seen++ >= SAMPLE_MAX)
		at = next_random(&sample->random) % sample->seen;
	else if (!grow(sample))
		sqlite3_result_error_nomem(ctx);
	else
		sample->n++;
	if (at < sample->n)
		sample->value[at] = x;
}

static void sample_step(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct sample *sample = context(ctx, sizeof(*sample));
	struct value x, fraction;

	if (!sample)
		return;
	udf_value(args[0], &x);
	udf_value(args[1], &fraction);
	if (x.tag == VALUE_NULL)
		return;
	if (x.tag != VALUE_NUMBER || fraction.tag != VALUE_NUMBER || !(fraction.f >= 0) ||
	    fraction.f > 1) {
		udf_fail(ctx, "APPROX_PERCENTILE takes a number and a fraction from 0 to 1.");
		return;
	}
	if (sample->seen == 0)
		sample->random = 1;
	sample->fraction = fraction.f;
	sample_add(ctx, sample, x.f);
}

static int number_order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The smallest value that is not less than that fraction of all. */
static void sample_final(sqlite3_context *ctx)
{
	struct sample *sample = sqlite3_aggregate_context(ctx, 0);

	if (!sample || sample->n == 0)
		return;
	bool sorted = udf_sort(ctx, sample->value, sample->n, sizeof(*sample->value), number_order);
	double rank = ceil(sample->fraction * (double)sample->n);
	size_t at = rank < 1 ? 0 : (size_t)rank - 1;
	if (sorted)
		sqlite3_result_double(ctx, sample->value[at < sample->n ? at : sample->n - 1]);
	sqlite3_free(sample->value);
	*sample = (struct sample) {};
}

/* rd_only(value): the value of the one row that there may be. */
struct only {
	sqlite3_value *value;
};

static void only_step(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct only *only = context(ctx, sizeof(*only));

	if (!only)
		return;
	if (only->value) {
		udf_fail(ctx, "A query used as a value has more than one row.");
		return;
	}
	only->value = sqlite3_value_dup(args[0]);
	if (!only->value)
		sqlite3_result_error_nomem(ctx);
}

static void only_final(sqlite3_context *ctx)
{
	struct only *only = sqlite3_aggregate_context(ctx, 0);

	if (!only || !only->value)
		return;
	sqlite3_result_value(ctx, only->value);
	sqlite3_value_free(only->value);
	only->value = nullptr;
}

int udf_register_aggregate(sqlite3 *db)
{
	static char yes;
	static const struct udf_aggregate AGGREGATES[] = {
		{ { "rd_sum", 1, sum_step, nullptr }, sum_value, sum_value, sum_inverse },
		{ { "rd_avg", 1, sum_step, &yes }, sum_value, sum_value, sum_inverse },
		{ { "rd_var_pop", 1, spread_step, (void *)VAR_POP },
		  spread_final,
		  nullptr,
		  nullptr },
		{ { "rd_var_samp", 1, spread_step, (void *)VAR_SAMP },
		  spread_final,
		  nullptr,
		  nullptr },
		{ { "rd_stddev_pop", 1, spread_step, (void *)STDDEV_POP },
		  spread_final,
		  nullptr,
		  nullptr },
		{ { "rd_stddev_samp", 1, spread_step, (void *)STDDEV_SAMP },
		  spread_final,
		  nullptr,
		  nullptr },
		{ { "rd_array_agg", 1, array_step, nullptr }, collected_final, nullptr, nullptr },
		{ { "rd_map_agg", 2, map_step, &yes }, collected_final, nullptr, nullptr },
		{ { "rd_min_by", 2, best_step, nullptr }, best_final, nullptr, nullptr },
		{ { "rd_max_by", 2, best_step, &yes }, best_final, nullptr, nullptr },
		{ { "rd_only", 1, only_step, nullptr }, only_final, nullptr, nullptr },
		{ { "rd_percentile", 2, sample_step, nullptr }, sample_final, nullptr, nullptr },
	};

	return udf_register_aggregates(db, AGGREGATES, countof(AGGREGATES));
}
