/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/evaluate.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "service/function/udf.h"
#include "service/value/value.h"

constexpr size_t ERROR_MAX = 1000;

bool evaluation_init(sqlite3 *db, const char *sql, struct evaluation *ret)
{
	auto_buf struct buf text = buf_make(UDF_RESULT_MAX);

	*ret = (struct evaluation) { .sql = sql,
				     .packed = buf_make(UDF_RESULT_MAX),
				     .room = buf_make(UDF_RESULT_MAX),
				     .error = buf_make(ERROR_MAX) };
	buf_addf(&text, "SELECT %s", sql);
	const char *query = buf_text(&text);
	return query && sqlite3_prepare_v2(db, query, -1, &ret->stmt, nullptr) == SQLITE_OK;
}

void evaluation_done(struct evaluation *first)
{
	for (struct evaluation *e = first; e; e = e->next) {
		(void)sqlite3_finalize(e->stmt);
		e->stmt = nullptr;
		buf_done(&e->packed);
		buf_done(&e->room);
		buf_done(&e->error);
	}
}

/* Bind an argument; its bytes stay until the statement is reset. */
static int bind_cell(struct evaluation *e, int index, const struct cell *cell)
{
	int code = SQLITE_OK;

	if (cell->kind == KIND_MISSING || cell->kind == KIND_NULL) {
		code = sqlite3_bind_null(e->stmt, index);
	} else if (cell->kind == KIND_INT) {
		code = sqlite3_bind_int64(e->stmt, index, cell->i);
	} else if (cell->kind == KIND_FLOAT) {
		code = sqlite3_bind_double(e->stmt, index, cell->f);
	} else if (cell->kind == KIND_STRING) {
		code = sqlite3_bind_text64(e->stmt, index, cell->s.len ? cell->s.at : "",
					   cell->s.len, SQLITE_STATIC, SQLITE_UTF8);
	} else {
		buf_clear(&e->packed);
		cell_pack(cell, &e->packed);
		if (buf_error(&e->packed))
			return -ENOMEM;
		code = sqlite3_bind_blob64(e->stmt, index, e->packed.data, e->packed.len,
					   SQLITE_TRANSIENT);
	}
	return code == SQLITE_OK ? 0 : -ENOMEM;
}

/* What the statement yields, kept until the next call. */
static int keep(struct evaluation *e, struct cell *ret)
{
	struct value value;

	buf_clear(&e->packed);
	buf_clear(&e->room);
	udf_pack(sqlite3_column_value(e->stmt, 0), &e->packed);
	if (buf_error(&e->packed) || !value_open(e->packed.data, e->packed.len, &value))
		return -ENOMEM;
	cell_unpack(&value, &e->room, ret);
	return buf_error(&e->room) ? -ENOMEM : 0;
}

int evaluation_call(void *userdata, const struct cell *arg, size_t n_args, struct cell *ret)
{
	struct evaluation *e = userdata;
	auto used = (size_t)sqlite3_bind_parameter_count(e->stmt); /* a key by name is text in it */
	int r = 0;

	(void)sqlite3_reset(e->stmt);
	for (size_t i = 0; r == 0 && i < n_args && i < used; i++)
		r = bind_cell(e, (int)i + 1, &arg[i]);
	if (r)
		return r;
	int code = sqlite3_step(e->stmt);
	if (code == SQLITE_ROW) {
		r = keep(e, ret);
	} else if (code == SQLITE_NOMEM) {
		r = -ENOMEM;
	} else if (code == SQLITE_INTERRUPT) {
		r = -ECANCELED;
	} else {
		buf_clear(&e->error);
		buf_add_str(&e->error, sqlite3_errmsg(sqlite3_db_handle(e->stmt)));
		*ret = (struct cell) { .kind = KIND_STRING,
				       .s = { (const char *)e->error.data,
					      (uint32_t)e->error.len } };
		r = 1;
	}
	(void)sqlite3_reset(e->stmt);
	return r;
}
