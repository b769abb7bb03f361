/* SPDX-License-Identifier: Apache-2.0 */
#include "service/syntax/refusal.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "service/syntax/lex.h"

[[gnu::format(printf, 4, 0)]] static int refuse(struct sql_error *error, enum sql_error_kind kind,
						const char *id, const char *format, va_list args)
{
	*error = (struct sql_error) { .kind = kind };
	(void)snprintf(error->id, sizeof(error->id), "%s", id);
	(void)vsnprintf(error->message, sizeof(error->message), format, args);
	if (strcmp(id, "not_implemented") == 0)
		error->kind = SQL_NOT_IMPLEMENTED;
	return SQL_REFUSED;
}

int sql_refuse(struct sql_error *error, enum sql_error_kind kind, const char *id,
	       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int r = refuse(error, kind, id, format, args);
	va_end(args);
	return r;
}

int sql_refuse_at(struct sql_error *error, const struct token *at, const char *id,
		  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int r = refuse(error, SQL_QUERY_ERROR, id, format, args);
	va_end(args);
	error->line = at->line;
	error->column = at->column;
	return r;
}
