/* SPDX-License-Identifier: Apache-2.0 */
#include "service/value/civil.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

constexpr int64_t SECOND = 1'000'000;
constexpr int64_t MINUTE = 60 * SECOND;
constexpr int64_t HOUR = 60 * MINUTE;

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

int64_t civil_days(int64_t year, int64_t month, int64_t day)
{
	year += floor_div(month - 1, 12);
	month -= 12 * floor_div(month - 1, 12);
	year -= month <= 2;

	int64_t era = floor_div(year, 400);
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;

	return era * 146097 + day_of_era - 719468;
}

struct civil civil_from_us(int64_t us)
{
	int64_t days = floor_div(us, CIVIL_DAY_US);
	int64_t rest = us - days * CIVIL_DAY_US;
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t shifted = (5 * of_year + 2) / 153;
	int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;

	return (struct civil) { .year = year + era * 400 + (month <= 2),
				.month = month,
				.day = of_year - (153 * shifted + 2) / 5 + 1,
				.hour = rest / HOUR,
				.minute = rest % HOUR / MINUTE,
				.second = rest % MINUTE / SECOND,
				.us = rest % SECOND };
}

int64_t civil_to_us(const struct civil *civil)
{
	return civil_days(civil->year, civil->month, civil->day) * CIVIL_DAY_US +
	       civil->hour * HOUR + civil->minute * MINUTE + civil->second * SECOND + civil->us;
}

int64_t civil_month_days(int64_t year, int64_t month)
{
	return civil_days(year, month + 1, 1) - civil_days(year, month, 1);
}

bool civil_in_range(int64_t us)
{
	return us >= CIVIL_DAY_MIN * CIVIL_DAY_US && us < (CIVIL_DAY_MAX + 1) * CIVIL_DAY_US;
}

/* Untrusted text being read from the front. */
struct text {
	const char *at;
	size_t len;
};

static bool take(struct text *in, const char *any_of)
{
	if (in->len == 0 || !in->at[0] || !strchr(any_of, in->at[0]))
		return false;
	in->at++;
	in->len--;
	return true;
}

/* Read exactly digits digits. */
static bool number(struct text *in, size_t digits, int64_t *ret)
{
	int64_t value = 0;

	if (in->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (in->at[i] < '0' || in->at[i] > '9')
			return false;
		value = value * 10 + (in->at[i] - '0');
	}
	in->at += digits;
	in->len -= digits;
	*ret = value;
	return true;
}

/* Read .f…, cut to microseconds; absent is 0. */
static bool fraction(struct text *in, int64_t *ret_us)
{
	int64_t value = 0, scale = SECOND / 10;
	size_t digits = 0;

	*ret_us = 0;
	if (!take(in, ".,"))
		return true;
	for (; in->len > 0 && in->at[0] >= '0' && in->at[0] <= '9'; in->at++, in->len--, digits++) {
		value += (in->at[0] - '0') * scale;
		scale /= 10;
	}
	*ret_us = value;
	return digits > 0;
}

static bool time_of_day(struct text *in, int64_t *ret_us)
{
	int64_t hour, minute, second = 0, us = 0;

	if (!number(in, 2, &hour) || !take(in, ":") || !number(in, 2, &minute))
		return false;
	if (take(in, ":") && (!number(in, 2, &second) || !fraction(in, &us)))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_us = hour * HOUR + minute * MINUTE + second * SECOND + us;
	return true;
}

/* Read Z, ±hh, ±hhmm or ±hh:mm. */
static bool offset(struct text *in, int64_t *ret_us)
{
	int64_t hour, minute = 0;

	*ret_us = 0;
	if (take(in, "Zz"))
		return true;

	int64_t sign = take(in, "-") ? -1 : 1;
	if (sign > 0 && !take(in, "+"))
		return false;
	if (!number(in, 2, &hour))
		return false;
	if (take(in, ":") ? !number(in, 2, &minute) : in->len > 0 && !number(in, 2, &minute))
		return false;
	*ret_us = sign * (hour * HOUR + minute * MINUTE);
	return hour < 24 && minute < 60;
}

bool civil_parse(const char *text, size_t len, int64_t *ret_us, bool *ret_time, bool *ret_zone)
{
	struct text in = { text, len };
	int64_t year, month, day, us = 0, away = 0;
	bool has_time = false, has_zone = false;

	if (!number(&in, 4, &year) || !take(&in, "-/") || !number(&in, 2, &month) ||
	    !take(&in, "-/") || !number(&in, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > civil_month_days(year, month))
		return false;
	if (take(&in, "Tt ")) {
		has_time = true;
		if (!time_of_day(&in, &us))
			return false;
		has_zone = in.len > 0;
		if (has_zone && !offset(&in, &away))
			return false;
	}
	us += civil_days(year, month, day) * CIVIL_DAY_US - away;
	if (in.len > 0 || !civil_in_range(us))
		return false;
	*ret_us = us;
	if (ret_time)
		*ret_time = has_time;
	if (ret_zone)
		*ret_zone = has_zone;
	return true;
}

bool civil_parse_time(const char *text, size_t len, int64_t *ret_us)
{
	struct text in = { text, len };
	int64_t us;

	if (!time_of_day(&in, &us) || in.len > 0)
		return false;
	*ret_us = us;
	return true;
}

void civil_date_text(int64_t days, char ret[CIVIL_TEXT])
{
	if (days < CIVIL_DAY_MIN || days > CIVIL_DAY_MAX) {
		(void)snprintf(ret, CIVIL_TEXT, "out of range");
		return;
	}
	struct civil c = civil_from_us(days * CIVIL_DAY_US);
	(void)snprintf(ret, CIVIL_TEXT, "%04d-%02d-%02d", (int)c.year, (int)c.month, (int)c.day);
}

void civil_time_text(int64_t us, char ret[CIVIL_TEXT])
{
	us = us < 0 || us >= CIVIL_DAY_US ? 0 : us;
	int len = snprintf(ret, CIVIL_TEXT, "%02d:%02d:%02d", (int)(us / HOUR),
			   (int)(us % HOUR / MINUTE), (int)(us % MINUTE / SECOND));
	if (us % SECOND == 0)
		return;
	len += snprintf(ret + len, CIVIL_TEXT - (size_t)len, ".%06d", (int)(us % SECOND));
	while (ret[len - 1] == '0')
		ret[--len] = '\0';
}

void civil_datetime_text(int64_t us, char ret[CIVIL_TEXT])
{
	char clock[CIVIL_TEXT];
	int64_t days = floor_div(us, CIVIL_DAY_US);

	civil_date_text(days, ret);
	if (!civil_in_range(us))
		return;
	civil_time_text(us - days * CIVIL_DAY_US, clock);
	ret[10] = 'T';
	memcpy(ret + 11, clock, strlen(clock) + 1);
}

void civil_timestamp_text(int64_t us, char ret[CIVIL_TEXT])
{
	if (!civil_in_range(us)) {
		(void)snprintf(ret, CIVIL_TEXT, "out of range");
		return;
	}
	struct civil c = civil_from_us(us);
	(void)snprintf(ret, CIVIL_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (int)c.year,
		       (int)c.month, (int)c.day, (int)c.hour, (int)c.minute, (int)c.second,
		       (int)c.us);
}

int64_t civil_add_months(int64_t us, int64_t months)
{
	struct civil c = civil_from_us(us);
	int64_t index = c.year * 12 + c.month - 1 + months;

	c.year = index / 12 - (index % 12 < 0);
	c.month = index - c.year * 12 + 1;
	int64_t last = civil_month_days(c.year, c.month);
	c.day = c.day > last ? last : c.day;
	return civil_to_us(&c);
}
