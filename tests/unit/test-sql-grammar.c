/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/syntax/arena.h"
#include "service/syntax/lex.h"
#include "service/syntax/parse.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

/* Only lexer and grammar. */
static int parses(const char *text)
{
	auto_arena struct arena arena = arena_make(64u << 20);
	struct token *tokens = nullptr;
	struct query *query = nullptr;

	error = (struct sql_error) {};
	int r = lex(&arena, text, strlen(text), &tokens, &error);
	return r ? r : parse(&arena, tokens, &query, &error);
}

static bool is_parsed(const char *text)
{
	int r = parses(text);

	if (r)
		printf("# %s\n# gave %d %u:%u %s\n", text, r, error.line, error.column,
		       error.message);
	return r == 0;
}

/* What dashboards in use have, as far as other tests do not: functions, then clauses and leniencies. */
static bool what_dashboards_use_works(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT ARRAY_CREATE(1, 'a', true) a, ARRAY_CREATE() b, ARRAY_REMOVE([1, 2, 1], 1) c, DURATION_SECONDS(HOURS(2)) d",
		  "[{\"a\":[1,\"a\",true],\"b\":[],\"c\":[2],\"d\":7200.0}]" },
		{ "SELECT ARBITRARY(city) a FROM people WHERE city = 'Oslo'",
		  "[{\"a\":\"Oslo\"}]" },
		{ "SELECT name, PERCENT_RANK() OVER (ORDER BY name) p, FIRST_VALUE(name) OVER (PARTITION BY city ORDER BY name) f, LAST_VALUE(name) OVER (PARTITION BY city ORDER BY name ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) l, NTH_VALUE(name, 2) OVER (ORDER BY name ROWS UNBOUNDED PRECEDING) n FROM people ORDER BY name LIMIT 2",
		  "[{\"name\":\"Ann\",\"p\":0.0,\"f\":\"Ann\",\"l\":\"Cid\",\"n\":null},{\"name\":\"Bob\",\"p\":0.3333333333333333,\"f\":\"Bob\",\"l\":\"ann\",\"n\":\"Bob\"}]" },
		{ "SELECT name, SUM(age) OVER (ORDER BY name RANGE CURRENT ROW) s, COUNT(*) OVER () c, COUNT(*) OVER (ORDER BY name GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING) g FROM people ORDER BY name LIMIT 1",
		  "[{\"name\":\"Ann\",\"s\":30,\"c\":4,\"g\":2}]" },
		{ "SELECT COUNT(*) n FROM people WHERE _event_time > PARSE_DATETIME_ISO8601('2023-01-01T00:00:00') AND _event_time < CURRENT_DATETIME() AND CURRENT_DATE() > DATE '2023-01-01'",
		  "[{\"n\":4}]" },
		{ "SELECT COUNT(*) n FROM people WHERE PARSE_TIMESTAMP_ISO8601('2024-01-01T00:00:00Z') > PARSE_DATETIME_ISO8601('2023-12-31T00:00:00')",
		  "[{\"n\":4}]" },
		{ "SELECT city AS c, COUNT(DISTINCT name) AS n, FROM people WHERE city LIKE '%o' AND city NOT IN ('Rome') OR age IS NULL GROUP BY c HAVING COUNT(*) > 0 ORDER BY n DESC, c;",
		  "[{\"c\":\"Oslo\",\"n\":2},{\"c\":\"Rome\",\"n\":1}]" },
		{ "SELECT p.name FROM commons . \"people\" p HINT(access_path=column_scan, data_scan_batch_size = 100) LEFT OUTER JOIN cities c ON p.city = c.city HINT(join_strategy = lookup) INNER JOIN (SELECT DISTINCT city FROM people) d ON d.city = p.city HINT(join_broadcast=true) WHERE c.land = 'Norway' ORDER BY p.name ASC OFFSET 1 ROWS LIMIT 1",
		  "[{\"name\":\"Cid\"}]" },
		{ "SELECT people.o.x.y, LENGTH(tags) l FROM people WHERE people.o.x.y = 7",
		  "[{\"y\":7,\"l\":2}]" },
		{ "WITH a AS (SELECT 1 x), b (y) AS (SELECT x + 1 FROM a), SELECT x FROM a UNION ALL SELECT y FROM b UNION DISTINCT SELECT 2 INTERSECT SELECT 2",
		  "[{\"x\":2}]" },
		{ "SELECT CASE WHEN x > 1 THEN 'many' WHEN x = 1 THEN 'one' ELSE 'none' END c, CAST(x = 1 AS int) b FROM people CROSS JOIN UNNEST([1] AS x) WHERE name = :p",
		  "[{\"c\":\"one\",\"b\":1}]" },
		{ "SELECT FORMAT_TIMESTAMP('%H', TIMESTAMP '2024-07-01T22:30:00Z', 'Asia/Kolkata') a, DATE_TRUNC('DAY', TIMESTAMP '2024-07-01T22:30:00Z' AT TIME ZONE 'Asia/Kolkata') = DATETIME '2024-07-02T00:00:00' b, DATE '2024-03-31' - INTERVAL 21 DAY = DATE '2024-03-10' c, INTERVAL - 1 DAY = DAYS(-1) d",
		  "[{\"a\":\"04\",\"b\":true,\"c\":true,\"d\":true}]" },
		{ "SELECT IF(x IS NOT DISTINCT FROM 1, 'y', 'n') i, x NOT BETWEEN 2 AND 3 b, -x + +2 * 3 - -1 c, NOT x = 2 AND x IN (SELECT 1) d, (SELECT MAX(age) FROM people) m FROM UNNEST([1] AS x)",
		  "[{\"i\":\"y\",\"b\":true,\"c\":6,\"d\":true,\"m\":41.5}]" },
		{ "SELECT 'a!%' ILIKE 'A!!!%' ESCAPE '!' a, 'a' NOT ILIKE 'A' b",
		  "[{\"a\":true,\"b\":false}]" },
		{ "SELECT city, COUNT(*) n FROM people GROUP BY (city, ok), () ORDER BY city, n LIMIT 1",
		  "[{\"city\":\"Oslo\",\"n\":1}]" },
	};

	return give(PAIRS, countof(PAIRS));
}

static bool words_of_the_grammar_are_names_where_they_can_be(void)
{
	static const char *const FREE[] = {
		"ASC",	     "AT",	  "BERNOULLI", "CAST",	    "CUBE",	  "CURRENT",
		"DATE",	     "DATETIME",  "DESC",      "DESCRIBE",  "DOUBLE",	  "ESCAPE",
		"EXPLAIN",   "EXTRACT",	  "FIRST",     "FOLLOWING", "GROUPING",	  "GROUPS",
		"INSERT",    "INTERVAL",  "LAST",      "LATERAL",   "NULLS",	  "PARTITION",
		"PRECEDING", "PRECISION", "RANGE",     "ROLLUP",    "ORDINALITY", "ROW",
		"ROWS",	     "SCRIPT",	  "SETS",      "TIME",	    "TIMESTAMP",  "TRY_CAST",
		"UNBOUNDED", "UNDEFINED", "VALUES",    "ZONE",
	};
	static const char *const RESERVED[] = { "ALL", "CASE", "END",  "EXCEPT", "FROM", "GROUP",
						"NOT", "NULL", "OVER", "SELECT", "TRUE", "WITH" };
	char text[400];
	bool good = true;

	for (size_t i = 0; i < countof(FREE); i++) {
		const char *w = FREE[i];

		(void)snprintf(text, sizeof(text),
			       "SELECT %s, 1 %s, t.%s, %s.x FROM t AS %s JOIN a.b %s USING (%s) "
			       "WHERE %s = 1 GROUP BY %s ORDER BY %s, x %s",
			       w, w, w, w, w, w, w, w, w, w, strcmp(w, "DESC") == 0 ? w : "ASC");
		good &= is_parsed(text);
	}
	for (size_t i = 0; i < countof(RESERVED); i++) {
		(void)snprintf(text, sizeof(text), "SELECT 1 AS %s, t.%s, t[1].%s FROM a.%s t",
			       RESERVED[i], RESERVED[i], RESERVED[i], RESERVED[i]);
		good &= is_parsed(text);
		(void)snprintf(text, sizeof(text), "SELECT 1 FROM t AS %s", RESERVED[i]);
		good &= parses(text) == SQL_REFUSED && strstr(error.message, "expected a name");
	}
	return good;
}

static bool what_was_expected_is_said(void)
{
	static const struct {
		const char *text;
		unsigned int column;
		const char *message;
	} BAD[] = {
		{ "", 1, "The query ends where SELECT was expected." },
		{ "DROP TABLE t", 1, "Unexpected `DROP`; expected SELECT." },
		{ "SELECT a.1", 10, "Unexpected `1`; expected a field name." },
		{ "SELECT a FROM b.=", 17, "Unexpected `=`; expected a collection." },
		{ "DESCRIBE", 9, "The query ends where a collection was expected." },
		{ "SELECT a AS 'x'", 13, "Unexpected `x`; expected a column name." },
		{ "SELECT CAST(a AS 1)", 18, "Unexpected `1`; expected a type." },
		{ "SELECT CAST(a, int)", 14, "Unexpected `,`; expected AS." },
		{ "SELECT a + FROM t", 12, "Unexpected `FROM`; expected an expression." },
		{ "SELECT INTERVAL - a DAY", 19, "Unexpected `a`; expected a number." },
		{ "SELECT INTERVAL 1", 18, "The query ends where a unit, like DAY was expected." },
		{ "SELECT EXTRACT(1 FROM a)", 16, "Unexpected `1`; expected a part, like YEAR." },
		{ "SELECT 1 2", 10, "Unexpected `2`; expected the end of the query." },
		{ "SELECT f(1 2)", 12, "Unexpected `2`; expected )." },
		{ "SELECT a[1 2]", 12, "Unexpected `2`; expected ]." },
		{ "SELECT {'a': 1 2}", 16, "Unexpected `2`; expected }." },
		{ "SELECT {'a' 1}", 13, "Unexpected `1`; expected :." },
		{ "SELECT a AT TIME 'x'", 13, "Unexpected `TIME`; expected TIME ZONE." },
		{ "SELECT a AT TIME b", 18, "Unexpected `b`; expected ZONE." },
		{ "SELECT a NOT b", 14, "Unexpected `b`; expected LIKE, IN or BETWEEN." },
		{ "SELECT a IS b", 13,
		  "Unexpected `b`; expected NULL, UNDEFINED, TRUE, FALSE or DISTINCT FROM." },
		{ "SELECT a BETWEEN 1, 2", 19, "Unexpected `,`; expected AND." },
		{ "SELECT CASE 1 ELSE 2 END", 15, "Unexpected `ELSE`; expected WHEN." },
		{ "SELECT CASE WHEN 1 ELSE 2 END", 20, "Unexpected `ELSE`; expected THEN." },
		{ "SELECT CASE WHEN 1 THEN 2", 26, "The query ends where END was expected." },
		{ "SELECT a FROM t GROUP a", 23, "Unexpected `a`; expected BY." },
		{ "SELECT a FROM t LEFT u", 22, "Unexpected `u`; expected JOIN." },
		{ "SELECT a FROM t LEFT JOIN u ORDER BY a", 29,
		  "Unexpected `ORDER`; expected ON or USING." },
		{ "SELECT a FROM t TABLESAMPLE SYSTEM (1)", 29,
		  "Unexpected `SYSTEM`; expected BERNOULLI." },
		{ "SELECT a FROM t HINT(a = 1", 27, "The query ends where ) was expected." },
		{ "SELECT a FROM (b)", 16, "Unexpected `b`; expected SELECT." },
		{ "SELECT a FROM UNNEST(b) WITH x", 30, "Unexpected `x`; expected ORDINALITY." },
		{ "SELECT a FROM t ORDER BY a NULLS x", 34,
		  "Unexpected `x`; expected FIRST or LAST." },
		{ "SELECT f() OVER (ROWS x)", 23,
		  "Unexpected `x`; expected a bound, like UNBOUNDED PRECEDING." },
		{ "SELECT f() OVER (ROWS UNBOUNDED)", 32,
		  "Unexpected `)`; expected PRECEDING or FOLLOWING." },
		{ "SELECT f() OVER (ROWS 1)", 24,
		  "Unexpected `)`; expected PRECEDING or FOLLOWING." },
		{ "SELECT f() OVER (ROWS CURRENT)", 30, "Unexpected `)`; expected ROW." },
		{ "WITH (a) AS (SELECT 1) SELECT 1", 6, "Unexpected `(`; expected a name." },
		{ "SELECT EXISTS a", 15, "Unexpected `a`; expected (." },
	};
	bool good = true;

	for (size_t i = 0; i < countof(BAD); i++) {
		int r = parses(BAD[i].text);
		bool same = r == SQL_REFUSED && error.line == 1 && error.column == BAD[i].column &&
			    strcmp(error.id, "syntax_error") == 0 &&
			    strcmp(error.message, BAD[i].message) == 0;

		if (!same)
			printf("# %s\n# gave %d %u: %s\n# want %u: %s\n", BAD[i].text, r,
			       error.column, error.message, BAD[i].column, BAD[i].message);
		good &= same;
	}
	return good;
}

static bool a_misspelt_keyword_is_guessed_if_the_query_goes_on_with_it(void)
{
	static const struct pair BAD[] = {
		{ "SELEC 1", "Unexpected `SELEC`; did you mean SELECT?" },
		{ "SELECT a FORM people",
		  "Unexpected `people`; did you mean FROM instead of `FORM`?" },
		{ "SELECT a FROM t WERE a = 1",
		  "Unexpected `a`; did you mean WHERE instead of `WERE`?" },
		{ "SELECT a FROM t ODER BY a",
		  "Unexpected `BY`; did you mean ORDER instead of `ODER`?" },
		{ "SELECT a FROM t GROUP YB a", "Unexpected `YB`; did you mean BY?" },
		{ "SELECT a FROM t LEFT JION u ON a = b", "Unexpected `JION`; did you mean JOIN?" },
		{ "SELECT a FROM t WHERE a = 1 ADN b = 2", "Unexpected `ADN`; did you mean AND?" },
		{ "SELECT a FROM t ORDER BY a DECS", "Unexpected `DECS`; did you mean DESC?" },
		/* it would not go on */
		{ "SELECT a FORM 1", "Unexpected `1`; expected the end of the query." },
		{ "SELEC", "Unexpected `SELEC`; expected SELECT." },
		{ "SELECT frm FROM t WHERE a frm",
		  "Unexpected `frm`; expected the end of the query." },
		/* a keyword is not a misspelt one, a name in quotes is no keyword */
		{ "SELECT AS", "Unexpected `AS`; expected an expression." },
		{ "SELECT a \"FORM\" people",
		  "Unexpected `people`; expected the end of the query." },
	};
	bool good = true;

	for (size_t i = 0; i < countof(BAD); i++) {
		int r = parses(BAD[i].text);
		bool same = r == SQL_REFUSED && strcmp(error.message, BAD[i].rows) == 0;

		if (!same)
			printf("# %s\n# gave %d %s\n# want %s\n", BAD[i].text, r, error.message,
			       BAD[i].rows);
		good &= same;
	}
	return good;
}

static bool words_that_are_functions_need_no_brackets(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT CURRENT_TIMESTAMP = CURRENT_TIMESTAMP() a, current_date = CURRENT_DATE() b, CURRENT_TIME = CURRENT_TIME() c, CURRENT_DATETIME = CURRENT_DATETIME() d, TYPEOF(CURRENT_DATE) e",
		  "[{\"a\":true,\"b\":true,\"c\":true,\"d\":true,\"e\":\"date\"}]" },
		{ "SELECT CURRENT_TIMESTAMP AT TIME ZONE 'UTC' = CURRENT_DATETIME a, (CURRENT_DATE) - INTERVAL 1 DAY < CURRENT_DATE b",
		  "[{\"a\":true,\"b\":true}]" },
		{ "SELECT COUNT(*) n FROM people WHERE _event_time < CURRENT_TIMESTAMP",
		  "[{\"n\":4}]" },
		/* in quotes, behind a dot, or as a name that is given, they are names */
		{ "SELECT t.current_date, \"current_date\" q FROM (SELECT 1 AS current_date) t",
		  "[{\"current_date\":1,\"q\":1}]" },
	};

	return give(PAIRS, countof(PAIRS));
}

static bool a_word_before_join_that_other_dialects_join_with_is_no_alias(void)
{
	static const struct pair GOOD[] = {
		{ "SELECT COUNT(*) n FROM people x JOIN people y USING (name)", "[{\"n\":4}]" },
		{ "SELECT COUNT(*) n FROM people AS semi JOIN people AS \"anti\" ON semi.name = \"anti\".name",
		  "[{\"n\":4}]" },
		{ "SELECT COUNT(*) n FROM people semi, LATERAL UNNEST(semi.tags AS t) u WHERE semi.name = 'Ann' AND u.t = 'x'",
		  "[{\"n\":0}]" },
		{ "SELECT COUNT(*) n FROM people merge", "[{\"n\":4}]" },
	};
	static const struct {
		const char *text;
		unsigned int column;
		const char *message, *hint;
	} BAD[] = {
		{ "SELECT 1 FROM a SEMI JOIN b USING (x)", 17, "There is no SEMI JOIN", "EXISTS" },
		{ "SELECT 1 FROM a anti JOIN b USING (x)", 17, "There is no ANTI JOIN",
		  "NOT EXISTS" },
		{ "SELECT 1 FROM a NATURAL LEFT JOIN b", 17, "There is no NATURAL JOIN", "USING" },
		{ "SELECT 1 FROM a ASOF JOIN b", 17, "There is no ASOF JOIN", "ON the time" },
		{ "SELECT 1 FROM a POSITIONAL JOIN b", 17, "There is no POSITIONAL", "ROW_NUMBER" },
		{ "SELECT 1 FROM a JOIN (SELECT 1) ARRAY JOIN c", 33, "There is no ARRAY",
		  "UNNEST" },
		{ "SELECT 1 FROM a LETF JOIN b ON b.x = a.x", 17, "did you mean LEFT?", "" },
		{ "SELECT 1 FROM a FUL JOIN b ON b.x = a.x", 17, "did you mean FULL?", "" },
		{ "SELECT 1 FROM c, LATERAL (SELECT 1 FROM o WHERE o.x = c.x) l", 18,
		  "after LATERAL", "JOIN" },
	};
	bool good = true;

	for (size_t i = 0; i < countof(GOOD); i++)
		good &= give(&GOOD[i], 1);
	for (size_t i = 0; i < countof(BAD); i++) {
		bool same = parses(BAD[i].text) == SQL_REFUSED && error.line == 1 &&
			    error.column == BAD[i].column &&
			    strstr(error.message, BAD[i].message) &&
			    strstr(error.hint, BAD[i].hint);

		if (!same)
			printf("# %s: %u %s %s\n", BAD[i].text, error.column, error.message,
			       error.hint);
		good &= same;
	}
	return good;
}

/* before n times, middle, after n times. */
static bool nested(const char *before, const char *middle, const char *after, size_t n)
{
	auto_buf struct buf text = buf_make(1u << 20);

	buf_add_str(&text, "SELECT ");
	for (size_t i = 0; i < n; i++)
		buf_add_str(&text, before);
	buf_add_str(&text, middle);
	for (size_t i = 0; i < n; i++)
		buf_add_str(&text, after);
	int r = parses(buf_text(&text));

	if (r && (r != SQL_REFUSED || !strstr(error.message, "nested too deeply")))
		printf("# %zu times %s: %d %s\n", n, before, r, error.message);
	return r == 0;
}

static bool depth_is_limited_by_a_sentence(void)
{
	static const struct {
		const char *before, *middle, *after;
		size_t most;
	} DEEP[] = {
		{ "(", "1", ")", 50 },
		{ "[", "1", "]", 50 },
		{ "{'a': ", "1", "}", 50 },
		{ "f(", "1", ")", 50 },
		{ "CASE WHEN ", "1", " THEN 1 END", 50 },
		{ "(SELECT ", "1", ")", 20 },
		{ "(SELECT a.end, 1 AS end, ", "1", ")", 20 },
		{ "EXISTS (SELECT ", "1", ")", 20 },
		{ "1 FROM (SELECT ", "1", ")", 20 },
		{ "1 IN (1, ", "1", ")", 50 },
		{ "1 OR 1 AND NOT 1 = 1 || 1 + 1 * - (", "1", ")", 37 },
		{ "NOT ", "1", "", 299 },
		{ "- ", "1", "", 299 },
		{ "", "1", " + 1", 299 },
		{ "", "1", " = 1", 299 },
		{ "", "1", " IS NULL", 299 },
		{ "", "a", "[1]", 299 },
		{ "NOT ", "(1)", " AND 1", 298 },
		/* what is a list is not deep */
		{ "", "1", " AND 1", 20000 },
		{ "", "1", " OR 1", 20000 },
		{ "", "a", ".a", 20000 },
		{ "", "1", ", 1", 20000 },
		{ "", "1", ", a.case, 1 AS case", 20000 },
		{ "", "1", ", CASE (1) WHEN [1] THEN {'1': 1} END", 20000 },
		{ "", "1", " UNION SELECT 1", 20000 },
	};
	bool good = true;

	for (size_t i = 0; i < countof(DEEP); i++) {
		bool fits = nested(DEEP[i].before, DEEP[i].middle, DEEP[i].after, DEEP[i].most);
		bool more =
			DEEP[i].most < 20000 &&
			(nested(DEEP[i].before, DEEP[i].middle, DEEP[i].after, DEEP[i].most + 1) ||
			 nested(DEEP[i].before, DEEP[i].middle, DEEP[i].after, 20000));

		if (!fits || more)
			printf("# %s: %d %d\n", DEEP[i].before, fits, more);
		good &= fits && !more;
	}
	return good;
}

/* Every failed allocation is -ENOMEM, whether the query is good or not. */
static bool memory_may_run_out(const char *text, int want)
{
	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = parses(text);

		if (!fault_end())
			return r == want;
		CHECK_EQ(r, -ENOMEM);
	}
}

static bool running_out_of_memory_is_an_error(void)
{
	auto_buf struct buf text = buf_make(1u << 20);

	buf_add_str(
		&text,
		"EXPLAIN WITH a (b) AS (DESCRIBE c.d), SELECT DISTINCT a.b, *, x.* EXCEPT (y), CASE a WHEN 1 THEN 2 ELSE 3 END, ARRAY_AGG(a ORDER BY a DESC LIMIT 1 OFFSET 2), "
		"SUM(a) OVER (PARTITION BY b ORDER BY c ROWS 1 PRECEDING), GROUPING(a) FROM a TABLESAMPLE BERNOULLI (1) JOIN UNNEST([1] AS x, y) USING (z), (SELECT 1) WHERE a ILIKE 'x' AND (b IN (1, 2) OR c IN (SELECT {'a': INTERVAL 1 DAY})) ");
	for (int i = 0; i < 2000; i++)
		buf_addf(&text, "AND a + %d = TRY_CAST(b[%d] AS double precision) ", i, i);
	const char *good = buf_text(&text);

	CHECK(good && memory_may_run_out(good, 0));
	buf_add_str(&text, "GROUP BY CUBE (a, b), ROLLUP (c) SELECT");
	const char *bad = buf_text(&text);
	return bad && memory_may_run_out(bad, SQL_REFUSED);
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(what_dashboards_use_works);
	RUN(words_of_the_grammar_are_names_where_they_can_be);
	RUN(what_was_expected_is_said);
	RUN(a_misspelt_keyword_is_guessed_if_the_query_goes_on_with_it);
	RUN(words_that_are_functions_need_no_brackets);
	RUN(a_word_before_join_that_other_dialects_join_with_is_no_alias);
	RUN(depth_is_limited_by_a_sentence);
	RUN(running_out_of_memory_is_an_error);
	fixture_done(&f);
	return tap_done();
}
