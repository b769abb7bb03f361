/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * value_json: packed values from JSON and to JSON.
 *
 * Layer 2 (service/value). Pure functions, safe from any thread.
 * JSON in: integers beyond int64 become floats; of two members with the same name the last wins;
 * an object with a member "__rockset_type" is a typed value (Extended JSON).
 */

#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/value/value.h"

constexpr size_t VALUE_JSON_DEPTH_MAX = 40; /* Rockset's limit for a document */

enum {
	VALUE_JSON_OK = 0,
	VALUE_JSON_TOO_DEEP, /* more than VALUE_JSON_DEPTH_MAX levels */
	VALUE_JSON_BAD_TYPE, /* an unknown __rockset_type, or a value that does not fit it */
};

/*
 * Append the packed form of a JSON value.
 *
 * json  of a document that yyjson has read: its texts are UTF-8
 *
 * Returns 0, VALUE_JSON_TOO_DEEP, VALUE_JSON_BAD_TYPE, -ENOMEM, or -EMSGSIZE (out's cap). out holds rubbish beyond its former length then.
 */
[[nodiscard]] int value_from_json(yyjson_val *json, struct buf *out);

/*
 * Append the packed form of text as a type.
 *
 * type  "date", "datetime", "time", "timestamp", in any case
 *
 * Returns whether the text is one. A failure to append sticks to out.
 */
[[nodiscard]] bool value_from_text(const char *type, const char *text, size_t len, struct buf *out);

enum value_json_form : uint8_t {
	VALUE_JSON_RESULT, /* as query results have it: timestamps are plain strings */
	VALUE_JSON_EXACT, /* every typed value as Extended JSON, so that value_from_json() gives it back */
};

/*
 * Append a value as JSON.
 *
 * Returns 0, or -EIO if the value is malformed or too deep; a failure to append sticks to out.
 */
[[nodiscard]] int value_to_json(const struct value *value, enum value_json_form form,
				struct buf *out);

/* Append a float as JSON: the shortest text that reads back the same, always with . or e; null if not finite. */
void value_float_json(double value, struct buf *out);
