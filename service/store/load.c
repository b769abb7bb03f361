/* SPDX-License-Identifier: Apache-2.0 */

/* What the catalog's file says, read when the store is opened. */

#include "service/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/proto/keys.h"
#include "service/disk/file.h"
#include "service/disk/log.h"
#include "service/keys/keys.h"
#include "service/segment/gone.h"
#include "service/segment/part.h"
#include "service/segment/segment.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/catalog.h"
#include "service/store/db.h"
#include "service/store/live.h"
#include "service/store/store.h"

static const char *nullable(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

static int load_organization(struct store *store)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(store->db, "SELECT id, created_us FROM organization", &stmt);

	if (r == 0)
		r = db_step(stmt);
	if (r != DB_ROW)
		return r < 0 ? r : -EIO;
	(void)snprintf(store->organization.id, sizeof(store->organization.id), "%s",
		       db_text(stmt, 0));
	store->organization.created_us = (uint64_t)sqlite3_column_int64(stmt, 1);
	return 0;
}

static int load_workspaces(struct store *store)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(store->db,
			   "SELECT name, description, created_by, created_us FROM workspace",
			   &stmt);

	if (r)
		return r;
	while ((r = db_step(stmt)) == DB_ROW) {
		r = store_insert_workspace(
			store, &(struct workspace) {
				       .name = db_text(stmt, 0),
				       .description = nullable(stmt, 1),
				       .created_by = nullable(stmt, 2),
				       .created_us = (uint64_t)sqlite3_column_int64(stmt, 3) });
		if (r)
			return r;
	}
	return r;
}

/* A collection cannot be used for want of a key, which is no reason to do without the others. Returns 0. */
static int give_up(struct live *live, const char *why)
{
	store_note_damage(live->store, "Collection %.80s.%.80s cannot be read: %s",
			  live->about.workspace, live->about.name, why);
	live->broken = -ENOKEY;
	return 0;
}

static int load_key(struct live *live, int64_t n, uint64_t made_us, const void *wrapped, size_t len)
{
	uint8_t key[KEYS_DATA_KEY];
	int r = keys_data_unwrap(live->store->keys, live->about.uuid, "data", wrapped, len, key);

	if (r == 0)
		r = live_add_key(live, n, made_us, key);
	explicit_bzero(key, sizeof(key));
	if (r == KEYS_UNAVAILABLE)
		return STORE_KEYS_UNAVAILABLE;
	return r > 0 ? give_up(live, "its keys are gone.") : r;
}

static int load_keys(struct live *live)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(live->store->db,
			   "SELECT n, wrapped, made_us FROM data_key WHERE collection = ?"
			   " ORDER BY n",
			   &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, live->about.n);
	while ((r = db_step(stmt)) == DB_ROW) {
		const void *wrapped = sqlite3_column_blob(stmt, 1);
		auto made_us = (uint64_t)sqlite3_column_int64(stmt, 2);

		r = load_key(live, sqlite3_column_int64(stmt, 0),
			     made_us ? made_us : live->about.created_us, wrapped,
			     (size_t)sqlite3_column_bytes(stmt, 1));
		if (r)
			return r;
	}
	if (r == 0 && live->n_keys == 0 && !live->broken)
		return give_up(live, "it has no key.");
	return r;
}

/* Which rows of a segment's chunks are deleted. Returns 0, -EBADMSG or another -errno. */
static int load_deleted(struct store *store, struct part **part, const struct segment_row *row,
			struct gone **gone)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(store->db,
			   "SELECT chunk, since_us, bitmap FROM deleted WHERE segment = ?", &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, row->n);
	while ((r = db_step(stmt)) == DB_ROW) {
		int64_t chunk = sqlite3_column_int64(stmt, 0);
		const void *blob = sqlite3_column_blob(stmt, 2);

		if (chunk < 0 || chunk >= row->chunks || gone[chunk])
			return -EBADMSG;
		r = gone_read(blob, (size_t)sqlite3_column_bytes(stmt, 2), part[chunk]->rows,
			      &gone[chunk]);
		if (r)
			return r;
		part[chunk]->since_us = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	return r;
}

/* Open a segment and put its chunks at the end of a state. */
static int load_segment(struct live *live, const struct segment_row *row, struct snapshot **state)
{
	struct part *part[SEGMENT_CHUNKS_MAX] = {};
	struct gone *gone[SEGMENT_CHUNKS_MAX] = {};
	struct snapshot *more = nullptr;

	int r = live_segment_open(live, row, part);
	if (r)
		return r;
	r = load_deleted(live->store, part, row, gone);
	if (r == 0)
		r = state_copy(*state, row->chunks, &more);
	for (uint32_t i = 0; i < row->chunks; i++) {
		if (r) {
			gone_unref(gone[i]);
			part_unref(part[i]);
			continue;
		}
		part[i]->saved = gone_ref(gone[i]);
		state_push(more, part[i], gone[i]);
	}
	if (r)
		return r;
	snapshot_unref(*state);
	*state = more;
	return 0;
}

static struct segment_row segment_of_row(sqlite3_stmt *stmt)
{
	/* Numbers that do not fit make a segment that does not open. */
	return (struct segment_row) {
		.n = sqlite3_column_int64(stmt, 0),
		.place = sqlite3_column_int64(stmt, 1),
		.key = sqlite3_column_int64(stmt, 2),
		.pages = (uint32_t)sqlite3_column_int64(stmt, 3),
		.footer = (uint32_t)sqlite3_column_int64(stmt, 4),
		.chunks = (uint32_t)sqlite3_column_int64(stmt, 5),
		.rows = (uint64_t)sqlite3_column_int64(stmt, 6),
	};
}

static int load_segments(struct live *live)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	cleanup(snapshot_unref_at) struct snapshot *state = snapshot_ref(live->tip);
	int r = db_prepare(live->store->db,
			   "SELECT n, place, data_key, pages, footer, chunks, rows FROM segment"
			   " WHERE collection = ? ORDER BY place",
			   &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, live->about.n);
	while ((r = db_step(stmt)) == DB_ROW) {
		struct segment_row row = segment_of_row(stmt);

		r = load_segment(live, &row, &state);
		if (r == -EBADMSG) {
			live->broken = r; /* store_damage() names the segment */
			return 0;
		}
		if (r)
			return r;
	}
	if (r)
		return r;
	state->position = live->kept_position;
	live_show(live, &state);
	return 0;
}

static int load_collection(struct store *store, sqlite3_stmt *stmt, struct live **ret)
{
	struct collection about = {
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
		.purged = sqlite3_column_int64(stmt, 11),
		.clustering_key = nullable(stmt, 13),
	};
	auto position = (uint64_t)sqlite3_column_int64(stmt, 12);
	uint64_t end = log_synced(store->log);
	int r = live_new(store, &about, ret);

	if (r)
		return r;
	/* Positions begin anew in a log that was lost; what comes must not count as kept already. */
	(*ret)->kept_position = position < end ? position : end;
	r = load_keys(*ret);
	if (r == 0 && !(*ret)->broken)
		r = load_segments(*ret);
	return r;
}

static int load_collections(struct store *store)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(
		store->db,
		"SELECT n, workspace, name, uuid, description, retention_secs, compression,"
		" created_us, created_by, created_by_key, updated_us, purged, position,"
		" clustering_key"
		" FROM collection ORDER BY n",
		&stmt);

	if (r)
		return r;
	while ((r = db_step(stmt)) == DB_ROW) {
		cleanup(live_unref_at) struct live *live = nullptr;

		r = load_collection(store, stmt, &live);
		if (r == 0)
			r = store_insert(store, live);
		if (r)
			return r;
		(void)TAKE(live);
	}
	return r;
}

/* Files being looked at, against the catalog. */
struct sweep {
	struct store *store;
	sqlite3_stmt *stmt;
};

/* Remove a file that the catalog does not name: it was being made, or on its way out, when the power failed. */
static int on_file(void *userdata, const char *name)
{
	struct sweep *sweep = userdata;
	char *end = nullptr, known[32];
	int64_t n = strtoll(name, &end, 10);

	segment_name(n, known);
	if (n >= sweep->store->next_segment && n < INT64_MAX)
		sweep->store->next_segment = n + 1;
	if (strcmp(known, name) == 0) {
		(void)sqlite3_reset(sweep->stmt);
		(void)sqlite3_bind_int64(sweep->stmt, 1, n);
		int r = db_step(sweep->stmt);
		if (r)
			return r == DB_ROW ? 0 : r;
	}
	return folder_remove(sweep->store->segments.folder, name);
}

static int sweep_files(struct store *store)
{
	auto_stmt sqlite3_stmt *stmt = nullptr, *last = nullptr;
	int r = db_prepare(store->db, "SELECT 1 FROM segment WHERE n = ?", &stmt);

	if (r == 0)
		r = db_prepare(store->db, "SELECT seq FROM sqlite_sequence WHERE name = 'segment'",
			       &last);
	if (r)
		return r;
	r = db_step(last);
	if (r < 0)
		return r;
	store->next_segment = r == DB_ROW ? sqlite3_column_int64(last, 0) + 1 : 1;
	return folder_list(store->segments.folder, on_file, &(struct sweep) { store, stmt });
}

int load_all(struct store *store)
{
	int r = load_organization(store);

	if (r == 0)
		r = load_workspaces(store);
	if (r == 0)
		r = sweep_files(store);
	return r ? r : load_collections(store);
}
