/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * udf_registry: which functions a connection has, by which names, and which call of them failed.
 *
 * Layer 6 (service/function). Threads: as the connection.
 */

#include <stddef.h>

#include <sqlite3.h>

#include "common/base.h"

struct udf {
	const char *name; /* "rd_…" */
	int args;	  /* -1: any number */
	void (*call)(sqlite3_context *ctx, int n, sqlite3_value **args);
	void *data; /* what udf_data() is */
};

struct udf_aggregate {
	struct udf row; /* call takes a row in */
	/* The last two are for windows, where rows go out again; or nullptr. */
	void (*final)(sqlite3_context *ctx), (*value)(sqlite3_context *ctx);
	void (*inverse)(sqlite3_context *ctx, int n, sqlite3_value **args);
};

/* Give a connection an empty registry, before the first function. Returns 0 or -ENOMEM. */
[[nodiscard]] int udf_registry_new(sqlite3 *db);

/*
 * Register functions, each a second time as rt_… for TRY(), where its failure is NULL.
 *
 * table  [n] static; its address is kept
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int udf_register(sqlite3 *db, const struct udf *table, size_t n);

/* As udf_register(), for functions that do not always give the same for the same arguments. */
[[nodiscard]] int udf_register_varying(sqlite3 *db, const struct udf *table, size_t n);

/* As udf_register(), for aggregates, which have no rt_ form. */
[[nodiscard]] int udf_register_aggregates(sqlite3 *db, const struct udf_aggregate *table, size_t n);

/* So many calls of one function can be told apart: all that are more count as one. */
constexpr unsigned int UDF_SITES = 64;

/*
 * Have a function's first calls known by names of their own: the second is rd_…$1, the third rd_…$2.
 *
 * site  there are to be names up to this one, which is below UDF_SITES; 0: that is the function's own name
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int udf_add_site(sqlite3 *db, const char *function, unsigned int site);

struct udf_failure {
	const char *function; /* "rd_…", or nullptr: none */
	unsigned int site;
};

/* Which call failed last, since the failure was last forgotten. */
[[nodiscard]] struct udf_failure udf_failed(sqlite3 *db);

/* Forget it. */
void udf_forget_failure(sqlite3 *db);

/* The data of the table's row for the function that is being called. */
[[nodiscard]] void *udf_data(sqlite3_context *ctx);

/* Fail the query with a sentence for people; inside TRY() the result is NULL instead. */
[[gnu::format(printf, 2, 3)]] void udf_fail(sqlite3_context *ctx, const char *format, ...);
