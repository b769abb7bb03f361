/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * reference: TABLE('c'), TABLE(['ws', 'c']) and FIELD('c', 'a.b') become the names that they stand for.
 *
 * Layer 6 (service/sql). Done with the tokens, before the grammar sees them, so that they can stand wherever a name can. What is
 * in the brackets are strings or parameters with a value: a query is bound to collections and fields before it reads anything.
 * Source: the Rockset SQL reference, FIELD and TABLE.
 */

#include "service/sql/sql.h"
#include "service/syntax/arena.h"
#include "service/syntax/lex.h"

/*
 * Replace them.
 *
 * tokens  up to TOKEN_END, in the arena
 * ask     has the parameters' values
 * ret     the tokens, or others in the arena
 *
 * Returns 0, SQL_REFUSED (error is set), or -ENOMEM.
 */
[[nodiscard]] int references_expand(struct arena *arena, struct token *tokens,
				    const struct sql_query *ask, struct token **ret,
				    struct sql_error *error);
