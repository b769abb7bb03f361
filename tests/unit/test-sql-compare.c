/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

/* Three documents whose moments ascend alike, and texts for them; m is a field in which the types are mixed. */
#define AT(type, value) "{\"__rockset_type\":\"" type "\",\"value\":\"" value "\"}"
static const char
	MOMENTS
		[] =
			"[{\"_id\":\"1\",\"_event_time\":" AT("timestamp",
							      "2024-01-10T00:00:00Z") ",\"d\":" AT("date",
												   "2024-01-10") ",\"dt\":" AT("datetime", "2024-01-10T00:00:00") ",\"ts\":" AT("timestamp", "2024-01-10T00:00:00Z") ",\"t\":" AT("time",
																												  "10:00:00") ",\"dx\":\"2024-01-10\",\"dtx\":\"2024-01-10T00:00:00\",\"tsx\":\"2024-01-10T00:00:00Z\",\"tx\":\"10:00:00\",\"m\":" AT("date", "2024-01-10") ",\"v\":3},"
																																															    "{\"_id\":\"2\",\"_event_time\":" AT(
																																																    "timestamp", "2024-01-15T00:00:00Z") ",\"d\":" AT("date", "2024-01-15") ",\"dt\":" AT("datetime", "2024-01-15T00:00:00") ",\"ts\":" AT("timestamp", "2024-01-15T00:00:00Z") ",\"t\":" AT("time",
																																																																							     "15:00:00") ",\"dx\":\"2024-01-15\",\"dtx\":\"2024-01-15T00:00:00\",\"tsx\":\"2024-01-15T00:00:00Z\",\"tx\":\"15:00:00\",\"m\":\"2024-01-15T00:00:00Z\",\"v\":\"abc\"},"
																																																																									 "{\"_id\":\"3\",\"_event_time\":" AT("timestamp",
																																																																													      "2024-01-20T00:00:00Z") ",\"d\":" AT("date",
																																																																																		   "2024-01-20") ",\"dt\":" AT("datetime",
																																																																																					       "2024-01-20T00:00:00") ",\"ts\":" AT("timestamp", "2024-01-20T00:00:00Z") ",\"t\":" AT("time",
																																																																																																      "20:00:00") ",\"dx\":\"2024-01-20\",\"dtx\":\"2024-01-20T00:00:00\",\"tsx\":\"2024-01-20T00:00:00Z\",\"tx\":\"20:00:00\",\"m\":" AT("timestamp",
																																																																																																																	  "2024-01-20T00:00:00Z") ",\"v\":[5]},"
																																																																																																																				  "{\"_id\":\"4\",\"_event_time\":" AT(
																																																																																																																					  "timestamp",
																																																																																																																					  "2024-01-25T00:00:00Z") ",\"v\":{\"a\":1}},"
																																																																																																																								  "{\"_id\":\"5\",\"_event_time\":" AT("timestamp", "2024-01-26T00:00:00Z") ",\"v\":true},"
																																																																																																																																	    "{\"_id\":\"6\",\"_event_time\":" AT(
																																																																																																																																		    "timestamp",
																																																																																																																																		    "2024-01-27T00:00:00Z") ",\"v\":-1.5}]";

/* Forms of the second document's moment; its day is one of several types, its time of day another family. */
static const char *const DAYS[] = {
	"DATE '2024-01-15'",
	"DATETIME '2024-01-15T00:00:00'",
	"TIMESTAMP '2024-01-15T00:00:00Z'",
	"'2024-01-15'",
	"'2024-01-15T00:00:00'",
	"'2024-01-15T02:00:00+02:00'",
	":pd",
	":pdt",
	":pts",
	":px",
	"CAST('2024-01-15' AS date)",
	"d",
	"dt",
	"ts",
	"dx",
	"dtx",
	"tsx",
	"m",
};
static const char *const TIMES[] = {
	"TIME '15:00:00'", "'15:00:00'", "'15:00'", ":pt", ":pxt", "t", "tx"
};
static const char *const DAY_FIELDS[] = { "d", "dt", "ts", "_event_time", "m", "dx", "dtx", "tsx" };

static const struct {
	const char *name, *tag, *text;
} PARAMETERS[] = { { "pd", "date", "2024-01-15" },
		   { "pdt", "datetime", "2024-01-15T00:00:00" },
		   { "pts", "timestamp", "2024-01-15T00:00:00Z" },
		   { "px", nullptr, "2024-01-15T00:00:00Z" },
		   { "pt", "time", "15:00:00" },
		   { "pxt", nullptr, "15:00:00" } };

/* Put a parameter's value as what it is. */
static void put_parameter(size_t i, struct buf *out)
{
	constexpr int64_t day = 19'737;
	constexpr int64_t us = INT64_C(86'400'000'000);

	if (!PARAMETERS[i].tag)
		value_put_string(out, PARAMETERS[i].text, strlen(PARAMETERS[i].text));
	else if (strcmp(PARAMETERS[i].tag, "date") == 0)
		value_put_moment(out, VALUE_DATE, day);
	else if (strcmp(PARAMETERS[i].tag, "time") == 0)
		value_put_moment(out, VALUE_TIME, us / 24 * 15);
	else
		value_put_moment(out,
				 PARAMETERS[i].tag[0] == 'd' ? VALUE_DATETIME : VALUE_TIMESTAMP,
				 day * us);
}

/* Write a form, a for @ and b for #. */
static const char *fill(const char *form, const char *a, const char *b)
{
	static char text[1000];
	size_t n = 0;

	for (; *form && n + 100 < sizeof(text); form++) {
		const char *part = *form == '@' ? a : *form == '#' ? b : nullptr;
		size_t len = part ? strlen(part) : 1;

		memcpy(text + n, part ? part : form, len);
		n += len;
	}
	text[n] = '\0';
	return text;
}

static int ask(const char *text, enum sql_way way, struct sql_result *ret)
{
	struct sql_parameter parameter[countof(PARAMETERS)];
	struct buf value[countof(PARAMETERS)];

	for (size_t i = 0; i < countof(PARAMETERS); i++) {
		value[i] = buf_make(64);
		put_parameter(i, &value[i]);
		parameter[i] =
			(struct sql_parameter) { PARAMETERS[i].name, value[i].data, value[i].len };
	}
	struct sql_query query = { .text = text,
				   .len = strlen(text),
				   .parameter = parameter,
				   .n_parameters = countof(parameter),
				   .deadline_us = clock_mono_us() + 10'000'000,
				   .result_max = 8u << 20,
				   .rows_max = 100'000,
				   .way = way };
	error = (struct sql_error) {};
	int r = sql_run(f.session, &query, ret, &error);
	for (size_t i = 0; i < countof(PARAMETERS); i++)
		buf_done(&value[i]);
	return r;
}

/* Whether a query gives its rows, natively and as SQLite answers it. */
static bool both_give(const char *text, const char *want)
{
	static const enum sql_way WAYS[] = { SQL_PIPES, SQL_SCANS };

	for (size_t w = 0; w < countof(WAYS); w++) {
		cleanup(sql_result_done) struct sql_result result = {};
		int r = ask(text, WAYS[w], &result);
		const char *got = r == 0 ? buf_text(&result.rows) : error.message;

		if (r || !got || strcmp(got, want) != 0) {
			printf("# %s (way %zu)\n# gave %s\n# want %s\n", text, w,
			       got ? got : "nothing", want);
			return false;
		}
	}
	return true;
}

/* How many documents a condition holds for. */
static bool counts(const char *left, const char *form, const char *right, int want)
{
	auto_buf struct buf text = buf_make(2000);
	char rows[40];

	buf_addf(&text, "SELECT COUNT(*) n FROM moments WHERE %s", fill(form, left, right));
	(void)snprintf(rows, sizeof(rows), "[{\"n\":%d}]", want);
	return both_give(buf_text(&text), rows);
}

static bool is_field(const char *text)
{
	return strchr("dtm", text[0]) && !strchr(text, '\'') && strlen(text) < 4;
}

static bool is_text(const char *text)
{
	return text[strlen(text) - 1] == 'x' || text[0] == '\'' || strcmp(text, "m") == 0 ||
	       strncmp(text, ":px", 3) == 0;
}

/* A pair of forms that are the same moment, in every comparison. */
static bool pair_agrees(const char *left, const char *right)
{
	bool field = is_field(right), event = strcmp(left, "_event_time") == 0;
	bool good = counts(left, "@ = #", right, field ? 3 : 1);

	good &= counts(left, "@ < #", right, field ? 0 : 1);
	good &= counts(left, "@ >= #", right, field ? 3 : event ? 5 : 2);
	good &= counts(left, "@ <> #", right, field ? 0 : event ? 5 : 2);
	good &= counts(left, "@ BETWEEN # AND #", right, field ? 3 : 1);
	good &= counts(left, "@ IN (#)", right, field ? 3 : 1);
	good &= counts(left, "@ IN (NULL, 7, #)", right, field ? 3 : 1);
	good &= counts(left, "CASE @ WHEN # THEN true ELSE false END", right, field ? 3 : 1);
	good &= counts(left, "NULLIF(@, #) IS NULL AND d IS NOT NULL", right, field ? 3 : 1);
	return good;
}

static bool moments_of_all_types_compare_as_the_widest(void)
{
	bool good = true;

	for (size_t i = 0; i < countof(DAY_FIELDS); i++)
		for (size_t j = 0; j < countof(DAYS); j++)
			if (!(is_text(DAY_FIELDS[i]) && is_text(DAYS[j])))
				good &= pair_agrees(DAY_FIELDS[i], DAYS[j]);
	for (size_t j = 0; j < countof(TIMES); j++)
		good &= pair_agrees("t", TIMES[j]);
	return good;
}

static bool moments_of_all_types_join(void)
{
	static const char *const FORMS[] = {
		"SELECT COUNT(*) n FROM moments a JOIN moments b ON a.@ = b.#",
		"SELECT COUNT(*) n FROM moments a JOIN moments b ON a.@ = b.# AND a._id = b._id",
		"SELECT COUNT(b._id) n FROM moments a LEFT JOIN moments b ON a.@ = b.#",
		"SELECT COUNT(*) n FROM moments a RIGHT JOIN moments b ON a.@ = b.# WHERE a.d IS NOT NULL AND b.d IS NOT NULL",
		"SELECT COUNT(*) n FROM (SELECT @ k FROM moments) a JOIN (SELECT # k FROM moments) b ON a.k = b.k",
		"SELECT COUNT(*) n FROM moments WHERE @ IN (SELECT # FROM moments WHERE d IS NOT NULL)",
	};
	bool good = true;

	for (size_t i = 0; i < countof(DAY_FIELDS); i++)
		for (size_t j = 0; j < countof(DAY_FIELDS); j++)
			for (size_t k = 0; k < countof(FORMS); k++) {
				if (strcmp(DAY_FIELDS[i], "_event_time") == 0 ||
				    strcmp(DAY_FIELDS[j], "_event_time") == 0 ||
				    (is_text(DAY_FIELDS[i]) && is_text(DAY_FIELDS[j])))
					continue;
				good &= both_give(fill(FORMS[k], DAY_FIELDS[i], DAY_FIELDS[j]),
						  "[{\"n\":3}]");
			}
	return good;
}

static bool the_least_moment_and_their_order_are_of_the_fields_type(void)
{
	static const char *const FIELDS[] = { "d", "dt", "ts", "t" };
	bool good = true;

	for (size_t i = 0; i < countof(FIELDS); i++) {
		char text[300];

		(void)snprintf(
			text, sizeof(text),
			"SELECT COUNT(*) n FROM moments WHERE %s = (SELECT MIN(%s) FROM moments) AND _id = '1'",
			FIELDS[i], FIELDS[i]);
		good &= both_give(text, "[{\"n\":1}]");
		(void)snprintf(text, sizeof(text),
			       "SELECT _id FROM moments WHERE %s IS NOT NULL ORDER BY %s DESC",
			       FIELDS[i], FIELDS[i]);
		good &= both_give(text, "[{\"_id\":\"3\"},{\"_id\":\"2\"},{\"_id\":\"1\"}]");
	}
	return good;
}

static bool a_text_that_is_no_moment_is_refused_where_it_stands(void)
{
	static const char *const QUERIES[] = {
		"SELECT 1 FROM moments WHERE ts > 'soon'",
		"SELECT 1 FROM moments WHERE _event_time = 'soon'",
		"SELECT 1 FROM moments WHERE 'soon' < dt",
		"SELECT 1 FROM moments WHERE d BETWEEN '2024-01-01' AND 'soon'",
		"SELECT 1 FROM moments WHERE d IN ('2024-01-01', 'soon')",
		"SELECT 1 FROM moments WHERE t >= 'soon'",
		"SELECT CASE ts WHEN 'soon' THEN 1 END FROM moments",
		"SELECT 1 FROM (SELECT ts k FROM moments) q WHERE k < 'soon'",
		"SELECT 1 FROM moments WHERE DATE_TRUNC('day', ts) = 'soon'",
	};
	bool good = true;

	for (size_t i = 0; i < countof(QUERIES); i++) {
		auto want = (uint32_t)(strstr(QUERIES[i], "'soon'") - QUERIES[i]) + 1;

		good &= refuses(QUERIES[i], "`soon` is not an ISO 8601");
		if (error.line != 1 || (uint32_t)error.column != want)
			printf("# %s: at %d:%d\n", QUERIES[i], (int)error.line, (int)error.column);
		good &= error.line == 1 && (uint32_t)error.column == want;
	}
	return good;
}

static bool values_without_a_common_order_compare_as_null(void)
{
	static const struct {
		const char *condition;
		int want;
	} CASES[] = {
		{ "v > 0", 1 },
		{ "v < 0", 1 },
		{ "NOT (v > 0)", 1 },
		{ "v <= 'zzz'", 1 },
		{ "v > ''", 1 },
		{ "v >= false", 1 },
		{ "v > [1]", 1 },
		{ "v BETWEEN -9 AND 9", 2 },
		{ "v NOT BETWEEN -9 AND 9", 0 },
		{ "(v > 0) IS NULL", 4 },
		{ "v = 3", 1 },
		{ "v <> 3", 5 },
		{ "v IN (3, 'abc', true)", 3 },
		{ "v NOT IN (3, 'abc', true)", 3 },
		{ "CASE WHEN v > 0 THEN 1 ELSE 0 END = 1", 1 },
		{ "IF(v > 0, true, false)", 1 },
		{ "ts > 0", 0 },
		{ "dx > 5", 0 },
		{ "d > true", 0 },
		{ "ts > t", 0 },
		{ "ts <> 5", 3 },
	};
	bool good = true;

	for (size_t i = 0; i < countof(CASES); i++)
		good &= counts(CASES[i].condition, "@", "", CASES[i].want);
	return good &&
	       both_give("SELECT COUNT(*) n FROM moments a JOIN moments b ON a.v < b.v",
			 "[{\"n\":1}]") &&
	       both_give(
		       "SELECT _id FROM moments ORDER BY v, _id",
		       "[{\"_id\":\"6\"},{\"_id\":\"1\"},{\"_id\":\"2\"},{\"_id\":\"5\"},{\"_id\":\"3\"},{\"_id\":\"4\"}]") &&
	       both_give("SELECT MAX(v) > 0 a FROM moments", "[{\"a\":null}]");
}

int main(void)
{
	if (!sql_fixture_init() || fixture_collection(&f, "moments") ||
	    fixture_add(&f, "moments", MOMENTS)) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(moments_of_all_types_compare_as_the_widest);
	RUN(moments_of_all_types_join);
	RUN(the_least_moment_and_their_order_are_of_the_fields_type);
	RUN(a_text_that_is_no_moment_is_refused_where_it_stands);
	RUN(values_without_a_common_order_compare_as_null);
	fixture_done(&f);
	return tap_done();
}
