/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/crypto/crypto.h"
#include "service/chunk/builder.h"
#include "service/disk/file.h"
#include "service/store/catalog.h"
#include "service/store/db.h"
#include "service/store/documents.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/store/store.h"
#include "service/value/value.h"

constexpr int OLD_VERSION = 1;
constexpr int TAKEN_OVER = 1; /* the catalog's application_id once it is done */
constexpr size_t BATCH_BYTES = 64u << 20;

static sqlite3 *close_db(sqlite3 *db)
{
	(void)sqlite3_close_v2(db);
	return nullptr;
}
CLEANUP_FN(sqlite3, close_db)

static void old_path(const struct store *store, const char *end, char ret[STORE_PATH + 32])
{
	(void)snprintf(ret, STORE_PATH + 32, "%s/documents.sqlite%s", store->folder, end);
}

/* A setting of a database that is a number. */
static int ask_number(sqlite3 *db, const char *sql, int *ret)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db, sql, &stmt);

	if (r == 0)
		r = db_step(stmt);
	if (r < 0)
		return r;
	*ret = sqlite3_column_int(stmt, 0);
	return 0;
}

static int remove_log_file(void *userdata, const char *name)
{
	struct store *store = userdata;

	return folder_remove(store->log_folder, name);
}

/* What was taken over before the power failed is taken over again. */
static int clear(struct store *store)
{
	int r = book_begin(store);

	if (r)
		return r;
	r = book_end(store, db_run(store->db, "DELETE FROM deleted; DELETE FROM segment;"
					      "DELETE FROM data_key; DELETE FROM collection;"
					      "DELETE FROM workspace WHERE name != 'commons'"));
	return r ? r : folder_list(store->log_folder, remove_log_file, store);
}

/* Remove the old file. */
static int remove_old(struct store *store)
{
	static const char *const ENDS[] = { "-wal", "-shm", "" };
	char path[STORE_PATH + 32];

	for (size_t i = 0; i < countof(ENDS); i++) {
		old_path(store, ENDS[i], path);
		if (unlink(path) && errno != ENOENT)
			return neg_errno();
	}
	return 0;
}

int import_prepare(struct store *store, bool *ret_due)
{
	char path[STORE_PATH + 32];
	int taken_over = 0;

	*ret_due = false;
	old_path(store, "", path);
	if (access(path, F_OK))
		return 0;
	int r = ask_number(store->db, "PRAGMA application_id", &taken_over);
	if (r)
		return r;
	if (taken_over == TAKEN_OVER)
		return remove_old(store);
	*ret_due = true;
	return clear(store);
}

static const char *nullable(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static int import_organization(struct store *store, sqlite3 *old)
{
	auto_stmt sqlite3_stmt *stmt = nullptr, *update = nullptr;
	int r = db_prepare(old, "SELECT id, created_us FROM organization", &stmt);

	if (r == 0)
		r = db_step(stmt);
	if (r != DB_ROW)
		return r < 0 ? r : -EBADMSG;
	r = book_begin(store);
	if (r)
		return r;
	r = db_prepare(store->db, "UPDATE organization SET id = ?, created_us = ?", &update);
	if (r == 0) {
		db_bind_text(update, 1, db_text(stmt, 0));
		(void)sqlite3_bind_int64(update, 2, sqlite3_column_int64(stmt, 1));
		r = db_done(update);
	}
	update = db_finalize(update);
	r = book_end(store, r);
	if (r)
		return r;
	(void)snprintf(store->organization.id, sizeof(store->organization.id), "%s",
		       db_text(stmt, 0));
	store->organization.created_us = (uint64_t)sqlite3_column_int64(stmt, 1);
	return 0;
}

static int import_workspaces(struct store *store, sqlite3 *old)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(old,
			   "SELECT name, description, created_by, created_us FROM workspace"
			   " WHERE name != 'commons'",
			   &stmt);

	if (r)
		return r;
	while ((r = db_step(stmt)) == DB_ROW) {
		struct workspace workspace = {
			.name = db_text(stmt, 0),
			.description = nullable(stmt, 1),
			.created_by = nullable(stmt, 2),
			.created_us = (uint64_t)sqlite3_column_int64(stmt, 3),
		};

		r = catalog_workspace_create(store, &workspace);
		if (r)
			return r < 0 ? r : -EBADMSG;
	}
	return r;
}

/* Store what is in a builder and make room. */
static int store_batch(struct store *store, const struct collection *about, struct builder *builder)
{
	uint32_t rows = builder_rows(builder);
	auto_free enum document_status *status = calloc((size_t)rows + 1, sizeof(*status));
	uint8_t id[DOCUMENTS_ID];

	if (rows == 0)
		return 0;
	int r = status ? crypto_random(id, sizeof(id)) : -ENOMEM;
	if (r == 0)
		r = documents_add(store, about->workspace, about->name, builder, id, status);
	if (r)
		return r < 0 ? r : -EBADMSG;
	builder_clear(builder);
	return atomic_load(&store->memory) > STORE_MEMORY_MAX / 2
		       ? store_keep(store, STORE_KEEP_SEAL)
		       : 0;
}

static int import_documents(struct store *store, sqlite3 *old, const struct collection *about,
			    int64_t n, struct builder *builder)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_preparef(old, &stmt, "SELECT doc FROM docs_%" PRIi64 " ORDER BY n", n);

	if (r)
		return r;
	while ((r = db_step(stmt)) == DB_ROW) {
		struct value value;
		const void *packed = sqlite3_column_blob(stmt, 0);

		if (!value_open(packed, (size_t)sqlite3_column_bytes(stmt, 0), &value))
			return -EBADMSG;
		r = builder_add_value(builder, &value);
		if (r == 0 && builder_rows(builder) < DOCUMENTS_BATCH_MAX &&
		    builder_size(builder) < BATCH_BYTES)
			continue;
		if (r == 0 || r == BUILDER_FULL) {
			bool again = r == BUILDER_FULL;

			r = store_batch(store, about, builder);
			if (r == 0 && again)
				r = builder_add_value(builder, &value);
		}
		if (r)
			return r < 0 ? r : -EBADMSG;
	}
	return r ? r : store_batch(store, about, builder);
}

static int import_collection(struct store *store, sqlite3 *old, sqlite3_stmt *stmt,
			     struct builder *builder)
{
	cleanup(live_unref_at) struct live *live = nullptr;
	struct collection about = {
		.workspace = db_text(stmt, 1),
		.name = db_text(stmt, 2),
		.uuid = db_text(stmt, 3),
		.description = nullable(stmt, 4),
		.retention_secs = sqlite3_column_int64(stmt, 5),
		.compression = nullable(stmt, 6),
		.created_us = (uint64_t)sqlite3_column_int64(stmt, 7),
		.created_by = nullable(stmt, 8),
		.created_by_key = nullable(stmt, 9),
	};
	int r = catalog_create_as(store, &about);

	if (r)
		return r == CATALOG_KEYS_UNAVAILABLE ? STORE_KEYS_UNAVAILABLE
		       : r > 0			     ? -EBADMSG
						     : r;
	r = import_documents(store, old, &about, sqlite3_column_int64(stmt, 0), builder);
	if (r == 0)
		r = store_find(store, about.workspace, about.name, &live);
	if (r)
		return r < 0 ? r : -EBADMSG;
	atomic_store(&live->updated_us, (uint64_t)sqlite3_column_int64(stmt, 10));
	atomic_store(&live->purged, sqlite3_column_int64(stmt, 11));
	return 0;
}

static int import_collections(struct store *store, sqlite3 *old)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	cleanup(builder_free_at) struct builder *builder = nullptr;
	int r = builder_new(&builder);

	if (r == 0)
		r = db_prepare(old,
			       "SELECT n, workspace, name, uuid, description, retention_secs,"
			       " compression, created_us, created_by, created_by_key, updated_us,"
			       " purged FROM collection ORDER BY n",
			       &stmt);
	if (r)
		return r;
	while ((r = db_step(stmt)) == DB_ROW) {
		builder_clear(builder);
		r = import_collection(store, old, stmt, builder);
		if (r)
			return r;
	}
	return r;
}

static int import_from(struct store *store, sqlite3 *old)
{
	int version = 0;
	int r = ask_number(old, "PRAGMA user_version", &version);

	if (r == 0 && version > OLD_VERSION)
		return STORE_TOO_NEW;
	if (r || version == 0) /* version 0: it was never begun */
		return r;
	r = import_organization(store, old);
	if (r == 0)
		r = import_workspaces(store, old);
	if (r == 0)
		r = import_collections(store, old);
	return r ? r : store_keep(store, STORE_KEEP_SEAL);
}

/* Say in the catalog that it is done. */
static int note_done(struct store *store)
{
	int r = book_begin(store);

	return r ? r : book_end(store, db_run(store->db, "PRAGMA application_id=1"));
}
static_assert(TAKEN_OVER == 1);

int import_all(struct store *store)
{
	cleanup(close_db_at) sqlite3 *old = nullptr;
	char path[STORE_PATH + 32];

	old_path(store, "", path);
	int code = sqlite3_open_v2(
		path, &old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
		nullptr);
	if (code != SQLITE_OK)
		return old ? db_error(old) : -ENOMEM;
	int r = import_from(store, old);
	code = sqlite3_errcode(old);
	if (r == -EBADMSG || (r < 0 && (code == SQLITE_CORRUPT || code == SQLITE_NOTADB))) {
		store_note_damage(store, "The first release's documents.sqlite is damaged.");
		return STORE_DAMAGED;
	}
	if (r == 0)
		r = note_done(store);
	old = close_db(old);
	return r ? r : remove_old(store);
}
