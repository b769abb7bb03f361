/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/udf.h"

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

constexpr int64_t SECOND = 1'000'000;

/* Units of time. In months or in µs. */
static const struct unit {
	const char *name;
	int64_t months, us;
} UNITS[] = {
	{ "MICROSECOND", 0, 1 },
	{ "MILLISECOND", 0, 1000 },
	{ "SECOND", 0, SECOND },
	{ "MINUTE", 0, 60 * SECOND },
	{ "HOUR", 0, 3600 * SECOND },
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
	for (size_t i = 0; i < countof(UNITS); i++)
		if (strlen(UNITS[i].name) == len && strncasecmp(UNITS[i].name, name, len) == 0)
			return &UNITS[i];
	udf_fail(ctx, "`%.40s` is not a unit of time.", name ? name : "");
	return nullptr;
}

/* A moment as µs, from a DATE, DATETIME or TIMESTAMP. False for NULL; the query fails for anything else. */
static bool moment_arg(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret, int64_t *ret_us)
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

static int64_t floor_to(int64_t value, int64_t step)
{
	int64_t rest = value % step;

	return value - (rest < 0 ? rest + step : rest);
}

/* Return µs as the kind of moment that like is. */
static void return_like(sqlite3_context *ctx, const struct value *like, int64_t us)
{
	if (!civil_in_range(us))
		udf_fail(ctx, "The result lies outside the years 1 to 9999.");
	else if (like->tag == VALUE_DATE)
		udf_return_moment(ctx, VALUE_DATE, floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US);
	else
		udf_return_moment(ctx, like->tag, us);
}

/* DATE_TRUNC(unit, moment); a week begins on Monday. */
static void date_trunc(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const struct unit *unit = unit_arg(ctx, args[0]);
	struct value value;
	int64_t us;

	if (!unit || !moment_arg(ctx, args[1], &value, &us))
		return;
	if (unit->months > 0) {
		struct civil c = civil_from_us(us);
		int64_t index = (c.month - 1) / unit->months * unit->months;

		us = civil_days(c.year, index + 1, 1) * CIVIL_DAY_US;
	} else if (unit->us == 7 * CIVIL_DAY_US) {
		us = floor_to(us + 3 * CIVIL_DAY_US, unit->us) -
		     3 * CIVIL_DAY_US; /* day 0 is a Thursday */
	} else {
		us = floor_to(us, unit->us);
	}
	return_like(ctx, &value, us);
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

/* DATE_DIFF(unit, start, end) */
static void date_diff(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const struct unit *unit = unit_arg(ctx, args[0]);
	struct value a, b;
	int64_t start, end;

	if (!unit || !moment_arg(ctx, args[1], &a, &start) || !moment_arg(ctx, args[2], &b, &end))
		return;
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

/* DATE_ADD(unit, n, moment): as moment + n units. */
static void date_add(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const struct unit *unit = unit_arg(ctx, args[0]);
	int64_t count = sqlite3_value_int64(args[1]), us, by;
	struct value value;

	if (!unit || sqlite3_value_type(args[1]) == SQLITE_NULL ||
	    !moment_arg(ctx, args[2], &value, &us))
		return;
	if (unit->months > 0 && count > -100'000 && count < 100'000) {
		struct civil c = civil_from_us(us);
		int64_t month = c.year * 12 + c.month - 1 + count * unit->months;

		c.year = floor_to(month, 12) / 12;
		c.month = month - c.year * 12 + 1;
		int64_t last = civil_month_days(c.year, c.month);
		c.day = c.day < last ? c.day : last;
		us = civil_to_us(&c);
	} else if (unit->months > 0 || ckd_mul(&by, count, unit->us) || ckd_add(&us, us, by)) {
		udf_fail(ctx, "The result lies outside the years 1 to 9999.");
		return;
	}
	if (value.tag == VALUE_DATE && us % CIVIL_DAY_US != 0)
		value.tag = VALUE_DATETIME;
	return_like(ctx, &value, us);
}

/* TIME_BUCKET(interval, moment[, origin]) */
static void time_bucket(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value step, value, origin;
	int64_t us, from = 0;

	udf_value(args[0], &step);
	if (step.tag == VALUE_NULL || !moment_arg(ctx, args[1], &value, &us) ||
	    (n == 3 && !moment_arg(ctx, args[2], &origin, &from)))
		return;
	if (step.tag != VALUE_INTERVAL || step.i <= 0)
		udf_fail(ctx, "TIME_BUCKET takes a positive interval in days or shorter units.");
	else
		return_like(ctx, &value, floor_to(us - from, step.i) + from);
}

/* EXTRACT(part FROM moment) */
static void extract(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const char *part = (const char *)sqlite3_value_text(args[1]);
	struct value value;
	int64_t us;

	if (!part || !moment_arg(ctx, args[0], &value, &us))
		return;
	struct civil c = civil_from_us(us);
	int64_t day = floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US;
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
		{ "DAYOFWEEK", (weekday + 1) % 7 + 1 },
		{ "DOY", day - civil_days(c.year, 1, 1) + 1 },
		{ "DAYOFYEAR", day - civil_days(c.year, 1, 1) + 1 },
		{ "HOUR", c.hour },
		{ "MINUTE", c.minute },
		{ "SECOND", c.second },
		{ "MILLISECOND", c.us / 1000 },
		{ "MICROSECOND", c.us },
		{ "EPOCH", floor_to(us, SECOND) / SECOND },
	};

	for (size_t i = 0; i < countof(parts); i++)
		if (strcasecmp(parts[i].name, part) == 0) {
			sqlite3_result_int64(ctx, parts[i].value);
			return;
		}
	udf_fail(ctx, "EXTRACT: there is no part `%.40s`.", part);
}

/* PARSE_…_ISO8601(text): the text must be such a moment. */
static void parse_iso(sqlite3_context *ctx, int, sqlite3_value **args)
{
	const char *type = udf_data(ctx);
	struct value value;
	int64_t us;
	bool has_time;

	udf_value(args[0], &value);
	if (value.tag == VALUE_NULL)
		return;
	if (value.tag != VALUE_STRING ||
	    !civil_parse((const char *)value.data, value.len, &us, &has_time, nullptr)) {
		udf_fail(ctx, "This %s is not an ISO 8601 %s.", value_type_name(&value), type);
		return;
	}
	if (strcmp(type, "timestamp") == 0)
		udf_return_moment(ctx, VALUE_TIMESTAMP, us);
	else if (strcmp(type, "datetime") == 0)
		udf_return_moment(ctx, VALUE_DATETIME, us);
	else
		udf_return_moment(ctx, VALUE_DATE, floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US);
}

static void format_iso(sqlite3_context *ctx, int, sqlite3_value **args)
{
	char text[CIVIL_TEXT];
	struct value value;
	int64_t us;

	udf_value(args[0], &value);
	if (value.tag == VALUE_TIME) {
		civil_time_text(value.i, text);
	} else {
		if (!moment_arg(ctx, args[0], &value, &us))
			return;
		if (value.tag == VALUE_DATE)
			civil_date_text(value.i, text);
		else if (value.tag == VALUE_DATETIME)
			civil_datetime_text(us, text);
		else
			civil_timestamp_text(us, text);
	}
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

static const char *const MONTHS[] = { "January",   "February", "March",	   "April",
				      "May",	   "June",     "July",	   "August",
				      "September", "October",  "November", "December" };
static const char *const DAYS[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
				    "Friday", "Saturday", "Sunday" };

/* One conversion of strftime(3), the ones without a locale. Returns whether it is one of them. */
static bool format_part(char part, const struct civil *c, int64_t day, struct buf *out)
{
	size_t weekday = (size_t)(((day + 3) % 7 + 7) % 7);

	switch (part) {
	case 'Y':
		buf_addf(out, "%04" PRIi64, c->year);
		return true;
	case 'y':
		buf_addf(out, "%02" PRIi64, c->year % 100);
		return true;
	case 'm':
		buf_addf(out, "%02" PRIi64, c->month);
		return true;
	case 'd':
		buf_addf(out, "%02" PRIi64, c->day);
		return true;
	case 'e':
		buf_addf(out, "%2" PRIi64, c->day);
		return true;
	case 'H':
		buf_addf(out, "%02" PRIi64, c->hour);
		return true;
	case 'I':
		buf_addf(out, "%02" PRIi64, (c->hour + 11) % 12 + 1);
		return true;
	case 'M':
		buf_addf(out, "%02" PRIi64, c->minute);
		return true;
	case 'S':
		buf_addf(out, "%02" PRIi64, c->second);
		return true;
	case 'f':
		buf_addf(out, "%06" PRIi64, c->us);
		return true;
	case 'F':
		buf_addf(out, "%04" PRIi64 "-%02" PRIi64 "-%02" PRIi64, c->year, c->month, c->day);
		return true;
	case 'T':
		buf_addf(out, "%02" PRIi64 ":%02" PRIi64 ":%02" PRIi64, c->hour, c->minute,
			 c->second);
		return true;
	case 'j':
		buf_addf(out, "%03" PRIi64, day - civil_days(c->year, 1, 1) + 1);
		return true;
	case 'p':
		buf_add_str(out, c->hour < 12 ? "AM" : "PM");
		return true;
	case 'B':
		buf_add_str(out, MONTHS[c->month - 1]);
		return true;
	case 'b':
		buf_add(out, MONTHS[c->month - 1], 3);
		return true;
	case 'A':
		buf_add_str(out, DAYS[weekday]);
		return true;
	case 'a':
		buf_add(out, DAYS[weekday], 3);
		return true;
	case '%':
		buf_add_str(out, "%");
		return true;
	default:
		return false;
	}
}

/* Whether a time zone argument is UTC; the query fails if it is not. */
static bool is_utc(sqlite3_context *ctx, sqlite3_value *arg)
{
	const char *name = (const char *)sqlite3_value_text(arg);

	if (name && (strcasecmp(name, "UTC") == 0 || strcasecmp(name, "Etc/UTC") == 0 ||
		     strcasecmp(name, "GMT") == 0 || strcmp(name, "Z") == 0))
		return true;
	udf_fail(ctx, "Only the time zone 'UTC' is available yet, not '%.40s'.", name ? name : "");
	return false;
}

/* FORMAT_TIMESTAMP(format, moment[, zone]) and its like. */
static void format_time(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	const char *format = (const char *)sqlite3_value_text(args[0]);
	struct value value;
	int64_t us;

	if (!format || !moment_arg(ctx, args[1], &value, &us) || (n == 3 && !is_utc(ctx, args[2])))
		return;
	struct civil c = civil_from_us(us);
	for (; *format; format++) {
		if (*format != '%') {
			buf_add(&out, format, 1);
		} else if (!format_part(*++format, &c, floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US,
					&out)) {
			udf_fail(ctx, "The format has an unknown conversion `%%%c`.",
				 *format >= ' ' && *format <= '~' ? *format : '?');
			return;
		}
	}
	udf_return_text(ctx, &out);
}

/* timestamp AT TIME ZONE z is a datetime there, and the reverse. */
static void at_zone(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;
	int64_t us;

	if (!moment_arg(ctx, args[0], &value, &us) || !is_utc(ctx, args[1]))
		return;
	udf_return_moment(ctx, value.tag == VALUE_TIMESTAMP ? VALUE_DATETIME : VALUE_TIMESTAMP, us);
}

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

	if (moment_arg(ctx, args[0], &value, &us))
		sqlite3_result_int64(ctx, floor_to(us, *unit) / *unit);
}

/* DATE(y, m, d), DATE(moment) */
static void date(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value value;
	int64_t us;

	if (udf_any_null(n, args))
		return;
	if (n == 1) {
		if (moment_arg(ctx, args[0], &value, &us))
			udf_return_moment(ctx, VALUE_DATE,
					  floor_to(us, CIVIL_DAY_US) / CIVIL_DAY_US);
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

/* DATETIME(y, m, d, h, m, s[, µs]) */
static void datetime(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	int64_t v[7] = {};

	if (udf_any_null(n, args))
		return;
	for (int i = 0; i < n && i < 7; i++)
		v[i] = sqlite3_value_int64(args[i]);
	if (v[0] < 1 || v[0] > 9999 || v[1] < 1 || v[1] > 12 || v[2] < 1 ||
	    v[2] > civil_month_days(v[0], v[1]) || v[3] < 0 || v[3] > 23 || v[4] < 0 || v[4] > 59 ||
	    v[5] < 0 || v[5] > 59 || v[6] < 0 || v[6] > 999'999) {
		udf_fail(ctx, "There is no such time.");
		return;
	}
	struct civil c = { v[0], v[1], v[2], v[3], v[4], v[5], v[6] };
	udf_return_moment(ctx, VALUE_DATETIME, civil_to_us(&c));
}

static void duration_seconds(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;

	udf_value(args[0], &value);
	if (value.tag == VALUE_INTERVAL)
		sqlite3_result_double(ctx, (double)value.i / (double)SECOND);
	else if (value.tag != VALUE_NULL)
		udf_fail(ctx, "DURATION_SECONDS takes an interval in days or shorter units.");
}

int udf_register_time(sqlite3 *db)
{
	static const int64_t ONE = 1, MILLI = 1000, WHOLE = SECOND, DAY = CIVIL_DAY_US;
#define UNIT(n)	  ((void *)(uintptr_t)&UNITS[n])
#define NUMBER(n) ((void *)(uintptr_t)&(n))
#define TEXT(t)	  ((void *)(uintptr_t)(t))
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
		{ "rd_date_trunc", 2, date_trunc, nullptr },
		{ "rd_date_diff", 3, date_diff, nullptr },
		{ "rd_date_add", 3, date_add, nullptr },
		{ "rd_time_bucket", -1, time_bucket, nullptr },
		{ "rd_extract", 2, extract, nullptr },
		{ "rd_parse_timestamp", 1, parse_iso, TEXT("timestamp") },
		{ "rd_parse_datetime", 1, parse_iso, TEXT("datetime") },
		{ "rd_parse_date", 1, parse_iso, TEXT("date") },
		{ "rd_format_iso", 1, format_iso, nullptr },
		{ "rd_format_time", -1, format_time, nullptr },
		{ "rd_at_zone", 2, at_zone, nullptr },
		{ "rd_timestamp_micros", 1, timestamp, NUMBER(ONE) },
		{ "rd_timestamp_millis", 1, timestamp, NUMBER(MILLI) },
		{ "rd_timestamp_seconds", 1, timestamp, NUMBER(WHOLE) },
		{ "rd_unix_micros", 1, unix_time, NUMBER(ONE) },
		{ "rd_unix_millis", 1, unix_time, NUMBER(MILLI) },
		{ "rd_unix_seconds", 1, unix_time, NUMBER(WHOLE) },
		{ "rd_unix_date", 1, unix_time, NUMBER(DAY) },
		{ "rd_date", -1, date, nullptr },
		{ "rd_datetime", -1, datetime, nullptr },
		{ "rd_duration_seconds", 1, duration_seconds, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
