/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/udf.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>
#include <yyjson.h>

#include "common/crypto/crypto.h"
#include "common/utf8.h"
#include "service/value/civil.h"
#include "service/value/value_json.h"

/* Text as SQLite holds it. */
struct text {
	const char *at;
	size_t len;
};

/* An argument that must be text. Returns whether it is; the query fails if not. */
static bool text_arg(sqlite3_context *ctx, sqlite3_value *arg, struct text *ret)
{
	struct value value;

	if (sqlite3_value_type(arg) != SQLITE_TEXT) {
		udf_value(arg, &value);
		udf_fail(ctx, "A string was expected here, not %s.", value_type_name(&value));
		return false;
	}
	ret->at = (const char *)sqlite3_value_text(arg);
	ret->len = (size_t)sqlite3_value_bytes(arg);
	return ret->at != nullptr;
}

/* Append a value as people write it, for CONCAT and casts to string. */
static void put_text(const struct value *value, struct buf *out)
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

static void concat(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	if (udf_any_null(n, args))
		return;
	for (int i = 0; i < n; i++) {
		struct value value;

		udf_value(args[i], &value);
		put_text(&value, &out);
	}
	udf_return_text(ctx, &out);
}

/* Where the next UTF-8 character of text ends. */
static size_t step(struct text text)
{
	size_t n = utf8_step(text.at, text.len);

	return n > 0 ? n : 1;
}

/*
 * Whether text matches a LIKE pattern. Iterative: only the last % needs to be tried again.
 *
 * escape  a character, or empty
 */
static bool like(struct text text, struct text pattern, struct text escape)
{
	struct text again_text = {}, again_pattern = {};

	for (;;) {
		if (pattern.len > 0 && pattern.at[0] == '%' &&
		    !(escape.len == 1 && escape.at[0] == '%')) {
			pattern.at++;
			pattern.len--;
			again_text = text;
			again_pattern = pattern;
			continue;
		}
		bool escaped = escape.len > 0 && pattern.len > escape.len &&
			       memcmp(pattern.at, escape.at, escape.len) == 0;
		struct text want = pattern;
		size_t skip = escaped ? escape.len : 0;

		want.at += skip;
		want.len -= skip;
		if (text.len == 0 && want.len == 0)
			return true;
		bool any = !escaped && want.len > 0 && want.at[0] == '_';
		size_t w = want.len > 0 ? step(want) : 0, t = text.len > 0 ? step(text) : 0;
		if (w > 0 && t > 0 && (any || (w == t && memcmp(want.at, text.at, w) == 0))) {
			pattern.at = want.at + w;
			pattern.len = want.len - w;
			text.at += t;
			text.len -= t;
			continue;
		}
		if (!again_pattern.at || again_text.len == 0)
			return false;
		t = step(again_text);
		again_text.at += t;
		again_text.len -= t;
		text = again_text;
		pattern = again_pattern;
	}
}

static void like_function(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text text, pattern, escape = {};

	if (udf_any_null(n, args) || sqlite3_value_type(args[0]) != SQLITE_TEXT)
		return; /* what is no string matches nothing, and its NOT matches nothing either */
	if (!text_arg(ctx, args[0], &text) || !text_arg(ctx, args[1], &pattern) ||
	    (n == 3 && !text_arg(ctx, args[2], &escape)))
		return;
	if (n == 3 && (escape.len == 0 || step(escape) != escape.len))
		udf_fail(ctx, "ESCAPE takes one character.");
	else
		sqlite3_result_int(ctx, like(text, pattern, escape));
}

/* rd_length: characters of a string, bytes, elements or members. */
static void length(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value, member;
	int64_t n = 0;

	udf_value(args[0], &value);
	if (value.tag == VALUE_NULL)
		return;
	if (value.tag == VALUE_ARRAY || value.tag == VALUE_OBJECT) {
		struct value_iter iter = value_iterate(&value);

		while (value_next(&iter, nullptr, &member))
			n++;
	} else if (value.tag == VALUE_STRING) {
		for (size_t i = 0; i < value.len; i++)
			n += (value.data[i] & 0xc0) != 0x80;
	} else if (value.tag == VALUE_BYTES) {
		auto_buf struct buf plain = buf_make(value.len);

		value_text(&value, &plain);
		n = (int64_t)plain.len;
	} else {
		udf_fail(ctx, "LENGTH takes a string, bytes, array or object, not %s.",
			 value_type_name(&value));
		return;
	}
	sqlite3_result_int64(ctx, n);
}

/* The next part of text up to a separator. Returns whether there was one; an empty separator cuts off a character. */
static bool next_part(struct text *text, struct text separator, bool *done, struct text *ret)
{
	if (*done)
		return false;
	if (separator.len == 0) {
		size_t n = text->len > 0 ? step(*text) : 0;

		*ret = (struct text) { text->at, n };
		text->at += n;
		text->len -= n;
		*done = text->len == 0;
		return n > 0;
	}
	const char *found = memmem(text->at, text->len, separator.at, separator.len);
	ret->at = text->at;
	ret->len = found ? (size_t)(found - text->at) : text->len;
	*done = !found;
	if (found) {
		text->len -= ret->len + separator.len;
		text->at += ret->len + separator.len;
	}
	return true;
}

static void split(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct text text, separator, part;
	bool done = false;

	if (udf_any_null(n, args) || !text_arg(ctx, args[0], &text) ||
	    !text_arg(ctx, args[1], &separator))
		return;
	value_put_array(&out);
	while (next_part(&text, separator, &done, &part))
		value_put_string(&out, part.at, part.len);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

static void split_part(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text text, separator, part;
	bool done = false;

	if (udf_any_null(n, args) || !text_arg(ctx, args[0], &text) ||
	    !text_arg(ctx, args[1], &separator))
		return;
	int64_t want = sqlite3_value_int64(args[2]);
	while (next_part(&text, separator, &done, &part))
		if (--want == 0) {
			sqlite3_result_text64(ctx, part.at, part.len, SQLITE_TRANSIENT,
					      SQLITE_UTF8);
			return;
		}
}

static void pad(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	bool left = sqlite3_user_data(ctx) != nullptr;
	struct text text, fill = { " ", 1 };
	int64_t have = 0;

	if (udf_any_null(n, args) || !text_arg(ctx, args[0], &text) ||
	    (n == 3 && !text_arg(ctx, args[2], &fill)))
		return;
	int64_t want = sqlite3_value_int64(args[1]);
	if (want < 0 || want > 1'000'000 || fill.len == 0) {
		udf_fail(ctx,
			 "LPAD and RPAD take a length of 0 to 1000000 and something to fill with.");
		return;
	}
	size_t keep = 0;
	while (keep < text.len && have < want) {
		keep += step((struct text) { text.at + keep, text.len - keep });
		have++;
	}
	if (!left)
		buf_add(&out, text.at, keep);
	for (struct text at = fill; have < want; have++) {
		size_t s = step(at);

		buf_add(&out, at.at, s);
		at = (struct text) { at.at + s, at.len - s };
		if (at.len == 0)
			at = fill;
	}
	if (left)
		buf_add(&out, text.at, keep);
	udf_return_text(ctx, &out);
}

static void affix(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	bool end = sqlite3_user_data(ctx) != nullptr;
	struct text text, part;

	if (udf_any_null(n, args) || !text_arg(ctx, args[0], &text) ||
	    !text_arg(ctx, args[1], &part))
		return;
	udf_return_bool(ctx,
			part.len <= text.len && memcmp(text.at + (end ? text.len - part.len : 0),
						       part.at, part.len) == 0);
}

/* The bytes of a string or bytes value. */
static bool bytes_of(sqlite3_context *ctx, sqlite3_value *arg, struct buf *out)
{
	struct value value;

	udf_value(arg, &value);
	if (value.tag == VALUE_NULL)
		return false;
	if (value.tag != VALUE_STRING && value.tag != VALUE_BYTES) {
		udf_fail(ctx, "A string or bytes was expected here, not %s.",
			 value_type_name(&value));
		return false;
	}
	value_text(&value, out);
	return true;
}

static void sha256(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX), out = buf_make(256);
	uint8_t hash[CRYPTO_HASH];

	if (!bytes_of(ctx, args[0], &in))
		return;
	if (buf_error(&in) || crypto_sha256(in.data, in.len, hash)) {
		udf_fail(ctx, "SHA256 could not be computed.");
		return;
	}
	value_put_bytes(&out, hash, sizeof(hash));
	udf_return_packed(ctx, &out);
}

static void encode(sqlite3_context *ctx, int, sqlite3_value **args)
{
	bool hex = sqlite3_user_data(ctx) != nullptr;
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX / 4), out = buf_make(UDF_RESULT_MAX);

	if (!bytes_of(ctx, args[0], &in))
		return;
	size_t len = hex ? 2 * in.len : crypto_base64_len(in.len);
	char *at = (char *)buf_reserve(&out, len + 1);
	if (at && hex)
		crypto_hex(in.data, in.len, at);
	else if (at)
		crypto_base64(in.data, in.len, at);
	out.len += at ? len : 0;
	if (buf_error(&in))
		out.error = buf_error(&in);
	udf_return_text(ctx, &out);
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

	if (udf_any_null(1, args) || !text_arg(ctx, args[0], &text))
		return;
	yyjson_doc *doc = yyjson_read(text.at, text.len, YYJSON_READ_NOFLAG);
	int r = doc ? value_from_json(yyjson_doc_get_root(doc), &out) : VALUE_JSON_BAD_TYPE;
	yyjson_doc_free(doc);
	if (r > 0)
		udf_fail(ctx, "JSON_PARSE: the text is not valid JSON.");
	else
		udf_return_packed(ctx, &out);
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
		{ "int", "int" },	 { "integer", "int" },
		{ "int64", "int" },	 { "bigint", "int" },
		{ "float", "float" },	 { "double", "float" },
		{ "bool", "bool" },	 { "boolean", "bool" },
		{ "string", "string" },	 { "char", "string" },
		{ "varchar", "string" }, { "text", "string" },
		{ "date", "date" },	 { "datetime", "datetime" },
		{ "time", "time" },	 { "timestamp", "timestamp" },
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

		put_text(value, &text);
		value_put_string(out, (const char *)text.data, text.len);
		return buf_error(&text) == 0;
	}
	if (strcmp(type, value_type_name(value)) == 0 && value->at)
		buf_add(out, value->at, value->size);
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
	auto mode = (enum cast_mode)(uintptr_t)sqlite3_user_data(ctx);
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

int udf_register_text(sqlite3 *db)
{
	static char yes;
	static const struct udf FUNCTIONS[] = {
		{ "rd_concat", -1, concat, nullptr },
		{ "rd_like", 2, like_function, nullptr },
		{ "rd_like", 3, like_function, nullptr },
		{ "rd_length", 1, length, nullptr },
		{ "rd_split", 2, split, nullptr },
		{ "rd_split_part", 3, split_part, nullptr },
		{ "rd_lpad", -1, pad, &yes },
		{ "rd_rpad", -1, pad, nullptr },
		{ "rd_starts_with", 2, affix, nullptr },
		{ "rd_ends_with", 2, affix, &yes },
		{ "rd_sha256", 1, sha256, nullptr },
		{ "rd_to_hex", 1, encode, &yes },
		{ "rd_to_base64", 1, encode, nullptr },
		{ "rd_json_format", 1, json_format, nullptr },
		{ "rd_json_parse", 1, json_parse, nullptr },
		{ "rd_cast", 2, cast, (void *)CAST_FAIL },
		{ "rd_try_cast", 2, cast, (void *)CAST_NULL },
		{ "rd_as", 2, cast, (void *)CAST_KEEP },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
