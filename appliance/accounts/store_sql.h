/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * store_sql: run the store's statements; shared by store.c, store_people.c and store_keys.c only.
 *
 * Layer 2 (appliance/accounts). All SQL stands in one table in store.c and is prepared once, at open.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/store.h"
#include "common/base.h"

struct sqlite3_stmt;

enum statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_PEOPLE_COUNT,
	SQL_PERSON,
	SQL_PERSON_BY_UID,
	SQL_PEOPLE,
	SQL_PERSON_ADD,
	SQL_PERSON_STATE,
	SQL_PERSON_REMOVE,
	SQL_PERSON_SIGNED_IN,
	SQL_UID_TAKE,
	SQL_ROLE_ADD,
	SQL_ROLES_CLEAR,
	SQL_ADMINS_COUNT,
	SQL_SSH_KEYS,
	SQL_SSH_KEY,
	SQL_SSH_KEY_ADD,
	SQL_SSH_KEY_REMOVE,
	SQL_SSH_KEY_USED,
	SQL_API_KEYS,
	SQL_API_KEYS_ALL,
	SQL_API_KEY,
	SQL_API_KEY_BY_HASH,
	SQL_API_KEY_ADD,
	SQL_API_KEY_STATE,
	SQL_API_KEY_DELETE,
	SQL_API_KEY_USED,
	SQL_COUNT,
};

/* One parameter of a statement. */
struct param {
	enum {
		PARAM_NUMBER,
		PARAM_TEXT,
		PARAM_BLOB
	} kind;
	int64_t number;	  /* also the length of a blob */
	const void *data; /* borrowed until the statement is done */
};

/* A text as parameter; borrowed. */
[[nodiscard]] static inline struct param text_param(const char *text)
{
	return (struct param) { .kind = PARAM_TEXT, .data = text };
}

/* A number as parameter. Values of ours all fit: times are microseconds. */
[[nodiscard]] static inline struct param number_param(uint64_t number)
{
	return (struct param) { .kind = PARAM_NUMBER, .number = (int64_t)number };
}

/* A run of bytes as parameter; borrowed. */
[[nodiscard]] static inline struct param blob_param(const void *data, size_t len)
{
	return (struct param) { .kind = PARAM_BLOB, .number = (int64_t)len, .data = data };
}

/* The array and its length, for the two calls below. */
#define PARAMS(...)                                                                   \
	(const struct param[]) { __VA_ARGS__ },                                       \
		sizeof((const struct param[]) { __VA_ARGS__ }) / sizeof(struct param)

/*
 * Start a statement that yields rows; step it with sql_next(). End it with sql_done() before it is used again.
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int sql_start(struct store *store, enum statement which, const struct param *param,
			    size_t n, struct sqlite3_stmt **ret);

/* Go to the next row. Returns 1 if there is one, 0 at the end, or -errno. */
[[nodiscard]] int sql_next(struct store *store, struct sqlite3_stmt *statement);

/* Reset a statement for its next use; nullptr is a no-op. */
void sql_done(struct sqlite3_stmt **statement);

/* Run a statement that yields no rows. Returns 0, STORE_EXISTS (a UNIQUE constraint) or -errno. */
[[nodiscard]] int sql_run(struct store *store, enum statement which, const struct param *param,
			  size_t n);

/* The same, for one that must change a row: STORE_NOT_FOUND if it changed none. */
[[nodiscard]] int sql_change(struct store *store, enum statement which, const struct param *param,
			     size_t n);

/* Run a statement that yields one number. Returns 0, STORE_NOT_FOUND if it yields no row, or -errno. */
[[nodiscard]] int sql_number(struct store *store, enum statement which, const struct param *param,
			     size_t n, uint64_t *ret);

/* A column that is a number; negative ones read as 0. */
[[nodiscard]] uint64_t sql_column_number(struct sqlite3_stmt *statement, int column);

/* Copy a column that is text, cut at room - 1 bytes. */
void sql_column_text(struct sqlite3_stmt *statement, int column, char *ret, size_t room);

/* Begin a transaction. Returns 0 or -errno. */
[[nodiscard]] int sql_begin(struct store *store);

/*
 * End a transaction: commit if r is 0, else roll back.
 *
 * Returns r, or -errno of the commit; rolled back then.
 */
[[nodiscard]] int sql_end(struct store *store, int r);

/* Within a transaction: STORE_LAST_ADMIN if nobody who is active, admin and has an SSH key is left. Else 0 or -errno. */
[[nodiscard]] int sql_keep_an_admin(struct store *store);

#define auto_sql cleanup(sql_done)
