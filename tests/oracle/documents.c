/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/documents.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

constexpr int64_t START_S = 1'700'000'000;

const char *const DOCUMENTS_TEXTS[] = {
	"\"\"",
	"\"a\"",
	"\"b\"",
	"\"B\"",
	"\"Oslo\"",
	"\"oslo\"",
	"\"Rome\"",
	"\"a%b_c\"",
	"\"a longer one\"",
	"\" blank \"",
	"\"\xc3\xa9t\xc3\xa9\"",
	"\"\xc3\x89T\xc3\x89\"",
	"\"\xe2\x82\xac\"",
	"\"\xf0\x9f\x98\x80x\"",
	"\"n\\u0000l\"",
	"\"12\"",
};
static_assert(countof(DOCUMENTS_TEXTS) == DOCUMENTS_TEXTS_N);

static const char *const WILD[] = {
	"0",
	"-0.0",
	"0.0",
	"1",
	"1.0",
	"-1",
	"0.1",
	"2.5",
	"-2.5",
	"9223372036854775807",
	"-9223372036854775808",
	"9223372036854775808",
	"9223372036854775806",
	"9007199254740991",
	"9007199254740992",
	"9007199254740993",
	"9007199254740992.0",
	"-9007199254740993",
	"1e308",
	"-1e308",
	"5e-324",
	"2.2250738585072014e-308",
	"3.14159265358979",
	"1e15",
	"123456789012345678",
	"4294967296",
	"-2147483649",
};

static void put_time(struct random *r, struct buf *out, const char *zone)
{
	int64_t day = random_between(r, 1, 28), month = random_between(r, 1, 12);
	int64_t hour = random_between(r, 0, 23), minute = random_between(r, 0, 59);

	buf_addf(out, "%04" PRIi64 "-%02" PRIi64 "-%02" PRIi64 "T%02" PRIi64 ":%02" PRIi64,
		 random_percent(r, 90) ? random_between(r, 2023, 2024)
				       : random_between(r, 1900, 2100),
		 month, day, hour, minute);
	if (random_percent(r, 80))
		buf_addf(out, ":%02" PRIi64, random_between(r, 0, 59));
	else
		buf_add_str(out, ":00");
	if (random_percent(r, 20))
		buf_addf(out, ".%03" PRIi64, random_between(r, 0, 999));
	buf_add_str(out, zone);
}

static void put_moment(struct random *r, const char *type, struct buf *out)
{
	buf_addf(out, "{\"__rockset_type\":\"%s\",\"value\":\"", type);
	if (type[0] == 'd' && type[4] == '\0')
		buf_addf(out, "2024-%02" PRIi64 "-%02" PRIi64, random_between(r, 1, 3),
			 random_between(r, 1, 28));
	else
		put_time(r, out, type[0] == 't' ? "Z" : "");
	buf_add_str(out, "\"}");
}

static void put_number(struct random *r, struct buf *out)
{
	switch (random_below(r, 4)) {
	case 0:
		buf_addf(out, "%" PRIi64, random_between(r, -5, 20));
		return;
	case 1:
		buf_addf(out, "%.2f", (double)random_between(r, -400, 400) / 4);
		return;
	default:
		buf_add_str(out, random_of(r, WILD));
	}
}

/* NOLINTBEGIN(misc-no-recursion): depth is counted down. */

static void put_array(struct random *r, uint32_t depth, struct buf *out)
{
	uint32_t n = random_below(r, random_percent(r, 5) ? 40 : 5);

	buf_add_str(out, "[");
	for (uint32_t i = 0; i < n; i++) {
		buf_add_str(out, i ? "," : "");
		documents_put_any(r, depth, out);
	}
	buf_add_str(out, "]");
}

static void put_object(struct random *r, uint32_t depth, struct buf *out)
{
	static const char *const NAMES[] = { "n", "s", "x", "k", "v", "i", "a b", "" };
	uint32_t from = random_below(r, countof(NAMES)), n = random_below(r, 4);

	buf_add_str(out, "{");
	for (uint32_t i = 0; i < n; i++) {
		buf_addf(out, "%s\"%s\":", i ? "," : "", NAMES[(from + i * 3) % countof(NAMES)]);
		documents_put_any(r, depth, out);
	}
	buf_add_str(out, "}");
}

void documents_put_any(struct random *r, uint32_t depth, struct buf *out)
{
	switch (random_below(r, depth > 0 ? 12 : 9)) {
	case 0:
		buf_add_str(out, "null");
		return;
	case 1:
		buf_add_str(out, random_percent(r, 50) ? "true" : "false");
		return;
	case 2:
	case 3:
		buf_addf(out, "%" PRIi64, random_between(r, 0, 9));
		return;
	case 4:
		put_number(r, out);
		return;
	case 5:
		put_moment(r, random_percent(r, 50) ? "timestamp" : "date", out);
		return;
	case 9:
	case 10:
		put_array(r, depth - 1, out);
		return;
	case 11:
		put_object(r, depth - 1, out);
		return;
	default:
		buf_add_str(out, random_of(r, DOCUMENTS_TEXTS));
	}
}

/* NOLINTEND(misc-no-recursion) */

static void put_scalars(struct random *r, struct buf *out)
{
	uint32_t n = random_below(r, 5);
	bool numbers = random_percent(r, 50);

	buf_add_str(out, "[");
	for (uint32_t i = 0; i < n; i++) {
		buf_add_str(out, i ? "," : "");
		if (random_percent(r, 10))
			documents_put_any(r, 1, out);
		else if (numbers)
			buf_addf(out, "%" PRIi64, random_between(r, 0, 6));
		else
			buf_add_str(out, random_of(r, DOCUMENTS_TEXTS));
	}
	buf_add_str(out, "]");
}

static void put_rows(struct random *r, struct buf *out)
{
	uint32_t n = random_below(r, 4);

	buf_add_str(out, "[");
	for (uint32_t i = 0; i < n; i++) {
		buf_add_str(out, i ? "," : "");
		if (random_percent(r, 5)) {
			documents_put_any(r, 0, out);
			continue;
		}
		buf_addf(out, "{\"k\":%" PRIi64, random_between(r, 0, 9));
		if (random_percent(r, 80))
			buf_addf(out, ",\"v\":%s", random_of(r, DOCUMENTS_TEXTS));
		if (random_percent(r, 20)) {
			buf_add_str(out, ",\"x\":");
			documents_put_any(r, 1, out);
		}
		buf_add_str(out, "}");
	}
	buf_add_str(out, "]");
}

static void put_lists(struct random *r, struct buf *out)
{
	uint32_t n = random_below(r, 3);

	buf_add_str(out, "[");
	for (uint32_t i = 0; i < n; i++) {
		buf_add_str(out, i ? "," : "");
		put_scalars(r, out);
	}
	buf_add_str(out, "]");
}

static void put_inner(struct random *r, struct buf *out)
{
	buf_addf(out, "{\"n\":%" PRIi64, random_between(r, 0, 12));
	if (random_percent(r, 70))
		buf_addf(out, ",\"s\":%s", random_of(r, DOCUMENTS_TEXTS));
	if (random_percent(r, 60)) {
		buf_add_str(out, ",\"x\":");
		documents_put_any(r, 1, out);
	}
	if (random_percent(r, 60))
		buf_addf(out, ",\"p\":{\"q\":%" PRIi64 "}", random_between(r, 0, 3));
	buf_add_str(out, "}");
}

static void put_time_text(struct random *r, bool sound, struct buf *out)
{
	static const char *const ZONES[] = { "Z", "Z", "+02:00", "-08:30" };
	static const char *const BAD[] = { "", "2024-13-01T00:00:00Z", "yesterday", "2024-02-30" };

	buf_add_str(out, "\"");
	if (sound || random_percent(r, 60))
		put_time(r, out, random_of(r, ZONES));
	else
		buf_add_str(out, random_of(r, BAD));
	buf_add_str(out, "\"");
}

/* A value of the kind that the field's name stands for. */
static void put_field(struct random *r, char name, uint32_t number, struct buf *out)
{
	switch (name) {
	case 'i':
		buf_addf(out, "%" PRIi64, random_between(r, -20, 30));
		return;
	case 'g':
		buf_addf(out, "%" PRIu64, UINT64_C(1000000) + number * UINT64_C(37));
		return;
	case 'f':
		buf_addf(out, random_percent(r, 30) ? "%.0f" : "%.2f",
			 (double)random_between(r, -4000, 4000) / 4);
		return;
	case 'w':
		put_number(r, out);
		return;
	case 'b':
		buf_add_str(out, random_percent(r, 50) ? "true" : "false");
		return;
	case 's':
		buf_add_str(out, random_of(r, DOCUMENTS_TEXTS));
		return;
	case 'u':
		buf_addf(out, "\"user %" PRIu32 " %08" PRIx32 "\"", number,
			 (uint32_t)random_next(r));
		return;
	case 't':
	case 'v':
		put_time_text(r, name == 't', out);
		return;
	case 'm':
		put_moment(r, "timestamp", out);
		return;
	case 'd':
		put_moment(r, "date", out);
		return;
	case 'o':
		put_inner(r, out);
		return;
	case 'a':
		put_scalars(r, out);
		return;
	case 'r':
		put_rows(r, out);
		return;
	case 'l':
		put_lists(r, out);
		return;
	default:
		documents_put_any(r, 2, out);
	}
}

void documents_put(struct random *r, const struct style *style, const char *id, uint32_t number,
		   struct buf *out)
{
	static const char NAMES[] = "igfwbsutvmdxoarl";
	constexpr uint32_t n = sizeof(NAMES) - 1;
	uint32_t from = random_percent(r, 20) ? random_below(r, n) : 0;

	buf_addf(
		out,
		"{\"_id\":\"%s\",\"_event_time\":{\"__rockset_type\":\"timestamp\",\"value\":%" PRIi64
		"}",
		id, (START_S + (int64_t)number * 61) * 1'000'000 + random_between(r, 0, 5));
	for (uint32_t i = 0; i < n; i++) {
		char name = NAMES[(from + i) % n];

		if (random_percent(r, style->absent))
			continue;
		buf_addf(out, ",\"%c\":", name);
		if (random_percent(r, 5))
			buf_add_str(out, "null");
		else if (random_percent(r, style->dirty))
			documents_put_any(r, 2, out);
		else
			put_field(r, name, number, out);
	}
	if (random_percent(r, style->rare))
		buf_addf(out, ",\"z%" PRIu32 "\":%" PRIu32, number, number);
	buf_add_str(out, "}");
}
