/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/*
 * rd_unnest(value): a table function with a row for each element of an array or member of an object.
 * Source: sqlite.org/vtab.html, section 3, eponymous-only virtual tables.
 */

enum {
	COLUMN_VALUE,
	COLUMN_KEY,
	COLUMN_ORD,
	COLUMN_INPUT
};

struct cursor {
	sqlite3_vtab_cursor base; /* first: SQLite hands out its address */
	struct buf input;	  /* our own copy of the packed value */
	struct value_iter iter;
	struct value key, value;
	int64_t position;
	bool end;
};

static int on_connect(sqlite3 *db, void *, int, const char *const *, sqlite3_vtab **ret, char **)
{
	int code = sqlite3_declare_vtab(db, "CREATE TABLE x(value, key, ord, input HIDDEN)");

	if (code != SQLITE_OK)
		return code;
	sqlite3_vtab *table = sqlite3_malloc(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	*table = (sqlite3_vtab) {};
	(void)sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	*ret = table;
	return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

/* The only plan: the input must be known. */
static int on_best_index(sqlite3_vtab *, sqlite3_index_info *info)
{
	for (int i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != COLUMN_INPUT ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!info->aConstraint[i].usable)
			return SQLITE_CONSTRAINT;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->estimatedCost = 10;
		info->estimatedRows = 10;
		return SQLITE_OK;
	}
	return SQLITE_CONSTRAINT;
}

static int on_open(sqlite3_vtab *, sqlite3_vtab_cursor **ret)
{
	struct cursor *cursor = calloc(1, sizeof(*cursor));

	if (!cursor)
		return SQLITE_NOMEM;
	cursor->input = buf_make(UDF_RESULT_MAX);
	*ret = (sqlite3_vtab_cursor *)cursor; /* its first member */
	return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	buf_done(&cursor->input);
	free(cursor);
	return SQLITE_OK;
}

static int on_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->position++;
	cursor->end = !value_next(&cursor->iter, &cursor->key, &cursor->value);
	return SQLITE_OK;
}

static int on_filter(sqlite3_vtab_cursor *base, int, const char *, int n, sqlite3_value **args)
{
	struct cursor *cursor = (struct cursor *)base;
	struct value input = { .tag = VALUE_NULL };

	buf_clear(&cursor->input);
	if (n == 1 && sqlite3_value_type(args[0]) != SQLITE_NULL) {
		udf_pack(args[0], &cursor->input);
		if (buf_error(&cursor->input))
			return SQLITE_NOMEM;
		(void)value_open(cursor->input.data, cursor->input.len, &input);
	}
	cursor->iter = value_iterate(&input);
	cursor->position = 0;
	return on_next(base);
}

static int on_eof(sqlite3_vtab_cursor *base)
{
	return ((struct cursor *)base)->end;
}

static int on_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	struct cursor *cursor = (struct cursor *)base;

	if (column == COLUMN_VALUE)
		udf_return(ctx, &cursor->value);
	else if (column == COLUMN_KEY && cursor->iter.object)
		udf_return(ctx, &cursor->key);
	else if (column == COLUMN_ORD)
		sqlite3_result_int64(ctx, cursor->position);
	return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct cursor *)base)->position;
	return SQLITE_OK;
}

int udf_register_unnest(sqlite3 *db)
{
	static const sqlite3_module MODULE = {
		.xConnect = on_connect,
		.xDisconnect = on_disconnect,
		.xBestIndex = on_best_index,
		.xOpen = on_open,
		.xClose = on_close,
		.xFilter = on_filter,
		.xNext = on_next,
		.xEof = on_eof,
		.xColumn = on_column,
		.xRowid = on_rowid,
	};

	return sqlite3_create_module_v2(db, "rd_unnest", &MODULE, nullptr, nullptr) == SQLITE_OK
		       ? 0
		       : -ENOMEM;
}
