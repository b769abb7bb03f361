/* SPDX-License-Identifier: Apache-2.0 */

/* What one query may cost: that what would take hours by the product of its lengths does not, and that the rest ends when it is to. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/sql/sql.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

#define MILLION "LPAD('a',1000000,'a')"
#define HALF	"LPAD('a',500000,'a')"

/* Each takes 10^11 steps or more if a text is gone through again for each place of the other. */
static bool texts_cost_their_length(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT " MILLION " LIKE CONCAT('%', " HALF ", 'b%') r", "[{\"r\":false}]" },
		{ "SELECT " MILLION " LIKE CONCAT('%', " HALF ", 'x%', " HALF ", '%') r",
		  "[{\"r\":false}]" },
		{ "SELECT COUNT(*) n FROM people WHERE CONCAT(name, " MILLION
		  ") LIKE CONCAT('%', " HALF ", 'b%')",
		  "[{\"n\":0}]" },
		{ "SELECT STRPOS(" MILLION ", CONCAT(" HALF ", 'b')) r", "[{\"r\":0}]" },
		{ "SELECT LENGTH(REPLACE(" MILLION ", CONCAT(" HALF ", 'b'), '')) r",
		  "[{\"r\":1000000}]" },
		{ "SELECT LENGTH(TRIM(" MILLION ", CONCAT(LPAD('', 999999, 'b'), 'a'))) r",
		  "[{\"r\":0}]" },
		{ "SELECT LENGTH(RTRIM(" MILLION ", CONCAT(LPAD('', 999999, '\xc3\xa9'), 'a'))) r",
		  "[{\"r\":0}]" },
		{ "SELECT LENGTH(SPLIT(" MILLION ", CONCAT(" HALF ", 'b'))) r", "[{\"r\":1}]" },
		{ "SELECT COUNT(*) n FROM people WHERE STRPOS(CONCAT(name, " MILLION
		  "), CONCAT(" HALF ", 'b')) > 0",
		  "[{\"n\":0}]" },
	};

	return give(PAIRS, countof(PAIRS));
}

static bool replace_trim_and_strpos_do_what_they_did(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT REPLACE('banana', 'an', '-') a, REPLACE('aaa', 'aa', 'b') b, REPLACE('x', '', 'y') c, REPLACE('', 'a', 'b') d, REPLACE(121, 1, 7) e, REPLACE(NULL, 'a', 'b') f, REPLACE('a', 'a', NULL) g",
		  "[{\"a\":\"b--a\",\"b\":\"ba\",\"c\":\"x\",\"d\":\"\",\"e\":\"727\",\"f\":null,\"g\":null}]" },
		{ "SELECT TRIM('  a b ') a, LTRIM('xxay', 'xy') b, RTRIM('xxay', 'xy') c, TRIM('\xc3\xa9t\xc3\xa9', '\xc3\xa9') d, TRIM('aaa', 'a') e, TRIM('a', '') f, TRIM('a', NULL) g, TRIM('\xe2\x82\xacz\xc3\xa9', '\xc3\xa9x') h, TRIM('\ta') i",
		  "[{\"a\":\"a b\",\"b\":\"ay\",\"c\":\"xxa\",\"d\":\"t\",\"e\":\"\",\"f\":\"a\",\"g\":null,\"h\":\"\xe2\x82\xacz\",\"i\":\"\\ta\"}]" },
		{ "SELECT STRPOS('banana', 'nan') a, STRPOS('caf\xc3\xa9s', 's') b, STRPOS('a', 'b') c, STRPOS('a', '') d, STRPOS(NULL, 'a') e, STRPOS(1234, 3) f, STRPOS('', 'a') g",
		  "[{\"a\":3,\"b\":5,\"c\":0,\"d\":1,\"e\":null,\"f\":3,\"g\":0}]" },
		{ "SELECT TRY(REPLACE([1], 'a', 'b')) a", "[{\"a\":null}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT TRIM([1])", "A string was expected here, not array");
}

/* What has no bound but the query's own: it ends there, wherever it is. In the tests before, each is an hour or so. */
static bool what_takes_long_ends_at_the_deadline(void)
{
	static const char *const QUERIES[] = {
		/* computed while the query is bound, and in a pipe */
		"SELECT " MILLION " LIKE CONCAT('%', LPAD('_', 300000, 'a_'), 'b%') r",
		"SELECT COUNT(*) FROM people WHERE CONCAT(name, " MILLION
		") LIKE CONCAT('%', LPAD('_', 300000, 'a_'), 'b%')",
		/* one step of the expression goes through the rest of the text, at each place anew */
		"SELECT REGEXP_LIKE(" MILLION ", 'a*[bc]')",
		"SELECT REGEXP_LIKE(" MILLION ", '^(?:.(?=a*+c)|.)*$')",
		"SELECT REGEXP_LIKE(LPAD('', 16000, 'a'), '(?:a|a){18}[bc]')",
		/* each row is short, and there are many */
		"SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS a), UNNEST(SEQUENCE(1, 1000000) AS b) WHERE a + b = 0",
		"SELECT SUM(LENGTH(CONCAT(x, " MILLION "))) FROM UNNEST(SEQUENCE(1, 1000000) AS x)",
		"SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS x) WHERE UPPER(" MILLION
		") = CAST(x AS STRING)",
		"SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000) AS x) WHERE SEQUENCE(1, 1000000)[x] = 0",
		"SELECT LENGTH(FORMAT(REPLACE(LPAD('', 900000, 'a'), 'aaa', '%1$.0s'), " MILLION
		"))",
	};
	bool good = true;

	for (size_t i = 0; i < countof(QUERIES); i++) {
		cleanup(sql_result_done) struct sql_result result = {};
		int r = run(QUERIES[i], &result, 30'000);

		if (r != SQL_REFUSED || error.kind != SQL_TIMEOUT) {
			printf("# %s\n# gave %d %s\n", QUERIES[i], r, error.message);
			good = false;
		}
	}
	return good;
}

static bool a_query_is_bound_only_before_its_deadline(void)
{
	auto_buf struct buf text = buf_make(1u << 20);
	cleanup(sql_result_done) struct sql_result result = {};

	buf_add_str(&text, "SELECT 1 FROM people WHERE age IN (age");
	for (int i = 0; i < 20'000; i++)
		buf_add_str(&text, ",age+1");
	buf_add_str(&text, ")");
	const char *query = buf_text(&text);
	CHECK(query);
	CHECK_EQ(run(query, &result, 0), SQL_REFUSED);
	CHECK_EQ(error.kind, SQL_TIMEOUT);
	return true;
}

static bool arrays_are_put_in_order_whatever_their_length(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT ARRAY_SORT([3,1,2,1]) a, ARRAY_DISTINCT(['b','a','b']) b, ARRAY_SORT([]) c",
		  "[{\"a\":[1,1,2,3],\"b\":[\"a\",\"b\"],\"c\":[]}]" },
		{ "SELECT ELEMENT_AT(ARRAY_SORT(SEQUENCE(5000, 1, -1)), 1) a, ELEMENT_AT(ARRAY_SORT(SEQUENCE(5000, 1, -1)), 2048) b, LENGTH(ARRAY_DISTINCT(ARRAY_CONCAT(SEQUENCE(1, 3000), SEQUENCE(2, 4000)))) c",
		  "[{\"a\":1,\"b\":2048,\"c\":4000}]" },
	};

	return give(PAIRS, countof(PAIRS));
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(replace_trim_and_strpos_do_what_they_did);
	RUN(texts_cost_their_length);
	RUN(what_takes_long_ends_at_the_deadline);
	RUN(a_query_is_bound_only_before_its_deadline);
	RUN(arrays_are_put_in_order_whatever_their_length);
	fixture_done(&f);
	return tap_done();
}
