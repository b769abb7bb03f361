/* SPDX-License-Identifier: Apache-2.0 */

/* What makes and deletes workspaces, collections and their keys. */

#include "service/store/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/keys.h"
#include "service/disk/log.h"
#include "service/keys/keys.h"
#include "service/segment/part.h"
#include "service/segment/segment.h"
#include "service/snapshot/state.h"
#include "service/store/db.h"
#include "service/store/internal.h"
#include "service/store/keep.h"
#include "service/store/live.h"
#include "service/store/reserve.h"
#include "service/store/store.h"
#include "service/store/table.h"

/* Run a statement with a number or a text (or both) in the open transaction. */
static int run_with(sqlite3 *db, const char *sql, int64_t n, const char *text)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db, sql, &stmt);

	if (r)
		return r;
	if (n)
		(void)sqlite3_bind_int64(stmt, 1, n);
	if (text)
		db_bind_text(stmt, n ? 2 : 1, text);
	return db_done(stmt);
}

/* --- workspaces ---------------------------------------------------------------------------- */

static int insert_workspace(sqlite3 *db, const struct workspace *workspace)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db,
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

static int create_workspace(struct store *store, const struct workspace *workspace)
{
	(void)pthread_rwlock_rdlock(&store->table);
	bool exists = table_workspace(store, workspace->name) != nullptr;
	bool full = store->n_workspaces >= (size_t)CATALOG_WORKSPACES_MAX;
	(void)pthread_rwlock_unlock(&store->table);
	if (exists)
		return CATALOG_EXISTS;
	if (full)
		return CATALOG_FULL;
	int r = store_insert_workspace(store, workspace);
	if (r)
		return r;
	r = book_begin(store);
	if (r == 0)
		r = book_end(store, insert_workspace(store->db, workspace));
	if (r)
		table_remove_workspace(store, workspace->name);
	return r;
}

int catalog_workspace_create(struct store *store, const struct workspace *workspace)
{
	(void)pthread_mutex_lock(&store->admin);
	int r = create_workspace(store, workspace);
	(void)pthread_mutex_unlock(&store->admin);
	return r;
}

static int delete_workspace_row(struct store *store, const char *name)
{
	int r = book_begin(store);

	return r ? r
		 : book_end(store,
			    run_with(store->db, "DELETE FROM workspace WHERE name = ?", 0, name));
}

static int delete_workspace(struct store *store, const char *name)
{
	(void)pthread_rwlock_rdlock(&store->table);
	bool exists = table_workspace(store, name) != nullptr;
	size_t at = table_place(store, name, "");
	bool empty = at == store->n_live || strcmp(store->by_name[at]->about.workspace, name) != 0;
	(void)pthread_rwlock_unlock(&store->table);
	if (!exists)
		return CATALOG_NO_WORKSPACE;
	if (!empty)
		return CATALOG_NOT_EMPTY;
	int r = delete_workspace_row(store, name);
	if (reserve_use(store, r))
		r = delete_workspace_row(store, name);
	if (r == 0)
		table_remove_workspace(store, name);
	return r;
}

int catalog_workspace_delete(struct store *store, const char *name)
{
	if (strcmp(name, "commons") == 0)
		return CATALOG_BUILT_IN;
	(void)pthread_mutex_lock(&store->admin);
	int r = delete_workspace(store, name);
	(void)pthread_mutex_unlock(&store->admin);
	return r;
}

/* --- collections --------------------------------------------------------------------------- */

static int insert_row(sqlite3 *db, const struct collection *collection)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db,
			   "INSERT INTO collection(workspace, name, uuid, description,"
			   " retention_secs, compression, created_us, created_by,"
			   " created_by_key, clustering_key, updated_us)"
			   " VALUES(?,?,?,?,?,?,?7,?,?,?,?7)",
			   &stmt);

	if (r)
		return r;
	db_bind_text(stmt, 1, collection->workspace);
	db_bind_text(stmt, 2, collection->name);
	db_bind_text(stmt, 3, collection->uuid);
	db_bind_text(stmt, 4, collection->description);
	(void)sqlite3_bind_int64(stmt, 5, collection->retention_secs);
	db_bind_text(stmt, 6, collection->compression);
	(void)sqlite3_bind_int64(stmt, 7, (sqlite3_int64)collection->created_us);
	db_bind_text(stmt, 8, collection->created_by);
	db_bind_text(stmt, 9, collection->created_by_key);
	db_bind_text(stmt, 10, collection->clustering_key);
	return db_done(stmt);
}

static int insert_key(sqlite3 *db, int64_t collection, int64_t n, uint64_t made_us,
		      const struct buf *wrapped)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db,
			   "INSERT OR REPLACE INTO data_key(collection, n, wrapped, made_us)"
			   " VALUES(?,?,?,?)",
			   &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, collection);
	(void)sqlite3_bind_int64(stmt, 2, n);
	(void)sqlite3_bind_blob64(stmt, 3, wrapped->data, wrapped->len, SQLITE_STATIC);
	(void)sqlite3_bind_int64(stmt, 4, (sqlite3_int64)made_us);
	return db_done(stmt);
}

/* What redoubt-keys says, in terms of the catalog. */
static int key_outcome(int r)
{
	if (r == KEYS_UNAVAILABLE)
		return CATALOG_KEYS_UNAVAILABLE;
	if (r == KEYS_FULL)
		return CATALOG_KEYS_FULL;
	return r > 0 ? -ENOKEY : r;
}

/* Write the collection and its key down, and make the collection that will be at work. */
static int insert_all(struct store *store, struct collection *collection, const uint8_t *key,
		      const struct buf *wrapped, struct live **ret)
{
	int r = insert_row(store->db, collection);

	if (r)
		return r;
	collection->n = sqlite3_last_insert_rowid(store->db);
	collection->updated_us = collection->created_us;
	collection->purged = 0;
	r = insert_key(store->db, collection->n, 1, collection->created_us, wrapped);
	if (r == 0)
		r = live_new(store, collection, ret);
	return r ? r : live_add_key(*ret, 1, collection->created_us, key);
}

static int create_with_key(struct store *store, struct collection *collection)
{
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX);
	cleanup(live_unref_at) struct live *live = nullptr;
	uint8_t key[KEYS_DATA_KEY];

	int r = key_outcome(keys_create(store->keys, collection->uuid));
	if (r == 0)
		r = key_outcome(
			keys_data_new(store->keys, collection->uuid, "data", key, &wrapped));
	if (r == 0)
		r = store_reserve(store);
	if (r == 0)
		r = book_begin(store);
	if (r == 0)
		r = book_end(store, insert_all(store, collection, key, &wrapped, &live));
	explicit_bzero(key, sizeof(key));
	if (r == 0)
		r = store_insert(store, live);
	if (r == 0)
		(void)TAKE(live);
	return r;
}

static int create_collection(struct store *store, struct collection *collection)
{
	(void)pthread_rwlock_rdlock(&store->table);
	bool workspace = table_workspace(store, collection->workspace) != nullptr;
	bool exists = table_collection(store, collection->workspace, collection->name) != nullptr;
	bool full = store->n_live >= (size_t)CATALOG_COLLECTIONS_MAX;
	(void)pthread_rwlock_unlock(&store->table);
	if (!workspace)
		return CATALOG_NO_WORKSPACE;
	if (exists)
		return CATALOG_EXISTS;
	return full ? CATALOG_FULL : create_with_key(store, collection);
}

int catalog_create_as(struct store *store, const struct collection *collection)
{
	struct collection copy = *collection;

	(void)pthread_mutex_lock(&store->admin);
	int r = create_collection(store, &copy);
	(void)pthread_mutex_unlock(&store->admin);
	return r;
}

int catalog_collection_create(struct store *store, const struct collection *collection)
{
	struct collection copy = *collection;
	char uuid[STORE_UUID];

	if (catalog_is_built_in(collection->workspace, collection->name))
		return CATALOG_BUILT_IN;
	int r = store_uuid(uuid);
	if (r)
		return r;
	copy.uuid = uuid;
	return catalog_create_as(store, &copy);
}

static int delete_rows(sqlite3 *db, const struct live *live)
{
	static const char *const STATEMENTS[] = {
		"DELETE FROM deleted WHERE segment IN (SELECT n FROM segment WHERE collection = ?)",
		"DELETE FROM segment WHERE collection = ?",
		"DELETE FROM data_key WHERE collection = ?",
		"DELETE FROM collection WHERE n = ?",
	};
	int r = run_with(db, "INSERT OR IGNORE INTO doomed VALUES(?)", 0, live->about.uuid);

	for (size_t i = 0; r == 0 && i < countof(STATEMENTS); i++)
		r = run_with(db, STATEMENTS[i], live->about.n, nullptr);
	return r;
}

/* Remove the files of a collection that is deleted; who reads them still has them open. */
static void remove_files(struct live *live)
{
	cleanup(snapshot_unref_at) struct snapshot *now = live_visible(live);

	for (size_t i = 0; i < now->n; i++) {
		const struct part *part = now->entry[i].part;

		/* What cannot be removed is removed when the store is opened again. */
		if (part->segment && part->number == 0)
			(void)!segment_remove(&live->store->segments,
					      segment_number(part->segment));
	}
}

/* Destroy a collection's key, and note that. */
static int destroy_key(struct store *store, const char *uuid)
{
	int r = key_outcome(keys_destroy(store->keys, uuid));

	if (r)
		return r < 0 ? r : 0; /* the keeper tries again */
	r = book_begin(store);
	return r ? r
		 : book_end(store,
			    run_with(store->db, "DELETE FROM doomed WHERE uuid = ?", 0, uuid));
}

static int delete_collection_rows(struct store *store, const struct live *live)
{
	int r = book_begin(store);

	return r ? r : book_end(store, delete_rows(store->db, live));
}

static int delete_collection(struct store *store, struct live *live)
{
	(void)pthread_mutex_lock(&live->turn);
	int r = delete_collection_rows(store, live);
	if (reserve_use(store, r))
		r = delete_collection_rows(store, live);
	if (r == 0)
		atomic_store(&live->dropped, true);
	(void)pthread_mutex_unlock(&live->turn);
	if (r)
		return r;
	store_remove(store, live);
	for (size_t i = 0; i < live->n_keys; i++)
		log_forget(store->log, live->about.n << 16 | live->key[i].n);
	remove_files(live);
	store->may_be_doomed = true;
	(void)!destroy_key(store, live->about.uuid); /* it is deleted, whatever comes of that */
	return 0;
}

int catalog_collection_delete(struct store *store, const char *workspace, const char *name)
{
	cleanup(live_unref_at) struct live *live = nullptr;

	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	(void)pthread_mutex_lock(&store->admin);
	int r = store_find(store, workspace, name, &live);
	if (r == 0)
		r = delete_collection(store, live);
	(void)pthread_mutex_unlock(&store->admin);
	return r;
}

/* A collection whose key is still to be destroyed: "" if there is none. */
static int find_doomed(struct store *store, char ret[STORE_UUID])
{
	auto_stmt sqlite3_stmt *stmt = nullptr;

	(void)pthread_mutex_lock(&store->book);
	int r = db_prepare(store->db, "SELECT uuid FROM doomed LIMIT 1", &stmt);
	if (r == 0)
		r = db_step(stmt);
	(void)snprintf(ret, STORE_UUID, "%s", r == DB_ROW ? db_text(stmt, 0) : "");
	stmt = db_finalize(stmt);
	(void)pthread_mutex_unlock(&store->book);
	return r < 0 ? r : 0;
}

int keep_doomed(struct store *store)
{
	char uuid[STORE_UUID];
	int r = 0;

	(void)pthread_mutex_lock(&store->admin);
	if (store->may_be_doomed) {
		r = find_doomed(store, uuid);
		store->may_be_doomed = r != 0 || uuid[0] != '\0';
		if (r == 0 && uuid[0])
			r = destroy_key(store, uuid);
	}
	(void)pthread_mutex_unlock(&store->admin);
	return r;
}

/* --- keys ---------------------------------------------------------------------------------- */

/* Put the new form of a data key in the place of the old one. */
static int update_key(sqlite3 *db, int64_t collection, int64_t n, const struct buf *wrapped)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db, "UPDATE data_key SET wrapped = ?3 WHERE collection = ?1 AND n = ?2",
			   &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, collection);
	(void)sqlite3_bind_int64(stmt, 2, n);
	(void)sqlite3_bind_blob64(stmt, 3, wrapped->data, wrapped->len, SQLITE_STATIC);
	return db_done(stmt);
}

/* Wrap a data key that is in use anew. Its old form is in the catalog. */
static int rewrap(struct live *live, int64_t n)
{
	struct store *store = live->store;
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX);
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(store->db, "SELECT wrapped FROM data_key WHERE collection = ? AND n = ?",
			   &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, live->about.n);
	(void)sqlite3_bind_int64(stmt, 2, n);
	r = db_step(stmt);
	if (r != DB_ROW)
		return r < 0 ? r : -ENOKEY;
	const void *old = sqlite3_column_blob(stmt, 0);
	r = key_outcome(keys_rewrap(store->keys, live->about.uuid, "data", old,
				    (size_t)sqlite3_column_bytes(stmt, 0), &wrapped));
	stmt = db_finalize(stmt);
	return r ? r : update_key(store->db, live->about.n, n, &wrapped);
}

/* Write a new data key down, and the older ones under the new version of the collection key. */
static int commit_keys(struct live *live, const struct live_key *fresh, const struct buf *wrapped)
{
	struct store *store = live->store;
	int r = book_begin(store);

	if (r)
		return r;
	r = insert_key(store->db, live->about.n, fresh->n, fresh->made_us, wrapped);
	for (size_t i = 0; r == 0 && i < live->n_keys; i++)
		r = rewrap(live, live->key[i].n);
	return book_end(store, r);
}

static int rotate(struct live *live)
{
	struct keys *keys = live->store->keys;
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX);
	uint8_t key[KEYS_DATA_KEY];
	const struct live_key fresh = { .n = live_newest_key(live, nullptr) + 1,
					.made_us = clock_wall_us() };

	if (fresh.n > LIVE_KEYS_MAX)
		return CATALOG_KEYS_FULL;
	int r = key_outcome(keys_rotate(keys, live->about.uuid));
	if (r == 0)
		r = key_outcome(keys_data_new(keys, live->about.uuid, "data", key, &wrapped));
	if (r == 0)
		r = commit_keys(live, &fresh, &wrapped);
	if (r == 0)
		r = live_add_key(live, fresh.n, fresh.made_us, key);
	explicit_bzero(key, sizeof(key));
	return r;
}

int catalog_collection_rotate(struct store *store, const char *workspace, const char *name)
{
	cleanup(live_unref_at) struct live *live = nullptr;

	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	(void)pthread_mutex_lock(&store->admin); /* so that the list of keys stays as it is */
	int r = store_find(store, workspace, name, &live);
	if (r == 0)
		r = live->broken ? live->broken : rotate(live);
	(void)pthread_mutex_unlock(&store->admin);
	return r;
}
