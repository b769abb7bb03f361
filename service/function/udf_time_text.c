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
#include "service/value/value.h"

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
	if (strcmp(type, "time") == 0 && value.tag == VALUE_STRING &&
	    civil_parse_time((const char *)value.data, value.len, &us)) {
		udf_return_moment(ctx, VALUE_TIME, us);
		return;
	}
	if (value.tag != VALUE_STRING || strcmp(type, "time") == 0 ||
	    !civil_parse((const char *)value.data, value.len, &us, &has_time, nullptr)) {
		udf_fail(ctx, "This %s is not an ISO 8601 %s.", value_type_name(&value), type);
		return;
	}
	if (strcmp(type, "timestamp") == 0)
		udf_return_moment(ctx, VALUE_TIMESTAMP, us);
	else if (strcmp(type, "datetime") == 0)
		udf_return_moment(ctx, VALUE_DATETIME, us);
	else
		udf_return_moment(ctx, VALUE_DATE, udf_time_floor(us, CIVIL_DAY_US) / CIVIL_DAY_US);
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
		if (!udf_time_moment(ctx, args[0], &value, &us))
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

const char *const UDF_TIME_MONTHS[12] = { "January",   "February", "March",    "April",
					  "May",       "June",	   "July",     "August",
					  "September", "October",  "November", "December" };
const char *const UDF_TIME_DAYS[7] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
				       "Thursday", "Friday", "Saturday" };

const char *udf_time_long_form(char part)
{
	static const struct {
		char part;
		const char *form;
	} FORMS[] = { { 'F', "%Y-%m-%d" },    { 'T', "%H:%M:%S" },
		      { 'R', "%H:%M" },	      { 'D', "%m/%d/%y" },
		      { 'x', "%m/%d/%y" },    { 'X', "%H:%M:%S" },
		      { 'r', "%I:%M:%S %p" }, { 'c', "%a %b %e %H:%M:%S %Y" } };

	for (size_t i = 0; i < countof(FORMS); i++)
		if (FORMS[i].part == part)
			return FORMS[i].form;
	return nullptr;
}

struct shown {
	struct civil c;
	int64_t us, day; /* by the local clock */
	struct zone_moment zone;
};

static int64_t weekday_of(int64_t day)
{
	return ((day + 4) % 7 + 7) % 7; /* 0 is Sunday; day 0 is a Thursday */
}

/* Number of the week that a day of the year lies in, weeks beginning on a weekday (0: Sunday). */
static int64_t week(const struct shown *at, int64_t begin)
{
	int64_t of_year = at->day - civil_days(at->c.year, 1, 1);

	return (of_year + 7 - (weekday_of(at->day) + 7 - begin) % 7) / 7;
}

static void put_number(struct buf *out, int64_t value, int width, char pad)
{
	if (pad == ' ')
		buf_addf(out, "%*" PRIi64, width, value);
	else
		buf_addf(out, "%0*" PRIi64, width, value);
}

/* The conversions that are a number. Returns whether this is one. */
static bool put_numeric(char part, const struct shown *at, struct buf *out)
{
	const struct civil *c = &at->c;
	int64_t weekday = weekday_of(at->day), thursday = at->day - (weekday + 6) % 7 + 3;
	int64_t iso_year = civil_from_us(thursday * CIVIL_DAY_US).year;
	int64_t twelve = (c->hour + 11) % 12 + 1;
	int64_t epoch = udf_time_floor(at->us, SECOND_US) / SECOND_US - at->zone.offset;
	const struct {
		char part;
		int width;
		char pad;
		int64_t value;
	} NUMBERS[] = {
		{ 'Y', 4, '0', c->year },
		{ 'C', 2, '0', c->year / 100 },
		{ 'y', 2, '0', c->year % 100 },
		{ 'm', 2, '0', c->month },
		{ 'd', 2, '0', c->day },
		{ 'e', 2, ' ', c->day },
		{ 'H', 2, '0', c->hour },
		{ 'k', 2, ' ', c->hour },
		{ 'I', 2, '0', twelve },
		{ 'l', 2, ' ', twelve },
		{ 'M', 2, '0', c->minute },
		{ 'S', 2, '0', c->second },
		{ 'f', 6, '0', c->us },
		{ 'j', 3, '0', at->day - civil_days(c->year, 1, 1) + 1 },
		{ 'w', 1, '0', weekday },
		{ 'u', 1, '0', (weekday + 6) % 7 + 1 },
		{ 'U', 2, '0', week(at, 0) },
		{ 'W', 2, '0', week(at, 1) },
		{ 'V', 2, '0', (thursday - civil_days(iso_year, 1, 1)) / 7 + 1 },
		{ 'G', 4, '0', iso_year },
		{ 's', 1, '0', epoch },
	};

	for (size_t i = 0; i < countof(NUMBERS); i++)
		if (NUMBERS[i].part == part) {
			put_number(out, NUMBERS[i].value, NUMBERS[i].width, NUMBERS[i].pad);
			return true;
		}
	return false;
}

/* The zone's offset, +hhmm or +hh:mm. */
static void put_offset(int32_t offset, const char *between, struct buf *out)
{
	int32_t minutes = (offset < 0 ? -offset : offset) / 60;

	buf_addf(out, "%c%02d%s%02d", offset < 0 ? '-' : '+', minutes / 60, between, minutes % 60);
}

/* The conversions that are a word or a sign. Returns whether this is one. */
static bool put_word(char part, const struct shown *at, struct buf *out)
{
	const char *month = UDF_TIME_MONTHS[at->c.month - 1],
		   *day = UDF_TIME_DAYS[weekday_of(at->day)];
	const struct {
		char part;
		const char *word;
		size_t len;
	} WORDS[] = { { 'p', at->c.hour < 12 ? "AM" : "PM", 2 },
		      { 'P', at->c.hour < 12 ? "am" : "pm", 2 },
		      { 'B', month, strlen(month) },
		      { 'b', month, 3 },
		      { 'h', month, 3 },
		      { 'A', day, strlen(day) },
		      { 'a', day, 3 },
		      { 'Z', at->zone.name, strlen(at->zone.name) },
		      { 'n', "\n", 1 },
		      { 't', "\t", 1 },
		      { '%', "%", 1 } };

	for (size_t i = 0; i < countof(WORDS); i++)
		if (WORDS[i].part == part) {
			buf_add(out, WORDS[i].word, WORDS[i].len);
			return true;
		}
	if (part == 'z')
		put_offset(at->zone.offset, "", out);
	return part == 'z';
}

/* %Ez, %E4Y, %E*S, %E3S, %E*f, %E6f: what follows %E. Returns how many bytes that took, 0 if it is none of them. */
static size_t put_extended(const char *format, const struct shown *at, struct buf *out)
{
	char digits[8];
	int n = format[0] == '*' ? 6 : format[0] - '0';

	if (format[0] == 'z') {
		put_offset(at->zone.offset, ":", out);
		return 1;
	}
	if (format[0] == '4' && format[1] == 'Y') {
		put_number(out, at->c.year, 4, '0');
		return 2;
	}
	if (n < 0 || n > 6 || (format[1] != 'S' && format[1] != 'f'))
		return 0;
	(void)snprintf(digits, sizeof(digits), "%06d", (int)at->c.us);
	while (format[0] == '*' && n > 0 && digits[n - 1] == '0')
		n--;
	if (format[1] == 'S') {
		put_number(out, at->c.second, 2, '0');
		buf_add_str(out, n > 0 ? "." : "");
	} else if (n == 0) {
		n = 1;
	}
	buf_add(out, digits, (size_t)n);
	return 2;
}

/* NOLINTBEGIN(misc-no-recursion): once; long forms have none inside. */
/* Returns whether every conversion was known; if not *ret_bad is one that is not. */
static bool put_format(const char *format, const struct shown *at, struct buf *out, char *ret_bad)
{
	for (; *format; format++) {
		const char *form = *format == '%' ? udf_time_long_form(format[1]) : nullptr;
		size_t extended = 0;

		if (*format != '%') {
			buf_add(out, format, 1);
			continue;
		}
		format++;
		if (*format == 'E')
			extended = put_extended(format + 1, at, out);
		if (form)
			(void)put_format(form, at, out, ret_bad);
		else if (extended == 0 && !put_numeric(*format, at, out) &&
			 !put_word(*format, at, out)) {
			*ret_bad = *format;
			return false;
		}
		format += extended;
	}
	return true;
}
/* NOLINTEND(misc-no-recursion) */

void udf_time_refuse(sqlite3_context *ctx, char part)
{
	udf_fail(ctx, "The format has an unknown conversion `%%%c`.",
		 part >= ' ' && part <= '~' ? part : '?');
}

/* FORMAT_TIMESTAMP(format, moment[, zone]) and its like. */
static void format_time(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	const struct zone *zone = nullptr;
	struct shown at = { .zone.name = "UTC" };
	struct value value;
	struct text format;
	char bad = '\0';

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &format) ||
	    !udf_time_any(ctx, args[1], &value, &at.us))
		return;
	if (n == 3 && value.tag != VALUE_TIMESTAMP) {
		udf_fail(ctx, "A time zone goes with a timestamp, not with %s.",
			 value_type_name(&value));
		return;
	}
	if (n == 3 && !udf_time_zone(ctx, args[2], &zone))
		return;
	if (zone) {
		at.zone = zone_at(zone, udf_time_floor(at.us, SECOND_US) / SECOND_US);
		at.us = zone_to_local(zone, at.us);
	}
	at.c = civil_from_us(at.us);
	at.day = udf_time_floor(at.us, CIVIL_DAY_US) / CIVIL_DAY_US;
	if (put_format(format.at, &at, &out, &bad))
		udf_return_text(ctx, &out);
	else
		udf_time_refuse(ctx, bad);
}

int udf_register_time_text(sqlite3 *db)
{
#define TEXT(t) ((void *)(uintptr_t)(t))
	static const struct udf FUNCTIONS[] = {
		{ "rd_parse_timestamp", 1, parse_iso, TEXT("timestamp") },
		{ "rd_parse_datetime", 1, parse_iso, TEXT("datetime") },
		{ "rd_parse_date", 1, parse_iso, TEXT("date") },
		{ "rd_parse_time", 1, parse_iso, TEXT("time") },
		{ "rd_format_iso", 1, format_iso, nullptr },
		{ "rd_format_time", 2, format_time, nullptr },
		{ "rd_format_time", 3, format_time, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
