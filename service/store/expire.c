/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/expire.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/column/kind.h"
#include "service/disk/log.h"
#include "service/segment/gone.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/documents.h"
#include "service/store/frame.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/store/reserve.h"
#include "service/store/write.h"

/* A search for old documents. */
struct search {
	const struct snapshot *state;
	struct snapshot *draft; /* or nullptr: only count */
	int64_t cutoff_us, n;
};

/* Look at the times of rows[n] from first on. */
static int expire_block(struct search *search, size_t index, const int64_t *time, uint32_t first,
			uint32_t rows)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < rows; i++) {
		bool is_new = false;

		/* Asked anew for each: a draft's set moves when it is changed. */
		if (time[i] >= search->cutoff_us ||
		    gone_has(search->state->entry[index].view.deleted, first + i))
			continue;
		search->n++;
		if (search->draft)
			r = state_delete(search->draft, index, first + i, &is_new);
	}
	return r;
}

static int expire_chunk(struct search *search, size_t index)
{
	struct chunk *chunk = search->state->entry[index].part->chunk;
	uint32_t at = chunk_child(chunk, 0, "_event_time", 11), rows = chunk_rows(chunk);
	cleanup(column_close) struct column column = {};

	if (at == CHUNK_NONE || chunk_column(chunk, at)->kinds != 1u << KIND_TIMESTAMP)
		return -EBADMSG;
	if (chunk_column(chunk, at)->int_min >= search->cutoff_us)
		return 0;
	auto_free int64_t *time = malloc(COLUMN_BLOCK * sizeof(*time));
	int r = time ? column_open(chunk, at, 1u << LANE_INTS, &column) : -ENOMEM;
	for (uint32_t b = 0; r == 0 && b < column_blocks(rows); b++) {
		uint32_t first = b * COLUMN_BLOCK;
		uint32_t n = rows - first < COLUMN_BLOCK ? rows - first : COLUMN_BLOCK;

		column_ints(&column, b, time);
		r = expire_block(search, index, time, first, n);
	}
	return r > 0 ? -EBADMSG : r;
}

int expire_before(const struct snapshot *state, int64_t cutoff_us, struct snapshot *draft,
		  int64_t *ret)
{
	struct search search = { .state = state, .draft = draft, .cutoff_us = cutoff_us };
	int r = 0;

	for (size_t i = 0; r == 0 && i < state->n; i++)
		r = expire_chunk(&search, i);
	if (r == 0)
		*ret = search.n;
	return r;
}

/* Delete a collection's old documents. */
static int expire_really(struct live *live, int64_t cutoff_us, int64_t *ret)
{
	auto_buf struct buf frame = buf_make(sizeof(cutoff_us));
	struct snapshot *draft = nullptr;
	struct log_batch batch = { .kind = FRAME_EXPIRE };

	write_u64(&frame, (uint64_t)cutoff_us);
	int r = buf_error(&frame);
	if (r == 0)
		r = crypto_random(batch.id, LOG_ID);
	if (r == 0)
		r = live_begin(live);
	if (r)
		return r > 0 ? 0 : r; /* it was deleted meanwhile */
	r = state_copy(live->tip, 0, &draft);
	if (r == 0)
		r = expire_before(draft, cutoff_us, draft, ret);
	if (r == 0 && *ret == 0)
		draft = snapshot_unref(draft);
	batch.data = frame.data;
	batch.len = frame.len;
	r = write_log(live, &draft, &batch, r);
	if (r == 0)
		atomic_fetch_add(&live->purged, *ret);
	return r;
}

static int expire_collection(struct live *live, uint64_t now_us, bool really, int64_t *total)
{
	int64_t keep_us = live->about.retention_secs * INT64_C(1'000'000), n = 0;
	int64_t cutoff_us = (int64_t)now_us - keep_us;

	if (keep_us == 0 || live->broken)
		return 0;
	cleanup(snapshot_unref_at) struct snapshot *now = live_visible(live);
	int r = expire_before(now, cutoff_us, nullptr, &n);
	if (r == 0 && n > 0 && really)
		r = expire_really(live, cutoff_us, &n);
	if (really && reserve_use(live->store, r))
		r = expire_really(live, cutoff_us, &n);
	if (r == 0)
		*total += n;
	return r;
}

int documents_expire(struct store *store, uint64_t now_us, bool really, int64_t *ret)
{
	struct live **list = nullptr;
	size_t n = 0;
	int64_t total = 0;
	int r = store_list(store, &list, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = expire_collection(list[i], now_us, really, &total);
	store_list_free(list, n);
	if (r == 0)
		*ret = total;
	return r;
}
