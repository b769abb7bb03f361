/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * udf: the functions that SQLite calls for us, all named rd_….
 *
 * Layer 6 (service/function). Values SQLite has no type for are packed (service/value/value.h).
 * Threads: as the connection.
 */

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/function/udf_registry.h"
#include "service/value/value.h"

constexpr size_t UDF_RESULT_MAX = 64u << 20; /* bytes of one value a function makes */
constexpr size_t UDF_WORK = 262'144;	     /* bytes looked at between two looks at the limits */

/* Under this name the connection has the struct query_limits of the query that it runs, as client data. */
#define UDF_LIMITS "limits"

/* Register everything: scalars, aggregates, UNNEST. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_all(sqlite3 *db);

/* Register udf_regex.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_regex(sqlite3 *db);

/* Register udf_hash.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_hash(sqlite3 *db);

/* Register udf_cast.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_cast(sqlite3 *db);

/* Register udf_compare.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_compare(sqlite3 *db);

/* Register udf_text.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_text(sqlite3 *db);

/* Register udf_search.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_search(sqlite3 *db);

/* Register udf_number.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_number(sqlite3 *db);

/* Register udf_time.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_time(sqlite3 *db);

/* Register udf_object.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_object(sqlite3 *db);

/* Register udf_format.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_format(sqlite3 *db);

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

/* Append a value as people write it, for CONCAT and casts to string. */
void udf_put_text(const struct value *value, struct buf *out);

/* Text as SQLite holds it. */
struct text {
	const char *at;
	size_t len;
};

/* An argument that must be text. Returns whether it is; the query fails if not. */
[[nodiscard]] bool udf_text(sqlite3_context *ctx, sqlite3_value *arg, struct text *ret);

/* An argument that must be an array. False for NULL; the query fails for anything else. */
[[nodiscard]] bool udf_array(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret);

/* Append the bytes of an argument that must be a string or bytes. Returns false for NULL; the query fails for anything else. */
[[nodiscard]] bool udf_bytes(sqlite3_context *ctx, sqlite3_value *arg, struct buf *out);

struct query_limits;

/* The limits of the query that calls, or nullptr. */
[[nodiscard]] const struct query_limits *udf_limits(sqlite3_context *ctx);

/*
 * Whether the query that calls has been cancelled or is past its deadline. If so the call has failed with SQLITE_INTERRUPT
 * and must give no result. For functions whose one call can take long; SQLite itself looks between calls only.
 */
[[nodiscard]] bool udf_expired(sqlite3_context *ctx);

/*
 * Sort item[n] of size bytes each, asking the query's limits meanwhile.
 *
 * Returns whether they are sorted; if not, the call has failed.
 */
[[nodiscard]] bool udf_sort(sqlite3_context *ctx, void *item, size_t n, size_t size,
			    int (*order)(const void *a, const void *b));

/*
 * Count work of a loop, in bytes or so, on *work; as udf_expired() after each millisecond of it.
 */
[[nodiscard]] bool udf_worked(sqlite3_context *ctx, size_t *work, size_t bytes);

/* Bytes of an argument; a number has 8 or so. */
[[nodiscard]] size_t udf_size(sqlite3_value *arg);

/* Whether any argument is NULL, in which case most functions are NULL. */
[[nodiscard]] bool udf_any_null(int n, sqlite3_value **args);
