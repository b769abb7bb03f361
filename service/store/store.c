/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <sqlite3.h>

#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "service/store/db.h"

constexpr int VERSION = 1; /* of the schema; in user_version */
constexpr size_t PATH_ROOM = 512;

struct store {
	char path[PATH_ROOM];
	char temp[PATH_ROOM];
	pthread_mutex_t turn;
	sqlite3 *writer;
};

struct store_reader {
	sqlite3 *db;
};

static const char SCHEMA[] =
	"CREATE TABLE organization(id TEXT NOT NULL, created_us INTEGER NOT NULL);"
	"CREATE TABLE workspace(name TEXT PRIMARY KEY, description TEXT, created_us INTEGER NOT NULL,"
	" created_by TEXT) WITHOUT ROWID;"
	"CREATE TABLE collection(n INTEGER PRIMARY KEY AUTOINCREMENT, workspace TEXT NOT NULL,"
	" name TEXT NOT NULL, uuid TEXT NOT NULL, description TEXT, retention_secs INTEGER,"
	" compression TEXT, created_us INTEGER NOT NULL, created_by TEXT NOT NULL, created_by_key TEXT,"
	" updated_us INTEGER NOT NULL, documents INTEGER NOT NULL DEFAULT 0,"
	" bytes INTEGER NOT NULL DEFAULT 0, purged INTEGER NOT NULL DEFAULT 0, UNIQUE(workspace, name));"
	"CREATE TABLE field(collection INTEGER NOT NULL, name TEXT NOT NULL,"
	" PRIMARY KEY(collection, name)) WITHOUT ROWID;";

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
	return r ? r : db_run(db, "PRAGMA user_version=1");
}
static_assert(VERSION == 1);

/* Check the schema's version, making it if there is none. Returns 0, STORE_TOO_NEW or -errno. */
static int prepare_schema(sqlite3 *db)
{
	int version;

	{
		auto_stmt sqlite3_stmt *stmt = nullptr;
		int r = db_prepare(db, "PRAGMA user_version", &stmt);

		if (r == 0)
			r = db_step(stmt);
		if (r < 0)
			return r;
		version = sqlite3_column_int(stmt, 0);
	}
	if (version > VERSION)
		return STORE_TOO_NEW;
	if (version == VERSION)
		return 0;
	int r = db_run(db, "BEGIN IMMEDIATE");
	return r ? r : db_end(db, create(db));
}

/* Settings that every connection of ours has. */
static int configure(sqlite3 *db)
{
	if (sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr) != SQLITE_OK ||
	    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr) != SQLITE_OK)
		return -EIO;
	return sqlite3_busy_timeout(db, 10'000) == SQLITE_OK ? 0 : -EIO;
}

static int open_writer(struct store *store)
{
	int code = sqlite3_open_v2(store->path, &store->writer,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
				   nullptr);
	if (code != SQLITE_OK)
		return store->writer ? db_error(store->writer) : -ENOMEM;

	int r = configure(store->writer);
	if (r == 0) /* FULL: the log is synced before a commit returns */
		r = db_run(store->writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
					  "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=4000;"
					  "PRAGMA journal_size_limit=67108864;"
					  "PRAGMA cache_size=-32768");
	return r ? r : prepare_schema(store->writer);
}

int store_open(const char *folder, struct store **ret)
{
	cleanup(store_close_at) struct store *store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	if (pthread_mutex_init(&store->turn, nullptr) != 0)
		return -ENOMEM;

	int len = snprintf(store->path, PATH_ROOM, "%s/documents.sqlite", folder);
	if (len < 0 || (size_t)len >= PATH_ROOM)
		return -ENAMETOOLONG;
	(void)snprintf(store->temp, PATH_ROOM, "%s", folder);
	sqlite3_temp_directory = store->temp;

	int r = open_writer(store);
	if (r)
		return r;
	*ret = TAKE(store);
	return 0;
}

struct store *store_close(struct store *store)
{
	if (store) {
		(void)sqlite3_close_v2(store->writer);
		(void)pthread_mutex_destroy(&store->turn);
		if (sqlite3_temp_directory == store->temp)
			sqlite3_temp_directory = nullptr;
	}
	free(store);
	return nullptr;
}

int store_reader_new(struct store *store, struct store_reader **ret)
{
	cleanup(store_reader_free_at) struct store_reader *reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	int code = sqlite3_open_v2(
		store->path, &reader->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
	if (code != SQLITE_OK)
		return reader->db ? db_error(reader->db) : -ENOMEM;

	int r = configure(reader->db);
	if (r == 0)
		r = db_run(reader->db, "PRAGMA query_only=ON; PRAGMA cache_size=-65536;"
				       "PRAGMA cell_size_check=ON");
	if (r)
		return r;
	*ret = TAKE(reader);
	return 0;
}

struct store_reader *store_reader_free(struct store_reader *reader)
{
	if (reader)
		(void)sqlite3_close_v2(reader->db);
	free(reader);
	return nullptr;
}

int store_reader_begin(struct store_reader *reader)
{
	return db_run(reader->db, "BEGIN");
}

void store_reader_end(struct store_reader *reader)
{
	(void)sqlite3_exec(reader->db, "ROLLBACK", nullptr, nullptr,
			   nullptr); /* nothing was written */
}

struct sqlite3 *store_reader_db(struct store_reader *reader)
{
	return reader->db;
}

struct sqlite3 *store_write_begin(struct store *store, int *ret_error)
{
	(void)pthread_mutex_lock(&store->turn);
	int r = db_run(store->writer, "BEGIN IMMEDIATE");
	if (r == 0)
		return store->writer;
	(void)pthread_mutex_unlock(&store->turn);
	*ret_error = r;
	return nullptr;
}

int store_write_end(struct store *store, int r)
{
	r = db_end(store->writer, r);
	(void)pthread_mutex_unlock(&store->turn);
	return r;
}

void store_settle(struct store *store)
{
	(void)pthread_mutex_lock(&store->turn);
	(void)sqlite3_busy_timeout(store->writer, 100); /* a long query must not hold up writes */
	(void)sqlite3_wal_checkpoint_v2(store->writer, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
					nullptr);
	(void)sqlite3_busy_timeout(store->writer, 10'000);
	(void)pthread_mutex_unlock(&store->turn);
}

static uint64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

uint64_t store_size(struct store *store)
{
	char log[PATH_ROOM + 8];

	(void)snprintf(log, sizeof(log), "%s-wal", store->path);
	return file_size(store->path) + file_size(log);
}

int store_uuid(char ret[STORE_UUID])
{
	uint8_t b[16];
	int r = crypto_random(b, sizeof(b));

	if (r)
		return r;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(ret, STORE_UUID,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return 0;
}
