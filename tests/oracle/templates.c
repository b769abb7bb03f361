/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/templates.h"

#include <stddef.h>

#define BIT(holds) (1u << (holds))

static const char *const INTS[] = {
	"(@i + @i)",
	"(@i - @i)",
	"(@i * @J)",
	"(@i / @J)",
	"(@i % @J)",
	"(-@i)",
	"LENGTH(@t)",
	"LENGTH(@A)",
	"IF(@c, @i, @i)",
	"IF(@c, @i)",
	"CASE WHEN @c THEN @i WHEN @c THEN @i ELSE @i END",
	"CASE @i WHEN @I THEN @i WHEN @I THEN @i END",
	"COALESCE(@i, @i)",
	"COALESCE(@i, @I)",
	"EXTRACT(HOUR FROM @m)",
	"EXTRACT(MONTH FROM @m)",
	"EXTRACT(YEAR FROM @m)",
	"EXTRACT(DAY FROM @d)",
	"EXTRACT(DOW FROM @m)",
	"STRPOS(@t, @T)",
	"ABS(@i)",
	"SIGN(@i)",
	"DATE_DIFF('day', @m, @m)",
	"CAST(@b AS int)",
	"TRY_CAST(@t AS int)",
	"TRY(CAST(@t AS int))",
	"TRY(@i / (@i - 3))",
	"GREATEST(@i, @i)",
	"LEAST(@i, @i, @i)",
	"NULLIF(@i, @I)",
	"UNIX_SECONDS(@m)",
	"ARRAY_POSITION(@A, @L)",
};

static const char *const NUMBERS[] = {
	"@i",
	"(@n + @n)",
	"(@n - @i)",
	"(@n * @J)",
	"(@n / 4)",
	"(@n / 2.0)",
	"(-@n)",
	"ROUND(@n)",
	"FLOOR(@n)",
	"CEIL(@n)",
	"ABS(@n)",
	"IF(@c, @n, @i)",
	"CASE WHEN @c THEN @n ELSE @i END",
	"COALESCE(@n, @i)",
	"CAST(@n AS float)",
	"CAST(@n AS int)",
};

static const char *const TEXTS[] = {
	"LOWER(@t)",
	"UPPER(@t)",
	"SUBSTR(@t, @J)",
	"SUBSTR(@t, 1, @J)",
	"SUBSTR(@t, -2, 2)",
	"SUBSTR(@t, 0, 2)",
	"SUBSTR(@t, @I, @I)",
	"CONCAT(@t, @t)",
	"CONCAT(@t, @i, '-', @b)",
	"(@t || @t)",
	"(@t || @i)",
	"REPLACE(@t, 'o', '00')",
	"REPLACE(@t, @T, @T)",
	"TRIM(@t)",
	"LTRIM(@t, 'a ')",
	"IF(@c, @t, @t)",
	"CASE WHEN @c THEN @t ELSE @T END",
	"CASE @t WHEN @T THEN @T WHEN @T THEN @t ELSE @t END",
	"COALESCE(@t, @T)",
	"IFNULL(@t, 'none')",
	"CAST(@i AS string)",
	"CAST(@b AS string)",
	"TYPEOF(@D)",
	"SPLIT_PART(@t, 'o', 1)",
	"LPAD(@t, 5, '*')",
	"FORMAT_ISO8601(@m)",
	"REGEXP_REPLACE(@t, @R, '-')",
	"REGEXP_EXTRACT(@t, @R)",
	"JSON_FORMAT(@D)",
	"FORMAT_TIMESTAMP('%Y-%m', @m)",
};

static const char *const TIMESTAMPS[] = {
	"DATE_TRUNC('@U', @m)",
	"DATE_TRUNC('@U', @m)",
	"TIME_BUCKET(MINUTES(15), @m)",
	"TIME_BUCKET(HOURS(@J), @m)",
	"(@m + INTERVAL @J DAY)",
	"(@m - INTERVAL @J HOUR)",
	"(@m + INTERVAL @J MONTH)",
	"COALESCE(@m, @M)",
	"IF(@c, @m, @M)",
	"TIMESTAMP_SECONDS(1700000000 + @i)",
	"CAST(@d AS timestamp)",
};

static const char *const DATES[] = {
	"DATE_TRUNC('month', @d)",
	"CAST(@m AS date)",
	"COALESCE(@d, DATE '2024-01-02')",
	"(@d + INTERVAL @J DAY)",
};

static const char *const BOOLS[] = {
	"(@c)",
	"IF(@c, @b, @b)",
	"COALESCE(@b, false)",
	"ARRAY_CONTAINS(@A, @L)",
	"STARTS_WITH(@t, @T)",
	"ENDS_WITH(@t, @T)",
	"REGEXP_LIKE(@t, @R)",
};

static const char *const ANYTHING[] = {
	"@i",
	"@n",
	"@t",
	"@m",
	"@d",
	"@b",
	"@A[@J]",
	"ELEMENT_AT(@D, 's')",
	"ELEMENT_AT(@A, 1)",
	"[@i, @t]",
	"[@D]",
	"{'k': @i, 'v': @D}",
	"ARRAY_DISTINCT(@A)",
	"ARRAY_CONCAT(@A, @A)",
	"COALESCE(@D, @D)",
	"IF(@c, @D, @D)",
	"CASE WHEN @c THEN @D WHEN @c THEN @i ELSE @D END",
	"CASE @D WHEN @L THEN @i WHEN @L THEN @t END",
	"SPLIT(@t, 'o')",
	"NULLIF(@D, @L)",
	"NULLIF(@D, @C)",
	"CASE @D WHEN @C THEN @i WHEN @m THEN 0 END",
};

#define TEMPLATES(list) list, countof(list)

const struct kind_of_expression KINDS[] = {
	{ 'i', HOLDS_INT, BIT(HOLDS_INT), "int", "@I", TEMPLATES(INTS) },
	{ 'n', HOLDS_NUMBER, BIT(HOLDS_NUMBER) | BIT(HOLDS_INT), "float", "@F",
	  TEMPLATES(NUMBERS) },
	{ 't', HOLDS_TEXT, BIT(HOLDS_TEXT) | BIT(HOLDS_TIME_TEXT), "string", "@T",
	  TEMPLATES(TEXTS) },
	{ 'm', HOLDS_TIMESTAMP, BIT(HOLDS_TIMESTAMP), "timestamp", "@M", TEMPLATES(TIMESTAMPS) },
	{ 'd', HOLDS_DATE, BIT(HOLDS_DATE), "date", "DATE '2024-02-14'", TEMPLATES(DATES) },
	{ 'b', HOLDS_BOOL, BIT(HOLDS_BOOL), "bool", "true", TEMPLATES(BOOLS) },
	{ 'a', HOLDS_ANY, ~BIT(HOLDS_OPAQUE), nullptr, "@L", TEMPLATES(ANYTHING) },
};
static_assert(countof(KINDS) == N_KINDS);

const char *const CONDITIONS[] = {
	"@i @O @i",
	"@i @O @B",
	"@n @O @n",
	"@n @O @F",
	"@t @O @t",
	"@t @O @T",
	"@m @O @m",
	"@m @O @M",
	"@d @O @d",
	"@b = @b",
	"@b",
	"@a @O @a",
	"@m @O @d",
	"@m @O @t",
	"@d @NBETWEEN @M AND @C",
	"@m @NIN (@d, @C, @M)",
	"@C @O @L",
	"@C @O @C",
	"@t @NLIKE @P",
	"@C @NLIKE @P",
	"@i @NIN (@I, @I, @i)",
	"@t @NIN (@T, @T, @T)",
	"@C @NIN (@L, @L, @L, @L)",
	"@i @NBETWEEN @I AND @I",
	"@t @NBETWEEN @T AND @T",
	"@C @NBETWEEN @L AND @L",
	"@m @NBETWEEN @M AND @M",
	"@C IS @NNULL",
	"@D IS @NUNDEFINED",
	"@a IS @NDISTINCT FROM @a",
	"ARRAY_CONTAINS(@A, @L)",
	/* these nest */
	"@a IS @NNULL",
	"NOT (@c)",
	"NOT @c",
	"(@c AND @c)",
	"(@c AND @c)",
	"(@c AND @c AND @c)",
	"(@c OR @c)",
	"(@c OR @c)",
	"(@c OR @c OR @c)",
	"(@c) IS @NTRUE",
	"(@c) IS @NFALSE",
	"(@c) IS @NNULL",
	"(@c) = (@c)",
	"IF(@c, @c, @c)",
	"CASE WHEN @c THEN @c ELSE @c END",
	"COALESCE(@c, @c)",
	"LOWER(@t) @NLIKE @P",
};
static_assert(countof(CONDITIONS) == N_CONDITIONS);

const char *const AGGREGATES[] = {
	"COUNT(*)",
	"COUNT(*)",
	"COUNT(@C)",
	"COUNT(@a)",
	"COUNT(DISTINCT @C)",
	"COUNT(DISTINCT @a)",
	"SUM(@i)",
	"MIN(@i)",
	"MAX(@i)",
	"COUNT_IF(@c)",
	"APPROX_DISTINCT(@C)",
	/* to look at only */
	"SUM(@n)",
	"SUM(@n)",
	"AVG(@n)",
	"AVG(@i)",
	"MIN(@n)",
	"MAX(@n)",
	"MIN(@t)",
	"MAX(@t)",
	"MIN(@m)",
	"MAX(@d)",
	"MIN(@C)",
	"MAX(@C)",
	"MAX(@a)",
	"BOOL_AND(@c)",
	"BOOL_OR(@c)",
	"EVERY(@b)",
	"SUM(DISTINCT @i)",
	"ARRAY_AGG",
	"STDDEV_POP((@n % 1000))",
	"VAR_SAMP((@i % 1000))",
	"MAX_BY(@C, ",
	"MIN_BY(@a, ",
};
static_assert(countof(AGGREGATES) == N_AGGREGATES);

const char *const SUBQUERIES[6] = {
	"@C @NIN (@Q)",
	"@i @NIN (@Q)",
	"@NEXISTS (@E)",
	"@NEXISTS (@E)",
	"@C = (SELECT MAX(yy.i) FROM few yy)",
	"@t IN (SELECT yy.s FROM odd yy)",
};

const char *const RISKY[22] = {
	"(@C + 1)",
	"(@C - @C)",
	"(@C * 2)",
	"(@i / (@i - 3))",
	"(@i % @i)",
	"(@i * @B)",
	"(@C * @C)",
	"(-@C)",
	"LOWER(@C)",
	"SUBSTR(@C, 1, 2)",
	"LENGTH(@C)",
	"CONCAT(@C, @C)",
	"CAST(@C AS int)",
	"CAST(@t AS float)",
	"CAST(@C AS string)",
	"PARSE_TIMESTAMP_ISO8601(@t)",
	"PARSE_TIMESTAMP_ISO8601(@C)",
	"DATE_TRUNC('day', @C)",
	"ARRAY_CONTAINS(@C, @L)",
	"ABS(@C)",
	"IF(@C, 1, 2)",
	"EXTRACT(YEAR FROM @C)",
};

const char *const INT_LITERALS[6] = { "0", "1", ":pi", "-1", "100", "1000370" };
const char *const BIG_LITERALS[6] = {
	"9223372036854775807", "(-9223372036854775807)", "9007199254740993", "1000370", "5", "-3"
};
const char *const FLOAT_LITERALS[8] = { "0.0", "2.5", ":pf", "-0.25", "1.0", "250.75", "7", "1e3" };
const char *const TEXT_LITERALS[16] = { "''",	     "'a'",
					"'b'",	     "'B'",
					"'Oslo'",    "'oslo'",
					"'Rome'",    "'a%b_c'",
					"' blank '", "'\xc3\xa9t\xc3\xa9'",
					"'12'",	     "'nope'",
					":ps",	     ":pz",
					"'user 1'",  "'2024-01-01T00:00:00Z'" };
const char *const PATTERNS[14] = {
	"'a%'",	  "'%o'",	  "'_'",  "'%'",     "''",	  "'%b%'",  "'a!%b%' ESCAPE '!'",
	"'Os_o'", "'%\xc3\xa9%'", "'_%'", "'%a%b%'", "'user 1%'", "'%lo%'", "'n%l'"
};
const char *const REGULAR[6] = { "'[ao]'", "'^a'", "'o$'", "'(l)o'", "'[0-9]+'", "'.'" };
const char *const UNITS[8] = {
	"second", "minute", "hour", "day", "week", "month", "year", "quarter"
};
const char *const COMPARISONS[7] = { "=", "<>", "!=", "<", "<=", ">", ">=" };
const char *const TIMESTAMP_LITERALS[6] = {
	"TIMESTAMP '2024-01-01T00:00:00Z'",
	"TIMESTAMP '2023-06-15T12:30:00Z'",
	"TIMESTAMP '2023-11-14T22:20:00.5Z'",
	"TIMESTAMP '1969-12-31T23:59:59Z'",
	":pt",
	"PARSE_TIMESTAMP_ISO8601('2024-05-05T05:05:05+02:00')",
};
const char *const ANY_LITERALS[15] = {
	"3",
	"0",
	"1.0",
	"2.5",
	"'a'",
	"'Oslo'",
	"''",
	"true",
	"NULL",
	"[1, 2]",
	"9007199254740993",
	"TIMESTAMP '2024-01-01T00:00:00Z'",
	":pa",
	":pz",
	":pn",
};
