/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * db: the few SQLite calls that store repeats, with our error convention.
 *
 * Layer 4 (service/store). One of the folders that include <sqlite3.h>.
 * Threads: a connection belongs to one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base.h"

/* The last failure of a connection as a negative errno: -ENOMEM, -ENOSPC, -EBUSY, -EIO. */
[[nodiscard]] int db_error(sqlite3 *db);

/* Run statements without parameters or results. Returns 0 or db_error(). */
[[nodiscard]] int db_run(sqlite3 *db, const char *sql);

/* Prepare a statement. Returns 0 or db_error(); *ret is set only on success. */
[[nodiscard]] int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret);

/* Prepare text made with printf(3), for the names that cannot be parameters; at most 1023 bytes. */
[[nodiscard, gnu::format(printf, 3, 4)]] int db_preparef(sqlite3 *db, sqlite3_stmt **ret,
							 const char *format, ...);

enum {
	DB_ROW = 1, /* there is a row */
};

/* Go to the next row. Returns DB_ROW, 0 (done) or db_error(). */
[[nodiscard]] int db_step(sqlite3_stmt *stmt);

/* Run a prepared statement that yields no rows, and reset it for the next use. Returns 0 or db_error(). */
[[nodiscard]] int db_done(sqlite3_stmt *stmt);

/* Bind text (nullptr binds NULL); it must stay until the statement is reset. Cannot fail for a valid index. */
void db_bind_text(sqlite3_stmt *stmt, int index, const char *text);

/* A column's text, "" for NULL; valid until the next step. */
[[nodiscard]] const char *db_text(sqlite3_stmt *stmt, int column);

/* Finalize; nullptr is a no-op. Always returns nullptr. */
sqlite3_stmt *db_finalize(sqlite3_stmt *stmt);
CLEANUP_FN(sqlite3_stmt, db_finalize)
#define auto_stmt cleanup(db_finalize_at)

/* End a transaction: COMMIT if r is 0, else ROLLBACK. Returns r, or why the commit failed (it is rolled back then). */
[[nodiscard]] int db_end(sqlite3 *db, int r);
