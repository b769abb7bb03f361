/* SPDX-License-Identifier: Apache-2.0 */
#include "service/value/zone_rule.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/value/civil.h"

constexpr int64_t DAY_S = 86400;

/* Untrusted text being read from the front. */
struct text {
	const char *at;
	size_t len;
};

static bool is_at(const struct text *in, char c)
{
	return in->len > 0 && in->at[0] == c;
}

static bool take(struct text *in, char c)
{
	bool found = is_at(in, c);

	in->at += found;
	in->len -= found;
	return found;
}

/* Read a number of one to three digits. Returns whether there is one from min to max. */
static bool number(struct text *in, int min, int max, int *ret)
{
	int value = 0, digits = 0;

	for (; in->len > 0 && in->at[0] >= '0' && in->at[0] <= '9' && digits < 3; digits++) {
		value = value * 10 + (in->at[0] - '0');
		in->at++;
		in->len--;
	}
	*ret = value;
	return digits > 0 && value >= min && value <= max;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_quotable(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-';
}

/* Read CEST, or <+0330>. */
static bool name(struct text *in, char ret[ZONE_NAME])
{
	bool quoted = take(in, '<');
	size_t n = 0;

	while (in->len > 0 && (quoted ? is_quotable(in->at[0]) : is_letter(in->at[0]))) {
		if (n + 1 == ZONE_NAME)
			return false;
		ret[n++] = in->at[0];
		in->at++;
		in->len--;
	}
	ret[n] = '\0';
	return n >= 3 && (!quoted || take(in, '>'));
}

/* Read [+-]hh[:mm[:ss]]. */
static bool duration(struct text *in, int hours_max, int32_t *ret)
{
	int hour = 0, minute = 0, second = 0;
	bool minus = take(in, '-');

	if (!minus)
		(void)take(in, '+');
	if (!number(in, 0, hours_max, &hour))
		return false;
	if (take(in, ':')) {
		if (!number(in, 0, 59, &minute))
			return false;
		if (take(in, ':') && !number(in, 0, 59, &second))
			return false;
	}
	int32_t value = hour * 3600 + minute * 60 + second; /* at most 167 hours */
	*ret = minus ? -value : value;
	return true;
}

/* Read ,M3.5.0/2 and its like. */
static bool change(struct text *in, struct zone_change *ret)
{
	*ret = (struct zone_change) { .kind = CHANGE_DAY, .time = 2 * 3600 };
	if (!take(in, ','))
		return false;
	if (take(in, 'M')) {
		ret->kind = CHANGE_MONTH;
		if (!number(in, 1, 12, &ret->month) || !take(in, '.') ||
		    !number(in, 1, 5, &ret->week) || !take(in, '.') || !number(in, 0, 6, &ret->day))
			return false;
	} else {
		bool julian = take(in, 'J');

		ret->kind = julian ? CHANGE_JULIAN : CHANGE_DAY;
		if (!number(in, julian, 365, &ret->day))
			return false;
	}
	return !take(in, '/') || duration(in, 167, &ret->time);
}

bool zone_rule_read(const char *text, size_t len, struct zone_rule *ret)
{
	struct text in = { text, len };
	struct zone_rule rule = {};

	if (!name(&in, rule.std_name) || !duration(&in, 24, &rule.std))
		return false;
	rule.std = -rule.std; /* POSIX counts westward */
	rule.has_dst = in.len > 0;
	if (rule.has_dst) {
		if (!name(&in, rule.dst_name))
			return false;
		rule.dst = rule.std + 3600;
		if (!is_at(&in, ',')) {
			if (!duration(&in, 24, &rule.dst))
				return false;
			rule.dst = -rule.dst;
		}
		if (!change(&in, &rule.start) || !change(&in, &rule.end) || in.len > 0)
			return false;
	}
	*ret = rule;
	return true;
}

/* When a change takes place in a year, in seconds since 1970 by the local clock. */
static int64_t change_at(const struct zone_change *at, int64_t year)
{
	int64_t first = civil_days(year, 1, 1), day = first + at->day;
	bool leap = civil_days(year + 1, 1, 1) - first == 366;

	if (at->kind == CHANGE_JULIAN)
		day += (leap && at->day >= 60) - 1;
	if (at->kind == CHANGE_MONTH) {
		first = civil_days(year, at->month, 1);
		int64_t weekday = ((first + 4) % 7 + 7) % 7; /* day 0 is a Thursday */

		day = first + (at->day - weekday + 7) % 7 + INT64_C(7) * (at->week - 1);
		if (day >= first + civil_month_days(year, at->month))
			day -= 7;
	}
	return day * DAY_S + at->time;
}

bool zone_rule_is_dst(const struct zone_rule *rule, int64_t utc_s)
{
	if (!rule->has_dst)
		return false;
	int64_t year = civil_from_us((utc_s + rule->std) * 1'000'000).year;
	int64_t start = change_at(&rule->start, year) - rule->std;
	int64_t end = change_at(&rule->end, year) - rule->dst;
	if (start < end)
		return utc_s >= start && utc_s < end;
	return utc_s >= start || utc_s < end; /* the south: summer lasts over New Year */
}
