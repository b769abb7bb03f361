/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * evaluate: functions that pipes do not know, evaluated for them by SQLite: one prepared statement for each.
 *
 * Layer 6 (service/sql). On a connection of its own, because the session's is in the middle of a step when a pipe runs.
 * Threads: one at a time on a connection, by the lock of a plan's node.
 */

#include <stddef.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/vector/cell.h"

struct evaluation {
	const char *sql;    /* borrowed; two of one text are one function */
	sqlite3_stmt *stmt; /* SELECT function(?1, ?2 …) */
	struct buf packed, room;
	struct buf error; /* the sentence of a call that failed */
	struct evaluation *next;
};

/*
 * Prepare an evaluation.
 *
 * sql  an expression over ?1, ?2, …; borrowed
 * ret  zeroed; evaluation_done() frees what it owns
 *
 * Returns whether SQLite took it.
 */
[[nodiscard]] bool evaluation_init(sqlite3 *db, const char *sql, struct evaluation *ret);

/* Free what an evaluation and those after it own. */
void evaluation_done(struct evaluation *first);

/* A call_fn of service/expression/plan.h; userdata is the evaluation. Returns 0, 1 (ret is the sentence of the error), -ECANCELED (the limits said so) or -ENOMEM. */
[[nodiscard]] int evaluation_call(void *userdata, const struct cell *arg, size_t n_args,
				  struct cell *ret);
