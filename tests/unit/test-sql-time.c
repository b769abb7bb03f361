/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>

#include "common/base.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

#define DATETIME(text) "{\"__rockset_type\":\"DATETIME\",\"value\":\"" text "\"}"
#define DATE(text)     "{\"__rockset_type\":\"DATE\",\"value\":\"" text "\"}"
#define TIME(text)     "{\"__rockset_type\":\"TIME\",\"value\":\"" text "\"}"

static bool time_zones_are_known(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT TIMESTAMP '2024-07-01T12:00:00Z' AT TIME ZONE 'Europe/Oslo' a, DATETIME '2024-07-01T14:00:00' AT TIME ZONE 'Europe/Oslo' b, DATE '2024-01-01' AT TIME ZONE 'America/New_York' c",
		  "[{\"a\":" DATETIME(
			  "2024-07-01T14:00:00") ",\"b\":\"2024-07-01T12:00:00.000000Z\",\"c\":\"2024-01-01T05:00:00.000000Z\"}]" },
		{ "SELECT TIMESTAMP '2024-07-01T12:00:00Z' AT TIME ZONE '+02:00' a, TIMESTAMP '2024-07-01T12:00:00Z' AT TIME ZONE HOURS(-3) b, TIMESTAMP '2124-07-01T12:00:00Z' AT TIME ZONE 'Europe/Oslo' c, NULL AT TIME ZONE 'UTC' d",
		  "[{\"a\":" DATETIME("2024-07-01T14:00:00") ",\"b\":" DATETIME(
			  "2024-07-01T09:00:00") ",\"c\":" DATETIME("2124-07-01T14:00:00") ",\"d\":null}]" },
		{ "SELECT EXTRACT(HOUR FROM TIMESTAMP '2024-07-01T22:30:00Z' AT TIME ZONE 'Asia/Kolkata') h, DATE_TRUNC('DAY', TIMESTAMP '2024-07-01T22:30:00Z', 'Europe/Oslo') d, DATE_DIFF('day', TIMESTAMP '2024-07-01T21:30:00Z', TIMESTAMP '2024-07-02T21:00:00Z', 'Europe/Oslo') n",
		  "[{\"h\":4,\"d\":\"2024-07-01T22:00:00.000000Z\",\"n\":0}]" },
		{ "SELECT CURRENT_DATE('Europe/Oslo') = CAST(CURRENT_DATETIME('Europe/Oslo') AS date) a, CURRENT_DATETIME('UTC') = CURRENT_DATETIME() b, CURRENT_DATETIME('+02:00') - CURRENT_DATETIME() = HOURS(2) c, TYPEOF(CURRENT_TIME()) d, TYPEOF(CURRENT_TIME('Asia/Tokyo')) e",
		  "[{\"a\":true,\"b\":true,\"c\":true,\"d\":\"time\",\"e\":\"time\"}]" },
		{ "SELECT x FROM UNNEST(['Europe/Oslo', 'America/New_York'] AS x) WHERE EXTRACT(HOUR FROM TIMESTAMP '2024-07-01T00:00:00Z' AT TIME ZONE x) = 2",
		  "[{\"x\":\"Europe/Oslo\"}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT CURRENT_TIMESTAMP() AT TIME ZONE 'Europe/Olso'",
		       "There is no time zone `Europe/Olso`") &&
	       refuses("SELECT CURRENT_TIMESTAMP() AT TIME ZONE '../../etc/passwd'",
		       "There is no time zone") &&
	       refuses("SELECT CURRENT_DATE(5)", "A string was expected");
}

static bool moments_are_formatted(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT FORMAT_TIMESTAMP('%F %T %z %Z', TIMESTAMP '2024-03-05T06:07:08Z', 'America/New_York') a, FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%E*S%Ez', TIMESTAMP '2024-03-05T06:07:08.25Z', '+05:30') b, FORMAT_TIMESTAMP('%s|%E3S|%E0S|%E*S', TIMESTAMP '2024-03-05T06:07:08Z') c",
		  "[{\"a\":\"2024-03-05 01:07:08 -0500 EST\",\"b\":\"2024-03-05T11:37:08.25+05:30\",\"c\":\"1709618828|08.000|08|08\"}]" },
		{ "SELECT FORMAT_DATE('%A %d %B %Y, day %j, week %V of %G, %U, %u', DATE '2024-12-30') a, FORMAT_TIME('%I:%M %p', TIME '13:05:00') b, FORMAT_DATETIME('%D %r %e%%', DATETIME '2024-03-05T16:07:08') c",
		  "[{\"a\":\"Monday 30 December 2024, day 365, week 01 of 2025, 52, 1\",\"b\":\"01:05 PM\",\"c\":\"03/05/24 04:07:08 PM  5%\"}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT FORMAT_DATE('%Q', DATE '2024-01-01')", "unknown conversion `%Q`") &&
	       refuses("SELECT FORMAT_DATE('%', DATE '2024-01-01')", "unknown conversion") &&
	       refuses("SELECT FORMAT_TIMESTAMP('%F', DATETIME '2024-01-01T00:00:00', 'UTC')",
		       "A time zone goes with a timestamp, not with datetime");
}

static bool texts_are_parsed_by_a_format(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%S', '2024-07-01 14:00:00', 'Europe/Oslo') a, PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%E*S %z', '2024-07-01 14:00:00.5 +0200') b, PARSE_TIMESTAMP('%s', '1709618828') c, PARSE_TIMESTAMP('%d/%b/%Y:%T %z', '05/Mar/2024:06:07:08 -0500') d",
		  "[{\"a\":\"2024-07-01T12:00:00.000000Z\",\"b\":\"2024-07-01T12:00:00.500000Z\",\"c\":\"2024-03-05T06:07:08.000000Z\",\"d\":\"2024-03-05T11:07:08.000000Z\"}]" },
		{ "SELECT PARSE_DATE('%m/%d/%y', '02/29/24') a, PARSE_DATETIME('%a, %d %B %Y %I:%M %p', 'Tue, 05 March 2024 12:30 AM') b, PARSE_TIME('%R', '23:59') c, PARSE_DATE('%Y %j', '2024 060') d, DATE_PARSE('2024-03-05', '%Y-%m-%d') e",
		  "[{\"a\":" DATE("2024-02-29") ",\"b\":" DATETIME("2024-03-05T00:30:00") ",\"c\":" TIME(
			  "23:59:00") ",\"d\":" DATE("2024-02-29") ",\"e\":\"2024-03-05T00:00:00.000000Z\"}]" },
		{ "SELECT TRY_CAST('x' AS date) a, PARSE_TIME_ISO8601('01:02:03.5') b",
		  "[{\"a\":null,\"b\":" TIME("01:02:03.5") "}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT PARSE_DATE('%Y-%m-%d', '2023-02-29')",
		       "`2023-02-29` is no date of the format `%Y-%m-%d`") &&
	       refuses("SELECT PARSE_TIMESTAMP('%Y', '2023x')", "is no timestamp") &&
	       refuses("SELECT PARSE_TIMESTAMP('%Y %Q', '2023 1')", "unknown conversion `%Q`") &&
	       refuses("SELECT PARSE_DATE('%Y %j', '2023 366')", "is no date");
}

static bool moments_are_made_and_moved(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT DATETIME(2024, 3, 5) a, DATETIME(DATE '2024-03-05', TIME '06:07:08') b, TIME(6, 7, 8, 500000) c, TIME(DATETIME '2024-03-05T06:07:08') d, DATE(2024, 2, 29) e",
		  "[{\"a\":" DATETIME("2024-03-05T00:00:00") ",\"b\":" DATETIME("2024-03-05T06:07:08") ",\"c\":" TIME(
			  "06:07:08.5") ",\"d\":" TIME("06:07:08") ",\"e\":" DATE("2024-02-29") "}]" },
		{ "SELECT DATE_ADD('month', 1, DATE '2024-01-31') a, DATE_SUB('day', 1, DATE '2024-03-01') b, EXTRACT(ISOYEAR FROM DATE '2024-12-30') c, EXTRACT(MINUTE FROM TIME '06:07:08') d",
		  "[{\"a\":" DATE("2024-02-29") ",\"b\":" DATE(
			  "2024-02-29") ",\"c\":2025,\"d\":7}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT TIME(24, 0, 0)", "There is no such time") &&
	       refuses("SELECT DATETIME(2024, 13, 1)", "There is no such time");
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(time_zones_are_known);
	RUN(moments_are_formatted);
	RUN(texts_are_parsed_by_a_format);
	RUN(moments_are_made_and_moved);
	fixture_done(&f);
	return tap_done();
}
