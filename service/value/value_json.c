/* SPDX-License-Identifier: Apache-2.0 */
#include "service/value/value_json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yyjson.h>

#include "common/buf.h"
#include "common/crypto/crypto.h"
#include "service/value/civil.h"
#include "service/value/value.h"

constexpr size_t FEW_MEMBERS = 16; /* below this, comparing each with each is fastest */

/* One open array or object of the JSON being packed. */
struct level {
	yyjson_obj_iter object;
	yyjson_arr_iter array;
	bool *skip; /* [members] duplicates to leave out, or nullptr */
	size_t index;
	bool is_object;
};

static bool same_key(yyjson_val *a, yyjson_val *b)
{
	return yyjson_get_len(a) == yyjson_get_len(b) &&
	       memcmp(yyjson_get_str(a), yyjson_get_str(b), yyjson_get_len(a)) == 0;
}

struct member {
	yyjson_val *key;
	size_t index;
};

static int member_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t x_len = yyjson_get_len(x->key), y_len = yyjson_get_len(y->key);

	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	int r = memcmp(yyjson_get_str(x->key), yyjson_get_str(y->key), x_len);
	if (r)
		return r;
	return x->index < y->index ? -1 : 1;
}

static bool has_duplicates(yyjson_val *object)
{
	yyjson_val *seen[FEW_MEMBERS];
	size_t n = 0, i, max;
	yyjson_val *key, *value;

	yyjson_obj_foreach(object, i, max, key, value)
	{
		for (size_t k = 0; k < n; k++)
			if (same_key(seen[k], key))
				return true;
		seen[n++] = key;
	}
	return false;
}

/* Mark every member that a later one of the same name replaces. *ret stays nullptr if there is none. */
static int mark_duplicates(yyjson_val *object, bool **ret)
{
	size_t count = yyjson_obj_size(object), n = 0, i, max, found = 0;
	yyjson_val *key, *value;

	if (count <= FEW_MEMBERS && !has_duplicates(object))
		return 0;

	auto_free struct member *members = calloc(count, sizeof(*members));
	auto_free bool *skip = calloc(count, sizeof(*skip));
	if (!members || !skip)
		return -ENOMEM;
	yyjson_obj_foreach(object, i, max, key, value)
	{
		members[n] = (struct member) { key, n };
		n++;
	}
	qsort(members, n, sizeof(*members), member_order);
	for (size_t k = 0; k + 1 < n; k++)
		if (same_key(members[k].key, members[k + 1].key)) {
			skip[members[k].index] = true;
			found++;
		}
	if (found > 0)
		*ret = TAKE(skip);
	return 0;
}

static int put_typed_text(enum value_tag tag, const char *text, size_t len, struct buf *out)
{
	int64_t us;
	bool has_time, has_zone;

	if (tag == VALUE_TIME) {
		if (!civil_parse_time(text, len, &us))
			return VALUE_JSON_BAD_TYPE;
	} else {
		if (!civil_parse(text, len, &us, &has_time, &has_zone))
			return VALUE_JSON_BAD_TYPE;
		if ((tag == VALUE_DATE && has_time) || (tag == VALUE_DATETIME && has_zone))
			return VALUE_JSON_BAD_TYPE;
		if (tag == VALUE_DATE)
			us /= CIVIL_DAY_US; /* exact: there is no time of day */
	}
	value_put_moment(out, tag, us);
	return 0;
}

static const struct {
	const char *name;
	enum value_tag tag;
	bool text, number; /* which JSON forms of the value are allowed */
} TYPES[] = {
	{ "date", VALUE_DATE, true, false },
	{ "datetime", VALUE_DATETIME, true, false },
	{ "time", VALUE_TIME, true, false },
	{ "timestamp", VALUE_TIMESTAMP, true, true },
	{ "microsecond_interval", VALUE_INTERVAL, false, true },
	{ "month_interval", VALUE_MONTHS, false, true },
	{ "bytes", VALUE_BYTES, true, false },
};

bool value_from_text(const char *type, const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < countof(TYPES); i++)
		if (strcasecmp(type, TYPES[i].name) == 0 && TYPES[i].text &&
		    TYPES[i].tag != VALUE_BYTES)
			return put_typed_text(TYPES[i].tag, text, len, out) == 0;
	return false;
}

static int put_base64(yyjson_val *value, struct buf *out)
{
	size_t len = yyjson_get_len(value), n;
	auto_free uint8_t *data = malloc(len + 1);

	if (!data)
		return -ENOMEM;
	if (!crypto_base64_decode(yyjson_get_str(value), len, data, len + 1, &n))
		return VALUE_JSON_BAD_TYPE;
	value_put_bytes(out, data, n);
	return 0;
}

/* Pack an object that says its type. */
static int put_extended(yyjson_val *object, struct buf *out)
{
	const char *type = yyjson_get_str(yyjson_obj_get(object, "__rockset_type"));
	yyjson_val *value = yyjson_obj_get(object, "value");
	size_t i = 0;

	while (type && i < countof(TYPES) && strcasecmp(type, TYPES[i].name) != 0)
		i++;
	if (!type || i == countof(TYPES))
		return VALUE_JSON_BAD_TYPE;
	if (TYPES[i].number && yyjson_is_int(value)) {
		if (yyjson_is_uint(value) && yyjson_get_uint(value) > INT64_MAX)
			return VALUE_JSON_BAD_TYPE;
		value_put_moment(out, TYPES[i].tag, yyjson_get_sint(value));
		return 0;
	}
	if (!TYPES[i].text || !yyjson_is_str(value))
		return VALUE_JSON_BAD_TYPE;
	if (TYPES[i].tag == VALUE_BYTES)
		return put_base64(value, out);
	return put_typed_text(TYPES[i].tag, yyjson_get_str(value), yyjson_get_len(value), out);
}

static void put_scalar(yyjson_val *json, struct buf *out)
{
	if (yyjson_is_null(json))
		value_put_null(out);
	else if (yyjson_is_bool(json))
		value_put_bool(out, yyjson_get_bool(json));
	else if (yyjson_is_str(json))
		value_put_string(out, yyjson_get_str(json), yyjson_get_len(json));
	else if (yyjson_is_uint(json) && yyjson_get_uint(json) > INT64_MAX)
		value_put_float(out, (double)yyjson_get_uint(json));
	else if (yyjson_is_int(json))
		value_put_int(out, yyjson_get_sint(json));
	else
		value_put_float(out, yyjson_get_num(json));
}

/* Pack a value; an array or object is opened as the next level. */
static int put_value(yyjson_val *json, struct level *levels, size_t *depth, struct buf *out)
{
	if (!yyjson_is_ctn(json)) {
		put_scalar(json, out);
		return 0;
	}
	if (yyjson_is_obj(json) && yyjson_obj_get(json, "__rockset_type"))
		return put_extended(json, out);
	if (*depth == VALUE_JSON_DEPTH_MAX)
		return VALUE_JSON_TOO_DEEP;

	struct level *level = &levels[*depth];
	*level = (struct level) { .is_object = yyjson_is_obj(json) };
	if (level->is_object) {
		int r = mark_duplicates(json, &level->skip);

		if (r)
			return r;
		value_put_object(out);
		level->object = yyjson_obj_iter_with(json);
	} else {
		value_put_array(out);
		level->array = yyjson_arr_iter_with(json);
	}
	++*depth;
	return 0;
}

/* The next member of the innermost level, its name already written; nullptr at its end. */
static yyjson_val *next_member(struct level *level, struct buf *out)
{
	if (!level->is_object)
		return yyjson_arr_iter_next(&level->array);
	for (;;) {
		yyjson_val *key = yyjson_obj_iter_next(&level->object);

		if (!key)
			return nullptr;
		if (level->skip && level->skip[level->index++])
			continue;
		value_put_key(out, yyjson_get_str(key), yyjson_get_len(key));
		return yyjson_obj_iter_get_val(key);
	}
}

int value_from_json(yyjson_val *json, struct buf *out)
{
	struct level levels[VALUE_JSON_DEPTH_MAX];
	size_t depth = 0;
	int r = put_value(json, levels, &depth, out);

	while (r == 0 && depth > 0) {
		yyjson_val *member = next_member(&levels[depth - 1], out);

		if (member) {
			r = put_value(member, levels, &depth, out);
			continue;
		}
		value_put_end(out);
		free(levels[--depth].skip);
	}
	while (depth > 0)
		free(levels[--depth].skip);
	return r ? r : buf_error(out);
}

void value_float_json(double value, struct buf *out)
{
	char text[40];
	int len = 0;

	if (!isfinite(value)) {
		buf_add_str(out, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		len = snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, nullptr) == value)
			break;
	}
	if (!strpbrk(text, ".e"))
		len += snprintf(text + len, sizeof(text) - (size_t)len, ".0");
	buf_add(out, text, (size_t)len);
}

/* Append the text of a STRING as JSON. */
static void string_json(const struct value *value, struct buf *out)
{
	if (!value->escaped) {
		buf_add_json(out, (const char *)value->data, value->len);
		return;
	}
	auto_buf struct buf plain = buf_make(value->len);
	value_text(value, &plain);
	if (buf_error(&plain))
		out->error = buf_error(&plain);
	else
		buf_add_json(out, (const char *)plain.data, plain.len);
}

static void bytes_json(const struct value *value, struct buf *out)
{
	auto_buf struct buf plain = buf_make(value->len);

	value_text(value, &plain);
	buf_add_str(out, "{\"__rockset_type\":\"BYTES\",\"encoding\":\"base64\",\"value\":\"");
	uint8_t *at = buf_reserve(out, crypto_base64_len(plain.len) + 1);
	if (!at)
		return;
	crypto_base64(plain.data, plain.len, (char *)at);
	out->len += crypto_base64_len(plain.len);
	buf_add_str(out, "\"}");
}

static void typed_json(const char *type, const char *text, struct buf *out)
{
	buf_addf(out, "{\"__rockset_type\":\"%s\",\"value\":\"%s\"}", type, text);
}

static void scalar_json(const struct value *value, enum value_json_form form, struct buf *out)
{
	char text[CIVIL_TEXT];

	switch (value->tag) {
	case VALUE_FALSE:
	case VALUE_TRUE:
		buf_add_str(out, value->tag == VALUE_TRUE ? "true" : "false");
		return;
	case VALUE_NUMBER:
		if (value->is_int)
			buf_addf(out, "%" PRIi64, value->i);
		else
			value_float_json(value->f, out);
		return;
	case VALUE_STRING:
		string_json(value, out);
		return;
	case VALUE_BYTES:
		bytes_json(value, out);
		return;
	case VALUE_DATE:
		civil_date_text(value->i, text);
		typed_json("DATE", text, out);
		return;
	case VALUE_DATETIME:
		civil_datetime_text(value->i, text);
		typed_json("DATETIME", text, out);
		return;
	case VALUE_TIME:
		civil_time_text(value->i, text);
		typed_json("TIME", text, out);
		return;
	case VALUE_TIMESTAMP:
		civil_timestamp_text(value->i, text);
		if (form == VALUE_JSON_EXACT)
			buf_addf(out, "{\"__rockset_type\":\"TIMESTAMP\",\"value\":%" PRIi64 "}",
				 value->i);
		else
			buf_addf(out, "\"%s\"", text);
		return;
	case VALUE_INTERVAL:
	case VALUE_MONTHS:
		buf_addf(out, "{\"__rockset_type\":\"%s\",\"value\":%" PRIi64 "}",
			 value->tag == VALUE_MONTHS ? "MONTH_INTERVAL" : "MICROSECOND_INTERVAL",
			 value->i);
		return;
	case VALUE_END:
	case VALUE_NULL:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		break;
	}
	buf_add_str(out, "null");
}

int value_to_json(const struct value *value, enum value_json_form form, struct buf *out)
{
	struct value_iter levels[VALUE_DEPTH_MAX];
	size_t depth = 0;
	struct value current = *value, key;

	for (;;) {
		bool container = current.tag == VALUE_ARRAY || current.tag == VALUE_OBJECT;

		if (container && depth == VALUE_DEPTH_MAX)
			return -EIO;
		if (container) {
			buf_add_str(out, current.tag == VALUE_OBJECT ? "{" : "[");
			levels[depth++] = value_iterate(&current);
		} else {
			scalar_json(&current, form, out);
		}

		bool first = container;
		while (depth > 0 && !value_next(&levels[depth - 1], &key, &current)) {
			if (levels[depth - 1].len > 0)
				return -EIO;
			buf_add_str(out, levels[depth - 1].object ? "}" : "]");
			depth--;
			first = false;
		}
		if (depth == 0)
			return 0;
		if (!first)
			buf_add_str(out, ",");
		if (levels[depth - 1].object) {
			string_json(&key, out);
			buf_add_str(out, ":");
		}
	}
}
