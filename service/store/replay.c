/* SPDX-License-Identifier: Apache-2.0 */

/* What the log has and the segments have not, applied when the store is opened. */

#include "service/store/internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "service/column/spans.h"
#include "service/disk/log.h"
#include "service/segment/ids.h"
#include "service/snapshot/state.h"
#include "service/store/expire.h"
#include "service/store/frame.h"
#include "service/store/keep.h"
#include "service/store/live.h"
#include "service/store/recent.h"
#include "service/store/store.h"
#include "service/store/write.h"

constexpr unsigned int KEY_BITS = 16; /* as in live_log_number() */

static int replay_add(struct live *live, const struct log_batch *batch, struct snapshot **ret)
{
	cleanup(write_done) struct write write = {};
	const uint8_t *bits = nullptr;
	size_t chunk_len = 0;
	uint32_t rows = 0;

	if (!frame_read_tail(batch->data, batch->len, &chunk_len, &rows, &bits))
		return -EBADMSG;
	auto_free uint8_t *bytes = malloc(chunk_len + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, batch->data, chunk_len);
	int r = write_open(&bytes, chunk_len, &write);
	if (r == 0)
		r = write.part->rows == rows ? write_apply(&write, live, ret) : -EBADMSG;
	if (r)
		return r;
	write.part->first = batch->position;
	recent_add(&live->recent, batch->id, batch->position, rows, bits);
	return 0;
}

static int replay_delete(struct live *live, const struct log_batch *batch, struct snapshot **ret)
{
	cleanup(snapshot_unref_at) struct snapshot *draft = nullptr;
	cleanup(ids_done) struct ids ids = {};
	auto_free struct str *id = nullptr;
	size_t n = 0;
	int r = frame_read_ids(batch->data, batch->len, &id, &n);

	if (r == 0)
		r = ids_of_list(id, n, &ids);
	if (r == 0)
		r = state_copy(live->tip, 0, &draft);
	if (r == 0)
		r = write_delete(live, draft, &ids);
	if (r == 0)
		*ret = TAKE(draft);
	return r;
}

static int replay_expire(struct live *live, const struct log_batch *batch, struct snapshot **ret)
{
	cleanup(snapshot_unref_at) struct snapshot *draft = nullptr;
	struct reader in = reader_make(batch->data, batch->len);
	auto cutoff_us = (int64_t)read_u64(&in);
	int64_t n = 0;

	if (!reader_end(&in))
		return -EBADMSG;
	int r = state_copy(live->tip, 0, &draft);
	if (r == 0)
		r = expire_before(draft, cutoff_us, draft, &n);
	if (r)
		return r;
	atomic_fetch_add(&live->purged, n);
	*ret = TAKE(draft);
	return 0;
}

int replay_batch(struct live *live, const struct log_batch *batch)
{
	struct snapshot *state = nullptr;
	int r = -EBADMSG;

	if (batch->kind == FRAME_ADD)
		r = replay_add(live, batch, &state);
	else if (batch->kind == FRAME_DELETE)
		r = replay_delete(live, batch, &state);
	else if (batch->kind == FRAME_EXPIRE)
		r = replay_expire(live, batch, &state);
	if (r)
		return r;
	state->position = batch->position;
	if (live->dirty_since_us == 0)
		live->dirty_since_us = clock_mono_us();
	live_show(live, &state);
	return 0;
}

static int on_batch(void *userdata, const struct log_batch *batch)
{
	struct store *store = userdata;
	cleanup(live_unref_at) struct live *live =
		store_find_number(store, batch->collection >> KEY_BITS);

	if (!live || live->broken || batch->position <= live->kept_position)
		return 0;
	int r = replay_batch(live, batch);
	if (r == -EBADMSG) { /* its log stays as it is, and so do the other collections */
		live->broken = r;
		return 0;
	}
	if (r == 0 && atomic_load(&store->memory) > STORE_MEMORY_MAX)
		r = keep_memory(live, STORE_KEEP_SEAL);
	return r;
}

int replay_log(struct store *store)
{
	struct live **list = nullptr;
	size_t n = 0;
	uint64_t from = UINT64_MAX;
	int r = store_list(store, &list, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (list[i]->kept_position + 1 < from)
			from = list[i]->kept_position + 1;
	store_list_free(list, n);
	if (r || from > log_synced(store->log))
		return r;
	r = log_read(store->log, from, on_batch, store);
	if (r <= 0)
		return r;
	store_note_damage(store, "%s", log_damage(store->log));
	return STORE_DAMAGED;
}
