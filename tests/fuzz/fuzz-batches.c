/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "service/chunk/chunk.h"
#include "service/chunk/document.h"
#include "service/disk/log.h"
#include "service/segment/gone.h"
#include "service/snapshot/snapshot.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr uint32_t ROWS =
	100; /* of a chunk are looked at; a few bytes may say that there are 65,536 */
constexpr size_t BATCHES = 32;
constexpr size_t OUT = 1u << 20;

static struct log_batch batch_at(struct reader *in, uint64_t position)
{
	struct log_batch batch = { .position = position, .kind = read_u8(in) };
	struct bytes bytes = read_bytes(in, in->len);

	batch.data = bytes.data;
	batch.len = bytes.len;
	bytes_put(batch.id, position, sizeof(position));
	return batch;
}

/* The _id of a document that was read. Returns whether it has one. */
static bool id_of(const struct buf *packed, struct buf *id)
{
	struct value document, value;

	buf_clear(id);
	if (!value_open(packed->data, packed->len, &document) ||
	    !value_field(&document, "_id", 3, &value) || value.tag != VALUE_STRING)
		return false;
	value_text(&value, id);
	return buf_error(id) == 0;
}

/* What is visible can be read, and each document is the one that is found by its _id. */
static void look(struct snapshot *now, size_t index)
{
	const struct snapshot_chunk *view = snapshot_chunk(now, index);
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf packed = buf_make(OUT), id = buf_make(OUT);

	if (document_reader_new(view->chunk, &reader))
		return;
	for (uint32_t row = 0; row < chunk_rows(view->chunk) && row < ROWS; row++) {
		size_t found_chunk = 0;
		uint32_t found_row = 0;

		buf_clear(&packed);
		if (gone_has(view->deleted, row) || document_read(reader, 0, row, &packed))
			continue;
		if (!id_of(&packed, &id))
			continue;
		int r = snapshot_find(now, buf_text(&id), id.len, &found_chunk, &found_row);
		if (r >= 0 && (r == 0 || found_chunk != index || found_row != row))
			abort();
	}
}

/* Apply all batches. Returns whether each could be. */
static bool replay(struct live *live, const uint8_t *data, size_t size)
{
	struct reader in = reader_make(data, size);
	bool all = true;

	for (uint64_t i = 1; i <= BATCHES && in.pos < in.len; i++) {
		cleanup(snapshot_unref_at) struct snapshot *before = live_visible(live);
		struct log_batch batch = batch_at(&in, i);

		if (in.failed)
			return false;
		int r = replay_batch(live, &batch);
		cleanup(snapshot_unref_at) struct snapshot *after = live_visible(live);
		if (r && before != after)
			abort();
		all &= r == 0;
	}
	return all;
}

/* Any bytes as the batches of a log (1 byte kind, 4 bytes length, payload): applied once and again, which changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store store;
	cleanup(live_unref_at) struct live *live = nullptr;
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */

	if (!copy || live_new(&store, &(struct collection) { .n = 1 }, &live))
		return 0;
	memcpy(copy, data, size);
	bool all = replay(live, copy, size);
	cleanup(snapshot_unref_at) struct snapshot *once = live_visible(live);
	for (size_t i = 0; i < snapshot_chunks(once); i++)
		look(once, i);
	if (!all || !replay(live, copy, size))
		return 0;
	cleanup(snapshot_unref_at) struct snapshot *twice = live_visible(live);
	if (snapshot_documents(once) != snapshot_documents(twice))
		abort();
	return 0;
}
