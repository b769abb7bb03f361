/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "service/crew/exec.h"

/* The client data of a connection: what it has registered. */
#define REGISTRY "functions"

struct registry {
	struct registered {
		const struct udf *row;
		const struct udf_aggregate *aggregate; /* whose row it is; or nullptr */
		int flags;
		unsigned int sites; /* names besides its own */
	} *item;
	size_t n, room;
	struct udf_failure failed;
};

/* The user data of one name of a function. */
struct site {
	const struct udf *row;
	struct registry *registry;
	unsigned int number;
	bool trying; /* it is the rt_ form */
};

static struct registry *registry_of(sqlite3 *db)
{
	return sqlite3_get_clientdata(db, REGISTRY);
}

static void registry_free(void *userdata)
{
	struct registry *registry = userdata;

	free(registry->item);
	free(registry);
}

static int registry_new(sqlite3 *db)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return -ENOMEM; /* SQLite frees it if it cannot keep it */
	return sqlite3_set_clientdata(db, REGISTRY, registry, registry_free) ? -ENOMEM : 0;
}

/* Register one name; flags are SQLite's. */
static int register_site(sqlite3 *db, const struct registered *item, unsigned int number,
			 bool trying)
{
	const struct udf *row = item->row;
	const struct udf_aggregate *aggregate = item->aggregate;
	struct site *site = calloc(1, sizeof(*site));
	char name[64];

	if (!site)
		return -ENOMEM;
	*site = (struct site) { row, registry_of(db), number, trying };
	int n = snprintf(name, sizeof(name), "%s%s", trying ? "rt_" : "rd_",
			 row->name + strlen("rd_"));
	if (number > 0)
		(void)snprintf(name + n, sizeof(name) - (size_t)n, "$%u", number);
	int code = aggregate ? sqlite3_create_window_function(
				       db, name, row->args, item->flags, site, row->call,
				       aggregate->final, aggregate->value, aggregate->inverse, free)
			     : sqlite3_create_function_v2(db, name, row->args, item->flags, site,
							  row->call, nullptr, nullptr, free);
	return code == SQLITE_OK ? 0 : -ENOMEM; /* SQLite has freed site then */
}

static int register_row(sqlite3 *db, const struct udf *row, const struct udf_aggregate *aggregate,
			int flags)
{
	struct registry *registry = registry_of(db);

	if (registry->n == registry->room) {
		size_t room = 2 * registry->room + 64;
		struct registered *grown = reallocarray(registry->item, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		registry->item = grown;
		registry->room = room;
	}
	struct registered *item = &registry->item[registry->n++];
	*item = (struct registered) { .row = row,
				      .aggregate = aggregate,
				      .flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | flags };
	int r = register_site(db, item, 0, false);
	return r || aggregate ? r : register_site(db, item, 0, true);
}

int udf_register(sqlite3 *db, const struct udf *table, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = register_row(db, &table[i], nullptr, SQLITE_DETERMINISTIC);
	return r;
}

int udf_register_varying(sqlite3 *db, const struct udf *table, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = register_row(db, &table[i], nullptr, 0);
	return r;
}

int udf_register_aggregates(sqlite3 *db, const struct udf_aggregate *table, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = register_row(db, &table[i].row, &table[i], SQLITE_DETERMINISTIC);
	return r;
}

int udf_add_site(sqlite3 *db, const char *function, unsigned int site)
{
	struct registry *registry = registry_of(db);
	int r = 0;

	for (size_t i = 0; i < registry->n;
	     i++) { /* some have one row for each number of arguments */
		struct registered *item = &registry->item[i];

		while (r == 0 && item->sites < site && strcmp(item->row->name, function) == 0) {
			r = register_site(db, item, item->sites + 1, false);
			item->sites += r == 0;
		}
	}
	return r;
}

struct udf_failure udf_failed(sqlite3 *db)
{
	return registry_of(db)->failed;
}

void udf_forget_failure(sqlite3 *db)
{
	registry_of(db)->failed = (struct udf_failure) {};
}

void *udf_data(sqlite3_context *ctx)
{
	const struct site *site = sqlite3_user_data(ctx);

	return site->row->data;
}

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

void udf_fail(sqlite3_context *ctx, const char *format, ...)
{
	const struct site *site = sqlite3_user_data(ctx);
	char text[256];
	va_list args;

	if (site->trying) {
		sqlite3_result_null(ctx);
		return;
	}
	site->registry->failed = (struct udf_failure) { site->row->name, site->number };
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sqlite3_result_error(ctx, text, -1);
}

bool udf_expired(sqlite3_context *ctx)
{
	sqlite3 *db = sqlite3_context_db_handle(ctx);
	const struct query_limits *limits = sqlite3_get_clientdata(db, UDF_LIMITS);

	if (!limits || query_limits_check(limits) == 0)
		return false;
	sqlite3_result_error_code(ctx, SQLITE_INTERRUPT);
	return true;
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
	{ "rd_get", -1, get, nullptr },		{ "rd_undef", -1, undef, nullptr },
	{ "rd_truth", 1, truth, nullptr },	{ "rd_bool", 1, boolean, nullptr },
	{ "rd_typeof", 1, type_name, nullptr }, { "rd_entries", 1, entries, nullptr },
};

int udf_register_all(sqlite3 *db)
{
	static int (*const PARTS[])(sqlite3 *) = {
		udf_register_text,	udf_register_cast,   udf_register_hash,
		udf_register_regex,	udf_register_number, udf_register_time,
		udf_register_array,	udf_register_format, udf_register_object,
		udf_register_aggregate, udf_register_unnest,
	};
	int r = registry_new(db);

	r = r ? r : udf_register(db, FUNCTIONS, countof(FUNCTIONS));
	for (size_t i = 0; r == 0 && i < countof(PARTS); i++)
		r = PARTS[i](db);
	return r;
}
