/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf_time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>

#include "service/value/civil.h"

/* TIMESTAMP_MICROS, _MILLIS, _SECONDS(n): µs each in the user data. */
static void timestamp(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const int64_t *unit = udf_data(ctx);
	int64_t us;

	if (sqlite3_value_type(args[0]) == SQLITE_NULL)
		return;
	if (sqlite3_value_numeric_type(args[0]) != SQLITE_INTEGER &&
	    sqlite3_value_numeric_type(args[0]) != SQLITE_FLOAT)
		udf_fail(ctx, "A number was expected here.");
	else if (ckd_mul(&us, sqlite3_value_int64(args[0]), *unit) || !civil_in_range(us))
		udf_fail(ctx, "The result lies outside the years 1 to 9999.");
	else
		udf_return_moment(ctx, VALUE_TIMESTAMP, us);
}

/* UNIX_MICROS, _MILLIS, _SECONDS, _DATE(moment) */
static void unix_time(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const int64_t *unit = udf_data(ctx);
	struct value value;
	int64_t us;

	if (udf_time_moment(ctx, args[0], &value, &us))
		sqlite3_result_int64(ctx, udf_time_floor(us, *unit) / *unit);
}

/* DATE(y, m, d), DATE(moment) */
static void date(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value value;
	int64_t us;

	if (udf_any_null(n, args))
		return;
	if (n == 1) {
		if (udf_time_moment(ctx, args[0], &value, &us))
			udf_return_moment(ctx, VALUE_DATE,
					  udf_time_floor(us, CIVIL_DAY_US) / CIVIL_DAY_US);
		return;
	}
	int64_t year = sqlite3_value_int64(args[0]), month = sqlite3_value_int64(args[1]);
	int64_t day = n == 3 ? sqlite3_value_int64(args[2]) : 1;
	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > civil_month_days(year, month))
		udf_fail(ctx, "There is no such date.");
	else
		udf_return_moment(ctx, VALUE_DATE, civil_days(year, month, day));
}

/* DATE and TIME as one moment: DATETIME(date, time). */
static void join(sqlite3_context *ctx, sqlite3_value **args)
{
	struct value day, time;
	int64_t day_us, time_us;

	if (!udf_time_moment(ctx, args[0], &day, &day_us) ||
	    !udf_time_any(ctx, args[1], &time, &time_us))
		return;
	if (day.tag != VALUE_DATE || time.tag != VALUE_TIME)
		udf_fail(ctx, "DATETIME with two arguments takes a date and a time, not %s and %s.",
			 value_type_name(&day), value_type_name(&time));
	else
		udf_return_moment(ctx, VALUE_DATETIME, day_us + time_us);
}

/* Whether a time of day is one: h, m, s, µs. */
static bool is_clock(const int64_t v[4])
{
	return v[0] >= 0 && v[0] <= 23 && v[1] >= 0 && v[1] <= 59 && v[2] >= 0 && v[2] <= 59 &&
	       v[3] >= 0 && v[3] < SECOND_US;
}

/* DATETIME(y, m, d[, h[, m[, s[, µs]]]]) */
static void datetime(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	int64_t v[7] = {};

	if (udf_any_null(n, args))
		return;
	if (n == 2) {
		join(ctx, args);
		return;
	}
	for (int i = 0; i < n && i < 7; i++)
		v[i] = sqlite3_value_int64(args[i]);
	if (v[0] < 1 || v[0] > 9999 || v[1] < 1 || v[1] > 12 || v[2] < 1 ||
	    v[2] > civil_month_days(v[0], v[1]) || !is_clock(&v[3])) {
		udf_fail(ctx, "There is no such time.");
		return;
	}
	struct civil c = { v[0], v[1], v[2], v[3], v[4], v[5], v[6] };
	udf_return_moment(ctx, VALUE_DATETIME, civil_to_us(&c));
}

/* TIME(h, m, s[, µs]), TIME(moment) */
static void time_of_day(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	int64_t v[4] = {}, us;
	struct value value;

	if (udf_any_null(n, args))
		return;
	if (n == 1) {
		if (udf_time_any(ctx, args[0], &value, &us))
			udf_return_moment(ctx, VALUE_TIME, us - udf_time_floor(us, CIVIL_DAY_US));
		return;
	}
	for (int i = 0; i < n && i < 4; i++)
		v[i] = sqlite3_value_int64(args[i]);
	if (is_clock(v))
		udf_return_moment(ctx, VALUE_TIME,
				  ((v[0] * 60 + v[1]) * 60 + v[2]) * SECOND_US + v[3]);
	else
		udf_fail(ctx, "There is no such time.");
}

int udf_register_time_make(sqlite3 *db)
{
	static const int64_t ONE = 1, MILLI = 1000, WHOLE = SECOND_US, DAY = CIVIL_DAY_US;
#define NUMBER(n) ((void *)(uintptr_t)&(n))
	static const struct udf FUNCTIONS[] = {
		{ "rd_timestamp_micros", 1, timestamp, NUMBER(ONE) },
		{ "rd_timestamp_millis", 1, timestamp, NUMBER(MILLI) },
		{ "rd_timestamp_seconds", 1, timestamp, NUMBER(WHOLE) },
		{ "rd_unix_micros", 1, unix_time, NUMBER(ONE) },
		{ "rd_unix_millis", 1, unix_time, NUMBER(MILLI) },
		{ "rd_unix_seconds", 1, unix_time, NUMBER(WHOLE) },
		{ "rd_unix_date", 1, unix_time, NUMBER(DAY) },
		{ "rd_date", -1, date, nullptr },
		{ "rd_datetime", -1, datetime, nullptr },
		{ "rd_time", -1, time_of_day, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
