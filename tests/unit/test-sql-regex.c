/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "service/function/regex.h"
#include "service/sql/sql.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

static bool the_functions_give_what_they_should(void)
{
	static const struct {
		const char *text, *rows;
	} GOOD[] = {
		{ "SELECT REGEXP_LIKE('abc123', '[0-9]+') a, REGEXP_LIKE('abc', '^b') b, REGEXP_LIKE(NULL, 'a') c, REGEXP_LIKE('Ab', '(?i)aB$') d",
		  "[{\"a\":true,\"b\":false,\"c\":null,\"d\":true}]" },
		{ "SELECT name FROM people WHERE REGEXP_LIKE(name, '^[A-B]') ORDER BY name",
		  "[{\"name\":\"Ann\"},{\"name\":\"Bob\"}]" },
		{ "SELECT REGEXP_EXTRACT('k=v; x=y', '(\\w)=(\\w)') a, REGEXP_EXTRACT('k=v', '(\\w)=(\\w)', 2) b, REGEXP_EXTRACT('k', '=') c, REGEXP_EXTRACT('a', '(b)|a', 1) d",
		  "[{\"a\":\"k=v\",\"b\":\"v\",\"c\":null,\"d\":null}]" },
		{ "SELECT REGEXP_EXTRACT_ALL('a1b22c', '[0-9]+') a, REGEXP_EXTRACT_ALL('k=v,x=y', '(\\w)=(\\w)', 2) b, REGEXP_EXTRACT_ALL('a', 'b') c, REGEXP_EXTRACT_ALL('ax', '(b)|x', 1) d",
		  "[{\"a\":[\"1\",\"22\"],\"b\":[\"v\",\"y\"],\"c\":[],\"d\":[null]}]" },
		{ "SELECT REGEXP_REPLACE('a1b22', '[0-9]+', '#') a, REGEXP_REPLACE('a1b22', '[0-9]+') b, REGEXP_REPLACE('k=v', '(\\w)=(\\w)', '$2:\\1') c, REGEXP_REPLACE('5', '5', '\\$1 \\\\ $') d, REGEXP_REPLACE('abc', '', '-') e, REGEXP_REPLACE('h\xc3\xa9', 'x*', '.') f",
		  "[{\"a\":\"a#b#\",\"b\":\"ab\",\"c\":\"v:k\",\"d\":\"$1 \\\\ $\",\"e\":\"-a-b-c-\",\"f\":\".h.\xc3\xa9.\"}]" },
		{ "SELECT REGEXP_SPLIT('a, b;c', '[,;]\\s*') a, REGEXP_SPLIT('', 'x') b, REGEXP_SPLIT('ab', '') c, REGEXP_SPLIT(',a,', ',') d",
		  "[{\"a\":[\"a\",\"b\",\"c\"],\"b\":[\"\"],\"c\":[\"ab\"],\"d\":[\"\",\"a\",\"\"]}]" },
		/* a pattern that changes from row to row */
		{ "SELECT REGEXP_REPLACE('abc', x, '-') r FROM UNNEST(['a', 'b|c'] AS x)",
		  "[{\"r\":\"-bc\"},{\"r\":\"a--\"}]" },
		{ "SELECT REGEXP_LIKE('Anna', :p) r", "[{\"r\":true}]" },
	};
	bool good = true;

	for (size_t i = 0; i < countof(GOOD); i++)
		good &= gives(GOOD[i].text, GOOD[i].rows);
	return good;
}

static bool what_is_wrong_is_said(void)
{
	bool good = refuses("SELECT REGEXP_LIKE('a', '(')", "not valid: missing closing");

	good &= refuses("SELECT REGEXP_LIKE(1, 'a')", "A string was expected here, not int");
	good &= refuses("SELECT REGEXP_EXTRACT('a', '(a)', 2)",
			"has 1 groups; there is no group 2");
	good &= refuses("SELECT REGEXP_LIKE('a', '\\C')", "not valid");
	good &= refuses("SELECT REGEXP_LIKE('a', '((((a{1,999}){1,999}){1,999}){1,999})')",
			"not valid");
	good &= refuses("SELECT REGEXP_LIKE('a', LPAD('', 20000, 'a'))", "longer than 10000 bytes");
	return good;
}

static bool a_runaway_pattern_is_an_error_and_soon(void)
{
	uint64_t start = clock_mono_us();
	bool good = refuses("SELECT REGEXP_LIKE(LPAD('', 40, 'a') || 'b', '^(a+)+$')",
			    "avoid nested repetitions");

	good &= refuses("SELECT REGEXP_LIKE(LPAD('', 900000, 'a'), '^(a|aa)+b')", "steps");
	return good && clock_mono_us() - start < 5'000'000;
}

static bool a_long_walk_ends_at_the_deadline(void)
{
	cleanup(sql_result_done) struct sql_result result = {};
	uint64_t start = clock_mono_us();

	CHECK_EQ(
		run("SELECT REGEXP_EXTRACT_ALL(LPAD('', 300000, 'aaaaaaaaaaaaaaaaab'), '(a|aa)*c|b')",
		    &result, 50'000),
		SQL_REFUSED);
	CHECK_EQ(error.kind, SQL_TIMEOUT);
	return clock_mono_us() - start < 2'000'000;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(regex_free_at) struct regex *regex = nullptr;
		struct regex_scan scan = { .text = "xaby", .len = 4 };
		char message[REGEX_MESSAGE] = "";

		fault_at(n);
		int r = regex_new("(a)(b)", 6, &regex, message);
		if (r == 0)
			r = regex_next(regex, &scan);
		if (!fault_end())
			return r == 0 && scan.start == 1 && scan.end == 3;
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(the_functions_give_what_they_should);
	RUN(what_is_wrong_is_said);
	RUN(a_runaway_pattern_is_an_error_and_soon);
	RUN(a_long_walk_ends_at_the_deadline);
	RUN(every_failed_allocation_is_survived);
	fixture_done(&f);
	return tap_done();
}
