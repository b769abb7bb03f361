/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/export.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "appliance/audit/epoch.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/note.h"
#include "appliance/audit/tar.h"
#include "appliance/audit/tile.h"
#include "common/base.h"
#include "common/buf.h"

struct export
{
	int dir;
	uint64_t from, size;
	struct merkle_hash root;
	struct buf note; /* the checkpoint */
	struct buf
		partials; /* members: what is not full yet changes with the next checkpoint, so it is read at once */
	uint64_t bundle, bundles; /* the next full bundle, and how many there are */
	uint64_t epoch, epochs;	  /* the next epoch's end, and one past the last */
	bool begun, partials_done;
};

/* Append a file of the ledger as a member. One that is not there is left out: verifying says what that means. */
static int add_file(struct export *export, const char *path, size_t max, struct buf *out)
{
	auto_buf struct buf file = buf_make(max);
	int r = folder_read(export->dir, path, &file);

	if (r == FOLDER_MISSING)
		return 0;
	if (r)
		return r > 0 ? LEDGER_DAMAGED : r;
	tar_add(out, path, file.data, file.len);
	return buf_error(out);
}

static int put_partial(void *user, unsigned int level, uint64_t index, unsigned int width,
		       const struct merkle_hash *hash)
{
	struct export *export = user;
	char path[TILE_PATH_MAX];

	tile_path(level, index, width, path);
	tar_add(&export->partials, path, hash, width * sizeof(*hash));
	return buf_error(&export->partials);
}

/* Take what is not full yet into memory. */
static int take_partials(struct export *export, const struct ledger *ledger)
{
	auto width = (unsigned int)(export->size % TILE_WIDTH);
	char path[TILE_PATH_MAX];
	int r = 0;

	if (width > 0) {
		tile_path(TILE_ENTRIES, export->size / TILE_WIDTH, width, path);
		r = add_file(export, path, TILE_BUNDLE_BYTES, &export->partials);
		if (r == 0 && export->partials.len == 0)
			r = LEDGER_DAMAGED;
	}
	return r ? r : tile_builder_partial(ledger->builder, put_partial, export);
}

/* How many entries an epoch's last checkpoint is for. Returns 0, LEDGER_NO_ENTRY (none, or not one of ours) or -errno. */
static int epoch_end(struct export *export, uint64_t epoch, uint64_t *ret)
{
	auto_buf struct buf text = buf_make(NOTE_MAX);
	struct checkpoint sealed;
	struct note note;
	char path[EPOCH_PATH_MAX];

	epoch_path(epoch, path);
	int r = folder_read(export->dir, path, &text);
	if (r < 0)
		return r;
	if (r || !note_read(text.data, text.len, &note) ||
	    !note_checkpoint_read(note.text.data, note.text.len, &sealed))
		return LEDGER_NO_ENTRY;
	*ret = sealed.size;
	return 0;
}

/* Find the ends of epochs that came after from; going back from the newest there are few. */
static int find_epochs(struct export *export)
{
	uint64_t first = 0, last = 0, size = 0;
	int r = folder_numbers(export->dir, "epoch", &first, &last);

	if (r)
		return r == FOLDER_MISSING ? 0 : r;
	export->epochs = last + 1;
	export->epoch = export->from == 0 ? first : export->epochs;
	while (export->epoch > first) {
		r = epoch_end(export, export->epoch - 1, &size);
		if (r < 0)
			return r;
		if (r == 0 && size <= export->from)
			break;
		export->epoch--;
	}
	return 0;
}

int export_new(struct ledger *ledger, uint64_t from, struct export **ret)
{
	if (from > ledger->builder->size || ledger->note.len == 0)
		return LEDGER_NO_ENTRY;

	cleanup(export_free_at) struct export *export = calloc(1, sizeof(*export));
	if (!export)
		return -ENOMEM;
	export->dir = ledger->dir;
	export->from = from;
	export->size = ledger->builder->size;
	export->root = ledger->root;
	export->bundle = from / TILE_WIDTH;
	export->bundles = export->size / TILE_WIDTH;
	export->note = buf_make(NOTE_MAX);
	export->partials = buf_make(EXPORT_PIECE_MAX);
	buf_add(&export->note, ledger->note.data, ledger->note.len);
	int r = buf_error(&export->note);
	if (r == 0)
		r = take_partials(export, ledger);
	if (r == 0)
		r = find_epochs(export);
	if (r)
		return r;
	*ret = TAKE(export);
	return 0;
}

struct export *export_free(struct export *export)
{
	if (!export)
		return nullptr;
	buf_done(&export->note);
	buf_done(&export->partials);
	free(export);
	return nullptr;
}

uint64_t export_size(const struct export *export)
{
	return export->size;
}

struct merkle_hash export_root(const struct export *export)
{
	return export->root;
}

/* A full bundle and every tile that its last entry fills. */
static int add_bundle(struct export *export, struct buf *out)
{
	uint64_t index = export->bundle++;
	char path[TILE_PATH_MAX];

	tile_path(TILE_ENTRIES, index, TILE_WIDTH, path);
	int r = add_file(export, path, TILE_BUNDLE_BYTES, out);
	for (unsigned int level = 0; r == 0 && level < TILE_LEVELS; level++) {
		tile_path(level, index, TILE_WIDTH, path);
		r = add_file(export, path, TILE_BYTES, out);
		if (index % TILE_WIDTH != TILE_WIDTH - 1)
			break;
		index /= TILE_WIDTH;
	}
	return r;
}

/* One epoch's last checkpoint; not those that have been signed since. */
static int add_epoch(struct export *export, struct buf *out)
{
	uint64_t epoch = export->epoch++, size = 0;
	char path[EPOCH_PATH_MAX];

	int r = epoch_end(export, epoch, &size);
	if (r < 0)
		return r;
	if (r > 0 || size > export->size)
		return 0;
	epoch_path(epoch, path);
	return add_file(export, path, NOTE_MAX, out);
}

/* The pieces of the stream, in order. Returns 0 after one, LEDGER_* or -errno; EXPORT_END in *ret_end. */
static int add_piece(struct export *export, struct buf *out, bool *ret_end)
{
	if (!export->begun) {
		export->begun = true;
		tar_add(out, LEDGER_CHECKPOINT, export->note.data, export->note.len);
		return export->from > 0 ? buf_error(out)
					: add_file(export, LEDGER_VKEY, NOTE_MAX, out);
	}
	if (export->epoch < export->epochs)
		return add_epoch(export, out);
	if (export->bundle < export->bundles)
		return add_bundle(export, out);
	if (!export->partials_done) {
		export->partials_done = true;
		buf_add(out, export->partials.data, export->partials.len);
		return buf_error(out);
	}
	tar_add(out, LEDGER_CHECKPOINT, export->note.data, export->note.len);
	tar_end(out);
	*ret_end = true;
	return buf_error(out);
}

int export_next(struct export *export, struct buf *out)
{
	bool end = false;
	int r = add_piece(export, out, &end);

	/* EXPORT_MORE must not look like an outcome of the ledger's. */
	if (r)
		return r > 0 ? LEDGER_DAMAGED : r;
	return end ? EXPORT_END : EXPORT_MORE;
}
