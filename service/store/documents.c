/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/documents.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <yyjson.h>

#include "common/clock.h"
#include "service/store/db.h"
#include "service/value/civil.h"
#include "service/value/value_json.h"

constexpr size_t FIELD_NAME_MAX = 256; /* longer names are stored but not remembered */

static const char *const OUTCOMES[DOCUMENT_OUTCOME_COUNT] = {
	[DOCUMENT_OK] = "",
	[DOCUMENT_NOT_OBJECT] = "A document must be a JSON object.",
	[DOCUMENT_BAD_ID] = "Field `_id` must be a string of 1 to 1024 bytes.",
	[DOCUMENT_BAD_EVENT_TIME] =
		"Field `_event_time` must be a timestamp: an ISO 8601 text with an offset, or microseconds since 1970.",
	[DOCUMENT_TOO_DEEP] = "The document is nested more than 40 levels deep.",
	[DOCUMENT_BAD_TYPE] =
		"A field with `__rockset_type` has an unknown type or a value that does not fit it.",
	[DOCUMENT_TOO_LARGE] = "The document is larger than 40 MiB.",
	[DOCUMENT_FIXED] = "Fields `_id` and `_event_time` cannot be changed.",
};

const char *document_outcome_text(enum document_outcome outcome)
{
	return outcome < DOCUMENT_OUTCOME_COUNT ? OUTCOMES[outcome] : "";
}

void document_done(struct document *document)
{
	free(document->id);
	free(document->packed);
	*document = (struct document) {};
}

/* Read _event_time in each of the forms it may have. */
static bool event_time(const struct value *value, int64_t *ret)
{
	bool has_zone = false;

	if (value->tag == VALUE_TIMESTAMP || (value->tag == VALUE_NUMBER && value->is_int))
		*ret = value->i;
	else if (value->tag != VALUE_STRING || value->escaped ||
		 !civil_parse((const char *)value->data, value->len, ret, nullptr, &has_zone) ||
		 !has_zone)
		return false;
	return civil_in_range(*ret);
}

/* Whether the store itself writes this field. */
static bool is_special(const struct value *key)
{
	return value_is_text(key, "_id", 3) || value_is_text(key, "_event_time", 11) ||
	       value_is_text(key, "_meta", 5);
}

/* The document's bytes: _id and _event_time first, then the rest as it came. */
static void pack(const char *id, size_t id_len, int64_t event_us, const struct value *object,
		 struct buf *out)
{
	struct value_iter iter = value_iterate(object);
	struct value key, value;

	value_put_object(out);
	value_put_key(out, "_id", 3);
	value_put_string(out, id, id_len);
	value_put_key(out, "_event_time", 11);
	value_put_moment(out, VALUE_TIMESTAMP, event_us);
	while (value_next(&iter, &key, &value))
		if (!is_special(&key))
			buf_add(out, key.at, key.size + value.size);
	value_put_end(out);
}

/* Turn a failure of packing into an outcome. */
static int pack_outcome(int r)
{
	if (r == -EMSGSIZE)
		return DOCUMENT_TOO_LARGE;
	if (r == VALUE_JSON_TOO_DEEP)
		return DOCUMENT_TOO_DEEP;
	return r == VALUE_JSON_BAD_TYPE ? DOCUMENT_BAD_TYPE : r;
}

int document_from_json(yyjson_val *json, const char *id, size_t id_len, uint64_t now_us,
		       struct buf *room, struct document *ret)
{
	auto_buf struct buf plain = buf_make(DOCUMENT_ID_MAX + 1);
	auto_buf struct buf packed = buf_make(DOCUMENT_MAX);
	struct value object, field;
	auto event_us = (int64_t)now_us;

	if (!yyjson_is_obj(json))
		return DOCUMENT_NOT_OBJECT;
	buf_clear(room);
	int r = value_from_json(json, room);
	if (r)
		return pack_outcome(r);
	if (!value_open(room->data, room->len, &object) || object.tag != VALUE_OBJECT)
		return DOCUMENT_NOT_OBJECT; /* an object that says its type is another value */

	if (value_field(&object, "_id", 3, &field)) {
		if (field.tag != VALUE_STRING || field.len == 0 || field.len > DOCUMENT_ID_MAX)
			return DOCUMENT_BAD_ID;
		value_text(&field, &plain);
	} else {
		buf_add(&plain, id, id_len);
	}
	if (value_field(&object, "_event_time", 11, &field) && !event_time(&field, &event_us))
		return DOCUMENT_BAD_EVENT_TIME;

	pack((const char *)plain.data, plain.len, event_us, &object, &packed);
	if (buf_error(&plain) || buf_error(&packed))
		return pack_outcome(buf_error(&plain) ? buf_error(&plain) : buf_error(&packed));
	*ret = (struct document) { .id = (char *)TAKE(plain.data),
				   .id_len = plain.len,
				   .packed = TAKE(packed.data),
				   .len = packed.len };
	return 0;
}

/* A collection in a write transaction. */
struct target {
	sqlite3 *db;
	int64_t n;
	int64_t added, bytes;
};

static int find(sqlite3 *db, const char *workspace, const char *name, struct target *ret)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(
		db,
		"SELECT (SELECT n FROM collection WHERE workspace = w.name AND name = ?2)"
		" FROM workspace w WHERE name = ?1",
		&stmt);

	if (r)
		return r;
	db_bind_text(stmt, 1, workspace);
	db_bind_text(stmt, 2, name);
	r = db_step(stmt);
	if (r < 0)
		return r;
	if (r == 0)
		return CATALOG_NO_WORKSPACE;
	*ret = (struct target) { .db = db, .n = sqlite3_column_int64(stmt, 0) };
	return ret->n == 0 ? CATALOG_NO_COLLECTION : 0;
}

/* Note what the transaction did to the collection as a whole. */
static int account(struct target *target)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(target->db,
			   "UPDATE collection SET documents = documents + ?2, bytes = bytes + ?3,"
			   " updated_us = ?4 WHERE n = ?1",
			   &stmt);

	if (r)
		return r;
	(void)sqlite3_bind_int64(stmt, 1, target->n);
	(void)sqlite3_bind_int64(stmt, 2, target->added);
	(void)sqlite3_bind_int64(stmt, 3, target->bytes);
	(void)sqlite3_bind_int64(stmt, 4, (sqlite3_int64)clock_wall_us());
	return db_done(stmt);
}

/* The set of top-level names of a batch. Documents are alike, so each name is looked for where the last one had it. */
struct names {
	struct value *key; /* [n] */
	size_t n, room, next;
};

static int note_name(struct names *names, const struct value *key)
{
	for (size_t i = 0; i < names->n; i++) {
		size_t at = (names->next + i) % names->n;

		if (names->key[at].size == key->size &&
		    memcmp(names->key[at].at, key->at, key->size) == 0) {
			names->next = at + 1;
			return 0;
		}
	}
	if (names->n == (size_t)CATALOG_FIELDS_MAX)
		return 0;
	if (names->n == names->room) {
		size_t room = names->room ? 2 * names->room : 32;
		struct value *grown = reallocarray(names->key, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		names->key = grown;
		names->room = room;
	}
	names->key[names->n++] = *key;
	return 0;
}

static int collect_names(const struct document *doc, size_t n, struct names *names)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct value object, key, value;

		if (doc[i].status == DOCUMENT_ERROR ||
		    !value_open(doc[i].packed, doc[i].len, &object))
			continue;
		struct value_iter iter = value_iterate(&object);
		while (r == 0 && value_next(&iter, &key, &value))
			if (key.len <= FIELD_NAME_MAX && !key.escaped)
				r = note_name(names, &key);
	}
	return r;
}

/* Remember the names of a batch for the collection, as far as its limit allows. */
static int store_names(struct target *target, const struct names *names)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;
	int r = db_prepare(target->db,
			   "INSERT OR IGNORE INTO field SELECT ?1, ?2"
			   " WHERE (SELECT COUNT(*) FROM field WHERE collection = ?1) < ?3",
			   &stmt);

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		(void)sqlite3_bind_int64(stmt, 1, target->n);
		(void)sqlite3_bind_text(stmt, 2, (const char *)names->key[i].data,
					(int)names->key[i].len, SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 3, CATALOG_FIELDS_MAX);
		r = db_done(stmt);
	}
	return r;
}

/* The packed _event_time, which stands at a fixed place of every document. */
static void bind_event_time(sqlite3_stmt *stmt, int index, const struct document *doc)
{
	struct value object, value = {};

	if (value_open(doc->packed, doc->len, &object) &&
	    value_field(&object, "_event_time", 11, &value))
		(void)sqlite3_bind_blob(stmt, index, value.at, (int)value.size, SQLITE_STATIC);
}

/* Statements that one batch runs many times. */
struct upsert {
	sqlite3_stmt *insert, *old, *update;
};

static void upsert_done(struct upsert *u)
{
	db_finalize(u->insert);
	db_finalize(u->old);
	db_finalize(u->update);
}

static int upsert_init(const struct target *target, struct upsert *ret)
{
	int r = db_preparef(target->db, &ret->insert,
			    "INSERT INTO docs_%" PRIi64
			    "(id, et, doc) VALUES(?,?,?) ON CONFLICT(id) DO NOTHING",
			    target->n);
	if (r == 0)
		r = db_preparef(target->db, &ret->old,
				"SELECT LENGTH(doc) FROM docs_%" PRIi64 " WHERE id = ?", target->n);
	if (r == 0)
		r = db_preparef(target->db, &ret->update,
				"UPDATE docs_%" PRIi64 " SET et = ?2, doc = ?3 WHERE id = ?1",
				target->n);
	return r;
}

static void bind_document(sqlite3_stmt *stmt, const struct document *doc)
{
	(void)sqlite3_bind_text(stmt, 1, doc->id, (int)doc->id_len, SQLITE_STATIC);
	bind_event_time(stmt, 2, doc);
	(void)sqlite3_bind_blob64(stmt, 3, doc->packed, doc->len, SQLITE_STATIC);
}

static int add_one(struct target *target, struct upsert *u, struct document *doc)
{
	bind_document(u->insert, doc);
	int r = db_done(u->insert);
	if (r)
		return r;
	if (sqlite3_changes(target->db) == 1) {
		doc->status = DOCUMENT_ADDED;
		target->added++;
		target->bytes += (int64_t)doc->len;
		return 0;
	}

	(void)sqlite3_bind_text(u->old, 1, doc->id, (int)doc->id_len, SQLITE_STATIC);
	r = db_step(u->old);
	if (r < 0)
		return r;
	target->bytes += (int64_t)doc->len - sqlite3_column_int64(u->old, 0);
	(void)sqlite3_reset(u->old);
	bind_document(u->update, doc);
	doc->status = DOCUMENT_REPLACED;
	return db_done(u->update);
}

static int add_all(sqlite3 *db, const char *workspace, const char *name, struct document *doc,
		   size_t n, const struct names *names)
{
	cleanup(upsert_done) struct upsert u = {};
	struct target target = {};
	int r = find(db, workspace, name, &target);

	if (r == 0)
		r = upsert_init(&target, &u);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (doc[i].status != DOCUMENT_ERROR)
			r = add_one(&target, &u, &doc[i]);
	if (r == 0)
		r = store_names(&target, names);
	return r ? r : account(&target);
}

int documents_add(struct store *store, const char *workspace, const char *name,
		  struct document *doc, size_t n)
{
	struct names names = {};

	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	int r = collect_names(doc, n, &names);
	if (r == 0) {
		sqlite3 *db = store_write_begin(store, &r);

		if (db)
			r = store_write_end(store, add_all(db, workspace, name, doc, n, &names));
	}
	free(names.key);
	return r;
}

static int delete_one(struct target *target, sqlite3_stmt *old, sqlite3_stmt *remove,
		      struct document *doc)
{
	(void)sqlite3_bind_text(old, 1, doc->id, (int)doc->id_len, SQLITE_STATIC);
	int r = db_step(old);
	if (r < 0)
		return r;
	int64_t bytes = r == DB_ROW ? sqlite3_column_int64(old, 0) : 0;
	(void)sqlite3_reset(old);
	doc->status = DOCUMENT_DELETED;
	if (r == 0)
		return 0;
	target->added--;
	target->bytes -= bytes;
	(void)sqlite3_bind_text(remove, 1, doc->id, (int)doc->id_len, SQLITE_STATIC);
	return db_done(remove);
}

static int delete_all(sqlite3 *db, const char *workspace, const char *name, struct document *doc,
		      size_t n)
{
	auto_stmt sqlite3_stmt *old = nullptr, *remove = nullptr;
	struct target target = {};
	int r = find(db, workspace, name, &target);

	if (r == 0)
		r = db_preparef(db, &old, "SELECT LENGTH(doc) FROM docs_%" PRIi64 " WHERE id = ?",
				target.n);
	if (r == 0)
		r = db_preparef(db, &remove, "DELETE FROM docs_%" PRIi64 " WHERE id = ?", target.n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (doc[i].status != DOCUMENT_ERROR)
			r = delete_one(&target, old, remove, &doc[i]);
	return r ? r : account(&target);
}

int documents_delete(struct store *store, const char *workspace, const char *name,
		     struct document *doc, size_t n)
{
	int r = 0;

	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	sqlite3 *db = store_write_begin(store, &r);
	if (!db)
		return r;
	r = store_write_end(store, delete_all(db, workspace, name, doc, n));
	if (r == 0)
		store_settle(store);
	return r;
}

/* What a change needs beside the documents. */
struct change {
	documents_change_fn *fn;
	void *userdata;
	sqlite3_stmt *old, *update;
};

static int change_one(struct target *target, struct change *change, size_t index,
		      struct document *doc)
{
	auto_buf struct buf packed = buf_make(DOCUMENT_MAX);
	struct value old;
	int64_t before = 0;

	(void)sqlite3_bind_text(change->old, 1, doc->id, (int)doc->id_len, SQLITE_STATIC);
	int r = db_step(change->old);
	if (r == DB_ROW) {
		before = sqlite3_column_bytes(change->old, 0);
		r = value_open(sqlite3_column_blob(change->old, 0), (size_t)before, &old)
			    ? change->fn(change->userdata, index, &old, &packed)
			    : -EIO;
		doc->status = r == 0 ? DOCUMENT_PATCHED : DOCUMENT_ERROR;
	} else if (r == 0) {
		doc->status = DOCUMENT_ABSENT;
	}
	(void)sqlite3_reset(change->old);
	if (r || doc->status != DOCUMENT_PATCHED)
		return r < 0 ? r : 0;
	if (buf_error(&packed))
		return buf_error(&packed);

	free(doc->packed);
	doc->len = packed.len;
	doc->packed = TAKE(packed.data);
	target->bytes += (int64_t)doc->len - before;
	(void)sqlite3_bind_text(change->update, 1, doc->id, (int)doc->id_len, SQLITE_STATIC);
	(void)sqlite3_bind_blob64(change->update, 2, doc->packed, doc->len, SQLITE_STATIC);
	return db_done(change->update);
}

static int change_all(sqlite3 *db, const char *workspace, const char *name, struct document *doc,
		      size_t n, struct change *change)
{
	auto_stmt sqlite3_stmt *old = nullptr, *update = nullptr;
	struct names names = {};
	struct target target = {};
	int r = find(db, workspace, name, &target);

	if (r == 0)
		r = db_preparef(db, &old, "SELECT doc FROM docs_%" PRIi64 " WHERE id = ?",
				target.n);
	if (r == 0)
		r = db_preparef(db, &update, "UPDATE docs_%" PRIi64 " SET doc = ?2 WHERE id = ?1",
				target.n);
	change->old = old;
	change->update = update;
	for (size_t i = 0; r == 0 && i < n; i++)
		if (doc[i].status != DOCUMENT_ERROR)
			r = change_one(&target, change, i, &doc[i]);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (doc[i].status == DOCUMENT_PATCHED)
			r = collect_names(&doc[i], 1, &names);
	if (r == 0)
		r = store_names(&target, &names);
	free(names.key);
	return r ? r : account(&target);
}

int documents_change(struct store *store, const char *workspace, const char *name,
		     struct document *doc, size_t n, documents_change_fn *fn, void *userdata)
{
	struct change change = { .fn = fn, .userdata = userdata };
	int r = 0;

	if (catalog_is_built_in(workspace, name))
		return CATALOG_BUILT_IN;
	sqlite3 *db = store_write_begin(store, &r);
	return db ? store_write_end(store, change_all(db, workspace, name, doc, n, &change)) : r;
}

/* Count a collection's documents from before a packed time, and their bytes. */
static int count_old(sqlite3 *db, int64_t n, const struct buf *cutoff, int64_t *ret_n,
		     int64_t *ret_bytes)
{
	auto_stmt sqlite3_stmt *count = nullptr;
	int r = db_preparef(db, &count,
			    "SELECT COUNT(*), COALESCE(SUM(LENGTH(doc)), 0) FROM docs_%" PRIi64
			    " WHERE et < ?",
			    n);

	if (r)
		return r;
	(void)sqlite3_bind_blob(count, 1, cutoff->data, (int)cutoff->len, SQLITE_STATIC);
	r = db_step(count);
	if (r < 0)
		return r;
	*ret_n = sqlite3_column_int64(count, 0);
	*ret_bytes = sqlite3_column_int64(count, 1);
	return 0;
}

static int delete_old(sqlite3 *db, int64_t n, const struct buf *cutoff)
{
	auto_stmt sqlite3_stmt *remove = nullptr;
	int r = db_preparef(db, &remove, "DELETE FROM docs_%" PRIi64 " WHERE et < ?", n);

	if (r)
		return r;
	(void)sqlite3_bind_blob(remove, 1, cutoff->data, (int)cutoff->len, SQLITE_STATIC);
	return db_done(remove);
}

/* Count or delete a collection's documents from before cutoff_us; add how many to *ret. */
static int expire_one(sqlite3 *db, int64_t n, int64_t cutoff_us, bool really, int64_t *ret)
{
	auto_stmt sqlite3_stmt *note = nullptr;
	auto_buf struct buf cutoff = buf_make(16);
	int64_t gone = 0, bytes = 0;

	value_put_moment(&cutoff, VALUE_TIMESTAMP, cutoff_us);
	int r = buf_error(&cutoff);
	if (r == 0)
		r = count_old(db, n, &cutoff, &gone, &bytes);
	if (r == 0)
		*ret += gone;
	if (r || !really || gone == 0)
		return r;
	r = delete_old(db, n, &cutoff);
	if (r == 0)
		r = db_prepare(db,
			       "UPDATE collection SET documents = documents - ?2,"
			       " bytes = bytes - ?3, purged = purged + ?2 WHERE n = ?1",
			       &note);
	if (r)
		return r;
	(void)sqlite3_bind_int64(note, 1, n);
	(void)sqlite3_bind_int64(note, 2, gone);
	(void)sqlite3_bind_int64(note, 3, bytes);
	return db_done(note);
}

int documents_expire(struct store *store, uint64_t now_us, bool really, int64_t *ret)
{
	int64_t gone = 0;
	int r = 0;
	sqlite3 *db = store_write_begin(store, &r);

	if (!db)
		return r;
	{
		auto_stmt sqlite3_stmt *list = nullptr;

		r = db_prepare(db,
			       "SELECT n, retention_secs FROM collection WHERE retention_secs > 0",
			       &list);
		while (r == 0 && (r = db_step(list)) == DB_ROW)
			r = expire_one(db, sqlite3_column_int64(list, 0),
				       (int64_t)now_us -
					       sqlite3_column_int64(list, 1) * INT64_C(1'000'000),
				       really, &gone);
	}
	r = store_write_end(store, r);
	if (r)
		return r;
	if (really && gone > 0)
		store_settle(store);
	*ret = gone;
	return 0;
}
