/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/keep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/clock.h"
#include "service/chunk/chunk.h"
#include "service/disk/log.h"
#include "service/segment/segment.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/commit.h"
#include "service/store/internal.h"
#include "service/store/keep_merge.h"
#include "service/store/live.h"
#include "service/store/reserve.h"
#include "service/store/rewrite.h"
#include "service/store/store.h"

constexpr uint64_t OLD_US = 60'000'000; /* in memory; then it is sealed, full or not */
constexpr uint64_t QUIET_US =
	3'000'000; /* without a batch; then what is worth a segment is sealed */
constexpr uint64_t QUIET_ROWS = 4096;
constexpr uint64_t SEAL_ROWS = CHUNK_ROWS - CHUNK_ROWS / 10;
constexpr uint64_t SEAL_BYTES = 64u << 20;
constexpr uint64_t LOG_MAX =
	4 *
	(uint64_t)
		LOG_FILE_MAX; /* of a larger one, or on a full disk, nothing is kept for the sake of few documents */
constexpr size_t TOGETHER = 32;			  /* chunks in memory that become one */
constexpr uint32_t CLASSES[] = { 16, 256, 4096 }; /* rows below which a chunk is of a class */

int keep_install(struct rewrite *rewrite, const int64_t *removed, size_t n_removed)
{
	struct live *live = rewrite->live;
	struct snapshot *state = nullptr;
	bool commits = rewrite->segment != 0 || n_removed > 0;
	int r = live_begin(live);

	if (r) {
		if (rewrite->row.chunks > 0)
			(void)!segment_remove(&live->store->segments, rewrite->row.n);
		return r > 0 ? 0 : r; /* it was deleted: there is nothing to be done any more */
	}
	r = live_settle(live);
	bool failed = r != 0;
	if (r == 0)
		r = rewrite_apply(rewrite, live->tip, &state);
	if (r == 0 && commits)
		r = commit_state(live, state, rewrite->row.chunks > 0 ? &rewrite->row : nullptr,
				 removed, n_removed);
	if (r == 0)
		live_show(live, &state);
	live_end(live);
	snapshot_unref(state);
	if (failed)
		(void)!store_recover(live->store);
	/* What cannot be removed is removed when the store is opened again. */
	for (size_t i = 0; r == 0 && i < n_removed; i++)
		(void)!segment_remove(&live->store->segments, removed[i]);
	return r;
}

/* --- put together -------------------------------------------------------------------------- */

/* The newest chunks in memory, if they are small enough and many: how many. */
static size_t small_ones(const struct snapshot *state, uint32_t below)
{
	size_t n = 0;

	while (n < state->memory_parts && state->entry[state->n - 1 - n].part->rows < below)
		n++;
	return n >= TOGETHER ? n : 0;
}

static int put_together(struct live *live)
{
	cleanup(rewrite_done) struct rewrite rewrite = { .live = live,
							 .before = live_visible(live) };
	int r = 0;

	for (size_t i = 0; rewrite.n == 0 && i < countof(CLASSES); i++)
		rewrite.n = small_ones(rewrite.before, CLASSES[i]);
	if (rewrite.n == 0)
		return 0;
	rewrite.first = rewrite.before->n - rewrite.n;
	for (uint32_t i = 0; r == 0 && i < rewrite.n; i++)
		r = rewrite_source(&rewrite, i);
	if (r == 0)
		r = rewrite_finish(&rewrite);
	return r ? r : keep_install(&rewrite, nullptr, 0);
}

/* --- seal ---------------------------------------------------------------------------------- */

/* How many of the oldest chunks in memory fill chunks best. */
static size_t best_prefix(const struct snapshot *state)
{
	size_t first = state->n - state->memory_parts, best = state->memory_parts;
	uint64_t rows = 0;
	double best_waste = 2;

	for (size_t i = 0; i < state->memory_parts; i++) {
		const struct entry *entry = &state->entry[first + i];

		rows += entry->part->rows - entry->view.n_deleted;
		uint64_t room = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS * CHUNK_ROWS;
		double waste = room ? (double)(room - rows) / (double)room : 1;
		if (rows >= SEAL_ROWS && waste <= best_waste) {
			best = i + 1;
			best_waste = waste;
		}
	}
	return best;
}

/* How many of the oldest chunks in memory are to be sealed now; *ret_due is whether there is anything to commit at all. */
static size_t due(struct live *live, const struct snapshot *state, enum store_keep how,
		  bool *ret_due)
{
	bool crowded = atomic_load(&live->store->memory) > STORE_MEMORY_MAX / 2;
	uint64_t since_us = 0, touched_us = 0, now_us = clock_mono_us();

	if (live_begin(live) == 0) {
		since_us = live->dirty_since_us;
		touched_us = live->touched_us;
		live_end(live);
	}
	*ret_due = since_us != 0;
	if (since_us == 0)
		return 0;
	if (how != STORE_KEEP_DUE || now_us > since_us + OLD_US)
		return state->memory_parts;
	if (now_us > touched_us + QUIET_US && state->memory_rows >= QUIET_ROWS)
		return state->memory_parts;
	if (state->memory_bytes > SEAL_BYTES || (crowded && state->memory_bytes > SEAL_BYTES / 64))
		return state->memory_parts;
	*ret_due = state->memory_rows >= SEAL_ROWS;
	return *ret_due ? best_prefix(state) : 0;
}

static int seal(struct live *live, enum store_keep how, bool *ret_more)
{
	cleanup(rewrite_done) struct rewrite rewrite = { .live = live,
							 .before = live_visible(live) };
	bool anything = false;
	size_t n = due(live, rewrite.before, how, &anything);
	int r = 0;

	*ret_more = false;
	if (!anything)
		return 0;
	rewrite.first = rewrite.before->n - rewrite.before->memory_parts;
	rewrite.n = n;
	rewrite.segment = live->store->next_segment++;
	for (uint32_t i = 0; r == 0 && i < n; i++)
		r = rewrite_source(&rewrite, i);
	if (r == 0)
		r = rewrite_finish(&rewrite);
	if (r == 0)
		r = keep_install(&rewrite, nullptr, 0);
	*ret_more = r == 0 && n < rewrite.before->memory_parts;
	return r;
}

int keep_memory(struct live *live, enum store_keep how)
{
	bool more = true;
	int r = live->broken ? 0 : put_together(live);

	while (r == 0 && more && !live->broken)
		r = seal(live, how, &more);
	return r;
}

void keep_between(struct store *store)
{
	struct live **list = nullptr;
	size_t n = 0;

	if (store_list(store, &list, &n))
		return;
	for (size_t i = 0; i < n; i++)
		(void)!keep_memory(list[i], STORE_KEEP_DUE);
	store_list_free(list, n);
	(void)!keep_log(
		store); /* a large merge takes minutes: what has been sealed meanwhile is in the log no longer */
	(void)pthread_mutex_lock(&store->wake_lock);
	(void)pthread_cond_broadcast(&store->kept);
	(void)pthread_mutex_unlock(&store->wake_lock);
}

/* --- the log ------------------------------------------------------------------------------- */

/* From where on a collection needs the log, if it does: the least is kept in *at. */
static void needs(struct live *live, uint64_t *at)
{
	int r = live_begin(live);

	if (r == 0 && live->tip->position > live->kept_position && live->kept_position < *at)
		*at = live->kept_position + 1;
	if (r == 0)
		live_end(live);
	else if (r < 0 && live->kept_position <
				  *at) /* it is broken; the log may be all that is left of it */
		*at = live->kept_position + 1;
}

int keep_log(struct store *store)
{
	struct live **list = nullptr;
	size_t n = 0;
	uint64_t at = log_synced(store->log) +
		      1; /* before the collections: what comes later is not touched */
	int r = store_list(store, &list, &n);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		needs(list[i], &at);
	store_list_free(list, n);
	return log_trim(store->log, at);
}

/* The collection because of which the log cannot be cut any more, or nullptr: the one that needs most of it. */
static struct live *who_holds(struct live **list, size_t n)
{
	struct live *found = nullptr;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = UINT64_MAX;

		if (!list[i]->broken)
			needs(list[i], &at);
		if (at < least) {
			least = at;
			found = list[i];
		}
	}
	return found;
}

/* Whether the log takes room that is wanted: it is long, or the disk is as full as it may be. */
static bool is_tight(struct store *store)
{
	return log_size(store->log) > LOG_MAX || !reserve_fill(store) || !store_has_room(store);
}

int keep_log_short(struct store *store)
{
	struct live **list = nullptr;
	size_t n = 0;
	int r = keep_log(store);

	if (r || !is_tight(store))
		return r;
	r = store_list(store, &list, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct live *holds = who_holds(list, n);

		if (!holds)
			break;
		r = keep_memory(holds, STORE_KEEP_SEAL);
		if (r == 0)
			r = keep_log(store);
		if (!is_tight(store))
			break;
	}
	store_list_free(list, n);
	return r;
}
