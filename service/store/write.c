/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/write.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/disk/log.h"
#include "service/segment/gone.h"
#include "service/segment/ids.h"
#include "service/segment/part.h"
#include "service/snapshot/find.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/frame.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/store/recent.h"

void write_done(struct write *write)
{
	part_unref(write->part);
	ids_done(&write->ids);
	gone_unref(write->gone);
	free(write->replaced);
	*write = (struct write) {};
}

int write_pack(struct builder *builder, struct write *ret)
{
	auto_buf struct buf bytes = buf_make(LOG_BATCH_MAX);
	size_t tail = frame_tail(builder_rows(builder));

	int r = builder_pack(builder, &bytes);
	if (r == 0)
		r = buf_error(&bytes);
	if (r)
		return r;
	if (bytes.len > LOG_BATCH_MAX - tail)
		return -EMSGSIZE;
	/* What is kept for long is kept without the room that a growing buffer has. */
	uint8_t *exact = realloc(bytes.data, bytes.len + tail);
	if (!exact)
		return -ENOMEM;
	bytes.data = exact;
	return write_open(&bytes.data, bytes.len, ret);
}

/* Where a repeated _id is noted. */
static int on_repeated(void *userdata, uint32_t row, uint32_t later)
{
	struct write *write = userdata;

	if (!write->gone) {
		int r = gone_copy(nullptr, &write->gone);

		if (r)
			return r;
	}
	(void)!gone_add(write->gone, row);
	write->replaced[later] = true;
	return 0;
}

int write_open(uint8_t **bytes, size_t chunk_len, struct write *ret)
{
	cleanup(write_done) struct write write = { .frame = *bytes };
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(ids_index_free_at) struct ids_index *index = nullptr;

	int r = chunk_open(bytes, chunk_len, &chunk);
	if (r)
		return r > 0 ? -EBADMSG : r;
	write.frame_len = chunk_len + frame_tail(chunk_rows(chunk));
	write.replaced = calloc(chunk_rows(chunk), sizeof(*write.replaced));
	if (!write.replaced)
		return -ENOMEM;
	r = ids_of_chunk(chunk, &write.ids);
	if (r == 0)
		r = ids_index_new(&write.ids, &index);
	if (r == 0)
		r = ids_each_repeated(&write.ids, index, on_repeated, &write);
	if (r == 0)
		r = part_new(&chunk, &index, nullptr, 0, &write.part);
	if (r)
		return r;
	*ret = write;
	write = (struct write) {};
	return 0;
}

/* Where a document was found that goes. */
struct target {
	struct snapshot *draft;
	bool *replaced; /* or nullptr */
};

static int on_found(void *userdata, uint32_t index, size_t chunk, uint32_t row)
{
	struct target *target = userdata;
	bool is_new = false;

	if (target->replaced)
		target->replaced[index] = true;
	return state_delete(target->draft, chunk, row, &is_new);
}

int write_apply(struct write *write, struct live *live, struct snapshot **ret)
{
	cleanup(snapshot_unref_at) struct snapshot *draft = nullptr;

	live_see(live);
	int r = state_copy(live->tip, 1, &draft);
	if (r == 0)
		r = find_ids(draft, &write->ids, live->seen, on_found,
			     &(struct target) { draft, write->replaced });
	if (r)
		return r;
	state_push(draft, part_ref(write->part), gone_ref(write->gone));
	*ret = TAKE(draft);
	return 0;
}

int write_delete(struct live *live, struct snapshot *draft, const struct ids *ids)
{
	live_see(live);
	return find_ids(draft, ids, live->seen, on_found, &(struct target) { .draft = draft });
}

int write_log(struct live *live, struct snapshot **draft, struct log_batch *batch, int r)
{
	uint64_t position = 0;
	bool nothing = !*draft, failed = false;

	if (r == 0 && !nothing) {
		r = live_append(live, draft, batch, &position);
		failed = r != 0;
	}
	if (r == 0 && !nothing && batch->kind == FRAME_ADD) {
		uint32_t rows = 0;
		size_t len = 0;
		const uint8_t *bits = nullptr;

		if (frame_read_tail(batch->data, batch->len, &len, &rows, &bits))
			recent_add(&live->recent, batch->id, position, rows, bits);
	}
	live_end(live);
	*draft = snapshot_unref(*draft);
	int recovered = failed ? store_recover(live->store) : 0;
	if (r == -EROFS) /* it was another batch for which the log has failed */
		return recovered ? recovered : -EBUSY;
	if (r || nothing)
		return r;
	return live_finish(live, position);
}
