/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * value: one value of the data model as bytes whose memcmp(3) order is the value's order.
 *
 * Layer 2 (service/value). Uses common/ only. A document is stored as one packed object; a value
 * that SQLite has no type for (bool, timestamp, array, …) crosses into SQL as its packed bytes.
 * Pure functions, safe from any thread.
 * Format: a tag byte, then by tag
 *   NULL, FALSE, TRUE   nothing
 *   NUMBER              the double, 8 bytes big-endian, its bits mapped so that order is kept; then a kind:
 *                       0 float, 1 an integer that the double holds exactly, 2 an integer in 8 more bytes
 *   STRING, BYTES       the bytes, 00 written as 00 FF, then 00
 *   DATE … MONTHS       int64, 8 bytes big-endian, sign bit flipped
 *   ARRAY               the elements, then 00
 *   OBJECT              for each member its name (as a string without tag) after 01, its value; then 00
 * Trust: decoders check every bound; malformed bytes are an outcome, never a crash.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

enum value_tag : uint8_t {
	VALUE_END = 0x00, /* closes an array or object; not a value */
	VALUE_NULL = 0x01,
	VALUE_FALSE = 0x02,
	VALUE_TRUE = 0x03,
	VALUE_NUMBER = 0x05,
	VALUE_STRING = 0x06,
	VALUE_BYTES = 0x10,
	VALUE_DATE = 0x11,	/* days since 1970-01-01 */
	VALUE_DATETIME = 0x12,	/* µs since 1970-01-01T00:00:00, no zone */
	VALUE_TIME = 0x13,	/* µs since midnight */
	VALUE_TIMESTAMP = 0x14, /* µs since 1970-01-01T00:00:00Z */
	VALUE_INTERVAL = 0x15,	/* µs */
	VALUE_MONTHS = 0x16,	/* months */
	VALUE_ARRAY = 0x20,
	VALUE_OBJECT = 0x30,
};

constexpr size_t VALUE_DEPTH_MAX = 128; /* deeper values can neither be made nor written out */
constexpr size_t VALUE_NUMBER_SIZE = 18;

struct value {
	enum value_tag tag;
	bool is_int;	     /* of a NUMBER: int64, in i */
	int64_t i;	     /* integers, dates, times, intervals */
	double f;	     /* NUMBER, also if is_int */
	const uint8_t *data; /* STRING, BYTES: the escaped bytes; ARRAY, OBJECT: the first inside */
	size_t len;	     /* of data, without the closing 00 */
	bool escaped;	     /* STRING, BYTES: data holds 00 FF pairs */
	const uint8_t *at;   /* the whole packed value, borrowed */
	size_t size;	     /* of it */
};

/* Append null. As with all that follow, a failure sticks to the buffer. */
void value_put_null(struct buf *out);

/* Append true or false. */
void value_put_bool(struct buf *out, bool value);

/* Append an integer. */
void value_put_int(struct buf *out, int64_t value);

/* Append a float. */
void value_put_float(struct buf *out, double value);

/* Append text[len] as a string. */
void value_put_string(struct buf *out, const char *text, size_t len);

/* Append data[len] as bytes. */
void value_put_bytes(struct buf *out, const void *data, size_t len);

/* Append a value of one of the tags DATE to MONTHS. */
void value_put_moment(struct buf *out, enum value_tag tag, int64_t value);

/* Open an array; its elements follow, then value_put_end(). */
void value_put_array(struct buf *out);

/* Open an object; value_put_key() and a value for each member follow, then value_put_end(). */
void value_put_object(struct buf *out);

/* Append a member's name. */
void value_put_key(struct buf *out, const char *name, size_t len);

/* Close the innermost open array or object. */
void value_put_end(struct buf *out);

/*
 * Decode the value at data[len].
 *
 * Returns whether there is a well-formed one at the start; *ret is set only then and borrows data. Does not look
 * inside arrays and objects further than to find their ends.
 * Cost: the size of the value.
 */
[[nodiscard]] bool value_read(const uint8_t *data, size_t len, struct value *ret);

/*
 * Take data[len] for one whole value without looking inside an array or object; for values that were stored whole.
 *
 * Returns whether its first and last byte fit that; *ret is set only then. Malformed bytes inside end an iteration early.
 */
[[nodiscard]] bool value_open(const uint8_t *data, size_t len, struct value *ret);

/* A position inside an array or object. */
struct value_iter {
	const uint8_t *at;
	size_t len;
	bool object;
};

/* Walk the members of an array or object; of anything else there are none. */
[[nodiscard]] struct value_iter value_iterate(const struct value *value);

/*
 * The next member.
 *
 * ret_key  of an object: the name as a STRING value; may be nullptr
 *
 * Returns whether there was one.
 */
[[nodiscard]] bool value_next(struct value_iter *iter, struct value *ret_key, struct value *ret);

/* The member of that name; of two with the same name the first. Returns whether there is one. */
[[nodiscard]] bool value_field(const struct value *object, const char *name, size_t len,
			       struct value *ret);

/* The element at a position counted from 1. Returns whether there is one. */
[[nodiscard]] bool value_element(const struct value *array, int64_t position, struct value *ret);

/* Append the unescaped text of a STRING or BYTES value. */
void value_text(const struct value *value, struct buf *out);

/* Whether a STRING equals text[len]. */
[[nodiscard]] bool value_is_text(const struct value *value, const char *text, size_t len);

/* The type's name as TYPEOF gives it: "int", "float", "string", "timestamp", … */
[[nodiscard]] const char *value_type_name(const struct value *value);
