/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * udf: the functions that SQLite calls for us, all named rd_….
 *
 * Layer 3 (service/sql). Values SQLite has no type for are packed (service/value/value.h).
 * Threads: as the connection.
 */

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/value/value.h"

constexpr size_t UDF_RESULT_MAX = 64u << 20; /* bytes of one value a function makes */

struct udf {
	const char *name;
	int args; /* -1: any number */
	void (*call)(sqlite3_context *ctx, int n, sqlite3_value **args);
	void *data; /* what sqlite3_user_data() is */
};

/* Register functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register(sqlite3 *db, const struct udf *table, size_t n);

/* Register everything: scalars, aggregates, UNNEST. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_all(sqlite3 *db);

/* Register udf_text.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_text(sqlite3 *db);

/* Register udf_number.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_number(sqlite3 *db);

/* Register udf_time.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_time(sqlite3 *db);

/* Register udf_array.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_array(sqlite3 *db);

/* Register udf_aggregate.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_aggregate(sqlite3 *db);

/* Register unnest.c's table function. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_unnest(sqlite3 *db);

/*
 * An argument as a value; NULL is VALUE_NULL. Texts are not escaped and borrow the argument; at and size are set for packed ones only.
 */
void udf_value(sqlite3_value *arg, struct value *ret);

/* Append an argument in packed form. */
void udf_pack(sqlite3_value *arg, struct buf *out);

/* Return a value: natively what SQLite has a type for, else packed. */
void udf_return(sqlite3_context *ctx, const struct value *value);

/* Return a buffer as a packed value, or an error if it has one. */
void udf_return_packed(sqlite3_context *ctx, struct buf *buf);

/* Return a buffer as text, or an error if it has one. */
void udf_return_text(sqlite3_context *ctx, struct buf *buf);

/* Return true or false. */
void udf_return_bool(sqlite3_context *ctx, bool value);

/* Return a DATE … MONTHS value. */
void udf_return_moment(sqlite3_context *ctx, enum value_tag tag, int64_t value);

/* Fail the query with a sentence for people. */
[[gnu::format(printf, 2, 3)]] void udf_fail(sqlite3_context *ctx, const char *format, ...);

/* Whether any argument is NULL, in which case most functions are NULL. */
[[nodiscard]] bool udf_any_null(int n, sqlite3_value **args);
