/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/documents.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/crypto.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/document.h"
#include "service/column/spans.h"
#include "service/disk/log.h"
#include "service/segment/ids.h"
#include "service/snapshot/find.h"
#include "service/snapshot/state.h"
#include "service/store/catalog.h"
#include "service/store/frame.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/store/reserve.h"
#include "service/store/write.h"
#include "service/value/value.h"

/* Where a document is, and what is to become of it. */
struct place {
	bool found;
	size_t chunk;
	uint32_t row;
	struct buf now;	       /* its new form; empty: it has none */
	bool superseded;       /* a later change of the same document has another */
	struct place *earlier; /* the change before it of the same document, or nullptr */
};

/* Documents being changed, in the collection's turn. */
struct change {
	struct live *live;
	struct ids ids;
	struct place *place;		/* [ids.n] */
	struct document_reader *reader; /* of the chunk that was read from last */
	size_t reader_chunk;
	documents_change_fn *fn;
	void *userdata;
};

static void change_done(struct change *change)
{
	for (uint32_t i = 0; change->place && i < change->ids.n; i++)
		buf_done(&change->place[i].now);
	free(change->place);
	ids_done(&change->ids);
	document_reader_free(change->reader);
}

static int on_found(void *userdata, uint32_t index, size_t chunk, uint32_t row)
{
	struct change *change = userdata;

	struct place *place = &change->place[index];

	place->found = true;
	place->chunk = chunk;
	place->row = row;
	return 0;
}

/* The newest form that an earlier change of the same batch has given a document, or nullptr. */
static struct place *earlier(const struct place *place)
{
	struct place *before = place->earlier;

	while (before && before->now.len == 0)
		before = before->earlier;
	return before;
}

static int on_repeated(void *userdata, uint32_t row, uint32_t later)
{
	struct change *change = userdata;

	change->place[later].earlier = &change->place[row];
	return 0;
}

/* Read a document as it is stored. */
static int read_stored(struct change *change, const struct place *place, struct buf *out)
{
	if (change->reader && change->reader_chunk != place->chunk)
		change->reader = document_reader_free(change->reader);
	if (!change->reader) {
		int r = document_reader_new(change->live->tip->entry[place->chunk].part->chunk,
					    &change->reader);

		if (r)
			return r;
		change->reader_chunk = place->chunk;
	}
	int r = document_read(change->reader, 0, place->row, out);
	return r > 0 ? -EBADMSG : r ? r : buf_error(out);
}

static int change_one(struct change *change, uint32_t index, size_t asked,
		      enum document_status *status)
{
	auto_buf struct buf stored = buf_make(DOCUMENT_MAX);
	struct place *place = &change->place[index], *before = earlier(place);
	struct value old;

	if (!place->found) {
		*status = DOCUMENT_ABSENT;
		return 0;
	}
	int r = before ? 0 : read_stored(change, place, &stored);
	if (r)
		return r;
	const struct buf *packed = before ? &before->now : &stored;
	if (!value_open(packed->data, packed->len, &old))
		return -EBADMSG;
	place->now = buf_make(DOCUMENT_MAX);
	r = change->fn(change->userdata, asked, &old, &place->now);
	if (r == 0)
		r = buf_error(&place->now);
	*status = r == 0 ? DOCUMENT_PATCHED : DOCUMENT_ERROR;
	if (r) {
		buf_done(&place->now);
		return r < 0 ? r : 0;
	}
	if (before)
		before->superseded = true;
	return 0;
}

/* Put the new forms into a builder. Returns 0 or -errno. */
static int collect(const struct change *change, struct builder *builder)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < change->ids.n; i++) {
		const struct place *place = &change->place[i];
		struct value value;

		if (place->now.len == 0 || place->superseded)
			continue;
		if (!value_open(place->now.data, place->now.len, &value))
			return -EINVAL;
		r = builder_add_value(builder, &value);
	}
	return r > 0 ? -EMSGSIZE : r;
}

/* In one's turn: make the next state, and the batch for the log; no state if nothing changes. */
static int make_next(struct change *change, size_t n, enum document_status *status,
		     struct write *write, struct snapshot **ret)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	int r = find_ids(change->live->tip, &change->ids, change->live->seen, on_found, change);
	uint32_t index = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (status[i] != DOCUMENT_ERROR)
			r = change_one(change, index++, i, &status[i]);
	if (r == 0)
		r = builder_new(&builder);
	if (r == 0)
		r = collect(change, builder);
	if (r || builder_rows(builder) == 0)
		return r;
	r = write_pack(builder, write);
	if (r == 0)
		r = write_apply(write, change->live, ret);
	if (r == 0)
		frame_write_tail(write->replaced, write->part->rows,
				 write->frame + write->frame_len - frame_tail(write->part->rows));
	return r;
}

/* The ids without an error, ready to be looked for. */
static int prepare(const struct str *id, size_t n, const enum document_status *status,
		   struct change *change)
{
	auto_free struct str *picked = calloc(n + 1, sizeof(*picked));
	cleanup(ids_index_free_at) struct ids_index *index = nullptr;
	size_t m = 0;

	if (!picked)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (status[i] != DOCUMENT_ERROR)
			picked[m++] = id[i];
	if (m > CHUNK_ROWS)
		return -EMSGSIZE;
	int r = ids_of_list(picked, m, &change->ids);
	if (r == 0)
		r = ids_index_new(&change->ids, &index);
	if (r)
		return r;
	change->place = calloc(m + 1, sizeof(*change->place));
	return change->place ? ids_each_repeated(&change->ids, index, on_repeated, change)
			     : -ENOMEM;
}

/* Take the turn and change. */
static int change_in_turn(struct live *live, struct change *change, size_t n,
			  enum document_status *status)
{
	cleanup(write_done) struct write write = {};
	struct log_batch batch = { .kind = FRAME_ADD };
	struct snapshot *draft = nullptr;

	int r = crypto_random(batch.id, LOG_ID);
	if (r == 0)
		r = live_begin(live);
	if (r)
		return r;
	change->live = live;
	live_see(live);
	r = make_next(change, n, status, &write, &draft);
	batch.data = write.frame;
	batch.len = write.frame_len;
	return write_log(live, &draft, &batch, r);
}

int documents_change(struct store *store, const char *workspace, const char *name,
		     const struct str *id, size_t n, enum document_status *status,
		     documents_change_fn *fn, void *userdata)
{
	cleanup(live_unref_at) struct live *live = nullptr;
	cleanup(change_done) struct change change = { .fn = fn, .userdata = userdata };

	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	int r = store_find(store, workspace, name, &live);
	if (r == 0)
		r = reserve_ready(live);
	if (r == 0)
		r = prepare(id, n, status, &change);
	return r ? r : change_in_turn(live, &change, n, status);
}
