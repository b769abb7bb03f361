/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

/* Test values: RFC 1321, RFC 3174, RFC 6234, RFC 2202, RFC 4231, and the xxHash reference. */
static bool bytes_are_hashed_and_encoded(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT TO_HEX(MD5('abc')) a, TO_HEX(SHA1('abc')) b, TO_HEX(SHA512('')) c",
		  "[{\"a\":\"900150983cd24fb0d6963f7d28e17f72\",\"b\":\"a9993e364706816aba3e25717850c26c9cd0d89d\",\"c\":\"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e\"}]" },
		{ "SELECT TO_HEX(HMAC_MD5('what do ya want for nothing?', 'Jefe')) a, TO_HEX(HMAC_SHA256('what do ya want for nothing?', 'Jefe')) b, TO_HEX(HMAC_SHA1('', '')) c",
		  "[{\"a\":\"750c783e6ab0b503eaa86e310a5db738\",\"b\":\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\",\"c\":\"fbdb1d1b18aa6c08324b7d64b71fb76370690e1d\"}]" },
		{ "SELECT TO_HEX(XXHASH64('')) a, TO_HEX(XXHASH64('abc')) b, TO_HEX(XXHASH64('Nobody inspects the spammish repetition')) c",
		  "[{\"a\":\"ef46db3751d8e999\",\"b\":\"44bc2cf5ad770999\",\"c\":\"fbcea83c8a378bf1\"}]" },
		{ "SELECT TO_HEX(FROM_HEX('00fF')) a, TO_BASE64(FROM_BASE64('aGk=')) b, FROM_UTF8(FROM_BASE64('aGk=')) c, LENGTH(TO_UTF8('h\xc3\xa9')) d, TYPEOF(MD5('')) e, FROM_HEX(NULL) f",
		  "[{\"a\":\"00ff\",\"b\":\"aGk=\",\"c\":\"hi\",\"d\":3,\"e\":\"bytes\",\"f\":null}]" },
		{ "SELECT LENGTH(GEN_RANDOM_UUID()) a, GEN_RANDOM_UUID() = GEN_RANDOM_UUID() b, REGEXP_LIKE(GEN_RANDOM_UUID(), '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') c, ID_HASH('a', 1) = ID_HASH('a', 1) d, ID_HASH('a', 1) = ID_HASH('a1') e, LENGTH(ID_HASH(NULL)) f",
		  "[{\"a\":36,\"b\":false,\"c\":true,\"d\":true,\"e\":false,\"f\":32}]" },
	};

	return give(PAIRS, countof(PAIRS)) && refuses("SELECT FROM_HEX('abc')", "pairs") &&
	       refuses("SELECT FROM_HEX('zz')", "pairs") &&
	       refuses("SELECT FROM_BASE64('a')", "FROM_BASE64 takes") &&
	       refuses("SELECT FROM_UTF8(FROM_HEX('ff'))", "not UTF-8") &&
	       refuses("SELECT MD5(1)", "A string or bytes was expected");
}

static bool numbers_are_computed(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT ABS(-3) a, ABS(-2.5) b, ABS(NULL) c, ABS(4) d",
		  "[{\"a\":3,\"b\":2.5,\"c\":null,\"d\":4}]" },
		{ "SELECT CBRT(27) a, HYPOT(3, 4) b, LOG(1) c, LOG(2, 8) d, TRUNC(2.567, 2) e, TRUNC(-2.5) f, TRUNC(1234, -2) g, TRUNCATE(7) h, SINH(0) i",
		  "[{\"a\":3.0,\"b\":5.0,\"c\":0.0,\"d\":3.0,\"e\":2.56,\"f\":-2.0,\"g\":1200,\"h\":7,\"i\":0.0}]" },
		{ "SELECT BITWISE_AND(12, 10) a, BITWISE_OR(12, 10) b, BITWISE_XOR(12, 10) c, BITWISE_NOT(0) d",
		  "[{\"a\":8,\"b\":14,\"c\":6,\"d\":-1}]" },
		{ "SELECT IS_NAN(NAN()) a, IS_NAN(1) b, IS_FINITE(INFINITY()) c, IS_INFINITE(INFINITY()) d, IS_NAN(CAST('NaN' AS float)) e, CAST('-inf' AS float) < 0 f, IS_NAN(NULL) g, NAN() h, TYPEOF(NAN()) i",
		  "[{\"a\":true,\"b\":false,\"c\":false,\"d\":true,\"e\":true,\"f\":true,\"g\":null,\"h\":null,\"i\":\"float\"}]" },
		{ "SELECT TIME '23:30:00' + HOURS(1) = TIME '00:30:00' a, TIME '01:00:00' - TIME '00:30:00' = MINUTES(30) b, CAST(3 AS month_interval) = MONTHS(3) c, CAST(SECONDS(1) AS int) d",
		  "[{\"a\":true,\"b\":true,\"c\":true,\"d\":1000000}]" },
	};

	return give(PAIRS, countof(PAIRS)) && refuses("SELECT LOG(0)", "above 0") &&
	       refuses("SELECT ABS(-9223372036854775807 - 1)", "too large for an int") &&
	       refuses("SELECT ABS('x')", "A number was expected") &&
	       refuses("SELECT CBRT('x')", "A number was expected here, not string") &&
	       refuses("SELECT BITWISE_AND(1.5, 1)", "take ints");
}

static bool texts_are_made(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT FORMAT('%s has %d, %05.1f%%', 'x', 3, 2.25) a, FORMAT('%,d|%-5d|%5s|%+d|%x', 1234567, 42, 'ab', 7, 255) b, FORMAT('%2$s %1$s', 'a', 'b') c, FORMAT('%s %s %b', [1], NULL, true) d, FORMAT('%.2e', 12345.0) e, FORMAT('%,.2f', -1234567.891) f, FORMAT('%.3s', 'h\xc3\xa9llo') g, FORMAT(NULL) h",
		  "[{\"a\":\"x has 3, 002.2%\",\"b\":\"1,234,567|42   |   ab|+7|ff\",\"c\":\"b a\",\"d\":\"[1] null true\",\"e\":\"1.23e+04\",\"f\":\"-1,234,567.89\",\"g\":\"h\xc3\xa9l\",\"h\":null}]" },
		{ "SELECT TOKENIZE('Hello, big-World 42!', 'en_US') a, TOKENIZE('') b, NGRAMS('abc', 1, 2) c, NGRAMS('h\xc3\xa9', 2) d, REVERSE('h\xc3\xa9y') e",
		  "[{\"a\":[\"hello\",\"big\",\"world\",\"42\"],\"b\":[],\"c\":[\"a\",\"b\",\"c\",\"ab\",\"bc\"],\"d\":[\"h\xc3\xa9\"],\"e\":\"y\xc3\xa9h\"}]" },
		{ "SELECT JSON_EXTRACT_SCALAR('{\"a\":[1,{\"b\":\"x\"}],\"k.l\":true}', '$.a[1].b') a, JSON_EXTRACT_SCALAR('{\"k.l\":true}', '$[''k.l'']') b, JSON_EXTRACT_SCALAR('[1.5]', '$[0]') c, JSON_EXTRACT_SCALAR('{}', '$.no.more') d, JSON_EXTRACT_SCALAR('[[1]]', '$[0]') e",
		  "[{\"a\":\"x\",\"b\":\"true\",\"c\":\"1.5\",\"d\":null,\"e\":null}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT FORMAT('%d', 'x')", "does not go with a value of type string") &&
	       refuses("SELECT FORMAT('{} ({})', 'x', 1)",
		       "no place for argument 1; places are like %s and %d, not {}.") &&
	       refuses("SELECT FORMAT('%s', 'x', 1)", "no place for argument 2") &&
	       refuses("SELECT FORMAT('%1$s', 'x', 1)", "no place for argument 2") &&
	       error.line == 1 && error.column == 8 &&
	       refuses("SELECT FORMAT('%d')", "wants more than 0 arguments") &&
	       refuses("SELECT FORMAT('%q', 1)", "no conversion") &&
	       refuses("SELECT FORMAT('%99999d', 1)", "no conversion") &&
	       refuses("SELECT NGRAMS('a', 0)", "1 to 100") &&
	       refuses("SELECT JSON_EXTRACT_SCALAR('{}', 'a')", "takes a path") &&
	       refuses("SELECT JSON_EXTRACT_SCALAR('{}', '$.a[x]')", "takes a path") &&
	       refuses("SELECT JSON_EXTRACT_SCALAR('{}', '$[''a')", "takes a path") &&
	       refuses("SELECT JSON_EXTRACT_SCALAR('{', '$')", "not valid JSON");
}

static bool arrays_and_objects_are_made(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT ELEMENT_AT({'a': 1, 'b': 2}, 'b') a, ELEMENT_AT([1, 2], 2) b, ELEMENT_AT([1], 2) c, ELEMENT_AT({'a': 1}, NULL) d, ELEMENT_AT(NULL, 'a') e",
		  "[{\"a\":2,\"b\":2,\"c\":null,\"d\":null,\"e\":null}]" },
		{ "SELECT ARRAY_UNION([2,1,2],[3,1]) a, ARRAY_INTERSECT([1,2,2,3],[2,3,4]) b, ARRAY_EXCEPT([1,1,2,3],[3]) c, ARRAY_UNION([],[]) d, ARRAY_LAST_POSITION([1,2,1], 1) e, ARRAY_POSITION([1,2,1], 5) f, ARRAY_EXCEPT([1], NULL) g",
		  "[{\"a\":[1,2,3],\"b\":[2,3],\"c\":[1,2],\"d\":[],\"e\":3,\"f\":0,\"g\":null}]" },
		{ "SELECT SLICE([1,2,3,4], 2, 2) a, SLICE([1,2,3], -2, 5) b, SLICE([1], 5, 1) c, REVERSE([1,2,3]) d, ARRAY_SORT(ARRAY_SHUFFLE([3,1,2])) e, SLICE([], 1, 1) f",
		  "[{\"a\":[2,3],\"b\":[2,3],\"c\":[],\"d\":[3,2,1],\"e\":[1,2,3],\"f\":[]}]" },
		{ "SELECT ZIP([1,2],['a','b']) a, ZIP([['k', 1], ['l', [2]]]) b, OBJECT(['x','y'], [1, 2]) c, MERGE({'a': 1, 'b': 2}, {'b': 3}) d, ZIP([1], [2, 3], []) e, OBJECT_CONCAT({'a': 1}) f, ITEMS({'a': 1}) g, {'a': 1, 'b': 2, 'a': 3} h",
		  "[{\"a\":[[1,\"a\"],[2,\"b\"]],\"b\":{\"k\":1,\"l\":[2]},\"c\":{\"x\":1,\"y\":2},\"d\":{\"a\":1,\"b\":3},\"e\":[[1,2,null],[null,3,null]],\"f\":{\"a\":1},\"g\":[[\"a\",1]],\"h\":{\"b\":2,\"a\":3}}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT  ELEMENT_AT({'a': 1}, ['a', 'b'])",
		       "a string or an int for a key, not array") &&
	       error.line == 1 && error.column == 9 &&
	       refuses("SELECT ELEMENT_AT([1], true)", "not bool") &&
	       refuses("SELECT ELEMENT_AT([1], 1.5)", "not float") &&
	       refuses("SELECT SLICE([1], 0, 1)", "a start other than 0") &&
	       refuses("SELECT OBJECT(['a'], [])", "as many values as keys") &&
	       refuses("SELECT OBJECT([1], [1])", "must be a string, not int") &&
	       refuses("SELECT ZIP([1])", "an array of [key, value]") &&
	       refuses("SELECT MERGE({'a': 1}, [])", "An object was expected here, not array");
}

static bool aggregates_are_computed(void)
{
	static const struct pair PAIRS[] = {
		{ "SELECT APPROX_PERCENTILE(x, 0.5) a, APPROX_PERCENTILE(x, 0) b, APPROX_PERCENTILE(x, 1.0) c, APPROX_PERCENTILE(x, 0.99) d FROM UNNEST(SEQUENCE(1, 100) AS x)",
		  "[{\"a\":50.0,\"b\":1.0,\"c\":100.0,\"d\":99.0}]" },
		{ "SELECT APPROX_PERCENTILE(age, 0.5) a, APPROX_PERCENTILE(n, 0.5) b FROM people",
		  "[{\"a\":30.0,\"b\":null}]" },
	};

	return give(PAIRS, countof(PAIRS)) &&
	       refuses("SELECT APPROX_PERCENTILE(1, 50)", "a fraction from 0 to 1") &&
	       refuses("SELECT APPROX_PERCENTILE(name, 0.5) FROM people", "takes a number");
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(bytes_are_hashed_and_encoded);
	RUN(numbers_are_computed);
	RUN(texts_are_made);
	RUN(arrays_and_objects_are_made);
	RUN(aggregates_are_computed);
	fixture_done(&f);
	return tap_done();
}
