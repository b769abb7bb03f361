/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * pipe_table: the table function pipe(k), by which SQLite reads what a native pipe yields.
 *
 * Layer 6 (service/sql). Columns c0, c1, …; k is the number of a plan of the query that is being run.
 * Threads: as the connection.
 */

#include <stddef.h>

#include <sqlite3.h>

#include "common/base.h"

struct exec_query;
struct plan;

/* What the connection's query is; changed only between queries. */
struct pipe_table {
	const struct plan *const *plans; /* [n_plans] borrowed */
	size_t n_plans;
	struct exec_query *query;
	int outcome; /* why a pipe ended the query: PIPE_TIMEOUT, …, or a negative errno; 0: none did */
};

/* Register the function. table must outlive the connection. Returns 0 or -ENOMEM. */
[[nodiscard]] int pipe_table_register(sqlite3 *db, struct pipe_table *table);
