/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/documents.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/crypto.h"
#include "service/chunk/builder.h"
#include "service/column/spans.h"
#include "service/disk/log.h"
#include "service/segment/ids.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/catalog.h"
#include "service/store/frame.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/store/recent.h"
#include "service/store/reserve.h"
#include "service/store/write.h"

static_assert(DOCUMENTS_ID == LOG_ID && DOCUMENTS_ID == RECENT_ID);

constexpr size_t IDS_MAX = 64u << 20; /* bytes of a list of _ids in the log */

const char *document_outcome_text(enum builder_outcome outcome)
{
	switch (outcome) {
	case BUILDER_OK:
		return "";
	case BUILDER_NOT_OBJECT:
		return "A document must be a JSON object.";
	case BUILDER_BAD_ID:
		return "Field `_id` must be a string of 1 to 1024 bytes.";
	case BUILDER_BAD_EVENT_TIME:
		return "Field `_event_time` must be a timestamp: an ISO 8601 text with an offset, or microseconds since 1970.";
	case BUILDER_EVENT_SECONDS:
		return "Field `_event_time` looks like seconds since 1970: multiply it by 1000000, for an int is microseconds, or send an ISO 8601 text.";
	case BUILDER_EVENT_MILLIS:
		return "Field `_event_time` looks like milliseconds since 1970: multiply it by 1000, for an int is microseconds, or send an ISO 8601 text.";
	case BUILDER_TOO_DEEP:
		return "The document is nested more than 40 levels deep.";
	case BUILDER_BAD_TYPE:
		return "A field with `__rockset_type` has an unknown type or a value that does not fit it.";
	case BUILDER_TOO_LARGE:
		return "The document is larger than 40 MiB.";
	case BUILDER_FULL:
		return "The request's documents are too large together.";
	}
	return "";
}

/* Find a collection that can be written to. */
static int find_target(struct store *store, const char *workspace, const char *name,
		       struct live **ret)
{
	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	return store_find(store, workspace, name, ret);
}

static void set_status(const struct recent_batch *batch, uint32_t rows,
		       enum document_status *status)
{
	for (uint32_t i = 0; i < rows; i++) {
		bool replaced = i < batch->rows && (batch->replaced[i / 8] >> i % 8 & 1) != 0;

		status[i] = replaced ? DOCUMENT_REPLACED : DOCUMENT_ADDED;
	}
}

/* In one's turn: whether the batch was there already. Its answer is given again then, once it is durable. */
static bool is_again(struct live *live, const uint8_t *batch_id, uint32_t rows,
		     enum document_status *status, uint64_t *ret_position)
{
	const struct recent_batch *batch = recent_find(&live->recent, batch_id);

	if (!batch)
		return false;
	set_status(batch, rows, status);
	*ret_position = batch->position;
	return true;
}

int documents_add(struct store *store, const char *workspace, const char *name,
		  struct builder *builder, const uint8_t *batch_id, enum document_status *status)
{
	cleanup(live_unref_at) struct live *live = nullptr;
	cleanup(write_done) struct write write = {};
	struct snapshot *draft = nullptr;
	struct log_batch batch = { .kind = FRAME_ADD };
	uint32_t rows = builder_rows(builder);
	uint64_t position = 0;

	int r = find_target(store, workspace, name, &live);
	if (r == 0)
		r = reserve_ready(live);
	if (r == 0)
		r = write_pack(builder, &write);
	if (r == 0)
		r = live_begin(live);
	if (r)
		return r;
	if (is_again(live, batch_id, rows, status, &position)) {
		live_end(live);
		return live_finish(live, position);
	}
	r = write_apply(&write, live, &draft);
	if (r == 0)
		frame_write_tail(write.replaced, rows,
				 write.frame + write.frame_len - frame_tail(rows));
	memcpy(batch.id, batch_id, LOG_ID);
	batch.data = write.frame;
	batch.len = write.frame_len;
	r = write_log(live, &draft, &batch, r);
	for (uint32_t i = 0; r == 0 && i < rows; i++)
		status[i] = write.replaced[i] ? DOCUMENT_REPLACED : DOCUMENT_ADDED;
	return r;
}

/* The ids that are to be looked at: those without an error. */
static int pick(const struct str *id, size_t n, const enum document_status *status,
		struct str **ret, size_t *ret_n)
{
	struct str *picked = calloc(n + 1, sizeof(*picked));

	if (!picked)
		return -ENOMEM;
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (status[i] != DOCUMENT_ERROR)
			picked[(*ret_n)++] = id[i];
	*ret = picked;
	return 0;
}

static int delete_all(struct store *store, const char *workspace, const char *name,
		      const struct str *id, size_t n, enum document_status *status)
{
	cleanup(live_unref_at) struct live *live = nullptr;
	cleanup(ids_done) struct ids ids = {};
	auto_free struct str *picked = nullptr;
	auto_buf struct buf frame = buf_make(IDS_MAX);
	struct snapshot *draft = nullptr;
	struct log_batch batch = { .kind = FRAME_DELETE };

	int r = find_target(store, workspace, name, &live);
	if (r == 0 && log_has_failed(store->log))
		r = store_recover(store);
	if (r == 0)
		r = crypto_random(batch.id, LOG_ID);
	if (r == 0)
		r = pick(id, n, status, &picked, &n);
	if (r == 0)
		r = ids_of_list(picked, n, &ids);
	if (r)
		return r;
	frame_write_ids(picked, n, &frame);
	r = buf_error(&frame);
	if (r == 0)
		r = live_begin(live);
	if (r)
		return r;
	r = state_copy(live->tip, 0, &draft);
	if (r == 0)
		r = write_delete(live, draft, &ids);
	if (r == 0 && draft->documents == live->tip->documents)
		draft = snapshot_unref(draft); /* none of them was there */
	batch.data = frame.data;
	batch.len = frame.len;
	r = write_log(live, &draft, &batch, r);
	for (size_t i = 0, at = 0; r == 0 && at < n; i++)
		if (status[i] != DOCUMENT_ERROR) {
			status[i] = DOCUMENT_DELETED;
			at++;
		}
	return r;
}

int documents_delete(struct store *store, const char *workspace, const char *name,
		     const struct str *id, size_t n, enum document_status *status)
{
	int r = delete_all(store, workspace, name, id, n, status);

	return reserve_use(store, r) ? delete_all(store, workspace, name, id, n, status) : r;
}
