/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/engine-fixture.h"

struct seen {
	size_t n;
	int64_t documents, bytes, collections;
	char names[256];
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
	seen->documents = collection->documents;
	seen->bytes = collection->bytes;
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

	if (catalog_collections(f->reader, "commons", name, on_collection, &seen))
		seen.n = 99;
	return seen;
}

static bool workspaces_come_and_go(void)
{
	auto_fixture struct fixture f = {};
	struct workspace more = { .name = "team.a", .created_by = "ann" };
	struct seen seen = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(catalog_workspace_create(f.store, &more), 0);
	CHECK_EQ(catalog_workspace_create(f.store, &more), CATALOG_EXISTS);
	CHECK_EQ(catalog_workspaces(f.reader, nullptr, on_workspace, &seen), 0);
	CHECK_EQ(seen.n, 2u);
	CHECK_EQ(catalog_workspaces(f.reader, "nope", on_workspace, &seen), CATALOG_NO_WORKSPACE);
	CHECK_EQ(catalog_collection_create(f.store, &(struct collection) { .workspace = "team.a",
									   .name = "c",
									   .created_by = "ann" }),
		 0);
	CHECK_EQ(catalog_workspace_delete(f.store, "team.a"), CATALOG_NOT_EMPTY);
	CHECK_EQ(catalog_collection_delete(f.store, "team.a", "c"), 0);
	CHECK_EQ(catalog_workspace_delete(f.store, "team.a"), 0);
	CHECK_EQ(catalog_workspace_delete(f.store, "team.a"), CATALOG_NO_WORKSPACE);
	return catalog_workspace_delete(f.store, "commons") == CATALOG_BUILT_IN;
}

static bool collections_are_found_only_where_they_are(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c"), 0);
	CHECK_EQ(fixture_collection(&f, "c"), CATALOG_EXISTS);
	CHECK_EQ(fixture_collection(&f, "_events"), CATALOG_BUILT_IN);
	CHECK_EQ(fixture_add(&f, "nope", "[{}]"), CATALOG_NO_COLLECTION);
	CHECK_EQ(fixture_add(&f, "_events", "[{}]"), CATALOG_BUILT_IN);
	CHECK_EQ(catalog_collection_delete(f.store, "nope", "c"), CATALOG_NO_WORKSPACE);
	return catalog_collection_delete(f.store, "commons", "nope") == CATALOG_NO_COLLECTION;
}

static bool documents_are_counted_and_their_fields_remembered(void)
{
	auto_fixture struct fixture f = {};
	struct document doc = { .id = strdup("id-1"), .id_len = 4 };
	struct seen seen = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c"), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"a\":1},{\"b\":2},{\"a\":3,\"_meta\":{}}]"), 0);
	CHECK_EQ(look(&f, "c").documents, 3);
	int64_t bytes = look(&f, "c").bytes;
	CHECK(bytes > 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"a\":1}]"), 0); /* id-1 again */
	CHECK_EQ(look(&f, "c").documents, 3);
	CHECK_EQ(look(&f, "c").bytes, bytes);
	CHECK_EQ(catalog_fields(f.reader, 1, on_name, &seen), 0);
	CHECK(strcmp(seen.names, "_event_time _id a b ") == 0);
	CHECK_EQ(documents_delete(f.store, "commons", "c", &doc, 1), 0);
	CHECK_EQ(doc.status, DOCUMENT_DELETED);
	CHECK_EQ(documents_delete(f.store, "commons", "c", &doc, 1),
		 0); /* once more does nothing */
	document_done(&doc);
	return look(&f, "c").documents == 2;
}

static bool everything_is_there_after_opening_again(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c"), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{},{}]"), 0);
	f.reader = store_reader_free(f.reader);
	f.store = store_close(f.store);
	CHECK(fixture_open(&f));
	return look(&f, "c").documents == 2;
}

static bool a_later_releases_store_is_left_alone(void)
{
	auto_fixture struct fixture f = {};
	sqlite3 *db = nullptr;
	char path[64];

	CHECK(fixture_init(&f));
	f.reader = store_reader_free(f.reader);
	f.store = store_close(f.store);
	(void)snprintf(path, sizeof(path), "%s/documents.sqlite", f.folder);
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_exec(db, "PRAGMA user_version=2", nullptr, nullptr, nullptr);
	(void)sqlite3_close(db);
	CHECK_EQ(store_open(f.folder, &f.store), STORE_TOO_NEW);
	return !f.store;
}

/* Whether the bytes occur in a file. */
static bool holds(const struct fixture *f, const char *end, const char *text)
{
	static char data[8 << 20];
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/documents.sqlite%s", f->folder, end);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t n = fread(data, 1, sizeof(data), file);
	(void)fclose(file);
	return memmem(data, n, text, strlen(text)) != nullptr;
}

static bool what_is_deleted_is_overwritten(void)
{
	auto_fixture struct fixture f = {};
	struct document doc = { .id = strdup("id-1"), .id_len = 4 };

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c"), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"a\":\"gherkin-1\"},{\"a\":\"gherkin-2\"}]"), 0);
	CHECK(holds(&f, "-wal", "gherkin-1"));
	CHECK_EQ(documents_delete(f.store, "commons", "c", &doc, 1), 0);
	document_done(&doc);
	CHECK(!holds(&f, "", "gherkin-1") && !holds(&f, "-wal", "gherkin-1"));
	CHECK(holds(&f, "", "gherkin-2"));
	CHECK_EQ(catalog_collection_delete(f.store, "commons", "c"), 0);
	return !holds(&f, "", "gherkin-2") && !holds(&f, "-wal", "gherkin-2");
}

static bool old_documents_expire(void)
{
	auto_fixture struct fixture f = {};
	struct collection kept = {
		.workspace = "commons", .name = "c", .created_by = "ann", .retention_secs = 3600
	};
	int64_t gone = -1;

	CHECK(fixture_init(&f));
	CHECK_EQ(catalog_collection_create(f.store, &kept), 0);
	CHECK_EQ(fixture_collection(&f, "d"), 0);
	CHECK_EQ(fixture_add(&f, "c", "[{\"_event_time\":1000000},{\"_event_time\":9000000000}]"),
		 0);
	CHECK_EQ(fixture_add(&f, "d", "[{\"_event_time\":1000000}]"), 0);
	CHECK_EQ(documents_expire(f.store, 5000000000, false, &gone), 0);
	CHECK_EQ(gone, 1);
	CHECK_EQ(look(&f, "c").documents, 2);
	CHECK_EQ(documents_expire(f.store, 5000000000, true, &gone), 0);
	CHECK_EQ(gone, 1);
	CHECK_EQ(look(&f, "c").documents, 1);
	return look(&f, "d").documents == 1;
}

static bool bad_documents_are_refused_with_a_reason(void)
{
	static const struct {
		const char *json;
		int outcome;
	} BAD[] = {
		{ "[7]", DOCUMENT_NOT_OBJECT },
		{ "[{\"_id\":7}]", DOCUMENT_BAD_ID },
		{ "[{\"_id\":\"\"}]", DOCUMENT_BAD_ID },
		{ "[{\"_event_time\":\"yesterday\"}]", DOCUMENT_BAD_EVENT_TIME },
		{ "[{\"_event_time\":\"2024-01-01T00:00:00\"}]", DOCUMENT_BAD_EVENT_TIME },
		{ "[{\"_event_time\":1.5}]", DOCUMENT_BAD_EVENT_TIME },
		{ "[{\"a\":{\"__rockset_type\":\"x\"}}]", DOCUMENT_BAD_TYPE },
		{ "[{\"__rockset_type\":\"date\",\"value\":\"2024-01-01\"}]", DOCUMENT_NOT_OBJECT },
	};
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c"), 0);
	for (size_t i = 0; i < countof(BAD); i++) {
		CHECK_EQ(fixture_add(&f, "c", BAD[i].json), BAD[i].outcome);
		CHECK(document_outcome_text((enum document_outcome)BAD[i].outcome)[0]);
	}
	return look(&f, "c").documents == 0;
}

static bool every_failed_allocation_stores_all_or_nothing(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c"), 0);
	for (size_t n = 1;; n++) {
		int64_t before = look(&f, "c").documents;
		char json[64];

		(void)snprintf(json, sizeof(json),
			       "[{\"_id\":\"a%zu\"},{\"_id\":\"b%zu\",\"x\":[1]}]", n, n);
		fault_at(n);
		int r = fixture_add(&f, "c", json);
		bool hit = fault_end();

		CHECK_EQ(look(&f, "c").documents, before + (r == 0 ? 2 : 0));
		if (!hit)
			return r == 0;
	}
}

int main(void)
{
	RUN(workspaces_come_and_go);
	RUN(collections_are_found_only_where_they_are);
	RUN(documents_are_counted_and_their_fields_remembered);
	RUN(everything_is_there_after_opening_again);
	RUN(a_later_releases_store_is_left_alone);
	RUN(what_is_deleted_is_overwritten);
	RUN(old_documents_expire);
	RUN(bad_documents_are_refused_with_a_reason);
	RUN(every_failed_allocation_stores_all_or_nothing);
	return tap_done();
}
