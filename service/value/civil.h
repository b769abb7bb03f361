/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * civil: calendar dates and times of day as numbers, and as ISO 8601 text.
 *
 * Layer 2 (service/value). Proleptic Gregorian calendar, years 0001 to 9999. Pure functions, safe from any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr int64_t CIVIL_DAY_US = INT64_C(86'400'000'000);
constexpr int64_t CIVIL_DAY_MIN = -719162; /* 0001-01-01 */
constexpr int64_t CIVIL_DAY_MAX = 2932896; /* 9999-12-31 */
constexpr size_t CIVIL_TEXT = 40;	   /* room for any text made here, with its NUL */

struct civil {
	int64_t year;
	int64_t month, day; /* from 1 */
	int64_t hour, minute, second, us;
};

/* Days since 1970-01-01 of a date; month and day need not be in range. Source: H. Hinnant, days_from_civil. */
[[nodiscard]] int64_t civil_days(int64_t year, int64_t month, int64_t day);

/* Break µs since 1970-01-01T00:00:00 down. */
[[nodiscard]] struct civil civil_from_us(int64_t us);

/* The reverse, for fields in range. */
[[nodiscard]] int64_t civil_to_us(const struct civil *civil);

/* Days in a month (1 to 12) of a year. */
[[nodiscard]] int64_t civil_month_days(int64_t year, int64_t month);

/* Add -240,000 to 240,000 months to µs in range: the day is kept, or becomes the last of the month. The result may be out of range. */
[[nodiscard]] int64_t civil_add_months(int64_t us, int64_t months);

/* Whether µs since 1970 lies in the years 0001 to 9999. */
[[nodiscard]] bool civil_in_range(int64_t us);

/*
 * Read a date `YYYY-MM-DD` (also with /), optionally followed by T or blank and `hh:mm[:ss[.f…]]`, optionally by Z or ±hh[:mm].
 *
 * text      [len] untrusted
 * ret_us    µs since 1970, the offset taken off
 * ret_time  whether there was a time of day; may be nullptr
 * ret_zone  whether there was an offset; may be nullptr
 *
 * Returns whether it is one; outputs are set only then.
 */
[[nodiscard]] bool civil_parse(const char *text, size_t len, int64_t *ret_us, bool *ret_time,
			       bool *ret_zone);

/* Read a time of day `hh:mm[:ss[.f…]]`. Returns whether it is one; *ret_us is set only then. */
[[nodiscard]] bool civil_parse_time(const char *text, size_t len, int64_t *ret_us);

/* Write YYYY-MM-DD for days since 1970. */
void civil_date_text(int64_t days, char ret[CIVIL_TEXT]);

/* Write hh:mm:ss[.ffffff] without trailing zeros for µs since midnight. */
void civil_time_text(int64_t us, char ret[CIVIL_TEXT]);

/* Write YYYY-MM-DDThh:mm:ss[.ffffff] for a datetime. */
void civil_datetime_text(int64_t us, char ret[CIVIL_TEXT]);

/* Write YYYY-MM-DDThh:mm:ss.ffffffZ for a timestamp. */
void civil_timestamp_text(int64_t us, char ret[CIVIL_TEXT]);
