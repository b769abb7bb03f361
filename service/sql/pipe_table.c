/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/pipe_table.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "service/exec/pipe.h"
#include "service/expression/plan.h"
#include "service/function/udf.h"
#include "service/snapshot/snapshot.h"
#include "service/sql/sql.h"
#include "service/vector/cell.h"

/* Source: sqlite.org/vtab.html, section 3.1, eponymous-only virtual tables. */

constexpr int COLUMN_K = SQL_FIELDS_MAX; /* the hidden argument stands after c0 to c999 */

struct table {
	sqlite3_vtab base; /* first: SQLite hands out its address */
	struct pipe_table *shared;
};

struct cursor {
	sqlite3_vtab_cursor base; /* first, too */
	struct pipe *pipe;
	size_t k;
	const struct cell *row;
	uint32_t columns;
	int64_t number;
	struct buf packed;
};

static struct pipe_table *shared_of(sqlite3_vtab *table)
{
	return ((struct table *)(void *)table)->shared;
}

static int on_connect(sqlite3 *db, void *userdata, int, const char *const *, sqlite3_vtab **ret,
		      char **)
{
	auto_buf struct buf text = buf_make(1 << 16);

	buf_add_str(&text, "CREATE TABLE x(");
	for (size_t i = 0; i < SQL_FIELDS_MAX; i++)
		buf_addf(&text, "c%zu, ", i);
	buf_add_str(&text, "k HIDDEN)");
	const char *sql = buf_text(&text);
	if (!sql)
		return SQLITE_NOMEM;
	int code = sqlite3_declare_vtab(db, sql);
	if (code != SQLITE_OK)
		return code;
	struct table *table = sqlite3_malloc(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	*table = (struct table) { .shared = userdata };
	(void)sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	*ret = &table->base;
	return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

/* The only way to read a pipe: from front to back, k given. */
static int on_best_index(sqlite3_vtab *, sqlite3_index_info *info)
{
	for (int i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != COLUMN_K ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!info->aConstraint[i].usable)
			return SQLITE_CONSTRAINT;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->estimatedCost = 1e6;
		info->estimatedRows = 1'000'000;
		return SQLITE_OK;
	}
	return SQLITE_CONSTRAINT;
}

static int on_open(sqlite3_vtab *, sqlite3_vtab_cursor **ret)
{
	struct cursor *cursor = sqlite3_malloc(sizeof(*cursor));

	if (!cursor)
		return SQLITE_NOMEM;
	*cursor = (struct cursor) { .packed = buf_make(UDF_RESULT_MAX) };
	*ret = &cursor->base;
	return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)(void *)base;

	pipe_close(cursor->pipe);
	buf_done(&cursor->packed);
	sqlite3_free(cursor);
	return SQLITE_OK;
}

/* Remember why a pipe failed; SQLite need only know that it did. */
static int fail(struct pipe_table *shared, int outcome)
{
	shared->outcome = outcome;
	return outcome == -ENOMEM ? SQLITE_NOMEM : SQLITE_INTERRUPT;
}

static int on_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)(void *)base;
	int r = pipe_next(cursor->pipe, &cursor->row);

	if (r == PIPE_END)
		cursor->row = nullptr;
	else if (r)
		return fail(shared_of(base->pVtab), r);
	cursor->number++;
	return SQLITE_OK;
}

static int on_filter(sqlite3_vtab_cursor *base, int, const char *, int n, sqlite3_value **args)
{
	struct cursor *cursor = (struct cursor *)(void *)base;
	struct pipe_table *shared = shared_of(base->pVtab);

	if (n != 1 || sqlite3_value_int64(args[0]) < 0 ||
	    (uint64_t)sqlite3_value_int64(args[0]) >= shared->n_plans)
		return SQLITE_ERROR;
	auto k = (size_t)sqlite3_value_int64(args[0]);
	if (cursor->pipe && cursor->k == k) {
		pipe_rewind(cursor->pipe);
	} else {
		const struct plan *plan = shared->plans[k];

		cursor->pipe = pipe_close(cursor->pipe);
		int r = pipe_open(shared->query, plan, &cursor->pipe);
		if (r)
			return fail(shared, r);
		cursor->k = k;
		cursor->columns = plan->n_outputs + plan->n_aggregates;
	}
	return on_next(base);
}

static int on_eof(sqlite3_vtab_cursor *base)
{
	return ((struct cursor *)(void *)base)->row == nullptr;
}

/* Hand a cell over: natively what SQLite has a type for, else packed. */
static void put_cell(sqlite3_context *ctx, const struct cell *cell, struct buf *packed)
{
	switch (cell->kind) {
	case KIND_MISSING:
	case KIND_NULL:
	case KIND_COUNT:
		sqlite3_result_null(ctx);
		return;
	case KIND_INT:
		sqlite3_result_int64(ctx, cell->i);
		return;
	case KIND_FLOAT:
		sqlite3_result_double(ctx, cell->f);
		return;
	case KIND_STRING:
		sqlite3_result_text64(ctx, cell->s.len ? cell->s.at : "", cell->s.len,
				      SQLITE_TRANSIENT, SQLITE_UTF8);
		return;
	case KIND_ARRAY:
	case KIND_OBJECT:
		sqlite3_result_blob64(ctx, cell->s.at, cell->s.len, SQLITE_TRANSIENT);
		return;
	case KIND_FALSE:
	case KIND_TRUE:
	case KIND_BYTES:
	case KIND_DATE:
	case KIND_DATETIME:
	case KIND_TIME:
	case KIND_TIMESTAMP:
	case KIND_INTERVAL:
	case KIND_MONTHS:
		buf_clear(packed);
		cell_pack(cell, packed);
		if (buf_error(packed))
			sqlite3_result_error_nomem(ctx);
		else
			sqlite3_result_blob64(ctx, packed->data, packed->len, SQLITE_TRANSIENT);
		return;
	}
}

static int on_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	struct cursor *cursor = (struct cursor *)(void *)base;

	if (column == COLUMN_K)
		sqlite3_result_int64(ctx, (sqlite3_int64)cursor->k);
	else if ((uint32_t)column < cursor->columns)
		put_cell(ctx, &cursor->row[column], &cursor->packed);
	return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct cursor *)(void *)base)->number;
	return SQLITE_OK;
}

int pipe_table_register(sqlite3 *db, struct pipe_table *table)
{
	static const sqlite3_module MODULE = {
		.xConnect = on_connect,
		.xBestIndex = on_best_index,
		.xDisconnect = on_disconnect,
		.xOpen = on_open,
		.xClose = on_close,
		.xFilter = on_filter,
		.xNext = on_next,
		.xEof = on_eof,
		.xColumn = on_column,
		.xRowid = on_rowid,
	};

	return sqlite3_create_module(db, "pipe", &MODULE, table) == SQLITE_OK ? 0 : -ENOMEM;
}
