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
#include "service/value/value_json.h"

/* Units of time. In months or in µs. */
static const struct unit {
	const char *name;
	int64_t months, us;
} UNITS[] = {
	{ "MICROSECOND", 0, 1 },
	{ "MILLISECOND", 0, 1000 },
	{ "SECOND", 0, SECOND_US },
	{ "MINUTE", 0, 60 * SECOND_US },
	{ "HOUR", 0, 3600 * SECOND_US },
	{ "DAY", 0, CIVIL_DAY_US },
	{ "WEEK", 0, 7 * CIVIL_DAY_US },
	{ "MONTH", 1, 0 },
	{ "QUARTER", 3, 0 },
	{ "YEAR", 12, 0 },
};

/* The unit of that name, in any case, in singular or plural; the query fails if there is none. */
static const struct unit *unit_arg(sqlite3_context *ctx, sqlite3_value *arg)
{
	const char *name = (const char *)sqlite3_value_text(arg);
	size_t len = name ? strlen(name) : 0;

	if (len > 1 && (name[len - 1] == 's' || name[len - 1] == 'S'))
		len--;
	for (size_t i = 0; name && i < countof(UNITS); i++)
		if (strlen(UNITS[i].name) == len && strncasecmp(UNITS[i].name, name, len) == 0)
			return &UNITS[i];
	udf_fail(ctx, "`%.40s` is not a unit of time.", name ? name : "");
	return nullptr;
}

bool udf_time_moment(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret, int64_t *ret_us)
{
	udf_value(arg, ret);
	if (ret->tag == VALUE_NULL)
		return false;
	bool day = ret->tag == VALUE_DATE && ret->i >= CIVIL_DAY_MIN && ret->i <= CIVIL_DAY_MAX;
	if (!day && ret->tag != VALUE_DATETIME && ret->tag != VALUE_TIMESTAMP) {
		udf_fail(ctx, "A date, datetime or timestamp was expected here, not %s.",
			 value_type_name(ret));
		return false;
	}
	*ret_us = day ? ret->i * CIVIL_DAY_US : ret->i;
	if (!civil_in_range(*ret_us)) {
		udf_fail(ctx, "This time lies outside the years 1 to 9999.");
		return false;
	}
	return true;
}

bool udf_time_any(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret, int64_t *ret_us)
{
	udf_value(arg, ret);
	*ret_us = ret->i;
	if (ret->tag == VALUE_TIME && ret->i >= 0 && ret->i < CIVIL_DAY_US)
		return true;
	return udf_time_moment(ctx, arg, ret, ret_us);
}

int64_t udf_time_floor(int64_t value, int64_t step)
{
	int64_t rest = value % step;

	return value - (rest < 0 ? rest + step : rest);
}

void udf_time_return(sqlite3_context *ctx, const struct value *like, int64_t us)
{
	if (!civil_in_range(us))
		udf_fail(ctx, "The result lies outside the years 1 to 9999.");
	else if (like->tag == VALUE_DATE)
		udf_return_moment(ctx, VALUE_DATE, udf_time_floor(us, CIVIL_DAY_US) / CIVIL_DAY_US);
	else
		udf_return_moment(ctx, like->tag, us);
}

/* µs down to a whole unit; a week begins on Monday. */
static int64_t whole_units(const struct unit *unit, int64_t us)
{
	if (unit->months > 0) {
		struct civil c = civil_from_us(us);
		int64_t index = (c.month - 1) / unit->months * unit->months;

		return civil_days(c.year, index + 1, 1) * CIVIL_DAY_US;
	}
	if (unit->us == 7 * CIVIL_DAY_US) /* day 0 is a Thursday */
		return udf_time_floor(us + 3 * CIVIL_DAY_US, unit->us) - 3 * CIVIL_DAY_US;
	return udf_time_floor(us, unit->us);
}

/* The zone in args[at] if there is that argument, for a moment of that kind; else nullptr. False as udf_time_zone(). */
static bool zone_for(sqlite3_context *ctx, int n, sqlite3_value **args, int at,
		     const struct value *moment, const struct zone **ret)
{
	*ret = nullptr;
	if (n <= at)
		return true;
	if (moment->tag != VALUE_TIMESTAMP) {
		udf_fail(ctx, "A time zone goes with a timestamp, not with %s.",
			 value_type_name(moment));
		return false;
	}
	return udf_time_zone(ctx, args[at], ret);
}

/* DATE_TRUNC(unit, moment[, zone]) */
static void date_trunc(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	const struct unit *unit = unit_arg(ctx, args[0]);
	const struct zone *zone;
	struct value value;
	int64_t us;

	if (!unit || !udf_time_moment(ctx, args[1], &value, &us) ||
	    !zone_for(ctx, n, args, 2, &value, &zone))
		return;
	if (zone)
		us = zone_to_utc(zone, whole_units(unit, zone_to_local(zone, us)));
	else
		us = whole_units(unit, us);
	udf_time_return(ctx, &value, us);
}

/* Whole months from a to b, rounded towards zero. */
static int64_t months_between(int64_t a_us, int64_t b_us)
{
	struct civil a = civil_from_us(a_us), b = civil_from_us(b_us);
	int64_t months = (b.year - a.year) * 12 + b.month - a.month;
	int64_t a_rest = a_us - civil_days(a.year, a.month, 1) * CIVIL_DAY_US;
	int64_t b_rest = b_us - civil_days(b.year, b.month, 1) * CIVIL_DAY_US;

	if (months > 0 && b_rest < a_rest)
		months--;
	else if (months < 0 && b_rest > a_rest)
		months++;
	return months;
}

/* DATE_DIFF(unit, start, end[, zone]) */
static void date_diff(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	const struct unit *unit = unit_arg(ctx, args[0]);
	const struct zone *zone;
	struct value a, b;
	int64_t start, end;

	if (!unit || !udf_time_moment(ctx, args[1], &a, &start) ||
	    !udf_time_moment(ctx, args[2], &b, &end) || !zone_for(ctx, n, args, 3, &a, &zone))
		return;
	if (zone) {
		start = zone_to_local(zone, start);
		end = zone_to_local(zone, end);
	}
	sqlite3_result_int64(ctx, unit->months > 0 ? months_between(start, end) / unit->months
						   : (end - start) / unit->us);
}

/* rd_interval(n, unit), or n alone with the unit in the user data. */
static void interval(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	const struct unit *unit = n == 2 ? unit_arg(ctx, args[1]) : udf_data(ctx);
	int64_t count = sqlite3_value_int64(args[0]), total;
	int type = sqlite3_value_numeric_type(args[0]);

	if (!unit || type == SQLITE_NULL)
		return;
	if (type != SQLITE_INTEGER)
		udf_fail(ctx, "An interval needs a whole number.");
	else if (ckd_mul(&total, count, unit->months > 0 ? unit->months : unit->us))
		udf_fail(ctx, "This interval is too long.");
	else
		udf_return_moment(ctx, unit->months > 0 ? VALUE_MONTHS : VALUE_INTERVAL, total);
}

/* DATE_ADD(unit, n, moment), DATE_SUB (user data set): as moment + n units. */
static void date_add(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const struct unit *unit = unit_arg(ctx, args[0]);
	int64_t count = sqlite3_value_int64(args[1]), us, by;
	constexpr int64_t months_max = 20'000; /* of years, with which civil_add_months() can do */
	struct value value;

	if (!unit || sqlite3_value_type(args[1]) == SQLITE_NULL ||
	    !udf_time_moment(ctx, args[2], &value, &us))
		return;
	if (udf_data(ctx) && count != INT64_MIN)
		count = -count;
	if (unit->months > 0 && count >= -months_max && count <= months_max) {
		us = civil_add_months(us, count * unit->months);
	} else if (unit->months > 0 || ckd_mul(&by, count, unit->us) || ckd_add(&us, us, by)) {
		udf_fail(ctx, "The result lies outside the years 1 to 9999.");
		return;
	}
	if (value.tag == VALUE_DATE && us % CIVIL_DAY_US != 0)
		value.tag = VALUE_DATETIME;
	udf_time_return(ctx, &value, us);
}

/* TIME_BUCKET(interval, moment[, origin]) */
static void time_bucket(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value step, value, origin;
	int64_t us, from = 0;

	udf_value(args[0], &step);
	if (step.tag == VALUE_NULL || !udf_time_moment(ctx, args[1], &value, &us) ||
	    (n == 3 && !udf_time_moment(ctx, args[2], &origin, &from)))
		return;
	if (step.tag != VALUE_INTERVAL || step.i <= 0)
		udf_fail(ctx, "TIME_BUCKET takes a positive interval in days or shorter units.");
	else
		udf_time_return(ctx, &value, udf_time_floor(us - from, step.i) + from);
}

/* EXTRACT(part FROM moment) */
static void extract(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const char *part = (const char *)sqlite3_value_text(args[1]);
	struct value value;
	int64_t us;

	if (!part || !udf_time_any(ctx, args[0], &value, &us))
		return;
	struct civil c = civil_from_us(us);
	int64_t day = udf_time_floor(us, CIVIL_DAY_US) / CIVIL_DAY_US;
	int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 0 is Monday */
	int64_t thursday = day - weekday + 3;
	struct civil week_year = civil_from_us(thursday * CIVIL_DAY_US);
	const struct {
		const char *name;
		int64_t value;
	} parts[] = {
		{ "YEAR", c.year },
		{ "QUARTER", (c.month - 1) / 3 + 1 },
		{ "MONTH", c.month },
		{ "WEEK", (thursday - civil_days(week_year.year, 1, 1)) / 7 + 1 },
		{ "DAY", c.day },
		{ "DOW", weekday + 1 },
		{ "ISODOW", weekday + 1 },
		{ "ISOYEAR", week_year.year },
		{ "ISOWEEK", (thursday - civil_days(week_year.year, 1, 1)) / 7 + 1 },
		{ "DAYOFWEEK", (weekday + 1) % 7 + 1 },
		{ "DOY", day - civil_days(c.year, 1, 1) + 1 },
		{ "DAYOFYEAR", day - civil_days(c.year, 1, 1) + 1 },
		{ "HOUR", c.hour },
		{ "MINUTE", c.minute },
		{ "SECOND", c.second },
		{ "MILLISECOND", c.us / 1000 },
		{ "MICROSECOND", c.us },
		{ "EPOCH", udf_time_floor(us, SECOND_US) / SECOND_US },
	};

	for (size_t i = 0; i < countof(parts); i++)
		if (strcasecmp(parts[i].name, part) == 0) {
			sqlite3_result_int64(ctx, parts[i].value);
			return;
		}
	udf_fail(ctx, "EXTRACT: there is no part `%.40s`.", part);
}

static void duration_seconds(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;

	udf_value(args[0], &value);
	if (value.tag == VALUE_INTERVAL)
		sqlite3_result_double(ctx, (double)value.i / (double)SECOND_US);
	else if (value.tag != VALUE_NULL)
		udf_fail(ctx, "DURATION_SECONDS takes an interval in days or shorter units.");
}

int udf_register_time(sqlite3 *db)
{
	static char yes;
#define UNIT(n) ((void *)(uintptr_t)&UNITS[n])
	static const struct udf FUNCTIONS[] = {
		{ "rd_microseconds", 1, interval, UNIT(0) },
		{ "rd_milliseconds", 1, interval, UNIT(1) },
		{ "rd_seconds", 1, interval, UNIT(2) },
		{ "rd_minutes", 1, interval, UNIT(3) },
		{ "rd_hours", 1, interval, UNIT(4) },
		{ "rd_days", 1, interval, UNIT(5) },
		{ "rd_weeks", 1, interval, UNIT(6) },
		{ "rd_months", 1, interval, UNIT(7) },
		{ "rd_years", 1, interval, UNIT(9) },
		{ "rd_interval", 2, interval, nullptr },
		{ "rd_date_trunc", -1, date_trunc, nullptr },
		{ "rd_date_diff", -1, date_diff, nullptr },
		{ "rd_date_add", 3, date_add, nullptr },
		{ "rd_date_sub", 3, date_add, &yes },
		{ "rd_time_bucket", -1, time_bucket, nullptr },
		{ "rd_extract", 2, extract, nullptr },
		{ "rd_duration_seconds", 1, duration_seconds, nullptr },
	};

	int r = udf_register(db, FUNCTIONS, countof(FUNCTIONS));

	if (r == 0)
		r = udf_register_time_make(db);
	if (r == 0)
		r = udf_register_time_text(db);
	if (r == 0)
		r = udf_register_time_parse(db);
	return r ? r : udf_register_time_zone(db);
}
