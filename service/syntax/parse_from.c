/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "service/syntax/parse_query.h"

struct from_item *tree_collection(struct parser *p, const struct expr *path)
{
	struct from_item *item = node(p, sizeof(*item));

	if (item)
		*item = (struct from_item) { .name = path->name,
					     .n_names = path->n_names,
					     .at = path->at };
	return item;
}

struct from_item *tree_derived(struct parser *p, const struct token *at, struct query *query)
{
	struct from_item *item = node(p, sizeof(*item));

	if (item)
		*item = (struct from_item) { .query = query, .at = at };
	return item;
}

struct from_item *tree_unnest(struct parser *p, const struct token *at, struct expr *expr,
			      const struct token *element, const struct token *value,
			      bool ordinality)
{
	struct from_item *item = node(p, sizeof(*item));

	if (item)
		*item = (struct from_item) { .unnest = expr,
					     .element = element,
					     .value = value,
					     .ordinality = ordinality,
					     .at = at };
	return item;
}

struct from_item *tree_table(struct from_item *item, const struct token *alias, struct expr *sample)
{
	if (item) {
		item->alias = alias;
		item->sample = sample;
	}
	return item;
}

void tree_join(struct parser *p, struct list *tables, enum join_kind join, struct from_item *item,
	       struct expr *on, const struct list *using)
{
	bool outer = join == JOIN_LEFT || join == JOIN_RIGHT || join == JOIN_FULL;

	if (!item || p->r)
		return;
	if (outer && !on && !using && !item->unnest)
		refuse_expected(p, "ON or USING");
	item->join = join;
	item->on = on;
	if (using) {
		item->using = (const struct token **)(uintptr_t)using->item;
		item->n_using = using->n;
	}
	list_add(p, tables, item);
}

struct from_item *tree_from(struct parser *p, const struct list *tables)
{
	if (p->r)
		return nullptr;
	for (size_t i = 0; i + 1 < tables->n; i++)
		((struct from_item *)tables->item[i])->next = tables->item[i + 1];
	return tables->item[0];
}
