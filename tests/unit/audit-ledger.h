/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * audit-ledger: ledgers in temporary folders, for the tests of the ledger and of its verifier.
 */

#include <fcntl.h>
#include <ftw.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/note.h"
#include "appliance/audit/verify.h"
#include "common/base.h"
#include "common/buf.h"

constexpr size_t TEST_PATH = 512;
constexpr size_t TEST_FILE_MAX = 1u << 20;

static char test_dir[TEST_PATH];

static inline int test_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Remove a folder with all that is in it. */
static inline void test_remove(const char *path)
{
	(void)nftw(path, test_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* An empty folder, new for each test. */
static inline bool test_folder(void)
{
	if (test_dir[0])
		test_remove(test_dir);
	/* In memory if possible: a test syncs thousands of times. */
	(void)snprintf(test_dir, sizeof(test_dir), "%s/redoubt-ledger-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(test_dir);
}

/* Add n events of accounts and commit them. Returns 0 or what failed. */
static inline int test_append(struct ledger *ledger, size_t n)
{
	static struct audit_event event;
	uint64_t index = 0;

	for (size_t i = 0; i < n; i++) {
		event = (struct audit_event) { .decision = AUDIT_ALLOW,
					       .outcome = AUDIT_DONE,
					       .intent = AUDIT_NO_INTENT,
					       .code = "person.add",
					       .actor_kind = "person",
					       .actor = "ann",
					       .target = "bob",
					       .detail = "{\"roles\": [\"admin\"]}" };
		int r = ledger_add(ledger, "accounts", &event, &index);
		if (r == LEDGER_BATCH_FULL) {
			r = ledger_commit(ledger);
			if (r == 0)
				r = ledger_add(ledger, "accounts", &event, &index);
		}
		if (r)
			return r;
	}
	return ledger_commit(ledger);
}

/* Open the ledger in test_dir and begin. Returns it or nullptr. */
static inline struct ledger *test_open(void)
{
	struct ledger *ledger = nullptr;

	if (ledger_open(test_dir, &ledger) == 0 && ledger_begin(ledger) == 0)
		return ledger;
	return ledger_close(ledger);
}

/* The path of a file of the ledger. Valid until the next call. */
static inline const char *test_path(const char *name)
{
	static char path[2 * TEST_PATH];

	(void)snprintf(path, sizeof(path), "%s/%.200s", test_dir, name);
	return path;
}

/* A whole file below test_dir; release with buf_done(). */
static inline struct buf test_read(const char *name)
{
	struct buf data = buf_make(TEST_FILE_MAX);

	(void)!folder_read(AT_FDCWD, test_path(name), &data);
	return data;
}

/* Replace a file below test_dir by these bytes. */
static inline bool test_write(const char *name, const void *data, size_t len)
{
	auto_close int fd = open(test_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && folder_pwrite(fd, data, len, 0) == 0;
}

/* The ledger's verifier key. Valid until the next call. */
static inline const char *test_vkey(void)
{
	static char vkey[TEST_PATH];
	auto_buf struct buf text = test_read("vkey");

	(void)snprintf(vkey, sizeof(vkey), "%.*s", (int)(text.len ? text.len - 1 : 0),
		       text.len ? (const char *)text.data : "");
	return vkey;
}

/* Verify the ledger in test_dir with this key. */
static inline struct verify_report test_verify_by(const char *vkey)
{
	struct verify_options options = { .vkey = vkey };
	struct verify_report report = { .verdict = VERIFY_CANNOT };

	(void)!verify_folder(test_dir, &options, &report);
	return report;
}

/* Verify the ledger in test_dir; the verdict. */
static inline enum verify_verdict test_verify(void)
{
	return test_verify_by(test_vkey()).verdict;
}
