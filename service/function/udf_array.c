/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

static void array(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	value_put_array(&out);
	for (int i = 0; i < n; i++)
		udf_pack(args[i], &out);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

static bool same(const struct value *a, const struct buf *b)
{
	return a->size == b->len && memcmp(a->at, b->data, b->len) == 0;
}

enum where : uintptr_t {
	ANYWHERE,
	FIRST,
	LAST
};

/* ARRAY_CONTAINS, ARRAY_POSITION, ARRAY_LAST_POSITION: the user data says which. */
static void position(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf want = buf_make(UDF_RESULT_MAX);
	struct value list, member;
	auto where = (enum where)(uintptr_t)udf_data(ctx);
	int64_t n = 0, found = 0;

	if (!udf_array(ctx, args[0], &list) || sqlite3_value_type(args[1]) == SQLITE_NULL)
		return;
	udf_pack(args[1], &want);
	struct value_iter iter = value_iterate(&list);
	while ((found == 0 || where == LAST) && value_next(&iter, nullptr, &member)) {
		n++;
		if (same(&member, &want))
			found = n;
	}
	if (where != ANYWHERE)
		sqlite3_result_int64(ctx, found);
	else
		udf_return_bool(ctx, found > 0);
}

static void array_remove(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf want = buf_make(UDF_RESULT_MAX), out = buf_make(UDF_RESULT_MAX);
	struct value list, member;

	if (!udf_array(ctx, args[0], &list))
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
		if (!udf_array(ctx, args[i], &list))
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

	if (!udf_array(ctx, args[0], &list))
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

constexpr size_t LIST_MAX =
	2u << 20; /* members of an array that is put in another order; each takes a struct value */

/* The members of an array. Returns nullptr if it has none or, with the query failed, if it has too many or memory is short. */
static struct value *listed(sqlite3_context *ctx, const struct value *list, size_t *ret_n)
{
	struct value_iter iter = value_iterate(list);
	struct value member, *all = nullptr;
	size_t n = 0, room = 0;

	*ret_n = 0;
	while (value_next(&iter, nullptr, &member)) {
		if (n == LIST_MAX) {
			free(all);
			sqlite3_result_error_toobig(ctx);
			return nullptr;
		}
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
	*ret_n = n;
	return all;
}

/* As listed(), in order of value. */
static struct value *sorted(sqlite3_context *ctx, const struct value *list, size_t *ret_n)
{
	auto_free struct value *all = listed(ctx, list, ret_n);

	if (all && !udf_sort(ctx, all, *ret_n, sizeof(*all), value_order))
		return nullptr;
	return TAKE(all);
}

/* ARRAY_SORT, ARRAY_DISTINCT (user data set): the latter keeps the first of equals, in order of value. */
static void array_sort(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	bool distinct = udf_data(ctx) != nullptr;
	struct value list;
	size_t n;

	if (!udf_array(ctx, args[0], &list))
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

enum set : uintptr_t {
	UNION,
	INTERSECT,
	EXCEPT
};

/* Append what a set operation makes of two sorted lists. */
static void put_set(enum set set, const struct value *a, size_t n_a, const struct value *b,
		    size_t n_b, struct buf *out)
{
	size_t i = 0, k = 0;

	while (i < n_a || k < n_b) {
		int order = i == n_a ? 1 : k == n_b ? -1 : value_order(&a[i], &b[k]);
		const struct value *at = order > 0 ? &b[k] : &a[i];

		if (set == UNION || (set == INTERSECT ? order == 0 : order < 0))
			buf_add(out, at->at, at->size);
		while (i < n_a && value_order(&a[i], at) == 0)
			i++;
		while (k < n_b && value_order(&b[k], at) == 0)
			k++;
	}
}

/* ARRAY_UNION, ARRAY_INTERSECT, ARRAY_EXCEPT(a, b): without repetitions, in order of value. */
static void array_set(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct value a, b;
	size_t n_a, n_b;

	if (udf_any_null(n, args) || !udf_array(ctx, args[0], &a) || !udf_array(ctx, args[1], &b))
		return;
	auto_free struct value *as = sorted(ctx, &a, &n_a), *bs = sorted(ctx, &b, &n_b);
	if ((!as && a.len > 0) || (!bs && b.len > 0))
		return;
	value_put_array(&out);
	put_set((enum set)(uintptr_t)udf_data(ctx), as, as ? n_a : 0, bs, bs ? n_b : 0, &out);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

/* Return n members (all may be nullptr if there are none) as an array. */
static void return_members(sqlite3_context *ctx, const struct value *all, size_t n)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	value_put_array(&out);
	for (size_t i = 0; all && i < n; i++)
		buf_add(&out, all[i].at, all[i].size);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

/* SLICE(array, start, length): from 1; a negative start counts from the end. */
static void slice(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	int64_t start = sqlite3_value_int64(args[1]), length = sqlite3_value_int64(args[2]);
	struct value list;
	size_t count;

	if (udf_any_null(n, args) || !udf_array(ctx, args[0], &list))
		return;
	if (start == 0 || length < 0) {
		udf_fail(ctx,
			 "SLICE takes a start other than 0 and a length that is not negative.");
		return;
	}
	auto_free struct value *all = listed(ctx, &list, &count);
	if (!all && list.len > 0)
		return;
	if (start < 0)
		start += (int64_t)count;
	else
		start--;
	if (start < 0 || start > (int64_t)count)
		start = length = 0;
	if (length > (int64_t)count - start)
		length = (int64_t)count - start;
	return_members(ctx, all ? all + start : nullptr, (size_t)length);
}

static void swap(struct value *a, struct value *b)
{
	struct value kept = *a;

	*a = *b;
	*b = kept;
}

/* REVERSE(array or text) */
static void reverse(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct value list;
	struct text text;
	size_t n;

	if (sqlite3_value_type(args[0]) == SQLITE_TEXT && udf_text(ctx, args[0], &text)) {
		for (size_t end = text.len, at; end > 0; end = at) {
			at = end - 1;
			while (at > 0 && ((unsigned char)text.at[at] & 0xc0) == 0x80)
				at--;
			buf_add(&out, text.at + at, end - at);
		}
		udf_return_text(ctx, &out);
		return;
	}
	if (!udf_array(ctx, args[0], &list))
		return;
	auto_free struct value *all = listed(ctx, &list, &n);
	if (!all && list.len > 0)
		return;
	for (size_t i = 0; all && i < n / 2; i++)
		swap(&all[i], &all[n - 1 - i]);
	return_members(ctx, all, n);
}

/* ARRAY_SHUFFLE(array). Source: Fisher and Yates. */
static void shuffle(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value list;
	size_t n;

	if (!udf_array(ctx, args[0], &list))
		return;
	auto_free struct value *all = listed(ctx, &list, &n);
	if (!all && list.len > 0)
		return;
	for (size_t i = n; all && i > 1; i--) {
		uint64_t random;

		sqlite3_randomness(sizeof(random), &random);
		swap(&all[i - 1], &all[random % i]);
	}
	return_members(ctx, all, n);
}

/* ARRAY_MIN, ARRAY_MAX (user data set); nulls do not count. */
static void array_extreme(sqlite3_context *ctx, int, sqlite3_value **args)
{
	bool max = udf_data(ctx) != nullptr;
	struct value list, member, best = { .tag = VALUE_NULL };

	if (!udf_array(ctx, args[0], &list))
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

	if (!udf_array(ctx, args[0], &list) || !separator)
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

int udf_register_array(sqlite3 *db)
{
	static char yes;
	static const struct udf FUNCTIONS[] = {
		{ "rd_array", -1, array, nullptr },
		{ "rd_array_contains", 2, position, (void *)ANYWHERE },
		{ "rd_array_position", 2, position, (void *)FIRST },
		{ "rd_array_last_position", 2, position, (void *)LAST },
		{ "rd_array_remove", 2, array_remove, nullptr },
		{ "rd_array_concat", -1, array_concat, nullptr },
		{ "rd_array_flatten", 1, array_flatten, nullptr },
		{ "rd_array_sort", 1, array_sort, nullptr },
		{ "rd_array_distinct", 1, array_sort, &yes },
		{ "rd_array_min", 1, array_extreme, nullptr },
		{ "rd_array_max", 1, array_extreme, &yes },
		{ "rd_array_union", 2, array_set, (void *)UNION },
		{ "rd_array_intersect", 2, array_set, (void *)INTERSECT },
		{ "rd_array_except", 2, array_set, (void *)EXCEPT },
		{ "rd_slice", 3, slice, nullptr },
		{ "rd_reverse", 1, reverse, nullptr },
		{ "rd_array_join", -1, array_join, nullptr },
		{ "rd_sequence", -1, sequence, nullptr },
	};

	static const struct udf VARYING[] = {
		{ "rd_array_shuffle", 1, shuffle, nullptr },
	};
	int r = udf_register(db, FUNCTIONS, countof(FUNCTIONS));

	return r ? r : udf_register_varying(db, VARYING, countof(VARYING));
}
