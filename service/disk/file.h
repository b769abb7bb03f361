/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * file: every call to the disk that storage makes, in one place, so that a test can make any of them fail or kill the process.
 *
 * Layer 2 (service/disk). Log, segments and spill files use nothing else; the catalog is SQLite's business.
 * Threads: any; a struct folder and a struct file may be shared, calls on one file at different offsets too.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

enum file_step : uint8_t {
	FILE_CREATE,
	FILE_WRITE,
	FILE_SYNC,
	FILE_RENAME,
	FILE_SYNC_FOLDER,
	FILE_REMOVE,
	FILE_TRUNCATE,
	FILE_STEP_COUNT,
};

/*
 * What a test hangs in before each step that changes the disk.
 *
 * len  of a write: bytes about to be written
 *
 * Returns 0 to go on, or a negative errno that the step then fails with. For a write, a positive number k means: write
 * only the first k - 1 bytes, then fail with -EIO (a torn write). May also _exit().
 */
typedef int file_hook_fn(void *userdata, enum file_step step, const char *name, size_t len);

struct folder; /* an open directory */
struct file;   /* an open file in it */

/* Open an existing directory. hook may be nullptr. Returns 0 or -errno. */
[[nodiscard]] int folder_open(const char *path, file_hook_fn *hook, void *userdata,
			      struct folder **ret);

/* Close; its files must be closed. nullptr is a no-op. Always returns nullptr. */
struct folder *folder_close(struct folder *folder);
CLEANUP_FN(struct folder, folder_close)

/* Called once for each plain file; return non-zero to stop with that. */
typedef int folder_name_fn(void *userdata, const char *name);

/* List the plain files. Returns 0, what fn returned, or -errno. */
[[nodiscard]] int folder_list(struct folder *folder, folder_name_fn *fn, void *userdata);

/* Make a directory's changes durable. Returns 0 or -errno of fsync(2). */
[[nodiscard]] int folder_sync(struct folder *folder);

/* Rename within the folder, replacing. Not durable until folder_sync(). Returns 0 or -errno. */
[[nodiscard]] int folder_rename(struct folder *folder, const char *from, const char *to);

/* Remove a file. Returns 0 or -errno. */
[[nodiscard]] int folder_remove(struct folder *folder, const char *name);

/* Bytes of free space on its file system for us. Returns 0 or -errno of fstatvfs(3). */
[[nodiscard]] int folder_free(struct folder *folder, uint64_t *ret_bytes);

/*
 * Whether so much is free that we may go on taking room: what is below belongs to the ledger, without which nothing may happen, and
 * to what makes room. A file system that does not say counts as one with room.
 */
[[nodiscard]] bool folder_has_room(struct folder *folder);

/* Make a new file for reading and writing (O_EXCL, mode 0600). Returns 0, -EEXIST or another -errno. */
[[nodiscard]] int file_create(struct folder *folder, const char *name, struct file **ret);

/* Make a file without a name that is gone when closed (O_TMPFILE). Returns 0 or -errno. */
[[nodiscard]] int file_create_unnamed(struct folder *folder, struct file **ret);

/* Open a file for reading. Returns 0, -ENOENT, -ELOOP or another -errno. */
[[nodiscard]] int file_open(struct folder *folder, const char *name, struct file **ret);

/* Close; nullptr is a no-op. Always returns nullptr. */
struct file *file_close(struct file *file);
CLEANUP_FN(struct file, file_close)

/* Write data[len] at an offset, all of it. Returns 0, -ENOSPC or another -errno. */
[[nodiscard]] int file_write(struct file *file, uint64_t offset, const void *data, size_t len);

/* Read up to len bytes at an offset; *ret_len is less only at the end of the file. Returns 0 or -errno. */
[[nodiscard]] int file_read(struct file *file, uint64_t offset, void *ret, size_t len,
			    size_t *ret_len);

/* Say that a part will be read soon, so that the disk begins. Returns 0 or -errno; the reading works either way. */
[[nodiscard]] int file_expect(struct file *file, uint64_t offset, uint64_t len);

/*
 * Let the next reading come from the disk, not from the kernel's memory, which after a failed sync of an earlier process
 * may hold what never got there. What was written since the last sync stays in memory. Returns 0 or -errno.
 */
[[nodiscard]] int file_reread(struct file *file);

/* Make what was written durable (fdatasync). Returns 0 or -errno; after a failure nothing is known about any of it. */
[[nodiscard]] int file_sync(struct file *file);

/* Cut the file to a length. Returns 0 or -errno. */
[[nodiscard]] int file_truncate(struct file *file, uint64_t len);

/* Its length in bytes. Returns 0, -EINVAL if it is no plain file, or -errno of fstat(2). */
[[nodiscard]] int file_size(struct file *file, uint64_t *ret);

/* The file's name in its folder, "" if it has none. */
[[nodiscard]] const char *file_name(const struct file *file);
