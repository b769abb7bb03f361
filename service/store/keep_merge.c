/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/keep_merge.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/clock.h"
#include "service/chunk/chunk.h"
#include "service/segment/segment.h"
#include "service/snapshot/cluster.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/internal.h"
#include "service/store/keep.h"
#include "service/store/live.h"
#include "service/store/rewrite.h"
#include "service/store/store.h"

constexpr size_t MERGE = 8;	     /* segments of a size that become one */
constexpr uint64_t RATE = 64u << 20; /* bytes a second that merging writes at most */
constexpr uint64_t DAY_US = UINT64_C(86'400'000'000);
constexpr uint32_t FULL_ROWS = CHUNK_ROWS / 4 * 3; /* a chunk of so many is not worth filling up */
constexpr uint32_t DELETED_PART = 8;		   /* one in so many rows deleted: written anew */

/* Live rows below which a segment is of a size. */
static const uint64_t SIZES[] = { 8192, FULL_ROWS, (uint64_t)MERGE *FULL_ROWS,
				  UINT64_C(64) * FULL_ROWS };

/* The chunks of one segment in a state, which are neighbours. */
struct group {
	size_t first, n; /* entries */
	int64_t segment;
	uint64_t rows, deleted;
	bool aged; /* something has been deleted for a day */
};

/* Take the segments of a state together. */
static size_t list_groups(const struct snapshot *state, uint64_t now_us, struct group *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < state->n && state->entry[i].part->segment; i++) {
		const struct entry *entry = &state->entry[i];
		uint64_t since_us = entry->part->since_us;

		if (n == 0 || ret[n - 1].segment != entry->view.segment)
			ret[n++] = (struct group) { .first = i, .segment = entry->view.segment };
		struct group *group = &ret[n - 1];
		group->n++;
		group->rows += entry->part->rows - entry->view.n_deleted;
		group->deleted += entry->view.n_deleted;
		group->aged |=
			entry->view.n_deleted > 0 && since_us != 0 && now_us > since_us + DAY_US;
	}
	return n;
}

/* Whether a chunk is better written anew than copied. */
static bool is_worn(const struct entry *entry, bool alone, enum store_keep how, uint64_t now_us)
{
	uint32_t deleted = entry->view.n_deleted, rows = entry->part->rows;

	if (deleted * DELETED_PART > rows || (deleted > 0 && how == STORE_KEEP_PURGE))
		return true;
	if (deleted > 0 && entry->part->since_us != 0 && now_us > entry->part->since_us + DAY_US)
		return true;
	return !alone && rows - deleted < FULL_ROWS;
}

/* Write all chunks' documents by ranges of the collection's key. */
static int write_clustered(struct rewrite *rewrite, enum store_keep how)
{
	auto_free struct cluster_source *source = calloc(rewrite->n, sizeof(*source));
	uint64_t now_us = clock_wall_us();

	if (!source)
		return -ENOMEM;
	for (size_t i = 0; i < rewrite->n; i++) {
		const struct entry *entry = &rewrite->before->entry[rewrite->first + i];

		source[i] = (struct cluster_source) {
			.chunk = entry->part->chunk,
			.deleted = entry->view.deleted,
			.whole = !is_worn(entry, rewrite->n == 1, how, now_us),
		};
	}
	int r = cluster_new(source, (uint32_t)rewrite->n, rewrite->live->about.clustering_key,
			    CHUNK_ROWS, &rewrite->cluster);
	for (uint32_t i = 0; r == 0 && i < cluster_targets(rewrite->cluster); i++) {
		/* All of it takes seconds, for which neither writers nor the end can wait. */
		keep_between(rewrite->live->store);
		r = atomic_load(&rewrite->live->store->end) ? -ECANCELED
							    : rewrite_target(rewrite, i);
	}
	return r;
}

/* Write all chunks' documents in their order. */
static int write_in_order(struct rewrite *rewrite, enum store_keep how)
{
	uint64_t now_us = clock_wall_us();
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < rewrite->n; i++) {
		const struct entry *entry = &rewrite->before->entry[rewrite->first + i];

		keep_between(rewrite->live->store);
		r = is_worn(entry, rewrite->n == 1, how, now_us) ? rewrite_source(rewrite, i)
								 : rewrite_copy(rewrite, i);
	}
	return r;
}

/* Write some neighbouring segments as one. */
static int merge(struct live *live, struct snapshot *before, const struct group *group, size_t n,
		 enum store_keep how)
{
	cleanup(rewrite_done) struct rewrite rewrite = { .live = live,
							 .before = snapshot_ref(before),
							 .first = group[0].first,
							 .rate = how == STORE_KEEP_DUE ? RATE : 0 };
	auto_free int64_t *removed = calloc(n, sizeof(*removed));
	int r = removed ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++) {
		removed[i] = group[i].segment;
		rewrite.n += group[i].n;
	}
	rewrite.segment = live->store->next_segment++;
	if (r == 0)
		r = live->about.clustering_key ? write_clustered(&rewrite, how)
					       : write_in_order(&rewrite, how);
	if (r == 0)
		r = rewrite_finish(&rewrite);
	if (r)
		return r;
	rewrite.row.place = segment_row(before->entry[rewrite.first].part->segment)->place;
	return keep_install(&rewrite, removed, n);
}

static bool is_due_for_purge(const struct group *group, enum store_keep how)
{
	uint64_t all = group->rows + group->deleted;

	return group->deleted > 0 &&
	       (group->aged || how == STORE_KEEP_PURGE || group->deleted * DELETED_PART > all);
}

/* Neighbours below a size, enough of which are not of a smaller one: how many from *ret_first on, or 0. */
static size_t choose_of(const struct group *group, size_t n, uint64_t least, uint64_t below,
			size_t *ret_first)
{
	size_t run = 0, chunks = 0, counted = 0;

	for (size_t i = 0; i < n; i++) {
		bool fits = group[i].rows < below && chunks + group[i].n <= SEGMENT_CHUNKS_MAX;

		run = fits ? run + 1 : 0;
		chunks = fits ? chunks + group[i].n : 0;
		counted = fits ? counted + (group[i].rows >= least) : 0;
		if (counted < MERGE)
			continue;
		*ret_first = i + 1 - run;
		return run;
	}
	return 0;
}

/* Neighbours of a size, the smallest first; those that are smaller and lie between go along. */
static size_t choose(const struct group *group, size_t n, size_t *ret_first)
{
	size_t chosen = 0;

	for (size_t size = 0; chosen == 0 && size < countof(SIZES); size++)
		chosen = choose_of(group, n, size ? SIZES[size - 1] : 0, SIZES[size], ret_first);
	return chosen;
}

/* Do one thing that is due; *ret_more is whether something was. */
static int merge_once(struct live *live, enum store_keep how, bool *ret_more)
{
	cleanup(snapshot_unref_at) struct snapshot *before = live_visible(live);
	auto_free struct group *group = calloc(before->n + 1, sizeof(*group));
	size_t first = 0, n = 0;

	*ret_more = false;
	if (!group)
		return -ENOMEM;
	size_t groups = list_groups(before, clock_wall_us(), group);
	while (first < groups && !is_due_for_purge(&group[first], how))
		first++;
	if (first < groups)
		n = 1;
	else
		n = choose(group, groups, &first);
	if (n == 0)
		return 0;
	int r = merge(live, before, &group[first], n, how);
	*ret_more = r == 0;
	return r;
}

int keep_merge(struct live *live, enum store_keep how)
{
	bool more = true;
	int r = 0;

	/* Documents in memory come first: writers may have to wait for them. */
	while (r == 0 && more && !atomic_load(&live->dropped) &&
	       (how != STORE_KEEP_DUE || atomic_load(&live->store->memory) < STORE_MEMORY_MAX / 4))
		r = merge_once(live, how, &more);
	return r;
}
