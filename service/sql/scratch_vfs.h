/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * scratch_vfs: all that SQLite sees of a file system while it answers a query: scratches (service/crew/scratch.h) for what it puts
 * aside, and the clock.
 *
 * Layer 6 (service/sql). There is nothing else to be opened, neither a database nor a journal with a name. One of it belongs to one
 * connection's files; sessions have their own.
 * Source: sqlite.org/c3ref/vfs.html, sqlite.org/c3ref/io_methods.html, sqlite.org/tempfiles.html.
 */

#include <sqlite3.h>

#include "common/base.h"

struct exec_query;

struct scratch_vfs {
	sqlite3_vfs base; /* first: SQLite hands out its address */
	sqlite3_vfs *system;
	char name[40];
	struct exec_query *query; /* the one that is being run; nullptr: nothing can be opened */
	int outcome; /* why a scratch ended the query: PIPE_TIMEOUT, …, or a negative errno; 0: none did */
};

/* Make it known to SQLite by its name, for sqlite3_open_v2(). vfs must not move. Returns 0 or -ENOMEM. */
[[nodiscard]] int scratch_vfs_init(struct scratch_vfs *vfs);

/* Forget it; its connections must be closed. A zeroed one is a no-op. */
void scratch_vfs_done(struct scratch_vfs *vfs);
