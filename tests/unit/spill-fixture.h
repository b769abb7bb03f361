/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * spill-fixture: documents, threads and a disk that a test can make full, for queries in too little memory.
 *
 * For tests/unit/test-exec-spill*.c.
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "service/disk/file.h"
#include "tests/unit/exec-fixture.h"

constexpr uint32_t DOCUMENTS = 12'000;
constexpr uint32_t FEW = 800;
constexpr size_t MUCH = 256u << 20;
constexpr size_t LITTLE = 3u << 20; /* three threads, and little for each */
constexpr size_t LEAST = 200u << 10;
static const char MARK[] = "in-clear";

/* What the disk does. */
static struct {
	_Atomic uint32_t writes;
	uint32_t full_at; /* this write and all after it find no room; 0: none */
	atomic_bool cancel;
	uint32_t cancel_at; /* this write cancels the query; 0: none */
	uint64_t wait_us;   /* a write ends after that moment */
} disk;

static char folder_path[32] = "/tmp/spill-XXXXXX";
static struct folder *folder; /* another one of the same, to look into */
static struct exec *exec, *alone;
static struct snapshot *many, *few;

static inline int on_step(void *, enum file_step step, const char *, size_t)
{
	if (step != FILE_WRITE)
		return 0;
	uint32_t n = ++disk.writes;
	if (disk.full_at && n >= disk.full_at)
		return -ENOSPC;
	if (disk.cancel_at && n >= disk.cancel_at)
		disk.cancel = true;
	while (clock_mono_us() < disk.wait_us)
		(void)usleep(1000);
	return 0;
}

static inline int count_file(void *userdata, const char *)
{
	uint32_t *n = userdata;

	++*n;
	return 0;
}

/* How many files there are in the folder, by name. */
static inline uint32_t files(void)
{
	uint32_t n = 0;

	return folder_list(folder, count_file, &n) ? UINT32_MAX : n;
}

static inline struct exec *make_exec(unsigned int threads)
{
	cleanup(folder_close_at) struct folder *in = nullptr;
	struct exec *made = nullptr;

	if (folder_open(folder_path, on_step, nullptr, &in) ||
	    exec_new_in(threads, (size_t)4 << 30, &in, &made))
		return nullptr;
	return made;
}

/* Values of all kinds under one name, equal ones, none, and long ones. */
static inline void put_document(struct buf *text, uint32_t i)
{
	buf_addf(text, "{\"v\":%u,\"k\":\"%s key %u\",\"g\":%u", i, MARK, i * 7919 % 5000, i % 7);
	if (i % 11 == 0)
		buf_addf(text, ",\"x\":null");
	else if (i % 5 == 0)
		buf_addf(text, ",\"x\":%u.5", i % 300);
	else if (i % 3 == 0)
		buf_addf(text, ",\"x\":\"%s %u\"", MARK, i % 900);
	else if (i % 7 == 0)
		buf_addf(text, ",\"x\":[%u,\"%s\"]", i % 40, MARK);
	else if (i % 13 != 0)
		buf_addf(text, ",\"x\":%d", (int)(i % 600) - 300);
	buf_addf(text, ",\"one\":1,\"t\":[%u,%u,\"%s\"]}\n", i % 50, i % 70, MARK);
}

static inline struct snapshot *load(uint32_t n, uint32_t rows)
{
	auto_buf struct buf text = buf_make(64u << 20);
	struct snapshot *made = snapshots_new();

	for (uint32_t i = 0; i < n; i++)
		put_document(&text, i);
	if (!made || buf_error(&text) ||
	    snapshots_add(made, (const char *)text.data, text.len, rows, true))
		return nullptr;
	return made;
}

/* Make everything. Returns whether that worked. */
static inline bool spill_fixture_init(void)
{
	if (!mkdtemp(folder_path) || folder_open(folder_path, nullptr, nullptr, &folder))
		return false;
	exec = make_exec(4);
	alone = make_exec(1);
	many = load(DOCUMENTS, 1000);
	few = load(FEW, 100);
	return exec && alone && many && few;
}

static inline void spill_fixture_done(void)
{
	snapshot_unref(many);
	snapshot_unref(few);
	exec_free(exec);
	exec_free(alone);
	folder_close(folder);
	(void)rmdir(folder_path);
}
