/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * files: small files and folders, made so that a power cut leaves the old or the new, never half.
 *
 * Layer 2 (appliance/worker). No symlink is ever followed in the last part of a name.
 */

#include <stddef.h>
#include <sys/types.h>

#include "common/base.h"
#include "common/buf.h"

/* The run folder and the state folder: $REDOUBT_RUN, $REDOUBT_STATE, or /run/redoubt, /var/lib/redoubt. */
[[nodiscard]] const char *files_run(void);

/* The state folder; see files_run(). */
[[nodiscard]] const char *files_state(void);

/*
 * Make a folder if it is not there, and give it its owner and mode. The parent must be there.
 *
 * owner  a user's name, whose group it also gets; nullptr: root's. Not changed under $REDOUBT_STATE,
 *        where the users need not exist.
 *
 * Returns 0, -ENOTDIR (something else has the name), -ESRCH (no such user), or another -errno.
 */
[[nodiscard]] int files_folder(const char *path, const char *owner, mode_t mode);

/* Open a folder. Returns 0 and the descriptor in *ret, or -errno of open(2). */
[[nodiscard]] int files_open_folder(const char *path, int *ret);

/*
 * Write a file anew: beside it, synced, then renamed over it.
 *
 * dir   folder descriptor; borrowed
 * name  plain file name
 *
 * Returns 0 or -errno; the old file is there unchanged on anything but 0.
 */
[[nodiscard]] int files_write(int dir, const char *name, const void *data, size_t len, mode_t mode);

/*
 * Append a regular file's contents to ret.
 *
 * Returns 0, -ENOENT, -EMSGSIZE (it does not fit), -EINVAL (not a regular file) or another -errno.
 */
[[nodiscard]] int files_read(int dir, const char *name, struct buf *ret);
