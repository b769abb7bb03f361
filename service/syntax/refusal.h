/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * refusal: why a query is refused, and where in its text.
 *
 * Layer 6 (service/syntax). Pure.
 */

#include <stdint.h>

#include "common/base.h"

enum {
	SQL_OK = 0,
	SQL_REFUSED = 1, /* the error says why */
};

enum sql_error_kind : uint8_t {
	SQL_QUERY_ERROR,
	SQL_TIMEOUT,
	SQL_CANCELLED,
	SQL_TOO_LARGE, /* the result, or the memory it takes */
	SQL_NOT_IMPLEMENTED,
	SQL_DAMAGED, /* stored bytes are not what was written; the message names them */
	SQL_ERROR_KINDS,
};

struct sql_error {
	enum sql_error_kind kind;
	uint32_t line, column; /* from 1; 0: not known */
	char id[48];	       /* "function_not_found", … or "" */
	char message[512];
	char hint[96]; /* what may have been meant, as a sentence; or "" */
};

/* Set an error that has no position. Always returns SQL_REFUSED. */
[[nodiscard, gnu::format(printf, 4, 5)]] int sql_refuse(struct sql_error *error,
							enum sql_error_kind kind, const char *id,
							const char *format, ...);

struct token;

/* Set a query error at a token. Always returns SQL_REFUSED. */
[[nodiscard, gnu::format(printf, 4, 5)]] int sql_refuse_at(struct sql_error *error,
							   const struct token *at, const char *id,
							   const char *format, ...);
