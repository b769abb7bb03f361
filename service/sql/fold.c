/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/draft.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "service/function/udf.h"
#include "service/value/value.h"
#include "service/vector/cell.h"

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

static bool all_constant(struct binder *b, struct expr *const *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_constant(b, e[i]))
			return false;
	return true;
}

bool is_stable(const struct expr *e)
{
	static const char *const UNSTABLE[] = { "RAND", "RANDOM", "GEN_RANDOM_UUID",
						"ARRAY_SHUFFLE" };
	const struct function *f = function_find(e->at->text);

	if (!f || e->star || e->distinct || e->order || e->window ||
	    (f->kind != FUNCTION_SCALAR && f->kind != FUNCTION_NOW && f->kind != FUNCTION_IF &&
	     f->kind != FUNCTION_COALESCE))
		return false;
	for (size_t i = 0; i < countof(UNSTABLE); i++)
		if (strcmp(UNSTABLE[i], f->name) == 0)
			return false;
	return true;
}

bool is_constant(struct binder *b, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_NULL:
	case EXPR_BOOL:
	case EXPR_NUMBER:
	case EXPR_STRING:
		return true;
	case EXPR_PARAMETER:
		return sql_parameter_find(b->ask, e->at->text) != nullptr;
	case EXPR_NAME:
	case EXPR_GET:
	case EXPR_QUERY:
	case EXPR_EXISTS:
		return false;
	case EXPR_CALL:
		return is_stable(e) && all_constant(b, e->arg, e->n_args);
	case EXPR_NEGATE:
	case EXPR_BINARY:
	case EXPR_COMPARE:
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
	case EXPR_IS_NULL:
	case EXPR_IS_UNDEFINED:
	case EXPR_IS_BOOL:
	case EXPR_IS_DISTINCT:
	case EXPR_LIKE:
	case EXPR_IN:
	case EXPR_BETWEEN:
	case EXPR_CASE:
	case EXPR_CAST:
	case EXPR_ARRAY:
	case EXPR_OBJECT:
	case EXPR_INTERVAL:
	case EXPR_AT_ZONE:
	case EXPR_EXTRACT:
		return !e->query && all_constant(b, e->arg, e->n_args) &&
		       (!e->operand || is_constant(b, e->operand)) &&
		       (!e->otherwise || is_constant(b, e->otherwise));
	}
	return false;
}

/* NOLINTEND(misc-no-recursion) */

/* A value that SQLite computed as a cell in the arena. */
static bool keep_value(struct binder *b, sqlite3_value *value, struct cell *ret)
{
	auto_buf struct buf packed = buf_make(UDF_RESULT_MAX), room = buf_make(UDF_RESULT_MAX);
	struct value unpacked;

	udf_pack(value, &packed);
	if (buf_error(&packed))
		return false;
	const char *kept = bind_keep(b, &packed);
	if (b->r || !value_open((const uint8_t *)kept, packed.len, &unpacked))
		return false;
	cell_unpack(&unpacked, &room, ret);
	if (room.len > 0 && (ret->kind == KIND_STRING || ret->kind == KIND_BYTES))
		ret->s.at = bind_keep(b, &room); /* it was escaped */
	return buf_error(&room) == 0 && !b->r;
}

bool fold(struct binder *b, struct buf *text, struct cell *ret)
{
	auto_buf struct buf sql = buf_make(BIND_TEXT_MAX);
	sqlite3_stmt *stmt = nullptr;

	buf_add_str(&sql, "SELECT ");
	buf_add(&sql, text->data, text->len);
	const char *query = buf_text(&sql);
	if (b->r || buf_error(text) || !query)
		return false;
	bool good =
		sqlite3_prepare_v2(b->db, query, -1, &stmt, nullptr) == SQLITE_OK &&
		sql_bind_parameters(stmt, b->ask, (const struct token *const *)b->parameters.item,
				    b->parameters.n) == 0 &&
		sqlite3_step(stmt) == SQLITE_ROW;
	if (good)
		good = keep_value(b, sqlite3_column_value(stmt, 0), ret);
	(void)sqlite3_finalize(stmt);
	return good;
}
