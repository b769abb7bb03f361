/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/live.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/proto/keys.h"
#include "common/secret.h"
#include "service/chunk/chunk.h"
#include "service/disk/log.h"
#include "service/segment/part.h"
#include "service/segment/segment.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/catalog.h"
#include "service/store/internal.h"
#include "service/store/recent.h"

constexpr uint64_t ROWS_MAX = UINT64_C(4) * CHUNK_ROWS; /* in memory, of one collection */
constexpr size_t SEEN_PARTS = 4;
constexpr int WAIT_MAX_S = 30;
constexpr unsigned int KEY_BITS = 16; /* of a number in the log */

static int copy_text(const char *text, const char **ret)
{
	*ret = text ? strdup(text) : nullptr;
	return text && !*ret ? -ENOMEM : 0;
}

static int copy_about(const struct collection *about, struct collection *ret)
{
	int r = copy_text(about->workspace, &ret->workspace);

	if (r == 0)
		r = copy_text(about->name, &ret->name);
	if (r == 0)
		r = copy_text(about->uuid, &ret->uuid);
	if (r == 0)
		r = copy_text(about->description, &ret->description);
	if (r == 0)
		r = copy_text(about->compression, &ret->compression);
	if (r == 0)
		r = copy_text(about->created_by, &ret->created_by);
	if (r == 0)
		r = copy_text(about->created_by_key, &ret->created_by_key);
	if (r == 0)
		r = copy_text(about->clustering_key, &ret->clustering_key);
	ret->n = about->n;
	ret->retention_secs = about->retention_secs;
	ret->created_us = about->created_us;
	return r;
}

int live_new(struct store *store, const struct collection *about, struct live **ret)
{
	struct live *live = calloc(1, sizeof(*live));

	if (!live)
		return -ENOMEM;
	atomic_init(&live->refs, 1);
	live->store = store;
	live->waiting_end = &live->waiting;
	(void)pthread_mutex_init(&live->turn, nullptr); /* cannot fail without attributes */
	(void)pthread_mutex_init(&live->lock, nullptr);
	atomic_init(&live->updated_us, about->updated_us);
	atomic_init(&live->purged, about->purged);
	int r = copy_about(about, &live->about);
	if (r == 0)
		r = state_new(0, &live->tip);
	if (r) {
		live_unref(live);
		return r;
	}
	live->visible = snapshot_ref(live->tip);
	*ret = live;
	return 0;
}

struct live *live_ref(struct live *live)
{
	atomic_fetch_add_explicit(&live->refs, 1, memory_order_relaxed);
	return live;
}

static void free_texts(struct collection *about)
{
	const char *const TEXTS[] = { about->workspace,	     about->name,
				      about->uuid,	     about->description,
				      about->compression,    about->created_by,
				      about->created_by_key, about->clustering_key };

	for (size_t i = 0; i < countof(TEXTS); i++)
		free((char *)(uintptr_t)TEXTS[i]); /* owned; const for whom it is shown to */
}

/* Forget the states that wait. */
static void drop_waiting(struct live *live)
{
	while (live->waiting) {
		struct snapshot *next = live->waiting->next;

		snapshot_unref(live->waiting);
		live->waiting = next;
	}
	live->waiting_end = &live->waiting;
}

struct live *live_unref(struct live *live)
{
	if (!live || atomic_fetch_sub_explicit(&live->refs, 1, memory_order_acq_rel) != 1)
		return nullptr;
	drop_waiting(live);
	if (live->tip)
		atomic_fetch_sub(&live->store->memory, live->tip->memory_bytes);
	snapshot_unref(live->tip);
	snapshot_unref(live->visible);
	recent_done(&live->recent);
	ids_seen_free(live->seen);
	for (size_t i = 0; i < live->n_keys; i++)
		secret_done(&live->key[i].secret);
	free(live->key);
	free_texts(&live->about);
	(void)pthread_mutex_destroy(&live->turn);
	(void)pthread_mutex_destroy(&live->lock);
	free(live);
	return nullptr;
}

int live_add_key(struct live *live, int64_t n, uint64_t made_us, const uint8_t *key)
{
	struct secret secret = {};
	int r = secret_init(&secret, KEYS_DATA_KEY);

	if (r)
		return r;
	memcpy(secret.data, key, KEYS_DATA_KEY);
	(void)pthread_mutex_lock(&live->lock);
	struct live_key *grown = reallocarray(live->key, live->n_keys + 1, sizeof(*grown));
	if (grown) {
		live->key = grown;
		live->key[live->n_keys++] = (struct live_key) { n, made_us, secret };
	}
	(void)pthread_mutex_unlock(&live->lock);
	if (!grown)
		secret_done(&secret);
	return grown ? 0 : -ENOMEM;
}

bool live_key(struct live *live, int64_t n, uint8_t *ret, int64_t *ret_n)
{
	bool found = false;

	(void)pthread_mutex_lock(&live->lock);
	for (size_t i = live->n_keys; !found && i > 0; i--) {
		const struct live_key *key = &live->key[i - 1];

		found = n == 0 || key->n == n;
		if (!found)
			continue;
		memcpy(ret, key->secret.data, KEYS_DATA_KEY);
		*ret_n = key->n;
	}
	(void)pthread_mutex_unlock(&live->lock);
	return found;
}

/* Whose its segments are, under the key of that number; 0: the newest. key takes the key, and name the name. */
static bool owner_of(struct live *live, int64_t n, uint8_t key[KEYS_DATA_KEY], char name[128],
		     struct segment_owner *ret)
{
	*ret = (struct segment_owner) { .uuid = live->about.uuid, .name = name, .key = key };
	(void)snprintf(name, 128, "%.60s.%.60s", live->about.workspace, live->about.name);
	return live_key(live, n, key, &ret->key_number);
}

int live_segment_writer(struct live *live, int64_t n, struct segment_writer **ret)
{
	uint8_t key[KEYS_DATA_KEY];
	char name[128];
	struct segment_owner owner;
	int r = owner_of(live, 0, key, name, &owner)
			? segment_writer_new(&live->store->segments, &owner, n, ret)
			: -ENOKEY;

	explicit_bzero(key, sizeof(key));
	return r;
}

int live_segment_open(struct live *live, const struct segment_row *row, struct part **ret)
{
	uint8_t key[KEYS_DATA_KEY];
	char name[128];
	struct segment_owner owner;
	int r = owner_of(live, row->key, key, name, &owner)
			? segment_open(&live->store->segments, &owner, row, ret)
			: -EBADMSG;

	explicit_bzero(key, sizeof(key));
	return r;
}

int64_t live_newest_key(struct live *live, uint64_t *ret_made_us)
{
	(void)pthread_mutex_lock(&live->lock);
	const struct live_key *newest = live->n_keys ? &live->key[live->n_keys - 1] : nullptr;
	int64_t n = newest ? newest->n : 0;
	if (ret_made_us)
		*ret_made_us = newest ? newest->made_us : 0;
	(void)pthread_mutex_unlock(&live->lock);
	return n;
}

int64_t live_log_number(struct live *live)
{
	return live->about.n << KEY_BITS | live_newest_key(live, nullptr);
}

int live_begin(struct live *live)
{
	(void)pthread_mutex_lock(&live->turn);
	if (!live->dropped && live->broken == 0)
		return 0;
	int r = live->dropped ? CATALOG_NO_COLLECTION : live->broken;
	(void)pthread_mutex_unlock(&live->turn);
	return r;
}

void live_end(struct live *live)
{
	(void)pthread_mutex_unlock(&live->turn);
}

/* Make a state the tip. In one's turn. */
static void set_tip(struct live *live, struct snapshot *state)
{
	atomic_fetch_add(&live->store->memory, state->memory_bytes - live->tip->memory_bytes);
	atomic_store(&live->memory_rows, state->memory_rows);
	atomic_store(&live->memory_parts, state->memory_parts);
	snapshot_unref(live->tip);
	live->tip = state;
}

void live_see(struct live *live)
{
	const struct snapshot *tip = live->tip;

	/* Without memory each chunk is asked. */
	if (live->seen || tip->memory_parts < SEEN_PARTS || ids_seen_new(&live->seen))
		return;
	for (size_t i = tip->n - tip->memory_parts; i < tip->n; i++)
		ids_seen_add(live->seen, tip->entry[i].part->index);
}

/* Keep what was seen in step with the state that is about to be the tip. */
static void note_seen(struct live *live, const struct snapshot *state)
{
	if (live->seen && state->memory_parts > live->tip->memory_parts)
		ids_seen_add(live->seen, state->entry[state->n - 1].part->index);
	else if (state->memory_parts < live->tip->memory_parts)
		live->seen = ids_seen_free(live->seen); /* made anew with what is left */
}

int live_append(struct live *live, struct snapshot **draft, struct log_batch *batch,
		uint64_t *ret_position)
{
	struct snapshot *state = *draft;

	batch->collection = live_log_number(live);
	int r = log_append(live->store->log, batch, &state->position);
	if (r)
		return r;
	struct part *last = state->n ? state->entry[state->n - 1].part : nullptr;
	if (last && !last->segment && last->first == 0) /* it is the batch's own */
		last->first = state->position;
	note_seen(live, state);
	*ret_position = state->position;
	*draft = nullptr;
	set_tip(live, snapshot_ref(state));
	live->touched_us = clock_mono_us();
	if (live->dirty_since_us == 0)
		live->dirty_since_us = live->touched_us;
	(void)pthread_mutex_lock(&live->lock);
	*live->waiting_end = state;
	live->waiting_end = &state->next;
	(void)pthread_mutex_unlock(&live->lock);
	return 0;
}

/* Make the newest state that is durable visible. */
static void publish(struct live *live, uint64_t synced)
{
	struct snapshot *old = nullptr;

	(void)pthread_mutex_lock(&live->lock);
	while (live->waiting && live->waiting->position <= synced) {
		struct snapshot *state = live->waiting;

		live->waiting = state->next;
		if (!live->waiting)
			live->waiting_end = &live->waiting;
		state->next = nullptr;
		live->visible->next = old; /* left below, outside the lock */
		old = live->visible;
		live->visible = state;
	}
	(void)pthread_mutex_unlock(&live->lock);
	while (old) {
		struct snapshot *next = old->next;

		snapshot_unref(old);
		old = next;
	}
}

int live_finish(struct live *live, uint64_t position)
{
	int r = log_sync(live->store->log, position);

	if (r == 0) {
		publish(live, log_synced(live->store->log));
		atomic_store(&live->updated_us, clock_wall_us());
		return 0;
	}
	(void)!store_recover(live->store);
	return r;
}

int live_settle(struct live *live)
{
	if (live->tip->position == 0)
		return 0;
	int r = log_sync(live->store->log, live->tip->position);

	if (r == 0)
		publish(live, log_synced(live->store->log));
	return r;
}

void live_show(struct live *live, struct snapshot **state)
{
	struct snapshot *now = TAKE(*state);

	note_seen(live, now);
	set_tip(live, snapshot_ref(now));
	(void)pthread_mutex_lock(&live->lock);
	struct snapshot *before = live->visible;
	live->visible = now;
	(void)pthread_mutex_unlock(&live->lock);
	snapshot_unref(before);
}

void live_roll_back(struct live *live, uint64_t synced)
{
	publish(live, synced);
	(void)pthread_mutex_lock(&live->lock);
	drop_waiting(live);
	struct snapshot *durable = snapshot_ref(live->visible);
	(void)pthread_mutex_unlock(&live->lock);
	set_tip(live, durable);
	recent_cut(&live->recent, durable->position);
}

struct snapshot *live_visible(struct live *live)
{
	(void)pthread_mutex_lock(&live->lock);
	struct snapshot *visible = snapshot_ref(live->visible);
	(void)pthread_mutex_unlock(&live->lock);
	return visible;
}

static bool has_room(struct live *live)
{
	return atomic_load(&live->memory_rows) < ROWS_MAX &&
	       atomic_load(&live->store->memory) < STORE_MEMORY_MAX;
}

int live_wait_for_room(struct live *live)
{
	struct store *store = live->store;
	struct timespec until;
	int r = 0;

	if (!atomic_load(&store->has_keeper) || has_room(live))
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_MAX_S;
	(void)pthread_mutex_lock(&store->wake_lock);
	uint64_t rounds = store->rounds;
	while (r == 0 && !has_room(live)) {
		(void)pthread_cond_signal(&store->wake);
		r = -pthread_cond_timedwait(&store->kept, &store->wake_lock, &until);
		if (r == 0 && store->rounds > rounds + 1)
			r = store->keeper_error; /* of a round that began after us */
	}
	(void)pthread_mutex_unlock(&store->wake_lock);
	return r == -ETIMEDOUT ? -EBUSY : r;
}
