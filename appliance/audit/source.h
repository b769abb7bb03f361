/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * source: the files of a ledger, wherever they lie: in a folder, or in a tar of one.
 *
 * Layer 2 (appliance/audit). Reads only.
 */

#include <stdint.h>

#include "appliance/audit/tar.h"
#include "common/base.h"
#include "common/buf.h"

struct source {
	int dir;	 /* the folder; borrowed from whoever set it */
	int fd;		 /* what source_open() has opened, or -1 */
	struct tar *tar; /* nullptr: it is a folder */
};

/*
 * Open a folder, or a tar.
 *
 * Returns 0, TAR_NONE (a file, but not a tar), -ENOMEM or another -errno of open(2). Close it in any case.
 */
[[nodiscard]] int source_open(const char *path, struct source *ret);

/* Close what source_open() has opened. */
void source_close(struct source *source);

/* As folder_read(). */
[[nodiscard]] int source_read(const struct source *source, const char *path, struct buf *ret);

/* Whether there is a file at path. */
[[nodiscard]] bool source_has(const struct source *source, const char *path);

/* As folder_numbers(). */
[[nodiscard]] int source_numbers(const struct source *source, const char *path,
				 uint64_t *ret_smallest, uint64_t *ret_largest);

/* Whether nothing has been cut off from its end; of a folder nobody knows. */
[[nodiscard]] bool source_is_whole(const struct source *source);
