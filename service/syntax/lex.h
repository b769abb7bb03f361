/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * lex: the text of a query as tokens that know their line and column.
 *
 * Layer 6 (service/syntax). Pure functions.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/syntax/arena.h"

constexpr size_t SQL_TEXT_MAX = 1u << 20; /* bytes of a query; longer ones are refused */

enum token_kind : uint8_t {
	TOKEN_END,
	TOKEN_WORD,	 /* keyword, name or function, as typed */
	TOKEN_QUOTED,	 /* "name", decoded */
	TOKEN_STRING,	 /* 'text', decoded */
	TOKEN_INT,	 /* digits */
	TOKEN_FLOAT,	 /* digits with . or exponent */
	TOKEN_PARAMETER, /* :name, without the colon */
	TOKEN_OPERATOR,	 /* one or two characters of punctuation */
};

struct token {
	enum token_kind kind;
	const char *text; /* NUL-terminated, in the arena */
	size_t len;
	uint32_t line, column; /* from 1; columns count characters */
	bool blank_before;     /* white space or a comment stands before it */
};

struct sql_error; /* sql.h */

/*
 * Split text[len] into tokens; the last is TOKEN_END. Comments: -- to the end of the line, and slash star to star slash.
 *
 * Returns 0, SQL_REFUSED (error is set), or -ENOMEM.
 */
[[nodiscard]] int lex(struct arena *arena, const char *text, size_t len, struct token **ret,
		      struct sql_error *error);
