/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/udf.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* An argument that must be an array. False for NULL; the query fails for anything else. */
static bool array_arg(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret)
{
	udf_value(arg, ret);
	if (ret->tag == VALUE_ARRAY)
		return true;
	if (ret->tag != VALUE_NULL)
		udf_fail(ctx, "An array was expected here, not %s.", value_type_name(ret));
	return false;
}

static void array(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	value_put_array(&out);
	for (int i = 0; i < n; i++)
		udf_pack(args[i], &out);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

/* rd_object(key, value, …); of two equal keys the last counts. */
static void object(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	value_put_object(&out);
	for (int i = 0; i + 1 < n; i += 2) {
		bool again = false;

		if (sqlite3_value_type(args[i]) != SQLITE_TEXT) {
			udf_fail(ctx, "The name of an object's member must be a string.");
			return;
		}
		const char *key = (const char *)sqlite3_value_text(args[i]);
		for (int k = i + 2; key && k + 1 < n; k += 2) {
			const char *later = (const char *)sqlite3_value_text(args[k]);

			again |= later && strcmp(key, later) == 0;
		}
		if (again || !key)
			continue;
		value_put_key(&out, key, (size_t)sqlite3_value_bytes(args[i]));
		udf_pack(args[i + 1], &out);
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

static bool same(const struct value *a, const struct buf *b)
{
	return a->size == b->len && memcmp(a->at, b->data, b->len) == 0;
}

/* ARRAY_CONTAINS, ARRAY_POSITION: the user data is set for the position. */
static void position(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf want = buf_make(UDF_RESULT_MAX);
	struct value list, member;
	int64_t n = 0, found = 0;

	if (!array_arg(ctx, args[0], &list) || sqlite3_value_type(args[1]) == SQLITE_NULL)
		return;
	udf_pack(args[1], &want);
	struct value_iter iter = value_iterate(&list);
	while (found == 0 && value_next(&iter, nullptr, &member)) {
		n++;
		if (same(&member, &want))
			found = n;
	}
	if (udf_data(ctx))
		sqlite3_result_int64(ctx, found);
	else
		udf_return_bool(ctx, found > 0);
}

static void array_remove(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf want = buf_make(UDF_RESULT_MAX), out = buf_make(UDF_RESULT_MAX);
	struct value list, member;

	if (!array_arg(ctx, args[0], &list))
		return;
	udf_pack(args[1], &want);
	value_put_array(&out);
	struct value_iter iter = value_iterate(&list);
	while (value_next(&iter, nullptr, &member))
		if (!same(&member, &want))
			buf_add(&out, member.at, member.size);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

static void array_concat(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct value list;

	value_put_array(&out);
	for (int i = 0; i < n; i++) {
		if (!array_arg(ctx, args[i], &list))
			return;
		buf_add(&out, list.data, list.len);
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

static void array_flatten(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct value list, member;

	if (!array_arg(ctx, args[0], &list))
		return;
	value_put_array(&out);
	struct value_iter iter = value_iterate(&list);
	while (value_next(&iter, nullptr, &member)) {
		if (member.tag == VALUE_ARRAY)
			buf_add(&out, member.data, member.len);
		else
			buf_add(&out, member.at, member.size);
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

static int value_order(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	size_t n = x->size < y->size ? x->size : y->size;
	int r = memcmp(x->at, y->at, n);

	if (r)
		return r;
	return (x->size > y->size) - (x->size < y->size);
}

/* The members of an array in order. Returns nullptr if it is empty or memory is short, which *ret_n tells apart. */
static struct value *sorted(sqlite3_context *ctx, const struct value *list, size_t *ret_n)
{
	struct value_iter iter = value_iterate(list);
	struct value member, *all = nullptr;
	size_t n = 0, room = 0;

	*ret_n = 0;
	while (value_next(&iter, nullptr, &member)) {
		if (n == room) {
			room = room ? 2 * room : 16;
			struct value *grown = reallocarray(all, room, sizeof(*all));

			if (!grown) {
				free(all);
				sqlite3_result_error_nomem(ctx);
				return nullptr;
			}
			all = grown;
		}
		all[n++] = member;
	}
	if (n > 1)
		qsort(all, n, sizeof(*all), value_order);
	*ret_n = n;
	return all;
}

/* ARRAY_SORT, ARRAY_DISTINCT (user data set): the latter keeps the first of equals, in order of value. */
static void array_sort(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	bool distinct = udf_data(ctx) != nullptr;
	struct value list;
	size_t n;

	if (!array_arg(ctx, args[0], &list))
		return;
	auto_free struct value *all = sorted(ctx, &list, &n);
	if (!all && list.len > 0)
		return;
	value_put_array(&out);
	for (size_t i = 0; all && i < n; i++)
		if (!distinct || i == 0 || value_order(&all[i - 1], &all[i]) != 0)
			buf_add(&out, all[i].at, all[i].size);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

/* ARRAY_MIN, ARRAY_MAX (user data set); nulls do not count. */
static void array_extreme(sqlite3_context *ctx, int, sqlite3_value **args)
{
	bool max = udf_data(ctx) != nullptr;
	struct value list, member, best = { .tag = VALUE_NULL };

	if (!array_arg(ctx, args[0], &list))
		return;
	struct value_iter iter = value_iterate(&list);
	while (value_next(&iter, nullptr, &member)) {
		if (member.tag == VALUE_NULL)
			continue;
		int order = best.tag == VALUE_NULL ? 0 : value_order(&member, &best);

		if (best.tag == VALUE_NULL || (max ? order > 0 : order < 0))
			best = member;
	}
	udf_return(ctx, &best);
}

/* ARRAY_JOIN(array, separator[, text for null]) */
static void array_join(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	const char *separator = (const char *)sqlite3_value_text(args[1]);
	const char *null = n == 3 ? (const char *)sqlite3_value_text(args[2]) : nullptr;
	struct value list, member;
	bool first = true;

	if (!array_arg(ctx, args[0], &list) || !separator)
		return;
	struct value_iter iter = value_iterate(&list);
	while (value_next(&iter, nullptr, &member)) {
		if (member.tag == VALUE_NULL && !null)
			continue;
		if (member.tag != VALUE_NULL && member.tag != VALUE_STRING) {
			udf_fail(ctx, "ARRAY_JOIN takes an array of strings, not of %s.",
				 value_type_name(&member));
			return;
		}
		if (!first)
			buf_add_str(&out, separator);
		first = false;
		if (member.tag == VALUE_NULL)
			buf_add_str(&out, null);
		else
			value_text(&member, &out);
	}
	udf_return_text(ctx, &out);
}

/* SEQUENCE(from, to[, step]) */
static void sequence(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	constexpr int64_t members_max = 1'000'000;
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	int64_t from = sqlite3_value_int64(args[0]), to = sqlite3_value_int64(args[1]);
	int64_t step = n == 3 ? sqlite3_value_int64(args[2]) : 1;
	double count = step ? ((double)to - (double)from) / (double)step : 0;

	if (udf_any_null(n, args))
		return;
	if (step == 0 || count > (double)members_max) {
		udf_fail(ctx, "SEQUENCE yields at most 1000000 numbers, by a step other than 0.");
		return;
	}
	value_put_array(&out);
	for (int64_t i = 0; i <= (int64_t)count && count >= 0; i++)
		value_put_int(&out, from + i * step); /* between from and to */
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

enum parts : uintptr_t {
	KEYS,
	VALUES,
	ITEMS
};

/* KEYS, VALUES, ITEMS(object) */
static void members(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	auto parts = (enum parts)(uintptr_t)udf_data(ctx);
	struct value all, key, member;

	udf_value(args[0], &all);
	if (all.tag == VALUE_NULL)
		return;
	if (all.tag != VALUE_OBJECT) {
		udf_fail(ctx, "An object was expected here, not %s.", value_type_name(&all));
		return;
	}
	value_put_array(&out);
	struct value_iter iter = value_iterate(&all);
	while (value_next(&iter, &key, &member)) {
		if (parts == ITEMS)
			value_put_array(&out);
		if (parts != VALUES) { /* a key is a string without its tag */
			uint8_t tag = VALUE_STRING;

			buf_add(&out, &tag, 1);
			buf_add(&out, key.data, key.len + 1);
		}
		if (parts != KEYS)
			buf_add(&out, member.at, member.size);
		if (parts == ITEMS)
			value_put_end(&out);
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

int udf_register_array(sqlite3 *db)
{
	static char yes;
	static const struct udf FUNCTIONS[] = {
		{ "rd_array", -1, array, nullptr },
		{ "rd_object", -1, object, nullptr },
		{ "rd_array_contains", 2, position, nullptr },
		{ "rd_array_position", 2, position, &yes },
		{ "rd_array_remove", 2, array_remove, nullptr },
		{ "rd_array_concat", -1, array_concat, nullptr },
		{ "rd_array_flatten", 1, array_flatten, nullptr },
		{ "rd_array_sort", 1, array_sort, nullptr },
		{ "rd_array_distinct", 1, array_sort, &yes },
		{ "rd_array_min", 1, array_extreme, nullptr },
		{ "rd_array_max", 1, array_extreme, &yes },
		{ "rd_array_join", -1, array_join, nullptr },
		{ "rd_sequence", -1, sequence, nullptr },
		{ "rd_keys", 1, members, (void *)KEYS },
		{ "rd_values", 1, members, (void *)VALUES },
		{ "rd_items", 1, members, (void *)ITEMS },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
