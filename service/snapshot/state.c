/* SPDX-License-Identifier: Apache-2.0 */
#include "service/snapshot/state.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "service/segment/gone.h"
#include "service/segment/part.h"
#include "service/segment/segment.h"

int state_new(size_t room, struct snapshot **ret)
{
	struct snapshot *state = calloc(1, sizeof(*state) + room * sizeof(state->entry[0]));

	if (!state)
		return -ENOMEM;
	atomic_init(&state->refs, 1);
	state->room = room;
	*ret = state;
	return 0;
}

/* What of a part's bytes its documents that are left account for. */
static int64_t live_bytes(const struct part *part, uint32_t live)
{
	return (int64_t)((double)part->size * live / part->rows);
}

/* Add or take off what an entry contributes to the sums. */
static void account(struct snapshot *state, const struct entry *entry, int sign)
{
	uint32_t live = entry->part->rows - gone_count(entry->gone);

	state->documents += sign * (int64_t)live;
	state->bytes += sign * live_bytes(entry->part, live);
}

void state_push(struct snapshot *state, struct part *part, struct gone *gone)
{
	struct entry *entry = &state->entry[state->n++];

	*entry = (struct entry) {
		.view = { .chunk = part->chunk,
			  .deleted = gone_words(gone),
			  .n_deleted = gone_count(gone),
			  .segment = part->segment ? segment_number(part->segment) : 0 },
		.part = part,
		.gone = gone,
	};
	account(state, entry, 1);
	if (part->segment)
		return;
	state->memory_parts++;
	state->memory_rows += part->rows;
	state->memory_bytes += part->size;
}

int state_copy(const struct snapshot *from, size_t more, struct snapshot **ret)
{
	struct snapshot *state = nullptr;
	int r = state_new(from->n + more, &state);

	if (r)
		return r;
	for (size_t i = 0; i < from->n; i++)
		state_push(state, part_ref(from->entry[i].part), gone_ref(from->entry[i].gone));
	state->position = from->position;
	*ret = state;
	return 0;
}

int state_delete(struct snapshot *state, size_t index, uint32_t row, bool *ret_new)
{
	struct entry *entry = &state->entry[index];

	*ret_new = false;
	if (gone_has(entry->view.deleted, row))
		return 0;
	if (!entry->gone || !gone_is_own(entry->gone)) {
		struct gone *copy = nullptr;
		int r = gone_copy(entry->gone, &copy);

		if (r)
			return r;
		gone_unref(entry->gone);
		entry->gone = copy;
	}
	account(state, entry, -1);
	*ret_new = gone_add(entry->gone, row);
	account(state, entry, 1);
	entry->view.deleted = gone_words(entry->gone);
	entry->view.n_deleted = gone_count(entry->gone);
	return 0;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
	return snapshot;
}

struct snapshot *snapshot_unref(struct snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
		return nullptr;
	for (size_t i = 0; i < snapshot->n; i++) {
		part_unref(snapshot->entry[i].part);
		gone_unref(snapshot->entry[i].gone);
	}
	free(snapshot);
	return nullptr;
}

size_t snapshot_chunks(const struct snapshot *snapshot)
{
	return snapshot->n;
}

const struct snapshot_chunk *snapshot_chunk(const struct snapshot *snapshot, size_t index)
{
	return &snapshot->entry[index].view;
}

int64_t snapshot_documents(const struct snapshot *snapshot)
{
	return snapshot->documents;
}
