/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * group_list: the groups of a grouping one after the other, part by part, or the first of them in an order.
 *
 * Layer 5 (service/group). Belongs to one thread; what was spilled is fetched a part at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/group/groups.h"
#include "service/group/top.h"

struct group_list {
	struct groups *groups;
	const struct layout *layout;
	struct record **record; /* [n] of the part that is being handed out, or all that will be */
	size_t n, size, next;
	uint32_t part; /* the next to be listed */
	bool sorted;   /* record has all, in order */
	struct pile pile;
};

/* Begin. groups and layout are borrowed. */
void group_list_init(struct group_list *list, struct groups *groups, const struct layout *layout,
		     struct budget *budget);

/* Free what it owns. */
void group_list_done(struct group_list *list);

/* Leave the first groups in a plan's order only, sorted. fn makes a record's cells. Returns 0, what fn returned, or as groups_fetch(). */
[[nodiscard]] int group_list_sort(struct group_list *list, const struct plan *plan, uint32_t width,
				  top_fn *fn, void *userdata);

/* The next group, valid until the next call. Returns 0, PIPE_END, or as groups_fetch(). */
[[nodiscard]] int group_list_next(struct group_list *list, struct record **ret);

/* Begin again. */
void group_list_rewind(struct group_list *list);
