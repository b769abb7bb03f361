/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/store.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "appliance/accounts/store_sql.h"
#include "common/base.h"

constexpr int APPLICATION_ID = 0x72647461; /* "rdta" */
constexpr int SCHEMA_VERSION = 1;
constexpr int VALUE_MAX = 64 * 1024; /* no value of ours comes near it */

struct store {
	sqlite3 *db;
	sqlite3_stmt *statement[SQL_COUNT];
};

/* What brings the schema from version i to i + 1. Each runs in a transaction with the change of user_version. */
static const char *const MIGRATIONS[] = {
	"CREATE TABLE person ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" email TEXT NOT NULL,"
	" uid INTEGER NOT NULL UNIQUE,"
	" state INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" last_login INTEGER NOT NULL DEFAULT 0,"
	" last_source TEXT NOT NULL DEFAULT ''"
	") STRICT;"
	"CREATE TABLE role_grant ("
	" person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,"
	" role TEXT NOT NULL,"
	" workspace TEXT NOT NULL DEFAULT '*ALL*',"
	" PRIMARY KEY (person, role, workspace)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE ssh_key ("
	" id INTEGER PRIMARY KEY,"
	" person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,"
	" fingerprint TEXT NOT NULL UNIQUE,"
	" type TEXT NOT NULL,"
	" bits INTEGER NOT NULL,"
	" base64 TEXT NOT NULL,"
	" comment TEXT NOT NULL,"
	" added INTEGER NOT NULL,"
	" last_used INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	"CREATE INDEX ssh_key_person ON ssh_key(person);"
	"CREATE TABLE api_key ("
	" id INTEGER PRIMARY KEY,"
	" person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,"
	" hash BLOB NOT NULL UNIQUE,"
	" ident TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" role TEXT NOT NULL,"
	" state INTEGER NOT NULL,"
	" created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" last_used INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE (person, name)"
	") STRICT;"
	"CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO counter VALUES ('uid', 20000);",
};
static_assert(sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]) == SCHEMA_VERSION);
static_assert(STORE_UID_FIRST == 20000); /* stands in the text above */

#define PERSON_COLUMNS                                                             \
	"p.name, p.email, p.uid, p.state, p.created, p.last_login, p.last_source," \
	" (SELECT group_concat(role, ' ') FROM role_grant WHERE person = p.id),"   \
	" (SELECT count(*) FROM ssh_key WHERE person = p.id),"                     \
	" (SELECT count(*) FROM api_key WHERE person = p.id)"
#define SSH_KEY_COLUMNS                                                                    \
	"p.name, k.type, k.base64, k.comment, k.fingerprint, k.bits, k.added, k.last_used"
#define API_KEY_COLUMNS                                                                     \
	"k.id, k.ident, k.name, p.name, k.role, k.state, k.created, k.expires, k.last_used"
#define PERSON_ID "(SELECT id FROM person WHERE name = ?1)"

static const char *const STATEMENTS[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_PEOPLE_COUNT] = "SELECT count(*) FROM person",
	[SQL_PERSON] = "SELECT " PERSON_COLUMNS " FROM person p WHERE p.name = ?1",
	[SQL_PERSON_BY_UID] = "SELECT " PERSON_COLUMNS " FROM person p WHERE p.uid = ?1",
	[SQL_PEOPLE] = "SELECT " PERSON_COLUMNS " FROM person p ORDER BY p.name",
	[SQL_PERSON_ADD] = "INSERT INTO person (name, email, uid, state, created)"
			   " VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_PERSON_STATE] = "UPDATE person SET state = ?2 WHERE name = ?1",
	[SQL_PERSON_REMOVE] = "DELETE FROM person WHERE name = ?1",
	[SQL_PERSON_SIGNED_IN] =
		"UPDATE person SET last_source = ?2, last_login = ?3 WHERE name = ?1",
	[SQL_UID_TAKE] = "UPDATE counter SET next = next + 1 WHERE name = 'uid' AND next <= ?1"
			 " RETURNING next - 1",
	[SQL_ROLE_ADD] = "INSERT INTO role_grant (person, role) VALUES (" PERSON_ID ", ?2)",
	[SQL_ROLES_CLEAR] = "DELETE FROM role_grant WHERE person = " PERSON_ID,
	[SQL_ADMINS_COUNT] = "SELECT count(*) FROM person p JOIN role_grant g ON g.person = p.id"
			     " WHERE p.state = ?1 AND g.role = ?2"
			     " AND EXISTS (SELECT 1 FROM ssh_key WHERE person = p.id)",
	[SQL_SSH_KEYS] =
		"SELECT " SSH_KEY_COLUMNS " FROM ssh_key k JOIN person p ON p.id = k.person"
		" WHERE p.name = ?1 ORDER BY k.id",
	[SQL_SSH_KEY] = "SELECT " SSH_KEY_COLUMNS " FROM ssh_key k JOIN person p ON p.id = k.person"
			" WHERE p.name = ?1 AND k.fingerprint = ?2",
	[SQL_SSH_KEY_ADD] = "INSERT INTO ssh_key (person, fingerprint, type, bits, base64, comment,"
			    " added) VALUES (" PERSON_ID ", ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_SSH_KEY_REMOVE] =
		"DELETE FROM ssh_key WHERE person = " PERSON_ID " AND fingerprint = ?2",
	[SQL_SSH_KEY_USED] = "UPDATE ssh_key SET last_used = ?2 WHERE fingerprint = ?1",
	[SQL_API_KEYS] =
		"SELECT " API_KEY_COLUMNS " FROM api_key k JOIN person p ON p.id = k.person"
		" WHERE p.name = ?1 ORDER BY k.name",
	[SQL_API_KEYS_ALL] =
		"SELECT " API_KEY_COLUMNS " FROM api_key k JOIN person p ON p.id = k.person"
		" ORDER BY p.name, k.name",
	[SQL_API_KEY] = "SELECT " API_KEY_COLUMNS " FROM api_key k JOIN person p ON p.id = k.person"
			" WHERE p.name = ?1 AND k.name = ?2",
	[SQL_API_KEY_BY_HASH] =
		"SELECT " API_KEY_COLUMNS
		" FROM api_key k JOIN person p ON p.id = k.person WHERE k.hash = ?1",
	[SQL_API_KEY_ADD] = "INSERT INTO api_key (person, hash, ident, name, role, state, created,"
			    " expires) VALUES (" PERSON_ID ", ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_API_KEY_STATE] =
		"UPDATE api_key SET state = ?3 WHERE person = " PERSON_ID " AND name = ?2",
	[SQL_API_KEY_DELETE] = "DELETE FROM api_key WHERE person = " PERSON_ID " AND name = ?2",
	[SQL_API_KEY_USED] = "UPDATE api_key SET last_used = ?2 WHERE id = ?1",
};

/*
 * Settings of each connection. One process has the file, so the lock is kept and no shared memory is needed;
 * deleted rows are overwritten, so that a removed person leaves nothing in the file.
 */
static const char PRAGMAS[] = "PRAGMA locking_mode = EXCLUSIVE;"
			      "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA foreign_keys = ON;"
			      "PRAGMA secure_delete = ON;"
			      "PRAGMA trusted_schema = OFF;"
			      "PRAGMA cell_size_check = ON;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA journal_size_limit = 1048576;";

/* SQLite's primary result codes that are not plain -EIO. */
static int error_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY; /* another process has the file */
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return STORE_CORRUPT;
	default:
		return -EIO;
	}
}

/* The same after the file was found sound: damage met later is a fault, nothing a caller can handle. */
static int fault_of(int code)
{
	int r = error_of(code);

	return r > 0 ? -EIO : r;
}

static int pragma_number(sqlite3 *db, const char *sql, int *ret)
{
	sqlite3_stmt *statement = nullptr;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	return error_of(code);
}

/* Run one step of the schema's history and set its version, all or nothing. */
static int migrate_once(sqlite3 *db, int version)
{
	char stamp[96];

	(void)snprintf(stamp, sizeof(stamp),
		       "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
		       APPLICATION_ID, version + 1);

	int code = sqlite3_exec(db, "BEGIN EXCLUSIVE;", nullptr, nullptr, nullptr);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, MIGRATIONS[version], nullptr, nullptr, nullptr);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, stamp, nullptr, nullptr, nullptr);
	if (code != SQLITE_OK)
		(void)sqlite3_exec(db, "ROLLBACK;", nullptr, nullptr, nullptr);
	return error_of(code);
}

static int migrate(sqlite3 *db)
{
	int version = 0, id = 0, tables = 0;

	int r = pragma_number(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = pragma_number(db, "PRAGMA application_id", &id);
	if (r == 0)
		r = pragma_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r)
		return r;
	if (id != APPLICATION_ID && tables > 0)
		return STORE_CORRUPT; /* somebody else's database */
	if (version > SCHEMA_VERSION)
		return STORE_TOO_NEW;
	if (version < 0)
		return STORE_CORRUPT;
	for (; r == 0 && version < SCHEMA_VERSION; version++)
		r = migrate_once(db, version);
	return r;
}

/* Whether the pages and references are sound; the file is small, so all of it is looked at. */
static int check(sqlite3 *db)
{
	sqlite3_stmt *statement = nullptr;
	int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, nullptr);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	int r = error_of(code);
	if (code == SQLITE_ROW) {
		auto verdict = (const char *)sqlite3_column_text(statement, 0);

		r = !verdict ? -ENOMEM : strcmp(verdict, "ok") == 0 ? 0 : STORE_CORRUPT;
	}
	(void)sqlite3_finalize(statement);
	return r;
}

static int configure(sqlite3 *db)
{
	static const int OFF[] = { SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_DQS_DDL,
				   SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
				   SQLITE_DBCONFIG_ENABLE_VIEW };
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < countof(OFF); i++)
		code = sqlite3_db_config(db, OFF[i], 0, nullptr);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	(void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_extended_result_codes(db, 1);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, PRAGMAS, nullptr, nullptr, nullptr);
	return error_of(code);
}

static int prepare(struct store *store)
{
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < SQL_COUNT; i++)
		code = sqlite3_prepare_v3(store->db, STATEMENTS[i], -1, SQLITE_PREPARE_PERSISTENT,
					  &store->statement[i], nullptr);
	return error_of(code);
}

int store_open(const char *path, struct store **ret)
{
	cleanup(store_close_at) struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;

	int code = sqlite3_open_v2(path, &store->db,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					   SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE,
				   nullptr);
	int r = error_of(code);
	if (r == 0)
		r = configure(store->db);
	if (r == 0)
		r = migrate(store->db);
	if (r == 0)
		r = check(store->db);
	if (r == 0)
		r = prepare(store);
	if (r)
		return r;

	*ret = TAKE(store);
	return 0;
}

struct store *store_close(struct store *store)
{
	if (!store)
		return nullptr;
	for (size_t i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_finalize(store->statement[i]);
	(void)sqlite3_close(store->db);
	free(store);
	return nullptr;
}

const char *store_message(const struct store *store)
{
	return sqlite3_errstr(sqlite3_extended_errcode(store->db));
}

int sql_start(struct store *store, enum statement which, const struct param *param, size_t n,
	      sqlite3_stmt **ret)
{
	sqlite3_stmt *statement = store->statement[which];
	int code = SQLITE_OK;

	for (size_t i = 0; code == SQLITE_OK && i < n; i++) {
		auto at = (int)i + 1;

		switch (param[i].kind) {
		case PARAM_NUMBER:
			code = sqlite3_bind_int64(statement, at, param[i].number);
			break;
		case PARAM_TEXT:
			code = sqlite3_bind_text(statement, at, param[i].data, -1, SQLITE_STATIC);
			break;
		case PARAM_BLOB:
			code = sqlite3_bind_blob64(statement, at, param[i].data,
						   (sqlite3_uint64)param[i].number, SQLITE_STATIC);
			break;
		}
	}
	if (code != SQLITE_OK) {
		sql_done(&statement);
		return fault_of(code);
	}
	*ret = statement;
	return 0;
}

int sql_next(struct store *store, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	(void)store;
	return code == SQLITE_ROW ? 1 : fault_of(code);
}

void sql_done(sqlite3_stmt **statement)
{
	if (!*statement)
		return;
	(void)sqlite3_reset(*statement);
	(void)sqlite3_clear_bindings(*statement);
	*statement = nullptr;
}

int sql_run(struct store *store, enum statement which, const struct param *param, size_t n)
{
	auto_sql sqlite3_stmt *statement = nullptr;

	int r = sql_start(store, which, param, n, &statement);
	if (r)
		return r;

	int code = sqlite3_step(statement);
	if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
		return STORE_EXISTS;
	return fault_of(code);
}

int sql_change(struct store *store, enum statement which, const struct param *param, size_t n)
{
	int r = sql_run(store, which, param, n);

	return r == 0 && sqlite3_changes(store->db) == 0 ? STORE_NOT_FOUND : r;
}

int sql_number(struct store *store, enum statement which, const struct param *param, size_t n,
	       uint64_t *ret)
{
	auto_sql sqlite3_stmt *statement = nullptr;

	int r = sql_start(store, which, param, n, &statement);
	if (r)
		return r;
	r = sql_next(store, statement);
	if (r <= 0)
		return r ? r : STORE_NOT_FOUND;

	uint64_t value = sql_column_number(statement, 0);
	r = sql_next(store, statement); /* to the end: an UPDATE … RETURNING is done only then */
	if (r == 0)
		*ret = value;
	return r > 0 ? -EIO : r;
}

uint64_t sql_column_number(sqlite3_stmt *statement, int column)
{
	int64_t value = sqlite3_column_int64(statement, column);

	return value > 0 ? (uint64_t)value : 0;
}

void sql_column_text(sqlite3_stmt *statement, int column, char *ret, size_t room)
{
	auto text = (const char *)sqlite3_column_text(statement, column);

	(void)snprintf(ret, room, "%s", text ? text : "");
}

int sql_begin(struct store *store)
{
	return sql_run(store, SQL_BEGIN, nullptr, 0);
}

int sql_end(struct store *store, int r)
{
	int committed = r == 0 ? sql_run(store, SQL_COMMIT, nullptr, 0) : r;

	/* Some failures have rolled back already; then this one fails, and that is fine. */
	if (committed && !sqlite3_get_autocommit(store->db))
		(void)sql_run(store, SQL_ROLLBACK, nullptr, 0);
	return committed;
}
