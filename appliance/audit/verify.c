/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/epoch.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/merkle.h"
#include "appliance/audit/note.h"
#include "appliance/audit/source.h"
#include "appliance/audit/tile.h"
#include "appliance/audit/wal.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/clock.h"

constexpr uint64_t LATE_S =
	180; /* a ledger that runs signs within a second, and each minute when nothing happens */

struct verify {
	struct source source;
	struct verify_report report;
	bool over;
	bool bad_key;

	uint64_t max_age_s, now_s;
	struct note_key key;	  /* of the epoch at hand */
	struct note_key last_key; /* of the epoch before */
	uint64_t epoch, epoch_first;
	bool seal_pending; /* the last entry rotates; the checkpoint itself must be the seal */
	struct checkpoint from;
	bool has_from, from_is_bad;

	struct buf note_text;
	struct note note;
	struct checkpoint checkpoint;
	bool begun;
	uint64_t tail_time_s; /* of the last entry that is not signed */

	struct tile_builder builder;
	struct buf file;    /* the bundle, tile or segment at hand */
	unsigned int width; /* of the tile or bundle in file */
	uint64_t tile_in;   /* which level 0 tile leaf[] holds; UINT64_MAX: none */
	struct merkle_hash leaf[TILE_WIDTH];
};

/* End with this verdict. Returns the verdict, for the callers to pass on. */
[[gnu::format(printf, 3, 4)]] static int end(struct verify *v, enum verify_verdict verdict,
					     const char *format, ...)
{
	va_list args;

	if (v->over)
		return (int)v->report.verdict;
	va_start(args, format);
	(void)vsnprintf(v->report.message, sizeof(v->report.message), format, args);
	va_end(args);
	v->report.verdict = verdict;
	v->report.promised = v->checkpoint.size;
	if (verdict == VERIFY_INCOMPLETE)
		v->report.entries = v->builder.size;
	v->over = true;
	return (int)verdict;
}

/* A fault of the machine. */
static int cannot(struct verify *v, const char *what, int r)
{
	return end(v, VERIFY_CANNOT, "%s could not be read: %s.", what, strerrordesc_np(-r));
}

int verify_new(int dir, const struct verify_options *options, struct verify **ret)
{
	cleanup(verify_free_at) struct verify *v = calloc(1, sizeof(*v));
	struct note note;

	if (!v)
		return -ENOMEM;
	v->source = (struct source) { .dir = dir, .fd = -1 };
	v->max_age_s = options->max_age_s;
	v->now_s = options->now_s;
	v->note_text = buf_make(NOTE_MAX);
	v->file = buf_make(WAL_SEGMENT_MAX);
	v->tile_in = UINT64_MAX;
	v->bad_key = !note_key_read(options->vkey, strlen(options->vkey), &v->key);
	v->last_key = v->key;
	if (options->from) {
		v->has_from = true;
		v->from_is_bad = !note_read(options->from, options->from_len, &note) ||
				 !note_checkpoint_read(note.text.data, note.text.len, &v->from);
	}
	*ret = TAKE(v);
	return 0;
}

struct verify *verify_free(struct verify *v)
{
	if (!v)
		return nullptr;
	buf_done(&v->note_text);
	buf_done(&v->file);
	source_close(&v->source);
	free(v);
	return nullptr;
}

void verify_result(const struct verify *v, struct verify_report *ret)
{
	*ret = v->report;
}

/* Read the checkpoint. Its signature is checked when it is known whose it must be. */
static int begin(struct verify *v)
{
	if (v->bad_key)
		return end(v, VERIFY_CANNOT, "The key is not a verifier key.");
	if (v->from_is_bad)
		return end(v, VERIFY_CANNOT, "The earlier checkpoint is not a checkpoint.");

	int r = source_read(&v->source, "checkpoint", &v->note_text);
	if (r < 0)
		return cannot(v, "checkpoint", r);
	if (r == FOLDER_MISSING)
		return end(v, VERIFY_INVALID, "There is no checkpoint: nothing is signed.");
	if (r || !note_read(v->note_text.data, v->note_text.len, &v->note) ||
	    !note_checkpoint_read(v->note.text.data, v->note.text.len, &v->checkpoint))
		return end(v, VERIFY_INVALID, "checkpoint is not a signed checkpoint.");
	if (strcmp(v->checkpoint.origin, v->key.name) != 0)
		return end(v, VERIFY_INVALID, "The ledger is %s, the key is for %s.",
			   v->checkpoint.origin, v->key.name);
	if (v->has_from && strcmp(v->from.origin, v->key.name) != 0)
		return end(v, VERIFY_INVALID, "The earlier checkpoint is of another ledger, %s.",
			   v->from.origin);
	if (v->has_from && v->from.size > v->checkpoint.size)
		return end(v, VERIFY_INCOMPLETE,
			   "The ledger has %" PRIu64 " entries; there have been %" PRIu64 ".",
			   v->checkpoint.size, v->from.size);
	return 0;
}

/*
 * Read a tile or bundle of at least width into v->file. A wider one serves too: partial tiles may be removed once
 * there is a wider one.
 */
static int read_tile(struct verify *v, unsigned int level, uint64_t index, unsigned int width)
{
	char path[TILE_PATH_MAX];
	int r = FOLDER_MISSING;

	for (unsigned int w = width; r == FOLDER_MISSING && w <= TILE_WIDTH; w++) {
		tile_path(level, index, w, path);
		buf_clear(&v->file);
		r = source_read(&v->source, path, &v->file);
		v->width = w;
	}
	if (r < 0)
		return cannot(v, path, r);
	tile_path(level, index, width, path);
	if (r == FOLDER_MISSING)
		return end(v, VERIFY_INCOMPLETE,
			   "%s is missing: of the %" PRIu64
			   " entries that the checkpoint promises the first %" PRIu64 " are there.",
			   path, v->checkpoint.size, v->builder.size);
	return r ? end(v, VERIFY_INVALID, "%s is too long.", path) : 0;
}

/* Compare a tile file with what the entries make. */
static int compare_tile(void *user, unsigned int level, uint64_t index, unsigned int width,
			const struct merkle_hash *hash)
{
	struct verify *v = user;
	char path[TILE_PATH_MAX];

	int r = read_tile(v, level, index, width);
	if (r)
		return r;
	tile_path(level, index, width, path);
	if (v->file.len < v->width * sizeof(*hash))
		return end(v, VERIFY_INCOMPLETE, "%s is cut short.", path);
	if (v->file.len > v->width * sizeof(*hash) ||
	    memcmp(v->file.data, hash, width * sizeof(*hash)) != 0)
		return end(v, VERIFY_INVALID, "%s does not fit the entries up to %" PRIu64 ".",
			   path, v->builder.size);
	return 0;
}

/* The root of the entries so far. */
static int root_so_far(struct verify *v, struct merkle_hash *ret)
{
	struct merkle_tree tree;
	int r = tile_builder_tree(&v->builder, &tree);

	if (r == 0)
		r = merkle_root(&tree, ret);
	return r ? cannot(v, "a hash", r) : 0;
}

/* Compare with the checkpoint kept from earlier when the tree has got to its size. */
static int compare_from(struct verify *v)
{
	struct merkle_hash root;

	if (!v->has_from || v->builder.size != v->from.size)
		return 0;
	int r = root_so_far(v, &root);
	if (r == 0 && !merkle_same(&root, &v->from.root))
		return end(v, VERIFY_INVALID,
			   "The first %" PRIu64 " entries are not those of the earlier checkpoint.",
			   v->from.size);
	return r;
}

/* Check a note's signature and its dated one by this key. */
static int check_signature(struct verify *v, const struct note *note, const struct note_key *key,
			   const char *what, uint64_t *ret_time_s)
{
	if (note_check(note, key) != NOTE_GOOD ||
	    note_check_time(note, key, ret_time_s) != NOTE_GOOD)
		return end(v, VERIFY_INVALID, "%s is not signed by the key of epoch %" PRIu64 ".",
			   what, key == &v->last_key ? v->epoch - 1 : v->epoch);
	v->report.checkpoints++;
	return 0;
}

/* Check the last checkpoint of the epoch that the entry just added has ended. The keys have changed already. */
static int check_seal(struct verify *v)
{
	auto_buf struct buf text = buf_make(NOTE_MAX);
	struct checkpoint sealed;
	struct merkle_hash root;
	struct note note;
	uint64_t time_s = 0;
	char path[EPOCH_PATH_MAX];

	epoch_path(v->epoch - 1, path);
	int r = source_read(&v->source, path, &text);
	if (r < 0)
		return cannot(v, path, r);
	if (r == FOLDER_MISSING && v->builder.size == v->checkpoint.size) {
		v->seal_pending = true;
		return 0;
	}
	if (r == FOLDER_MISSING)
		return end(v, source_is_whole(&v->source) ? VERIFY_INVALID : VERIFY_INCOMPLETE,
			   "%s is missing: its epoch is not sealed.", path);
	if (r || !note_read(text.data, text.len, &note) ||
	    !note_checkpoint_read(note.text.data, note.text.len, &sealed) ||
	    strcmp(sealed.origin, v->key.name) != 0 || sealed.size != v->builder.size)
		return end(v, VERIFY_INVALID, "%s is not the end of its epoch.", path);
	r = root_so_far(v, &root);
	if (r)
		return r;
	if (!merkle_same(&root, &sealed.root))
		return end(v, VERIFY_INVALID, "%s seals other entries.", path);
	return check_signature(v, &note, &v->last_key, path, &time_s);
}

/* Follow an epoch.rotate entry, the next one to be added. */
static int follow_rotation(struct verify *v, const struct entry *entry)
{
	struct epoch_statement statement;
	struct merkle_hash root;

	if (epoch_statement_read(entry, &statement) != EPOCH_OK ||
	    memcmp(&statement.previous, &v->key, sizeof(v->key)) != 0 ||
	    statement.epoch != v->epoch + 1 || statement.size != v->builder.size ||
	    strcmp(statement.next.name, v->key.name) != 0)
		return end(v, VERIFY_INVALID,
			   "Entry %" PRIu64 " names a key, but not by the key of epoch %" PRIu64
			   ".",
			   v->builder.size, v->epoch);
	int r = root_so_far(v, &root);
	if (r)
		return r;
	if (!merkle_same(&root, &statement.root))
		return end(v, VERIFY_INVALID, "Entry %" PRIu64 " names a key for other entries.",
			   v->builder.size);
	v->last_key = v->key;
	v->key = statement.next;
	v->epoch++;
	v->epoch_first = v->builder.size + 1;
	return 0;
}

/* Check one entry and add it to the tree. */
static int add_entry(struct verify *v, struct bytes text, struct merkle_hash *ret_leaf)
{
	auto_entry struct entry entry = {};
	uint64_t index = v->builder.size;

	int r = entry_read(text.data, text.len, &entry);
	if (r < 0)
		return cannot(v, "an entry", r);
	if (r || entry.index != index)
		return end(v, VERIFY_INVALID, "Entry %" PRIu64 " is not an entry of this ledger.",
			   index);
	bool rotates = epoch_is_rotation(&entry);
	if (rotates)
		r = follow_rotation(v, &entry);
	if (r)
		return r;
	r = merkle_leaf(text.data, text.len, ret_leaf);
	return r ? cannot(v, "a hash", r) : rotates;
}

/* Check the next bundle: every entry, and the tiles it completes. */
static int check_bundle(struct verify *v)
{
	uint64_t first = v->builder.size, left = v->checkpoint.size - first;
	unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
	auto_buf struct buf bundle = buf_make(TILE_BUNDLE_BYTES);

	int r = read_tile(v, TILE_ENTRIES, first / TILE_WIDTH, width);
	if (r)
		return r;
	unsigned int found = v->width;
	bundle = v->file; /* the file's room is wanted for the tiles */
	v->file = buf_make(WAL_SEGMENT_MAX);

	struct bytes rest = { bundle.data, bundle.len }, beyond;
	for (unsigned int i = 0; r == 0 && i < width; i++) {
		struct merkle_hash leaf;
		struct bytes entry;

		if (!tile_bundle_next(&rest, &entry))
			return end(v, VERIFY_INCOMPLETE,
				   "Entry %" PRIu64 " of the %" PRIu64
				   " that the checkpoint promises is missing or cut.",
				   first + i, v->checkpoint.size);
		int rotated = add_entry(v, entry, &leaf);
		if (v->over)
			return rotated;
		r = tile_builder_add(&v->builder, &leaf, compare_tile, v);
		if (r == 0 && rotated)
			r = check_seal(v);
		if (r == 0)
			r = compare_from(v);
	}
	if (r < 0)
		return cannot(v, "a hash", r);
	for (unsigned int i = width; i < found; i++)
		if (!tile_bundle_next(&rest, &beyond))
			break;
	if (r == 0 && rest.len != 0)
		r = end(v, VERIFY_INVALID, "The bundle from entry %" PRIu64 " on is too long.",
			first);
	return r;
}

/* All entries have been seen: compare with the checkpoint, and the checkpoint with the keys. */
static int check_checkpoint(struct verify *v)
{
	uint64_t first = 0, last = 0;
	int r = tile_builder_partial(&v->builder, compare_tile, v);

	if (r == 0)
		r = root_so_far(v, &v->report.root);
	if (r)
		return r;
	if (!merkle_same(&v->report.root, &v->checkpoint.root))
		return end(v, VERIFY_INVALID, "The entries are not those of the checkpoint.");

	/* At the very beginning of an epoch the last one's seal is as good. */
	bool sealed = v->epoch > 0 && v->epoch_first == v->checkpoint.size &&
		      note_check(&v->note, &v->last_key) == NOTE_GOOD;
	if (v->seal_pending && !sealed)
		return end(v, VERIFY_INVALID, "Epoch %" PRIu64 " is not sealed.", v->epoch - 1);
	r = check_signature(v, &v->note, sealed ? &v->last_key : &v->key, "checkpoint",
			    &v->report.signed_time_s);
	if (r)
		return r;

	r = source_numbers(&v->source, "epoch", &first, &last);
	if (r < 0)
		return cannot(v, "epoch", r);
	if (r == 0 && last >= v->epoch)
		return end(v, VERIFY_INCOMPLETE,
			   "Epoch %" PRIu64 " was sealed, but the ledger ends before that.", last);
	v->report.entries = v->checkpoint.size;
	v->report.epochs = v->epoch + 1;
	return 0;
}

/* The hash of a signed entry, from its tile, which has been checked. */
static int leaf_of(struct verify *v, uint64_t index, struct merkle_hash *ret)
{
	uint64_t tile = index / TILE_WIDTH;

	if (tile == v->builder.level[0].full) {
		*ret = v->builder.level[0].hash[index % TILE_WIDTH];
		return 0;
	}
	if (tile != v->tile_in) {
		auto_buf struct buf kept = v->file; /* the segment is in there */

		v->file = buf_make(WAL_SEGMENT_MAX);
		int r = read_tile(v, 0, tile, TILE_WIDTH);
		if (r == 0 && v->file.len == sizeof(v->leaf)) {
			memcpy(v->leaf, v->file.data, sizeof(v->leaf));
			v->tile_in = tile;
		}
		buf_done(&v->file);
		v->file = kept;
		kept = buf_make(0);
		if (r || v->tile_in != tile)
			return end(v, VERIFY_INVALID, "A tile has changed meanwhile.");
	}
	*ret = v->leaf[index % TILE_WIDTH];
	return 0;
}

/* Compare one record of the write-ahead log with the signed entry, or count it to the tail. */
static int check_record(struct verify *v, uint64_t index, struct bytes text)
{
	struct merkle_hash leaf, want;

	if (index >= v->checkpoint.size) {
		auto_entry struct entry entry = {};
		uint64_t time_us = 0;

		if (entry_read(text.data, text.len, &entry) || entry.index != index)
			return end(v, VERIFY_INVALID,
				   "Entry %" PRIu64 ", not signed yet, is no entry.", index);
		v->report.tail++;
		if (clock_parse(entry.time, strlen(entry.time), &time_us))
			v->tail_time_s = time_us / 1'000'000;
		return 0;
	}
	int r = merkle_leaf(text.data, text.len, &leaf);
	if (r)
		return cannot(v, "a hash", r);
	r = leaf_of(v, index, &want);
	if (r == 0 && !merkle_same(&leaf, &want))
		return end(v, VERIFY_INVALID, "Entry %" PRIu64 " differs in the write-ahead log.",
			   index);
	return r;
}

/* Check one segment of the write-ahead log. ret_torn: bytes at its end that are no record. */
static int check_segment(struct verify *v, uint64_t first, bool last, uint64_t *ret_torn)
{
	struct bytes rest, text;
	uint64_t index = first;
	char path[WAL_NAME_MAX];

	wal_path(first, path);
	buf_clear(&v->file);
	int r = source_read(&v->source, path, &v->file);
	if (r < 0)
		return cannot(v, path, r);
	if (r == FOLDER_MISSING && first + WAL_SEGMENT_ENTRIES <= v->checkpoint.size)
		return 0; /* its entries are in the bundles */
	if (r)
		return end(v, VERIFY_INCOMPLETE, "%s is missing.", path);

	rest = (struct bytes) { v->file.data, v->file.len };
	int found = wal_header_read(&rest, first);
	while (r == 0 && found == WAL_RECORD && index < first + WAL_SEGMENT_ENTRIES) {
		found = wal_record_read(&rest, index, &text);
		if (found == WAL_RECORD)
			r = check_record(v, index++, text);
	}
	if (r)
		return r;
	*ret_torn = rest.len;
	if (rest.len > 0 && (!last || index < v->checkpoint.size))
		return end(v, VERIFY_INVALID, "Entry %" PRIu64 " is damaged in %s.", index, path);
	if (index < first + WAL_SEGMENT_ENTRIES && (!last || index < v->checkpoint.size))
		return end(v, VERIFY_INCOMPLETE, "Entry %" PRIu64 " is missing from %s.", index,
			   path);
	return 0;
}

/* Check what is left of the write-ahead log; a copy of a ledger may come without. */
static int check_wal(struct verify *v, uint64_t *ret_torn)
{
	uint64_t oldest = 0, newest = 0;

	int r = source_numbers(&v->source, "wal", &oldest, &newest);
	if (r == FOLDER_MISSING)
		return 0;
	if (r < 0)
		return cannot(v, "wal", r);
	if (oldest % WAL_SEGMENT_ENTRIES || newest % WAL_SEGMENT_ENTRIES ||
	    newest - oldest > v->checkpoint.size + 2 * WAL_SEGMENT_ENTRIES)
		return end(v, VERIFY_INVALID, "wal holds a file that is not the ledger's.");
	for (uint64_t at = oldest; r == 0 && at <= newest; at += WAL_SEGMENT_ENTRIES)
		r = check_segment(v, at, at == newest, ret_torn);
	return r;
}

/* Whether a bundle holds more than checkpoint and write-ahead log: then there has been a later checkpoint. */
static bool is_put_back(const struct verify *v)
{
	uint64_t size = v->checkpoint.size, bundle = size / TILE_WIDTH;
	auto width = (unsigned int)(size % TILE_WIDTH);
	char path[TILE_PATH_MAX];

	for (unsigned int w = TILE_WIDTH; w > width; w--) {
		tile_path(TILE_ENTRIES, bundle, w, path);
		if (source_has(&v->source, path))
			return bundle * TILE_WIDTH + w > size + v->report.tail;
	}
	return false;
}

/* What shows that the checkpoint is not the ledger's last one. */
static int check_age(struct verify *v)
{
	uint64_t signed_s = v->report.signed_time_s;

	if (!source_is_whole(&v->source))
		return end(v, VERIFY_INCOMPLETE, "The file has been cut off at its end.");
	if (is_put_back(v))
		return end(
			v, VERIFY_INCOMPLETE,
			"There are entries after the %" PRIu64
			" of the checkpoint: an earlier one has been put in the last one's place.",
			v->checkpoint.size);
	if (v->report.tail > 0 && v->tail_time_s > signed_s + LATE_S)
		return end(v, VERIFY_INCOMPLETE,
			   "Entries came %" PRIu64
			   " s after the checkpoint, and none signs them: an "
			   "earlier one has been put in the last one's place.",
			   v->tail_time_s - signed_s);
	if (v->max_age_s > 0 && v->now_s > signed_s + v->max_age_s)
		return end(v, VERIFY_INCOMPLETE,
			   "The last checkpoint is %" PRIu64 " s old: entries may be missing.",
			   v->now_s - signed_s);
	return 0;
}

/* All that is signed is sound: say what else there is to say. */
static int conclude(struct verify *v)
{
	uint64_t torn = 0;
	const struct verify_report *report = &v->report;

	int r = check_wal(v, &torn);
	if (r == 0)
		r = check_age(v);
	if (r)
		return r;
	if (report->tail > 0 || torn > 0)
		return end(v, VERIFY_TAIL,
			   "%" PRIu64 " entries under %" PRIu64 " checkpoints are valid; %" PRIu64
			   " entries and %" PRIu64 " bytes after them are not signed.",
			   report->entries, report->checkpoints, report->tail, torn);
	return end(v, VERIFY_VALID, "%" PRIu64 " entries under %" PRIu64 " checkpoints are valid.",
		   report->entries, report->checkpoints);
}

int verify_step(struct verify *v)
{
	int r = 0;

	if (v->over)
		return VERIFY_OVER;
	if (!v->begun) {
		r = begin(v);
		if (r == 0)
			r = compare_from(v);
		v->begun = true;
	} else if (v->builder.size < v->checkpoint.size) {
		r = check_bundle(v);
	} else {
		r = check_checkpoint(v);
		if (r == 0)
			r = conclude(v);
	}
	return r || v->over ? VERIFY_OVER : VERIFY_MORE;
}

int verify_folder(const char *path, const struct verify_options *options, struct verify_report *ret)
{
	cleanup(verify_free_at) struct verify *v = nullptr;

	int r = verify_new(-1, options, &v);
	if (r)
		return r;
	r = source_open(path, &v->source);
	if (r == TAR_NONE)
		(void)end(v, VERIFY_CANNOT, "%s is neither a folder nor a tar.", path);
	else if (r)
		(void)cannot(v, path, r);
	while (verify_step(v) == VERIFY_MORE)
		;
	verify_result(v, ret);
	return 0;
}
