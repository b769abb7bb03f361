/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse_code: which of the grammar's terminals a token is; the dialect's keywords.
 *
 * Layer 6 (service/syntax). Pure functions.
 */

#include <stddef.h>

struct token;

/* A token's code (T_… of grammar.y). Looks at up to two tokens after it, but never past TOKEN_END. */
[[nodiscard]] int parse_code(const struct token *at);

/*
 * The next keyword that a misspelt word may stand for.
 *
 * at        where to go on looking; 0 at first
 * ret_word  how the keyword is spelt
 *
 * Returns its code, or 0 if there is none any more.
 */
[[nodiscard]] int parse_code_like(const char *text, size_t *at, const char **ret_word);
