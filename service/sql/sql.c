/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/sql.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>

#include "common/clock.h"
#include "service/exec/pipe.h"
#include "service/function/function.h"
#include "service/function/udf.h"
#include "service/sql/bind.h"
#include "service/sql/evaluate.h"
#include "service/sql/explain.h"
#include "service/sql/pipe_table.h"
#include "service/sql/reads.h"
#include "service/sql/reference.h"
#include "service/sql/reply.h"
#include "service/sql/scratch_vfs.h"
#include "service/syntax/arena.h"
#include "service/syntax/lex.h"
#include "service/syntax/parse.h"
#include "service/value/value.h"

constexpr size_t ARENA_MAX = 64u << 20; /* for tokens, tree and names of one query */
constexpr size_t COLUMNS_TEXT_MAX = 4u << 20;
constexpr int UNSUITED = SQL_REFUSED + 1; /* within this file: SQLite must do it alone */
constexpr int PROGRESS_STEPS = 200;	  /* SQLite instructions between two looks at the clock */
constexpr size_t SORT_SHARE =
	16; /* of the query's memory is what one sort of SQLite's has before it goes to disk */

void sql_result_done(struct sql_result *result)
{
	buf_done(&result->rows);
	buf_done(&result->columns);
	buf_done(&result->collections);
	buf_done(&result->parameters);
}

void sql_limit_memory(uint64_t bytes)
{
	(void)sqlite3_hard_heap_limit64((sqlite3_int64)bytes);
	(void)sqlite3_soft_heap_limit64((sqlite3_int64)(bytes - bytes / 4));
}

struct sql_session {
	struct store *store;
	struct exec *exec;
	sqlite3 *db;		/* in memory, and empty */
	struct scratch_vfs vfs; /* of both */
	size_t sort_memory;	/* bytes, as db has been told; 0: not yet */
	sqlite3 *calls;		/* another one, for service/sql/evaluate.h */
	pthread_mutex_t calls_lock;
	struct pipe_table table;
};

sqlite3 *sql_session_db(struct sql_session *session)
{
	return session->db;
}

/* Open a connection that has no file, with our functions and as little else as can be. */
static int open_empty(struct scratch_vfs *vfs, bool spills, sqlite3 **ret)
{
	static const struct {
		int limit, value;
	} LIMITS[] = {
		{ SQLITE_LIMIT_LENGTH, 128 << 20 },    { SQLITE_LIMIT_SQL_LENGTH, 16 << 20 },
		{ SQLITE_LIMIT_ATTACHED, 0 },	       { SQLITE_LIMIT_WORKER_THREADS, 0 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 100 }, { SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
	};
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;

	if (sqlite3_open_v2(":memory:", ret, flags, vfs->name) != SQLITE_OK)
		return -ENOMEM;
	if (sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr) != SQLITE_OK ||
	    sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr) != SQLITE_OK ||
	    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr) != SQLITE_OK)
		return -EIO;
	/* Scratches are counted against the query and sealed; without them all stays in memory, within sql_limit_memory(). */
	const char *temp = spills ? "PRAGMA temp_store = FILE" : "PRAGMA temp_store = MEMORY";
	if (sqlite3_exec(*ret, temp, nullptr, nullptr, nullptr) != SQLITE_OK)
		return -ENOMEM;
	int r = udf_register_all(*ret);
	for (size_t i = 0; i < countof(LIMITS); i++)
		(void)sqlite3_limit(*ret, LIMITS[i].limit, LIMITS[i].value);
	return r;
}

int sql_session_new(struct store *store, struct exec *exec, struct sql_session **ret)
{
	cleanup(sql_session_free_at) struct sql_session *session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	session->store = store;
	session->exec = exec;
	(void)pthread_mutex_init(&session->calls_lock, nullptr);
	int r = scratch_vfs_init(&session->vfs);
	if (r == 0)
		r = open_empty(&session->vfs, exec_spills(exec), &session->db);
	if (r == 0)
		r = open_empty(&session->vfs, false, &session->calls);
	if (r == 0)
		r = pipe_table_register(session->db, &session->table);
	if (r)
		return r;
	*ret = TAKE(session);
	return 0;
}

struct sql_session *sql_session_free(struct sql_session *session)
{
	if (session) {
		(void)sqlite3_close_v2(session->db);
		(void)sqlite3_close_v2(session->calls);
		scratch_vfs_done(&session->vfs);
		(void)pthread_mutex_destroy(&session->calls_lock);
	}
	free(session);
	return nullptr;
}

/* Whether a name is one that the binder makes: a letter and digits. */
static bool is_ours(const char *name, char letter)
{
	return name[0] == letter && name[1] && strspn(name + 1, "0123456789") == strlen(name + 1);
}

/* A second fence behind the binder: what it prints may read documents and call our functions, nothing else. */
static int authorize(void *, int action, const char *a, const char *b, const char *, const char *)
{
	bool allowed = false;

	if (action == SQLITE_SELECT)
		allowed = true;
	else if (action == SQLITE_READ)
		allowed = a && (strcmp(a, "pipe") == 0 || strncmp(a, "docs_", 5) == 0 ||
				strcmp(a, "rd_unnest") == 0 || a[0] == '\0' || is_ours(a, 's') ||
				is_ours(a, 'w'));
	else if (action == SQLITE_FUNCTION)
		allowed = b && function_allowed(b);
	return allowed ? SQLITE_OK : SQLITE_DENY;
}

/* Called by SQLite now and then; non-zero stops the query. userdata: its limits. */
static int on_progress(void *userdata)
{
	return query_limits_check(userdata);
}

/* SQLite's message without the prefix of our functions' names. */
static int refuse_message(struct sql_error *error, const char *message, struct place at)
{
	char text[400];
	size_t n = 0;

	for (const char *c = message; *c && n + 1 < sizeof(text);) {
		if (strncmp(c, "rd_", 3) == 0 || strncmp(c, "rt_", 3) == 0)
			c += 3;
		else
			text[n++] = *c++;
	}
	text[n] = '\0';
	(void)sql_refuse(error, SQL_QUERY_ERROR, "query_error", "%s", text);
	error->line = at.line;
	error->column = at.column;
	return SQL_REFUSED;
}

/* Where in the query the call is that failed in SQLite. */
static struct place place_of_failure(const struct bound *bound, struct udf_failure failed)
{
	for (size_t i = 0; failed.function && i < bound->n_sites; i++) {
		const struct call_site *site = bound->sites[i];

		if (site->at && site->number == failed.site &&
		    strcmp(site->function, failed.function) == 0)
			return (struct place) { site->at->line, site->at->column };
	}
	return (struct place) {};
}

/* Refuse a query that is to end. */
static int stopped(int outcome, struct sql_error *error)
{
	if (outcome == PIPE_CANCELLED)
		return sql_refuse(error, SQL_CANCELLED, "", "The query was cancelled.");
	return sql_refuse(error, SQL_TIMEOUT, "", "The query took longer than it may.");
}

int sql_check(const struct sql_query *query, struct sql_error *error)
{
	const struct query_limits limits = { .deadline_us = query->deadline_us,
					     .cancel = query->cancel };
	int outcome = query_limits_check(&limits);

	return outcome ? stopped(outcome, error) : 0;
}

/* Why a pipe ended the query, as an error or an errno. */
static int pipe_failure(int outcome, const struct exec_query *running, struct sql_error *error)
{
	switch (outcome) {
	case PIPE_CANCELLED:
	case PIPE_TIMEOUT:
		return stopped(outcome, error);
	case PIPE_TOO_LARGE:
		return sql_refuse(error, SQL_TOO_LARGE, "", "%s", exec_query_error(running));
	case PIPE_FAILED:
		return refuse_message(error, exec_query_error(running), exec_query_place(running));
	case PIPE_UNSUITED:
		return UNSUITED;
	case PIPE_DAMAGED:
		return sql_refuse(error, SQL_DAMAGED, "", "%s", exec_query_error(running));
	default:
		return outcome < 0 ? outcome : -EIO;
	}
}

/* What SQLite reported, as an error or an errno. */
static int failure(struct sql_session *session, const struct sql_query *query,
		   const struct bound *bound, struct sql_error *error)
{
	sqlite3 *db = session->db;
	int r;

	int outcome = session->table.outcome ? session->table.outcome : session->vfs.outcome;

	if (outcome)
		return pipe_failure(outcome, session->table.query, error);
	switch (sqlite3_errcode(db)) {
	case SQLITE_INTERRUPT:
		r = sql_check(query, error);
		return r ? r : -EIO;
	case SQLITE_NOMEM:
	case SQLITE_TOOBIG:
	case SQLITE_FULL:
		return sql_refuse(error, SQL_TOO_LARGE, "",
				  "The query needs more memory than it may have.");
	case SQLITE_ERROR:
	case SQLITE_AUTH:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
	case SQLITE_CONSTRAINT:
		return refuse_message(error, sqlite3_errmsg(db),
				      place_of_failure(bound, udf_failed(db)));
	default:
		return -EIO;
	}
}

/* Lex, parse and bind. */
static int prepare(struct sql_session *session, struct arena *arena, const struct sql_query *query,
		   struct bound *ret, bool *ret_explain, struct sql_error *error)
{
	const struct bind_databases databases = { .now = session->db,
						  .calls = session->calls,
						  .calls_lock = &session->calls_lock };
	struct token *tokens = nullptr;
	struct query *tree = nullptr;

	int r = lex(arena, query->text, query->len, &tokens, error);
	if (r == 0)
		r = references_expand(arena, tokens, query, &tokens, error);
	if (r == 0)
		r = parse(arena, tokens, &tree, error);
	*ret_explain = r == 0 && tree->explain;
	if (r == 0)
		r = bind_tree(arena, session->store, &databases, tree, query, ret, error);
	if (r == SQL_REFUSED &&
	    sql_check(query, error)) /* a value that would be known now is not */
		return SQL_REFUSED;
	return r;
}

const struct sql_parameter *sql_parameter_find(const struct sql_query *query, const char *name)
{
	for (size_t i = 0; i < query->n_parameters; i++)
		if (strcmp(query->parameter[i].name, name) == 0)
			return &query->parameter[i];
	return nullptr;
}

/* Bind one packed value to a statement. */
static int bind_packed(sqlite3_stmt *stmt, int index, const struct sql_parameter *parameter)
{
	struct value value;

	if (!value_open(parameter->packed, parameter->len, &value))
		return -EIO;
	if (value.tag == VALUE_NULL)
		return 0;
	if (value.tag == VALUE_NUMBER)
		return (value.is_int ? sqlite3_bind_int64(stmt, index, value.i)
				     : sqlite3_bind_double(stmt, index, value.f)) == SQLITE_OK
			       ? 0
			       : -ENOMEM;
	if (value.tag != VALUE_STRING)
		return sqlite3_bind_blob64(stmt, index, value.at, value.size, SQLITE_STATIC) ==
				       SQLITE_OK
			       ? 0
			       : -ENOMEM;
	auto_buf struct buf plain = buf_make(value.len);
	value_text(&value, &plain);
	if (buf_error(&plain))
		return -ENOMEM;
	return sqlite3_bind_text64(stmt, index, plain.data ? (const char *)plain.data : "",
				   plain.len, SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK
		       ? 0
		       : -ENOMEM;
}

int sql_bind_parameters(sqlite3_stmt *stmt, const struct sql_query *query,
			const struct token *const *name, size_t n)
{
	auto used = (size_t)sqlite3_bind_parameter_count(stmt);

	for (size_t i = 0; i < n && i < used; i++) {
		const struct sql_parameter *parameter = sql_parameter_find(query, name[i]->text);
		int r = parameter ? bind_packed(stmt, (int)i + 1, parameter) : SQL_REFUSED;

		if (r)
			return r;
	}
	return 0;
}

/* Every parameter that the query names must have a value. */
static int check_parameters(const struct sql_query *query, const struct bound *bound,
			    struct sql_error *error)
{
	for (size_t i = 0; i < bound->n_parameters; i++)
		if (!sql_parameter_find(query, bound->parameters[i]->text))
			return sql_refuse_at(error, bound->parameters[i], "parameter_not_found",
					     "Parameter `%.60s` has no value.",
					     bound->parameters[i]->text);
	return 0;
}

/* Fetch all rows. */
static int fetch(struct sql_session *session, sqlite3_stmt *stmt, struct arena *arena,
		 const struct sql_query *query, const struct bound *bound,
		 struct sql_result *result, struct sql_error *error)
{
	struct reply *reply = nullptr;
	int code = SQLITE_ROW, r = reply_new(arena, bound, &reply);

	buf_add_str(&result->rows, query->prefix ? query->prefix : "");
	buf_add_str(&result->rows, "[");
	while (r == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		if ((int64_t)result->n_rows >= query->rows_max)
			return sql_refuse(error, SQL_TOO_LARGE, "",
					  "The result has more than %lld rows; use LIMIT.",
					  (long long)query->rows_max);
		if (result->n_rows++ > 0)
			buf_add_str(&result->rows, ",");
		r = reply_add(reply, stmt, &result->rows);
		if (r == 0)
			r = buf_error(&result->rows);
	}
	if (r == 0 && (code != SQLITE_DONE || session->vfs.outcome))
		return failure(session, query, bound, error);
	buf_add_str(&result->rows, "]");
	if (r == 0)
		r = buf_error(&result->rows);
	if (r == -EMSGSIZE)
		return sql_refuse(error, SQL_TOO_LARGE, "",
				  "The result is larger than %zu MiB; use LIMIT or fewer columns.",
				  query->result_max >> 20);
	return r ? r : reply_columns(reply, &result->columns);
}

/* Have SQLite run what was printed for it. */
static int step_through(struct sql_session *session, struct arena *arena,
			const struct sql_query *query, const struct bound *bound,
			struct sql_result *result, struct sql_error *error)
{
	sqlite3 *db = session->db;
	sqlite3_stmt *stmt = nullptr;

	udf_forget_failure(db);
	(void)sqlite3_set_authorizer(db, authorize, nullptr);
	int code = sqlite3_prepare_v2(db, bound->sql, -1, &stmt, nullptr);
	(void)sqlite3_set_authorizer(db, nullptr, nullptr);
	if (code != SQLITE_OK)
		return failure(session, query, bound, error);

	int r = sql_bind_parameters(stmt, query, bound->parameters, bound->n_parameters);
	if (r == 0)
		r = fetch(session, stmt, arena, query, bound, result, error);
	(void)sqlite3_finalize(stmt);
	return r;
}

static void add_figures(struct query_figures *to, const struct query_figures *more)
{
	to->rows_read += more->rows_read;
	to->bytes_read += more->bytes_read;
	to->pages_read += more->pages_read;
	to->pages_missed += more->pages_missed;
	to->chunks += more->chunks;
	to->chunks_skipped += more->chunks_skipped;
	to->spilled_bytes += more->spilled_bytes;
	to->cpu_us += more->cpu_us;
}

/* Tell SQLite how much memory one sort may use: that is the size of the main database's cache. */
static int limit_sorts(struct sql_session *session, size_t memory)
{
	char text[64];
	size_t share = memory / SORT_SHARE;

	if (share == session->sort_memory)
		return 0;
	(void)snprintf(text, sizeof(text), "PRAGMA cache_size = -%zu", share / 1024 + 1);
	if (sqlite3_exec(session->db, text, nullptr, nullptr, nullptr) != SQLITE_OK)
		return -ENOMEM;
	session->sort_memory = share;
	return 0;
}

/* The result's figures are counted on, whatever comes of it. */
static int execute(struct sql_session *session, struct arena *arena, const struct sql_query *query,
		   const struct bound *bound, struct sql_result *result, struct sql_error *error)
{
	struct query_figures figures;
	struct query_limits limits = { .deadline_us = query->deadline_us,
				       .cancel = query->cancel,
				       .memory = query->memory ? query->memory : SQL_MEMORY_MAX };
	cleanup(exec_query_free_at) struct exec_query *running = nullptr;

	int r = check_parameters(query, bound, error);
	if (r)
		return r;
	r = exec_query_new(session->exec, &limits, &running);
	if (r)
		return pipe_failure(r, running, error);
	session->table = (struct pipe_table) { .plans = bound->plans,
					       .n_plans = bound->n_plans,
					       .query = running };
	session->vfs.query = running;
	session->vfs.outcome = 0;
	r = limit_sorts(session, limits.memory);
	r = r ? r : step_through(session, arena, query, bound, result, error);
	session->vfs.query = nullptr;
	session->table = (struct pipe_table) {};
	exec_query_figures(running, &figures);
	add_figures(&result->figures, &figures);
	result->pipes = bound->n_plans;
	result->sqlite_only = query->way != SQL_PIPES;
	return r;
}

/* The JSON lists of what the query read and which parameters it named. */
static int describe(const struct bound *bound, struct sql_result *result)
{
	buf_add_str(&result->collections, "[");
	for (size_t i = 0; i < bound->n_collections; i++) /* names have nothing to escape */
		buf_addf(&result->collections, "%s\"%s.%s\"", i ? "," : "",
			 bound->collections[i].workspace, bound->collections[i].name);
	buf_add_str(&result->collections, "]");
	buf_add_str(&result->parameters, "[");
	for (size_t i = 0; i < bound->n_parameters; i++) {
		buf_add_str(&result->parameters, i ? "," : "");
		buf_add_json(&result->parameters, bound->parameters[i]->text,
			     bound->parameters[i]->len);
	}
	buf_add_str(&result->parameters, "]");
	int r = buf_error(&result->collections);
	return r ? r : buf_error(&result->parameters);
}

/* The answer to EXPLAIN: one row for each line. */
static int put_explanation(const struct sql_query *query, const struct bound *bound,
			   struct sql_result *result)
{
	auto_buf struct buf text = buf_make(query->result_max);

	explain(bound, &text);
	const char *line = buf_text(&text);
	if (!line)
		return buf_error(&text) ? buf_error(&text) : -ENOMEM;
	buf_add_str(&result->rows, query->prefix ? query->prefix : "");
	buf_add_str(&result->rows, "[");
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		buf_add_str(&result->rows, result->n_rows++ ? ",{\"EXPLAIN\":" : "{\"EXPLAIN\":");
		buf_add_json(&result->rows, line, (size_t)(end - line));
		buf_add_str(&result->rows, "}");
	}
	buf_add_str(&result->rows, "]");
	buf_add_str(&result->columns, "[{\"name\":\"EXPLAIN\",\"type\":\"\"}]");
	int r = buf_error(&result->rows);
	return r ? r : buf_error(&result->columns);
}

/* Say what is going to be read, if somebody wants to know. */
static int announce(const struct sql_query *query, const struct bound *bound)
{
	auto_buf struct buf room =
		buf_make(SQL_READS_COLLECTIONS_MAX + SQL_READS_FIELDS_MAX + READS_SLACK);
	struct sql_reads reads;

	if (!query->announce)
		return 0;
	int r = reads_describe(bound, &room, &reads);
	return r ? r : query->announce(query->announce_data, &reads);
}

static int attempt(struct sql_session *session, const struct sql_query *query, bool really,
		   struct query_figures *spent, struct sql_result *ret, struct sql_error *error)
{
	auto_arena struct arena arena = arena_make(ARENA_MAX);
	cleanup(sql_result_done) struct sql_result result = {
		.rows = buf_make(query->result_max),
		.columns = buf_make(COLUMNS_TEXT_MAX),
		.collections = buf_make(COLUMNS_TEXT_MAX),
		.parameters = buf_make(COLUMNS_TEXT_MAX),
		.figures = *spent,
	};
	cleanup(bound_done) struct bound bound = {};
	bool explained = false;

	int r = prepare(session, &arena, query, &bound, &explained, error);
	if (r == 0)
		r = describe(&bound, &result);
	if (r == 0 && really)
		r = announce(query, &bound);
	if (r == 0 && really && explained)
		r = put_explanation(query, &bound, &result);
	else if (r == 0 && really)
		r = execute(session, &arena, query, &bound, &result, error);
	*spent = result.figures;
	if (r)
		return r;
	*ret = result;
	result = (struct sql_result) {};
	return 0;
}

/* Have a connection ask these while it prepares and runs; nullptr: none. Returns 0 or -ENOMEM. */
static int limit(sqlite3 *db, struct query_limits *limits)
{
	sqlite3_progress_handler(db, limits ? PROGRESS_STEPS : 0, limits ? on_progress : nullptr,
				 limits);
	return sqlite3_set_clientdata(db, UDF_LIMITS, limits, nullptr) ? -ENOMEM : 0;
}

/* Natively as far as possible; all by SQLite if a value turns up that a pipe cannot treat just as SQLite does. */
static int run(struct sql_session *session, const struct sql_query *query, bool really,
	       struct sql_result *ret, struct sql_error *error)
{
	struct sql_query plain = *query;
	struct query_limits limits = { .deadline_us = query->deadline_us, .cancel = query->cancel };
	struct query_figures spent = {};

	int r = limit(session->db, &limits);
	r = r ? r : limit(session->calls, &limits);
	r = r ? r : attempt(session, query, really, &spent, ret, error);
	if (r == UNSUITED) {
		plain.way = SQL_SCANS;
		plain.announce = nullptr; /* it has been */
		r = attempt(session, &plain, really, &spent, ret, error);
	}
	(void)!limit(session->db, nullptr);
	(void)!limit(session->calls, nullptr);
	return r == UNSUITED ? -EIO : r;
}

int sql_run(struct sql_session *session, const struct sql_query *query, struct sql_result *ret,
	    struct sql_error *error)
{
	return run(session, query, true, ret, error);
}

int sql_validate(struct sql_session *session, const struct sql_query *query, struct sql_result *ret,
		 struct sql_error *error)
{
	return run(session, query, false, ret, error);
}
