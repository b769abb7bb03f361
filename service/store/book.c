/* SPDX-License-Identifier: Apache-2.0 */

/* The catalog's file: made, opened, and committed to. */

#include "service/store/internal.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/clock.h"
#include "service/disk/file.h"
#include "service/store/db.h"
#include "service/store/store.h"

constexpr int VERSION = 2; /* of the schema; in user_version. 1 was documents.sqlite */

static const char SCHEMA[] =
	"CREATE TABLE organization(id TEXT NOT NULL, created_us INTEGER NOT NULL);"
	"CREATE TABLE workspace(name TEXT PRIMARY KEY, description TEXT, created_us INTEGER NOT NULL,"
	" created_by TEXT) WITHOUT ROWID;"
	"CREATE TABLE collection(n INTEGER PRIMARY KEY AUTOINCREMENT, workspace TEXT NOT NULL,"
	" name TEXT NOT NULL, uuid TEXT NOT NULL, description TEXT, retention_secs INTEGER,"
	" compression TEXT, clustering_key TEXT, created_us INTEGER NOT NULL,"
	" created_by TEXT NOT NULL, created_by_key TEXT, updated_us INTEGER NOT NULL, purged INTEGER NOT NULL DEFAULT 0,"
	" position INTEGER NOT NULL DEFAULT 0, UNIQUE(workspace, name));"
	"CREATE TABLE data_key(collection INTEGER NOT NULL, n INTEGER NOT NULL, wrapped BLOB NOT NULL,"
	" made_us INTEGER, PRIMARY KEY(collection, n)) WITHOUT ROWID;"
	"CREATE TABLE segment(n INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL,"
	" place INTEGER NOT NULL, data_key INTEGER NOT NULL, pages INTEGER NOT NULL,"
	" footer INTEGER NOT NULL, chunks INTEGER NOT NULL, rows INTEGER NOT NULL);"
	"CREATE INDEX segment_of ON segment(collection, place);"
	"CREATE TABLE deleted(segment INTEGER NOT NULL, chunk INTEGER NOT NULL,"
	" since_us INTEGER NOT NULL, bitmap BLOB NOT NULL, PRIMARY KEY(segment, chunk)) WITHOUT ROWID;"
	"CREATE TABLE doomed(uuid TEXT PRIMARY KEY) WITHOUT ROWID;";

/* Make the tables, the organisation and its first workspace. */
static int create(sqlite3 *db)
{
	char id[STORE_UUID];
	auto_stmt sqlite3_stmt *organization = nullptr, *workspace = nullptr;
	auto now = (sqlite3_int64)clock_wall_us();

	int r = store_uuid(id);
	if (r == 0)
		r = db_run(db, SCHEMA);
	if (r == 0)
		r = db_prepare(db, "INSERT INTO organization VALUES(?,?)", &organization);
	if (r == 0)
		r = db_prepare(db,
			       "INSERT INTO workspace VALUES('commons','default workspace',?,NULL)",
			       &workspace);
	if (r)
		return r;
	db_bind_text(organization, 1, id);
	(void)sqlite3_bind_int64(organization, 2, now);
	(void)sqlite3_bind_int64(workspace, 1, now);
	r = db_done(organization);
	if (r == 0)
		r = db_done(workspace);
	return r ? r : db_run(db, "PRAGMA user_version=2");
}
static_assert(VERSION == 2);

/* Whether it is said when a data key was made; catalogs have not always. Returns DB_ROW (it is), 0 or -errno. */
static int says_when(sqlite3 *db)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db, "SELECT 1 FROM pragma_table_info('data_key') WHERE name = 'made_us'",
			   &stmt);

	return r ? r : db_step(stmt);
}

/*
 * Add what this version of the schema did not have at first. Null must be a sound value of it: the release before,
 * to which an update may fall back, reads the same version, and leaves it null.
 */
static int add_columns(struct store *store)
{
	int r = says_when(store->db);

	if (r)
		return r == DB_ROW ? 0 : r;
	r = book_begin(store);
	return r ? r
		 : book_end(store,
			    db_run(store->db, "ALTER TABLE data_key ADD COLUMN made_us INTEGER"));
}

/* Check the schema's version, making it if there is none. Returns 0, STORE_TOO_NEW or -errno. */
static int prepare_schema(struct store *store)
{
	int version;

	{
		auto_stmt sqlite3_stmt *stmt = nullptr;
		int r = db_prepare(store->db, "PRAGMA user_version", &stmt);

		if (r == 0)
			r = db_step(stmt);
		if (r < 0)
			return r;
		version = sqlite3_column_int(stmt, 0);
	}
	if (version > VERSION)
		return STORE_TOO_NEW;
	if (version == VERSION)
		return add_columns(store);
	int r = book_begin(store);
	return r ? r : book_end(store, create(store->db));
}

/* Settings of the connection. FULL: the log is synced before a commit returns. */
static int configure(sqlite3 *db)
{
	if (sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, 10'000) != SQLITE_OK)
		return -EIO;
	return db_run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			  "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=1000;"
			  "PRAGMA journal_size_limit=4194304; PRAGMA cell_size_check=ON;"
			  "PRAGMA cache_size=-4096");
}

int book_open(struct store *store)
{
	int code = sqlite3_open_v2(store->path, &store->db,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
				   nullptr);
	if (code != SQLITE_OK)
		return store->db ? db_error(store->db) : -ENOMEM;

	int r = configure(store->db);
	if (r == 0)
		r = prepare_schema(store);
	code = sqlite3_errcode(store->db);
	if (r >= 0 || (code != SQLITE_CORRUPT && code != SQLITE_NOTADB))
		return r;
	store_note_damage(store, "The catalog is damaged: %s.", sqlite3_errmsg(store->db));
	return STORE_DAMAGED;
}

int book_begin(struct store *store)
{
	(void)pthread_mutex_lock(&store->book);
	int r = db_run(store->db, "BEGIN IMMEDIATE");
	if (r)
		(void)pthread_mutex_unlock(&store->book);
	return r;
}

static int hook(struct store *store)
{
	return store->hook ? store->hook(store->hook_data, FILE_SYNC, "catalog.sqlite", 0) : 0;
}

int book_end(struct store *store, int r)
{
	if (r == 0)
		r = hook(store);
	r = db_end(store->db, r);
	if (r == 0)
		(void)!hook(store); /* it has happened; a test may end the process here */
	(void)pthread_mutex_unlock(&store->book);
	return r;
}
