/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

constexpr uint64_t US_PER_S = 1'000'000;

/* Now, by the given clock, in microseconds. */
static uint64_t now_us(clockid_t id)
{
	struct timespec ts = {};

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * US_PER_S + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

uint64_t clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

/* The calendar time of a wall time, UTC. */
static struct tm calendar(uint64_t wall_us)
{
	auto seconds = (time_t)(wall_us / US_PER_S);
	struct tm tm = {};

	(void)gmtime_r(&seconds, &tm);
	return tm;
}

void clock_text_us(uint64_t wall_us, char ret[CLOCK_TEXT])
{
	struct tm tm = calendar(wall_us);
	size_t len = strftime(ret, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);

	(void)snprintf(ret + len, CLOCK_TEXT - len, ".%06uZ", (unsigned int)(wall_us % US_PER_S));
}

void clock_text_s(uint64_t wall_us, char ret[CLOCK_TEXT])
{
	struct tm tm = calendar(wall_us);

	(void)strftime(ret, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Read exactly n digits at *at and step past them. Returns -1 if they are not there. */
static int digits(const char **at, const char *end, int n)
{
	int value = 0;

	if (end - *at < n)
		return -1;
	for (int i = 0; i < n; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	*at += n;
	return value;
}

/* Step past one expected character. */
static bool literal(const char **at, const char *end, char want)
{
	if (*at >= end || **at != want)
		return false;
	(*at)++;
	return true;
}

/* Read ".digits", at least one; those beyond the sixth are dropped. */
static bool fraction(const char **at, const char *end, uint64_t *ret_us)
{
	uint64_t unit = US_PER_S / 10;
	const char *start = *at;

	*ret_us = 0;
	while (*at < end && **at >= '0' && **at <= '9') {
		*ret_us += (uint64_t)(**at - '0') * unit;
		unit /= 10;
		(*at)++;
	}
	return *at > start;
}

/* Read "Z" or "±hh:mm", the last thing in the text. */
static bool zone(const char **at, const char *end, int *ret_minutes)
{
	*ret_minutes = 0;
	if (literal(at, end, 'Z') || literal(at, end, 'z'))
		return *at == end;

	int sign = literal(at, end, '+') ? 1 : literal(at, end, '-') ? -1 : 0;
	int hours = digits(at, end, 2);
	bool colon = literal(at, end, ':');
	int minutes = digits(at, end, 2);

	*ret_minutes = sign * (hours * 60 + minutes);
	return sign != 0 && hours >= 0 && hours < 24 && colon && minutes >= 0 && minutes < 60 &&
	       *at == end;
}

/* Read "YYYY-MM-DDThh:mm:ss". */
static bool date_and_time(const char **at, const char *end, struct tm *ret)
{
	int year = digits(at, end, 4);
	bool good = literal(at, end, '-');
	int month = digits(at, end, 2);
	good &= literal(at, end, '-');
	int day = digits(at, end, 2);
	good &= literal(at, end, 'T') || literal(at, end, 't') || literal(at, end, ' ');
	int hour = digits(at, end, 2);
	good &= literal(at, end, ':');
	int minute = digits(at, end, 2);
	good &= literal(at, end, ':');
	int second = digits(at, end, 2);

	*ret = (struct tm) { .tm_year = year - 1900,
			     .tm_mon = month - 1,
			     .tm_mday = day,
			     .tm_hour = hour,
			     .tm_min = minute,
			     .tm_sec = second };
	return good && year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
	       hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}

bool clock_parse(const char *text, size_t len, uint64_t *ret_us)
{
	const char *at = text, *end = text + len;
	struct tm tm;
	uint64_t us = 0;
	int minutes;

	if (!date_and_time(&at, end, &tm))
		return false;
	int day = tm.tm_mday;
	if (literal(&at, end, '.') && !fraction(&at, end, &us))
		return false;
	if (!zone(&at, end, &minutes))
		return false;

	int64_t seconds = (int64_t)timegm(&tm) - (int64_t)minutes * 60;
	if (tm.tm_mday != day || seconds < 0) /* timegm() turned February 30 into March */
		return false;
	*ret_us = (uint64_t)seconds * US_PER_S + us;
	return true;
}
