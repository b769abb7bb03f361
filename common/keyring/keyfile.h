/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keyfile: small files with keys in them: whole or not there, and gone for good when they are to go.
 *
 * Layer 1 (common/keyring). Names are ours and plain; below one held folder; no link is followed.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

enum {
	KEYFILE_OK = 0,
	KEYFILE_ABSENT,
};

/* Open the folder. Returns 0 and the descriptor in *ret, or -errno of open(2). */
[[nodiscard]] int keyfile_folder(const char *path, int *ret);

/*
 * Append a file's contents to ret, whose cap is the limit; a key in it is the caller's to wipe.
 *
 * Returns 0, KEYFILE_ABSENT, or -EMSGSIZE (too long), -EINVAL (not a regular file), another -errno.
 */
[[nodiscard]] int keyfile_read(int dir, const char *name, struct buf *ret);

/* Write a file: beside it (.NAME.new), synced, renamed over it, the folder synced. Returns 0 or -errno. */
[[nodiscard]] int keyfile_write(int dir, const char *name, const void *data, size_t len);

/*
 * Destroy a file: renamed away (.NAME.gone) and synced, which is the moment it is destroyed; then
 * overwritten, synced, removed. One that is not there is fine.
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int keyfile_destroy(int dir, const char *name);

/* Finish what a crash has cut short: overwrite and remove every .NAME.gone and .NAME.new. Returns 0 or -errno. */
[[nodiscard]] int keyfile_sweep(int dir);

/*
 * Call fn with the name of each file that ends with suffix. fn must not add or remove any other file.
 *
 * Returns 0, what fn returned if that is not 0, or -errno of readdir(3).
 */
[[nodiscard]] int keyfile_each(int dir, const char *suffix, int (*fn)(void *user, const char *name),
			       void *user);

/* Wipe, then free: the form of buf_done() for contents that are secret. */
void keyfile_wipe(struct buf *buf);

#define auto_wiped cleanup(keyfile_wipe)
