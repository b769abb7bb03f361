/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/call.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/clock.h"
#include "common/names.h"
#include "common/proto/operations.h"
#include "service/engine/json.h"
#include "service/store/catalog.h"

constexpr size_t DESCRIPTION_MAX = 4096;
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

	if (!doc || !call_text(call, body, "name", NAME_RESOURCE_MAX, &workspace.name) ||
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
	static const char *const LISTS[] = { "sources",	       "field_mappings", "field_partitions",
					     "clustering_key", "field_schemas",	 "aliases" };

	for (size_t i = 0; i < countof(LISTS); i++) {
		json_open_list(out, LISTS[i]);
		json_close_list(out);
	}
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
	json_int(out, "fill_progress", 1);
	json_int(out, "last_updated_ms", (int64_t)(collection->updated_us / 1000));
	json_int(out, "total_size", collection->bytes);
	json_int(out, "bytes_inserted", collection->bytes);
	for (size_t i = 0; i < countof(ZEROS); i++)
		json_int(out, ZEROS[i], 0);
	json_close(out);
}

static bool put_collection(void *userdata, const struct collection *collection)
{
	struct call *call = userdata;
	struct buf *out = &call->out;
	bool created = call->op == OP_COLLECTION_CREATE;

	json_open(out, created || call->op == OP_COLLECTION_GET ? "data" : nullptr);
	json_time(out, "created_at", collection->created_us);
	json_text(out, "created_by", collection->created_by);
	buf_addf(out, ",\"rrn\":\"rrn:col:redoubt:%s\"", collection->uuid);
	json_text(out, "name", collection->name);
	json_text(out, "description", collection->description);
	json_text(out, "workspace", collection->workspace);
	json_text(out, "status", created ? "CREATED" : "READY");
	put_empty_lists(out);
	if (!created)
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
	static const char *const MEMBERS[] = { "field_mapping_query", "field_mappings", "sources",
					       "clustering_key", "event_time_info" };

	for (size_t i = 0; i < countof(MEMBERS); i++) {
		yyjson_val *value = yyjson_obj_get(body, MEMBERS[i]);
		yyjson_val *sql = yyjson_obj_get(value, "sql");
		bool empty = !value || yyjson_is_null(value) ||
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

static bool read_collection(struct call *call, yyjson_val *body, struct collection *ret)
{
	if (!call_text(call, body, "name", NAME_RESOURCE_MAX, &ret->name) ||
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
	struct collection collection = { .workspace = call->workspace,
					 .uuid = "",
					 .created_us = clock_wall_us(),
					 .created_by = call->grant->email,
					 .created_by_key = call->grant->key_name };

	if (!doc || !read_collection(call, yyjson_doc_get_root(doc), &collection))
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
	json_text(out, "storage_type", "HOT");
	json_close(out);
	json_close(out);
}
