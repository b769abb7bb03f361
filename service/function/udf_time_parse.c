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

struct parsed {
	int64_t year, month, day, hour, minute, second, us;
	int64_t of_year, epoch, century_year;
	int64_t twelve; /* -1: no AM or PM */
	bool has_epoch, has_offset;
	int64_t offset; /* seconds east */
};

/* Read at most width digits. Returns whether there was one and the number lies between. */
static bool read_number(struct text *in, size_t width, int64_t min, int64_t max, int64_t *ret)
{
	int64_t value = 0;
	size_t n = 0;

	for (; n < width && n < in->len && in->at[n] >= '0' && in->at[n] <= '9'; n++)
		value = value * 10 + (in->at[n] - '0'); /* at most 12 digits */
	in->at += n;
	in->len -= n;
	*ret = value;
	return n > 0 && value >= min && value <= max;
}

/* Read one of some words, or its first three letters, in any case; *ret counts from 0. */
static bool read_word(struct text *in, const char *const *words, size_t n, int64_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		bool whole = in->len >= len && strncasecmp(in->at, words[i], len) == 0;

		if (!whole && (in->len < 3 || strncasecmp(in->at, words[i], 3) != 0))
			continue;
		in->at += whole ? len : 3;
		in->len -= whole ? len : 3;
		*ret = (int64_t)i;
		return true;
	}
	return false;
}

static void skip_blanks(struct text *in)
{
	while (in->len > 0 && strchr(" \t\n\r\f\v", in->at[0]) && in->at[0]) {
		in->at++;
		in->len--;
	}
}

static bool take(struct text *in, char c)
{
	bool found = in->len > 0 && in->at[0] == c;

	in->at += found;
	in->len -= found;
	return found;
}

/* Read Z, +hh, +hhmm or +hh:mm. */
static bool read_offset(struct text *in, struct parsed *to)
{
	int64_t hour, minute = 0;

	to->has_offset = true;
	to->offset = 0;
	if (take(in, 'Z') || take(in, 'z'))
		return true;
	bool minus = take(in, '-');
	if ((!minus && !take(in, '+')) || !read_number(in, 2, 0, 18, &hour))
		return false;
	if (take(in, ':')) {
		if (!read_number(in, 2, 0, 59, &minute))
			return false;
	} else if (in->len >= 2 && in->at[0] >= '0' && in->at[0] <= '9' &&
		   !read_number(in, 2, 0, 59, &minute)) {
		return false;
	}
	to->offset = (hour * 60 + minute) * (minus ? -60 : 60);
	return true;
}

/* Read digits after a point as µs. */
static bool read_fraction(struct text *in, int64_t *ret)
{
	int64_t scale = SECOND_US / 10;
	size_t n = 0;

	*ret = 0;
	for (; n < in->len && in->at[n] >= '0' && in->at[n] <= '9'; n++, scale /= 10)
		*ret += (in->at[n] - '0') * scale;
	in->at += n;
	in->len -= n;
	return n > 0;
}

/* The conversions that are a number. Returns whether this is one; *ret_good says whether the text has it. */
static bool read_numeric(char part, struct text *in, struct parsed *to, bool *ret_good)
{
	const struct {
		char part;
		size_t width;
		int64_t min, max;
		int64_t *at;
	} NUMBERS[] = {
		{ 'Y', 4, 1, 9999, &to->year }, { 'y', 2, 0, 99, &to->century_year },
		{ 'm', 2, 1, 12, &to->month },	{ 'd', 2, 1, 31, &to->day },
		{ 'e', 2, 1, 31, &to->day },	{ 'H', 2, 0, 23, &to->hour },
		{ 'k', 2, 0, 23, &to->hour },	{ 'I', 2, 1, 12, &to->hour },
		{ 'l', 2, 1, 12, &to->hour },	{ 'M', 2, 0, 59, &to->minute },
		{ 'S', 2, 0, 59, &to->second }, { 'j', 3, 1, 366, &to->of_year },
	};

	for (size_t i = 0; i < countof(NUMBERS); i++)
		if (NUMBERS[i].part == part) {
			if (part == 'e' || part == 'k' || part == 'l')
				skip_blanks(in);
			*ret_good = read_number(in, NUMBERS[i].width, NUMBERS[i].min,
						NUMBERS[i].max, NUMBERS[i].at);
			return true;
		}
	return false;
}

/* %s: seconds since 1970. */
static bool read_epoch(struct text *in, struct parsed *to)
{
	bool minus = take(in, '-');
	bool good = read_number(in, 12, 0, INT64_C(253402300799), &to->epoch);

	to->has_epoch = true;
	to->epoch = minus ? -to->epoch : to->epoch;
	return good;
}

/* %E*S, %E3S, %E*f, %Ez, %E4Y: what follows %E. Returns how many bytes that took, 0 if it is none of them. */
static size_t read_extended(const char *format, struct text *in, struct parsed *to, bool *ret_good)
{
	if (format[0] == 'z') {
		*ret_good = read_offset(in, to);
		return 1;
	}
	if (format[0] == '4' && format[1] == 'Y') {
		*ret_good = read_number(in, 4, 1, 9999, &to->year);
		return 2;
	}
	if (!(format[0] == '*' || (format[0] >= '0' && format[0] <= '6')) ||
	    (format[1] != 'S' && format[1] != 'f'))
		return 0;
	if (format[1] == 'f')
		*ret_good = read_fraction(in, &to->us);
	else
		*ret_good = read_number(in, 2, 0, 59, &to->second) &&
			    (!take(in, '.') || read_fraction(in, &to->us));
	return 2;
}

/* One conversion that is no number. Returns whether it is known. */
static bool read_other(char part, struct text *in, struct parsed *to, bool *ret_good)
{
	static const char *const HALVES[] = { "AM", "PM" };
	int64_t ignored;

	*ret_good = true;
	if (part == 'b' || part == 'B' || part == 'h') {
		*ret_good = read_word(in, UDF_TIME_MONTHS, 12, &to->month);
		to->month++;
	} else if (part == 'a' || part == 'A') {
		*ret_good = read_word(in, UDF_TIME_DAYS, 7, &ignored);
	} else if (part == 'p' || part == 'P') {
		*ret_good = read_word(in, HALVES, countof(HALVES), &to->twelve);
	} else if (part == 'f') {
		*ret_good = read_fraction(in, &to->us);
	} else if (part == 's') {
		*ret_good = read_epoch(in, to);
	} else if (part == 'z') {
		*ret_good = read_offset(in, to);
	} else if (part == 'Z') {
		while (in->len > 0 && ((in->at[0] >= 'A' && in->at[0] <= 'Z') ||
				       (in->at[0] >= 'a' && in->at[0] <= 'z')))
			(void)take(in, in->at[0]);
	} else if (part == 'n' || part == 't') {
		skip_blanks(in);
	} else if (part == '%') {
		*ret_good = take(in, '%');
	} else {
		return false;
	}
	return true;
}

/* NOLINTBEGIN(misc-no-recursion): once; long forms have none inside. */
/* Read text by a format. *ret_bad is a conversion that is not known, or NUL. */
static bool read_format(const char *format, struct text *in, struct parsed *to, char *ret_bad)
{
	bool good = true;

	for (; good && *format; format++) {
		const char *form = *format == '%' ? udf_time_long_form(format[1]) : nullptr;
		size_t extended = 0;

		if (*format == ' ') {
			skip_blanks(in);
			continue;
		}
		if (*format != '%') {
			good = take(in, *format);
			continue;
		}
		format++;
		if (*format == 'E')
			extended = read_extended(format + 1, in, to, &good);
		if (form) {
			good = read_format(form, in, to, ret_bad);
		} else if (extended == 0 && !read_numeric(*format, in, to, &good) &&
			   !read_other(*format, in, to, &good)) {
			*ret_bad = *format;
			return false;
		}
		format += extended;
	}
	return good;
}
/* NOLINTEND(misc-no-recursion) */

/* What was read, as µs by the clock it was read from. Returns false if there is no such time. */
static bool put_together(struct parsed *at, int64_t *ret_us)
{
	if (at->has_epoch) {
		*ret_us = at->epoch * SECOND_US + at->us;
		at->has_offset = true;
		at->offset = 0;
		return civil_in_range(*ret_us);
	}
	if (at->century_year >= 0)
		at->year = at->century_year + (at->century_year < 69 ? 2000 : 1900);
	if (at->twelve >= 0)
		at->hour = at->hour % 12 + 12 * at->twelve;
	if (at->of_year > 0) {
		struct civil c = civil_from_us(civil_days(at->year, 1, at->of_year) * CIVIL_DAY_US);

		at->month = c.month;
		at->day = c.day;
		at->of_year = c.year == at->year ? 0 : -1;
	}
	if (at->of_year < 0 || at->day > civil_month_days(at->year, at->month))
		return false;
	*ret_us = civil_to_us(&(struct civil) { at->year, at->month, at->day, at->hour, at->minute,
						at->second, at->us });
	return true;
}

/* A text by a format, as a kind of moment; zone (or nullptr) is that of a text that names none. */
static void parse_time(sqlite3_context *ctx, struct text format, struct text text,
		       enum value_tag kind, const struct zone *zone)
{
	struct parsed at = { .year = 1970, .month = 1, .day = 1, .century_year = -1, .twelve = -1 };
	struct text in = text;
	char bad = '\0';
	int64_t us;

	bool good = read_format(format.at, &in, &at, &bad) && in.len == 0;
	if (bad) {
		udf_time_refuse(ctx, bad);
		return;
	}
	if (!good || !put_together(&at, &us)) {
		udf_fail(ctx, "`%.40s` is no %s of the format `%.40s`.", text.at,
			 value_type_name(&(struct value) { .tag = kind }), format.at);
		return;
	}
	if (kind == VALUE_TIMESTAMP && at.has_offset)
		us -= at.offset * SECOND_US;
	else if (kind == VALUE_TIMESTAMP && zone)
		us = zone_to_utc(zone, us);
	if (kind == VALUE_TIME)
		udf_return_moment(ctx, kind, us - udf_time_floor(us, CIVIL_DAY_US));
	else
		udf_time_return(ctx, &(struct value) { .tag = kind }, us);
}

/* PARSE_TIMESTAMP(format, text[, zone]) and its like; the kind of moment is the user data. */
static void parse_format(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto kind = (enum value_tag)(uintptr_t)udf_data(ctx);
	const struct zone *zone = nullptr;
	struct text format, text;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &format) ||
	    !udf_text(ctx, args[1], &text) || (n == 3 && !udf_time_zone(ctx, args[2], &zone)))
		return;
	parse_time(ctx, format, text, kind, zone);
}

/* DATE_PARSE(text, format) */
static void date_parse(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text format, text;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text) ||
	    !udf_text(ctx, args[1], &format))
		return;
	parse_time(ctx, format, text, VALUE_TIMESTAMP, nullptr);
}

int udf_register_time_parse(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_parse_as_timestamp", 2, parse_format, (void *)VALUE_TIMESTAMP },
		{ "rd_parse_as_timestamp", 3, parse_format, (void *)VALUE_TIMESTAMP },
		{ "rd_parse_as_datetime", 2, parse_format, (void *)VALUE_DATETIME },
		{ "rd_parse_as_date", 2, parse_format, (void *)VALUE_DATE },
		{ "rd_parse_as_time", 2, parse_format, (void *)VALUE_TIME },
		{ "rd_date_parse", 2, date_parse, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
