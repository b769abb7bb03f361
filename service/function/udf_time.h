/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * udf_time: what the functions of moments share.
 *
 * Layer 6 (service/function). Only udf_time*.c include it.
 */

#include <stdint.h>

#include "service/function/udf.h"
#include "service/value/zone.h"

constexpr int64_t SECOND_US = 1'000'000;

/* A moment as µs, from a DATE, DATETIME or TIMESTAMP. False for NULL; the query fails for anything else. */
[[nodiscard]] bool udf_time_moment(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret,
				   int64_t *ret_us);

/* As udf_time_moment(), or the µs of a TIME. */
[[nodiscard]] bool udf_time_any(sqlite3_context *ctx, sqlite3_value *arg, struct value *ret,
				int64_t *ret_us);

/* Return µs as the kind of moment that like is. */
void udf_time_return(sqlite3_context *ctx, const struct value *like, int64_t us);

/* The largest multiple of step that is not above value. */
[[nodiscard]] int64_t udf_time_floor(int64_t value, int64_t step);

/* The time zone an argument names, or a fixed one for an interval. False for NULL; the query fails if there is no such zone. */
[[nodiscard]] bool udf_time_zone(sqlite3_context *ctx, sqlite3_value *arg, const struct zone **ret);

/* Register udf_time_make.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_time_make(sqlite3 *db);

/* Register udf_time_text.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_time_text(sqlite3 *db);

/* Names of months; of days, from Sunday. */
extern const char *const UDF_TIME_MONTHS[12], *const UDF_TIME_DAYS[7];

/* What a conversion of a format is short for, such as "%H:%M" for R; nullptr if it is not. Long forms have no others inside. */
[[nodiscard]] const char *udf_time_long_form(char part);

/* Fail the query because a format has this conversion. */
void udf_time_refuse(sqlite3_context *ctx, char part);

/* Register udf_time_parse.c's functions. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_time_parse(sqlite3 *db);

/* Register udf_time_zone.c's functions and the connection's cache of zones. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_register_time_zone(sqlite3 *db);
