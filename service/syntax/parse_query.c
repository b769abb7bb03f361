/* SPDX-License-Identifier: Apache-2.0 */
#include "service/syntax/parse_query.h"

#include <stddef.h>
#include <stdint.h>

void tree_statement(struct parser *p, struct query *query, bool explain)
{
	if (p->r || !query)
		return;
	query->explain = explain;
	p->query = query;
}

void tree_unavailable(struct parser *p, const struct token *at)
{
	if (!p->r)
		p->r = sql_refuse_at(p->error, at, "not_implemented",
				     "%s is not available yet; only SELECT is.", at->text);
}

struct limits *tree_limits(struct parser *p, struct expr *limit, struct expr *offset)
{
	struct limits *limits = node(p, sizeof(*limits));

	if (limits)
		*limits = (struct limits) { limit, offset };
	return limits;
}

/* The first of some cores, each with the next behind it. */
static struct core *chain_cores(const struct list *cores)
{
	for (size_t i = 0; i + 1 < cores->n; i++)
		((struct core *)cores->item[i])->next = cores->item[i + 1];
	return cores->item[0];
}

static struct cte *chain_ctes(const struct list *ctes)
{
	for (size_t i = 0; i + 1 < ctes->n; i++)
		((struct cte *)ctes->item[i])->next = ctes->item[i + 1];
	return ctes->item[0];
}

static struct select_item *chain_items(const struct list *items)
{
	for (size_t i = 0; i + 1 < items->n; i++)
		((struct select_item *)items->item[i])->next = items->item[i + 1];
	return items->item[0];
}

struct query *tree_query(struct parser *p, const struct list *ctes, const struct list *cores,
			 struct order_item *order, const struct limits *limits)
{
	struct query *query = node(p, sizeof(*query));

	if (!query)
		return nullptr;
	*query = (struct query) { .ctes = ctes ? chain_ctes(ctes) : nullptr,
				  .cores = chain_cores(cores),
				  .order = order,
				  .limit = limits ? limits->limit : nullptr,
				  .offset = limits ? limits->offset : nullptr };
	return query;
}

struct cte *tree_cte(struct parser *p, const struct token *name, const struct list *columns,
		     struct query *query)
{
	struct cte *cte = node(p, sizeof(*cte));

	if (!cte)
		return nullptr;
	*cte = (struct cte) { .name = name, .query = query };
	if (columns) {
		cte->column = (const struct token **)(uintptr_t)columns->item;
		cte->n_columns = columns->n;
	}
	return cte;
}

void tree_add_core(struct parser *p, struct list *cores, enum set_kind set, struct core *core)
{
	if (core)
		core->set = set;
	list_add(p, cores, core);
}

enum set_kind tree_setop(struct parser *p, const struct token *at, enum set_kind set, bool all)
{
	if (all && !p->r)
		p->r = sql_refuse_at(p->error, at, "not_implemented",
				     "INTERSECT ALL and EXCEPT ALL are not available yet.");
	return set;
}

struct core *tree_nested(struct parser *p, struct query *query)
{
	struct core *core = node(p, sizeof(*core));

	if (core)
		core->nested = query;
	return core;
}

struct core *tree_select(struct parser *p, const struct core *core, const struct list *items,
			 const struct list *sets)
{
	struct core *copy = node(p, sizeof(*copy));

	if (!copy)
		return nullptr;
	*copy = *core;
	copy->items = chain_items(items);
	tree_sampled(p, copy);
	return sets ? tree_grouped(p, copy, sets) : copy;
}

struct select_item *tree_item(struct parser *p, struct expr *expr, const struct token *alias)
{
	struct select_item *item = node(p, sizeof(*item));

	if (item)
		*item = (struct select_item) { .expr = expr, .alias = alias, .at = expr->at };
	return item;
}

struct select_item *tree_star(struct parser *p, const struct token *at, struct expr *of,
			      const struct list *except)
{
	struct select_item *item = node(p, sizeof(*item));

	if (!item)
		return nullptr;
	*item = (struct select_item) { .of = of, .at = of ? of->at : at };
	if (except) {
		item->except = (const struct token **)(uintptr_t)except->item;
		item->n_except = except->n;
	}
	return item;
}

struct order_item *tree_order(struct parser *p, const struct list *sorts)
{
	if (p->r)
		return nullptr;
	for (size_t i = 0; i + 1 < sorts->n; i++)
		((struct order_item *)sorts->item[i])->next = sorts->item[i + 1];
	return sorts->item[0];
}

struct order_item *tree_sort(struct parser *p, struct expr *expr, bool down, int nulls)
{
	struct order_item *item = node(p, sizeof(*item));

	if (!item)
		return nullptr;
	item->expr = expr;
	item->descending = down;
	item->nulls = (uint8_t)nulls;
	return item;
}
