/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/epoch.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/merkle.h"
#include "appliance/audit/note.h"
#include "appliance/audit/tile.h"
#include "appliance/audit/wal.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/crypto.h"
#include "common/proto/audit.h"
#include "common/secret.h"

static const char NO_BOOT[] = "00000000-0000-0000-0000-000000000000";

/* What recovery learns on its way. */
struct recovery {
	struct checkpoint checkpoint;
	struct note note; /* points into ledger->note */
	uint64_t cut;	  /* bytes of a torn tail */
};

/* The boot id: from the unit, or from the kernel; without one the entries say so by zeros. */
static void read_boot_id(char ret[ENTRY_BOOT_ID])
{
	const char *given = getenv("REDOUBT_BOOT_ID"); /* 32 hexadecimal digits */

	memcpy(ret, NO_BOOT, sizeof(NO_BOOT));
	if (given && strlen(given) < ENTRY_BOOT_ID &&
	    strspn(given, "0123456789abcdef-") == strlen(given)) {
		memcpy(ret, given, strlen(given) + 1);
		return;
	}

	auto_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, ret, ENTRY_BOOT_ID - 1) != ENTRY_BOOT_ID - 1)
		memcpy(ret, NO_BOOT, sizeof(NO_BOOT));
}

/* A file or a folder of a ledger in use is there. */
static bool in_use(const struct ledger *ledger)
{
	static const char *const PARTS[] = { LEDGER_CHECKPOINT, "wal", "tile", "epoch",
					     LEDGER_KEY_NEXT };
	bool found = false;

	for (size_t i = 0; !found && i < countof(PARTS); i++)
		found = folder_has(ledger->dir, PARTS[i]);
	return found;
}

/* Name the ledger after its first key, save that and sign the empty tree. */
static int make_new(struct ledger *ledger)
{
	constexpr size_t SHORT = 8; /* bytes of the hash in the name */
	auto_buf struct buf vkey = buf_make(NOTE_MAX);
	uint8_t hash[CRYPTO_HASH];
	char hex[2 * SHORT + 1];

	/* A key without a checkpoint is left of a first start that was cut short. */
	int r = ledger_key_load(ledger, LEDGER_KEY, &ledger->private_key, ledger->key.public_key);
	if (r > 0) {
		r = crypto_sign_keys(&ledger->private_key, ledger->key.public_key);
		if (r == 0)
			r = ledger_key_save(ledger, LEDGER_KEY, &ledger->private_key);
	}
	if (r == 0)
		r = crypto_sha256(ledger->key.public_key, CRYPTO_PUBLIC, hash);
	if (r)
		return r;
	crypto_hex(hash, SHORT, hex);
	(void)snprintf(ledger->key.name, sizeof(ledger->key.name), "redoubt.audit/%s", hex);
	ledger->genesis = ledger->key;
	note_key_write(&vkey, &ledger->genesis);
	buf_add_str(&vkey, "\n");
	r = buf_error(&vkey);
	if (r == 0)
		r = folder_write(ledger->dir, LEDGER_VKEY, vkey.data, vkey.len);
	return r ? r : ledger_publish(ledger);
}

/* Read the genesis key and the checkpoint. Returns 0, LEDGER_REFUSED (tampered) or -errno. */
static int read_names(struct ledger *ledger, struct recovery *rec)
{
	auto_buf struct buf vkey = buf_make(NOTE_MAX);

	int r = folder_read(ledger->dir, LEDGER_VKEY, &vkey);
	if (r < 0)
		return r;
	if (r > 0 || vkey.len == 0 ||
	    !note_key_read((const char *)vkey.data, vkey.len - 1, &ledger->genesis))
		return ledger_stop(ledger, LEDGER_TAMPERED, "missing or not a key", LEDGER_VKEY);
	ledger->key = ledger->genesis;

	r = folder_read(ledger->dir, LEDGER_CHECKPOINT, &ledger->note);
	if (r < 0)
		return r;
	if (r > 0 || !note_read(ledger->note.data, ledger->note.len, &rec->note) ||
	    !note_checkpoint_read(rec->note.text.data, rec->note.text.len, &rec->checkpoint) ||
	    strcmp(rec->checkpoint.origin, ledger->genesis.name) != 0)
		return ledger_stop(ledger, LEDGER_TAMPERED, "missing or not a checkpoint",
				   LEDGER_CHECKPOINT);
	return 0;
}

/* Take one segment's records into memory. Returns 0, LEDGER_REFUSED (tampered) or -errno. */
static int read_segment(struct ledger *ledger, uint64_t first, bool last, struct recovery *rec)
{
	auto_buf struct buf bytes = buf_make(WAL_SEGMENT_MAX);
	struct bytes rest, record;
	char path[WAL_NAME_MAX];

	wal_path(first, path);
	int r = folder_read(ledger->dir, path, &bytes);
	if (r < 0)
		return r;
	if (r > 0)
		return ledger_stop(ledger, LEDGER_TAMPERED, "a file is missing", path);

	rest = (struct bytes) { bytes.data, bytes.len };
	int found = wal_header_read(&rest, first);
	while (found == WAL_RECORD && ledger->size < first + WAL_SEGMENT_ENTRIES) {
		found = wal_record_read(&rest, ledger->size, &record);
		if (found != WAL_RECORD)
			break;
		r = ledger_hold(ledger, record.data, record.len);
		if (r)
			return r;
		ledger->size++;
	}
	/* Only a crash while writing the very end leaves a torn record; elsewhere it is damage. */
	bool whole = rest.len == 0 && (last || ledger->size == first + WAL_SEGMENT_ENTRIES);
	if (!whole && (!last || ledger->size < rec->checkpoint.size))
		return ledger_stop(ledger, LEDGER_TAMPERED, "an entry is damaged or missing", path);
	rec->cut = rest.len;
	ledger->wal_first = first;
	ledger->wal_end = bytes.len - rest.len;
	return 0;
}

/* Hash whole tile index of a level (below the one being loaded) into *ret. */
static int tile_file_root(struct ledger *ledger, unsigned int level, uint64_t index,
			  struct merkle_hash *ret)
{
	auto_buf struct buf bytes = buf_make(TILE_BYTES);
	char path[TILE_PATH_MAX];

	tile_path(level, index, TILE_WIDTH, path);
	int r = folder_read(ledger->dir, path, &bytes);
	if (r < 0)
		return r;
	if (r > 0 || bytes.len != TILE_BYTES)
		return ledger_stop(ledger, LEDGER_TAMPERED, "a file is missing or cut", path);
	return tile_root((const struct merkle_hash *)(const void *)bytes.data, TILE_WIDTH, ret);
}

/* Set the builder to the state it had at a segment's beginning. */
static int load_builder(struct ledger *ledger, uint64_t size)
{
	struct tile_builder *builder = ledger->builder;
	uint64_t count = size; /* hashes at this level */
	int r = 0;

	*builder = (struct tile_builder) { .size = size };
	for (unsigned int level = 0; r == 0 && level < TILE_LEVELS; level++, count /= TILE_WIDTH) {
		auto at = &builder->level[level];

		at->full = count / TILE_WIDTH;
		at->width = (unsigned int)(count % TILE_WIDTH);
		for (unsigned int i = 0; r == 0 && level > 0 && i < at->width; i++)
			r = tile_file_root(ledger, level - 1, at->full * TILE_WIDTH + i,
					   &at->hash[i]);
	}
	return r;
}

static int no_sink(void *user, unsigned int level, uint64_t index, unsigned int width,
		   const struct merkle_hash *hash)
{
	(void)user;
	(void)level;
	(void)index;
	(void)width;
	(void)hash;
	return 0;
}

/* Compare the tree of the entries, up to the signed size, with the signed root. */
static int check_root(struct ledger *ledger, const struct recovery *rec)
{
	struct merkle_tree tree;
	struct merkle_hash root;
	int r = 0;

	if (ledger->builder->size > rec->checkpoint.size || ledger->size < rec->checkpoint.size)
		return ledger_stop(ledger, LEDGER_TAMPERED, "entries that were signed are missing",
				   nullptr);
	*ledger->next = *ledger->builder;
	for (uint64_t i = ledger->next->size; r == 0 && i < rec->checkpoint.size; i++) {
		struct bytes entry = ledger_held(ledger, i);
		struct merkle_hash leaf;

		r = merkle_leaf(entry.data, entry.len, &leaf);
		if (r == 0)
			r = tile_builder_add(ledger->next, &leaf, no_sink, nullptr);
	}
	if (r == 0)
		r = tile_builder_tree(ledger->next, &tree);
	if (r == 0)
		r = merkle_root(&tree, &root);
	if (r == 0 && !merkle_same(&root, &rec->checkpoint.root))
		return ledger_stop(ledger, LEDGER_TAMPERED,
				   "the entries are not those that were signed", nullptr);
	ledger->root = rec->checkpoint.root;
	ledger->partial_size = rec->checkpoint.size;
	return r;
}

/* Read the segments into memory. Returns 0, LEDGER_REFUSED (tampered) or -errno. */
static int read_segments(struct ledger *ledger, struct recovery *rec)
{
	uint64_t oldest = 0, newest = 0;

	int r = folder_numbers(ledger->dir, "wal", &oldest, &newest);
	if (r < 0)
		return r;
	if (r > 0 && rec->checkpoint.size > 0)
		return ledger_stop(ledger, LEDGER_TAMPERED, "entries that were signed are missing",
				   nullptr);
	if (r > 0)
		return 0;
	if (oldest % WAL_SEGMENT_ENTRIES || newest % WAL_SEGMENT_ENTRIES)
		return ledger_stop(ledger, LEDGER_TAMPERED, "a file is not one of the ledger's",
				   "wal");
	ledger->wal_oldest = ledger->size = ledger->held_first = oldest;
	for (uint64_t at = oldest; r == 0 && at <= newest; at += WAL_SEGMENT_ENTRIES)
		r = read_segment(ledger, at, at == newest, rec);
	return r;
}

/*
 * Cut a torn tail off, and write the last segment's good bytes once more: if its last sync failed, the disk need not
 * hold what the page cache shows. Returns 0 or -errno.
 */
static int secure_segment(struct ledger *ledger)
{
	auto_buf struct buf bytes = buf_make(WAL_SEGMENT_MAX);
	char path[WAL_NAME_MAX];

	wal_path(ledger->wal_first, path);
	int r = folder_read(ledger->dir, path, &bytes);
	if (r == FOLDER_MISSING)
		return 0;
	if (r)
		return r > 0 ? -EINVAL : r;

	auto_close int fd = openat(ledger->dir, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return neg_errno();
	r = folder_pwrite(fd, bytes.data, (size_t)ledger->wal_end, 0);
	if (r == 0 && ftruncate(fd, (off_t)ledger->wal_end) < 0)
		r = neg_errno();
	if (r == 0 && fsync(fd) < 0)
		r = neg_errno();
	if (r)
		return r;
	ledger->wal = fd;
	fd = -1;
	return 0;
}

/*
 * Read the last checkpoint of an epoch and the statement that ended it.
 *
 * Returns 0, LEDGER_REFUSED (tampered) or -errno.
 */
static int read_seal(struct ledger *ledger, uint64_t epoch, struct epoch_statement *ret,
		     uint64_t *ret_size)
{
	auto_buf struct buf text = buf_make(NOTE_MAX);
	struct checkpoint sealed = {};
	char path[EPOCH_PATH_MAX];
	struct note note;

	epoch_path(epoch, path);
	int r = folder_read(ledger->dir, path, &text);
	if (r < 0)
		return r;
	bool good = r == 0 && note_read(text.data, text.len, &note) &&
		    note_checkpoint_read(note.text.data, note.text.len, &sealed) && sealed.size > 0;
	r = good ? ledger_statement(ledger, sealed.size - 1, ret) : LEDGER_DAMAGED;
	if (r < 0)
		return r;
	if (r > 0 || ret->epoch != epoch + 1 || note_check(&note, &ret->previous) != NOTE_GOOD)
		return ledger_stop(ledger, LEDGER_TAMPERED, "not the end of an epoch", path);
	*ret_size = sealed.size;
	return 0;
}

/* Find out which epoch it is and which keys may have signed the checkpoint; load the key. */
static int load_epoch(struct ledger *ledger, const struct recovery *rec)
{
	struct epoch_statement statement = { .previous = ledger->genesis, .next = ledger->genesis };
	uint8_t public_key[CRYPTO_PUBLIC] = {};
	uint64_t first = 0, last = 0;

	int r = folder_numbers(ledger->dir, "epoch", &first, &last);
	if (r < 0)
		return r;
	if (r == 0) {
		r = read_seal(ledger, last, &statement, &ledger->epoch_first);
		if (r)
			return r;
		ledger->epoch = statement.epoch;
		ledger->key = statement.next;
	}
	if (note_check(&rec->note, &statement.next) && note_check(&rec->note, &statement.previous))
		return ledger_stop(ledger, LEDGER_TAMPERED, "not signed by the ledger's key",
				   LEDGER_CHECKPOINT);

	r = ledger_key_load(ledger, LEDGER_KEY, &ledger->private_key, public_key);
	if (r == 0 && memcmp(public_key, ledger->key.public_key, CRYPTO_PUBLIC) != 0)
		secret_done(
			&ledger->private_key); /* a rotation was cut short: key.next may be the one */
	return r < 0 ? r : 0;
}

/* Recover what is there. Returns 0, LEDGER_REFUSED (tampered; the reason is kept) or -errno. */
static int recover(struct ledger *ledger, struct recovery *rec)
{
	int r = read_names(ledger, rec);

	if (r == 0)
		r = read_segments(ledger, rec);
	if (r == 0)
		r = load_builder(ledger, ledger->held_first);
	if (r == 0)
		r = check_root(ledger, rec);
	if (r == 0)
		r = load_epoch(ledger, rec);
	if (r == 0)
		r = secure_segment(ledger);
	if (r == 0)
		r = ledger_intents_load(ledger);
	if (r == 0)
		r = ledger_finish_rotation(ledger);
	if (r == 0 && ledger->private_key.len == 0)
		r = LEDGER_DAMAGED;
	if (r == LEDGER_DAMAGED)
		return ledger_stop(ledger, LEDGER_TAMPERED,
				   "the signing key is missing or not the ledger's", LEDGER_KEY);
	return r ? r : ledger_publish(ledger);
}

/* Everything but the folder's own opening. */
static int open_below(struct ledger *ledger)
{
	struct recovery rec = {};

	read_boot_id(ledger->boot);
	int r = ledger_open_room(ledger);
	if (r)
		return r;

	r = in_use(ledger) ? recover(ledger, &rec) : make_new(ledger);
	ledger->recovered_cut = rec.cut;
	return r > 0 ? 0 : r; /* refused, or no space: the state says it */
}

int ledger_open(const char *path, struct ledger **ret)
{
	cleanup(ledger_close_at) struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	ledger->dir = ledger->wal = -1;
	ledger->builder = &ledger->builders[0];
	ledger->next = &ledger->builders[1];
	ledger->held_bytes = buf_make(LEDGER_HELD_BYTES);
	ledger->wal_bytes = buf_make(LEDGER_HELD_BYTES);
	ledger->note = buf_make(NOTE_MAX);

	int r = folder_open(path, &ledger->dir);
	if (r)
		return r;
	if (flock(ledger->dir, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? LEDGER_BUSY : neg_errno();
	r = open_below(ledger);
	if (r)
		return r;
	*ret = TAKE(ledger);
	return 0;
}

int ledger_begin(struct ledger *ledger)
{
	char detail[128];

	if (ledger->state == LEDGER_TAMPERED)
		return LEDGER_REFUSED;
	(void)snprintf(detail, sizeof(detail), "{\"size\":%" PRIu64 ",\"torn_bytes\":%" PRIu64 "}",
		       ledger->size, ledger->recovered_cut);
	int r = ledger_add_own(ledger, "ledger.start", AUDIT_NO_INTENT, detail);
	if (r == 0)
		r = ledger_commit(ledger);
	if (r == 0)
		r = ledger_intents_give_up(ledger, ledger->size);
	return r ? r : ledger_rotate(ledger);
}
