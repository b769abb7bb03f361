/* SPDX-License-Identifier: Apache-2.0 */

/* export: a ledger as a tar, whole, in parts, cut off; and verifying it as a tar and unpacked. */

#include "appliance/audit/export.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "appliance/audit/ledger.h"
#include "appliance/audit/source.h"
#include "appliance/audit/tar.h"
#include "appliance/audit/verify.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/audit-ledger.h"

constexpr size_t STREAM_MAX = 64u << 20;

static char vkey[TEST_PATH], out_dir[TEST_PATH];

/* A ledger of n entries beyond its start, in two ended epochs; remembers its key. */
static struct ledger *ledger_of(size_t n)
{
	cleanup(ledger_close_at) struct ledger *ledger = test_folder() ? test_open() : nullptr;

	if (!ledger || test_append(ledger, n) || ledger_rotate(ledger) || test_append(ledger, 4) ||
	    ledger_publish(ledger))
		return nullptr;
	(void)snprintf(vkey, sizeof(vkey), "%s", test_vkey());
	return TAKE(ledger);
}

/* Append the whole stream to out. Returns 0 or what failed. */
static int stream(struct ledger *ledger, uint64_t from, struct buf *out)
{
	cleanup(export_free_at) struct export *export = nullptr;
	int r = export_new(ledger, from, &export);

	if (r)
		return r;
	do
		r = export_next(export, out);
	while (r == EXPORT_MORE);
	return r;
}

/* An empty folder beside the ledger's. */
static bool make_out(void)
{
	if (out_dir[0])
		test_remove(out_dir);
	(void)snprintf(out_dir, sizeof(out_dir), "%.400s-out", test_dir);
	return mkdir(out_dir, 0700) == 0;
}

/* The path of something in it. Valid until the next call. */
static const char *out_path(const char *name)
{
	static char path[2 * TEST_PATH];

	(void)snprintf(path, sizeof(path), "%s/%.200s", out_dir, name);
	return path;
}

static bool put(const char *path, const void *data, size_t len)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && folder_pwrite(fd, data, len, 0) == 0;
}

static struct verify_report verify_at(const char *path)
{
	struct verify_options options = { .vkey = vkey };
	struct verify_report report = { .verdict = VERIFY_CANNOT };

	(void)!verify_folder(path, &options, &report);
	return report;
}

/* Write a stream's members below out_dir, each member's header at a multiple of 512. Returns how many. */
static size_t unpack(const struct buf *tar)
{
	auto_close int dir = open(out_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[101];
	size_t n = 0;

	for (size_t at = 0; at + TAR_BLOCK <= tar->len && tar->data[at]; n++) {
		unsigned long size = strtoul((const char *)tar->data + at + 124, nullptr, 8);

		(void)snprintf(name, sizeof(name), "%s", (const char *)tar->data + at);
		if (folder_make(dir, name) ||
		    folder_put(dir, name, tar->data + at + TAR_BLOCK, size))
			return 0;
		at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	return n;
}

static size_t n_same;

/* Each file of the export is the ledger's own. */
static int compare_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	auto_buf struct buf theirs = buf_make(TEST_FILE_MAX), ours = buf_make(TEST_FILE_MAX);
	const char *name = path + strlen(out_dir) + 1;

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	ours = test_read(name);
	if (folder_read(AT_FDCWD, path, &theirs) || ours.len == 0 || ours.len != theirs.len ||
	    memcmp(ours.data, theirs.data, ours.len) != 0) {
		printf("# %s\n", name);
		return 1;
	}
	n_same++;
	return 0;
}

static bool what_is_unpacked_is_the_ledger_byte_by_byte_without_its_keys(void)
{
	static const size_t SIZES[] = { 0, 3, 249, 250, 251, 1000 };

	for (size_t i = 0; i < countof(SIZES); i++) {
		auto_buf struct buf tar = buf_make(STREAM_MAX);
		cleanup(ledger_close_at) struct ledger *ledger = ledger_of(SIZES[i]);

		CHECK(ledger && make_out());
		CHECK_EQ(stream(ledger, 0, &tar), EXPORT_END);
		CHECK(unpack(&tar) > 4);
		n_same = 0;
		CHECK_EQ(nftw(out_dir, compare_file, 8, FTW_PHYS), 0);
		CHECK(n_same >= 5); /* checkpoint, vkey, epochs, a tile, a bundle */
		struct verify_report report = verify_at(out_dir);
		CHECK_EQ(report.verdict, VERIFY_VALID);
		CHECK_EQ(report.entries, SIZES[i] + 7);
		CHECK(access(out_path("key"), F_OK) != 0);
		CHECK(!memmem(tar.data, tar.len, "reserve", 7));
	}
	return true;
}

static bool the_tar_itself_verifies_too(void)
{
	auto_buf struct buf tar = buf_make(STREAM_MAX);
	cleanup(ledger_close_at) struct ledger *ledger = ledger_of(600);

	CHECK(ledger && make_out());
	CHECK_EQ(stream(ledger, 0, &tar), EXPORT_END);
	CHECK(put(out_path("l.tar"), tar.data, tar.len));
	struct verify_report report = verify_at(out_path("l.tar"));
	CHECK_EQ(report.verdict, VERIFY_VALID);
	CHECK_EQ(report.entries, 607u);
	CHECK_EQ(report.promised, 607u);
	return true;
}

static bool the_same_ledger_makes_the_same_stream(void)
{
	auto_buf struct buf one = buf_make(STREAM_MAX), two = buf_make(STREAM_MAX);
	cleanup(ledger_close_at) struct ledger *ledger = ledger_of(300);

	CHECK(ledger);
	CHECK_EQ(stream(ledger, 0, &one), EXPORT_END);
	CHECK_EQ(stream(ledger, 0, &two), EXPORT_END);
	CHECK(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
	return true;
}

static bool a_stream_cut_off_anywhere_is_incomplete_and_says_what_is_there(void)
{
	auto_buf struct buf tar = buf_make(STREAM_MAX);
	cleanup(ledger_close_at) struct ledger *ledger = ledger_of(600);

	CHECK(ledger && make_out());
	CHECK_EQ(stream(ledger, 0, &tar), EXPORT_END);
	/* From the end of the first member on: before it there is not even a checkpoint. */
	for (size_t len = 2 * TAR_BLOCK; len < tar.len - TAR_BLOCK; len += 389) {
		CHECK(put(out_path("l.tar"), tar.data, len));
		struct verify_report report = verify_at(out_path("l.tar"));

		if (report.verdict != VERIFY_INCOMPLETE && report.verdict != VERIFY_INVALID) {
			printf("# cut to %zu: %d\n", len, report.verdict);
			return false;
		}
		CHECK(report.entries <= 607);
		CHECK_EQ(report.promised, 607u);
	}
	CHECK(put(out_path("l.tar"), tar.data, tar.len / 2));
	struct verify_report report = verify_at(out_path("l.tar"));
	CHECK_EQ(report.verdict, VERIFY_INCOMPLETE);
	CHECK(strstr(report.message, " of the 607") ||
	      strstr(report.message, "first 256 are there"));
	CHECK(put(out_path("l.tar"), tar.data, 100));
	CHECK_EQ(verify_at(out_path("l.tar")).verdict, VERIFY_CANNOT);
	return true;
}

static bool no_flipped_byte_of_the_stream_is_valid(void)
{
	auto_buf struct buf tar = buf_make(STREAM_MAX);
	cleanup(ledger_close_at) struct ledger *ledger = ledger_of(3);

	CHECK(ledger && make_out());
	CHECK_EQ(stream(ledger, 0, &tar), EXPORT_END);
	CHECK(put(out_path("l.tar"), tar.data, tar.len));
	auto_close int fd = open(out_path("l.tar"), O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	for (size_t at = 0; at < tar.len; at += 7) {
		uint8_t flipped = tar.data[at] ^ 0x20;

		CHECK_EQ(folder_pwrite(fd, &flipped, 1, at), 0);
		struct verify_report report = verify_at(out_path("l.tar"));
		/* What is no evidence may differ: padding, the public key's copy, the first of two checkpoints. */
		if (report.verdict == VERIFY_VALID)
			CHECK_EQ(report.entries, 10u);
		CHECK_EQ(folder_pwrite(fd, &tar.data[at], 1, at), 0);
	}
	return true;
}

static bool a_later_part_over_an_earlier_one_is_a_full_export(void)
{
	static const size_t MORE[] = { 0, 1, 5, 255, 256, 700 };

	for (size_t i = 0; i < countof(MORE); i++) {
		auto_buf struct buf early = buf_make(STREAM_MAX), late = buf_make(STREAM_MAX);
		auto_buf struct buf full = buf_make(STREAM_MAX);
		cleanup(ledger_close_at) struct ledger *ledger = ledger_of(300);

		CHECK(ledger && make_out());
		CHECK_EQ(stream(ledger, 0, &early), EXPORT_END);
		CHECK_EQ(test_append(ledger, MORE[i]), 0);
		CHECK_EQ(ledger_rotate(ledger), 0);
		CHECK_EQ(ledger_publish(ledger), 0);
		CHECK_EQ(stream(ledger, 307, &late), EXPORT_END);
		CHECK_EQ(stream(ledger, 0, &full), EXPORT_END);
		CHECK(MORE[i] > 0 || late.len < full.len);
		CHECK(unpack(&early) > 0 && unpack(&late) > 0);
		struct verify_report report = verify_at(out_dir);
		CHECK_EQ(report.verdict, VERIFY_VALID);
		CHECK_EQ(report.entries, 307 + MORE[i] + 1);
		CHECK_EQ(remove(out_path("tile/entries/001.p/51")),
			 0); /* all that the first part had more */
		CHECK_EQ(remove(out_path("tile/0/001.p/51")), 0);
		(void)remove(out_path("tile/1/000.p/1"));
		n_same = 0;
		(void)unpack(&late);
		CHECK_EQ(nftw(out_dir, compare_file, 8, FTW_PHYS), 0);
		size_t resumed = n_same;
		CHECK(make_out() && unpack(&full) > 0);
		n_same = 0;
		CHECK_EQ(nftw(out_dir, compare_file, 8, FTW_PHYS), 0);
		CHECK_EQ(resumed, n_same);

		/* One file after the other in one tar does as well. */
		buf_add(&early, late.data, late.len);
		CHECK(put(out_path("l.tar"), early.data, early.len));
		CHECK_EQ(verify_at(out_path("l.tar")).verdict, VERIFY_VALID);
		/* The later part alone says that the rest is not in it. */
		CHECK(put(out_path("l.tar"), late.data, late.len));
		CHECK_EQ(verify_at(out_path("l.tar")).verdict, VERIFY_INCOMPLETE);
		CHECK_EQ(verify_at(out_path("l.tar")).promised, 307 + MORE[i] + 1);
	}
	return true;
}

static bool what_is_appended_meanwhile_does_not_change_the_stream(void)
{
	auto_buf struct buf before = buf_make(STREAM_MAX), out = buf_make(STREAM_MAX);
	cleanup(export_free_at) struct export *export = nullptr;
	cleanup(ledger_close_at) struct ledger *ledger = ledger_of(300);
	int r;

	CHECK(ledger);
	CHECK_EQ(stream(ledger, 0, &before), EXPORT_END);
	CHECK_EQ(export_new(ledger, 0, &export), 0);
	do {
		CHECK_EQ(test_append(ledger, 200), 0);
		CHECK_EQ(ledger_rotate(ledger), 0);
		CHECK_EQ(ledger_publish(ledger), 0);
		r = export_next(export, &out);
	} while (r == EXPORT_MORE);
	CHECK_EQ(r, EXPORT_END);
	CHECK(before.len == out.len && memcmp(before.data, out.data, out.len) == 0);
	return true;
}

static bool more_than_there_is_cannot_be_gone_on_from(void)
{
	cleanup(export_free_at) struct export *export = nullptr;
	cleanup(ledger_close_at) struct ledger *ledger = ledger_of(3);

	CHECK(ledger);
	CHECK_EQ(export_new(ledger, 11, &export), LEDGER_NO_ENTRY);
	CHECK_EQ(export_new(ledger, UINT64_MAX, &export), LEDGER_NO_ENTRY);
	CHECK_EQ(export_new(ledger, 10, &export), 0);
	CHECK_EQ(export_size(export), 10u);
	return true;
}

static bool every_failed_allocation_fails_the_export_or_the_verifying(void)
{
	auto_buf struct buf tar = buf_make(STREAM_MAX);
	cleanup(ledger_close_at) struct ledger *ledger = ledger_of(3);

	CHECK(ledger && make_out());
	for (size_t n = 1;; n++) {
		auto_buf struct buf again = buf_make(STREAM_MAX);

		fault_at(n);
		int r = stream(ledger, 0, &again);
		if (!fault_end())
			break;
		CHECK_EQ(r, -ENOMEM);
	}
	CHECK_EQ(stream(ledger, 0, &tar), EXPORT_END);
	CHECK(put(out_path("l.tar"), tar.data, tar.len));
	for (size_t n = 1;; n++) {
		struct verify_options options = { .vkey = vkey };
		struct verify_report report = {};

		fault_at(n);
		int r = verify_folder(out_path("l.tar"), &options, &report);
		if (!fault_end())
			return r == 0 && report.verdict == VERIFY_VALID;
		CHECK(r == -ENOMEM || report.verdict != VERIFY_VALID);
	}
}

int main(void)
{
	RUN(what_is_unpacked_is_the_ledger_byte_by_byte_without_its_keys);
	RUN(the_tar_itself_verifies_too);
	RUN(the_same_ledger_makes_the_same_stream);
	RUN(a_stream_cut_off_anywhere_is_incomplete_and_says_what_is_there);
	RUN(no_flipped_byte_of_the_stream_is_valid);
	RUN(a_later_part_over_an_earlier_one_is_a_full_export);
	RUN(what_is_appended_meanwhile_does_not_change_the_stream);
	RUN(more_than_there_is_cannot_be_gone_on_from);
	RUN(every_failed_allocation_fails_the_export_or_the_verifying);
	test_remove(test_dir);
	test_remove(out_dir);
	return tap_done();
}
