/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tar: the files of a ledger one after the other in one stream, and reading them from there.
 *
 * Layer 2 (appliance/audit). What is written depends on names and contents alone. What is read is untrusted input: of
 * each member only name, size and place are kept; what is no plain file with a short name is passed over.
 * Source: POSIX.1-2024, pax, "ustar Interchange Format".
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t TAR_BLOCK = 512;
constexpr size_t TAR_NAME_MAX = 64; /* as long as a tile's path, with the NUL */

enum {
	TAR_OK = 0,
	TAR_NONE, /* no such member, or not a tar at all */
};

/* Append a whole member: header, contents, padding. A failure, also that name is too long, sticks to out. */
void tar_add(struct buf *out, const char *name, const void *data, size_t len);

/* Append what ends a tar. A failure sticks to out. */
void tar_end(struct buf *out);

struct tar;

/*
 * Find the members of a tar. Several tars in a row are one: of members of the same name the last counts.
 *
 * fd  a regular file; borrowed until tar_close()
 *
 * Returns 0, TAR_NONE (the file does not begin as a tar does), -ENOMEM or another -errno of read(2).
 */
[[nodiscard]] int tar_open(int fd, struct tar **ret);

/* Forget the members; nullptr is a no-op. Always returns nullptr. */
struct tar *tar_close(struct tar *tar);
CLEANUP_FN(struct tar, tar_close)

/* Whether the tar ends as it should. If not, a last member that is not whole is left out. */
[[nodiscard]] bool tar_is_whole(const struct tar *tar);

/*
 * Append a member's contents to ret, whose cap is the limit.
 *
 * Returns 0, FOLDER_MISSING or FOLDER_TOO_BIG as folder_read(), -ENOMEM or another -errno of read(2).
 */
[[nodiscard]] int tar_read(const struct tar *tar, const char *name, struct buf *ret);

/* As folder_numbers(): the smallest and largest number that a member below path begins its name with. */
[[nodiscard]] int tar_numbers(const struct tar *tar, const char *path, uint64_t *ret_smallest,
			      uint64_t *ret_largest);
