/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bind: give every name of a tree its meaning and print the query for SQLite.
 *
 * Layer 6 (service/sql). What SQLite sees is made of our own names, literals and numbered parameters; no text of the
 * client's reaches it unquoted. Values it has no type for are packed bytes (service/value/value.h); conditions are 0, 1 or NULL.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/kind.h"
#include "service/function/function.h"
#include "service/sql/sql.h"
#include "service/store/store.h"
#include "service/syntax/arena.h"
#include "service/syntax/ast.h"

/* One column of what a query yields. */
struct column {
	const char *name; /* as the client sees it; of a spread, nullptr */
	const char *sql;  /* what a query around it calls it, "c0" */
	enum sql_type type;
	kind_set kinds;	     /* that its values can be of; 0: any */
	bool spread;	     /* an object all of whose members are columns */
	const char **except; /* [n_except] members that a spread leaves out */
	size_t n_except;
	int undefined; /* number of the hidden column that is 1 if this one is undefined, or -1 */
};

struct bound_collection {
	const char *workspace, *name;
	struct snapshot *snapshot; /* owned by bound */
};

/* A call of one of our functions in the SQL, of which there may be several. */
struct call_site {
	const char *function;
	const struct token *at; /* nullptr: it stands for too many */
	unsigned int number;	/* as udf.h counts them */
};

struct bound {
	const char *sql;
	struct column *columns;
	size_t n_columns;
	struct bound_collection *collections;
	size_t n_collections;
	const struct token *const *parameters; /* each once; number i + 1 in the SQL */
	size_t n_parameters;
	const struct plan *const *plans; /* what pipe(i) in the SQL runs */
	size_t n_plans;
	struct evaluation *evaluations; /* what those plans call; owned */
	const struct call_site *const *sites;
	size_t n_sites;
};

/* Let go of the snapshots and statements. Harmless on a zeroed one. */
void bound_done(struct bound *bound);

struct sqlite3;

/* Empty connections with our functions. */
struct bind_databases {
	struct sqlite3 *now;   /* for values that are known before any row is read */
	struct sqlite3 *calls; /* for functions that pipes have SQLite evaluate */
	pthread_mutex_t *calls_lock;
};

/*
 * Bind a query. (Not called bind: that name is a system call's, and libraries would find ours.)
 *
 * databases  borrowed until bound_done()
 * ask        the parameters' values and the limit for a query without LIMIT
 * ret        set only on success; lives in the arena; bound_done() lets go of what it read
 *
 * Returns 0, SQL_REFUSED (error is set), -ENOMEM or another -errno of the store.
 */
[[nodiscard]] int bind_tree(struct arena *arena, struct store *store,
			    const struct bind_databases *databases, const struct query *query,
			    const struct sql_query *ask, struct bound *ret,
			    struct sql_error *error);
