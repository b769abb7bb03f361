/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/group_list.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/crew/exec.h"

/* A part's groups are sorted out at once, while they are in the cache, if no more than one in so many can be left. */
constexpr size_t FEW_OF = 4;

void group_list_init(struct group_list *list, struct groups *groups, const struct layout *layout,
		     struct budget *budget)
{
	*list = (struct group_list) { .groups = groups,
				      .layout = layout,
				      .pile = { .budget = budget } };
}

void group_list_done(struct group_list *list)
{
	free(list->record);
	pile_done(&list->pile);
	*list = (struct group_list) {};
}

/* Append a part's groups. */
static int add_part(struct group_list *list, uint32_t p)
{
	const struct part *part;
	int r = groups_settle(list->groups, p, &part);

	if (r)
		return r;
	if (list->n + part->n > list->size) {
		size_t size = 2 * (list->n + part->n);
		struct record **grown = reallocarray(list->record, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->record = grown;
		list->size = size;
	}
	uint64_t at = 0;
	struct record *record;
	while ((record = part_next(part, &at))) {
		__builtin_prefetch(record);
		list->record[list->n++] = record;
	}
	return 0;
}

/* Copy records from one on, so that their part may go. */
static int keep_records(struct group_list *list, size_t from)
{
	for (size_t i = from; i < list->n; i++) {
		size_t size = record_size(list->record[i]);
		struct record *copy = pile_take(&list->pile, size);

		if (!copy)
			return pile_error(&list->pile, size);
		memcpy(copy, list->record[i], size);
		int r = aggregate_keep(list->layout, record_states(copy), &list->pile);
		if (r)
			return r;
		list->record[i] = copy;
	}
	return 0;
}

int group_list_sort(struct group_list *list, const struct plan *plan, uint32_t width, top_fn *fn,
		    void *userdata)
{
	bool spilled = groups_spilled(list->groups) > 0;
	int r = 0;

	for (uint32_t p = 0; p < GROUPS_PARTS && r == 0; p++) {
		size_t before = list->n, n;

		r = add_part(list, p);
		n = list->n - before;
		if (r || (!spilled && n / FEW_OF < (size_t)plan->limit))
			continue; /* all are sorted in the end */
		r = top_select((const void **)(void *)(list->record + before), &n, plan, width, fn,
			       userdata);
		list->n = before + n;
		if (r == 0 && spilled)
			r = keep_records(list, before);
	}
	list->sorted = true;
	return r ? r
		 : top_select((const void **)(void *)list->record, &list->n, plan, width, fn,
			      userdata);
}

int group_list_next(struct group_list *list, struct record **ret)
{
	while (list->next == list->n) {
		if (list->sorted || list->part == GROUPS_PARTS)
			return PIPE_END;
		list->n = list->next = 0;
		int r = add_part(list, list->part++);
		if (r)
			return r;
	}
	*ret = list->record[list->next++];
	return 0;
}

void group_list_rewind(struct group_list *list)
{
	list->next = 0;
	if (list->sorted)
		return;
	list->n = 0;
	list->part = 0;
}
