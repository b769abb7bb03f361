/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/proto/operations.h"
#include "service/engine/call.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/engine-fixture.h"

static struct fixture f;
static struct grant grant = {
	.person = "ann", .email = "ann@example.org", .key_name = "k", .role = "admin"
};

/* Do one operation. Returns its HTTP status; the answer in ret. */
static uint16_t run(uint16_t op, const char *workspace, const char *collection, const char *body,
		    struct buf *ret)
{
	struct call call = { .store = f.store,
			     .session = f.session,
			     .builder = f.builder,
			     .grant = &grant,
			     .op = op,
			     .workspace = workspace,
			     .collection = collection,
			     .request_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
			     .body = body,
			     .body_len = strlen(body),
			     .started_us = clock_mono_us(),
			     .answer_max = RESULT_BODY_MAX,
			     .out = buf_make(1u << 20),
			     .detail = buf_make(8192) };

	builder_clear(f.builder);
	call_run(&call);
	buf_done(&call.detail);
	buf_done(ret);
	*ret = call.out;
	return call.http_status;
}

static const struct {
	uint16_t op;
	const char *workspace, *collection, *body;
	uint16_t status;
	const char *part; /* of the answer */
} STEPS[] = {
	{ OP_ORGANIZATION_GET, "", "", "", 200, "\"clusters\":[{\"id\":" },
	{ OP_USER_SELF, "", "", "", 200, "{\"created_at\":null,\"email\":\"ann@example.org\"" },
	{ OP_WORKSPACE_CREATE, "", "", "{\"name\":\"w\",\"more\":[]}", 400,
	  "`more` is not known.\"" },
	{ OP_WORKSPACE_CREATE, "", "", "{\"name\":\"w\",\"descripton\":null}", 400,
	  "`descripton` is not known; did you mean `description`?" },
	{ OP_WORKSPACE_CREATE, "", "", "{\"name\":\"w\",\"description\":null}", 200,
	  "{\"data\":{\"created_at\":\"" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"retention_sec\":3600}", 400,
	  "`retention_sec` is not known; did you mean `retention_secs`?" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"clustering_key\":[{\"field\":\"a\"}]}",
	  400, "`field` in `clustering_key` is not known" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"insert_only\":true}", 501,
	  "`insert_only` is not available yet" },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT 1\",\"paramters\":[]}}", 400,
	  "`paramters` in `sql` is not known; did you mean `parameters`?" },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT 1\"},\"timeout\":7}", 400,
	  "`timeout` is not known." },
	{ OP_QUERY, "", "",
	  "{\"sql\":{\"query\":\"SELECT :a\",\"parameters\":[{\"name\":\"a\",\"val\":1}]}}", 400,
	  "`val` in `parameters` is not known; did you mean `value`?" },
	{ OP_QUERY, "", "",
	  "{\"sql\":{\"query\":\"SELECT 1\",\"parameters\":null,\"generate_warnings\":true},\"async_options\":null,\"profiling_enabled\":false,\"paginate\":false,\"debug_threshold_ms\":null}",
	  200, "{\"results\":[{" },
	{ OP_WORKSPACE_CREATE, "", "", "{\"name\":7}", 400, "`name` must be a string" },
	{ OP_WORKSPACE_CREATE, "", "", "[]", 400, "must be a JSON object" },
	{ OP_WORKSPACE_CREATE, "", "", "{\"name\":\"..\"}", 400, "INVALIDINPUT" },
	{ OP_WORKSPACE_GET, "w", "", "", 200, "\"collection_count\":0" },
	{ OP_WORKSPACE_LIST, "", "", "", 200, "{\"data\":[{" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"retention_secs\":60}", 400,
	  "`retention_secs` must be a whole number from 3600" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"sources\":[{}]}", 501,
	  "`sources` is not available yet" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"field_mappings\":[{\"name\":\"m\"}]}",
	  501, "NOTIMPLEMENTEDYET" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"storage_compression_type\":\"GZIP\"}",
	  400, "LZ4 or ZSTD" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"clustering_key\":{}}", 400,
	  "`clustering_key` must be a list of at most 4 fields" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"clustering_key\":[{},{},{},{},{}]}",
	  400, "`clustering_key` must be a list of at most 4 fields" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"clustering_key\":[\"a\"]}", 400,
	  "`clustering_key` must be a list of objects with a `field_name`" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"clustering_key\":[{}]}", 400,
	  "`field_name` in `clustering_key` must be a field" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"c\",\"clustering_key\":[{\"field_name\":\"a..b\"}]}", 400,
	  "`field_name` in `clustering_key` must be a field" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"c\",\"clustering_key\":[{\"field_name\":\".a\"}]}", 400,
	  "`field_name` in `clustering_key` must be a field" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"c\",\"clustering_key\":[{\"field_name\":\"a.\"}]}", 400,
	  "`field_name` in `clustering_key` must be a field" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"c\",\"clustering_key\":[{\"field_name\":\"a\\nb\"}]}", 400,
	  "`field_name` in `clustering_key` must be a field" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"clustering_key\":[{\"field_name\":7}]}",
	  400, "`field_name` must be a string" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"c\",\"clustering_key\":[{\"field_name\":\"a\",\"type\":\"HASH\"}]}", 400,
	  "`type` in `clustering_key` must be AUTO" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"c\",\"clustering_key\":[{\"field_name\":\"a\",\"keys\":[\"b\"]}]}", 400,
	  "`keys` in `clustering_key` must be left out" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"k\",\"clustering_key\":[{\"field_name\":\"user.country\",\"type\":\"AUTO\"},{\"field_name\":\"at\",\"keys\":[]}]}",
	  200,
	  "\"clustering_key\":[{\"field_name\":\"user.country\",\"type\":\"AUTO\",\"keys\":[]},{\"field_name\":\"at\",\"type\":\"AUTO\",\"keys\":[]}]" },
	{ OP_COLLECTION_GET, "w", "k", "", 200,
	  "\"clustering_key\":[{\"field_name\":\"user.country\"" },
	{ OP_COLLECTION_DELETE, "w", "k", "", 200, "\"clustering_key\":[]" },
	{ OP_COLLECTION_CREATE, "nope", "", "{\"name\":\"c\"}", 404, "WORKSPACE_NOT_FOUND" },
	{ OP_COLLECTION_CREATE, "w", "",
	  "{\"name\":\"c\",\"description\":\"d\",\"retention_secs\":7200,\"sources\":[],\"field_mapping_query\":{\"sql\":\"\"}}",
	  200, "\"status\":\"CREATED\",\"sources\":[]" },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\"}", 409,
	  "Collection \\\"c\\\" already exists in workspace \\\"w\\\"" },
	{ OP_COLLECTION_CREATE, "commons", "", "{\"name\":\"_events\"}", 400, "is built in" },
	{ OP_COLLECTION_GET, "w", "c", "", 200, "\"retention_secs\":7200" },
	{ OP_COLLECTION_GET, "w", "c", "", 200,
	  "\"encryption_key\":{\"version\":1,\"rotated_at\":null}}}" },
	{ OP_COLLECTION_ROTATE_KEY, "w", "c", "", 200, "{\"data\":{\"created_at\":\"" },
	{ OP_COLLECTION_ROTATE_KEY, "w", "c", "{}", 200,
	  "\"encryption_key\":{\"version\":3,\"rotated_at\":\"2" },
	{ OP_COLLECTION_LIST, "w", "", "", 200,
	  "\"encryption_key\":{\"version\":3,\"rotated_at\":\"2" },
	{ OP_COLLECTION_ROTATE_KEY, "w", "nope", "", 404, "COLLECTION_DOES_NOT_EXIST" },
	{ OP_COLLECTION_ROTATE_KEY, "nope", "c", "", 404, "WORKSPACE_NOT_FOUND" },
	{ OP_COLLECTION_ROTATE_KEY, "commons", "_events", "", 400, "is built in" },
	{ OP_COLLECTION_GET, "commons", "_events", "", 200, "\"encryption_key\":null" },
	{ OP_COLLECTION_LIST, "w", "", "", 200, "\"stats\":{\"doc_count\":0" },
	{ OP_COLLECTION_LIST_ALL, "", "", "", 200, "\"name\":\"c\"" },
	{ OP_DOCUMENTS_ADD, "w", "c", "{\"data\":[{\"_id\":\"1\",\"v\":1},[]]}", 200,
	  "\"_id\":\"1\",\"status\":\"ADDED\",\"error\":null,\"patch_id\":null},{\"_collection\":\"c\",\"_id\":null,\"status\":\"ERROR\",\"error\":{" },
	{ OP_DOCUMENTS_ADD, "w", "c", "{\"data\":{}}", 400, "must be a list" },
	{ OP_DOCUMENTS_ADD, "w", "c",
	  "{\"data\":[{\"_id\":\"g1\"},{\"_id\":\"g2\",\"v\":[1e400]},{\"_id\":\"g3\",\"v\":\"]\\ud800\"},{\"_id\":\"g4\"}]}",
	  200, "\"_id\":\"g4\",\"status\":\"ADDED\"" },
	{ OP_QUERY, "", "",
	  "{\"sql\":{\"query\":\"SELECT _id FROM w.c WHERE _id LIKE 'g%' ORDER BY _id\"}}", 200,
	  "\"results\":[{\"_id\":\"g1\"},{\"_id\":\"g4\"}]" },
	{ OP_DOCUMENTS_ADD, "w", "c", " { \"more\" : [ {} ] , \"data\":[-1e999 , \"\\udfff\"]}",
	  400, "`more` is not known" },
	{ OP_DOCUMENTS_ADD, "w", "c", " { \"data\" : [ -1e999 , {\"_id\":\"g5\"} , \"\\udfff\" ] }",
	  200,
	  "\"status\":\"ERROR\",\"error\":{\"message\":\"The document is not valid JSON: number is infinity" },
	{ OP_DOCUMENTS_ADD, "w", "c", "{\"data\":[{\"_id\":\"g6\",\"v\":1e400]}", 400,
	  "not valid JSON" },
	{ OP_DOCUMENTS_ADD, "w", "c", "{\"data\":[{\"_id\":\"g6\",\"v\":\"abc}]}", 400,
	  "not valid JSON" },
	{ OP_DOCUMENTS_PATCH, "w", "c",
	  "{\"data\":[{\"_id\":\"g1\",\"patch\":[{\"op\":\"add\",\"path\":\"/v\",\"value\":1e400}]},{\"_id\":\"g4\",\"patch\":[{\"op\":\"add\",\"path\":\"/v\",\"value\":1}]}]}",
	  200, "\"_id\":\"g4\",\"status\":\"PATCHED\"" },
	{ OP_DOCUMENTS_DELETE, "w", "c",
	  "{\"data\":[{\"_id\":\"\\ud800\"},{\"_id\":\"g1\"},{\"_id\":\"g4\"},{\"_id\":\"g5\"}]}",
	  200, "\"_id\":\"g5\",\"status\":\"DELETED\"" },
	{ OP_DOCUMENTS_PATCH, "w", "c",
	  "{\"data\":[{\"_id\":\"1\",\"patch\":[{\"op\":\"test\",\"path\":\"/v\",\"value\":2}]},{\"_id\":\"1\",\"patch\":{}}]}",
	  200, "Operation 1 of the patch tests for a value" },
	{ OP_QUERY, "", "",
	  "{\"sql\":{\"query\":\"SELECT v, :a a FROM w.c\",\"parameters\":[{\"name\":\"a\",\"type\":\"timestamp\",\"value\":\"2024-01-01T00:00:00Z\"}]}}",
	  200, "{\"results\":[{\"v\":1,\"a\":\"2024-01-01T00:00:00.000000Z\"}],\"query_id\":\"" },
	{ OP_QUERY, "", "",
	  "{\"sql\":{\"query\":\"SELECT :a a, :b b, :c c\",\"parameters\":[{\"name\":\"a\",\"type\":\"int\",\"value\":\"5\"},{\"name\":\"b\",\"value\":[1]},{\"name\":\"c\",\"type\":\"start\",\"value\":\"x\"}]}}",
	  200, "[{\"a\":5,\"b\":[1],\"c\":\"x\"}]" },
	{ OP_QUERY, "", "",
	  "{\"sql\":{\"query\":\"SELECT 1\",\"parameters\":[{\"name\":\"a\",\"type\":\"int\",\"value\":\"x\"}]}}",
	  400, "parameter `a` is not a valid int" },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT v FROM w.c\",\"default_row_limit\":0}}",
	  200, "\"collections\":[\"w.c\"]" },
	{ OP_QUERY, "", "", "{}", 400, "`sql.query` must be a string" },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT 1 FROM\"}}", 400,
	  "\"line\":1,\"column\":14" },
	{ OP_QUERY_VALIDATE, "", "", "{\"sql\":{\"query\":\"SELECT :b, :a, :b FROM w.c\"}}", 200,
	  "\"collections\":[\"w.c\"],\"parameters\":[\"b\",\"a\"]" },
	{ OP_OFFSETS_COMMIT, "w", "c", "{\"name\":[\"f2:1\",\"f2:3\",\"f2:2\"]}", 200,
	  "{\"data\":{\"fence\":\"f2:3\",\"passed\":true},\"offsets\":{\"commit\":\"f2:3\"}}" },
	{ OP_OFFSETS_COMMIT, "w", "nope", "{\"name\":[]}", 404, "COLLECTION_DOES_NOT_EXIST" },
	{ OP_DOCUMENTS_DELETE, "w", "c", "{\"data\":[{\"_id\":\"1\"},{\"_id\":1}]}", 200,
	  "\"status\":\"DELETED\",\"error\":null,\"patch_id\":null},{\"_collection\":\"c\",\"_id\":null,\"status\":\"ERROR\"" },
	{ OP_WORKSPACE_DELETE, "w", "", "", 409, "DEPENDENTRESOURCES" },
	{ OP_COLLECTION_DELETE, "w", "c", "", 200,
	  "{\"data\":{\"name\":\"c\",\"workspace\":\"w\",\"sources\":[]" },
	{ OP_COLLECTION_DELETE, "w", "c", "", 404, "COLLECTION_DOES_NOT_EXIST" },
	{ OP_WORKSPACE_DELETE, "w", "", "", 200, "\"name\":\"w\"" },
	{ OP_WORKSPACE_DELETE, "commons", "", "", 400, "built in" },
	{ OP_NONE, "", "", "", 404, "NOTFOUND" },
};

static bool each_operation_answers_as_clients_expect(void)
{
	auto_buf struct buf out = buf_make(1);
	bool good = true;

	for (size_t i = 0; i < countof(STEPS); i++) {
		uint16_t status = run(STEPS[i].op, STEPS[i].workspace, STEPS[i].collection,
				      STEPS[i].body, &out);
		const char *text = buf_text(&out);
		yyjson_doc *doc = yyjson_read((const char *)out.data, out.len, YYJSON_READ_NOFLAG);
		bool same = doc && status == STEPS[i].status && text && strstr(text, STEPS[i].part);

		yyjson_doc_free(doc);
		if (!same)
			printf("# %zu: %s: %u %s\n", i, STEPS[i].body, status,
			       text ? text : "nothing");
		good &= same;
	}
	return good;
}

static bool every_failed_allocation_is_survived(void)
{
	static const struct {
		uint16_t op;
		const char *body;
	} CALLS[] = {
		{ OP_DOCUMENTS_ADD, "{\"data\":[{\"a\":[1]},{\"_id\":\"x\"}]}" },
		{ OP_DOCUMENTS_PATCH,
		  "{\"data\":[{\"_id\":\"x\",\"patch\":[{\"op\":\"add\",\"path\":\"/b\",\"value\":1}]}]}" },
		{ OP_QUERY,
		  "{\"sql\":{\"query\":\"SELECT * FROM c WHERE _id = :i\",\"parameters\":[{\"name\":\"i\",\"value\":\"x\"}]}}" },
		{ OP_COLLECTION_GET, "" },
	};

	CHECK_EQ(fixture_collection(&f, "c"), 0);
	for (size_t i = 0; i < countof(CALLS); i++) {
		for (size_t n = 1;; n++) {
			auto_buf struct buf out = buf_make(1);

			fault_at(n);
			uint16_t status = run(CALLS[i].op, "commons", "c", CALLS[i].body, &out);
			if (!fault_end()) {
				CHECK_EQ(status, 200);
				break;
			}
			CHECK(status == 200 || status == 429 || status == 500);
		}
	}
	return true;
}

static bool keep_uuid(void *userdata, const struct collection *collection)
{
	(void)snprintf(userdata, STORE_UUID, "%s", collection->uuid);
	return true;
}

static bool a_key_that_can_be_rotated_no_more_and_one_that_is_lost_are_told(void)
{
	auto_buf struct buf out = buf_make(1);
	char uuid[STORE_UUID] = "";
	int r = 0;

	CHECK_EQ(fixture_collection(&f, "lost"), 0);
	CHECK_EQ(catalog_collections(f.store, "commons", "lost", keep_uuid, uuid), 0);
	while (r == 0)
		r = keys_rotate(f.keys, uuid);
	CHECK_EQ(r, KEYS_FULL);
	CHECK_EQ(run(OP_COLLECTION_ROTATE_KEY, "commons", "lost", "", &out), 429);
	CHECK(strstr(buf_text(&out), "as often as a key can be"));
	CHECK_EQ(keys_destroy(f.keys, uuid), 0);
	CHECK_EQ(run(OP_COLLECTION_ROTATE_KEY, "commons", "lost", "", &out), 500);
	fixture_close(&f);
	CHECK(fixture_open(&f));
	CHECK_EQ(run(OP_COLLECTION_GET, "commons", "lost", "", &out), 200);
	CHECK(strstr(buf_text(&out), "\"status\":\"ENCRYPTION_KEY_ERROR\""));
	CHECK_EQ(run(OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT * FROM lost\"}}", &out), 500);
	CHECK(strstr(buf_text(&out), "encryption key is gone or damaged"));
	return run(OP_COLLECTION_DELETE, "commons", "lost", "", &out) == 200;
}

int main(void)
{
	if (!fixture_init(&f)) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(each_operation_answers_as_clients_expect);
	RUN(every_failed_allocation_is_survived);
	RUN(a_key_that_can_be_rotated_no_more_and_one_that_is_lost_are_told);
	fixture_done(&f);
	return tap_done();
}
