/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/clock.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

struct seen {
	size_t n;
	int64_t number, documents, bytes, purged, collections;
	int64_t key_version;
	uint64_t created_us, key_made_us;
	bool key_lost;
	char names[256], uuid[STORE_UUID];
};

static bool on_workspace(void *userdata, const struct workspace *workspace)
{
	struct seen *seen = userdata;

	seen->n++;
	seen->collections += workspace->collections;
	return true;
}

static bool on_collection(void *userdata, const struct collection *collection)
{
	struct seen *seen = userdata;

	seen->n++;
	seen->number = collection->n;
	seen->documents = collection->documents;
	seen->bytes = collection->bytes;
	seen->purged = collection->purged;
	seen->created_us = collection->created_us;
	seen->key_version = collection->key_version;
	seen->key_made_us = collection->key_made_us;
	seen->key_lost = collection->key_lost;
	(void)snprintf(seen->uuid, sizeof(seen->uuid), "%s", collection->uuid);
	return true;
}

static bool on_name(void *userdata, const char *name)
{
	struct seen *seen = userdata;
	size_t len = strlen(seen->names);

	(void)snprintf(seen->names + len, sizeof(seen->names) - len, "%s ", name);
	return true;
}

static struct seen look(struct fixture *f, const char *name)
{
	struct seen seen = {};

	if (catalog_collections(f->store, "commons", name, on_collection, &seen))
		seen.n = 99;
	return seen;
}

/* Whether a document reads as this JSON; "" if there is none. */
static bool reads(struct fixture *f, const char *id, const char *want)
{
	auto_buf struct buf got = buf_make(1 << 20);
	int r = fixture_get(f, "c", id, &got);
	const char *text = buf_text(&got);
	size_t len = strlen(want);
	bool same = r >= 0 && text && (len ? strstr(text, want) != nullptr : text[0] == '\0');

	if (!same)
		printf("# %s is %d %s, want %s\n", id, r, text, want);
	return same;
}

static bool workspaces_come_and_go(void)
{
	auto_fixture struct fixture f = {};
	struct workspace more = { .name = "team.a", .created_by = "ann" };
	struct collection c = { .workspace = "team.a", .name = "c", .created_by = "ann" };
	struct seen seen = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(catalog_workspace_create(f.store, &more), 0);
	CHECK_EQ(catalog_workspace_create(f.store, &more), CATALOG_EXISTS);
	CHECK_EQ(catalog_workspaces(f.store, nullptr, on_workspace, &seen), 0);
	CHECK_EQ(seen.n, 2u);
	CHECK_EQ(catalog_workspaces(f.store, "nope", on_workspace, &seen), CATALOG_NO_WORKSPACE);
	CHECK_EQ(catalog_collection_create(f.store, &c), 0);
	CHECK_EQ(catalog_workspace_delete(f.store, "team.a"), CATALOG_NOT_EMPTY);
	CHECK_EQ(catalog_collection_delete(f.store, "team.a", "c"), 0);
	CHECK_EQ(fixture_again(&f), 0);
	CHECK_EQ(catalog_workspace_delete(f.store, "team.a"), 0);
	CHECK_EQ(catalog_workspace_delete(f.store, "team.a"), CATALOG_NO_WORKSPACE);
	return catalog_workspace_delete(f.store, "commons") == CATALOG_BUILT_IN;
}

static bool collections_are_found_only_where_they_are(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_collection(&f, "c", 0), CATALOG_EXISTS);
	CHECK_EQ(fixture_collection(&f, "_events", 0), CATALOG_BUILT_IN);
	CHECK_EQ(fixture_add(&f, "nope", "[{}]", 1, nullptr), CATALOG_NO_COLLECTION);
	CHECK_EQ(fixture_add(&f, "_events", "[{}]", 1, nullptr), CATALOG_BUILT_IN);
	CHECK_EQ(fixture_count(&f, "_events"), 0);
	CHECK_EQ(catalog_collection_delete(f.store, "nope", "c"), CATALOG_NO_WORKSPACE);
	return catalog_collection_delete(f.store, "commons", "nope") == CATALOG_NO_COLLECTION;
}

static bool documents_are_counted_and_their_fields_listed(void)
{
	auto_fixture struct fixture f = {};
	struct seen seen = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"a\":1},{\"b\":{\"x\":1}},{\"a\":3,\"_meta\":{}}]", 1,
			     nullptr),
		 0);
	CHECK_EQ(look(&f, "c").documents, 3);
	CHECK(look(&f, "c").bytes > 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"a\":1}]", 2, nullptr), 0); /* id-1 again */
	CHECK_EQ(look(&f, "c").documents, 3);
	CHECK_EQ(catalog_fields(f.store, look(&f, "c").number, on_name, &seen), 0);
	CHECK(strcmp(seen.names, "_event_time _id a b ") == 0);
	CHECK_EQ(fixture_delete(&f, "c", "id-1"), 0);
	CHECK_EQ(fixture_delete(&f, "c", "id-1"), 0); /* once more does nothing */
	return look(&f, "c").documents == 2 && fixture_count(&f, "c") == 2;
}

static bool what_is_written_last_counts(void)
{
	auto_fixture struct fixture f = {};
	enum document_status status[3];

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(
		fixture_add(
			&f, "c",
			"[{\"_id\":\"x\",\"v\":1},{\"_id\":\"y\",\"v\":2},{\"_id\":\"x\",\"v\":3}]",
			1, status),
		0);
	CHECK_EQ(status[0], DOCUMENT_ADDED);
	CHECK_EQ(status[2], DOCUMENT_REPLACED);
	CHECK(reads(&f, "x", "\"v\":3"));
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"y\",\"v\":4}]", 2, status), 0);
	CHECK_EQ(status[0], DOCUMENT_REPLACED);
	CHECK(reads(&f, "y", "\"v\":4"));
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK(reads(&f, "y", "\"v\":4") && reads(&f, "x", "\"v\":3"));
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"y\",\"v\":5}]", 3, status), 0);
	CHECK_EQ(status[0], DOCUMENT_REPLACED);
	CHECK(reads(&f, "y", "\"v\":5"));
	CHECK_EQ(fixture_again(&f), 0);
	CHECK(reads(&f, "y", "\"v\":5") && reads(&f, "x", "\"v\":3"));
	return fixture_count(&f, "c") == 2;
}

static bool a_batch_that_comes_again_changes_nothing(void)
{
	auto_fixture struct fixture f = {};
	enum document_status status[2];

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"v\":1}]", 1, status), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"v\":2},{\"_id\":\"y\"}]", 2, status), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"v\":1}]", 1, status), 0);
		CHECK_EQ(status[0], DOCUMENT_ADDED);
		CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\"},{\"_id\":\"y\"}]", 2, status), 0);
		CHECK_EQ(status[0], DOCUMENT_REPLACED);
		CHECK_EQ(status[1], DOCUMENT_ADDED);
		CHECK(reads(&f, "x", "\"v\":2"));
		CHECK_EQ(fixture_count(&f, "c"), 2);
		CHECK_EQ(fixture_again(&f), 0); /* the log remembers */
	}
	return true;
}

/* Adds one to v, refuses "no". */
static int add_one(void *, size_t index, const struct value *old, struct buf *out)
{
	struct value id, time, v;

	if (index == 3 || !value_field(old, "_id", 3, &id) ||
	    !value_field(old, "_event_time", 11, &time) || !value_field(old, "v", 1, &v))
		return 1;
	value_put_object(out);
	value_put_key(out, "_id", 3);
	buf_add(out, id.at, id.size);
	value_put_key(out, "_event_time", 11);
	buf_add(out, time.at, time.size);
	value_put_key(out, "v", 1);
	value_put_int(out, v.i + 1);
	value_put_end(out);
	return 0;
}

static bool documents_are_changed_one_after_the_other(void)
{
	static const struct str IDS[] = { { "x", 1 }, { "z", 1 }, { "x", 1 },
					  { "y", 1 }, { "y", 1 }, { "x", 1 } };
	enum document_status status[6] = { [4] = DOCUMENT_ERROR };
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"v\":1},{\"_id\":\"y\",\"v\":7}]", 1,
			     nullptr),
		 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK_EQ(documents_change(f.store, "commons", "c", IDS, 6, status, add_one, nullptr), 0);
	CHECK_EQ(status[0], DOCUMENT_PATCHED);
	CHECK_EQ(status[1], DOCUMENT_ABSENT);
	CHECK_EQ(status[2], DOCUMENT_PATCHED);
	CHECK_EQ(status[3], DOCUMENT_ERROR);
	CHECK_EQ(status[4], DOCUMENT_ERROR);
	CHECK(reads(&f, "x", "\"v\":4") && reads(&f, "y", "\"v\":7"));
	CHECK_EQ(fixture_again(&f), 0);
	CHECK(reads(&f, "x", "\"v\":4"));
	return fixture_count(&f, "c") == 2;
}

static bool old_documents_expire(void)
{
	auto_fixture struct fixture f = {};
	int64_t gone = -1;

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 3600), 0);
	CHECK_EQ(fixture_collection(&f, "d", 0), 0);
	CHECK_EQ(
		fixture_add(
			&f, "c",
			"[{\"_event_time\":1000000},{\"_event_time\":9000000000},{\"_event_time\":2}]",
			1, nullptr),
		0);
	CHECK_EQ(fixture_add(&f, "d", "[{\"_event_time\":1000000}]", 2, nullptr), 0);
	CHECK_EQ(documents_expire(f.store, 5000000000, false, &gone), 0);
	CHECK_EQ(gone, 2);
	CHECK_EQ(fixture_count(&f, "c"), 3);
	CHECK_EQ(documents_expire(f.store, 5000000000, true, &gone), 0);
	CHECK_EQ(gone, 2);
	CHECK_EQ(fixture_count(&f, "c"), 1);
	CHECK_EQ(fixture_again(&f), 0);
	CHECK_EQ(look(&f, "c").purged, 2);
	CHECK_EQ(fixture_count(&f, "c"), 1);
	return fixture_count(&f, "d") == 1;
}

static bool a_snapshot_stays_as_it_is(void)
{
	auto_fixture struct fixture f = {};
	struct snapshot *before = nullptr;
	size_t chunk;
	uint32_t row;

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\"},{\"_id\":\"y\"}]", 1, nullptr), 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK_EQ(store_snapshot(f.store, "commons", "c", &before), 0);
	CHECK_EQ(fixture_delete(&f, "c", "x"), 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_PURGE), 0);
	CHECK_EQ(catalog_collection_delete(f.store, "commons", "c"), 0);
	bool found =
		snapshot_find(before, "x", 1, &chunk, &row) == 1 && snapshot_documents(before) == 2;
	snapshot_unref(before);
	return found;
}

static bool a_rotated_key_leaves_everything_readable(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"v\":1}]", 1, nullptr), 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"y\",\"v\":2}]", 2, nullptr), 0);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"z\",\"v\":3}]", 3, nullptr), 0);
	CHECK_EQ(fixture_again(&f), 0);
	CHECK(reads(&f, "x", "\"v\":1") && reads(&f, "y", "\"v\":2") && reads(&f, "z", "\"v\":3"));
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), 0);
	CHECK_EQ(fixture_again(&f), 0);
	return reads(&f, "x", "\"v\":1") && reads(&f, "z", "\"v\":3");
}

static bool a_collection_says_which_key_it_has_and_since_when(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(look(&f, "c").key_version, 1);
	CHECK_EQ(look(&f, "c").key_made_us, look(&f, "c").created_us);
	uint64_t before = clock_wall_us();
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), 0);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), 0);
	struct seen now = look(&f, "c");
	CHECK(now.key_version == 3 && now.key_made_us >= before);
	CHECK_EQ(fixture_again(&f), 0);
	CHECK_EQ(look(&f, "c").key_made_us, now.key_made_us);
	CHECK(look(&f, "c").key_version == 3 && !now.key_lost);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "nope"), CATALOG_NO_COLLECTION);
	CHECK_EQ(catalog_collection_rotate(f.store, "nope", "c"), CATALOG_NO_WORKSPACE);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "_events"), CATALOG_BUILT_IN);
	return look(&f, "c").key_version == 3;
}

static bool rotation_ends_with_the_last_version_of_the_key_and_takes_nothing_away(void)
{
	auto_fixture struct fixture f = {};
	int r = 0;

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"v\":1}]", 1, nullptr), 0);
	for (int i = 0; r == 0 && i < 1000; i++)
		r = keys_rotate(f.keys, look(&f, "c").uuid);
	CHECK_EQ(r, KEYS_FULL);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), CATALOG_KEYS_FULL);
	CHECK_EQ(look(&f, "c").key_version, 1);
	CHECK_EQ(fixture_again(&f), 0);
	return reads(&f, "x", "\"v\":1");
}

static bool a_collection_without_its_key_says_so_and_the_others_are_served(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_collection(&f, "d", 0), 0);
	CHECK_EQ(keys_destroy(f.keys, look(&f, "c").uuid), 0);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), -ENOKEY);
	CHECK_EQ(fixture_again(&f), 0);
	CHECK(look(&f, "c").key_lost && !look(&f, "d").key_lost);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), -ENOKEY);
	CHECK_EQ(fixture_add(&f, "c", "[{}]", 1, nullptr), -ENOKEY);
	return fixture_add(&f, "d", "[{}]", 2, nullptr) == 0;
}

static bool keys_from_before_their_time_was_kept_count_from_the_collections_making(void)
{
	auto_fixture struct fixture f = {};
	sqlite3 *db = nullptr;
	char path[64];

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	fixture_close(&f);
	(void)snprintf(path, sizeof(path), "%s/engine/catalog.sqlite", f.folder);
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	int code = sqlite3_exec(db, "ALTER TABLE data_key DROP COLUMN made_us", nullptr, nullptr,
				nullptr);
	(void)sqlite3_close(db);
	CHECK_EQ(code, SQLITE_OK);
	CHECK_EQ(fixture_open(&f), 0);
	CHECK_EQ(look(&f, "c").key_made_us, look(&f, "c").created_us);
	CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), 0);
	CHECK_EQ(fixture_again(&f), 0);
	return look(&f, "c").key_version == 2 &&
	       look(&f, "c").key_made_us > look(&f, "c").created_us;
}

static bool a_later_releases_store_is_left_alone(void)
{
	auto_fixture struct fixture f = {};
	sqlite3 *db = nullptr;
	char path[64];

	CHECK(fixture_init(&f));
	fixture_close(&f);
	(void)snprintf(path, sizeof(path), "%s/engine/catalog.sqlite", f.folder);
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_exec(db, "PRAGMA user_version=3", nullptr, nullptr, nullptr);
	(void)sqlite3_close(db);
	CHECK_EQ(fixture_open(&f), STORE_TOO_NEW);
	return !f.store;
}

static bool every_failed_allocation_stores_all_or_nothing(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	for (size_t n = 1;; n++) {
		int64_t before = fixture_count(&f, "c");
		char json[64];

		(void)snprintf(json, sizeof(json),
			       "[{\"_id\":\"a%zu\"},{\"_id\":\"b%zu\",\"x\":[1]}]", n, n);
		fault_at(n);
		int r = fixture_add(&f, "c", json, n, nullptr);
		bool hit = fault_end();

		CHECK(r == 0 || r == -ENOMEM);
		CHECK_EQ(fixture_count(&f, "c"), before + (r == 0 ? 2 : 0));
		if (!hit)
			return r == 0;
	}
}

static bool every_failed_allocation_of_the_keeper_is_survived(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	for (size_t n = 1;; n++) {
		CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\"},{\"_id\":\"y\",\"x\":[1]}]", n,
				     nullptr),
			 0);
		fault_at(n);
		int r = store_keep(f.store, STORE_KEEP_PURGE);
		bool hit = fault_end();

		CHECK_EQ(fixture_count(&f, "c"), 2);
		if (!hit)
			return r == 0 && reads(&f, "x", "x");
		CHECK_EQ(store_keep(f.store, STORE_KEEP_PURGE), 0);
	}
}

static bool every_failed_allocation_of_opening_is_survived(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\"},{\"_id\":\"y\",\"x\":[1]}]", 1, nullptr),
		 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\"},{\"_id\":\"z\"}]", 2, nullptr), 0);
	CHECK_EQ(fixture_delete(&f, "c", "y"), 0);
	for (size_t n = 1;; n++) {
		f.store = store_close(f.store);
		fault_at(n);
		int r = fixture_open(&f);
		bool hit = fault_end();

		CHECK(r == 0 || (!f.store && r < 0));
		if (r == 0)
			CHECK_EQ(fixture_count(&f, "c"), 2);
		if (!hit)
			return r == 0;
	}
}

static bool every_failed_allocation_rotates_all_or_nothing(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	for (size_t n = 1;; n++) {
		CHECK_EQ(fixture_collection(&f, "c", 0), 0);
		fault_at(n);
		int r = catalog_collection_rotate(f.store, "commons", "c");
		bool hit = fault_end();

		CHECK(r == 0 || r == -ENOMEM);
		CHECK_EQ(look(&f, "c").key_version, r == 0 ? 2 : 1);
		CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"v\":1}]", n, nullptr), 0);
		CHECK_EQ(catalog_collection_rotate(f.store, "commons", "c"), 0);
		CHECK(reads(&f, "x", "\"v\":1"));
		CHECK_EQ(catalog_collection_delete(f.store, "commons", "c"), 0);
		if (!hit)
			return r == 0;
	}
}

int main(void)
{
	RUN(workspaces_come_and_go);
	RUN(collections_are_found_only_where_they_are);
	RUN(documents_are_counted_and_their_fields_listed);
	RUN(what_is_written_last_counts);
	RUN(a_batch_that_comes_again_changes_nothing);
	RUN(documents_are_changed_one_after_the_other);
	RUN(old_documents_expire);
	RUN(a_snapshot_stays_as_it_is);
	RUN(a_rotated_key_leaves_everything_readable);
	RUN(a_collection_says_which_key_it_has_and_since_when);
	RUN(rotation_ends_with_the_last_version_of_the_key_and_takes_nothing_away);
	RUN(a_collection_without_its_key_says_so_and_the_others_are_served);
	RUN(keys_from_before_their_time_was_kept_count_from_the_collections_making);
	RUN(a_later_releases_store_is_left_alone);
	RUN(every_failed_allocation_stores_all_or_nothing);
	RUN(every_failed_allocation_rotates_all_or_nothing);
	RUN(every_failed_allocation_of_the_keeper_is_survived);
	RUN(every_failed_allocation_of_opening_is_survived);
	return tap_done();
}
