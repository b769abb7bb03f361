/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/strings_forms.h"
#include "service/column/strings_internal.h"

constexpr int64_t DAY_US = 86'400'000'000;
constexpr int64_t DAYS_MIN = -719'528;	/* 0000-01-01 */
constexpr int64_t DAYS_END = 2'932'897; /* 10000-01-01 */
constexpr uint32_t DATE_LEN = 10;	/* 2026-01-02 */
constexpr uint32_t TIME_LEN = 9;	/* T03:04:05 */
constexpr uint32_t ZONE_MAX = 6;	/* +01:00 */

struct time_form {
	char separator; /* 0: a date alone */
	uint32_t fraction;
	uint32_t zone_len;
	char zone[ZONE_MAX];
};

static uint32_t form_len(const struct time_form *form)
{
	if (!form->separator)
		return DATE_LEN;
	return DATE_LEN + TIME_LEN + (form->fraction ? form->fraction + 1 : 0) + form->zone_len;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. Source: H. Hinnant, chrono-compatible date algorithms. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

static void date_of(int64_t days, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day)
{
	days += 719'468;
	int64_t era = (days >= 0 ? days : days - 146'096) / 146'097, of_era = days - era * 146'097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*ret_day = of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = year + era * 400 + (*ret_month <= 2);
}

/* A number of n digits, or -1. */
static int64_t number_of(const char *at, uint32_t n)
{
	int64_t number = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (at[i] < '0' || at[i] > '9')
			return -1;
		number = number * 10 + (at[i] - '0');
	}
	return number;
}

/* Midnight of a date that exists, in µs. Returns whether it does. */
static bool parse_date(const char *at, int64_t *ret)
{
	static const uint8_t DAYS[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t year = number_of(at, 4), month = number_of(at + 5, 2), day = number_of(at + 8, 2);

	if (at[4] != '-' || at[7] != '-' || year < 0 || month < 1 || month > 12 || day < 1 ||
	    day > DAYS[month - 1])
		return false;
	if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return false;
	*ret = days_of(year, month, day) * DAY_US;
	return true;
}

static const int64_t FRACTION_UNIT[] = { 1'000'000, 100'000, 10'000, 1000, 100, 10, 1 };

/* A time of a form. Returns whether printing it in the form gives the same string again. */
static bool parse(const struct time_form *form, struct str text, int64_t *ret)
{
	int64_t us, fraction = 0;

	if (text.len != form_len(form) || !parse_date(text.at, &us))
		return false;
	assert(form->fraction < countof(FRACTION_UNIT));
	if (form->separator) {
		const char *at = text.at + DATE_LEN;
		int64_t hour = number_of(at + 1, 2), minute = number_of(at + 4, 2);
		int64_t second = number_of(at + 7, 2);

		if (at[0] != form->separator || at[3] != ':' || at[6] != ':' || hour < 0 ||
		    hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
			return false;
		at += TIME_LEN;
		if (form->fraction) {
			fraction = number_of(at + 1, form->fraction);
			if (at[0] != '.' || fraction < 0)
				return false;
			at += 1 + form->fraction;
		}
		if (memcmp(at, form->zone, form->zone_len) != 0)
			return false;
		us += ((hour * 60 + minute) * 60 + second) * 1'000'000 +
		      fraction * FRACTION_UNIT[form->fraction];
	}
	*ret = us;
	return true;
}

/* The form of a text, should it be a time. */
static bool find_form_of(struct str text, struct time_form *form)
{
	uint32_t at = DATE_LEN + TIME_LEN;
	int64_t us;

	*form = (struct time_form) {};
	if (text.len == DATE_LEN)
		return parse(form, text, &us);
	if (text.len < at)
		return false;
	form->separator = text.at[DATE_LEN];
	if (form->separator != 'T' && form->separator != ' ')
		return false;
	if (at < text.len && text.at[at] == '.') {
		at++;
		while (at < text.len && form->fraction < 6 && number_of(text.at + at, 1) >= 0) {
			form->fraction++;
			at++;
		}
		if (form->fraction == 0)
			return false;
	}
	form->zone_len = text.len - at;
	if (form->zone_len > ZONE_MAX ||
	    (form->zone_len > 0 && text.at[at] != 'Z' && text.at[at] != '+' && text.at[at] != '-'))
		return false;
	memcpy(form->zone, text.at + at, form->zone_len);
	return parse(form, text, &us);
}

/* The form of the first string that is a time, among the first few of the sample. */
static bool find_form(const struct str *value, uint32_t n, uint32_t step, struct time_form *form)
{
	for (uint32_t i = 0, tries = 0; i < n && tries < 8; i += step, tries++) {
		if (find_form_of(value[i], form))
			return true;
	}
	return false;
}

bool time_fits(const struct str *value, uint32_t n, uint32_t step)
{
	struct time_form form;
	uint32_t fits = 0, count = 0;
	int64_t us;

	if (!find_form(value, n, step, &form))
		return false;
	for (uint32_t i = 0; i < n; i += step, count++)
		fits += parse(&form, value[i], &us);
	return count - fits <= count / STRINGS_ODD_PART;
}

int time_write(struct buf *out, const struct str *value, uint32_t n, uint32_t step)
{
	cleanup(odd_done) struct odd odd = {};
	auto_free int64_t *number = malloc(n * sizeof(*number));
	struct time_form form;
	int64_t last = 0;
	int r = 0;

	if (!number)
		return -ENOMEM;
	if (!find_form(value, n, step, &form))
		return 1;
	(void)parse(&form, value[0], &last);
	for (uint32_t i = 0; i < n && r == 0; i++) {
		if (!parse(&form, value[i], &last))
			r = odd.n < n / STRINGS_ODD_PART ? odd_add(&odd, i) : 1;
		number[i] = last;
	}
	if (r != 0)
		return r;
	/* What has no time has that of the one before it; so do the first ones, of the first that has. */
	for (uint32_t k = odd.n; k-- > 0;) {
		if (odd.row[k] + 1 < n && number[odd.row[k]] == 0)
			number[odd.row[k]] = number[odd.row[k] + 1];
	}
	write_u8(out, STRINGS_TIME);
	write_u8(out, (uint8_t)form.separator);
	write_u8(out, (uint8_t)form.fraction);
	write_u8(out, (uint8_t)form.zone_len);
	buf_add(out, form.zone, form.zone_len);
	r = odd_write(out, &odd, value);
	ints_write(out, number, n);
	return r;
}

bool time_open(struct reader *in, struct strings *ret)
{
	uint32_t separator = read_u8(in), fraction = read_u8(in), zone_len = read_u8(in);

	if (in->failed || separator > 127 || fraction > 6 || zone_len > ZONE_MAX ||
	    zone_len > in->len - in->pos)
		return false;
	ret->form = separator | fraction << 8 | zone_len << 16;
	ret->body = in->data + in->pos;
	in->pos += zone_len;
	return odd_open(in, ret) &&
	       ints_open(in->data + in->pos, in->len - in->pos, ret->n, &ret->number) &&
	       (ret->n == 0 ||
		(ret->number.min >= DAYS_MIN * DAY_US && ret->number.max < DAYS_END * DAY_US));
}

static void print_number(char *to, int64_t number, uint32_t digits)
{
	while (digits > 0) {
		to[--digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

static void print_date(char *to, int64_t days)
{
	int64_t year, month, day;

	date_of(days, &year, &month, &day);
	print_number(to, year, 4);
	to[4] = '-';
	print_number(to + 5, month, 2);
	to[7] = '-';
	print_number(to + 8, day, 2);
}

static struct time_form form_from(const struct strings *strings)
{
	struct time_form form = {
		.separator = (char)(strings->form & 127),
		.fraction = (uint32_t)(strings->form >> 8 & 255),
		.zone_len = (uint32_t)(strings->form >> 16 & 255),
	};

	memcpy(form.zone, strings->body, form.zone_len);
	return form;
}

/* A day and how it is printed: neighbours mostly have the same. */
struct printed_day {
	int64_t days;
	char text[10];
};

static void print(const struct time_form *form, int64_t us, struct printed_day *day, char *to)
{
	int64_t days = us / DAY_US - (us % DAY_US < 0);

	if (days != day->days) {
		print_date(day->text, days);
		day->days = days;
	}
	memcpy(to, day->text, DATE_LEN);
	if (!form->separator)
		return;
	us -= days * DAY_US;
	auto second = (uint32_t)(us / 1'000'000);
	to[10] = form->separator;
	print_number(to + 11, second / 3600, 2);
	to[13] = ':';
	print_number(to + 14, second / 60 % 60, 2);
	to[16] = ':';
	print_number(to + 17, second % 60, 2);
	to += DATE_LEN + TIME_LEN;
	if (form->fraction) {
		*to++ = '.';
		print_number(to, us % 1'000'000 / FRACTION_UNIT[form->fraction], form->fraction);
		to += form->fraction;
	}
	memcpy(to, form->zone, form->zone_len);
}

int time_read(const struct strings *strings, uint32_t block, struct strings_room *room,
	      struct str out[COLUMN_BLOCK])
{
	uint32_t n = spans_in_block(strings->n, block);
	struct time_form form = form_from(strings);
	struct printed_day day = { .days = INT64_MIN };
	uint32_t len = form_len(&form);
	int r = room_take(room, (size_t)n * len);

	if (r < 0)
		return r;
	ints_read(&strings->number, block, room->number);
	for (uint32_t i = 0; i < n; i++) {
		char *to = room->data + (size_t)i * len;

		print(&form, room->number[i], &day, to);
		out[i] = (struct str) { to, len };
	}
	return odd_read(strings, block, room->number, out);
}

int time_get(const struct strings *strings, uint32_t i, struct strings_room *room, struct str *ret)
{
	struct time_form form = form_from(strings);
	struct printed_day day = { .days = INT64_MIN };
	int r = odd_get(strings, i, room->number, ret);

	if (r != 1)
		return r;
	r = room_take(room, form_len(&form));
	if (r < 0)
		return r;
	print(&form, ints_get(&strings->number, i), &day, room->data);
	*ret = (struct str) { room->data, form_len(&form) };
	return 0;
}
