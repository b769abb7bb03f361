/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse: tokens to a tree, by the grammar of grammar.y.
 *
 * Layer 6 (service/sql). Pure; what it makes lives in the arena.
 */

#include "common/base.h"
#include "service/sql/arena.h"
#include "service/sql/ast.h"
#include "service/sql/sql.h"

/* Parse a whole query, up to TOKEN_END. Returns 0, SQL_REFUSED (error is set) or -ENOMEM. */
[[nodiscard]] int parse(struct arena *arena, const struct token *tokens, struct query **ret,
			struct sql_error *error);
