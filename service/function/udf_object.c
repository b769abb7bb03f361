/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* A member of an object that is being made. */
struct member {
	struct value key, value; /* key: a STRING, of which data and len count */
	size_t order;
	bool again; /* a later one has the same key */
};

struct members {
	struct member *member;
	size_t n, room;
	bool failed; /* memory was short */
};

static void members_done(struct members *all)
{
	free(all->member);
}

static void add_member(struct members *all, const struct value *key, const struct value *value)
{
	if (all->n == all->room && !all->failed) {
		size_t room = all->room ? 2 * all->room : 16;
		struct member *grown = reallocarray(all->member, room, sizeof(*grown));

		all->failed = !grown;
		all->member = grown ? grown : all->member;
		all->room = grown ? room : all->room;
	}
	if (all->failed)
		return;
	all->member[all->n] = (struct member) { .key = *key, .value = *value, .order = all->n };
	all->n++;
}

static int key_order(const struct value *a, const struct value *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int r = n > 0 ? memcmp(a->data, b->data, n) : 0;

	return r ? r : (a->len > b->len) - (a->len < b->len);
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int r = key_order(&x->key, &y->key);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

/* Return members as an object; of two with equal keys the last counts. */
static void return_object(sqlite3_context *ctx, struct members *all)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	if (all->failed) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	if (!udf_sort(ctx, all->member, all->n, sizeof(*all->member), by_key))
		return;
	for (size_t i = 0; i + 1 < all->n; i++)
		all->member[i].again = key_order(&all->member[i].key, &all->member[i + 1].key) == 0;
	if (!udf_sort(ctx, all->member, all->n, sizeof(*all->member), by_order))
		return;
	value_put_object(&out);
	for (size_t i = 0; i < all->n; i++) {
		const struct member *member = &all->member[i];
		uint8_t mark = 0x01; /* before a key, value.h */

		if (member->again)
			continue;
		buf_add(&out, &mark, 1);
		buf_add(&out, member->key.data, member->key.len + 1);
		buf_add(&out, member->value.at, member->value.size);
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

/* A value that must be a key. Returns whether it is; the query fails if not. */
static bool is_key(sqlite3_context *ctx, const struct value *key)
{
	if (key->tag == VALUE_STRING)
		return true;
	udf_fail(ctx, "The name of an object's member must be a string, not %s.",
		 value_type_name(key));
	return false;
}

/* rd_object(key, value, …) */
static void object(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	cleanup(members_done) struct members all = {};
	auto_buf struct buf packed = buf_make(UDF_RESULT_MAX);
	struct value list, key, value;

	value_put_array(&packed);
	for (int i = 0; i < n; i++)
		udf_pack(args[i], &packed);
	value_put_end(&packed);
	if (buf_error(&packed) || !value_open(packed.data, packed.len, &list)) {
		udf_return_packed(ctx, &packed);
		return;
	}
	struct value_iter iter = value_iterate(&list);
	while (value_next(&iter, nullptr, &key) && value_next(&iter, nullptr, &value)) {
		if (!is_key(ctx, &key))
			return;
		add_member(&all, &key, &value);
	}
	return_object(ctx, &all);
}

/* OBJECT(keys, values): two arrays of one length. */
static void object_of(sqlite3_context *ctx, int, sqlite3_value **args)
{
	cleanup(members_done) struct members all = {};
	struct value keys, values, key, value;

	if (!udf_array(ctx, args[0], &keys) || !udf_array(ctx, args[1], &values))
		return;
	struct value_iter k = value_iterate(&keys), v = value_iterate(&values);
	for (;;) {
		bool more = value_next(&k, nullptr, &key);

		if (more != value_next(&v, nullptr, &value)) {
			udf_fail(ctx, "OBJECT takes as many values as keys.");
			return;
		}
		if (!more)
			break;
		if (!is_key(ctx, &key))
			return;
		add_member(&all, &key, &value);
	}
	return_object(ctx, &all);
}

/* ZIP(entries): an array of [key, value]. */
static void object_from(sqlite3_context *ctx, sqlite3_value *arg)
{
	cleanup(members_done) struct members all = {};
	struct value entries, entry, key, value;

	if (!udf_array(ctx, arg, &entries))
		return;
	struct value_iter iter = value_iterate(&entries);
	while (value_next(&iter, nullptr, &entry)) {
		struct value_iter pair = value_iterate(&entry);

		if (entry.tag != VALUE_ARRAY || !value_next(&pair, nullptr, &key) ||
		    !value_next(&pair, nullptr, &value)) {
			udf_fail(ctx, "ZIP takes an array of [key, value].");
			return;
		}
		if (!is_key(ctx, &key))
			return;
		add_member(&all, &key, &value);
	}
	return_object(ctx, &all);
}

/* ZIP(a, b, …): an array of [a[i], b[i], …], as long as the longest; or ZIP(entries). */
static void zip(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	constexpr int lists_max = 100;
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX), row = buf_make(UDF_RESULT_MAX);
	struct value_iter iter[lists_max];
	struct value list, member;
	bool more = true;

	if (n == 1) {
		object_from(ctx, args[0]);
		return;
	}
	for (int i = 0; i < n && i < lists_max; i++) {
		if (!udf_array(ctx, args[i], &list))
			return;
		iter[i] = value_iterate(&list);
	}
	value_put_array(&out);
	while (more && !buf_error(&out)) {
		more = false;
		buf_clear(&row);
		value_put_array(&row);
		for (int i = 0; i < n && i < lists_max; i++) {
			bool has = value_next(&iter[i], nullptr, &member);

			more |= has;
			if (has)
				buf_add(&row, member.at, member.size);
			else
				value_put_null(&row);
		}
		value_put_end(&row);
		if (more)
			buf_add(&out, row.data, row.len);
		if (buf_error(&row))
			out.error = buf_error(&row);
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

/* An argument that must be an object. False for NULL; the query fails for anything else. */
static bool object_arg(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret)
{
	udf_value(arg, ret);
	if (ret->tag == VALUE_OBJECT)
		return true;
	if (ret->tag != VALUE_NULL)
		udf_fail(ctx, "An object was expected here, not %s.", value_type_name(ret));
	return false;
}

/* MERGE(a, b, …): the members of all; of equal names the last counts. */
static void merge(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	cleanup(members_done) struct members all = {};
	struct value from, key, value;

	for (int i = 0; i < n; i++) {
		if (!object_arg(ctx, args[i], &from))
			return;
		struct value_iter iter = value_iterate(&from);
		while (value_next(&iter, &key, &value))
			add_member(&all, &key, &value);
	}
	return_object(ctx, &all);
}

/* A key is a string without its tag. */
static void put_key_as_string(const struct value *key, struct buf *out)
{
	uint8_t tag = VALUE_STRING;

	buf_add(out, &tag, 1);
	buf_add(out, key->data, key->len + 1);
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

	if (!object_arg(ctx, args[0], &all))
		return;
	value_put_array(&out);
	struct value_iter iter = value_iterate(&all);
	while (value_next(&iter, &key, &member)) {
		if (parts == ITEMS)
			value_put_array(&out);
		if (parts != VALUES)
			put_key_as_string(&key, &out);
		if (parts != KEYS)
			buf_add(&out, member.at, member.size);
		if (parts == ITEMS)
			value_put_end(&out);
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

constexpr size_t FIELDS_DEPTH_MAX = 50; /* a document has at most 40 levels */

/* The way to a value inside a document: names, "*" for an element. */
struct path {
	struct value key[FIELDS_DEPTH_MAX];
	size_t n;
};

/* Append {"field": path, "type": …}. */
static void put_field(const struct path *path, const struct value *value, struct buf *out)
{
	const char *type = value_type_name(value);

	value_put_object(out);
	value_put_key(out, "field", strlen("field"));
	value_put_array(out);
	for (size_t i = 0; i < path->n; i++) {
		if (path->key[i].data)
			put_key_as_string(&path->key[i], out);
		else
			value_put_string(out, "*", 1);
	}
	value_put_end(out);
	value_put_key(out, "type", strlen("type"));
	value_put_string(out, type, strlen(type));
	value_put_end(out);
}

/* NOLINTBEGIN(misc-no-recursion): the path's room bounds it. */
static void put_fields(struct path *path, const struct value *from, struct buf *out)
{
	struct value_iter iter = value_iterate(from);
	struct value value;

	if (path->n == countof(path->key))
		return;
	for (;;) {
		struct value key = {};

		if (!value_next(&iter, &key, &value) || buf_error(out))
			return;
		path->key[path->n++] = from->tag == VALUE_OBJECT ? key : (struct value) {};
		put_field(path, &value, out);
		put_fields(path, &value, out);
		path->n--;
	}
}
/* NOLINTEND(misc-no-recursion) */

/* rd_fields(document), for DESCRIBE: an array of what each of its fields is. */
static void fields(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct path path = {};
	struct value document;

	if (!object_arg(ctx, args[0], &document))
		return;
	value_put_array(&out);
	put_fields(&path, &document, &out);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

int udf_register_object(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_object", -1, object, nullptr },
		{ "rd_object_of", 2, object_of, nullptr },
		{ "rd_zip", -1, zip, nullptr },
		{ "rd_merge", -1, merge, nullptr },
		{ "rd_fields", 1, fields, nullptr },
		{ "rd_keys", 1, members, (void *)KEYS },
		{ "rd_values", 1, members, (void *)VALUES },
		{ "rd_items", 1, members, (void *)ITEMS },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
