/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/function.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct function FUNCTIONS[] = {
	/* conditional, types */
	{ "IF",          FUNCTION_IF,       2, 3, "", TYPE_ANY },
	{ "COALESCE",    FUNCTION_COALESCE, 1, 255, "coalesce", TYPE_SAME },
	{ "TRY",         FUNCTION_TRY,      1, 1, "", TYPE_SAME },
	{ "IFNULL",      FUNCTION_SCALAR,   2, 2, "ifnull", TYPE_SAME },
	{ "NULLIF",      FUNCTION_SCALAR,   2, 2, "rd_nullif", TYPE_SAME },
	{ "GREATEST",    FUNCTION_SCALAR,   2, 100, "max", TYPE_SAME },
	{ "LEAST",       FUNCTION_SCALAR,   2, 100, "min", TYPE_SAME },
	{ "TYPEOF",      FUNCTION_TYPEOF,   1, 1, "rd_typeof", TYPE_ANY },
	{ "JSON_FORMAT", FUNCTION_SCALAR,   1, 1, "rd_json_format", TYPE_ANY },
	{ "JSON_PARSE",  FUNCTION_SCALAR,   1, 1, "rd_json_parse", TYPE_ANY },
	{ "JSON_EXTRACT_SCALAR", FUNCTION_SCALAR, 2, 2, "rd_json_extract_scalar", TYPE_ANY },
	{ "ELEMENT_AT",  FUNCTION_SCALAR,   2, 2, "rd_element_at", TYPE_ANY },
	/* aggregates */
	{ "COUNT",       FUNCTION_COUNT,    0, 1, "count", TYPE_ANY },
	{ "COUNT_IF",    FUNCTION_COUNT_IF, 1, 1, "count", TYPE_ANY },
	{ "BOOL_AND",    FUNCTION_BOOL_AND, 1, 1, "min", TYPE_ANY },
	{ "EVERY",       FUNCTION_BOOL_AND, 1, 1, "min", TYPE_ANY },
	{ "BOOL_OR",     FUNCTION_BOOL_OR,  1, 1, "max", TYPE_ANY },
	{ "SUM",         FUNCTION_AGGREGATE, 1, 1, "rd_sum", TYPE_ANY },
	{ "AVG",         FUNCTION_AGGREGATE, 1, 1, "rd_avg", TYPE_ANY },
	{ "MIN",         FUNCTION_AGGREGATE, 1, 1, "min", TYPE_SAME },
	{ "MAX",         FUNCTION_AGGREGATE, 1, 1, "max", TYPE_SAME },
	{ "ARBITRARY",   FUNCTION_AGGREGATE, 1, 1, "min", TYPE_SAME },
	{ "ANY_VALUE",   FUNCTION_AGGREGATE, 1, 1, "min", TYPE_SAME },
	{ "APPROX_DISTINCT", FUNCTION_COUNT, 1, 2, "distinct", TYPE_ANY },
	{ "ARRAY_AGG",   FUNCTION_AGGREGATE, 1, 1, "rd_array_agg", TYPE_ANY },
	{ "MAP_AGG",     FUNCTION_AGGREGATE, 2, 2, "rd_map_agg", TYPE_ANY },
	{ "STRING_AGG",  FUNCTION_AGGREGATE, 2, 2, "group_concat", TYPE_ANY },
	{ "MIN_BY",      FUNCTION_AGGREGATE, 2, 2, "rd_min_by", TYPE_SAME },
	{ "MAX_BY",      FUNCTION_AGGREGATE, 2, 2, "rd_max_by", TYPE_SAME },
	{ "APPROX_PERCENTILE", FUNCTION_AGGREGATE, 2, 2, "rd_percentile", TYPE_ANY },
	{ "STDDEV_SAMP", FUNCTION_AGGREGATE, 1, 1, "rd_stddev_samp", TYPE_ANY },
	{ "STDDEV",      FUNCTION_AGGREGATE, 1, 1, "rd_stddev_samp", TYPE_ANY },
	{ "STDDEV_POP",  FUNCTION_AGGREGATE, 1, 1, "rd_stddev_pop", TYPE_ANY },
	{ "VAR_SAMP",    FUNCTION_AGGREGATE, 1, 1, "rd_var_samp", TYPE_ANY },
	{ "VARIANCE",    FUNCTION_AGGREGATE, 1, 1, "rd_var_samp", TYPE_ANY },
	{ "VAR_POP",     FUNCTION_AGGREGATE, 1, 1, "rd_var_pop", TYPE_ANY },
	/* windows */
	{ "ROW_NUMBER",  FUNCTION_WINDOW, 0, 0, "row_number", TYPE_ANY },
	{ "RANK",        FUNCTION_WINDOW, 0, 0, "rank", TYPE_ANY },
	{ "DENSE_RANK",  FUNCTION_WINDOW, 0, 0, "dense_rank", TYPE_ANY },
	{ "PERCENT_RANK", FUNCTION_WINDOW, 0, 0, "percent_rank", TYPE_ANY },
	{ "CUME_DIST",   FUNCTION_WINDOW, 0, 0, "cume_dist", TYPE_ANY },
	{ "NTILE",       FUNCTION_WINDOW, 1, 1, "ntile", TYPE_ANY },
	{ "LAG",         FUNCTION_WINDOW, 1, 3, "lag", TYPE_SAME },
	{ "LEAD",        FUNCTION_WINDOW, 1, 3, "lead", TYPE_SAME },
	{ "FIRST_VALUE", FUNCTION_WINDOW, 1, 1, "first_value", TYPE_SAME },
	{ "LAST_VALUE",  FUNCTION_WINDOW, 1, 1, "last_value", TYPE_SAME },
	{ "NTH_VALUE",   FUNCTION_WINDOW, 2, 2, "nth_value", TYPE_SAME },
	/* text */
	{ "CONCAT",      FUNCTION_SCALAR, 1, 100, "rd_concat", TYPE_ANY },
	{ "LOWER",       FUNCTION_SCALAR, 1, 1, "lower", TYPE_ANY },
	{ "UPPER",       FUNCTION_SCALAR, 1, 1, "upper", TYPE_ANY },
	{ "LENGTH",      FUNCTION_SCALAR, 1, 1, "rd_length", TYPE_ANY },
	{ "CARDINALITY", FUNCTION_SCALAR, 1, 1, "rd_length", TYPE_ANY },
	{ "SUBSTR",      FUNCTION_SCALAR, 2, 3, "rd_substr", TYPE_ANY },
	{ "SUBSTRING",   FUNCTION_SCALAR, 2, 3, "rd_substr", TYPE_ANY },
	{ "REPLACE",     FUNCTION_SCALAR, 3, 3, "rd_replace", TYPE_ANY },
	{ "TRIM",        FUNCTION_SCALAR, 1, 2, "rd_trim", TYPE_ANY },
	{ "LTRIM",       FUNCTION_SCALAR, 1, 2, "rd_ltrim", TYPE_ANY },
	{ "RTRIM",       FUNCTION_SCALAR, 1, 2, "rd_rtrim", TYPE_ANY },
	{ "STRPOS",      FUNCTION_SCALAR, 2, 2, "rd_instr", TYPE_ANY },
	{ "SPLIT",       FUNCTION_SCALAR, 2, 2, "rd_split", TYPE_ANY },
	{ "SPLIT_PART",  FUNCTION_SCALAR, 3, 3, "rd_split_part", TYPE_ANY },
	{ "LPAD",        FUNCTION_SCALAR, 2, 3, "rd_lpad", TYPE_ANY },
	{ "RPAD",        FUNCTION_SCALAR, 2, 3, "rd_rpad", TYPE_ANY },
	{ "STARTS_WITH", FUNCTION_SCALAR, 2, 2, "rd_starts_with", TYPE_ANY },
	{ "ENDS_WITH",   FUNCTION_SCALAR, 2, 2, "rd_ends_with", TYPE_ANY },
	{ "FORMAT",      FUNCTION_SCALAR, 1, 100, "rd_format", TYPE_ANY },
	{ "TOKENIZE",    FUNCTION_SCALAR, 1, 2, "rd_tokenize", TYPE_ANY },
	{ "NGRAMS",      FUNCTION_SCALAR, 2, 3, "rd_ngrams", TYPE_ANY },
	{ "CHR",         FUNCTION_SCALAR, 1, 1, "char", TYPE_ANY },
	{ "CODEPOINT",   FUNCTION_SCALAR, 1, 1, "unicode", TYPE_ANY },
	{ "REGEXP_LIKE",        FUNCTION_SCALAR, 2, 2, "rd_regexp_like", TYPE_ANY },
	{ "REGEXP_EXTRACT",     FUNCTION_SCALAR, 2, 3, "rd_regexp_extract", TYPE_ANY },
	{ "REGEXP_EXTRACT_ALL", FUNCTION_SCALAR, 2, 3, "rd_regexp_extract_all", TYPE_ANY },
	{ "REGEXP_REPLACE",     FUNCTION_SCALAR, 2, 3, "rd_regexp_replace", TYPE_ANY },
	{ "REGEXP_SPLIT",       FUNCTION_SCALAR, 2, 2, "rd_regexp_split", TYPE_ANY },
	/* bytes */
	{ "MD5",         FUNCTION_SCALAR, 1, 1, "rd_md5", TYPE_ANY },
	{ "SHA1",        FUNCTION_SCALAR, 1, 1, "rd_sha1", TYPE_ANY },
	{ "SHA256",      FUNCTION_SCALAR, 1, 1, "rd_sha256", TYPE_ANY },
	{ "SHA512",      FUNCTION_SCALAR, 1, 1, "rd_sha512", TYPE_ANY },
	{ "XXHASH64",    FUNCTION_SCALAR, 1, 1, "rd_xxhash64", TYPE_ANY },
	{ "HMAC_MD5",    FUNCTION_SCALAR, 2, 2, "rd_hmac_md5", TYPE_ANY },
	{ "HMAC_SHA1",   FUNCTION_SCALAR, 2, 2, "rd_hmac_sha1", TYPE_ANY },
	{ "HMAC_SHA256", FUNCTION_SCALAR, 2, 2, "rd_hmac_sha256", TYPE_ANY },
	{ "HMAC_SHA512", FUNCTION_SCALAR, 2, 2, "rd_hmac_sha512", TYPE_ANY },
	{ "TO_HEX",      FUNCTION_SCALAR, 1, 1, "rd_to_hex", TYPE_ANY },
	{ "FROM_HEX",    FUNCTION_SCALAR, 1, 1, "rd_from_hex", TYPE_ANY },
	{ "TO_BASE64",   FUNCTION_SCALAR, 1, 1, "rd_to_base64", TYPE_ANY },
	{ "FROM_BASE64", FUNCTION_SCALAR, 1, 1, "rd_from_base64", TYPE_ANY },
	{ "TO_UTF8",     FUNCTION_SCALAR, 1, 1, "rd_to_utf8", TYPE_ANY },
	{ "FROM_UTF8",   FUNCTION_SCALAR, 1, 1, "rd_from_utf8", TYPE_ANY },
	{ "ID_HASH",     FUNCTION_SCALAR, 1, 100, "rd_id_hash", TYPE_ANY },
	{ "GEN_RANDOM_UUID", FUNCTION_SCALAR, 0, 0, "rd_random_uuid", TYPE_ANY },
	/* numbers */
	{ "ABS",         FUNCTION_SCALAR, 1, 1, "rd_abs", TYPE_ANY },
	{ "CEIL",        FUNCTION_SCALAR, 1, 1, "ceil", TYPE_ANY },
	{ "CEILING",     FUNCTION_SCALAR, 1, 1, "ceil", TYPE_ANY },
	{ "FLOOR",       FUNCTION_SCALAR, 1, 1, "floor", TYPE_ANY },
	{ "ROUND",       FUNCTION_SCALAR, 1, 2, "round", TYPE_ANY },
	{ "TRUNC",       FUNCTION_SCALAR, 1, 2, "rd_trunc", TYPE_ANY },
	{ "TRUNCATE",    FUNCTION_SCALAR, 1, 2, "rd_trunc", TYPE_ANY },
	{ "MOD",         FUNCTION_SCALAR, 2, 2, "rd_mod", TYPE_ANY },
	{ "POW",         FUNCTION_SCALAR, 2, 2, "pow", TYPE_ANY },
	{ "POWER",       FUNCTION_SCALAR, 2, 2, "pow", TYPE_ANY },
	{ "SQRT",        FUNCTION_SCALAR, 1, 1, "sqrt", TYPE_ANY },
	{ "EXP",         FUNCTION_SCALAR, 1, 1, "exp", TYPE_ANY },
	{ "LOG",         FUNCTION_SCALAR, 1, 2, "rd_log", TYPE_ANY },
	{ "CBRT",        FUNCTION_SCALAR, 1, 1, "rd_cbrt", TYPE_ANY },
	{ "HYPOT",       FUNCTION_SCALAR, 2, 2, "rd_hypot", TYPE_ANY },
	{ "SINH",        FUNCTION_SCALAR, 1, 1, "sinh", TYPE_ANY },
	{ "COSH",        FUNCTION_SCALAR, 1, 1, "cosh", TYPE_ANY },
	{ "TANH",        FUNCTION_SCALAR, 1, 1, "tanh", TYPE_ANY },
	{ "ASINH",       FUNCTION_SCALAR, 1, 1, "asinh", TYPE_ANY },
	{ "ACOSH",       FUNCTION_SCALAR, 1, 1, "acosh", TYPE_ANY },
	{ "ATANH",       FUNCTION_SCALAR, 1, 1, "atanh", TYPE_ANY },
	{ "NAN",         FUNCTION_SCALAR, 0, 0, "rd_nan", TYPE_ANY },
	{ "INFINITY",    FUNCTION_SCALAR, 0, 0, "rd_infinity", TYPE_ANY },
	{ "IS_NAN",      FUNCTION_SCALAR, 1, 1, "rd_is_nan", TYPE_ANY },
	{ "IS_FINITE",   FUNCTION_SCALAR, 1, 1, "rd_is_finite", TYPE_ANY },
	{ "IS_INFINITE", FUNCTION_SCALAR, 1, 1, "rd_is_infinite", TYPE_ANY },
	{ "BITWISE_AND", FUNCTION_SCALAR, 2, 2, "rd_bitwise_and", TYPE_ANY },
	{ "BITWISE_OR",  FUNCTION_SCALAR, 2, 2, "rd_bitwise_or", TYPE_ANY },
	{ "BITWISE_XOR", FUNCTION_SCALAR, 2, 2, "rd_bitwise_xor", TYPE_ANY },
	{ "BITWISE_NOT", FUNCTION_SCALAR, 1, 1, "rd_bitwise_not", TYPE_ANY },
	{ "LN",          FUNCTION_SCALAR, 1, 1, "ln", TYPE_ANY },
	{ "LOG2",        FUNCTION_SCALAR, 1, 1, "log2", TYPE_ANY },
	{ "LOG10",       FUNCTION_SCALAR, 1, 1, "log10", TYPE_ANY },
	{ "SIGN",        FUNCTION_SCALAR, 1, 1, "sign", TYPE_ANY },
	{ "SIN",         FUNCTION_SCALAR, 1, 1, "sin", TYPE_ANY },
	{ "COS",         FUNCTION_SCALAR, 1, 1, "cos", TYPE_ANY },
	{ "TAN",         FUNCTION_SCALAR, 1, 1, "tan", TYPE_ANY },
	{ "ASIN",        FUNCTION_SCALAR, 1, 1, "asin", TYPE_ANY },
	{ "ACOS",        FUNCTION_SCALAR, 1, 1, "acos", TYPE_ANY },
	{ "ATAN",        FUNCTION_SCALAR, 1, 1, "atan", TYPE_ANY },
	{ "ATAN2",       FUNCTION_SCALAR, 2, 2, "atan2", TYPE_ANY },
	{ "RADIANS",     FUNCTION_SCALAR, 1, 1, "radians", TYPE_ANY },
	{ "DEGREES",     FUNCTION_SCALAR, 1, 1, "degrees", TYPE_ANY },
	{ "PI",          FUNCTION_SCALAR, 0, 0, "pi", TYPE_ANY },
	{ "RAND",        FUNCTION_SCALAR, 0, 0, "rd_rand", TYPE_ANY },
	/* arrays and objects */
	{ "ARRAY_CREATE",   FUNCTION_SCALAR, 0, 100, "rd_array", TYPE_ANY },
	{ "ARRAY_MAP",      FUNCTION_ARRAY_MAP, 2, 2, "", TYPE_ANY },
	{ "_FIELDS",        FUNCTION_SCALAR, 1, 1, "rd_fields", TYPE_ANY },
	{ "ARRAY_CONTAINS", FUNCTION_SCALAR, 2, 2, "rd_array_contains", TYPE_ANY },
	{ "ARRAY_CONCAT",   FUNCTION_SCALAR, 1, 100, "rd_array_concat", TYPE_ANY },
	{ "ARRAY_DISTINCT", FUNCTION_SCALAR, 1, 1, "rd_array_distinct", TYPE_ANY },
	{ "ARRAY_JOIN",     FUNCTION_SCALAR, 2, 3, "rd_array_join", TYPE_ANY },
	{ "ARRAY_POSITION", FUNCTION_SCALAR, 2, 2, "rd_array_position", TYPE_ANY },
	{ "ARRAY_REMOVE",   FUNCTION_SCALAR, 2, 2, "rd_array_remove", TYPE_ANY },
	{ "ARRAY_LAST_POSITION", FUNCTION_SCALAR, 2, 2, "rd_array_last_position", TYPE_ANY },
	{ "ARRAY_UNION",    FUNCTION_SCALAR, 2, 2, "rd_array_union", TYPE_ANY },
	{ "ARRAY_INTERSECT", FUNCTION_SCALAR, 2, 2, "rd_array_intersect", TYPE_ANY },
	{ "ARRAY_EXCEPT",   FUNCTION_SCALAR, 2, 2, "rd_array_except", TYPE_ANY },
	{ "ARRAY_SHUFFLE",  FUNCTION_SCALAR, 1, 1, "rd_array_shuffle", TYPE_ANY },
	{ "SLICE",          FUNCTION_SCALAR, 3, 3, "rd_slice", TYPE_ANY },
	{ "REVERSE",        FUNCTION_SCALAR, 1, 1, "rd_reverse", TYPE_ANY },
	{ "ZIP",            FUNCTION_SCALAR, 1, 100, "rd_zip", TYPE_ANY },
	{ "OBJECT",         FUNCTION_SCALAR, 2, 2, "rd_object_of", TYPE_ANY },
	{ "MERGE",          FUNCTION_SCALAR, 1, 100, "rd_merge", TYPE_ANY },
	{ "OBJECT_CONCAT",  FUNCTION_SCALAR, 1, 100, "rd_merge", TYPE_ANY },
	{ "ARRAY_FLATTEN",  FUNCTION_SCALAR, 1, 1, "rd_array_flatten", TYPE_ANY },
	{ "ARRAY_SORT",     FUNCTION_SCALAR, 1, 1, "rd_array_sort", TYPE_ANY },
	{ "ARRAY_MIN",      FUNCTION_SCALAR, 1, 1, "rd_array_min", TYPE_ANY },
	{ "ARRAY_MAX",      FUNCTION_SCALAR, 1, 1, "rd_array_max", TYPE_ANY },
	{ "SEQUENCE",       FUNCTION_SCALAR, 2, 3, "rd_sequence", TYPE_ANY },
	{ "KEYS",           FUNCTION_SCALAR, 1, 1, "rd_keys", TYPE_ANY },
	{ "VALUES",         FUNCTION_SCALAR, 1, 1, "rd_values", TYPE_ANY },
	{ "ITEMS",          FUNCTION_SCALAR, 1, 1, "rd_items", TYPE_ANY },
	/* time */
	{ "CURRENT_TIMESTAMP", FUNCTION_NOW, 0, 0, "", TYPE_TIMESTAMP },
	{ "CURRENT_DATETIME",  FUNCTION_NOW, 0, 1, "", TYPE_DATETIME },
	{ "CURRENT_TIME",      FUNCTION_NOW, 0, 1, "", TYPE_TIME },
	{ "CURRENT_DATE",      FUNCTION_NOW, 0, 1, "", TYPE_DATE },
	{ "PARSE_TIMESTAMP_ISO8601", FUNCTION_SCALAR, 1, 1, "rd_parse_timestamp", TYPE_TIMESTAMP },
	{ "PARSE_DATETIME_ISO8601",  FUNCTION_SCALAR, 1, 1, "rd_parse_datetime", TYPE_DATETIME },
	{ "PARSE_DATE_ISO8601",      FUNCTION_SCALAR, 1, 1, "rd_parse_date", TYPE_DATE },
	{ "PARSE_TIME_ISO8601", FUNCTION_SCALAR, 1, 1, "rd_parse_time", TYPE_TIME },
	{ "PARSE_TIMESTAMP", FUNCTION_SCALAR, 2, 3, "rd_parse_as_timestamp", TYPE_TIMESTAMP },
	{ "PARSE_DATETIME",  FUNCTION_SCALAR, 2, 2, "rd_parse_as_datetime", TYPE_DATETIME },
	{ "PARSE_DATE",      FUNCTION_SCALAR, 2, 2, "rd_parse_as_date", TYPE_DATE },
	{ "PARSE_TIME",      FUNCTION_SCALAR, 2, 2, "rd_parse_as_time", TYPE_TIME },
	{ "DATE_PARSE",      FUNCTION_SCALAR, 2, 2, "rd_date_parse", TYPE_TIMESTAMP },
	{ "FORMAT_ISO8601",    FUNCTION_SCALAR, 1, 1, "rd_format_iso", TYPE_ANY },
	{ "FORMAT_TIMESTAMP",  FUNCTION_SCALAR, 2, 3, "rd_format_time", TYPE_ANY },
	{ "FORMAT_DATETIME",   FUNCTION_SCALAR, 2, 2, "rd_format_time", TYPE_ANY },
	{ "FORMAT_DATE",       FUNCTION_SCALAR, 2, 2, "rd_format_time", TYPE_ANY },
	{ "FORMAT_TIME",       FUNCTION_SCALAR, 2, 2, "rd_format_time", TYPE_ANY },
	{ "DATE_TRUNC",        FUNCTION_SCALAR, 2, 3, "rd_date_trunc", TYPE_SAME2 },
	{ "DATE_DIFF",         FUNCTION_SCALAR, 3, 4, "rd_date_diff", TYPE_ANY },
	{ "DATE_ADD",          FUNCTION_SCALAR, 3, 3, "rd_date_add", TYPE_ANY },
	{ "DATE_SUB",          FUNCTION_SCALAR, 3, 3, "rd_date_sub", TYPE_ANY },
	{ "TIME_BUCKET",       FUNCTION_SCALAR, 2, 3, "rd_time_bucket", TYPE_SAME2 },
	{ "TIMESTAMP_MICROS",  FUNCTION_SCALAR, 1, 1, "rd_timestamp_micros", TYPE_TIMESTAMP },
	{ "TIMESTAMP_MILLIS",  FUNCTION_SCALAR, 1, 1, "rd_timestamp_millis", TYPE_TIMESTAMP },
	{ "TIMESTAMP_SECONDS", FUNCTION_SCALAR, 1, 1, "rd_timestamp_seconds", TYPE_TIMESTAMP },
	{ "UNIX_MICROS",       FUNCTION_SCALAR, 1, 1, "rd_unix_micros", TYPE_ANY },
	{ "UNIX_MILLIS",       FUNCTION_SCALAR, 1, 1, "rd_unix_millis", TYPE_ANY },
	{ "UNIX_SECONDS",      FUNCTION_SCALAR, 1, 1, "rd_unix_seconds", TYPE_ANY },
	{ "UNIX_DATE",         FUNCTION_SCALAR, 1, 1, "rd_unix_date", TYPE_ANY },
	{ "DATE",              FUNCTION_SCALAR, 1, 3, "rd_date", TYPE_DATE },
	{ "DATETIME",          FUNCTION_SCALAR, 2, 7, "rd_datetime", TYPE_DATETIME },
	{ "TIME",              FUNCTION_SCALAR, 1, 4, "rd_time", TYPE_TIME },
	{ "YEARS",        FUNCTION_SCALAR, 1, 1, "rd_years", TYPE_INTERVAL },
	{ "MONTHS",       FUNCTION_SCALAR, 1, 1, "rd_months", TYPE_INTERVAL },
	{ "WEEKS",        FUNCTION_SCALAR, 1, 1, "rd_weeks", TYPE_INTERVAL },
	{ "DAYS",         FUNCTION_SCALAR, 1, 1, "rd_days", TYPE_INTERVAL },
	{ "HOURS",        FUNCTION_SCALAR, 1, 1, "rd_hours", TYPE_INTERVAL },
	{ "MINUTES",      FUNCTION_SCALAR, 1, 1, "rd_minutes", TYPE_INTERVAL },
	{ "SECONDS",      FUNCTION_SCALAR, 1, 1, "rd_seconds", TYPE_INTERVAL },
	{ "MILLISECONDS", FUNCTION_SCALAR, 1, 1, "rd_milliseconds", TYPE_INTERVAL },
	{ "MICROSECONDS", FUNCTION_SCALAR, 1, 1, "rd_microseconds", TYPE_INTERVAL },
	{ "DURATION_SECONDS", FUNCTION_SCALAR, 1, 1, "rd_duration_seconds", TYPE_ANY },
};
/* clang-format on */

const struct function *function_find(const char *name)
{
	for (size_t i = 0; i < countof(FUNCTIONS); i++)
		if (strcasecmp(FUNCTIONS[i].name, name) == 0)
			return &FUNCTIONS[i];
	return nullptr;
}

bool function_is_aggregate(const struct function *f)
{
	return (f->kind >= FUNCTION_AGGREGATE && f->kind <= FUNCTION_WINDOW) ||
	       (f->kind >= FUNCTION_COUNT && f->kind <= FUNCTION_BOOL_OR);
}

size_t name_distance(const char *a, const char *b, size_t limit)
{
	constexpr size_t longest = 64;
	size_t row[longest + 1], a_len = strlen(a), b_len = strlen(b);

	if (a_len > longest || b_len > longest || a_len > b_len + limit || b_len > a_len + limit)
		return limit + 1;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			bool same = tolower((unsigned char)a[i - 1]) ==
				    tolower((unsigned char)b[j - 1]);
			size_t best = diagonal + !same;

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

const char *function_like(const char *name)
{
	size_t nearest = 3;
	const char *found = nullptr;

	for (size_t i = 0; i < countof(FUNCTIONS); i++) {
		size_t distance = name_distance(name, FUNCTIONS[i].name, 2);

		if (distance < nearest) {
			nearest = distance;
			found = FUNCTIONS[i].name;
		}
	}
	return found;
}

bool function_allowed(const char *sql)
{
	if (strncmp(sql, "rd_", 3) == 0 || strncmp(sql, "rt_", 3) == 0)
		return true;
	for (size_t i = 0; i < countof(FUNCTIONS); i++)
		if (strcmp(FUNCTIONS[i].sql, sql) == 0)
			return true;
	return false;
}
