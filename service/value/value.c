/* SPDX-License-Identifier: Apache-2.0 */
#include "service/value/value.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"

constexpr uint8_t MEMBER = 0x01; /* before each member's name */
enum : uint8_t {
	KIND_FLOAT,
	KIND_EXACT,
	KIND_WIDE
};
constexpr uint64_t SIGN = UINT64_C(1) << 63;

static void put_be64(uint8_t *ret, uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		ret[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get_be64(const uint8_t *from)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | from[i];
	return value;
}

/* Map a double's bits so that unsigned order is numeric order. */
static uint64_t ordered(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits & SIGN ? ~bits : bits | SIGN;
}

static double unordered(uint64_t bits)
{
	double value;

	bits = bits & SIGN ? bits & ~SIGN : ~bits;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void put_tag(struct buf *out, enum value_tag tag)
{
	uint8_t byte = tag;

	buf_add(out, &byte, 1);
}

void value_put_null(struct buf *out)
{
	put_tag(out, VALUE_NULL);
}

void value_put_bool(struct buf *out, bool value)
{
	put_tag(out, value ? VALUE_TRUE : VALUE_FALSE);
}

void value_put_int(struct buf *out, int64_t value)
{
	uint8_t bytes[VALUE_NUMBER_SIZE] = { VALUE_NUMBER };
	constexpr int64_t exact = INT64_C(1) << 53;
	bool wide = value > exact || value < -exact;

	put_be64(bytes + 1, ordered((double)value));
	bytes[9] = wide ? KIND_WIDE : KIND_EXACT;
	if (wide)
		put_be64(bytes + 10, (uint64_t)value ^ SIGN);
	buf_add(out, bytes, wide ? 18 : 10);
}

void value_put_float(struct buf *out, double value)
{
	uint8_t bytes[10] = { VALUE_NUMBER };

	put_be64(bytes + 1, ordered(value));
	bytes[9] = KIND_FLOAT;
	buf_add(out, bytes, sizeof(bytes));
}

/* Append bytes with 00 escaped, and the closing 00. */
static void put_escaped(struct buf *out, const uint8_t *data, size_t len)
{
	static const uint8_t ESCAPE[] = { 0x00, 0xff };

	while (len > 0) {
		const uint8_t *zero = memchr(data, 0, len);
		size_t run = zero ? (size_t)(zero - data) : len;

		buf_add(out, data, run);
		if (zero)
			buf_add(out, ESCAPE, sizeof(ESCAPE));
		run += zero != nullptr;
		data += run;
		len -= run;
	}
	put_tag(out, VALUE_END);
}

void value_put_string(struct buf *out, const char *text, size_t len)
{
	put_tag(out, VALUE_STRING);
	put_escaped(out, (const uint8_t *)text, len);
}

void value_put_bytes(struct buf *out, const void *data, size_t len)
{
	put_tag(out, VALUE_BYTES);
	put_escaped(out, data, len);
}

void value_put_moment(struct buf *out, enum value_tag tag, int64_t value)
{
	uint8_t bytes[9] = { tag };

	put_be64(bytes + 1, (uint64_t)value ^ SIGN);
	buf_add(out, bytes, sizeof(bytes));
}

void value_put_array(struct buf *out)
{
	put_tag(out, VALUE_ARRAY);
}

void value_put_object(struct buf *out)
{
	put_tag(out, VALUE_OBJECT);
}

void value_put_key(struct buf *out, const char *name, size_t len)
{
	buf_add(out, &MEMBER, 1);
	put_escaped(out, (const uint8_t *)name, len);
}

void value_put_end(struct buf *out)
{
	put_tag(out, VALUE_END);
}

/* Find the end of escaped bytes. Returns whether there is one; ret_len is without the closing 00. */
static bool find_end(const uint8_t *data, size_t len, size_t *ret_len, bool *ret_escaped)
{
	size_t pos = 0;

	*ret_escaped = false;
	for (;;) {
		const uint8_t *zero = pos < len ? memchr(data + pos, 0, len - pos) : nullptr;

		if (!zero)
			return false;
		pos = (size_t)(zero - data);
		if (pos + 1 >= len || data[pos + 1] != 0xff) {
			*ret_len = pos;
			return true;
		}
		*ret_escaped = true;
		pos += 2;
	}
}

static bool read_number(const uint8_t *data, size_t len, struct value *ret)
{
	if (len < 10 || data[9] > KIND_WIDE || (data[9] == KIND_WIDE && len < VALUE_NUMBER_SIZE))
		return false;
	ret->f = unordered(get_be64(data + 1));
	ret->is_int = data[9] != KIND_FLOAT;
	ret->size = data[9] == KIND_WIDE ? VALUE_NUMBER_SIZE : 10;
	if (data[9] == KIND_WIDE)
		ret->i = (int64_t)(get_be64(data + 10) ^ SIGN);
	else if (ret->is_int && !(fabs(ret->f) <= 0x1p53))
		return false;
	else if (ret->is_int)
		ret->i = (int64_t)ret->f;
	return true;
}

/* Read anything but an array or object. */
static bool read_plain(const uint8_t *data, size_t len, struct value *ret)
{
	*ret = (struct value) { .tag = (enum value_tag)data[0], .at = data, .size = 1 };
	switch (ret->tag) {
	case VALUE_NULL:
	case VALUE_FALSE:
	case VALUE_TRUE:
		return true;
	case VALUE_NUMBER:
		return read_number(data, len, ret);
	case VALUE_STRING:
	case VALUE_BYTES:
		ret->data = data + 1;
		if (!find_end(data + 1, len - 1, &ret->len, &ret->escaped))
			return false;
		ret->size = ret->len + 2;
		return true;
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_TIME:
	case VALUE_TIMESTAMP:
	case VALUE_INTERVAL:
	case VALUE_MONTHS:
		ret->size = 9;
		if (len < 9)
			return false;
		ret->i = (int64_t)(get_be64(data + 1) ^ SIGN);
		return true;
	case VALUE_END:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		break;
	}
	return false;
}

/* Step over a member's name. Returns its bytes, or 0 if it is malformed. */
static size_t skip_key(const uint8_t *data, size_t len)
{
	size_t key;
	bool escaped;

	if (data[0] != MEMBER || !find_end(data + 1, len - 1, &key, &escaped))
		return 0;
	return key + 2;
}

/* The size of the array or object at data, or 0 if it is malformed or too deep. Iterative: depth is from outside. */
static size_t container_size(const uint8_t *data, size_t len)
{
	bool object[VALUE_DEPTH_MAX];
	size_t depth = 0, pos = 0;

	do {
		struct value plain;
		bool in_object = depth > 0 && object[depth - 1];

		if (pos < len && depth > 0 && data[pos] == VALUE_END) {
			depth--;
			pos++;
			continue;
		}
		if (in_object) {
			size_t key = pos < len ? skip_key(data + pos, len - pos) : 0;

			pos += key;
			if (key == 0)
				return 0;
		}
		if (pos >= len)
			return 0;
		if (data[pos] == VALUE_ARRAY || data[pos] == VALUE_OBJECT) {
			if (depth == VALUE_DEPTH_MAX)
				return 0;
			object[depth++] = data[pos++] == VALUE_OBJECT;
			continue;
		}
		if (!read_plain(data + pos, len - pos, &plain))
			return 0;
		pos += plain.size;
	} while (depth > 0);
	return pos;
}

bool value_read(const uint8_t *data, size_t len, struct value *ret)
{
	struct value value = {};

	if (len == 0)
		return false;
	if (data[0] != VALUE_ARRAY && data[0] != VALUE_OBJECT) {
		if (!read_plain(data, len, &value))
			return false;
		*ret = value;
		return true;
	}
	size_t size = container_size(data, len);
	if (size == 0)
		return false;
	*ret = (struct value) { .tag = (enum value_tag)data[0],
				.data = data + 1,
				.len = size - 2,
				.at = data,
				.size = size };
	return true;
}

struct value_iter value_iterate(const struct value *value)
{
	bool container = value->tag == VALUE_ARRAY || value->tag == VALUE_OBJECT;

	return (struct value_iter) { .at = container ? value->data : nullptr,
				     .len = container ? value->len : 0,
				     .object = value->tag == VALUE_OBJECT };
}

bool value_next(struct value_iter *iter, struct value *ret_key, struct value *ret)
{
	struct value key = { .tag = VALUE_STRING, .at = iter->at };

	if (iter->len == 0)
		return false;
	if (iter->object) {
		key.size = skip_key(iter->at, iter->len);
		if (key.size == 0)
			return false;
		key.data = iter->at + 1;
		key.len = key.size - 2;
		key.escaped = memchr(key.data, 0, key.len) != nullptr;
	}
	if (!value_read(iter->at + key.size, iter->len - key.size, ret))
		return false;
	iter->at += key.size + ret->size;
	iter->len -= key.size + ret->size;
	if (ret_key)
		*ret_key = key;
	return true;
}

bool value_field(const struct value *object, const char *name, size_t len, struct value *ret)
{
	struct value_iter iter = value_iterate(object);
	struct value key;

	if (object->tag != VALUE_OBJECT)
		return false;
	while (value_next(&iter, &key, ret))
		if (value_is_text(&key, name, len))
			return true;
	return false;
}

bool value_element(const struct value *array, int64_t position, struct value *ret)
{
	struct value_iter iter = value_iterate(array);

	if (array->tag != VALUE_ARRAY || position < 1)
		return false;
	while (value_next(&iter, nullptr, ret))
		if (--position == 0)
			return true;
	return false;
}

void value_text(const struct value *value, struct buf *out)
{
	const uint8_t *data = value->data;
	size_t len = value->len;

	while (len > 0) {
		const uint8_t *zero = value->escaped ? memchr(data, 0, len) : nullptr;
		size_t run = zero ? (size_t)(zero - data) + 1 : len;

		buf_add(out, data, run);
		run += zero != nullptr; /* the FF after it */
		if (run > len)
			run = len;
		data += run;
		len -= run;
	}
}

bool value_is_text(const struct value *value, const char *text, size_t len)
{
	if (value->tag != VALUE_STRING)
		return false;
	if (!value->escaped)
		return value->len == len && (len == 0 || memcmp(value->data, text, len) == 0);

	auto_buf struct buf plain = buf_make(value->len);
	value_text(value, &plain);
	return buf_error(&plain) == 0 && plain.len == len && memcmp(plain.data, text, len) == 0;
}

const char *value_type_name(const struct value *value)
{
	switch (value->tag) {
	case VALUE_END:
		return "undefined";
	case VALUE_NULL:
		return "null";
	case VALUE_FALSE:
	case VALUE_TRUE:
		return "bool";
	case VALUE_NUMBER:
		return value->is_int ? "int" : "float";
	case VALUE_STRING:
		return "string";
	case VALUE_BYTES:
		return "bytes";
	case VALUE_DATE:
		return "date";
	case VALUE_DATETIME:
		return "datetime";
	case VALUE_TIME:
		return "time";
	case VALUE_TIMESTAMP:
		return "timestamp";
	case VALUE_INTERVAL:
		return "microsecond_interval";
	case VALUE_MONTHS:
		return "month_interval";
	case VALUE_ARRAY:
		return "array";
	case VALUE_OBJECT:
		return "object";
	}
	return "undefined";
}

bool value_open(const uint8_t *data, size_t len, struct value *ret)
{
	if (len < 2 || (data[0] != VALUE_ARRAY && data[0] != VALUE_OBJECT)) {
		struct value plain = {};

		if (!value_read(data, len, &plain) || plain.size != len)
			return false;
		*ret = plain;
		return true;
	}
	if (data[len - 1] != VALUE_END)
		return false;
	*ret = (struct value) { .tag = (enum value_tag)data[0],
				.data = data + 1,
				.len = len - 2,
				.at = data,
				.size = len };
	return true;
}
