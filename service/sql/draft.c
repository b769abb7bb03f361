/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/draft.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/vector/cell.h"

struct draft *draft_new(struct binder *b, const char *sql, struct snapshot *snapshot)
{
	struct draft *draft = bind_node(b, sizeof(*draft));

	if (draft)
		*draft = (struct draft) { .sql = sql, .snapshot = snapshot, .limit = -1 };
	return draft;
}

static bool field_equal(const struct field *a, const struct field *b)
{
	if (a->n != b->n || a->source != b->source || a->in_element != b->in_element)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->key[i].len != b->key[i].len ||
		    memcmp(a->key[i].at, b->key[i].at, a->key[i].len) != 0)
			return false;
	return true;
}

uint32_t draft_field(struct binder *b, struct draft *draft, const struct field *field)
{
	for (size_t i = 0; i < draft->fields.n; i++)
		if (field_equal(draft->fields.item[i], field))
			return (uint32_t)i;
	struct field *new = bind_node(b, sizeof(*new));
	if (!new)
		return 0;
	*new = *field;
	vec_add(b, &draft->fields, new);
	return (uint32_t)draft->fields.n - 1;
}

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

bool node_equal(const struct node *a, const struct node *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->op != b->op || a->field != b->field || a->n_args != b->n_args ||
	    a->unit != b->unit || a->width_us != b->width_us || a->call != b->call ||
	    a->userdata != b->userdata)
		return false;
	if (a->op == OP_CONSTANT &&
	    (a->constant.kind != b->constant.kind || cell_compare(&a->constant, &b->constant) != 0))
		return false;
	for (size_t i = 0; i < a->n_args; i++)
		if (!node_equal(a->arg[i], b->arg[i]))
			return false;
	return true;
}

/* NOLINTEND(misc-no-recursion) */

size_t draft_output(struct binder *b, struct draft *draft, struct node *node)
{
	for (size_t i = 0; i < draft->outputs.n; i++)
		if (node_equal(draft->outputs.item[i], node))
			return i;
	vec_add(b, &draft->outputs, node);
	if (!b->r && draft->outputs.n > SQL_FIELDS_MAX)
		b->r = sql_refuse(b->error, SQL_QUERY_ERROR, "query_too_complex",
				  "A query can ask for at most %zu fields of one collection.",
				  SQL_FIELDS_MAX);
	return draft->outputs.n - 1;
}

size_t draft_aggregate(struct binder *b, struct draft *draft, const struct aggregate *aggregate)
{
	for (size_t i = 0; i < draft->aggregates.n; i++) {
		const struct aggregate *old = draft->aggregates.item[i];

		if (old->kind == aggregate->kind && node_equal(old->arg, aggregate->arg))
			return draft->outputs.n + i;
	}
	struct aggregate *new = bind_node(b, sizeof(*new));
	if (!new)
		return 0;
	*new = *aggregate;
	vec_add(b, &draft->aggregates, new);
	return draft->outputs.n + draft->aggregates.n - 1;
}

/* A list of pointers to things of one size as an array of the things. */
static void *flatten(struct binder *b, const struct vec *vec, size_t size)
{
	uint8_t *array = bind_node(b, (vec->n + 1) * size);

	for (size_t i = 0; array && i < vec->n; i++)
		memcpy(array + i * size, vec->item[i], size);
	return array;
}

/* All conditions as one. */
static struct node *conjunction(struct binder *b, const struct vec *filter)
{
	if (filter->n < 2)
		return filter->n ? (struct node *)(uintptr_t)filter->item[0] : nullptr;
	struct node *all = bind_node(b, sizeof(*all));
	if (all)
		*all = (struct node) { .op = OP_AND,
				       .arg = (struct node **)(uintptr_t)filter->item,
				       .n_args = filter->n,
				       .condition = true };
	return all;
}

size_t draft_finish(struct binder *b, const struct draft *draft)
{
	struct plan *plan = bind_node(b, sizeof(*plan));

	if (!plan)
		return 0;
	*plan = (struct plan) {
		.snapshot = draft->snapshot,
		.field = flatten(b, &draft->fields, sizeof(struct field)),
		.n_fields = (uint32_t)draft->fields.n,
		.unnest = draft->unnest,
		.unnest_at = draft->unnest_at,
		.join = flatten(b, &draft->joins, sizeof(struct join)),
		.n_joins = (uint32_t)draft->joins.n,
		.filter = conjunction(b, &draft->filter),
		.grouped = draft->grouped,
		.output = (struct node **)(uintptr_t)draft->outputs.item,
		.n_outputs = (uint32_t)draft->outputs.n,
		.aggregate = flatten(b, &draft->aggregates, sizeof(struct aggregate)),
		.n_aggregates = (uint32_t)draft->aggregates.n,
		.order = flatten(b, &draft->order, sizeof(struct order_by)),
		.n_order = (uint32_t)draft->order.n,
		.limit = draft->limit,
	};
	vec_add(b, &b->plans, plan);
	return b->plans.n ? b->plans.n - 1 : 0;
}
