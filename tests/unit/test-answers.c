/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every member of every answer has the JSON type that Rockset's clients demand of it, and no other: they are generated from a
 * description, and the one in Python refuses a whole number where a fraction is described, a value that is not in a list, and null
 * where something has to be. An answer with a member that is not in the table fails too: what is new is to be looked up.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/operations.h"
#include "service/engine/call.h"
#include "tests/lib/tap.h"
#include "tests/unit/engine-fixture.h"

static struct fixture f;
static struct grant grant = {
	.person = "ann", .email = "ann@example.org", .key_name = "k", .role = "admin"
};

/* What a value has to be; | OR_NULL where it need not be there. */
enum shape : uint8_t {
	TEXT = 1,
	WHOLE,	  /* without a point: i32, i64 */
	FRACTION, /* with a point: num */
	TRUTH,
	OBJECT,
	LIST,
	ANYTHING, /* the customer's own */
	OR_NULL = 64,
};

struct member {
	const char *path;   /* members joined by dots; [] for the elements of a list */
	uint8_t kind;	    /* enum kind */
	const char *values; /* of a text: the list, each between bars; nullptr: any */
};

#define ERROR_TYPES                                                                           \
	"|AUTHEXCEPTION|VERSIONEXCEPTION|INTERNALERROR|INVALIDINPUT|NOTIMPLEMENTEDYET|"       \
	"RESOURCEEXCEEDED|ALREADYEXISTS|METHODNOTALLOWED|NOTACCEPTABLE|UNSUPPORTEDMEDIATYPE|" \
	"NOTFOUND|DEPENDENTRESOURCES|QUERY_ERROR|NOT_READY|FORBIDDEN|QUERY_TIMEOUT|"          \
	"CONNECTION_ERROR|CONTENTTOOLARGE|CREATING|BADREQUEST|SERVICEUNAVAILABLE|CONFLICT|"   \
	"RATELIMITEXCEEDED|QUERY_CANCELLED|CLIENT_CONNECTION_ERROR|"
#define COLLECTION_STATUS                                                            \
	"|INITIALIZED|CREATED|READY|PAUSED|DELETED|PAUSING|RESUMING|PREPARING_BULK|" \
	"BULK_INGEST_MODE|EXITING_BULK_INGEST_MODE|ENCRYPTION_KEY_ERROR|UNKNOWN|"

/* clang-format off */
static const struct member ERROR[] = {
	{ "", OBJECT, nullptr },
	{ "message", TEXT, nullptr },
	{ "message_key", TEXT | OR_NULL, nullptr },
	{ "type", TEXT, ERROR_TYPES },
	{ "line", WHOLE | OR_NULL, nullptr },
	{ "column", WHOLE | OR_NULL, nullptr },
	{ "trace_id", TEXT, nullptr },
	{ "error_id", TEXT | OR_NULL, nullptr },
	{ "query_id", TEXT | OR_NULL, nullptr },
	{ "hint", TEXT, nullptr },
	{ "internal_errors", OBJECT | OR_NULL, nullptr },
	{}
};
static const struct member ORGANIZATION[] = {
	{ "", OBJECT, nullptr }, { "data", OBJECT, nullptr },
	{ "data.id", TEXT, nullptr },
	{ "data.created_at", TEXT, nullptr },
	{ "data.display_name", TEXT, nullptr },
	{ "data.company_name", TEXT, nullptr },
	{ "data.external_id", TEXT, nullptr },
	{ "data.rockset_user", TEXT | OR_NULL, nullptr },
	{ "data.clusters", LIST, nullptr }, { "data.clusters[]", OBJECT, nullptr },
	{ "data.clusters[].id", TEXT, nullptr },
	{ "data.clusters[].cluster_type", TEXT, "|PUBLIC|" },
	{ "data.clusters[].aws_region", TEXT, nullptr },
	{ "data.clusters[].domain", TEXT, nullptr },
	{ "data.clusters[].top_level_domain", TEXT, nullptr },
	{ "data.clusters[].apiserver_url", TEXT, nullptr },
	{ "data.sso_connection", TEXT | OR_NULL, nullptr },
	{ "data.sso_only", TRUTH, nullptr },
	{}
};
static const struct member USER[] = {
	{ "", OBJECT, nullptr },
	{ "created_at", TEXT | OR_NULL, nullptr },
	{ "email", TEXT, nullptr },
	{ "first_name", TEXT | OR_NULL, nullptr },
	{ "last_name", TEXT | OR_NULL, nullptr },
	{ "roles", LIST, nullptr }, { "roles[]", TEXT, nullptr },
	{ "state", TEXT, nullptr },
	{}
};
#define WORKSPACE_MEMBERS(at)                                    \
	{ at, OBJECT, nullptr },                                 \
	{ at ".created_at", TEXT, nullptr },                     \
	{ at ".created_by", TEXT | OR_NULL, nullptr },           \
	{ at ".name", TEXT, nullptr },                           \
	{ at ".description", TEXT | OR_NULL, nullptr },          \
	{ at ".collection_count", WHOLE, nullptr }
static const struct member WORKSPACE[] = {
	{ "", OBJECT, nullptr }, WORKSPACE_MEMBERS("data"), {}
};
static const struct member WORKSPACES[] = {
	{ "", OBJECT, nullptr }, { "data", LIST, nullptr }, WORKSPACE_MEMBERS("data[]"), {}
};
#define COLLECTION_MEMBERS(at)                                                    \
	{ at, OBJECT, nullptr },                                                  \
	{ at ".created_at", TEXT, nullptr },                                      \
	{ at ".created_by", TEXT | OR_NULL, nullptr },                            \
	{ at ".rrn", TEXT, nullptr },                                             \
	{ at ".name", TEXT, nullptr },                                            \
	{ at ".description", TEXT | OR_NULL, nullptr },                           \
	{ at ".workspace", TEXT, nullptr },                                       \
	{ at ".status", TEXT, COLLECTION_STATUS },                                \
	{ at ".sources", LIST, nullptr },                                         \
	{ at ".field_mappings", LIST, nullptr },                                  \
	{ at ".field_partitions", LIST, nullptr },                                \
	{ at ".field_schemas", LIST, nullptr },                                   \
	{ at ".aliases", LIST, nullptr },                                         \
	{ at ".clustering_key", LIST, nullptr },                                  \
	{ at ".clustering_key[]", OBJECT, nullptr },                              \
	{ at ".clustering_key[].field_name", TEXT, nullptr },                     \
	{ at ".clustering_key[].type", TEXT, "|AUTO|" },                          \
	{ at ".clustering_key[].keys", LIST, nullptr },                           \
	{ at ".stats", OBJECT, nullptr },                                         \
	{ at ".stats.doc_count", WHOLE, nullptr },                                \
	{ at ".stats.purged_doc_count", WHOLE, nullptr },                         \
	{ at ".stats.purged_doc_size", WHOLE, nullptr },                          \
	{ at ".stats.fill_progress", FRACTION, nullptr },                         \
	{ at ".stats.last_updated_ms", WHOLE, nullptr },                          \
	{ at ".stats.last_queried_ms", WHOLE, nullptr },                          \
	{ at ".stats.total_size", WHOLE, nullptr },                               \
	{ at ".stats.total_index_size", WHOLE, nullptr },                         \
	{ at ".stats.row_index_size", WHOLE, nullptr },                           \
	{ at ".stats.column_index_size", WHOLE, nullptr },                        \
	{ at ".stats.inverted_index_size", WHOLE, nullptr },                      \
	{ at ".stats.range_index_size", WHOLE, nullptr },                         \
	{ at ".stats.bytes_inserted", WHOLE, nullptr },                           \
	{ at ".stats.bytes_overwritten", WHOLE, nullptr },                        \
	{ at ".stats.bulk_bytes_inserted", WHOLE, nullptr },                      \
	{ at ".stats.bulk_bytes_overwritten", WHOLE, nullptr },                   \
	{ at ".retention_secs", WHOLE | OR_NULL, nullptr },                       \
	{ at ".field_mapping_query", OBJECT | OR_NULL, nullptr },                 \
	{ at ".ingest_virtual_instance_id", TEXT | OR_NULL, nullptr },            \
	{ at ".read_only", TRUTH, nullptr },                                      \
	{ at ".storage_type", TEXT, nullptr },                                    \
	{ at ".storage_compression_type", TEXT | OR_NULL, "|LZ4|ZSTD|UNKNOWN|" }, \
	{ at ".created_by_apikey_name", TEXT | OR_NULL, nullptr },                \
	{ at ".insert_only", TRUTH, nullptr },                                    \
	{ at ".enable_exactly_once_writes", TRUTH, nullptr },                     \
	{ at ".encryption_key", OBJECT | OR_NULL, nullptr },                      \
	{ at ".encryption_key.version", WHOLE, nullptr },                         \
	{ at ".encryption_key.rotated_at", TEXT | OR_NULL, nullptr }
static const struct member COLLECTION[] = {
	{ "", OBJECT, nullptr }, COLLECTION_MEMBERS("data"), {}
};
static const struct member COLLECTIONS[] = {
	{ "", OBJECT, nullptr }, { "data", LIST, nullptr }, COLLECTION_MEMBERS("data[]"), {}
};
static const struct member DOCUMENTS[] = {
	{ "", OBJECT, nullptr }, { "data", LIST, nullptr }, { "data[]", OBJECT, nullptr },
	{ "data[]._collection", TEXT, nullptr },
	{ "data[]._id", TEXT | OR_NULL, nullptr },
	{ "data[].status", TEXT, "|ADDED|REPLACED|DELETED|PATCHED|ERROR|" },
	{ "data[].error", OBJECT | OR_NULL, nullptr },
	{ "data[].error.message", TEXT, nullptr },
	{ "data[].error.message_key", TEXT | OR_NULL, nullptr },
	{ "data[].error.type", TEXT, ERROR_TYPES },
	{ "data[].error.line", WHOLE | OR_NULL, nullptr },
	{ "data[].error.column", WHOLE | OR_NULL, nullptr },
	{ "data[].error.trace_id", TEXT, nullptr },
	{ "data[].error.error_id", TEXT | OR_NULL, nullptr },
	{ "data[].error.query_id", TEXT | OR_NULL, nullptr },
	{ "data[].error.internal_errors", OBJECT | OR_NULL, nullptr },
	{ "data[].patch_id", TEXT | OR_NULL, nullptr },
	{ "last_offset", TEXT, nullptr },
	{}
};
static const struct member OFFSETS[] = {
	{ "", OBJECT, nullptr }, { "data", OBJECT, nullptr },
	{ "data.fence", TEXT, nullptr },
	{ "data.passed", TRUTH, nullptr },
	{ "offsets", OBJECT, nullptr },
	{ "offsets.commit", TEXT, nullptr },
	{}
};
static const struct member RESULT_OF_QUERY[] = {
	{ "", OBJECT, nullptr },
	{ "results", LIST, nullptr }, { "results[]", OBJECT, nullptr }, { "results[].*", ANYTHING, nullptr },
	{ "query_id", TEXT, nullptr },
	{ "status", TEXT, "|QUEUED|RUNNING|COMPLETED|ERROR|" },
	{ "collections", LIST, nullptr }, { "collections[]", TEXT, nullptr },
	{ "aliases", LIST, nullptr },
	{ "column_fields", LIST, nullptr }, { "column_fields[]", OBJECT, nullptr },
	{ "column_fields[].name", TEXT, nullptr },
	{ "column_fields[].type", TEXT, nullptr },
	{ "results_total_doc_count", WHOLE, nullptr },
	{ "pagination", OBJECT, nullptr },
	{ "pagination.start_cursor", TEXT | OR_NULL, nullptr },
	{ "pagination.next_cursor", TEXT | OR_NULL, nullptr },
	{ "pagination.current_page_doc_count", WHOLE, nullptr },
	{ "pagination.next_cursor_offset", WHOLE, nullptr },
	{ "pagination.next_page_link", TEXT | OR_NULL, nullptr },
	{ "stats", OBJECT, nullptr },
	{ "stats.elapsed_time_ms", WHOLE, nullptr },
	{ "stats.throttled_time_micros", WHOLE, nullptr },
	{ "stats.cpu_time_micros", WHOLE, nullptr },
	{ "stats.rows_read", WHOLE, nullptr },
	{ "stats.bytes_read", WHOLE, nullptr },
	{ "stats.pages_read", WHOLE, nullptr },
	{ "stats.pages_missed", WHOLE, nullptr },
	{ "stats.chunks_read", WHOLE, nullptr },
	{ "stats.chunks_skipped", WHOLE, nullptr },
	{ "stats.bytes_spilled", WHOLE, nullptr },
	{ "stats.native_pipes", WHOLE, nullptr },
	{}
};
static const struct member VALIDATION[] = {
	{ "", OBJECT, nullptr },
	{ "aliases", LIST, nullptr }, { "views", LIST, nullptr }, { "name", LIST, nullptr },
	{ "collections", LIST, nullptr }, { "collections[]", TEXT, nullptr },
	{ "parameters", LIST, nullptr }, { "parameters[]", TEXT, nullptr },
	{}
};

static const struct {
	uint16_t op;
	const char *workspace, *collection, *body;
	const struct member *member;
} ASKED[] = {
	{ OP_ORGANIZATION_GET, "", "", "", ORGANIZATION },
	{ OP_USER_SELF, "", "", "", USER },
	{ OP_WORKSPACE_CREATE, "", "", "{\"name\":\"w\"}", WORKSPACE },
	{ OP_WORKSPACE_CREATE, "", "", "{\"name\":\"w\"}", ERROR },
	{ OP_WORKSPACE_GET, "w", "", "", WORKSPACE },
	{ OP_WORKSPACE_LIST, "", "", "", WORKSPACES },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"c\",\"retention_secs\":7200,\"clustering_key\":[{\"field_name\":\"a\"}]}", COLLECTION },
	{ OP_COLLECTION_CREATE, "w", "", "{\"name\":\"d\",\"description\":\"x\",\"storage_compression_type\":\"ZSTD\"}", COLLECTION },
	{ OP_COLLECTION_GET, "w", "c", "", COLLECTION },
	{ OP_COLLECTION_GET, "commons", "_events", "", COLLECTION },
	{ OP_COLLECTION_GET, "w", "nope", "", ERROR },
	{ OP_COLLECTION_ROTATE_KEY, "w", "c", "", COLLECTION },
	{ OP_COLLECTION_LIST, "w", "", "", COLLECTIONS },
	{ OP_COLLECTION_LIST_ALL, "", "", "", COLLECTIONS },
	{ OP_DOCUMENTS_ADD, "w", "c", "{\"data\":[{\"_id\":\"1\",\"a\":1.5},{},{\"_id\":7}]}", DOCUMENTS },
	{ OP_DOCUMENTS_ADD, "w", "c", "{\"data\":[{\"_id\":\"1\",\"a\":2}]}", DOCUMENTS },
	{ OP_DOCUMENTS_ADD, "w", "c", "{\"data\":[{]}", ERROR },
	{ OP_DOCUMENTS_PATCH, "w", "c", "{\"data\":[{\"_id\":\"1\",\"patch\":[{\"op\":\"add\",\"path\":\"/b\",\"value\":1}]},{\"_id\":\"9\",\"patch\":[]}]}", DOCUMENTS },
	{ OP_OFFSETS_COMMIT, "w", "c", "{\"name\":[\"f2:0:1:0:---9\"]}", OFFSETS },
	{ OP_OFFSETS_COMMIT, "w", "c", "{\"name\":[]}", OFFSETS },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT a, b, 1.0 AS f FROM w.c\"}}", RESULT_OF_QUERY },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT 1\"},\"max_initial_results\":10}", RESULT_OF_QUERY },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"SELECT nope(1)\"}}", ERROR },
	{ OP_QUERY, "", "", "{\"sql\":{\"query\":\"DESCRIBE w.c\"}}", RESULT_OF_QUERY },
	{ OP_QUERY_VALIDATE, "", "", "{\"sql\":{\"query\":\"SELECT :p FROM w.c\"}}", VALIDATION },
	{ OP_DOCUMENTS_DELETE, "w", "c", "{\"data\":[{\"_id\":\"1\"},{\"_id\":\"9\"}]}", DOCUMENTS },
	{ OP_COLLECTION_DELETE, "w", "c", "", COLLECTION },
	{ OP_COLLECTION_DELETE, "w", "d", "", COLLECTION },
	{ OP_WORKSPACE_DELETE, "w", "", "", WORKSPACE },
	{ OP_WORKSPACE_DELETE, "w", "", "", ERROR },
};
/* clang-format on */

static bool is_kind(yyjson_val *value, uint8_t kind)
{
	switch (kind) {
	case TEXT:
		return yyjson_is_str(value);
	case WHOLE:
		return yyjson_is_int(value);
	case FRACTION:
		return yyjson_is_real(value);
	case TRUTH:
		return yyjson_is_bool(value);
	case OBJECT:
		return yyjson_is_obj(value);
	case LIST:
		return yyjson_is_arr(value);
	case ANYTHING:
		return true;
	default:
		return false;
	}
}

/* Whether the text is one of the values. */
static bool is_listed(const char *values, const char *text)
{
	char between[128];

	(void)snprintf(between, sizeof(between), "|%s|", text);
	return strstr(values, between);
}

/* The member with this path; one of the customer's own for what is not described further. */
static const struct member *find(const struct member *member, const char *path)
{
	for (; member->path; member++) {
		size_t len = strlen(member->path);

		if (strcmp(member->path, path) == 0)
			return member;
		if (len > 0 && member->path[len - 1] == '*' &&
		    strncmp(member->path, path, len - 1) == 0)
			return member;
	}
	return nullptr;
}

/* Whether a value and all below it are as described. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as an answer
static bool is_described(const struct member *all, yyjson_val *value, const char *path)
{
	const struct member *member = find(all, path);
	char below[256];
	size_t i, max;
	yyjson_val *key, *at;
	bool good = true;

	if (!member) {
		printf("# not described: %s\n", path);
		return false;
	}
	if (yyjson_is_null(value))
		good = member->kind & OR_NULL || member->kind == ANYTHING;
	else
		good = is_kind(value, (uint8_t)(member->kind & (OR_NULL - 1))) &&
		       (!member->values || is_listed(member->values, yyjson_get_str(value)));
	if (!good)
		printf("# not of its kind: %s\n", path);
	if (member->kind == ANYTHING)
		return good;
	yyjson_obj_foreach(value, i, max, key, at)
	{
		(void)snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "",
			       yyjson_get_str(key));
		good &= is_described(all, at, below);
	}
	yyjson_arr_foreach(value, i, max, at)
	{
		(void)snprintf(below, sizeof(below), "%s[]", path);
		good &= is_described(all, at, below);
	}
	return good;
}

/* Do one operation and look at its answer. */
static bool answers_as_described(uint16_t op, const char *workspace, const char *collection,
				 const char *body, const struct member *member)
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
	yyjson_doc *doc =
		yyjson_read((const char *)call.out.data, call.out.len, YYJSON_READ_NOFLAG);
	bool good = doc && (call.http_status == 200) == (member != ERROR) &&
		    is_described(member, yyjson_doc_get_root(doc), "");
	if (!good)
		printf("# %s %s: %.*s\n", OPERATIONS[op].code, body, (int)call.out.len,
		       (const char *)call.out.data);
	yyjson_doc_free(doc);
	buf_done(&call.out);
	buf_done(&call.detail);
	return good;
}

static bool each_member_of_each_answer_is_of_its_kind(void)
{
	bool good = true;

	for (size_t i = 0; i < countof(ASKED); i++)
		good &= answers_as_described(ASKED[i].op, ASKED[i].workspace, ASKED[i].collection,
					     ASKED[i].body, ASKED[i].member);
	return good;
}

static bool every_operation_that_there_is_is_looked_at(void)
{
	for (uint16_t op = OP_NONE + 1; op < OP_COUNT; op++) {
		bool found = false;

		for (size_t i = 0; i < countof(ASKED); i++)
			found |= ASKED[i].op == op;
		if (!found)
			printf("# %s\n", OPERATIONS[op].code);
		CHECK(found);
	}
	return true;
}

int main(void)
{
	if (!fixture_init(&f))
		return 1;
	RUN(each_member_of_each_answer_is_of_its_kind);
	RUN(every_operation_that_there_is_is_looked_at);
	fixture_done(&f);
	return tap_done();
}
