/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>
#include <yyjson.h>

#include "service/value/civil.h"
#include "service/value/value_json.h"

void udf_put_text(const struct value *value, struct buf *out)
{
	char text[CIVIL_TEXT];

	if (value->tag == VALUE_STRING || value->tag == VALUE_BYTES) {
		value_text(value, out);
		return;
	}
	switch ((int)value->tag) {
	case VALUE_DATE:
		civil_date_text(value->i, text);
		break;
	case VALUE_DATETIME:
		civil_datetime_text(value->i, text);
		break;
	case VALUE_TIME:
		civil_time_text(value->i, text);
		break;
	case VALUE_TIMESTAMP:
		civil_timestamp_text(value->i, text);
		break;
	default:
		if (value_to_json(value, VALUE_JSON_RESULT, out))
			out->error = -EMSGSIZE;
		return;
	}
	buf_add_str(out, text);
}

static void json_format(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf packed = buf_make(UDF_RESULT_MAX), out = buf_make(UDF_RESULT_MAX);
	struct value value;

	udf_pack(args[0], &packed);
	if (!value_open(packed.data, packed.len, &value) ||
	    value_to_json(&value, VALUE_JSON_RESULT, &out))
		udf_fail(ctx, "JSON_FORMAT: the value is nested too deeply.");
	else
		udf_return_text(ctx, &out);
}

static void json_parse(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct text text;

	if (udf_any_null(1, args) || !udf_text(ctx, args[0], &text))
		return;
	yyjson_doc *doc = yyjson_read(text.at, text.len, YYJSON_READ_NOFLAG);
	int r = doc ? value_from_json(yyjson_doc_get_root(doc), &out) : VALUE_JSON_BAD_TYPE;
	yyjson_doc_free(doc);
	if (r > 0)
		udf_fail(ctx, "JSON_PARSE: the text is not valid JSON.");
	else
		udf_return_packed(ctx, &out);
}

/* The member that a path's next step leads to: .name, ['name'] or [n], from 0. Returns false if the path is none. */
static bool path_step(const char **path, yyjson_val **at)
{
	const char *in = *path;
	bool bracket = *in == '[', quote = bracket && (in[1] == '\'' || in[1] == '"');
	const char *name = in + 1 + quote;
	char stop[] = { quote ? in[1] : ']', '\0' };
	size_t len = bracket ? strcspn(name, stop) : strcspn(name, ".[");
	const char *end = name + len + quote + bracket;

	if ((*in != '.' && !bracket) || len == 0 || (bracket && name[len] != stop[0]) ||
	    (quote && name[len + 1] != ']'))
		return false;
	*path = end;
	if (bracket && !quote) {
		if (strspn(name, "0123456789") != len || len > 9)
			return false;
		*at = yyjson_arr_get(*at, strtoul(name, nullptr, 10));
	} else {
		*at = yyjson_obj_getn(*at, name, len);
	}
	return true;
}

/* Return a JSON string, number or bool as text; of anything else NULL. */
static void return_scalar(sqlite3_context *ctx, yyjson_val *json)
{
	auto_buf struct buf packed = buf_make(UDF_RESULT_MAX), out = buf_make(UDF_RESULT_MAX);
	struct value value;

	if (!json || yyjson_is_null(json) || yyjson_is_ctn(json))
		return;
	if (value_from_json(json, &packed) || !value_open(packed.data, packed.len, &value)) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	udf_put_text(&value, &out);
	udf_return_text(ctx, &out);
}

/* JSON_EXTRACT_SCALAR(text, path) */
static void json_extract_scalar(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text text, path;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text) ||
	    !udf_text(ctx, args[1], &path))
		return;
	yyjson_doc *doc = yyjson_read(text.at, text.len, YYJSON_READ_NOFLAG);
	yyjson_val *at = yyjson_doc_get_root(doc);
	const char *in = path.at + (path.at[0] == '$');
	bool good = path.at[0] == '$';

	while (good && *in)
		good = path_step(&in, &at);
	if (!doc)
		udf_fail(ctx, "JSON_EXTRACT_SCALAR: the text is not valid JSON.");
	else if (!good)
		udf_fail(ctx, "JSON_EXTRACT_SCALAR takes a path such as `$.a.b[0]`, not `%.40s`.",
			 path.at);
	else
		return_scalar(ctx, at);
	yyjson_doc_free(doc);
}

/* NaN and the infinities have names. */
static bool is_named_float(const char *text, struct buf *out)
{
	bool nan = strcasecmp(text, "nan") == 0;
	const char *name = text + (text[0] == '-' || text[0] == '+');

	if (!nan && strcasecmp(name, "infinity") != 0 && strcasecmp(name, "inf") != 0)
		return false;
	value_put_float(out, nan ? (double)NAN : (double)(text[0] == '-' ? -INFINITY : INFINITY));
	return true;
}

/* A string as a value of a type. Returns whether it is one. */
static bool parse_as(const char *type, const struct value *value, struct buf *out)
{
	char number[64], *end;

	if (value_from_text(type, (const char *)value->data, value->len, out))
		return true;
	if (value->len == 0 || value->len >= sizeof(number) || memchr(value->data, 0, value->len))
		return false;
	memcpy(number, value->data, value->len);
	number[value->len] = '\0';
	if (strcmp(type, "bool") == 0) {
		bool yes = strcasecmp(number, "true") == 0;

		value_put_bool(out, yes);
		return yes || strcasecmp(number, "false") == 0;
	}
	if (strcmp(type, "float") == 0 && is_named_float(number, out))
		return true;
	if (strspn(number, "+-0123456789.eE") != value->len)
		return false;
	if (strcmp(type, "int") == 0) {
		errno = 0;
		value_put_int(out, strtoll(number, &end, 10));
		return errno == 0 && *end == '\0' && end != number;
	}
	value_put_float(out, strtod(number, &end));
	return strcmp(type, "float") == 0 && *end == '\0' && end != number;
}

/* A number as bool, int, float or string. */
static bool number_as(const char *type, const struct value *value, struct buf *out)
{
	if (strcmp(type, "int") == 0 && value->is_int)
		value_put_int(out, value->i);
	else if (strcmp(type, "int") == 0 && value->f > -0x1p63 && value->f < 0x1p63)
		value_put_int(out, (int64_t)value->f);
	else if (strcmp(type, "float") == 0)
		value_put_float(out, value->f);
	else if (strcmp(type, "bool") == 0)
		value_put_bool(out, value->f != 0);
	else if (strcmp(type, "microsecond_interval") == 0 && value->is_int)
		value_put_moment(out, VALUE_INTERVAL, value->i);
	else if (strcmp(type, "month_interval") == 0 && value->is_int)
		value_put_moment(out, VALUE_MONTHS, value->i);
	else
		return false;
	return true;
}

/* Moments as each other. */
static bool moment_as(const char *type, const struct value *value, struct buf *out)
{
	bool day = value->tag == VALUE_DATE;
	int64_t us = day ? value->i * CIVIL_DAY_US : value->i; /* days are in range */
	int64_t days = us / CIVIL_DAY_US - (us % CIVIL_DAY_US < 0);

	if (strcmp(type, "timestamp") == 0)
		value_put_moment(out, VALUE_TIMESTAMP, us);
	else if (strcmp(type, "datetime") == 0)
		value_put_moment(out, VALUE_DATETIME, us);
	else if (strcmp(type, "date") == 0)
		value_put_moment(out, VALUE_DATE, days);
	else if (strcmp(type, "time") == 0 && !day)
		value_put_moment(out, VALUE_TIME, us - days * CIVIL_DAY_US);
	else
		return false;
	return true;
}

/* The one name of a type, or nullptr. */
static const char *canonical(const char *type)
{
	static const struct {
		const char *alias, *name;
	} TYPES[] = {
		{ "int", "int" },
		{ "integer", "int" },
		{ "int64", "int" },
		{ "bigint", "int" },
		{ "float", "float" },
		{ "double", "float" },
		{ "bool", "bool" },
		{ "boolean", "bool" },
		{ "string", "string" },
		{ "char", "string" },
		{ "varchar", "string" },
		{ "text", "string" },
		{ "date", "date" },
		{ "datetime", "datetime" },
		{ "time", "time" },
		{ "bytes", "bytes" },
		{ "array", "array" },
		{ "object", "object" },
		{ "interval", "microsecond_interval" },
		{ "microsecond_interval", "microsecond_interval" },
		{ "month_interval", "month_interval" },
		{ "timestamp", "timestamp" },
	};

	for (size_t i = 0; i < countof(TYPES); i++)
		if (strcasecmp(TYPES[i].alias, type) == 0)
			return TYPES[i].name;
	return nullptr;
}

static bool cast_value(const char *type, const struct value *value, struct buf *out)
{
	bool is_bool = value->tag == VALUE_TRUE || value->tag == VALUE_FALSE;

	if (strcmp(type, "string") == 0) {
		auto_buf struct buf text = buf_make(UDF_RESULT_MAX);

		udf_put_text(value, &text);
		value_put_string(out, (const char *)text.data, text.len);
		return buf_error(&text) == 0;
	}
	if (strcmp(type, value_type_name(value)) == 0 && value->at)
		buf_add(out, value->at, value->size);
	else if (strcmp(type, "bytes") == 0 && value->tag == VALUE_STRING)
		value_put_bytes(out, value->data, value->len);
	else if (strcmp(type, "int") == 0 &&
		 (value->tag == VALUE_INTERVAL || value->tag == VALUE_MONTHS))
		value_put_int(out, value->i);
	else if (value->tag == VALUE_STRING)
		return parse_as(type, value, out);
	else if (value->tag == VALUE_NUMBER)
		return number_as(type, value, out);
	else if (is_bool && strcmp(type, "int") == 0)
		value_put_int(out, value->tag == VALUE_TRUE);
	else if (is_bool && strcmp(type, "float") == 0)
		value_put_float(out, value->tag == VALUE_TRUE);
	else
		return (value->tag == VALUE_DATE || value->tag == VALUE_DATETIME ||
			value->tag == VALUE_TIMESTAMP) &&
		       moment_as(type, value, out);
	return true;
}

enum cast_mode : uintptr_t {
	CAST_FAIL,
	CAST_NULL,
	CAST_KEEP
};

/* rd_cast(x, type) fails, rd_try_cast gives NULL, rd_as leaves x as it is, if x is no such thing. */
static void cast(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto mode = (enum cast_mode)(uintptr_t)udf_data(ctx);
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	const char *name = (const char *)sqlite3_value_text(args[1]);
	const char *type = name ? canonical(name) : nullptr;
	struct value value;

	udf_value(args[0], &value);
	if (!type) {
		udf_fail(ctx, "CAST: there is no type `%.40s`.", name ? name : "");
		return;
	}
	if (value.tag == VALUE_NULL)
		return;
	if (mode == CAST_KEEP && value.tag == VALUE_NUMBER) {
		sqlite3_result_value(ctx, args[0]);
		return;
	}
	if (cast_value(type, &value, &out))
		udf_return_packed(ctx, &out);
	else if (mode == CAST_KEEP)
		sqlite3_result_value(ctx, args[0]);
	else if (mode == CAST_FAIL)
		udf_fail(ctx, "CAST: this %s cannot become a %s.", value_type_name(&value), type);
}

int udf_register_cast(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_json_format", 1, json_format, nullptr },
		{ "rd_json_parse", 1, json_parse, nullptr },
		{ "rd_json_extract_scalar", 2, json_extract_scalar, nullptr },
		{ "rd_cast", 2, cast, (void *)CAST_FAIL },
		{ "rd_try_cast", 2, cast, (void *)CAST_NULL },
		{ "rd_as", 2, cast, (void *)CAST_KEEP },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
