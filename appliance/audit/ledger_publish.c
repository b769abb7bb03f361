/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/merkle.h"
#include "appliance/audit/note.h"
#include "appliance/audit/tile.h"
#include "appliance/audit/wal.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/clock.h"

constexpr uint64_t US_PER_S = 1'000'000;

/* Write one hash tile. */
static int put_tile(void *user, unsigned int level, uint64_t index, unsigned int width,
		    const struct merkle_hash *hash)
{
	struct ledger *ledger = user;
	char path[TILE_PATH_MAX];

	tile_path(level, index, width, path);
	return folder_put(ledger->dir, path, hash, width * sizeof(*hash));
}

/* Write the bundle that begins at entry first, as far as it is filled. */
static int put_bundle(struct ledger *ledger, uint64_t first)
{
	auto_buf struct buf bundle = buf_make(TILE_BUNDLE_BYTES);
	uint64_t left = ledger->size - first;
	unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
	char path[TILE_PATH_MAX];

	for (unsigned int i = 0; i < width; i++) {
		struct bytes entry = ledger_held(ledger, first + i);

		tile_bundle_add(&bundle, entry.data, entry.len);
	}
	tile_path(TILE_ENTRIES, first / TILE_WIDTH, width, path);
	return buf_error(&bundle) ? buf_error(&bundle)
				  : folder_put(ledger->dir, path, bundle.data, bundle.len);
}

/* Write every tile and bundle that the entries since the last checkpoint fill or begin. */
static int put_tiles(struct ledger *ledger)
{
	int r = 0;

	*ledger->next = *ledger->builder;
	for (uint64_t i = ledger->builder->size; r == 0 && i < ledger->size; i++) {
		struct bytes entry = ledger_held(ledger, i);
		struct merkle_hash leaf;

		r = merkle_leaf(entry.data, entry.len, &leaf);
		if (r == 0)
			r = tile_builder_add(ledger->next, &leaf, put_tile, ledger);
	}
	if (r == 0)
		r = tile_builder_partial(ledger->next, put_tile, ledger);
	for (uint64_t i = ledger->builder->size / TILE_WIDTH * TILE_WIDTH;
	     r == 0 && i < ledger->size; i += TILE_WIDTH)
		r = put_bundle(ledger, i);
	return r;
}

/* Sign a checkpoint of what ledger->next holds and make it the current one. */
static int sign(struct ledger *ledger)
{
	auto_buf struct buf text = buf_make(NOTE_MAX), note = buf_make(NOTE_MAX);
	struct checkpoint checkpoint = { .size = ledger->next->size };
	struct merkle_tree tree;
	uint64_t time_s = clock_wall_us() / US_PER_S;

	int r = tile_builder_tree(ledger->next, &tree);
	if (r == 0)
		r = merkle_root(&tree, &checkpoint.root);
	if (r)
		return r;

	memcpy(checkpoint.origin, ledger->genesis.name, sizeof(checkpoint.origin));
	note_checkpoint_write(&text, &checkpoint);
	r = buf_error(&text);
	if (r == 0)
		r = note_sign(&note, text.data, text.len, &ledger->key, &ledger->private_key,
			      time_s);
	if (r == 0)
		r = buf_error(&note);
	if (r == 0)
		r = folder_write(ledger->dir, LEDGER_CHECKPOINT, note.data, note.len);
	if (r)
		return r;

	buf_done(&ledger->note);
	ledger->note = note;
	note = buf_make(NOTE_MAX);
	ledger->root = checkpoint.root;
	ledger->signed_time_s = time_s;
	return 0;
}

/* Remove a partial tile of the checkpoint before, and its folder if that was the last. */
static void remove_partial(struct ledger *ledger, unsigned int level, uint64_t index,
			   unsigned int width)
{
	char path[TILE_PATH_MAX];

	tile_path(level, index, width, path);
	(void)folder_remove(ledger->dir, path);
	*strrchr(path, '/') = '\0';
	(void)unlinkat(ledger->dir, path, AT_REMOVEDIR);
}

/* Remove the partial tiles that the new checkpoint does not need. They are a convenience: a failure is no matter. */
static void remove_old_partials(struct ledger *ledger)
{
	uint64_t was = ledger->partial_size, now = ledger->builder->size;

	ledger->partial_size = now;
	for (unsigned int level = 0; level < TILE_LEVELS && was != now; level++) {
		auto width = (unsigned int)(was % TILE_WIDTH);

		if (width > 0)
			remove_partial(ledger, level, was / TILE_WIDTH, width);
		if (width > 0 && level == 0)
			remove_partial(ledger, TILE_ENTRIES, was / TILE_WIDTH, width);
		was /= TILE_WIDTH;
		now /= TILE_WIDTH;
	}
}

/* Sync the tiles and bundles of a segment's entries: only now may the segment go. */
static int sync_segment_tiles(struct ledger *ledger, uint64_t first)
{
	char path[TILE_PATH_MAX];
	int r = 0;

	for (uint64_t at = first; r == 0 && at < first + WAL_SEGMENT_ENTRIES; at += TILE_WIDTH) {
		uint64_t index = at / TILE_WIDTH;

		for (unsigned int level = 0; r == 0 && level < TILE_LEVELS; level++) {
			tile_path(level, index, TILE_WIDTH, path);
			r = folder_sync_file(ledger->dir, path);
			if (index % TILE_WIDTH != TILE_WIDTH - 1)
				break;
			index /= TILE_WIDTH;
		}
		tile_path(TILE_ENTRIES, at / TILE_WIDTH, TILE_WIDTH, path);
		if (r == 0)
			r = folder_sync_file(ledger->dir, path);
	}
	return r;
}

/* Remove the segments whose entries are all in whole, durable bundles. The one being written stays. */
static int remove_old_segments(struct ledger *ledger)
{
	uint64_t whole = ledger->builder->size / TILE_WIDTH * TILE_WIDTH;
	char path[WAL_NAME_MAX];
	int r = 0;

	while (r == 0 && ledger->wal_oldest + WAL_SEGMENT_ENTRIES <= whole &&
	       ledger->wal_oldest < ledger->wal_first) {
		wal_path(ledger->wal_oldest, path);
		r = sync_segment_tiles(ledger, ledger->wal_oldest);
		if (r == 0)
			r = folder_remove(ledger->dir, path);
		if (r == 0)
			ledger->wal_oldest += WAL_SEGMENT_ENTRIES;
	}
	return r;
}

/* Tiles, then the signature. Nothing is taken for signed unless 0. */
static int publish_once(struct ledger *ledger)
{
	int r = put_tiles(ledger);

	if (r == 0)
		r = ledger_intents_save(ledger);
	return r ? r : sign(ledger);
}

int ledger_publish(struct ledger *ledger)
{
	if (ledger->state == LEDGER_TAMPERED || ledger->broken)
		return LEDGER_REFUSED;

	int r = publish_once(ledger);
	while ((r == -ENOSPC || r == -EDQUOT) && ledger_use_reserve(ledger, ROOM_OWN))
		r = publish_once(ledger);
	if (r == -ENOSPC || r == -EDQUOT)
		return ledger_out_of_room(ledger);
	if (r) {
		(void)ledger_stop(ledger, LEDGER_REFUSING, "the ledger cannot be signed", nullptr);
		return r;
	}

	struct tile_builder *old = ledger->builder;
	ledger->builder = ledger->next;
	ledger->next = old;
	remove_old_partials(ledger);
	r = remove_old_segments(ledger);
	ledger_drop_before(ledger, ledger->builder->size / TILE_WIDTH * TILE_WIDTH);
	return r;
}
