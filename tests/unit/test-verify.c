/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/verify.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/note.h"
#include "appliance/audit/tile.h"
#include "common/buf.h"
#include "common/secret.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/audit-ledger.h"

constexpr size_t FILES_MAX = 64;

/* The files that are evidence, relative to the folder. */
static char files[FILES_MAX][TEST_PATH];
static size_t n_files;

static int note_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static const char *const NOT_EVIDENCE[] = { "key", "vkey", "intents", "reserve" };
	const char *name = path + strlen(test_dir) + 1;

	(void)st;
	(void)ftw;
	if (type != FTW_F || n_files == FILES_MAX)
		return 0;
	for (size_t i = 0; i < countof(NOT_EVIDENCE); i++)
		if (strcmp(name, NOT_EVIDENCE[i]) == 0)
			return 0;
	(void)snprintf(files[n_files++], TEST_PATH, "%s", name);
	return 0;
}

/* Make a ledger of two ended epochs: before the second's end n entries, then some more, all signed. */
static bool make_ledger(size_t n)
{
	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();

	CHECK(ledger);
	CHECK_EQ(test_append(ledger, n), 0);
	CHECK_EQ(ledger_rotate(ledger), 0);
	CHECK_EQ(test_append(ledger, 4), 0);
	CHECK_EQ(ledger_publish(ledger), 0);
	CHECK_EQ(test_verify(), VERIFY_VALID);
	n_files = 0;
	CHECK_EQ(nftw(test_dir, note_file, 8, FTW_PHYS), 0);
	return true;
}

static bool no_flipped_byte_of_any_file_is_valid(void)
{
	size_t bytes = 0;

	CHECK(make_ledger(3));
	CHECK_EQ(n_files, 6u); /* checkpoint, two seals, a tile, a bundle, a segment */
	for (size_t f = 0; f < n_files; f++) {
		auto_buf struct buf data = test_read(files[f]);

		for (size_t i = 0; i < data.len; i++, bytes++) {
			data.data[i] ^= (uint8_t)(1 << i % 8);
			CHECK(test_write(files[f], data.data, data.len));
			enum verify_verdict verdict = test_verify();
			if (verdict != VERIFY_INVALID && verdict != VERIFY_INCOMPLETE) {
				printf("# %s byte %zu\n", files[f], i);
				return false;
			}
			data.data[i] ^= (uint8_t)(1 << i % 8);
		}
		CHECK(test_write(files[f], data.data, data.len));
	}
	CHECK(bytes > 5000);
	CHECK_EQ(test_verify(), VERIFY_VALID);
	return true;
}

static bool no_file_cut_short_or_made_longer_is_valid(void)
{
	CHECK(make_ledger(270));
	for (size_t f = 0; f < n_files; f++) {
		auto_buf struct buf data = test_read(files[f]);
		size_t step = data.len / 61 + 1;

		/* Up to 270 + 8 entries: nothing of the log is needed but for the last ones. */
		for (size_t len = 0; len < data.len; len += step) {
			CHECK(test_write(files[f], data.data, len));
			enum verify_verdict verdict = test_verify();
			if (verdict == VERIFY_VALID || verdict == VERIFY_CANNOT) {
				printf("# %s cut to %zu: %d\n", files[f], len, verdict);
				return false;
			}
		}
		buf_add_str(&data, "x");
		CHECK(test_write(files[f], data.data, data.len));
		CHECK(test_verify() != VERIFY_VALID);
		CHECK(test_write(files[f], data.data, data.len - 1));
	}
	CHECK_EQ(test_verify(), VERIFY_VALID);
	return true;
}

static bool no_file_taken_away_is_valid_but_the_log(void)
{
	CHECK(make_ledger(270));
	for (size_t f = 0; f < n_files; f++) {
		auto_buf struct buf data = test_read(files[f]);
		enum verify_verdict want = strncmp(files[f], "tile", 4) == 0  ? VERIFY_INCOMPLETE
					   : strncmp(files[f], "wal", 3) == 0 ? VERIFY_VALID
									      : VERIFY_INVALID;

		CHECK_EQ(remove(test_path(files[f])), 0);
		CHECK_EQ(test_verify(), want);
		CHECK(test_write(files[f], data.data, data.len));
	}
	return true;
}

static bool another_key_verifies_nothing(void)
{
	auto_secret struct secret private_key = {};
	auto_buf struct buf text = buf_make(NOTE_MAX);
	char vkey[TEST_PATH];
	struct note_key key;

	CHECK(make_ledger(3));
	(void)snprintf(vkey, sizeof(vkey), "%s", test_vkey());
	CHECK(note_key_read(vkey, strlen(vkey), &key));
	CHECK_EQ(crypto_sign_keys(&private_key, key.public_key), 0);
	note_key_write(&text, &key); /* the same name */
	CHECK_EQ(test_verify_by(buf_text(&text)).verdict, VERIFY_INVALID);
	CHECK_EQ(test_verify_by("").verdict, VERIFY_CANNOT);
	CHECK_EQ(test_verify_by("nonsense").verdict, VERIFY_CANNOT);
	return true;
}

static bool entries_after_the_checkpoint_are_a_tail(void)
{
	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();

	CHECK(ledger);
	CHECK_EQ(test_append(ledger, 3), 0);
	struct verify_report report = test_verify_by(test_vkey());
	CHECK_EQ(report.verdict, VERIFY_TAIL);
	CHECK_EQ(report.entries, 2u);
	CHECK_EQ(report.tail, 3u);
	CHECK_EQ(report.epochs, 2u);
	return true;
}

static bool a_wider_partial_tile_serves_a_copy_made_meanwhile(void)
{
	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();

	CHECK(ledger);
	CHECK_EQ(test_append(ledger, 30), 0);
	CHECK_EQ(ledger_publish(ledger), 0);
	auto_buf struct buf early = test_read("checkpoint");
	CHECK_EQ(test_append(ledger, 30), 0);
	CHECK_EQ(ledger_publish(ledger), 0);
	CHECK(test_write("checkpoint", early.data, early.len));
	CHECK_EQ(test_verify(), VERIFY_TAIL);
	CHECK_EQ(test_append(ledger, 300), 0);
	CHECK_EQ(ledger_publish(ledger), 0);
	CHECK(test_write("checkpoint", early.data, early.len));
	CHECK_EQ(test_verify(), VERIFY_TAIL);
	return true;
}

/* --- forgers, who have the current key ----------------------------------------------------------- */

static int put(void *user, unsigned int level, uint64_t index, unsigned int width,
	       const struct merkle_hash *hash)
{
	char path[TILE_PATH_MAX];

	(void)user;
	tile_path(level, index, width, path);
	return test_write(path, hash, width * sizeof(*hash)) ? 0 : -EIO;
}

/* Sign a checkpoint with the key in the folder, named after the ledger. */
static bool sign_with_current_key(uint64_t size, const struct merkle_hash *root, const char *file)
{
	auto_buf struct buf seed = test_read("key"), text = buf_make(NOTE_MAX),
			    out = buf_make(NOTE_MAX);
	struct checkpoint checkpoint = { .size = size, .root = *root };
	auto_secret struct secret key = {};
	struct note_key public_key;
	char vkey[TEST_PATH];

	(void)snprintf(vkey, sizeof(vkey), "%s", test_vkey());
	CHECK(note_key_read(vkey, strlen(vkey), &public_key));
	CHECK_EQ(secret_init(&key, CRYPTO_PRIVATE), 0);
	CHECK_EQ(seed.len, key.len);
	memcpy(key.data, seed.data, key.len);
	CHECK_EQ(crypto_sign_public(&key, public_key.public_key), 0);
	(void)snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", public_key.name);
	note_checkpoint_write(&text, &checkpoint);
	CHECK_EQ(note_sign(&out, text.data, text.len, &public_key, &key, 1'795'000'000), 0);
	return test_write(file, out.data, out.len);
}

/*
 * Change one letter in entry changed, or leave the last entries out, make all tiles anew and sign with the current
 * key. The ledger has one bundle of size entries. The write-ahead log, which would tell, is removed.
 */
static bool forge(uint64_t changed, uint64_t size, uint64_t keep)
{
	static struct tile_builder builder;
	char path[TILE_PATH_MAX];
	struct merkle_tree tree;
	struct merkle_hash root, leaf;
	auto_buf struct buf bundle = buf_make(TILE_BUNDLE_BYTES);
	auto_buf struct buf made = buf_make(TILE_BUNDLE_BYTES);
	struct bytes rest, entry;

	tile_path(TILE_ENTRIES, 0, (unsigned int)size, path);
	bundle = test_read(path);
	rest = (struct bytes) { bundle.data, bundle.len };
	builder = (struct tile_builder) {};
	for (uint64_t i = 0; i < keep; i++) {
		CHECK(tile_bundle_next(&rest, &entry));
		uint8_t *name = memmem(entry.data, entry.len, "\"bob\"", 5);
		if (i == changed) {
			CHECK(name);
			name[1] = 'B';
		}
		CHECK_EQ(merkle_leaf(entry.data, entry.len, &leaf), 0);
		CHECK_EQ(tile_builder_add(&builder, &leaf, put, nullptr), 0);
		tile_bundle_add(&made, entry.data, entry.len);
	}
	tile_path(TILE_ENTRIES, 0, (unsigned int)keep, path);
	(void)folder_make(AT_FDCWD, test_path(path));
	CHECK(test_write(path, made.data, made.len));
	tile_path(0, 0, (unsigned int)keep, path);
	(void)folder_make(AT_FDCWD, test_path(path));
	CHECK_EQ(tile_builder_partial(&builder, put, nullptr), 0);
	CHECK_EQ(tile_builder_tree(&builder, &tree), 0);
	CHECK_EQ(merkle_root(&tree, &root), 0);
	(void)remove(test_path("wal/00000000000000000000.seg"));
	return sign_with_current_key(keep, &root, "checkpoint");
}

/* The ledger of make_ledger(3): start, rotate, 3 entries, rotate, 4 entries. */
constexpr uint64_t SIZE = 10;
constexpr uint64_t IN_PAST_EPOCH = 3;
constexpr uint64_t IN_THIS_EPOCH = 7;

static bool the_current_key_cannot_rewrite_a_past_epoch(void)
{
	CHECK(make_ledger(3));
	CHECK(forge(IN_PAST_EPOCH, SIZE, SIZE));
	CHECK_EQ(test_verify(), VERIFY_INVALID);
	return true;
}

static bool the_current_key_cannot_seal_a_past_epoch_again(void)
{
	struct merkle_hash root = {};

	CHECK(make_ledger(3));
	CHECK(sign_with_current_key(6, &root, "epoch/1"));
	CHECK_EQ(test_verify(), VERIFY_INVALID);
	return true;
}

static bool the_current_key_cannot_sign_the_end_of_a_past_epoch(void)
{
	CHECK(make_ledger(3));
	CHECK(forge(UINT64_MAX, SIZE, 4)); /* ends within epoch 1 */
	CHECK_EQ(test_verify(), VERIFY_INVALID);
	CHECK_EQ(remove(test_path("epoch/1")), 0);
	CHECK_EQ(test_verify(), VERIFY_INVALID);
	return true;
}

static bool what_the_current_key_rewrites_in_its_epoch_an_earlier_checkpoint_shows(void)
{
	struct verify_options options = {};
	struct verify_report report;

	CHECK(make_ledger(3));
	auto_buf struct buf earlier = test_read("checkpoint");
	CHECK(forge(IN_THIS_EPOCH, SIZE, SIZE));
	CHECK_EQ(test_verify(), VERIFY_VALID); /* the limit of what one key can promise */
	options.vkey = test_vkey();
	options.from = buf_text(&earlier);
	options.from_len = earlier.len;
	CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
	CHECK_EQ(report.verdict, VERIFY_INVALID);
	return true;
}

static bool a_ledger_put_back_is_incomplete_against_an_earlier_checkpoint(void)
{
	struct verify_options options = { .now_s = 1'900'000'000 };
	struct verify_report report;

	CHECK(make_ledger(3));
	auto_buf struct buf earlier = test_read("checkpoint");
	CHECK(forge(UINT64_MAX, SIZE, SIZE - 1));
	options.vkey = test_vkey();
	CHECK_EQ(test_verify(),
		 VERIFY_INCOMPLETE); /* the bundle of the checkpoint that has been is still there */
	CHECK_EQ(remove(test_path("tile/entries/000.p/10")), 0);
	CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
	CHECK_EQ(report.verdict, VERIFY_VALID);
	options.from = buf_text(&earlier);
	options.from_len = earlier.len;
	CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
	CHECK_EQ(report.verdict, VERIFY_INCOMPLETE);

	/* Without one, its age shows. */
	options.from = nullptr;
	options.max_age_s = 7200;
	CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
	CHECK_EQ(report.verdict, VERIFY_INCOMPLETE);
	return true;
}

static bool a_ledger_put_back_to_a_past_epoch_with_its_seals_left_is_incomplete(void)
{
	CHECK(make_ledger(3));
	auto_buf struct buf seal = test_read("epoch/0");
	auto_buf struct buf tile = test_read("tile/0/000.p/10");
	auto_buf struct buf bundle = test_read("tile/entries/000.p/10");

	CHECK(test_write("checkpoint", seal.data, seal.len));
	CHECK(test_verify() != VERIFY_VALID);
	return true;
}

static bool the_ledger_at_each_earlier_checkpoint_is_incomplete_against_the_last_one(void)
{
	static struct buf checkpoint[40], bundle[40], tile[40];
	struct verify_options options = { .now_s = (uint64_t)time(nullptr) };
	struct verify_report report;
	char path[TILE_PATH_MAX];
	size_t n = 0;

	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();
	CHECK(ledger);
	for (; n < countof(checkpoint); n++) {
		CHECK_EQ(test_append(ledger, 1), 0);
		CHECK_EQ(ledger_publish(ledger), 0);
		checkpoint[n] = test_read("checkpoint");
		tile_path(TILE_ENTRIES, 0, (unsigned int)n + 3, path);
		bundle[n] = test_read(path);
		tile_path(0, 0, (unsigned int)n + 3, path);
		tile[n] = test_read(path);
	}
	options.vkey = test_vkey();
	struct buf *last = &checkpoint[n - 1];
	tile_path(TILE_ENTRIES, 0, (unsigned int)n + 2, path);
	char last_bundle[TILE_PATH_MAX];
	(void)snprintf(last_bundle, sizeof(last_bundle), "%s", path);
	CHECK_EQ(remove(test_path("wal/00000000000000000000.seg")), 0);
	for (size_t i = 0; i + 1 < n; i++) {
		CHECK(test_write("checkpoint", checkpoint[i].data, checkpoint[i].len));
		options.from = nullptr;
		CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
		CHECK_EQ(report.verdict, VERIFY_INCOMPLETE); /* a wider bundle tells */

		options.from = (const char *)last->data;
		options.from_len = last->len;
		CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
		CHECK_EQ(report.verdict, VERIFY_INCOMPLETE);
	}
	/* Now with the files as they were: the limit of what the folder alone can tell. */
	CHECK_EQ(remove(test_path(last_bundle)), 0);
	for (size_t i = 0; i + 1 < n; i++) {
		CHECK(test_write("checkpoint", checkpoint[i].data, checkpoint[i].len));
		tile_path(TILE_ENTRIES, 0, (unsigned int)i + 3, path);
		CHECK(test_write(path, bundle[i].data, bundle[i].len));
		options.from = nullptr;
		CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
		CHECK_EQ(report.verdict, VERIFY_VALID);
		options.from = (const char *)last->data;
		CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
		CHECK_EQ(report.verdict, VERIFY_INCOMPLETE);
		options.from = (const char *)checkpoint[0].data;
		options.from_len = checkpoint[0].len;
		CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
		CHECK_EQ(report.verdict, VERIFY_VALID);
		options.from_len = last->len;
		CHECK_EQ(remove(test_path(path)), 0);
	}
	for (size_t i = 0; i < n; i++) {
		buf_done(&checkpoint[i]);
		buf_done(&bundle[i]);
		buf_done(&tile[i]);
	}
	return true;
}

static bool a_folder_without_a_ledger_is_not_valid(void)
{
	struct verify_options options = {};
	struct verify_report report;
	char vkey[TEST_PATH];

	CHECK(make_ledger(3));
	(void)snprintf(vkey, sizeof(vkey), "%s", test_vkey());
	CHECK(test_folder());
	options.vkey = vkey;
	CHECK_EQ(verify_folder(test_dir, &options, &report), 0);
	CHECK_EQ(report.verdict, VERIFY_INVALID);
	CHECK_EQ(verify_folder("/nonexistent", &options, &report), 0);
	CHECK_EQ(report.verdict, VERIFY_CANNOT);
	return true;
}

static bool every_failed_allocation_says_that_it_could_not_be_verified(void)
{
	CHECK(make_ledger(3));
	char vkey[TEST_PATH];
	(void)snprintf(vkey, sizeof(vkey), "%s", test_vkey());
	struct verify_options options = { .vkey = vkey };

	for (size_t n = 1;; n++) {
		struct verify_report report = {};

		fault_at(n);
		int r = verify_folder(test_dir, &options, &report);
		if (!fault_end())
			return r == 0 && report.verdict == VERIFY_VALID;
		CHECK(r == -ENOMEM || report.verdict != VERIFY_VALID);
	}
}

int main(void)
{
	RUN(no_flipped_byte_of_any_file_is_valid);
	RUN(no_file_cut_short_or_made_longer_is_valid);
	RUN(no_file_taken_away_is_valid_but_the_log);
	RUN(another_key_verifies_nothing);
	RUN(entries_after_the_checkpoint_are_a_tail);
	RUN(a_wider_partial_tile_serves_a_copy_made_meanwhile);
	RUN(the_current_key_cannot_rewrite_a_past_epoch);
	RUN(the_current_key_cannot_seal_a_past_epoch_again);
	RUN(the_current_key_cannot_sign_the_end_of_a_past_epoch);
	RUN(what_the_current_key_rewrites_in_its_epoch_an_earlier_checkpoint_shows);
	RUN(a_ledger_put_back_is_incomplete_against_an_earlier_checkpoint);
	RUN(a_ledger_put_back_to_a_past_epoch_with_its_seals_left_is_incomplete);
	RUN(the_ledger_at_each_earlier_checkpoint_is_incomplete_against_the_last_one);
	RUN(a_folder_without_a_ledger_is_not_valid);
	RUN(every_failed_allocation_says_that_it_could_not_be_verified);
	test_remove(test_dir);
	return tap_done();
}
