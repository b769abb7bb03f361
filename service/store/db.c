/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/db.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sqlite3.h>

int db_error(sqlite3 *db)
{
	switch (sqlite3_errcode(db)) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	default:
		return -EIO;
	}
}

int db_run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? 0 : db_error(db);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	sqlite3_stmt *stmt = nullptr;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, nullptr) != SQLITE_OK)
		return db_error(db);
	*ret = stmt;
	return 0;
}

int db_preparef(sqlite3 *db, sqlite3_stmt **ret, const char *format, ...)
{
	char sql[1024];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(sql))
		return -EMSGSIZE;
	return db_prepare(db, sql, ret);
}

int db_step(sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return DB_ROW;
	return code == SQLITE_DONE ? 0 : db_error(sqlite3_db_handle(stmt));
}

int db_done(sqlite3_stmt *stmt)
{
	int r = db_step(stmt);

	if (r >= 0)
		r = 0;
	(void)sqlite3_reset(stmt); /* repeats the error that step has reported */
	return r;
}

void db_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

const char *db_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

sqlite3_stmt *db_finalize(sqlite3_stmt *stmt)
{
	(void)sqlite3_finalize(stmt);
	return nullptr;
}

int db_end(sqlite3 *db, int r)
{
	if (r == 0)
		r = db_run(db, "COMMIT");
	if (r != 0 && !sqlite3_get_autocommit(db))
		(void)sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
	return r;
}
