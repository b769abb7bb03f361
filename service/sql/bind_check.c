/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/bind_internal.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "service/sql/draft.h"

constexpr unsigned int LOOK_EVERY = 64; /* expressions printed between two looks at the limits */

/* Where an expression stands, and what may be in it. */
enum clause : uint8_t {
	CLAUSE_SELECT,
	CLAUSE_ORDER,
	CLAUSE_ORDER_ROWS, /* of a SELECT without groups */
	CLAUSE_FROM,
	CLAUSE_ON,
	CLAUSE_WHERE,
	CLAUSE_GROUP,
	CLAUSE_HAVING,
	CLAUSE_AGGREGATE, /* the arguments of one */
	CLAUSE_WINDOW,	  /* the arguments of a function with OVER */
};

static const struct {
	bool aggregates, windows;
	const char *where; /* what is not allowed is not allowed … */
	const char *hint;
} CLAUSES[] = {
	[CLAUSE_SELECT] = { true, true, "", "" },
	[CLAUSE_ORDER] = { true, true, "", "" },
	[CLAUSE_ORDER_ROWS] = { false, true, "in ORDER BY without GROUP BY", "" },
	[CLAUSE_FROM] = { false, false, "in FROM", "" },
	[CLAUSE_ON] = { false, false, "in ON", "" },
	[CLAUSE_WHERE] = { false, false, "in WHERE",
			   "Test it in HAVING, or in a query around this one." },
	[CLAUSE_GROUP] = { false, false, "in GROUP BY",
			   "Compute it in a sub-select and group around that." },
	[CLAUSE_HAVING] = { true, false, "in HAVING", "Test it in a query around this one." },
	[CLAUSE_AGGREGATE] = { false, false, "inside an aggregate",
			       "Compute the inner one in a sub-select." },
	[CLAUSE_WINDOW] = { true, false, "inside another one with OVER",
			    "Compute the inner one in a sub-select." },
};

static void refuse_misuse(struct binder *b, const struct expr *e, enum clause clause)
{
	b->r = sql_refuse_at(b->error, e->at, "query_error", "%s `%.60s` cannot stand %s.",
			     e->window ? "Window function" : "Aggregate", e->at->text,
			     CLAUSES[clause].where);
	(void)snprintf(b->error->hint, sizeof(b->error->hint), "%s", CLAUSES[clause].hint);
}

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

/* Check an expression, sub-queries left out. */
static void check(struct binder *b, const struct expr *e, enum clause clause)
{
	const struct function *f = e && e->kind == EXPR_CALL ? function_find(e->at->text) : nullptr;
	bool window = f && e->window, aggregate = f && !window && function_is_aggregate(f);

	if (!e || b->r)
		return;
	if ((window && !CLAUSES[clause].windows) || (aggregate && !CLAUSES[clause].aggregates)) {
		refuse_misuse(b, e, clause);
		return;
	}
	clause = window ? CLAUSE_WINDOW : aggregate ? CLAUSE_AGGREGATE : clause;
	for (size_t i = 0; i < e->n_args; i++)
		check(b, e->arg[i], clause);
	check(b, e->operand, clause);
	check(b, e->otherwise, clause);
	for (const struct order_item *i = e->order; i; i = i->next)
		check(b, i->expr, clause);
	for (size_t i = 0; window && i < e->window->n_partition; i++)
		check(b, e->window->partition[i], clause);
	for (const struct order_item *i = window ? e->window->order : nullptr; i; i = i->next)
		check(b, i->expr, clause);
}

/* NOLINTEND(misc-no-recursion) */

void check_aggregates(struct binder *b, const struct core *core, const struct order_item *order,
		      bool grouping)
{
	for (const struct select_item *i = core->items; i; i = i->next)
		check(b, i->expr, CLAUSE_SELECT);
	for (const struct from_item *i = core->from; i; i = i->next) {
		check(b, i->unnest, CLAUSE_FROM);
		check(b, i->on, CLAUSE_ON);
	}
	check(b, core->where, CLAUSE_WHERE);
	for (size_t i = 0; i < core->n_group; i++)
		check(b, item_meant(b, core, core->group[i], false), CLAUSE_GROUP);
	check(b, core->having, CLAUSE_HAVING);
	for (const struct order_item *i = order; i; i = i->next)
		check(b, i->expr, grouping ? CLAUSE_ORDER : CLAUSE_ORDER_ROWS);
}

void check_ordinal(struct binder *b, const struct expr *e, size_t columns)
{
	if (b->r || e->kind != EXPR_NUMBER || e->at->kind != TOKEN_INT)
		return;
	unsigned long ordinal = strtoul(e->at->text, nullptr, 10);
	if (ordinal == 0 || ordinal > columns)
		b->r = sql_refuse_at(b->error, e->at, "query_error",
				     "There is no column %.20s: the query has %zu, from 1.",
				     e->at->text, columns);
}

bool bind_goes_on(struct binder *b)
{
	if (b->r == 0 && ++b->printed % LOOK_EVERY == 0)
		b->r = sql_check(b->ask, b->error);
	return b->r == 0;
}
