/* SPDX-License-Identifier: Apache-2.0 */
#include "service/snapshot/find.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"
#include "service/segment/gone.h"
#include "service/segment/ids.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"

/* The search in one chunk. */
struct search {
	const struct snapshot *state;
	const struct ids *ids;
	uint32_t *left; /* [n] indexes of the _ids that are still to be found */
	uint32_t n;
	uint32_t *maybe; /* [n_maybe] places in left that a filter lets through */
	uint32_t n_maybe;
	bool *found; /* [ids->n] */
	struct strings_room room;
	find_fn *fn;
	void *userdata;
};

static void search_done(struct search *search)
{
	free(search->left);
	free(search->maybe);
	free(search->found);
	strings_room_done(&search->room);
}

/* The order of the _id at a place in a chunk's index and another one. Returns 0 or an error of column_string(). */
static int compare_at(struct search *search, const struct entry *entry, const struct column *column,
		      uint32_t at, const struct str *id, int *ret)
{
	struct str stored;
	int r = column_string(column, ids_index_row(entry->part->index, at), &search->room,
			      &stored);

	*ret = r ? 0 : spans_compare(&stored, id);
	return r > 0 ? -EBADMSG : r;
}

/* The row of a chunk in memory that has an _id and is not deleted: the last. Returns 1, 0 (none), -EBADMSG or another -errno. */
static int row_in_memory(struct search *search, const struct entry *entry,
			 const struct column *column, uint32_t index, uint32_t *ret)
{
	const struct str *id = &search->ids->id[index];
	uint32_t first = 0,
		 n = ids_index_find(entry->part->index, search->ids->hash[index], &first);
	uint32_t end = first + n; /* behind the last that is not greater; first to that is sorted */
	int order = 0, r = 0;

	for (uint32_t low = first; r == 0 && low < end;) {
		uint32_t middle = low + (end - low) / 2;

		r = compare_at(search, entry, column, middle, id, &order);
		if (order > 0)
			end = middle;
		else
			low = middle + 1;
	}
	for (; r == 0 && end > first; end--) {
		r = compare_at(search, entry, column, end - 1, id, &order);
		if (r || order)
			break;
		*ret = ids_index_row(entry->part->index, end - 1);
		if (!gone_has(entry->view.deleted, *ret))
			return 1;
	}
	return r;
}

/* Where column_find_text() leaves the row. */
struct hit {
	const uint64_t *deleted;
	uint32_t row;
	bool found;
};

static bool on_entry(void *userdata, uint32_t row)
{
	struct hit *hit = userdata;

	if (gone_has(hit->deleted, row))
		return true;
	hit->row = row;
	hit->found = true;
	return false;
}

/* The same in a segment. */
static int row_in_segment(struct search *search, const struct entry *entry,
			  const struct column *column, uint32_t index, uint32_t *ret)
{
	const struct str *id = &search->ids->id[index];
	struct hit hit = { .deleted = entry->view.deleted };
	int r = column_find_text(column, &search->room, id->at, id->len, on_entry, &hit);

	if (r)
		return r > 0 ? -EBADMSG : r;
	*ret = hit.row;
	return hit.found;
}

/* Collect the _ids that a chunk's filter lets through. */
static int ask_filter(struct search *search, const struct entry *entry, uint32_t id_column)
{
	cleanup(column_close) struct column column = {};
	const struct part *part = entry->part;

	uint32_t n = 0;

	search->n_maybe = 0;
	if (!part->index) {
		int r = column_open(part->chunk, id_column, 1u << LANE_FILTER, &column);

		if (r)
			return r > 0 ? -EBADMSG : r;
	}
	for (uint32_t i = 0; i < search->n; i++) {
		uint64_t hash = search->ids->hash[search->left[i]];
		bool may = part->index ? ids_index_may_have(part->index, hash)
				       : column_may_have(&column, hash);

		/* Written in any case: the processor need not guess. n is at most i. */
		search->maybe[n] = i;
		n += may;
	}
	search->n_maybe = n;
	return 0;
}

static int look_up(struct search *search, size_t chunk, uint32_t id_column)
{
	const struct entry *entry = &search->state->entry[chunk];
	cleanup(column_close) struct column column = {};
	bool memory = entry->part->index != nullptr;
	int r = column_open(entry->part->chunk, id_column,
			    1u << LANE_STRINGS | (memory ? 0u : 1u << LANE_ORDER), &column);

	for (uint32_t i = 0; r == 0 && i < search->n_maybe; i++) {
		uint32_t index = search->left[search->maybe[i]], row = 0;

		r = memory ? row_in_memory(search, entry, &column, index, &row)
			   : row_in_segment(search, entry, &column, index, &row);
		if (r <= 0)
			continue;
		r = search->fn(search->userdata, index, chunk, row);
		search->found[index] = true;
	}
	return r > 0 ? -EBADMSG : r;
}

/* Take what was found out of the list. */
static void compact(struct search *search)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < search->n; i++)
		if (!search->found[search->left[i]])
			search->left[n++] = search->left[i];
	search->n = n;
}

static int search_chunk(struct search *search, size_t chunk)
{
	const struct entry *entry = &search->state->entry[chunk];
	uint32_t id_column = chunk_child(entry->part->chunk, 0, "_id", 3);

	if (entry->view.n_deleted == entry->part->rows)
		return 0;
	if (id_column == CHUNK_NONE)
		return -EBADMSG;
	int r = ask_filter(search, entry, id_column);
	if (r || search->n_maybe == 0)
		return r;
	r = look_up(search, chunk, id_column);
	compact(search);
	return r;
}

/* The _ids that are to be looked for in memory: those that were not seen there are not. */
static void choose_for_memory(struct search *search, const struct ids_seen *seen)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < search->ids->n; i++) {
		search->left[n] = i;
		n += !seen || ids_seen_may_have(seen, search->ids->hash[i]);
	}
	search->n = n;
}

/* Of all _ids, those that were not found in memory. */
static void choose_for_segments(struct search *search, const bool *found)
{
	search->n = 0;
	for (uint32_t i = 0; i < search->ids->n; i++)
		if (!found[i])
			search->left[search->n++] = i;
}

int find_ids(const struct snapshot *state, const struct ids *ids, const struct ids_seen *seen,
	     find_fn *fn, void *userdata)
{
	cleanup(search_done) struct search search = {
		.state = state, .ids = ids, .fn = fn, .userdata = userdata
	};
	size_t segments = state->n - state->memory_parts;
	int r = 0;

	search.left = calloc((size_t)ids->n + 1, sizeof(*search.left));
	search.maybe = calloc((size_t)ids->n + 1, sizeof(*search.maybe));
	search.found = calloc((size_t)ids->n + 1, sizeof(*search.found));
	if (!search.left || !search.maybe || !search.found)
		return -ENOMEM;
	choose_for_memory(&search, seen);
	for (size_t i = state->n; r == 0 && i > segments && search.n > 0; i--)
		r = search_chunk(&search, i - 1);
	choose_for_segments(&search, search.found);
	for (size_t i = segments; r == 0 && i > 0 && search.n > 0; i--)
		r = search_chunk(&search, i - 1);
	return r;
}

/* Where snapshot_find() leaves what it found. */
struct place {
	size_t chunk;
	uint32_t row;
	bool found;
};

static int on_found(void *userdata, uint32_t, size_t chunk, uint32_t row)
{
	*(struct place *)userdata = (struct place) { chunk, row, true };
	return 0;
}

int snapshot_find(const struct snapshot *snapshot, const char *id, size_t len, size_t *ret_chunk,
		  uint32_t *ret_row)
{
	struct str text = { id, (uint32_t)len };
	uint64_t hash = column_hash_text(KIND_STRING, id, len);
	struct ids ids = { .n = 1, .hash = &hash, .id = &text };
	struct place place = {};
	int r = find_ids(snapshot, &ids, nullptr, on_found, &place);

	if (r)
		return r;
	*ret_chunk = place.chunk;
	*ret_row = place.row;
	return place.found;
}
