/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * folder: read and durably write the files of a ledger, below one held folder.
 *
 * Layer 2 (appliance/audit). Every path is relative to a folder's descriptor and made by us; no link is followed
 * at its end.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

enum {
	FOLDER_OK = 0,
	FOLDER_MISSING, /* no such file */
	FOLDER_TOO_BIG, /* longer than the buffer may get: not one of ours */
};

/*
 * Open the folder of a ledger.
 *
 * Returns 0 and a descriptor in *ret, or -errno of open(2).
 */
[[nodiscard]] int folder_open(const char *path, int *ret);

/*
 * Append a whole regular file to ret, whose cap is the limit.
 *
 * Returns 0, FOLDER_MISSING, FOLDER_TOO_BIG, -EINVAL (not a regular file), -ENOMEM or another -errno.
 */
[[nodiscard]] int folder_read(int dir, const char *path, struct buf *ret);

/* Make every folder that path goes through, without syncing them. Returns 0 or -errno of mkdirat(2). */
[[nodiscard]] int folder_make(int dir, const char *path);

/*
 * Write a file so that after a crash there is either the old one or the whole new one: a file beside it, synced,
 * renamed over it, the folder synced. Makes missing folders.
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int folder_write(int dir, const char *path, const void *data, size_t len);

/*
 * Write a file beside and rename it over, without syncing: for what can be made again. Makes missing folders.
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int folder_put(int dir, const char *path, const void *data, size_t len);

/* Sync a file's contents, and the folder it is in; none is fine. Returns 0 or -errno. */
[[nodiscard]] int folder_sync_file(int dir, const char *path);

/* Overwrite a file with zeros, sync it and remove it; none is fine. Returns 0 or -errno. */
[[nodiscard]] int folder_shred(int dir, const char *path);

/* Remove a file; none is fine. Returns 0 or -errno. */
[[nodiscard]] int folder_remove(int dir, const char *path);

/* Sync the folder that path is in. Returns 0 or -errno. */
[[nodiscard]] int folder_sync(int dir, const char *path);

/* Write all of data[len] at an offset. Returns 0 or -errno of pwrite(2). */
[[nodiscard]] int folder_pwrite(int fd, const void *data, size_t len, uint64_t offset);

/* Whether there is something at path. */
[[nodiscard]] bool folder_has(int dir, const char *path);

/*
 * The largest number that a file below the folder path begins its name with ("wal", "epoch").
 *
 * ret_smallest  the smallest one
 *
 * Returns 0, FOLDER_MISSING (no folder, or no such file in it) or -errno.
 */
[[nodiscard]] int folder_numbers(int dir, const char *path, uint64_t *ret_smallest,
				 uint64_t *ret_largest);

/* The number that a file's name begins with, up to a dot or its end. Returns whether it does. */
[[nodiscard]] bool folder_number(const char *name, uint64_t *ret);
