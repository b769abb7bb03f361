/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse: tokens to a tree, by the grammar of grammar.y.
 *
 * Layer 6 (service/syntax). Pure; what it makes lives in the arena.
 */

#include "common/base.h"
#include "service/syntax/arena.h"
#include "service/syntax/ast.h"
#include "service/syntax/refusal.h"

/* Parse a whole query, up to TOKEN_END. Returns 0, SQL_REFUSED (error is set) or -ENOMEM. */
[[nodiscard]] int parse(struct arena *arena, const struct token *tokens, struct query **ret,
			struct sql_error *error);
