/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "common/base.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

/* The first release's schema, as it was. */
static const char OLD[] =
	"PRAGMA journal_mode=WAL;"
	"CREATE TABLE organization(id TEXT NOT NULL, created_us INTEGER NOT NULL);"
	"CREATE TABLE workspace(name TEXT PRIMARY KEY, description TEXT, created_us INTEGER NOT NULL,"
	" created_by TEXT) WITHOUT ROWID;"
	"CREATE TABLE collection(n INTEGER PRIMARY KEY AUTOINCREMENT, workspace TEXT NOT NULL,"
	" name TEXT NOT NULL, uuid TEXT NOT NULL, description TEXT, retention_secs INTEGER,"
	" compression TEXT, created_us INTEGER NOT NULL, created_by TEXT NOT NULL, created_by_key TEXT,"
	" updated_us INTEGER NOT NULL, documents INTEGER NOT NULL DEFAULT 0,"
	" bytes INTEGER NOT NULL DEFAULT 0, purged INTEGER NOT NULL DEFAULT 0, UNIQUE(workspace, name));"
	"CREATE TABLE docs_3(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, et BLOB NOT NULL,"
	" doc BLOB NOT NULL);"
	"INSERT INTO organization VALUES('11111111-2222-4333-8444-555555555555', 7);"
	"INSERT INTO workspace VALUES('commons','default workspace',1,NULL),('w','mine',2,'ann');"
	"INSERT INTO collection VALUES(3,'commons','c','0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b','d',3600,"
	" 'LZ4',5,'ann','k',6,2,99,4);"
	"PRAGMA user_version=1;";

static int insert(sqlite3 *db, const char *id, int64_t v)
{
	auto_buf struct buf packed = buf_make(4096);
	sqlite3_stmt *stmt = nullptr;

	value_put_object(&packed);
	value_put_key(&packed, "_id", 3);
	value_put_string(&packed, id, strlen(id));
	value_put_key(&packed, "_event_time", 11);
	value_put_moment(&packed, VALUE_TIMESTAMP, 1700000000000000);
	value_put_key(&packed, "v", 1);
	value_put_int(&packed, v);
	value_put_end(&packed);
	int r = sqlite3_prepare_v2(db, "INSERT INTO docs_3(id, et, doc) VALUES(?,x'00',?)", -1,
				   &stmt, nullptr);
	(void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(stmt, 2, packed.data, (int)packed.len, SQLITE_STATIC);
	r = r == SQLITE_OK && sqlite3_step(stmt) == SQLITE_DONE ? 0 : -1;
	(void)sqlite3_finalize(stmt);
	return r;
}

static bool make_old(struct fixture *f)
{
	char path[64];
	sqlite3 *db = nullptr;

	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/store-XXXXXX");
	CHECK(mkdtemp(f->folder));
	(void)snprintf(path, sizeof(path), "%s/engine", f->folder);
	CHECK_EQ(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/engine/documents.sqlite", f->folder);
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	bool good = sqlite3_exec(db, OLD, nullptr, nullptr, nullptr) == SQLITE_OK;
	for (int i = 0; good && i < 25'000; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "i%d", i);
		if (i == 0)
			(void)sqlite3_exec(db, "BEGIN", nullptr, nullptr, nullptr);
		good = insert(db, id, i) == 0;
	}
	good = good && sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK;
	(void)sqlite3_close(db);
	return good;
}

static bool on_collection(void *userdata, const struct collection *collection)
{
	bool *good = userdata;

	*good = strcmp(collection->uuid, "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b") == 0 &&
		strcmp(collection->created_by_key, "k") == 0 && collection->documents == 25'000 &&
		collection->retention_secs == 3600 && collection->purged == 4 &&
		collection->created_us == 5;
	return true;
}

static bool on_workspace(void *userdata, const struct workspace *workspace)
{
	*(bool *)userdata = strcmp(workspace->description, "mine") == 0;
	return true;
}

/* Whether all of it is in the new store. */
static bool is_there(struct fixture *f)
{
	auto_buf struct buf json = buf_make(4096);
	struct organization organization;
	bool good = false;

	CHECK_EQ(catalog_organization(f->store, &organization), 0);
	CHECK(strcmp(organization.id, "11111111-2222-4333-8444-555555555555") == 0);
	CHECK_EQ(catalog_workspaces(f->store, "w", on_workspace, &good), 0);
	CHECK(good);
	CHECK_EQ(catalog_collections(f->store, "commons", "c", on_collection, &good), 0);
	CHECK(good);
	CHECK_EQ(fixture_get(f, "c", "i24999", &json), 0);
	CHECK(buf_text(&json) && strstr(buf_text(&json), "\"v\":24999"));
	return fixture_count(f, "c") == 25'000;
}

static bool what_the_first_release_kept_is_taken_over(void)
{
	auto_fixture struct fixture f = {};
	char path[64];

	CHECK(make_old(&f));
	CHECK_EQ(fixture_open(&f), 0);
	CHECK(is_there(&f));
	(void)snprintf(path, sizeof(path), "%s/engine/documents.sqlite", f.folder);
	CHECK(access(path, F_OK) != 0);
	CHECK_EQ(fixture_again(&f), 0);
	return is_there(&f);
}

/* Fails a step of the way to the disk. */
static int fail_at(void *userdata, enum file_step, const char *, size_t)
{
	size_t *left = userdata;

	return *left > 0 && --*left == 0 ? -EIO : 0;
}

static bool a_failure_on_the_way_leaves_the_old_file_until_all_is_there(void)
{
	auto_fixture struct fixture f = {};

	CHECK(make_old(&f));
	f.hook = fail_at;
	for (size_t n = 1;; n += 3) {
		size_t left = n;

		f.hook_data = &left;
		int r = fixture_again(&f);
		if (r == 0)
			return left > 0 ? is_there(&f) : (fixture_again(&f) == 0 && is_there(&f));
		CHECK_EQ(r, -EIO);
	}
}

int main(void)
{
	RUN(what_the_first_release_kept_is_taken_over);
	RUN(a_failure_on_the_way_leaves_the_old_file_until_all_is_there);
	return tap_done();
}
