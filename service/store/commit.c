/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/commit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "service/segment/gone.h"
#include "service/segment/segment.h"
#include "service/snapshot/state.h"
#include "service/store/db.h"
#include "service/store/internal.h"

constexpr size_t GONE_BLOB_MAX = 16'384;

uint64_t commit_position(const struct snapshot *state)
{
	for (size_t i = 0; i < state->n; i++)
		if (!state->entry[i].part->segment)
			return state->entry[i].part->first - 1;
	return state->position;
}

static int update_collection(sqlite3 *db, struct live *live, uint64_t position)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db,
			   "UPDATE collection SET position = ?2, updated_us = ?3, purged = ?4"
			   " WHERE n = ?1",
			   &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, live->about.n);
	(void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)position);
	(void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)atomic_load(&live->updated_us));
	(void)sqlite3_bind_int64(stmt, 4, atomic_load(&live->purged));
	r = db_done(stmt);
	return r ? r : sqlite3_changes(db) == 1 ? 0 : -ESTALE;
}

static int insert_segment(sqlite3 *db, const struct live *live, const struct segment_row *row)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db,
			   "INSERT INTO segment(n, collection, place, data_key, pages, footer,"
			   " chunks, rows) VALUES(?,?,?,?,?,?,?,?)",
			   &stmt);
	const int64_t VALUES[] = { row->n,     live->about.n, row->place,  row->key,
				   row->pages, row->footer,   row->chunks, (int64_t)row->rows };

	if (r)
		return r;
	for (size_t i = 0; i < countof(VALUES); i++)
		(void)sqlite3_bind_int64(stmt, (int)i + 1, VALUES[i]);
	return db_done(stmt);
}

static int run_with_number(sqlite3 *db, const char *sql, int64_t n)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(db, sql, &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, n);
	return db_done(stmt);
}

static int delete_segment(sqlite3 *db, int64_t n)
{
	int r = run_with_number(db, "DELETE FROM deleted WHERE segment = ?", n);

	return r ? r : run_with_number(db, "DELETE FROM segment WHERE n = ?", n);
}

static bool is_unsaved(const struct entry *entry)
{
	return entry->part->segment && entry->gone != entry->part->saved;
}

static int save_one(sqlite3_stmt *stmt, const struct entry *entry, struct buf *blob)
{
	struct part *part = entry->part;

	if (part->since_us == 0)
		part->since_us = clock_wall_us();
	buf_clear(blob);
	gone_write(entry->gone, blob);
	if (buf_error(blob))
		return buf_error(blob);
	(void)sqlite3_bind_int64(stmt, 1, segment_number(part->segment));
	(void)sqlite3_bind_int64(stmt, 2, part->number);
	(void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)part->since_us);
	(void)sqlite3_bind_blob64(stmt, 4, blob->data, blob->len, SQLITE_STATIC);
	return db_done(stmt);
}

/* Write the sets of deleted rows that have changed. */
static int save_deleted(sqlite3 *db, const struct snapshot *state)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	auto_buf struct buf blob = buf_make(GONE_BLOB_MAX);
	int r = db_prepare(db,
			   "INSERT OR REPLACE INTO deleted(segment, chunk, since_us, bitmap)"
			   " VALUES(?,?,?,?)",
			   &stmt);

	for (size_t i = 0; r == 0 && i < state->n; i++)
		if (is_unsaved(&state->entry[i]))
			r = save_one(stmt, &state->entry[i], &blob);
	return r;
}

static void note_saved(const struct snapshot *state)
{
	for (size_t i = 0; i < state->n; i++) {
		const struct entry *entry = &state->entry[i];

		if (!is_unsaved(entry))
			continue;
		gone_unref(entry->part->saved);
		entry->part->saved = gone_ref(entry->gone);
	}
}

int commit_state(struct live *live, const struct snapshot *state, const struct segment_row *added,
		 const int64_t *removed, size_t n_removed)
{
	struct store *store = live->store;
	uint64_t position = commit_position(state);
	int r = book_begin(store);

	if (r)
		return r;
	r = update_collection(store->db, live, position);
	if (r == 0 && added)
		r = insert_segment(store->db, live, added);
	for (size_t i = 0; r == 0 && i < n_removed; i++)
		r = delete_segment(store->db, removed[i]);
	if (r == 0)
		r = save_deleted(store->db, state);
	r = book_end(store, r);
	if (r)
		return r;
	note_saved(state);
	live->kept_position = position;
	live->dirty_since_us = position == state->position ? 0 : clock_mono_us();
	return 0;
}
