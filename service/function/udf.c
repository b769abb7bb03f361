/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "service/crew/exec.h"

void udf_value(sqlite3_value *arg, struct value *ret)
{
	switch (sqlite3_value_type(arg)) {
	case SQLITE_INTEGER: {
		sqlite3_int64 i = sqlite3_value_int64(arg);

		*ret = (struct value) {
			.tag = VALUE_NUMBER, .is_int = true, .i = i, .f = (double)i
		};
		return;
	}
	case SQLITE_FLOAT:
		*ret = (struct value) { .tag = VALUE_NUMBER, .f = sqlite3_value_double(arg) };
		return;
	case SQLITE_TEXT:
		*ret = (struct value) { .tag = VALUE_STRING };
		ret->data = sqlite3_value_text(arg);
		ret->len = ret->data ? (size_t)sqlite3_value_bytes(arg) : 0;
		return;
	case SQLITE_BLOB: {
		const uint8_t *data = sqlite3_value_blob(arg);

		if (data && value_open(data, (size_t)sqlite3_value_bytes(arg), ret))
			return;
		break;
	}
	default:
		break;
	}
	*ret = (struct value) { .tag = VALUE_NULL };
}

void udf_pack(sqlite3_value *arg, struct buf *out)
{
	struct value value;

	udf_value(arg, &value);
	if (value.at)
		buf_add(out, value.at, value.size);
	else if (value.tag == VALUE_STRING)
		value_put_string(out, (const char *)value.data, value.len);
	else if (value.tag == VALUE_NUMBER && value.is_int)
		value_put_int(out, value.i);
	else if (value.tag == VALUE_NUMBER)
		value_put_float(out, value.f);
	else
		value_put_null(out);
}

void udf_return(sqlite3_context *ctx, const struct value *value)
{
	if (value->tag == VALUE_NULL || value->tag == VALUE_END) {
		sqlite3_result_null(ctx);
	} else if (value->tag == VALUE_NUMBER && value->is_int) {
		sqlite3_result_int64(ctx, value->i);
	} else if (value->tag == VALUE_NUMBER && (!isnan(value->f) || !value->at)) {
		sqlite3_result_double(ctx, value->f); /* of a NaN it would make NULL */
	} else if (value->tag == VALUE_STRING && !value->escaped) {
		sqlite3_result_text64(ctx, (const char *)value->data, value->len, SQLITE_TRANSIENT,
				      SQLITE_UTF8);
	} else if (value->tag == VALUE_STRING) {
		auto_buf struct buf plain = buf_make(value->len);

		value_text(value, &plain);
		udf_return_text(ctx, &plain);
	} else {
		sqlite3_result_blob64(ctx, value->at, value->size, SQLITE_TRANSIENT);
	}
}

/* Report a buffer's error. Returns whether there was one. */
static bool failed(sqlite3_context *ctx, const struct buf *buf)
{
	int r = buf_error(buf);

	if (r == -EMSGSIZE)
		sqlite3_result_error_toobig(ctx);
	else if (r)
		sqlite3_result_error_nomem(ctx);
	return r != 0;
}

void udf_return_packed(sqlite3_context *ctx, struct buf *buf)
{
	struct value value;

	if (failed(ctx, buf))
		return;
	if (value_open(buf->data, buf->len, &value))
		udf_return(ctx, &value);
	else
		sqlite3_result_null(ctx);
}

void udf_return_text(sqlite3_context *ctx, struct buf *buf)
{
	if (!failed(ctx, buf))
		sqlite3_result_text64(ctx, buf->data ? (const char *)buf->data : "", buf->len,
				      SQLITE_TRANSIENT, SQLITE_UTF8);
}

void udf_return_bool(sqlite3_context *ctx, bool value)
{
	static const uint8_t BOOLS[] = { VALUE_FALSE, VALUE_TRUE };

	sqlite3_result_blob(ctx, &BOOLS[value], 1, SQLITE_STATIC);
}

void udf_return_moment(sqlite3_context *ctx, enum value_tag tag, int64_t value)
{
	auto_buf struct buf packed = buf_make(16);

	value_put_moment(&packed, tag, value);
	udf_return_packed(ctx, &packed);
}

const struct query_limits *udf_limits(sqlite3_context *ctx)
{
	return sqlite3_get_clientdata(sqlite3_context_db_handle(ctx), UDF_LIMITS);
}

bool udf_expired(sqlite3_context *ctx)
{
	const struct query_limits *limits = udf_limits(ctx);

	if (!limits || query_limits_check(limits) == 0)
		return false;
	sqlite3_result_error_code(ctx, SQLITE_INTERRUPT);
	return true;
}

bool udf_worked(sqlite3_context *ctx, size_t *work, size_t bytes)
{
	*work += bytes;
	if (*work < UDF_WORK)
		return false;
	*work = 0;
	return udf_expired(ctx);
}

size_t udf_size(sqlite3_value *arg)
{
	int type = sqlite3_value_type(arg);

	return type == SQLITE_TEXT || type == SQLITE_BLOB ? (size_t)sqlite3_value_bytes(arg) : 8;
}

bool udf_any_null(int n, sqlite3_value **args)
{
	for (int i = 0; i < n; i++)
		if (sqlite3_value_type(args[i]) == SQLITE_NULL)
			return true;
	return false;
}

bool udf_text(sqlite3_context *ctx, sqlite3_value *arg, struct text *ret)
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

bool udf_bytes(sqlite3_context *ctx, sqlite3_value *arg, struct buf *out)
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

bool udf_array(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret)
{
	udf_value(arg, ret);
	if (ret->tag == VALUE_ARRAY)
		return true;
	if (ret->tag != VALUE_NULL)
		udf_fail(ctx, "An array was expected here, not %s.", value_type_name(ret));
	return false;
}

/* Follow keys into a value: a text names a member, a number counts elements from 1. */
static bool follow(int n, sqlite3_value **args, struct value *at)
{
	for (int i = 0; i < n; i++) {
		struct value inside;
		bool found;

		if (sqlite3_value_type(args[i]) == SQLITE_INTEGER)
			found = value_element(at, sqlite3_value_int64(args[i]), &inside);
		else
			found = sqlite3_value_type(args[i]) == SQLITE_TEXT &&
				value_field(at, (const char *)sqlite3_value_text(args[i]),
					    (size_t)sqlite3_value_bytes(args[i]), &inside);
		if (!found)
			return false;
		*at = inside;
	}
	return true;
}

/* rd_get(value, key …) */
static void get(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value value;

	if (n < 1)
		return;
	udf_value(args[0], &value);
	if (follow(n - 1, args + 1, &value))
		udf_return(ctx, &value);
}

/* rd_element_at(value, key) */
static void element_at(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value key;

	udf_value(args[1], &key);
	if (key.tag != VALUE_NULL && key.tag != VALUE_STRING &&
	    !(key.tag == VALUE_NUMBER && key.is_int))
		udf_fail(ctx, "ELEMENT_AT takes a string or an int for a key, not %s.",
			 value_type_name(&key));
	else
		get(ctx, n, args);
}

/* rd_undef(value, key …): whether that leads nowhere. */
static void undef(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct value value;

	if (n < 1)
		return;
	udf_value(args[0], &value);
	sqlite3_result_int(ctx, value.tag != VALUE_NULL && !follow(n - 1, args + 1, &value));
}

/* rd_truth(value): a bool as a condition. */
static void truth(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;

	udf_value(args[0], &value);
	if (value.tag == VALUE_TRUE || value.tag == VALUE_FALSE)
		sqlite3_result_int(ctx, value.tag == VALUE_TRUE);
	else if (value.tag != VALUE_NULL)
		udf_fail(ctx, "A condition must be a bool, not %s.", value_type_name(&value));
}

/* rd_bool(condition): the reverse. */
static void boolean(sqlite3_context *ctx, int, sqlite3_value **args)
{
	if (sqlite3_value_type(args[0]) != SQLITE_NULL)
		udf_return_bool(ctx, sqlite3_value_int(args[0]) != 0);
}

/* rd_entries(value): the same, which must be an array or object; for UNNEST. */
static void entries(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;

	udf_value(args[0], &value);
	if (value.tag == VALUE_ARRAY || value.tag == VALUE_OBJECT)
		sqlite3_result_value(ctx, args[0]);
	else if (value.tag != VALUE_NULL)
		udf_fail(ctx, "UNNEST takes an array or object, not %s.", value_type_name(&value));
}

static void type_name(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;

	udf_value(args[0], &value);
	sqlite3_result_text(ctx, value_type_name(&value), -1, SQLITE_STATIC);
}

static const struct udf FUNCTIONS[] = {
	{ "rd_element_at", 2, element_at, nullptr }, { "rd_get", -1, get, nullptr },
	{ "rd_undef", -1, undef, nullptr },	     { "rd_truth", 1, truth, nullptr },
	{ "rd_bool", 1, boolean, nullptr },	     { "rd_typeof", 1, type_name, nullptr },
	{ "rd_entries", 1, entries, nullptr },
};

int udf_register_all(sqlite3 *db)
{
	static int (*const PARTS[])(sqlite3 *) = {
		udf_register_text,    udf_register_search,    udf_register_cast,
		udf_register_hash,    udf_register_regex,     udf_register_number,
		udf_register_time,    udf_register_array,     udf_register_format,
		udf_register_object,  udf_register_aggregate, udf_register_unnest,
		udf_register_compare,
	};
	int r = udf_registry_new(db);

	r = r ? r : udf_register(db, FUNCTIONS, countof(FUNCTIONS));
	for (size_t i = 0; r == 0 && i < countof(PARTS); i++)
		r = PARTS[i](db);
	return r;
}
