/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

static bool several_groupings_come_in_one_result(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT city, COUNT(*) n FROM people GROUP BY ROLLUP(city) ORDER BY city",
		  "[{\"city\":null,\"n\":4},{\"city\":\"Oslo\",\"n\":2},{\"city\":\"Rome\",\"n\":2}]" },
		{ "SELECT city, ok, COUNT(*) n FROM people WHERE ok IS NOT NULL GROUP BY CUBE(city, ok) ORDER BY n DESC, city NULLS LAST, ok NULLS LAST",
		  "[{\"city\":null,\"ok\":null,\"n\":3},{\"city\":\"Rome\",\"ok\":null,\"n\":2},{\"city\":null,\"ok\":true,\"n\":2},{\"city\":\"Oslo\",\"ok\":true,\"n\":1},{\"city\":\"Oslo\",\"ok\":null,\"n\":1},{\"city\":\"Rome\",\"ok\":false,\"n\":1},{\"city\":\"Rome\",\"ok\":true,\"n\":1},{\"city\":null,\"ok\":false,\"n\":1}]" },
		{ "SELECT p.city c, GROUPING(city) g, SUM(age) s FROM people p GROUP BY GROUPING SETS ((city), ()) HAVING SUM(age) > 30 ORDER BY s",
		  "[{\"c\":\"Oslo\",\"g\":0,\"s\":71.5},{\"c\":null,\"g\":1,\"s\":96.5}]" },
		{ "SELECT city, name, COUNT(*) n FROM people GROUP BY city, GROUPING SETS ((name), ()) HAVING city = 'Oslo' ORDER BY name",
		  "[{\"city\":\"Oslo\",\"name\":null,\"n\":2},{\"city\":\"Oslo\",\"name\":\"Ann\",\"n\":1},{\"city\":\"Oslo\",\"name\":\"Cid\",\"n\":1}]" },
		/* by alias, by number, an expression, no aggregate at all */
		{ "SELECT LOWER(city) low, COUNT(*) FROM people GROUP BY ROLLUP(low) ORDER BY 1",
		  "[{\"low\":null,\"?COUNT\":4},{\"low\":\"oslo\",\"?COUNT\":2},{\"low\":\"rome\",\"?COUNT\":2}]" },
		{ "SELECT city FROM people GROUP BY ROLLUP(1) ORDER BY city",
		  "[{\"city\":null},{\"city\":\"Oslo\"},{\"city\":\"Rome\"}]" },
		{ "SELECT SUBSTR(city, 1, 1), MAX(city) FROM people GROUP BY ROLLUP(SUBSTR(city, 1, 1)) ORDER BY 1",
		  "[{\"?SUBSTR\":null,\"?MAX\":\"Rome\"},{\"?SUBSTR\":\"O\",\"?MAX\":\"Oslo\"},{\"?SUBSTR\":\"R\",\"?MAX\":\"Rome\"}]" },
		{ "SELECT 1 x FROM people GROUP BY ()", "[{\"x\":1}]" },
		{ "SELECT COUNT(*) n FROM people WHERE name = 'nobody' GROUP BY ()",
		  "[{\"n\":0}]" },
		{ "SELECT city, COUNT(*) n FROM people GROUP BY DISTINCT GROUPING SETS ((city), (city)) ORDER BY city",
		  "[{\"city\":\"Oslo\",\"n\":2},{\"city\":\"Rome\",\"n\":2}]" },
		{ "SELECT COUNT(*) n FROM (SELECT city FROM people GROUP BY ALL GROUPING SETS ((city), (city)))",
		  "[{\"n\":4}]" },
		{ "SELECT 0 x UNION ALL SELECT COUNT(*) FROM people GROUP BY ROLLUP(city) ORDER BY x",
		  "[{\"x\":0},{\"x\":2},{\"x\":2},{\"x\":4}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT * FROM people GROUP BY ROLLUP(city)", "Name the columns") &&
	       refuses("SELECT GROUPING(name) FROM people GROUP BY ROLLUP(city)",
		       "GROUPING takes what the query groups by") &&
	       refuses("SELECT 1 FROM people GROUP BY CUBE(a, b, c, d, e, f, g)", "at most 6") &&
	       refuses("SELECT 1 FROM people GROUP BY CUBE(a, b, c, d, e, f), CUBE(g)",
		       "more than 64") &&
	       refuses("SELECT 1 FROM people GROUP BY GROUPING SETS (a", ") was expected");
}

static bool samples_are_drawn(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT COUNT(*) n FROM people TABLESAMPLE BERNOULLI (100)", "[{\"n\":4}]" },
		{ "SELECT COUNT(*) n FROM people p TABLESAMPLE BERNOULLI (0) WHERE p.city = 'Oslo'",
		  "[{\"n\":0}]" },
		{ "SELECT p.name FROM commons.people p TABLESAMPLE BERNOULLI (100) JOIN cities c ON p.city = c.city ORDER BY p.name",
		  "[{\"name\":\"Ann\"},{\"name\":\"Cid\"}]" },
	};
	cleanup(sql_result_done) struct sql_result result = {};

	CHECK_EQ(
		run("SELECT COUNT(*) n FROM people a TABLESAMPLE BERNOULLI (50), UNNEST(SEQUENCE(1, 500) AS x)",
		    &result, 10'000'000),
		0);
	int n = atoi(buf_text(&result.rows) + strlen("[{\"n\":"));
	CHECK(n % 500 == 0 && n <= 2000); /* a document is in with all its rows, or out */
	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT 1 FROM UNNEST([1] AS x) TABLESAMPLE BERNOULLI (1)",
		       "a collection only") &&
	       refuses("SELECT 1 FROM people TABLESAMPLE SYSTEM (1)", "expected BERNOULLI");
}

static bool a_collection_is_described(void)
{
	static const struct pair PAIRS[] = {
		{ "DESCRIBE cities",
		  "[{\"field\":[\"_event_time\"],\"type\":\"timestamp\",\"occurrences\":2,\"total\":2},{\"field\":[\"_id\"],\"type\":\"string\",\"occurrences\":2,\"total\":2},{\"field\":[\"city\"],\"type\":\"string\",\"occurrences\":2,\"total\":2},{\"field\":[\"land\"],\"type\":\"string\",\"occurrences\":2,\"total\":2}]" },
	};
	cleanup(sql_result_done) struct sql_result result = {};

	CHECK_EQ(run("describe commons.people;", &result, 10'000'000), 0);
	const char *rows = buf_text(&result.rows);
	CHECK(strstr(rows,
		     "{\"field\":[\"age\"],\"type\":\"float\",\"occurrences\":1,\"total\":4}"));
	CHECK(strstr(rows, "{\"field\":[\"age\"],\"type\":\"int\",\"occurrences\":2,\"total\":4}"));
	CHECK(strstr(
		rows,
		"{\"field\":[\"o\",\"x\",\"y\"],\"type\":\"int\",\"occurrences\":1,\"total\":4}"));
	CHECK(strstr(
		rows,
		"{\"field\":[\"rows\",\"*\",\"k\"],\"type\":\"int\",\"occurrences\":2,\"total\":4}"));
	CHECK(strcmp(buf_text(&result.collections), "[\"commons.people\"]") == 0);
	return give(PAIRS, countof(PAIRS)) && refuses("DESCRIBE nope", "\"nope\" does not exist") &&
	       error.line == 1 && error.column == 10 && refuses("DESCRIBE", "a collection");
}

static bool what_fails_can_be_tried(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT TRY(1 / 0) a, TRY(CAST('x' AS int) + 1) b, TRY(6 / 2) c, TRY(PARSE_TIMESTAMP_ISO8601('x')) d, TRY(REGEXP_LIKE('a', '(')) e, TRY(-'a') f",
		  "[{\"a\":null,\"b\":null,\"c\":3,\"d\":null,\"e\":null,\"f\":null}]" },
		{ "SELECT x FROM UNNEST([1, 0, 2] AS x) WHERE TRY(2 / x) = 2", "[{\"x\":1}]" },
		{ "SELECT TRY(FORMAT('%d', name)) a, TRY(LENGTH(age)) b FROM people WHERE name = 'Ann'",
		  "[{\"a\":null,\"b\":null}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT TRY(1 / 0) + 1 / 0", "Division by zero");
}

static bool the_small_clauses_work(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT name FROM people WHERE name ILIKE 'AN_' ORDER BY name",
		  "[{\"name\":\"Ann\"},{\"name\":\"ann\"}]" },
		{ "SELECT name FROM people WHERE name NOT ILIKE 'an%' ORDER BY name",
		  "[{\"name\":\"Bob\"},{\"name\":\"Cid\"}]" },
		{ "SELECT ARRAY_AGG(name ORDER BY name LIMIT 2) a, ARRAY_AGG(name ORDER BY name DESC LIMIT 2 OFFSET 1) b FROM people",
		  "[{\"a\":[\"Ann\",\"Bob\"],\"b\":[\"Cid\",\"Bob\"]}]" },
		{ "SELECT ARRAY_MAP('UPPER', ['a', 'b']) a, ARRAY_MAP('length', SPLIT('x,yy', ',')) b, ARRAY_MAP('ABS', []) c",
		  "[{\"a\":[\"A\",\"B\"],\"b\":[1,2],\"c\":[]}]" },
		{ "SELECT name, ARRAY_MAP('UPPER', tags) t FROM people WHERE tags IS NOT NULL ORDER BY name",
		  "[{\"name\":\"Ann\",\"t\":[\"A\",\"B\"]},{\"name\":\"Bob\",\"t\":[\"B\"]}]" },
		{ "SELECT p.name, c.land FROM people p FULL JOIN cities c ON p.city = c.city ORDER BY p.name NULLS LAST",
		  "[{\"name\":\"Ann\",\"land\":\"Norway\"},{\"name\":\"Bob\",\"land\":null},{\"name\":\"Cid\",\"land\":\"Norway\"},{\"name\":\"ann\",\"land\":null},{\"name\":null,\"land\":\"France\"}]" },
		{ "SELECT name FROM people ORDER BY age NULLS FIRST, name LIMIT 2",
		  "[{\"name\":\"ann\"},{\"name\":\"Bob\"}]" },
		{ "SELECT p.name FROM people p INNER JOIN cities c ON p.city = c.city HINT(join_strategy=lookup) ORDER BY 1",
		  "[{\"name\":\"Ann\"},{\"name\":\"Cid\"}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT ARRAY_MAP('nope', [1])", "ARRAY_MAP takes the name of a function") &&
	       refuses("SELECT ARRAY_MAP('SUM', [1])", "ARRAY_MAP takes the name of a function") &&
	       refuses("SELECT SUM(age LIMIT 1) FROM people", "LIMIT goes with ARRAY_AGG only");
}

/* A name may come from a string or a parameter. */
static bool references_stand_for_names(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT land FROM TABLE('cities') ORDER BY land",
		  "[{\"land\":\"France\"},{\"land\":\"Norway\"}]" },
		{ "SELECT t.land FROM Table([ 'commons', 'cities' ]) AS t WHERE _id = 'o'",
		  "[{\"land\":\"Norway\"}]" },
		{ "SELECT COUNT(*) n FROM TABLE(:w)", "[{\"n\":2}]" },
		{ "SELECT COUNT(*) n FROM TABLE('commons.cities')", "[{\"n\":2}]" },
		{ "SELECT FIELD('people', 'age') a, FIELD('people', :f) y FROM people WHERE FIELD('people', 'name') = :p",
		  "[{\"a\":30,\"y\":7}]" },
		{ "SELECT FIELD('p', 'name') FROM people p JOIN TABLE(:w) c ON FIELD('p', 'city') = c.city AND p.age = :n",
		  "[{\"name\":\"Ann\"}]" },
		{ "SELECT name AS field, city AS table FROM people WHERE age = 30",
		  "[{\"field\":\"Ann\",\"table\":\"Oslo\"}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT 1 FROM TABLE(:missing)", "has no value") &&
	       refuses("SELECT 1 FROM TABLE(:n)", "must be a string") &&
	       refuses("SELECT 1 FROM TABLE('')", "a name is empty") &&
	       refuses("SELECT 1 FROM TABLE('a..b')", "a name is empty") &&
	       refuses("SELECT 1 FROM TABLE('a', )", "a string or a parameter") &&
	       refuses("SELECT 1 FROM TABLE(['a'", "a closing bracket") &&
	       refuses("SELECT 1 FROM TABLE('nope')", "does not exist") &&
	       refuses("SELECT 1 FROM TABLE(1 + 1)", "a string or a parameter") &&
	       error.line == 1 && error.column == 21;
}

static bool every_failed_allocation_is_survived(void)
{
	static const char TEXT[] =
		"SELECT city, GROUPING(city) g, ARRAY_AGG(name ORDER BY name LIMIT 1) a, MAX(REGEXP_REPLACE(name, '(.)', '<$1>')) m, MAX(FORMAT('%s', FORMAT('%s', _event_time AT TIME ZONE 'Europe/Oslo'))) t "
		"FROM TABLE(['commons', 'people']) TABLESAMPLE BERNOULLI (100) GROUP BY ROLLUP(city) ORDER BY 1";

	for (size_t n = 1;; n++) {
		cleanup(sql_result_done) struct sql_result result = {};

		fault_at(n);
		int r = run(TEXT, &result, 10'000'000);
		if (!fault_end())
			return r == 0 &&
			       strstr(buf_text(&result.rows),
				      "{\"city\":null,\"g\":1,\"a\":[\"Ann\"],\"m\":\"<a><n><n>\",\"t\":\"2023-11-14T23:13:20\"}");
		if (r == SQL_REFUSED && error.kind != SQL_TOO_LARGE)
			printf("# %zu: %s\n", n, error.message);
		/* SQLite does without some of its memory; otherwise it says so. */
		CHECK(r == 0 || r == -ENOMEM || (r == SQL_REFUSED && error.kind == SQL_TOO_LARGE));
	}
}

/* Whether an explanation has all parts, which are separated by |, in their order. */
static bool explains(const struct pair *pair)
{
	cleanup(sql_result_done) struct sql_result result = {};
	int r = run(pair->text, &result, 10'000'000);
	const char *rows = r == 0 ? buf_text(&result.rows) : nullptr, *at = rows;
	auto_free char *parts = strdup(pair->rows);

	for (char *rest = parts, *part; at && rest && (part = strsep(&rest, "|"));)
		at = strstr(at, part);
	if (!at)
		printf("# %s\n# gave %s\n# want %s\n", pair->text, rows ? rows : error.message,
		       pair->rows);
	return at != nullptr;
}

static bool explain_tells_what_pipes_do_from_what_sqlite_does(void)
{
	static const struct pair PARTS[] = {
		/* a query and parts of its explanation, in order */
		{ "EXPLAIN SELECT city, COUNT(*) FROM people WHERE age > 26 GROUP BY city",
		  "scan commons.people (documents: 4|filter (age > 26)|group by city: COUNT(*)|SQLite: SELECT" },
		{ "EXPLAIN SELECT 1 FROM people GROUP BY FLOOR(age), DATE_DIFF('hour', _event_time, _event_time), CAST(age AS int), EXTRACT(DOW FROM _event_time), MOD(age, 2)",
		  "group by FLOOR(age), DATE_DIFF(\\\"hour\\\", _event_time, _event_time), INT(age), EXTRACT(DOW, _event_time), (age % 2)" },
		{ "EXPLAIN SELECT REVERSE(name), COUNT(*) FROM people GROUP BY REVERSE(name)",
		  "group by CALL(name)" },
		{ "EXPLAIN SELECT name, ROW_NUMBER() OVER (ORDER BY age) FROM people",
		  "columns |name|SQLite: SELECT |row_number()" },
	};
	bool good = true;

	for (size_t i = 0; i < countof(PARTS); i++)
		good &= explains(&PARTS[i]);
	return good;
}

static bool what_a_query_reads_is_counted_once(void)
{
	static const struct {
		const char *text;
		uint64_t rows, chunks, skipped;
	} COSTS[] = {
		{ "SELECT COUNT(*) FROM people WHERE age > 26", 4, 1, 0 },
		{ "SELECT COUNT(*) FROM people WHERE land = 'Norway'", 0, 0, 1 },
		{ "SELECT COUNT(*), MIN(_event_time) FROM people", 0, 0, 1 },
		{ "SELECT name FROM people ORDER BY age LIMIT 1", 4, 1, 0 },
	};

	for (size_t i = 0; i < countof(COSTS); i++) {
		cleanup(sql_result_done) struct sql_result result = {};

		CHECK_EQ(run(COSTS[i].text, &result, 10'000'000), 0);
		CHECK_EQ(result.figures.rows_read, COSTS[i].rows);
		CHECK_EQ(result.figures.chunks, COSTS[i].chunks);
		CHECK_EQ(result.figures.chunks_skipped, COSTS[i].skipped);
		CHECK(result.figures.cpu_us > 0);
	}
	return true;
}

static bool what_a_group_does_not_say_is_refused(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT UPPER(city) u, UPPER(city) || '!' v, COUNT(*) n, 7 c FROM people p GROUP BY UPPER(p.city) HAVING UPPER(city) = 'OSLO' ORDER BY LENGTH(UPPER(city)), MAX(age)",
		  "[{\"u\":\"OSLO\",\"v\":\"OSLO!\",\"n\":2,\"c\":7}]" },
		{ "SELECT p.city['x'] x, p.city FROM people p WHERE city = 'Oslo' GROUP BY city",
		  "[{\"x\":null,\"city\":\"Oslo\"}]" },
		/* an alias, a number, _id for all fields, a column of a sub-select */
		{ "SELECT LOWER(city) city, COUNT(*) n FROM people GROUP BY city ORDER BY city LIMIT 1",
		  "[{\"city\":\"oslo\",\"n\":2}]" },
		{ "SELECT name, COUNT(*) n FROM people p GROUP BY 1 HAVING name = 'Ann'",
		  "[{\"name\":\"Ann\",\"n\":1}]" },
		{ "SELECT name, p.age, COUNT(*) n FROM people p WHERE name = 'Ann' GROUP BY p._id ORDER BY city",
		  "[{\"name\":\"Ann\",\"age\":30,\"n\":1}]" },
		{ "SELECT q.*, COUNT(*) n FROM (SELECT city FROM people) q GROUP BY q.city ORDER BY city LIMIT 1",
		  "[{\"city\":\"Oslo\",\"n\":2}]" },
		/* what comes from around a sub-query is the same in all its rows; a window over groups */
		{ "SELECT c.land, (SELECT CONCAT(c.land, CAST(COUNT(*) AS string)) FROM people p WHERE p.city = c.city) n FROM cities c WHERE c.city = 'Oslo'",
		  "[{\"land\":\"Norway\",\"n\":\"Norway2\"}]" },
		{ "SELECT city, SUM(COUNT(*)) OVER (ORDER BY city) s FROM people GROUP BY city ORDER BY city LIMIT 1",
		  "[{\"city\":\"Oslo\",\"s\":2}]" },
		{ "SELECT COUNT(*) n, 1 + 1 two FROM people", "[{\"n\":4,\"two\":2}]" },
	};
	static const struct {
		const char *text;
		unsigned int column;
	} BAD[] = {
		{ "SELECT city, name FROM people GROUP BY city", 14 },
		{ "SELECT MAX(age), name FROM people", 18 },
		{ "SELECT MAX(age) m, 1 + p.age FROM people p", 24 },
		{ "SELECT COUNT(*) FROM people GROUP BY city HAVING name = 'Ann'", 50 },
		{ "SELECT COUNT(*) FROM people GROUP BY city ORDER BY LOWER(name)", 58 },
		{ "SELECT * FROM people GROUP BY city", 8 },
		{ "SELECT UPPER(city) FROM people GROUP BY LOWER(city)", 14 },
		{ "SELECT city, SUM(age) OVER (PARTITION BY city) FROM people GROUP BY city", 18 },
		{ "SELECT 1 x FROM people HAVING age > 1", 31 },
		{ "SELECT city, name FROM people GROUP BY ROLLUP (city)", 14 },
		{ "SELECT name FROM people GROUP BY ()", 8 },
		{ "SELECT p.name FROM people p JOIN cities c ON true GROUP BY c._id", 8 },
		{ "SELECT (SELECT p.name FROM people p GROUP BY p.city LIMIT 1)", 16 },
	};
	bool good = give(PAIRS, countof(PAIRS));

	for (size_t i = 0; i < countof(BAD); i++) {
		bool same = refuses(BAD[i].text, "neither grouped by nor inside an aggregate") &&
			    error.line == 1 && error.column == BAD[i].column;

		if (!same)
			printf("# %s: %u\n", BAD[i].text, error.column);
		good &= same;
	}
	return good;
}

static bool a_query_used_as_a_value_has_one_row_at_most(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT (SELECT name FROM people WHERE name = 'Ann') a, (SELECT name FROM people WHERE name = 'x') b, (SELECT tags FROM people WHERE name = 'x') c, (SELECT name FROM people ORDER BY name LIMIT 1) d",
		  "[{\"a\":\"Ann\",\"b\":null,\"c\":null,\"d\":\"Ann\"}]" },
		{ "SELECT name, (SELECT c.land FROM cities c WHERE c.city = p.city) l FROM people p WHERE name = 'Ann'",
		  "[{\"name\":\"Ann\",\"l\":\"Norway\"}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT 1 a, (SELECT name FROM people) b", "more than one row") &&
	       error.line == 1 && error.column == 13 &&
	       refuses("SELECT 1 FROM people WHERE age > (SELECT age FROM people)",
		       "more than one row") &&
	       error.column == 34 &&
	       refuses("SELECT (SELECT 1 UNION ALL SELECT 2)", "more than one row");
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(several_groupings_come_in_one_result);
	RUN(samples_are_drawn);
	RUN(a_collection_is_described);
	RUN(what_fails_can_be_tried);
	RUN(the_small_clauses_work);
	RUN(what_a_query_reads_is_counted_once);
	RUN(explain_tells_what_pipes_do_from_what_sqlite_does);
	RUN(references_stand_for_names);
	RUN(every_failed_allocation_is_survived);
	RUN(what_a_group_does_not_say_is_refused);
	RUN(a_query_used_as_a_value_has_one_row_at_most);
	fixture_done(&f);
	return tap_done();
}
