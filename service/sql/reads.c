/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/reads.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "service/expression/plan.h"
#include "service/sql/bind.h"
#include "service/value/value.h"

constexpr size_t NAME_MAX_BYTES = 300; /* of one field's or collection's name as told */

/* A list in the making: what does not fit is counted, never silently left out. */
struct list {
	struct buf *out;
	size_t start, max, n, left_out;
};

static struct list begin(struct buf *out, size_t max)
{
	struct list list = { .out = out, .start = out->len, .max = max };

	buf_add_str(out, "[");
	return list;
}

/* Add a name to the list, if there is room. */
static void add(struct list *list, const struct buf *name)
{
	struct buf *out = list->out;
	size_t was = out->len;

	buf_add_str(out, list->n > 0 ? "," : "");
	buf_add_json(out, (const char *)name->data, name->len);
	if (buf_error(out) == 0 && out->len - list->start <= list->max) {
		list->n++;
		return;
	}
	if (buf_error(out) == 0)
		out->len = was;
	list->left_out++;
}

static void end(struct list *list)
{
	if (list->left_out > 0)
		buf_addf(list->out, "%s\"and %zu more\"", list->n > 0 ? "," : "", list->left_out);
	buf_add_str(list->out, "]");
}

/* The collection that a snapshot is of. */
static const struct bound_collection *collection_of(const struct bound *bound,
						    const struct snapshot *snapshot)
{
	for (size_t i = 0; i < bound->n_collections; i++)
		if (bound->collections[i].snapshot == snapshot)
			return &bound->collections[i];
	return nullptr;
}

/* Add "workspace.collection.member.member", or with * for the whole document. */
static void add_field(struct list *list, const struct bound *bound, const struct plan *plan,
		      const struct field *field)
{
	auto_buf struct buf name = buf_make(NAME_MAX_BYTES);
	bool joined = field->source > 0 && field->source <= plan->n_joins;
	const struct bound_collection *collection = collection_of(
		bound, joined ? plan->join[field->source - 1].snapshot : plan->snapshot);

	if (collection)
		buf_addf(&name, "%s.%s", collection->workspace, collection->name);
	if (field->in_element)
		buf_add_str(&name, ".[]");
	for (uint32_t i = 0; i < field->n; i++) {
		buf_add_str(&name, ".");
		buf_add(&name, field->key[i].at, field->key[i].len);
	}
	if (field->n == 0)
		buf_add_str(&name, ".*");
	add(list, &name); /* a name too long for the room is told as far as it goes */
}

int reads_describe(const struct bound *bound, struct buf *room, struct sql_reads *ret)
{
	struct list list = begin(room, SQL_READS_COLLECTIONS_MAX);

	*ret = (struct sql_reads) {};
	for (size_t i = 0; i < bound->n_collections; i++) {
		auto_buf struct buf name = buf_make(NAME_MAX_BYTES);

		buf_addf(&name, "%s.%s", bound->collections[i].workspace,
			 bound->collections[i].name);
		add(&list, &name);
	}
	end(&list);
	ret->collections_len = room->len;

	list = begin(room, SQL_READS_FIELDS_MAX);
	for (size_t i = 0; i < bound->n_plans; i++) {
		const struct plan *plan = bound->plans[i];

		for (uint32_t n = 0; n < plan->n_fields; n++)
			add_field(&list, bound, plan, &plan->field[n]);
		if (plan->unnest)
			add_field(&list, bound, plan, plan->unnest);
	}
	end(&list);
	if (buf_error(room))
		return -ENOMEM;
	ret->collections = (const char *)room->data;
	ret->fields = (const char *)room->data + ret->collections_len;
	ret->fields_len = room->len - ret->collections_len;
	return 0;
}
