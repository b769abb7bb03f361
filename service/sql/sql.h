/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sql: run one query of the Rockset dialect over the store.
 *
 * Layer 6 (service/sql). Uses common/ and everything of service/ below it; used by service/engine. The query is parsed by us;
 * what native pipes (service/exec) do not do is printed anew for SQLite, which sees nothing of the client's but literals and
 * parameters, in a database in memory that has no file. What does not fit goes to scratches (scratch_vfs.h), the only files it can open.
 * Threads: a session belongs to one thread at a time; cancel may be set from any thread.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/crew/exec.h"
#include "service/syntax/refusal.h"

struct store;

constexpr size_t SQL_PARAMETERS_MAX = 1000;
constexpr size_t SQL_COLLECTIONS_MAX = 64;    /* that one query may read */
constexpr size_t SQL_FIELDS_MAX = 1000;	      /* of one collection that one query may ask for */
constexpr size_t SQL_MEMORY_MAX = 320u << 20; /* that the pipes of one query may use */

/* A parameter; the value is packed (service/value/value.h). */
struct sql_parameter {
	const char *name;
	const uint8_t *packed;
	size_t len;
};

constexpr size_t SQL_READS_COLLECTIONS_MAX = 800; /* bytes of JSON */
constexpr size_t SQL_READS_FIELDS_MAX = 1000;

/* What a query is about to read, once its names have a meaning: JSON arrays, which say how many more there are if they are too long. */
struct sql_reads {
	const char *collections; /* [collections_len] of "workspace.name" */
	size_t collections_len;
	const char *
		fields; /* [fields_len] of "workspace.name.member", "workspace.name.*" for whole documents */
	size_t fields_len;
};

/* Called once, when what a query will read is known and before it is read. Not 0 ends the query with that. */
typedef int sql_announce_fn(void *userdata, const struct sql_reads *reads);

/* Who does the work. All ways give one answer; the last two are the oracle that the first is tested against. */
enum sql_way : uint8_t {
	SQL_PIPES, /* native pipes as far as possible, SQLite the rest */
	SQL_SCANS, /* pipes only read, SQLite does the rest */
	SQL_TABLES, /* SQLite alone, over tables docs_NAME(doc BLOB) that a test has made in the session's database */
};

struct sql_query {
	const char *text; /* [len] UTF-8 */
	size_t len;
	const struct sql_parameter *parameter; /* [n_parameters] */
	size_t n_parameters;
	int64_t row_limit;	   /* applies if the text has no LIMIT; 0: none */
	uint64_t deadline_us;	   /* by clock_mono_us() */
	const atomic_bool *cancel; /* or nullptr */
	const char *
		prefix; /* put before the rows, so that an answer need not be copied together; or nullptr */
	size_t result_max; /* bytes of the rows as JSON */
	int64_t rows_max;
	size_t memory; /* bytes that its pipes may use; 0: SQL_MEMORY_MAX */
	enum sql_way way;
	sql_announce_fn *announce; /* or nullptr */
	void *announce_data;
};

struct sql_result {
	struct buf rows;	/* the JSON array */
	struct buf columns;	/* the JSON array of {"name":…,"type":""} */
	struct buf collections; /* the JSON array of "workspace.name" */
	struct buf parameters;	/* the JSON array of the names of parameters used */
	uint64_t n_rows;
	struct query_figures figures; /* what the pipes did */
	size_t pipes;		      /* how many there were */
	bool sqlite_only;	      /* the pipes only read: SQLite did all of the rest */
};

/* Free what a result holds. */
void sql_result_done(struct sql_result *result);

struct sql_session;

/*
 * Make a session: a place to run queries, one after the other.
 *
 * store, exec  borrowed
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int sql_session_new(struct store *store, struct exec *exec, struct sql_session **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct sql_session *sql_session_free(struct sql_session *session);
CLEANUP_FN(struct sql_session, sql_session_free)

/*
 * Run a query.
 *
 * ret  set only on success; free with sql_result_done()
 *
 * Returns 0, SQL_REFUSED (error is set), what announce() did, -ENOMEM or another -errno of the store.
 */
[[nodiscard]] int sql_run(struct sql_session *session, const struct sql_query *query,
			  struct sql_result *ret, struct sql_error *error);

/* Check a query without running it; only collections and parameters of the result are filled. Returns as sql_run(). */
[[nodiscard]] int sql_validate(struct sql_session *session, const struct sql_query *query,
			       struct sql_result *ret, struct sql_error *error);

/* The session's database, for the tables of SQL_TABLES. */
[[nodiscard]] struct sqlite3 *sql_session_db(struct sql_session *session);

/* Refuse a query that has been cancelled or is past its deadline. Returns 0 if it may go on, or SQL_REFUSED. */
[[nodiscard]] int sql_check(const struct sql_query *query, struct sql_error *error);

struct sqlite3_stmt;
struct token;

/* The parameter of that name, or nullptr. */
[[nodiscard]] const struct sql_parameter *sql_parameter_find(const struct sql_query *query,
							     const char *name);

/* Bind the parameters that tokens [n] name to a statement as ?1 and on, as far as it has them. Returns 0, SQL_REFUSED if one has no value, -EIO or -ENOMEM. */
[[nodiscard]] int sql_bind_parameters(struct sqlite3_stmt *stmt, const struct sql_query *query,
				      const struct token *const *name, size_t n);

/* Limit the memory of all SQLite connections of the process together. From three quarters on their caches give way to scratches. */
void sql_limit_memory(uint64_t bytes);
