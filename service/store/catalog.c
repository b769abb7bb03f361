/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/catalog.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "service/store/db.h"

bool catalog_is_built_in(const char *workspace, const char *name)
{
	return strcmp(workspace, "commons") == 0 && strcmp(name, "_events") == 0;
}

int catalog_organization(struct store_reader *reader, struct organization *ret)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(store_reader_db(reader), "SELECT id, created_us FROM organization",
			   &stmt);

	if (r == 0)
		r = db_step(stmt);
	if (r != DB_ROW)
		return r < 0 ? r : -EIO;
	(void)snprintf(ret->id, sizeof(ret->id), "%s", db_text(stmt, 0));
	ret->created_us = (uint64_t)sqlite3_column_int64(stmt, 1);
	return 0;
}

static const char *nullable(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

int catalog_workspaces(struct store_reader *reader, const char *name, catalog_workspace_fn *fn,
		       void *userdata)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	size_t seen = 0;
	int r = db_prepare(store_reader_db(reader),
			   "SELECT name, description, created_by, created_us,"
			   " (SELECT COUNT(*) FROM collection WHERE workspace = w.name)"
			   " FROM workspace w WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
			   &stmt);

	if (r)
		return r;
	db_bind_text(stmt, 1, name);
	while ((r = db_step(stmt)) == DB_ROW) {
		struct workspace workspace = {
			.name = db_text(stmt, 0),
			.description = nullable(stmt, 1),
			.created_by = nullable(stmt, 2),
			.created_us = (uint64_t)sqlite3_column_int64(stmt, 3),
			.collections = sqlite3_column_int64(stmt, 4),
		};

		seen++;
		if (!fn(userdata, &workspace))
			return 0;
	}
	if (r)
		return r;
	return name && seen == 0 ? CATALOG_NO_WORKSPACE : 0;
}

/* The first column of a query with up to two text parameters; 0 if there is no row. */
static int ask_number(sqlite3 *db, const char *sql, const char *a, const char *b, int64_t *ret)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db, sql, &stmt);

	if (r)
		return r;
	if (a)
		db_bind_text(stmt, 1, a);
	if (b)
		db_bind_text(stmt, 2, b);
	r = db_step(stmt);
	if (r < 0)
		return r;
	*ret = r == DB_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return 0;
}

/* Run a statement with up to two text parameters. */
static int run_with(sqlite3 *db, const char *sql, const char *a, const char *b)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db, sql, &stmt);

	if (r)
		return r;
	db_bind_text(stmt, 1, a);
	if (b)
		db_bind_text(stmt, 2, b);
	return db_done(stmt);
}

static int insert_workspace(sqlite3 *db, const struct workspace *workspace)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int64_t count = 0, exists = 0;
	int r = ask_number(db, "SELECT COUNT(*) FROM workspace", nullptr, nullptr, &count);

	if (r == 0)
		r = ask_number(db, "SELECT 1 FROM workspace WHERE name = ?", workspace->name,
			       nullptr, &exists);
	if (r)
		return r;
	if (exists)
		return CATALOG_EXISTS;
	if (count >= CATALOG_WORKSPACES_MAX)
		return CATALOG_FULL;
	r = db_prepare(db,
		       "INSERT INTO workspace(name, description, created_us, created_by)"
		       " VALUES(?,?,?,?)",
		       &stmt);
	if (r)
		return r;
	db_bind_text(stmt, 1, workspace->name);
	db_bind_text(stmt, 2, workspace->description);
	(void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)workspace->created_us);
	db_bind_text(stmt, 4, workspace->created_by);
	return db_done(stmt);
}

int catalog_workspace_create(struct store *store, const struct workspace *workspace)
{
	int r = 0;
	sqlite3 *db = store_write_begin(store, &r);

	return db ? store_write_end(store, insert_workspace(db, workspace)) : r;
}

static int remove_workspace(sqlite3 *db, const char *name)
{
	int64_t exists = 0, collections = 0;
	int r = ask_number(db, "SELECT 1 FROM workspace WHERE name = ?", name, nullptr, &exists);

	if (r == 0)
		r = ask_number(db, "SELECT COUNT(*) FROM collection WHERE workspace = ?", name,
			       nullptr, &collections);
	if (r)
		return r;
	if (!exists)
		return CATALOG_NO_WORKSPACE;
	if (collections > 0)
		return CATALOG_NOT_EMPTY;
	return run_with(db, "DELETE FROM workspace WHERE name = ?", name, nullptr);
}

int catalog_workspace_delete(struct store *store, const char *name)
{
	int r = 0;

	if (strcmp(name, "commons") == 0)
		return CATALOG_BUILT_IN;
	sqlite3 *db = store_write_begin(store, &r);
	return db ? store_write_end(store, remove_workspace(db, name)) : r;
}

static const struct collection EVENTS = {
	.workspace = "commons",
	.name = "_events",
	.uuid = "00000000-0000-4000-8000-000000000001",
	.description =
		"what people and keys have done; empty in this release, see the audit ledger",
	.built_in = true,
};

static struct collection from_row(sqlite3_stmt *stmt)
{
	return (struct collection) {
		.n = sqlite3_column_int64(stmt, 0),
		.workspace = db_text(stmt, 1),
		.name = db_text(stmt, 2),
		.uuid = db_text(stmt, 3),
		.description = nullable(stmt, 4),
		.retention_secs = sqlite3_column_int64(stmt, 5),
		.compression = nullable(stmt, 6),
		.created_us = (uint64_t)sqlite3_column_int64(stmt, 7),
		.created_by = nullable(stmt, 8),
		.created_by_key = nullable(stmt, 9),
		.updated_us = (uint64_t)sqlite3_column_int64(stmt, 10),
		.documents = sqlite3_column_int64(stmt, 11),
		.bytes = sqlite3_column_int64(stmt, 12),
		.purged = sqlite3_column_int64(stmt, 13),
	};
}

int catalog_collections(struct store_reader *reader, const char *workspace, const char *name,
			catalog_collection_fn *fn, void *userdata)
{
	sqlite3 *db = store_reader_db(reader);
	auto_stmt sqlite3_stmt *stmt = nullptr;
	size_t seen = 0;
	int64_t exists = 1;
	int r = 0;

	if (workspace)
		r = ask_number(db, "SELECT 1 FROM workspace WHERE name = ?", workspace, nullptr,
			       &exists);
	if (r)
		return r;
	if (!exists)
		return CATALOG_NO_WORKSPACE;
	if (workspace && name && catalog_is_built_in(workspace, name)) {
		(void)fn(userdata, &EVENTS);
		return 0;
	}
	r = db_prepare(
		db,
		"SELECT n, workspace, name, uuid, description, retention_secs, compression,"
		" created_us, created_by, created_by_key, updated_us, documents, bytes, purged"
		" FROM collection WHERE (?1 IS NULL OR workspace = ?1)"
		" AND (?2 IS NULL OR name = ?2) ORDER BY workspace, name",
		&stmt);
	if (r)
		return r;
	db_bind_text(stmt, 1, workspace);
	db_bind_text(stmt, 2, name);
	while ((r = db_step(stmt)) == DB_ROW) {
		struct collection collection = from_row(stmt);

		seen++;
		if (!fn(userdata, &collection))
			return 0;
	}
	if (r)
		return r;
	return name && seen == 0 ? CATALOG_NO_COLLECTION : 0;
}

/* Make the table of a collection's documents. */
static int create_table(sqlite3 *db, int64_t n, bool retained)
{
	char sql[256];

	(void)snprintf(sql, sizeof(sql),
		       "CREATE TABLE docs_%" PRIi64
		       "(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, et BLOB NOT NULL,"
		       " doc BLOB NOT NULL)",
		       n);
	int r = db_run(db, sql);
	if (r || !retained)
		return r;
	(void)snprintf(sql, sizeof(sql), "CREATE INDEX docs_%" PRIi64 "_et ON docs_%" PRIi64 "(et)",
		       n, n);
	return db_run(db, sql);
}

static int insert_row(sqlite3 *db, const struct collection *collection)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	char uuid[STORE_UUID];
	int r = store_uuid(uuid);

	if (r == 0)
		r = db_prepare(db,
			       "INSERT INTO collection(workspace, name, uuid, description,"
			       " retention_secs, compression, created_us, created_by,"
			       " created_by_key, updated_us) VALUES(?,?,?,?,?,?,?7,?,?,?7)",
			       &stmt);
	if (r)
		return r;
	db_bind_text(stmt, 1, collection->workspace);
	db_bind_text(stmt, 2, collection->name);
	db_bind_text(stmt, 3, uuid);
	db_bind_text(stmt, 4, collection->description);
	(void)sqlite3_bind_int64(stmt, 5, collection->retention_secs);
	db_bind_text(stmt, 6, collection->compression);
	(void)sqlite3_bind_int64(stmt, 7, (sqlite3_int64)collection->created_us);
	db_bind_text(stmt, 8, collection->created_by);
	db_bind_text(stmt, 9, collection->created_by_key);
	return db_done(stmt);
}

static int insert_collection(sqlite3 *db, const struct collection *collection)
{
	int64_t workspace = 0, exists = 0, count = 0;
	int r = ask_number(db, "SELECT 1 FROM workspace WHERE name = ?", collection->workspace,
			   nullptr, &workspace);

	if (r == 0)
		r = ask_number(db, "SELECT 1 FROM collection WHERE workspace = ? AND name = ?",
			       collection->workspace, collection->name, &exists);
	if (r == 0)
		r = ask_number(db, "SELECT COUNT(*) FROM collection", nullptr, nullptr, &count);
	if (r)
		return r;
	if (!workspace)
		return CATALOG_NO_WORKSPACE;
	if (exists)
		return CATALOG_EXISTS;
	if (count >= CATALOG_COLLECTIONS_MAX)
		return CATALOG_FULL;
	r = insert_row(db, collection);
	return r ? r
		 : create_table(db, sqlite3_last_insert_rowid(db), collection->retention_secs > 0);
}

int catalog_collection_create(struct store *store, const struct collection *collection)
{
	int r = 0;

	if (catalog_is_built_in(collection->workspace, collection->name))
		return CATALOG_BUILT_IN;
	sqlite3 *db = store_write_begin(store, &r);
	return db ? store_write_end(store, insert_collection(db, collection)) : r;
}

static int remove_collection(sqlite3 *db, const char *workspace, const char *name)
{
	int64_t exists = 0, n = 0;
	char number[24], sql[64];
	int r = ask_number(db, "SELECT 1 FROM workspace WHERE name = ?", workspace, nullptr,
			   &exists);

	if (r == 0)
		r = ask_number(db, "SELECT n FROM collection WHERE workspace = ? AND name = ?",
			       workspace, name, &n);
	if (r)
		return r;
	if (n == 0)
		return exists ? CATALOG_NO_COLLECTION : CATALOG_NO_WORKSPACE;
	(void)snprintf(number, sizeof(number), "%" PRIi64, n);
	(void)snprintf(sql, sizeof(sql), "DROP TABLE docs_%" PRIi64, n);
	r = db_run(db, sql);
	if (r == 0)
		r = run_with(db, "DELETE FROM field WHERE collection = CAST(? AS INTEGER)", number,
			     nullptr);
	return r ? r
		 : run_with(db, "DELETE FROM collection WHERE n = CAST(? AS INTEGER)", number,
			    nullptr);
}

int catalog_collection_delete(struct store *store, const char *workspace, const char *name)
{
	int r = 0;

	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	sqlite3 *db = store_write_begin(store, &r);
	if (!db)
		return r;
	r = store_write_end(store, remove_collection(db, workspace, name));
	if (r == 0)
		store_settle(store);
	return r;
}

int catalog_fields(struct store_reader *reader, int64_t n, catalog_name_fn *fn, void *userdata)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(store_reader_db(reader),
			   "SELECT name FROM field WHERE collection = ? ORDER BY name", &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, n);
	while ((r = db_step(stmt)) == DB_ROW)
		if (!fn(userdata, db_text(stmt, 0)))
			return 0;
	return r;
}
