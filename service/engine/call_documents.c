/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/call.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/msg.h"
#include "common/names.h"
#include "common/proto/operations.h"
#include "service/chunk/builder.h"
#include "service/engine/batch_text.h"
#include "service/engine/json.h"
#include "service/engine/members.h"
#include "service/store/catalog.h"
#include "service/store/documents.h"
#include "service/value/patch.h"

constexpr size_t REASON_MAX = 200;

/* A request for several documents. */
/* Why a document could not be read. */
struct fault {
	size_t index;
	char reason[REASON_MAX];
};

struct batch {
	struct str *id;		      /* [n] borrowed; at nullptr: none is known */
	enum document_status *status; /* [n] */
	char (*reason)[REASON_MAX];   /* [n] why a document has status DOCUMENT_ERROR */
	yyjson_val **patch;	      /* [n] a patch's operations, or nullptr */
	size_t n;
};

static void batch_done(struct batch *batch)
{
	free(batch->id);
	free(batch->status);
	free(batch->reason);
	free(batch->patch);
}

static void set_reason(struct batch *batch, size_t i, const char *text)
{
	batch->status[i] = DOCUMENT_ERROR;
	(void)snprintf(batch->reason[i], REASON_MAX, "%s", text);
}

/* Check that there is a list `data` of documents and make room for as many. */
static bool batch_init(struct call *call, yyjson_val *body, struct batch *ret)
{
	yyjson_val *data = yyjson_obj_get(body, "data");

	if (!members_known(call, body, MEMBERS_DOCUMENTS))
		return false;
	if (!yyjson_is_arr(data)) {
		call_fail(call, ERROR_BADREQUEST, nullptr, "`data` must be a list of documents.");
		return false;
	}
	ret->n = yyjson_arr_size(data);
	if (ret->n > DOCUMENTS_BATCH_MAX) {
		call_fail(call, ERROR_BADREQUEST, nullptr,
			  "Too many documents: %zu; a request takes at most %zu.", ret->n,
			  DOCUMENTS_BATCH_MAX);
		return false;
	}
	ret->id = calloc(ret->n + 1, sizeof(*ret->id));
	ret->status = calloc(ret->n + 1, sizeof(*ret->status));
	ret->reason = calloc(ret->n + 1, sizeof(*ret->reason));
	ret->patch = calloc(ret->n + 1, sizeof(*ret->patch));
	if (!ret->id || !ret->status || !ret->reason || !ret->patch) {
		call_fail_errno(call, -ENOMEM);
		return false;
	}
	return true;
}

/* Keep why a document could not be read. */
static int keep_fault(void *userdata, size_t index, const char *why)
{
	struct fault fault = { .index = index };

	(void)snprintf(fault.reason, sizeof(fault.reason), "%s", why);
	buf_add(userdata, &fault, sizeof(fault));
	return buf_error(userdata);
}

/* Read a body once more of which a number or a text is none: without the documents that hold these. Returns nullptr if it is to be refused. */
static yyjson_doc *read_mended(struct call *call, struct buf *faults)
{
	auto_buf struct buf whole = buf_make(EXECUTE_BODY_MAX), mended = buf_make(EXECUTE_BODY_MAX);
	struct call again = *call;

	if (call->changeable) { /* it was changed in being read */
		if (!call->memfd || msg_body_from_fd(*call->memfd, &whole))
			return nullptr;
		again.body = (const char *)whole.data;
		again.body_len = whole.len;
	}
	if (batch_text_mend(again.body, again.body_len, &mended, keep_fault, faults) ||
	    buf_error(&mended) || faults->len == 0)
		return nullptr;
	return yyjson_read_opts((char *)mended.data, mended.len, YYJSON_READ_NOFLAG, call->json,
				nullptr);
}

/* Read the body and make room for its documents; those that could not be read have a reason. Returns nullptr if the call has failed. */
static yyjson_doc *read_batch(struct call *call, struct batch *ret)
{
	auto_buf struct buf faults = buf_make(DOCUMENTS_BATCH_MAX * sizeof(struct fault));
	size_t recorded = call->detail.len;
	auto_json yyjson_doc *doc = call_json(call);

	if (!doc && (call->json_fault == YYJSON_READ_ERROR_INVALID_NUMBER ||
		     call->json_fault == YYJSON_READ_ERROR_INVALID_STRING))
		doc = read_mended(call, &faults);
	if (!doc)
		return nullptr;
	if (faults.len > 0) { /* it has not failed after all */
		call->detail.len = recorded;
		call->http_status = 0;
		buf_clear(&call->out);
	}
	if (!batch_init(call, yyjson_doc_get_root(doc), ret))
		return nullptr;
	for (size_t at = 0; at < faults.len; at += sizeof(struct fault)) {
		struct fault fault;

		memcpy(&fault, faults.data + at, sizeof(fault));
		if (fault.index < ret->n)
			set_reason(ret, fault.index, fault.reason);
	}
	return TAKE(doc);
}

static void put_id(struct buf *out, const struct str *id)
{
	json_null(out, "_id");
	if (!id->at)
		return;
	out->len -= out->len >= 4 ? 4 : 0; /* the null, which the id takes the place of */
	buf_add_json(out, id->at, id->len);
}

static void put_status(struct call *call, const struct batch *batch, size_t i, const char *patch_id)
{
	static const char *const STATUS[] = {
		[DOCUMENT_ADDED] = "ADDED",	[DOCUMENT_REPLACED] = "REPLACED",
		[DOCUMENT_DELETED] = "DELETED", [DOCUMENT_PATCHED] = "PATCHED",
		[DOCUMENT_ERROR] = "ERROR",	[DOCUMENT_ABSENT] = "ERROR"
	};
	enum document_status status = batch->status[i];
	struct buf *out = &call->out;
	bool absent = status == DOCUMENT_ABSENT;

	json_open(out, nullptr);
	json_text(out, "_collection", call->collection);
	put_id(out, &batch->id[i]);
	json_text(out, "status", STATUS[status]);
	if (absent || status == DOCUMENT_ERROR) {
		buf_add_str(out, ",\"error\":");
		error_write(out, &(struct error) {
					 .type = absent ? ERROR_NOTFOUND : ERROR_INVALIDINPUT,
					 .message = absent ? "There is no document with this _id."
							   : batch->reason[i],
					 .request_id = call->request_id });
	} else {
		json_null(out, "error");
	}
	json_text(out, "patch_id", status == DOCUMENT_PATCHED ? patch_id : nullptr);
	json_close(out);
}

/* The answer: one status for each document, in the order of the request. */
static void put_batch(struct call *call, const struct batch *batch)
{
	struct buf *out = &call->out;
	size_t failed = 0;
	char offset[64];

	json_open(out, nullptr);
	json_open_list(out, "data");
	for (size_t i = 0; i < batch->n; i++) {
		put_status(call, batch, i, call->request_id);
		failed += batch->status[i] >= DOCUMENT_ERROR;
	}
	json_close_list(out);
	(void)snprintf(offset, sizeof(offset), "f2:0:1:0:---%llu",
		       (unsigned long long)clock_wall_us());
	json_text(out, "last_offset", offset);
	json_close(out);
	json_int(&call->detail, "documents", (int64_t)batch->n);
	json_int(&call->detail, "failed", (int64_t)failed);
}

/* Take one document apart. Returns whether it is in the builder. */
static bool add_one(struct call *call, struct batch *batch, size_t i, yyjson_val *json,
		    uint64_t now_us)
{
	char id[64];
	int len = snprintf(id, sizeof(id), "%s-%zu", call->request_id, i + 1);
	int r = builder_add_json(call->builder, json, id, (size_t)len, now_us);

	if (r < 0 && call->http_status == 0)
		call_fail_errno(call, r);
	else if (r > 0)
		set_reason(batch, i, document_outcome_text((enum builder_outcome)r));
	return r == 0;
}

static bool ignore_collection(void *, const struct collection *)
{
	return false;
}

/* Store what is in the builder; what has become of each row goes to status. */
static int store_rows(struct call *call, enum document_status *status)
{
	uint8_t batch_id[DOCUMENTS_ID];

	if (builder_rows(call->builder) == 0)
		return catalog_is_built_in(call->workspace, call->collection)
			       ? CATALOG_BUILT_IN
			       : catalog_collections(call->store, call->workspace, call->collection,
						     ignore_collection, nullptr);
	int r = crypto_random(batch_id, sizeof(batch_id));
	return r ? r
		 : documents_add(call->store, call->workspace, call->collection, call->builder,
				 batch_id, status);
}

void call_documents_add(struct call *call)
{
	cleanup(batch_done) struct batch batch = {};
	auto_json yyjson_doc *doc = read_batch(call, &batch);
	yyjson_val *body = yyjson_doc_get_root(doc), *json;
	uint64_t now_us = clock_wall_us();
	size_t i, max;

	if (!doc)
		return;
	auto_free enum document_status *row = calloc(batch.n + 1, sizeof(*row));
	if (!row) {
		call_fail_errno(call, -ENOMEM);
		return;
	}
	yyjson_arr_foreach(yyjson_obj_get(body, "data"), i, max, json)
	{
		if (!batch.reason[i][0] && add_one(call, &batch, i, json, now_us))
			batch.status[i] = DOCUMENT_ADDED;
	}
	if (call->http_status)
		return;
	int r = store_rows(call, row);
	if (r) {
		call_fail_catalog(call, r);
		return;
	}
	uint32_t at = 0;
	for (i = 0; i < batch.n; i++)
		if (batch.status[i] != DOCUMENT_ERROR) {
			batch.id[i] = builder_id(call->builder, at);
			batch.status[i] = row[at++];
		}
	put_batch(call, &batch);
}

/* Take the _id of each member of data, and its patch if there has to be one. */
static void read_ids(struct batch *batch, yyjson_val *data, bool patch)
{
	size_t i, max;
	yyjson_val *json;

	yyjson_arr_foreach(data, i, max, json)
	{
		yyjson_val *id = yyjson_obj_get(json, "_id");
		const char *text = yyjson_get_str(id);
		size_t len = yyjson_get_len(id);

		if (batch->reason[i][0])
			continue;
		if (!text || len == 0 || len > DOCUMENT_ID_MAX) {
			set_reason(batch, i, document_outcome_text(BUILDER_BAD_ID));
			continue;
		}
		batch->id[i] = (struct str) { text, (uint32_t)len };
		batch->patch[i] = yyjson_obj_get(json, "patch");
		if (patch && !yyjson_is_arr(batch->patch[i]))
			set_reason(batch, i, "`patch` must be a list of operations.");
	}
}

static int change(void *userdata, size_t index, const struct value *old, struct buf *out)
{
	struct batch *batch = userdata;
	size_t operation = 0;
	int r = patch_apply(batch->patch[index], old, out, &operation);

	if (r > 0)
		(void)snprintf(batch->reason[index], REASON_MAX, "Operation %zu of the patch %s.",
			       operation + 1, patch_outcome_text((enum patch_outcome)r));
	return r;
}

void call_documents_patch(struct call *call)
{
	cleanup(batch_done) struct batch batch = {};
	auto_json yyjson_doc *doc = read_batch(call, &batch);
	yyjson_val *body = yyjson_doc_get_root(doc);

	if (!doc)
		return;
	read_ids(&batch, yyjson_obj_get(body, "data"), true);
	int r = documents_change(call->store, call->workspace, call->collection, batch.id, batch.n,
				 batch.status, change, &batch);
	if (r)
		call_fail_catalog(call, r);
	else
		put_batch(call, &batch);
}

void call_documents_delete(struct call *call)
{
	cleanup(batch_done) struct batch batch = {};
	auto_json yyjson_doc *doc = read_batch(call, &batch);
	yyjson_val *body = yyjson_doc_get_root(doc);

	if (!doc)
		return;
	read_ids(&batch, yyjson_obj_get(body, "data"), false);
	int r = documents_delete(call->store, call->workspace, call->collection, batch.id, batch.n,
				 batch.status);
	if (r)
		call_fail_catalog(call, r);
	else
		put_batch(call, &batch);
}

void call_offsets_commit(struct call *call)
{
	auto_json yyjson_doc *doc = call_json(call);
	yyjson_val *names = yyjson_obj_get(yyjson_doc_get_root(doc), "name"), *name;
	const char *fence = "";
	struct buf *out = &call->out;
	size_t i, max;

	if (!doc || !members_known(call, yyjson_doc_get_root(doc), MEMBERS_OFFSETS))
		return;
	int r = catalog_collections(call->store, call->workspace, call->collection,
				    ignore_collection, nullptr);
	if (r) {
		call_fail_catalog(call, r);
		return;
	}
	yyjson_arr_foreach(names, i, max, name)
	{
		if (!yyjson_is_str(name)) {
			call_fail(call, ERROR_INVALIDINPUT, nullptr,
				  "`name` must be a list of offsets.");
			return;
		}
		if (strcmp(yyjson_get_str(name), fence) > 0)
			fence = yyjson_get_str(name);
	}
	json_open(out, nullptr);
	json_open(out, "data");
	json_text(out, "fence", fence);
	json_bool(out, "passed", true);
	json_close(out);
	json_open(out, "offsets");
	json_text(out, "commit", fence);
	json_close(out);
	json_close(out);
}
