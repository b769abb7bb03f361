/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/log.h"
#include "common/proto/operations.h"
#include "service/engine/json.h"
#include "service/store/catalog.h"

static call_fn *const HANDLERS[OP_COUNT] = {
	[OP_ORGANIZATION_GET] = call_organization,
	[OP_WORKSPACE_LIST] = call_workspace_list,
	[OP_WORKSPACE_CREATE] = call_workspace_create,
	[OP_WORKSPACE_GET] = call_workspace_get,
	[OP_WORKSPACE_DELETE] = call_workspace_delete,
	[OP_COLLECTION_LIST_ALL] = call_collection_list,
	[OP_COLLECTION_LIST] = call_collection_list,
	[OP_COLLECTION_CREATE] = call_collection_create,
	[OP_COLLECTION_GET] = call_collection_get,
	[OP_COLLECTION_DELETE] = call_collection_delete,
	[OP_COLLECTION_ROTATE_KEY] = call_collection_rotate_key,
	[OP_OFFSETS_COMMIT] = call_offsets_commit,
	[OP_DOCUMENTS_ADD] = call_documents_add,
	[OP_DOCUMENTS_PATCH] = call_documents_patch,
	[OP_DOCUMENTS_DELETE] = call_documents_delete,
	[OP_QUERY] = call_query,
	[OP_QUERY_VALIDATE] = call_query_validate,
	[OP_USER_SELF] = call_user_self,
};

void call_run(struct call *call)
{
	call_fn *handler = call->op < OP_COUNT ? HANDLERS[call->op] : nullptr;

	if (!handler)
		call_fail(call, ERROR_NOTFOUND, nullptr, "There is no such operation.");
	else
		handler(call);
	if (call->http_status == 0 && buf_error(&call->out))
		call_fail_errno(call, buf_error(&call->out));
	if (call->http_status == 0)
		call->http_status = 200;
}

void call_fail_error(struct call *call, const struct error *error)
{
	buf_clear(&call->out);
	error_write(&call->out, error);
	call->http_status = error_status(error->type);
	json_text(&call->detail, "error", error_name(error->type));
	if (error->error_id && error->error_id[0])
		json_text(&call->detail, "error_id", error->error_id);
}

void call_fail(struct call *call, enum error_type type, const char *message_key, const char *format,
	       ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	call_fail_error(call, &(struct error) { .type = type,
						.message = message,
						.message_key = message_key,
						.request_id = call->request_id,
						.query_id = call->query_id });
}

void call_fail_errno(struct call *call, int r)
{
	static const struct {
		int r;
		enum error_type type;
		const char *text;
	} TEXTS[] = {
		{ -ENOMEM, ERROR_RESOURCEEXCEEDED,
		  "There is not enough memory for this request now." },
		{ -EMSGSIZE, ERROR_RESOURCEEXCEEDED, "The answer is too large." },
		{ -ENOSPC, ERROR_RESOURCEEXCEEDED, "The data volume is full." },
		{ -EBUSY, ERROR_SERVICEUNAVAILABLE, "The store is busy; try again." },
		{ -ENOKEY, ERROR_INTERNALERROR,
		  "The collection's encryption key is gone or damaged; without it nothing of the collection can be read." },
	};

	for (size_t i = 0; i < countof(TEXTS); i++)
		if (TEXTS[i].r == r) {
			call_fail(call, TEXTS[i].type, nullptr, "%s", TEXTS[i].text);
			return;
		}
	log_event(LOG_ERR, EVENT_REQUEST_FAILED, r, "request not carried out",
		  OPERATIONS[call->op].code);
	call_fail(call, ERROR_INTERNALERROR, nullptr,
		  "The request could not be carried out; the journal says why.");
}

void call_fail_catalog(struct call *call, int r)
{
	const char *workspace = call->workspace, *name = call->collection;

	if (r == CATALOG_NO_WORKSPACE)
		call_fail(call, ERROR_NOTFOUND, "WORKSPACE_NOT_FOUND",
			  "Workspace with name \"%.200s\" does not exist", workspace);
	else if (r == CATALOG_NO_COLLECTION)
		call_fail(call, ERROR_NOTFOUND, "COLLECTION_DOES_NOT_EXIST",
			  "Collection \"%.200s\" does not exist in workspace \"%.200s\"", name,
			  workspace);
	else if (r == CATALOG_NOT_EMPTY)
		call_fail(call, ERROR_DEPENDENTRESOURCES, nullptr,
			  "Workspace \"%.200s\" still has collections; delete them first.",
			  workspace);
	else if (r == CATALOG_BUILT_IN)
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "\"%.200s%s%.200s\" is built in and cannot be changed or deleted.",
			  workspace, name[0] ? "." : "", name);
	else if (r == CATALOG_FULL)
		call_fail(call, ERROR_RESOURCEEXCEEDED, nullptr,
			  "There are as many workspaces or collections as there may be.");
	else if (r == CATALOG_KEYS_UNAVAILABLE)
		call_fail_error(
			call,
			&(struct error) {
				.type = ERROR_SERVICEUNAVAILABLE,
				.message = "The encryption keys are not available now; try again.",
				.error_id = "keys_unavailable",
				.request_id = call->request_id });
	else if (r == CATALOG_KEYS_FULL)
		call_fail(
			call, ERROR_RESOURCEEXCEEDED, nullptr,
			"The key of \"%.200s.%.200s\" has been rotated as often as a key can be; a new collection has a new key.",
			workspace, name);
	else if (r < 0)
		call_fail_errno(call, r);
	else
		call_fail(call, ERROR_ALREADYEXISTS, nullptr, "It exists already.");
}

yyjson_doc *call_json(struct call *call)
{
	yyjson_read_err error = {};
	/* yyjson takes a changeable buffer only to read in place, which spares a copy of all texts. */
	yyjson_doc *doc = yyjson_read_opts(
		call->changeable ? call->changeable : (char *)(uintptr_t)call->body, call->body_len,
		call->changeable ? YYJSON_READ_INSITU : YYJSON_READ_NOFLAG, call->json, &error);

	call->json_fault = doc ? 0 : error.code;
	if (!doc && error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		call_fail_errno(call, -ENOMEM);
	else if (!doc)
		call_fail(call, ERROR_BADREQUEST, nullptr,
			  "The body is not valid JSON: %s at byte %zu.",
			  error.msg ? error.msg : "error", error.pos);
	else if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		call_fail(call, ERROR_BADREQUEST, nullptr, "The body must be a JSON object.");
	else
		return doc;
	yyjson_doc_free(doc);
	return nullptr;
}

bool call_text(struct call *call, yyjson_val *object, const char *name, size_t max,
	       const char **ret)
{
	yyjson_val *value = yyjson_obj_get(object, name);

	*ret = nullptr;
	if (!value || yyjson_is_null(value))
		return true;
	if (!yyjson_is_str(value) || strlen(yyjson_get_str(value)) != yyjson_get_len(value)) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr, "`%s` must be a string.", name);
		return false;
	}
	if (yyjson_get_len(value) > max) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`%s` must not be longer than %zu bytes.", name, max);
		return false;
	}
	*ret = yyjson_get_str(value);
	return true;
}

bool call_number(struct call *call, yyjson_val *object, const char *name, int64_t min, int64_t max,
		 int64_t *ret)
{
	yyjson_val *value = yyjson_obj_get(object, name);

	if (!value || yyjson_is_null(value))
		return true;
	bool fits = yyjson_is_int(value) &&
		    !(yyjson_is_uint(value) && yyjson_get_uint(value) > INT64_MAX) &&
		    yyjson_get_sint(value) >= min && yyjson_get_sint(value) <= max;
	if (!fits) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "`%s` must be a whole number from %lld to %lld.", name, (long long)min,
			  (long long)max);
		return false;
	}
	*ret = yyjson_get_sint(value);
	return true;
}

void call_query_id(const struct call *call, char ret[64])
{
	static const char DIGITS[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint8_t bytes[7];
	char text[8] = "0000000";

	if (crypto_random(bytes, sizeof(bytes)) == 0)
		for (size_t i = 0; i < sizeof(bytes); i++)
			text[i] = DIGITS[bytes[i] % (sizeof(DIGITS) - 1)];
	(void)snprintf(ret, 64, "%s:%s:0", call->request_id, text);
}

void call_user_self(struct call *call)
{
	const struct grant *grant = call->grant;
	struct buf *out = &call->out;

	json_open(out, nullptr);
	json_null(out, "created_at");
	json_text(out, "email", grant->email[0] ? grant->email : grant->person);
	json_text(out, "first_name", grant->person);
	json_null(out, "last_name");
	json_open_list(out, "roles");
	json_text(out, nullptr, grant->role);
	json_close_list(out);
	json_text(out, "state", "ACTIVE");
	json_close(out);
}
