/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/call.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/names.h"
#include "common/proto/operations.h"
#include "service/chunk/chunk_key.h"
#include "service/engine/json.h"
#include "service/engine/members.h"
#include "service/store/catalog.h"

constexpr size_t DESCRIPTION_MAX = 4096;
constexpr size_t CLUSTERING_FIELD_MAX = 256; /* bytes of one field of a clustering key */
constexpr int64_t RETENTION_MIN = 3600;
constexpr int64_t RETENTION_MAX = INT64_C(10) * 365 * 86400; /* Rockset: below ten years */

void call_organization(struct call *call)
{
	struct organization organization;
	struct buf *out = &call->out;
	int r = catalog_organization(call->store, &organization);

	if (r) {
		call_fail_errno(call, r);
		return;
	}
	json_open(out, nullptr);
	json_open(out, "data");
	json_text(out, "id", organization.id);
	json_time(out, "created_at", organization.created_us);
	json_text(out, "display_name", "Redoubt");
	json_text(out, "company_name", "Redoubt");
	json_text(out, "external_id", organization.id);
	json_null(out, "rockset_user");
	json_open_list(out, "clusters");
	json_open(out, nullptr);
	json_text(out, "id", organization.id);
	json_text(out, "cluster_type", "PUBLIC");
	json_text(out, "aws_region", "");
	json_text(out, "domain", "");
	json_text(out, "top_level_domain", "");
	json_text(out, "apiserver_url", "");
	json_close(out);
	json_close_list(out);
	json_null(out, "sso_connection");
	json_bool(out, "sso_only", false);
	json_close(out);
	json_close(out);
}

static bool put_workspace(void *userdata, const struct workspace *workspace)
{
	struct call *call = userdata;
	struct buf *out = &call->out;

	json_open(out, call->op == OP_WORKSPACE_LIST ? nullptr : "data");
	json_time(out, "created_at", workspace->created_us);
	json_text(out, "created_by", workspace->created_by);
	json_text(out, "name", workspace->name);
	json_text(out, "description", workspace->description);
	json_int(out, "collection_count", workspace->collections);
	json_close(out);
	return true;
}

void call_workspace_list(struct call *call)
{
	json_open(&call->out, nullptr);
	json_open_list(&call->out, "data");
	int r = catalog_workspaces(call->store, nullptr, put_workspace, call);
	json_close_list(&call->out);
	json_close(&call->out);
	if (r)
		call_fail_catalog(call, r);
}

void call_workspace_get(struct call *call)
{
	json_open(&call->out, nullptr);
	int r = catalog_workspaces(call->store, call->workspace, put_workspace, call);
	json_close(&call->out);
	if (r)
		call_fail_catalog(call, r);
}

void call_workspace_create(struct call *call)
{
	auto_json yyjson_doc *doc = call_json(call);
	struct workspace workspace = { .created_us = clock_wall_us(),
				       .created_by = call->grant->email };
	yyjson_val *body = yyjson_doc_get_root(doc);

	if (!doc || !members_known(call, body, MEMBERS_WORKSPACE) ||
	    !call_text(call, body, "name", NAME_RESOURCE_MAX, &workspace.name) ||
	    !call_text(call, body, "description", DESCRIPTION_MAX, &workspace.description))
		return;
	if (!workspace.name || !name_is_workspace(workspace.name, strlen(workspace.name))) {
		call_fail(
			call, ERROR_INVALIDINPUT, nullptr,
			"`name` must be letters, digits, dashes and underscores; dots may join several.");
		return;
	}
	json_text(&call->detail, "name", workspace.name);
	int r = catalog_workspace_create(call->store, &workspace);
	if (r == CATALOG_EXISTS) {
		call_fail(call, ERROR_ALREADYEXISTS, nullptr,
			  "Workspace with name \"%.200s\" already exists", workspace.name);
	} else if (r) {
		call_fail_catalog(call, r);
	} else {
		json_open(&call->out, nullptr);
		(void)put_workspace(call, &workspace);
		json_close(&call->out);
	}
}

void call_workspace_delete(struct call *call)
{
	struct buf *out = &call->out;

	call_workspace_get(call);
	if (call->http_status)
		return;
	int r = catalog_workspace_delete(call->store, call->workspace);
	if (r)
		call_fail_catalog(call, r);
	else if (buf_error(out))
		call_fail_errno(call, buf_error(out));
}

/* What every collection has, and is empty here. */
static void put_empty_lists(struct buf *out)
{
	static const char *const LISTS[] = { "sources", "field_mappings", "field_partitions",
					     "field_schemas", "aliases" };

	for (size_t i = 0; i < countof(LISTS); i++) {
		json_open_list(out, LISTS[i]);
		json_close_list(out);
	}
}

/* The fields of a clustering key as the catalog has it; nullptr: none. */
static void put_clustering_key(struct buf *out, const char *key)
{
	char name[CLUSTERING_FIELD_MAX + 1];

	json_open_list(out, "clustering_key");
	for (const char *at = key; at;) {
		const char *end = strchr(at, CHUNK_KEY_BETWEEN);
		int len = end ? (int)(end - at) : (int)strlen(at);

		(void)snprintf(name, sizeof(name), "%.*s", len, at);
		json_open(out, nullptr);
		json_text(out, "field_name", name);
		json_text(out, "type", "AUTO");
		json_open_list(out, "keys");
		json_close_list(out);
		json_close(out);
		at = end ? end + 1 : nullptr;
	}
	json_close_list(out);
}

static void put_stats(struct buf *out, const struct collection *collection)
{
	static const char *const ZEROS[] = {
		"purged_doc_size",   "total_index_size",    "row_index_size",
		"column_index_size", "inverted_index_size", "range_index_size",
		"bytes_overwritten", "bulk_bytes_inserted", "bulk_bytes_overwritten",
		"last_queried_ms",
	};

	json_open(out, "stats");
	json_int(out, "doc_count", collection->documents);
	json_int(out, "purged_doc_count", collection->purged);
	json_raw(out, "fill_progress", "1.0",
		 3); /* a fraction: clients refuse it without its point */
	json_int(out, "last_updated_ms", (int64_t)(collection->updated_us / 1000));
	json_int(out, "total_size", collection->bytes);
	json_int(out, "bytes_inserted", collection->bytes);
	for (size_t i = 0; i < countof(ZEROS); i++)
		json_int(out, ZEROS[i], 0);
	json_close(out);
}

/* Ours: which key seals what is written now, and since when if it is not the first. */
static void put_key(struct buf *out, const struct collection *collection)
{
	if (collection->key_version == 0) {
		json_null(out, "encryption_key");
		return;
	}
	json_open(out, "encryption_key");
	json_int(out, "version", collection->key_version);
	if (collection->key_version > 1)
		json_time(out, "rotated_at", collection->key_made_us);
	else
		json_null(out, "rotated_at");
	json_close(out);
}

static const char *status_of(const struct call *call, const struct collection *collection)
{
	if (collection->key_lost)
		return "ENCRYPTION_KEY_ERROR";
	return call->op == OP_COLLECTION_CREATE ? "CREATED" : "READY";
}

static bool put_collection(void *userdata, const struct collection *collection)
{
	struct call *call = userdata;
	struct buf *out = &call->out;
	bool listed = call->op == OP_COLLECTION_LIST || call->op == OP_COLLECTION_LIST_ALL;

	json_open(out, listed ? nullptr : "data");
	json_time(out, "created_at", collection->created_us);
	json_text(out, "created_by", collection->created_by);
	buf_addf(out, ",\"rrn\":\"rrn:col:redoubt:%s\"", collection->uuid);
	json_text(out, "name", collection->name);
	json_text(out, "description", collection->description);
	json_text(out, "workspace", collection->workspace);
	json_text(out, "status", status_of(call, collection));
	put_empty_lists(out);
	put_clustering_key(out, collection->clustering_key);
	if (call->op != OP_COLLECTION_CREATE)
		put_stats(out, collection);
	if (collection->retention_secs > 0)
		json_int(out, "retention_secs", collection->retention_secs);
	else
		json_null(out, "retention_secs");
	json_null(out, "field_mapping_query");
	json_null(out, "ingest_virtual_instance_id");
	json_bool(out, "read_only", collection->built_in);
	json_text(out, "storage_type", "HOT");
	json_text(out, "storage_compression_type", collection->compression);
	json_text(out, "created_by_apikey_name", collection->created_by_key);
	json_bool(out, "insert_only", false);
	json_bool(out, "enable_exactly_once_writes", false);
	put_key(out, collection);
	json_close(out);
	return true;
}

void call_collection_list(struct call *call)
{
	const char *workspace = call->op == OP_COLLECTION_LIST ? call->workspace : nullptr;

	json_open(&call->out, nullptr);
	json_open_list(&call->out, "data");
	int r = catalog_collections(call->store, workspace, nullptr, put_collection, call);
	json_close_list(&call->out);
	json_close(&call->out);
	if (r)
		call_fail_catalog(call, r);
}

void call_collection_get(struct call *call)
{
	json_open(&call->out, nullptr);
	int r = catalog_collections(call->store, call->workspace, call->collection, put_collection,
				    call);
	json_close(&call->out);
	if (r)
		call_fail_catalog(call, r);
}

/* What would change how documents are stored, and is not there yet, must not be passed over in silence. */
static bool has_unavailable(struct call *call, yyjson_val *body)
{
	static const char *const MEMBERS[] = { "field_mapping_query",
					       "field_mappings",
					       "sources",
					       "event_time_info",
					       "source_download_soft_limit_bytes",
					       "insert_only",
					       "enable_exactly_once_writes",
					       "ingest_virtual_instance_id",
					       "field_schemas",
					       "field_partitions" };

	for (size_t i = 0; i < countof(MEMBERS); i++) {
		yyjson_val *value = yyjson_obj_get(body, MEMBERS[i]);
		yyjson_val *sql = yyjson_obj_get(value, "sql");
		bool empty = !value || yyjson_is_null(value) || yyjson_is_false(value) ||
			     yyjson_equals_str(value, "") ||
			     (yyjson_is_ctn(value) && yyjson_get_len(value) == 0) ||
			     (sql && (yyjson_is_null(sql) || yyjson_equals_str(sql, "")));

		if (!empty) {
			call_fail(call, ERROR_NOTIMPLEMENTEDYET, nullptr,
				  "`%s` is not available yet; the collection was not created.",
				  MEMBERS[i]);
			return true;
		}
	}
	return false;
}

/* Names with dots between, none of them empty, and no byte that the catalog's list could not hold. */
static bool is_path(const char *path)
{
	for (const char *at = path; *at; at++)
		if ((uint8_t)*at < ' ' || (*at == '.' && (at == path || at[-1] == '.')))
			return false;
	return path[0] && path[strlen(path) - 1] != '.';
}

/* Add a field of a clustering key to the list. Returns false, and the call has failed, if it is none. */
static bool read_clustering_field(struct call *call, yyjson_val *field, struct buf *list)
{
	const char *name = nullptr, *type = nullptr;
	yyjson_val *keys = yyjson_obj_get(field, "keys");

	if (!yyjson_is_obj(field)) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`clustering_key` must be a list of objects with a `field_name`.");
		return false;
	}
	if (!members_known(call, field, MEMBERS_CLUSTERING_KEY) ||
	    !call_text(call, field, "field_name", CLUSTERING_FIELD_MAX, &name) ||
	    !call_text(call, field, "type", 16, &type))
		return false;
	if (!name || !is_path(name))
		call_fail(
			call, ERROR_INVALIDINPUT, nullptr,
			"`field_name` in `clustering_key` must be a field or, with dots between, a path of fields.");
	else if (type && strcmp(type, "AUTO") != 0)
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`type` in `clustering_key` must be AUTO.");
	else if (yyjson_get_len(keys) > 0 ||
		 (keys && !yyjson_is_null(keys) && !yyjson_is_arr(keys)))
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`keys` in `clustering_key` must be left out.");
	if (call->http_status)
		return false;
	if (list->len > 0)
		buf_add(list, &CHUNK_KEY_BETWEEN, 1);
	buf_add_str(list, name);
	return true;
}

/* A list of fields becomes the text that the catalog has; nullptr: none. list holds it. */
static bool read_clustering_key(struct call *call, yyjson_val *body, struct buf *list,
				const char **ret)
{
	yyjson_val *fields = yyjson_obj_get(body, "clustering_key"), *field;
	size_t i, max;

	if (!fields || yyjson_is_null(fields))
		return true;
	if (!yyjson_is_arr(fields) || yyjson_arr_size(fields) > CHUNK_KEY_FIELDS) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`clustering_key` must be a list of at most %zu fields.",
			  CHUNK_KEY_FIELDS);
		return false;
	}
	yyjson_arr_foreach(fields, i, max, field)
	{
		if (!read_clustering_field(call, field, list))
			return false;
	}
	if (list->len == 0 && !buf_error(list))
		return true;
	*ret = buf_text(list);
	if (!*ret)
		call_fail_errno(call, buf_error(list));
	return *ret;
}

static bool read_collection(struct call *call, yyjson_val *body, struct collection *ret)
{
	if (!members_known(call, body, MEMBERS_COLLECTION) ||
	    !call_text(call, body, "name", NAME_RESOURCE_MAX, &ret->name) ||
	    !call_text(call, body, "description", DESCRIPTION_MAX, &ret->description) ||
	    !call_text(call, body, "storage_compression_type", 16, &ret->compression) ||
	    !call_number(call, body, "retention_secs", RETENTION_MIN, RETENTION_MAX,
			 &ret->retention_secs))
		return false;
	if (!ret->name || !name_is_collection(ret->name, strlen(ret->name)))
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`name` must be letters, digits, dashes and underscores.");
	else if (ret->compression && strcmp(ret->compression, "LZ4") != 0 &&
		 strcmp(ret->compression, "ZSTD") != 0)
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`storage_compression_type` must be LZ4 or ZSTD.");
	else
		return !has_unavailable(call, body);
	return false;
}

void call_collection_create(struct call *call)
{
	auto_json yyjson_doc *doc = call_json(call);
	auto_buf struct buf key = buf_make(CHUNK_KEY_FIELDS * (CLUSTERING_FIELD_MAX + 1));
	struct collection collection = { .workspace = call->workspace,
					 .uuid = "",
					 .created_us = clock_wall_us(),
					 .created_by = call->grant->email,
					 .created_by_key = call->grant->key_name };

	if (!doc || !read_collection(call, yyjson_doc_get_root(doc), &collection) ||
	    !read_clustering_key(call, yyjson_doc_get_root(doc), &key, &collection.clustering_key))
		return;
	json_text(&call->detail, "name", collection.name);
	call->collection = collection.name;
	int r = catalog_collection_create(call->store, &collection);
	if (r == CATALOG_EXISTS) {
		call_fail(call, ERROR_ALREADYEXISTS, nullptr,
			  "Collection \"%.200s\" already exists in workspace \"%.200s\"",
			  collection.name, call->workspace);
		return;
	}
	json_open(&call->out, nullptr);
	if (r == 0)
		r = catalog_collections(call->store, call->workspace, collection.name,
					put_collection, call);
	json_close(&call->out);
	if (r)
		call_fail_catalog(call, r);
	call->collection = "";
}

void call_collection_delete(struct call *call)
{
	struct buf *out = &call->out;
	int r = catalog_collection_delete(call->store, call->workspace, call->collection);

	if (r) {
		call_fail_catalog(call, r);
		return;
	}
	json_open(out, nullptr);
	json_open(out, "data");
	json_text(out, "name", call->collection);
	json_text(out, "workspace", call->workspace);
	put_empty_lists(out);
	put_clustering_key(out, nullptr);
	json_text(out, "storage_type", "HOT");
	json_close(out);
	json_close(out);
}

/* The collection as GET has it; which key it has now also goes into the ledger. */
static bool put_rotated(void *userdata, const struct collection *collection)
{
	struct call *call = userdata;

	json_int(&call->detail, "key_version", collection->key_version);
	return put_collection(call, collection);
}

void call_collection_rotate_key(struct call *call)
{
	int r = catalog_collection_rotate(call->store, call->workspace, call->collection);

	json_open(&call->out, nullptr);
	if (r == 0)
		r = catalog_collections(call->store, call->workspace, call->collection, put_rotated,
					call);
	json_close(&call->out);
	if (r)
		call_fail_catalog(call, r);
}
