/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/clock.h"
#include "service/sql/sql.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

static const struct {
	const char *text, *rows;
} GOOD
	[] = {
		/* names, literals, columns */
		{ "SELECT 1", "[{\"?field0\":1}]" },
		{ "select 'it''s' as \"a b\", 1.50, .5, 1e3, -2, null, true;;",
		  "[{\"a b\":\"it's\",\"?field1\":1.5,\"?field2\":0.5,\"?field3\":1000.0,\"?field4\":-2,\"?field5\":null,\"?field6\":true}]" },
		{ "SELECT name, city, FROM commons.people WHERE _id = '1'",
		  "[{\"name\":\"Ann\",\"city\":\"Oslo\"}]" },
		{ "SELECT people.name FROM people -- comment\n WHERE /* so */ people._id = '2'",
		  "[{\"name\":\"Bob\"}]" },
		{ "SELECT commons.people.name FROM commons.people WHERE age = 25",
		  "[{\"name\":\"Bob\"}]" },
		{ "SELECT p.o.x.y, o['x']['y'] z, o.l[2] l, tags[1], tags[0] t0, tags[3] t3 FROM people p WHERE p._id = '1'",
		  "[{\"y\":7,\"z\":7,\"l\":20,\"?field3\":\"a\"}]" },
		{ "SELECT n, missing FROM people WHERE _id = '1'", "[{\"n\":null}]" },
		{ "SELECT TYPEOF(n), TYPEOF(missing), TYPEOF(age), TYPEOF(tags), TYPEOF(ok), TYPEOF(_event_time) FROM people WHERE _id = '1'",
		  "[{\"?TYPEOF\":\"null\",\"?TYPEOF:1\":\"undefined\",\"?TYPEOF:2\":\"int\",\"?TYPEOF:3\":\"array\",\"?TYPEOF:4\":\"bool\",\"?TYPEOF:5\":\"timestamp\"}]" },
		{ "SELECT _id FROM people WHERE age IS UNDEFINED", "[{\"_id\":\"4\"}]" },
		{ "SELECT COUNT(*) c FROM people WHERE n IS NULL", "[{\"c\":4}]" },
		{ "SELECT * EXCEPT (tags, o, ok, n, _event_time) FROM people WHERE _id = '1'",
		  "[{\"_id\":\"1\",\"name\":\"Ann\",\"age\":30,\"city\":\"Oslo\"}]" },
		{ "SELECT *, UPPER(city) AS city FROM cities WHERE _id = 'o'",
		  "[{\"_id\":\"o\",\"_event_time\":\"2023-11-14T22:13:20.000000Z\",\"land\":\"Norway\",\"city\":\"OSLO\"}]" },
		{ "SELECT p.o.* FROM people p WHERE _id = '1'",
		  "[{\"x\":{\"y\":7},\"l\":[10,20]}]" },
		{ "SELECT :p AS echo, : n + 1 AS more", "[{\"echo\":\"Ann\",\"more\":31}]" },
		{ "SELECT [1, 'a', [true]] l, {'k': 1, 'v': {'w': null}} o",
		  "[{\"l\":[1,\"a\",[true]],\"o\":{\"k\":1,\"v\":{\"w\":null}}}]" },
		/* conditions */
		{ "SELECT name FROM people WHERE ok ORDER BY name",
		  "[{\"name\":\"Ann\"},{\"name\":\"ann\"}]" },
		{ "SELECT name FROM people WHERE NOT ok OR age > 40 ORDER BY 1",
		  "[{\"name\":\"Bob\"},{\"name\":\"Cid\"}]" },
		{ "SELECT name FROM people WHERE ok = true AND city != 'Rome'",
		  "[{\"name\":\"Ann\"}]" },
		{ "SELECT 1 = 1 a, 1 > 2 AS b, NOT true c, NULL IS NULL d, 1 IN (1,2) e, 2 NOT BETWEEN 1 AND 3 f, 'x' IS DISTINCT FROM NULL g",
		  "[{\"a\":true,\"b\":false,\"c\":false,\"d\":true,\"e\":true,\"f\":false,\"g\":true}]" },
		{ "SELECT name FROM people WHERE name LIKE 'a%'", "[{\"name\":\"ann\"}]" },
		{ "SELECT 'a%b_c' LIKE 'a!%b!_c' ESCAPE '!' x, 'abc' LIKE 'a_c' y, 'aXbXc' LIKE '%X%c' z, '\xc3\xa9' LIKE '_' w",
		  "[{\"x\":true,\"y\":true,\"z\":true,\"w\":true}]" },
		{ "SELECT name FROM people WHERE city IN (SELECT city FROM cities) ORDER BY name",
		  "[{\"name\":\"Ann\"},{\"name\":\"Cid\"}]" },
		{ "SELECT land FROM cities c WHERE EXISTS (SELECT 1 FROM people p WHERE p.city = c.city)",
		  "[{\"land\":\"Norway\"}]" },
		{ "SELECT CASE WHEN age > 28 THEN 'old' ELSE 'young' END c, IF(ok, 1, 0) i, CASE city WHEN 'Oslo' THEN 'n' END s FROM people WHERE _id IN ('1','2') ORDER BY _id",
		  "[{\"c\":\"old\",\"i\":1,\"s\":\"n\"},{\"c\":\"young\",\"i\":0,\"s\":null}]" },
		/* groups */
		{ "SELECT city, COUNT(*) n, SUM(age) s, AVG(age) a, MIN(name) mi, MAX(age) ma FROM people GROUP BY city ORDER BY city",
		  "[{\"city\":\"Oslo\",\"n\":2,\"s\":71.5,\"a\":35.75,\"mi\":\"Ann\",\"ma\":41.5},{\"city\":\"Rome\",\"n\":2,\"s\":25,\"a\":25.0,\"mi\":\"Bob\",\"ma\":25}]" },
		{ "SELECT LOWER(name) AS name, COUNT(*) FROM people GROUP BY name HAVING COUNT(*) > 1",
		  "[{\"name\":\"ann\",\"?COUNT\":2}]" },
		{ "SELECT city, COUNT(*) AS n FROM people GROUP BY 1 HAVING n = 2 ORDER BY n DESC, city DESC LIMIT 1",
		  "[{\"city\":\"Rome\",\"n\":2}]" },
		{ "SELECT COUNT_IF(ok) a, COUNT(DISTINCT city) b, BOOL_OR(ok) c, BOOL_AND(ok) d, COUNT(n) e, APPROX_DISTINCT(city) f FROM people",
		  "[{\"a\":2,\"b\":2,\"c\":true,\"d\":false,\"e\":0,\"f\":2}]" },
		{ "SELECT ARRAY_AGG(name ORDER BY name DESC) l FROM people",
		  "[{\"l\":[\"ann\",\"Cid\",\"Bob\",\"Ann\"]}]" },
		{ "SELECT MAX_BY(name, age) m, MIN_BY(name, age) n, STDDEV_POP(age) s FROM people WHERE _id < '3'",
		  "[{\"m\":\"Ann\",\"n\":\"Bob\",\"s\":2.5}]" },
		{ "SELECT DISTINCT city FROM people ORDER BY city",
		  "[{\"city\":\"Oslo\"},{\"city\":\"Rome\"}]" },
		{ "SELECT SUM(age) AS age FROM people HAVING SUM(age) > 90", "[{\"age\":96.5}]" },
		/* joins, queries in queries */
		{ "SELECT p.name, c.land FROM people p JOIN cities c ON p.city = c.city ORDER BY p.name",
		  "[{\"name\":\"Ann\",\"land\":\"Norway\"},{\"name\":\"Cid\",\"land\":\"Norway\"}]" },
		{ "SELECT name, land FROM people LEFT JOIN cities USING (city) ORDER BY name LIMIT 2",
		  "[{\"name\":\"Ann\",\"land\":\"Norway\"},{\"name\":\"Bob\",\"land\":null}]" },
		{ "SELECT c.land, p.name FROM people p RIGHT JOIN cities c ON p.city = c.city AND p._id = '1' ORDER BY land",
		  "[{\"land\":\"France\",\"name\":null},{\"land\":\"Norway\",\"name\":\"Ann\"}]" },
		{ "SELECT COUNT(*) n FROM people a, people b WHERE a._id < b._id", "[{\"n\":6}]" },
		{ "WITH x AS (SELECT city, COUNT(*) n FROM people GROUP BY city), y (a, b) AS (SELECT * FROM x) SELECT a, b FROM y ORDER BY a",
		  "[{\"a\":\"Oslo\",\"b\":2},{\"a\":\"Rome\",\"b\":2}]" },
		{ "SELECT q.name FROM (SELECT * FROM people WHERE age > 28) q ORDER BY q.age DESC",
		  "[{\"name\":\"Cid\"},{\"name\":\"Ann\"}]" },
		{ "SELECT name, (SELECT land FROM cities c WHERE c.city = p.city) land FROM people p WHERE _id = '1'",
		  "[{\"name\":\"Ann\",\"land\":\"Norway\"}]" },
		{ "SELECT city FROM people UNION SELECT city FROM cities ORDER BY city",
		  "[{\"city\":\"Oslo\"},{\"city\":\"Paris\"},{\"city\":\"Rome\"}]" },
		{ "(SELECT 2 AS v) UNION ALL (SELECT 1 AS v) ORDER BY v", "[{\"v\":1},{\"v\":2}]" },
		{ "SELECT city FROM people EXCEPT SELECT city FROM cities",
		  "[{\"city\":\"Rome\"}]" },
		{ "SELECT name, ROW_NUMBER() OVER (PARTITION BY city ORDER BY name) r, SUM(age) OVER (ORDER BY name ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) s FROM people ORDER BY name",
		  "[{\"name\":\"Ann\",\"r\":1,\"s\":30},{\"name\":\"Bob\",\"r\":1,\"s\":55},{\"name\":\"Cid\",\"r\":2,\"s\":66.5},{\"name\":\"ann\",\"r\":2,\"s\":41.5}]" },
		{ "SELECT name FROM people ORDER BY age DESC NULLS LAST LIMIT 2 OFFSET 1",
		  "[{\"name\":\"Ann\"},{\"name\":\"Bob\"}]" },
		/* UNNEST */
		{ "SELECT t.x FROM people p CROSS JOIN UNNEST(p.tags AS x) t ORDER BY t.x",
		  "[{\"x\":\"a\"},{\"x\":\"b\"},{\"x\":\"b\"}]" },
		{ "SELECT u.k, u.v FROM people, UNNEST(rows) AS u WHERE u.k > 1",
		  "[{\"k\":2,\"v\":\"q\"}]" },
		{ "SELECT q FROM UNNEST([3,4] AS q)", "[{\"q\":3},{\"q\":4}]" },
		{ "SELECT u.a, u.b, u.ordinality FROM UNNEST({'x': 1, 'y': 2} AS a, b) WITH ORDINALITY u",
		  "[{\"a\":\"x\",\"b\":1,\"ordinality\":1},{\"a\":\"y\",\"b\":2,\"ordinality\":2}]" },
		{ "SELECT x, COUNT(*) c FROM people, UNNEST(tags AS x) GROUP BY x ORDER BY c DESC",
		  "[{\"x\":\"b\",\"c\":2},{\"x\":\"a\",\"c\":1}]" },
		/* functions */
		{ "SELECT CONCAT('a', 1, true) a, 'x' || 'y' b, LENGTH('h\xc3\xa9') c, LENGTH([1,2]) d, SUBSTR('hello', 2, 3) e, REPLACE('aXa','X','-') f, TRIM('  t ') g, STRPOS('abc','c') h",
		  "[{\"a\":\"a1true\",\"b\":\"xy\",\"c\":2,\"d\":2,\"e\":\"ell\",\"f\":\"a-a\",\"g\":\"t\",\"h\":3}]" },
		{ "SELECT SPLIT('a,b,,c', ',') a, SPLIT_PART('a/b','/',2) b, LPAD('7', 3, '0') c, STARTS_WITH('abc','ab') d, ENDS_WITH('abc','ab') e, TO_HEX(SHA256('')) f",
		  "[{\"a\":[\"a\",\"b\",\"\",\"c\"],\"b\":\"b\",\"c\":\"007\",\"d\":true,\"e\":false,\"f\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]" },
		{ "SELECT ARRAY_CONTAINS([1,2],2) a, ARRAY_CONTAINS(SPLIT('x,y',','),'z') b, ARRAY_DISTINCT([2,1,2]) c, ARRAY_JOIN(['a','b'],'-') d, ARRAY_CONCAT([1],[2]) e, ELEMENT_AT({'k':5},'k') f, ARRAY_FLATTEN([[1],[2,3]]) g, KEYS({'a':1}) h, SEQUENCE(1,3) i",
		  "[{\"a\":true,\"b\":false,\"c\":[1,2],\"d\":\"a-b\",\"e\":[1,2],\"f\":5,\"g\":[1,2,3],\"h\":[\"a\"],\"i\":[1,2,3]}]" },
		{ "SELECT CAST('7' AS int) a, CAST(2.5 AS int) b, TRY_CAST('x' AS float) c, CAST(true AS int) d, CAST(5 AS string) e, CAST('true' AS bool) f, JSON_PARSE('[1,{\"a\":2}]') g, JSON_FORMAT([1]) h",
		  "[{\"a\":7,\"b\":2,\"c\":null,\"d\":1,\"e\":\"5\",\"f\":true,\"g\":[1,{\"a\":2}],\"h\":\"[1]\"}]" },
		{ "SELECT 7 / 2 a, 7 / 2.0 b, 7 % 4 c, 2 * 3 + 1 d, -(3) e, ROUND(2.567, 1) f, FLOOR(1.5) g, POW(2, 3) h, COALESCE(NULL, 1) i, GREATEST(1, 3, 2) j",
		  "[{\"a\":3,\"b\":3.5,\"c\":3,\"d\":7,\"e\":-3,\"f\":2.6,\"g\":1.0,\"h\":8.0,\"i\":1,\"j\":3}]" },
		/* time */
		{ "SELECT PARSE_TIMESTAMP_ISO8601(at) t, DATE_TRUNC('HOUR', PARSE_TIMESTAMP_ISO8601(at)) h, EXTRACT(YEAR FROM PARSE_DATETIME_ISO8601(at)) y, FORMAT_ISO8601(PARSE_TIMESTAMP_ISO8601(at)) f FROM people WHERE _id = '2'",
		  "[{\"t\":\"2024-03-05T06:07:08.000000Z\",\"h\":\"2024-03-05T06:00:00.000000Z\",\"y\":2024,\"f\":\"2024-03-05T06:07:08.000000Z\"}]" },
		{ "SELECT DATE '2024-02-29' + INTERVAL 1 YEAR a, DATE_DIFF('day', DATE '2024-01-01', DATE '2024-03-01') b, TIMESTAMP_MILLIS(1500) c, UNIX_SECONDS(TIMESTAMP '1970-01-02T00:00:00Z') d, DATE_TRUNC('week', DATE '2024-03-06') e", "[{\"a\":{\"__rockset_type\":\"DATE\",\"value\":\"2025-02-28\"},\"b\":60,\"c\":\"1970-01-01T00:00:01.500000Z\",\"d\":86400,\"e\":{\"__rockset_type\":\"DATE\",\"value\":\"2024-03-04\"}}]" },
		{ "SELECT FORMAT_TIMESTAMP('%Y/%m/%d %H:%M:%S %a %b', TIMESTAMP '2024-03-05T06:07:08Z') a, DAYS(2) = HOURS(48) b, TIMESTAMP '2024-01-02T00:00:00Z' - TIMESTAMP '2024-01-01T00:00:00Z' = INTERVAL 1 DAY c",
		  "[{\"a\":\"2024/03/05 06:07:08 Tue Mar\",\"b\":true,\"c\":true}]" },
		{ "SELECT COUNT(*) n FROM people WHERE _event_time > CURRENT_TIMESTAMP() - INTERVAL 1000 DAY",
		  "[{\"n\":0}]" },
		{ "SELECT COUNT(*) n FROM people WHERE _event_time >= '2023-11-14T22:13:20Z' AND _event_time < DATE '2023-11-15'",
		  "[{\"n\":4}]" },
		{ "SELECT TIME_BUCKET(MINUTES(5), TIMESTAMP '2024-03-05T06:07:08Z') b, TIMESTAMP '2024-03-05T06:07:08Z' AT TIME ZONE 'UTC' z",
		  "[{\"b\":\"2024-03-05T06:05:00.000000Z\",\"z\":{\"__rockset_type\":\"DATETIME\",\"value\":\"2024-03-05T06:07:08\"}}]" },
		/* what random queries have found (tests/oracle) */
		{ "SELECT COUNT(*) n FROM people WHERE NOT ((at NOT LIKE '%Z') IS TRUE)",
		  "[{\"n\":4}]" },
		{ "SELECT tags[5] a, n[1] b, o.l[9] c, n FROM people WHERE _id = '1'",
		  "[{\"n\":null}]" },
		{ "SELECT city, COUNT(*) c FROM people GROUP BY city HAVING MAX(age) < 40 LIMIT 1",
		  "[{\"city\":\"Rome\",\"c\":2}]" },
		{ "SELECT c.land FROM people p LEFT JOIN cities c USING (city) WHERE p._id = '1'",
		  "[{\"land\":\"Norway\"}]" },
		{ "SELECT COUNT(*) n FROM people a, cities b, people c WHERE c.name = 'Bob' AND a.city = b.city",
		  "[{\"n\":2}]" },
		{ "SELECT COUNT(*) n FROM people WHERE tags[1] > 'a'", "[{\"n\":1}]" },
		/* leniencies */
		{ "SELECT name FROM \"people\" HINT(access_path = column_scan) WHERE _id = '1' LIMIT ALL",
		  "[{\"name\":\"Ann\"}]" },
		{ "Select count(*) from _events;", "[{\"?count\":0}]" },
		{ "SELECT * FROM _events", "[]" },
	};

static bool queries_give_what_they_should(void)
{
	bool good = true;

	for (size_t i = 0; i < countof(GOOD); i++)
		good &= gives(GOOD[i].text, GOOD[i].rows);
	return good;
}

static const struct {
	const char *text;
	unsigned int line, column;
	const char *id, *message; /* a part of it */
} BAD[] = {
	{ "SELECT COUT(*) FROM _events", 1, 8, "function_not_found", "Function `COUT` not found." },
	{ "SELECT 1\nFROM nope", 2, 6, "collection_not_found",
	  "Collection \"nope\" does not exist in workspace \"commons\"" },
	{ "SELECT 1 FROM peple", 1, 15, "collection_not_found", "did you mean \"people\"" },
	{ "SELECT 1 FROM x.y", 1, 15, "workspace_not_found", "Workspace with name \"x\"" },
	{ "SELECT", 1, 7, "syntax_error", "ends where" },
	{ "SELECT 1 FROM", 1, 14, "syntax_error", "a collection" },
	{ "SELECT 'x", 1, 8, "syntax_error", "string is not closed" },
	{ "SELECT /* x", 1, 8, "syntax_error", "comment is not closed" },
	{ "SELECT 1 ~ 2", 1, 10, "syntax_error", "character" },
	{ "SELECT 1 2", 1, 10, "syntax_error", "Unexpected `2`" },
	{ "SELECT 12ab", 1, 8, "syntax_error", "neither a number" },
	{ "SELECT name", 1, 8, "field_not_found", "no FROM" },
	{ "SELECT *", 1, 8, "syntax_error", "needs a FROM" },
	{ "SELECT LOWER('a', 'b')", 1, 8, "wrong_arguments", "takes 1 argument" },
	{ "SELECT ROW_NUMBER() FROM people", 1, 8, "wrong_arguments", "needs OVER" },
	{ "SELECT LOWER(DISTINCT 'a')", 1, 8, "wrong_arguments", "does not take" },
	{ "SELECT q.z FROM (SELECT name FROM people) q", 1, 10, "field_not_found",
	  "has no column `z`" },
	{ "SELECT nowhere FROM people a, people b", 1, 8, "ambiguous_name", "more than one" },
	{ "SELECT :missing", 1, 8, "parameter_not_found", "`missing` has no value" },
	{ "SELECT 1 + 'a'", 1, 10, "query_error", "int + string is not possible" },
	{ "SELECT 1 / 0", 1, 10, "query_error", "Division by zero" },
	{ "SELECT 9223372036854775807 + 1", 1, 28, "query_error", "too large" },
	{ "SELECT SUBSTR(tags, 1, 2) FROM people", 1, 15, "query_error",
	  "A string was expected here, not array" },
	{ "SELECT SUM(name) FROM people", 1, 8, "query_error",
	  "cannot take a value of type string" },
	{ "SELECT name FROM people WHERE age", 1, 31, "query_error", "must be a bool, not" },
	{ "SELECT CAST('x' AS int)", 1, 8, "query_error", "cannot become a int" },
	/* several calls of one function: which has failed? */
	{ "SELECT 4 / 2, 6 / 2, 1\n / 0, 8 / 2", 2, 2, "query_error", "Division by zero" },
	{ "SELECT age / 2, 1 / (age - age) FROM people WHERE age IS NOT NULL", 1, 19, "query_error",
	  "Division by zero" },
	{ "SELECT CAST('1' AS int), CAST(name AS int) FROM people", 1, 26, "query_error",
	  "cannot become a int" },
	{ "SELECT COUNT(*) FROM people WHERE CAST('1' AS int) = 1 AND CAST(name AS int) = 1", 1, 60,
	  "query_error", "cannot become a int" },
	{ "SELECT SUM(1), AVG(name) FROM people", 1, 16, "query_error",
	  "cannot take a value of type string" },
	{ "SELECT SUM(1) OVER (), SUM(name) OVER () FROM people", 1, 24, "query_error",
	  "cannot take a value of type string" },
	{ "SELECT x FROM people, UNNEST(people.name AS x)", 1, 30, "query_error",
	  "UNNEST takes an array or object, not string" },
	{ "SELECT (SELECT COUNT(*) FROM UNNEST(people.name AS x)) FROM people", 1, 37,
	  "query_error", "UNNEST takes an array or object, not string" },
	{ "SELECT name FROM people ORDER BY -name", 1, 34, "query_error",
	  "-string is not possible" },
	{ "SELECT name LIKE 'a' ESCAPE 'bc' FROM people", 1, 13, "query_error",
	  "ESCAPE takes one character" },
	{ "SELECT name FROM people WHERE SUM(age) > 1", 1, 31, "query_error",
	  "Aggregate `SUM` cannot stand in WHERE" },
	{ "SELECT SUM(COUNT(*)) FROM people", 1, 12, "query_error",
	  "Aggregate `COUNT` cannot stand inside an aggregate" },
	{ "SELECT COUNT(*) AS n FROM people GROUP BY n", 1, 8, "query_error",
	  "Aggregate `COUNT` cannot stand in GROUP BY" },
	{ "SELECT name FROM people WHERE RANK() OVER (ORDER BY age) = 1", 1, 31, "query_error",
	  "Window function `RANK` cannot stand in WHERE" },
	{ "SELECT name FROM people ORDER BY MAX(age)", 1, 34, "query_error",
	  "Aggregate `MAX` cannot stand in ORDER BY without" },
	{ "SELECT name FROM people ORDER BY 2", 1, 34, "query_error",
	  "There is no column 2: the query has 1" },
	{ "SELECT name FROM people GROUP BY 0", 1, 34, "query_error", "There is no column 0" },
	{ "SELECT 1 UNION SELECT 2 ORDER BY 3", 1, 34, "query_error", "There is no column 3" },
	{ "SELECT 1 UNION SELECT 1, 2", 1, 23, "column_count", "1 and 2 columns" },
	{ "SELECT (SELECT 1, 2)", 1, 8, "column_count", "one column" },
	{ "SELECT 1 LIMIT 'x'", 1, 16, "limit", "whole number" },
	{ "INSERT INTO people SELECT 1", 1, 1, "not_implemented", "INSERT is not available" },
	{ "DROP TABLE people", 1, 1, "syntax_error", "expected SELECT" },
	{ "SELECT sqlite_version()", 1, 8, "function_not_found", "not found" },
	{ "SELECT load_extension('x')", 1, 8, "function_not_found", "not found" },
	{ "SELECT rd_get('x')", 1, 8, "function_not_found", "not found" },
	{ "SELECT 1 FROM sqlite_master", 1, 15, "collection_not_found", "does not exist" },
	{ "SELECT 1 FROM docs_1", 1, 15, "collection_not_found", "does not exist" },
};

static bool what_is_wrong_is_said_with_its_place(void)
{
	bool good = true;

	for (size_t i = 0; i < countof(BAD); i++) {
		cleanup(sql_result_done) struct sql_result result = {};
		int r = run(BAD[i].text, &result, 10'000'000);
		bool same = r == SQL_REFUSED && error.line == BAD[i].line &&
			    error.column == BAD[i].column && strcmp(error.id, BAD[i].id) == 0 &&
			    strstr(error.message, BAD[i].message);

		if (!same)
			printf("# %s: %d %u:%u %s: %s\n", BAD[i].text, r, error.line, error.column,
			       error.id, error.message);
		good &= same;
	}
	return good;
}

/* Constants are SQLite's, where only so many calls of a function are told apart: of more it must not say the wrong one. */
static bool of_very_many_calls_no_wrong_place_is_told(void)
{
	for (int n = 1; n < 200; n += n < 4 ? 1 : 50) {
		auto_buf struct buf text = buf_make(8192);
		cleanup(sql_result_done) struct sql_result result = {};

		buf_add_str(&text, "SELECT ");
		for (int i = 1; i < n; i++)
			buf_add_str(&text, "1/1, ");
		buf_add_str(&text, "1/0");
		CHECK_EQ(run(buf_text(&text), &result, 10'000'000), SQL_REFUSED);
		CHECK(strcmp(error.message, "Division by zero.") == 0);
		CHECK_EQ(error.line, n < 64 ? 1u : 0u);
		CHECK(n >= 64 || error.column == 9u + 5 * ((unsigned int)n - 1));
	}
	return true;
}

static bool a_function_that_is_nearly_there_is_hinted_at(void)
{
	cleanup(sql_result_done) struct sql_result near = {}, far = {};

	CHECK_EQ(run("SELECT COUT(*) FROM people", &near, 10'000'000), SQL_REFUSED);
	CHECK(strcmp(error.hint, "Did you mean `COUNT`?") == 0);
	CHECK_EQ(run("SELECT frobnicate(1)", &far, 10'000'000), SQL_REFUSED);
	CHECK(error.hint[0] == '\0');
	return true;
}

static bool what_is_too_deep_or_long_is_refused(void)
{
	static const char *const PARTS[][3] = {
		{ "(", "1", ")" },	  { "-", "1", "" },
		{ "NOT ", "true", "" },	  { "[", "1", "]" },
		{ "(SELECT ", "1", ")" }, { "1+", "1", "" },
		{ "IF(true,", "1", ")" }, { "CASE WHEN true THEN ", "1", " END" }
	};

	for (size_t i = 0; i < countof(PARTS); i++) {
		auto_buf struct buf text = buf_make(4u << 20);
		cleanup(sql_result_done) struct sql_result result = {};

		buf_add_str(&text, "SELECT ");
		for (int k = 0; k < 20000; k++)
			buf_add_str(&text, PARTS[i][0]);
		buf_add_str(&text, PARTS[i][1]);
		for (int k = 0; k < 20000; k++)
			buf_add_str(&text, PARTS[i][2]);
		CHECK_EQ(run(buf_text(&text), &result, 10'000'000), SQL_REFUSED);
		CHECK(error.message[0]);
	}
	return true;
}

static bool a_long_query_ends_at_its_deadline(void)
{
	cleanup(sql_result_done) struct sql_result result = {};

	CHECK_EQ(
		run("WITH a AS (SELECT x FROM UNNEST(SEQUENCE(1, 3000) AS x)) SELECT COUNT(*) FROM a p, a q, a r WHERE p.x + q.x + r.x < 0",
		    &result, 100'000),
		SQL_REFUSED);
	return error.kind == SQL_TIMEOUT;
}

static bool a_result_too_large_is_refused(void)
{
	cleanup(sql_result_done) struct sql_result result = {};

	CHECK_EQ(run("SELECT LPAD('x', 900000) FROM UNNEST(SEQUENCE(1, 20) AS x)", &result,
		     10'000'000),
		 SQL_REFUSED);
	CHECK_EQ(error.kind, SQL_TOO_LARGE);
	CHECK_EQ(run("SELECT x FROM UNNEST(SEQUENCE(1, 200000) AS x)", &result, 10'000'000),
		 SQL_REFUSED);
	return error.kind == SQL_TOO_LARGE;
}

static bool columns_and_collections_are_described(void)
{
	cleanup(sql_result_done) struct sql_result result = {};

	CHECK_EQ(run("SELECT name, COUNT(*) FROM people GROUP BY name", &result, 10'000'000), 0);
	CHECK(strcmp(buf_text(&result.columns),
		     "[{\"name\":\"name\",\"type\":\"\"},{\"name\":\"?COUNT\",\"type\":\"\"}]") ==
	      0);
	return strcmp(buf_text(&result.collections), "[\"commons.people\"]") == 0;
}

/* A float has no lower case that a pipe would know: SQLite answers, after a pipe has tried. */
static bool what_a_pipe_has_read_in_vain_is_counted(void)
{
	cleanup(sql_result_done) struct sql_result result = {};

	CHECK_EQ(run("SELECT name FROM people WHERE LOWER(age) = '41.5'", &result, 10'000'000), 0);
	CHECK(result.sqlite_only);
	CHECK_EQ(result.figures.rows_read, 8u);
	return true;
}

/* Add so many numbered documents to a collection of their own. */
static int add_numbers(const char *name, uint32_t n)
{
	auto_buf struct buf json = buf_make(8u << 20);

	buf_add_str(&json, "[");
	for (uint32_t i = 0; i < n; i++)
		buf_addf(&json, "%s{\"_id\":\"%u\",\"n\":%u,\"s\":\"some text %u\"}", i ? "," : "",
			 i, i * 7919 % n, i % 100);
	buf_add_str(&json, "]");
	const char *text = buf_text(&json);
	int r = text ? fixture_collection(&f, name) : -ENOMEM;
	return r ? r : fixture_add(&f, name, text);
}

static bool an_order_and_a_join_need_little_memory(void)
{
	static const char *const TEXTS[] = {
		"SELECT n, s FROM numbers ORDER BY s DESC, n",
		"SELECT s, COUNT(*) c, MAX(n) m FROM numbers GROUP BY n, s HAVING MAX(n) > 3 ORDER BY m DESC",
		"SELECT a.n, b.s FROM numbers a JOIN numbers b ON a.n = b.n ORDER BY a.n LIMIT 3000",
	};

	CHECK_EQ(add_numbers("numbers", 4001), 0);
	for (size_t i = 0; i < countof(TEXTS); i++) {
		cleanup(sql_result_done) struct sql_result much = {}, little = {};
		struct sql_query query = { .text = TEXTS[i],
					   .len = strlen(TEXTS[i]),
					   .deadline_us = clock_mono_us() + 60'000'000,
					   .result_max = 8u << 20,
					   .rows_max = 100'000 };

		CHECK_EQ(sql_run(f.session, &query, &much, &error), 0);
		CHECK_EQ(much.figures.spilled_bytes, 0u);
		query.memory = 5u << 17;
		CHECK_EQ(sql_run(f.session, &query, &little, &error), 0);
		CHECK(little.figures.spilled_bytes > 0);
		CHECK(much.n_rows >= 3000);
		CHECK_EQ(much.n_rows, little.n_rows);
		CHECK(strcmp(buf_text(&much.rows), buf_text(&little.rows)) == 0);
		query.memory = 1u << 12;
		CHECK_EQ(sql_run(f.session, &query, &little, &error), SQL_REFUSED);
		CHECK_EQ(error.kind, SQL_TOO_LARGE);
		CHECK(strstr(error.message, "memory"));
	}
	return true;
}

/* Sealed, then opened anew, so that nothing is in memory. */
static bool a_query_says_which_pages_came_from_disk(void)
{
	static const char TEXT[] =
		"SELECT p.name, c.land FROM people p JOIN cities c ON p.city = c.city";

	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	fixture_close(&f);
	CHECK(fixture_open(&f));
	for (int i = 0; i < 2; i++) {
		cleanup(sql_result_done) struct sql_result result = {};

		CHECK_EQ(run(TEXT, &result, 10'000'000), 0);
		CHECK(result.figures.pages_read >= 2);
		if (i == 0)
			CHECK(result.figures.pages_missed >= 2);
		else
			CHECK_EQ(result.figures.pages_missed, 0u);
	}
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	static const char TEXT[] =
		"WITH a AS (SELECT city, SUM(age) s FROM people GROUP BY city) SELECT a.*, ARRAY_AGG(c.land) l FROM a JOIN cities c ON a.city = c.city GROUP BY 1, 2";

	for (size_t n = 1;; n++) {
		cleanup(sql_result_done) struct sql_result result = {};

		fault_at(n);
		int r = run(TEXT, &result, 10'000'000);
		bool hit = fault_end();
		if (!hit)
			return r == 0 &&
			       strcmp(buf_text(&result.rows),
				      "[{\"city\":\"Oslo\",\"s\":71.5,\"l\":[\"Norway\"]}]") == 0;
		if (r == SQL_REFUSED && error.kind != SQL_TOO_LARGE)
			printf("# %zu: %s\n", n, error.message);
		/* SQLite does without some of its memory; otherwise it says so. */
		CHECK(r == 0 || r == -ENOMEM || (r == SQL_REFUSED && error.kind == SQL_TOO_LARGE));
	}
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(queries_give_what_they_should);
	RUN(what_is_wrong_is_said_with_its_place);
	RUN(of_very_many_calls_no_wrong_place_is_told);
	RUN(a_function_that_is_nearly_there_is_hinted_at);
	RUN(what_is_too_deep_or_long_is_refused);
	RUN(a_long_query_ends_at_its_deadline);
	RUN(a_result_too_large_is_refused);
	RUN(columns_and_collections_are_described);
	RUN(every_failed_allocation_is_survived);
	RUN(what_a_pipe_has_read_in_vain_is_counted);
	RUN(an_order_and_a_join_need_little_memory);
	RUN(a_query_says_which_pages_came_from_disk);
	fixture_done(&f);
	return tap_done();
}
