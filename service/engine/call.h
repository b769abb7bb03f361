/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * call: one operation of the API being carried out: who asks, for what, and the answer as it grows.
 *
 * Layer 7 (service/engine). A handler fills out and returns, or calls call_fail(). It belongs to one worker thread.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"
#include "service/api/error.h"

struct builder;
struct sql_session;
struct store;

constexpr size_t CALL_HEAD = 121; /* bytes that are kept of a query's text, with a NUL */

/* What a query may use now, and what other threads may know of it. */
struct call_query {
	uint64_t turn_us; /* it is cut off after so long; 0: it is not */
	size_t memory;	  /* bytes; 0: what any may have */
	bool again; /* out: it was cut off, or needs more memory: there is no answer, it is to be run once more */
	_Atomic uint64_t stop_us; /* by then it is to have ended; 0: it does not run */
	char head[CALL_HEAD];	  /* of its text */
	atomic_bool has_head;	  /* nobody changes head any more */
};

struct call {
	/* In. All borrowed. */
	struct store *store;
	struct sql_session *session;
	struct builder *builder; /* empty; for the documents of this request */
	const struct grant *grant;
	uint16_t op;
	const char *workspace, *collection, *request_id;
	const char *body; /* [body_len] */
	size_t body_len;
	const int *memfd; /* that the body came in, to read it once more, or nullptr */
	char *changeable; /* body, if YYJSON_PADDING_SIZE zeros follow and it is read once; else nullptr */
	const yyjson_alc *json; /* for the body's tree; nullptr: malloc's */
	const atomic_bool *cancel;
	uint64_t started_us;	  /* clock_mono_us() */
	size_t answer_max;	  /* bytes of an answer for which there is room now */
	struct call_query *query; /* or nullptr: no limits but its own */
	/* Tells the ledger, with what detail holds, that target is about to be read. Not 0: the call has failed. Or nullptr. */
	int (*announce)(struct call *call, const char *target);
	void *announce_data;

	/* Out. */
	struct buf out;	      /* the answer's JSON */
	uint16_t http_status; /* 0 until it is known; then out is an error */
	struct buf detail;    /* members of the ledger's detail, `"rows":3` */
	uint32_t json_fault;  /* yyjson_read_code: why the body is no JSON */
	const char *query_id; /* goes into errors; may be nullptr */
};

typedef void call_fn(struct call *call);

/* Do it, whatever call->op is: the table of handlers. Anything can be asked for; what is not known is an error. */
void call_run(struct call *call);

/* End with an error of the API. What out held is dropped. */
[[gnu::format(printf, 4, 5)]] void call_fail(struct call *call, enum error_type type,
					     const char *message_key, const char *format, ...);

/* End with an error that has a place in the query. */
void call_fail_error(struct call *call, const struct error *error);

/* End with what a fault below (a negative errno) means to the client. */
void call_fail_errno(struct call *call, int r);

/* End with what an outcome of catalog.h means; fault as call_fail_errno(). */
void call_fail_catalog(struct call *call, int r);

/* The body as a JSON object; nullptr, and the call has failed, if it is none. Free with yyjson_doc_free(). */
[[nodiscard]] yyjson_doc *call_json(struct call *call);

static inline yyjson_doc *call_json_free(yyjson_doc *doc)
{
	yyjson_doc_free(doc);
	return nullptr;
}
CLEANUP_FN(yyjson_doc, call_json_free)
#define auto_json cleanup(call_json_free_at)

/* An optional string member of at most max bytes: nullptr if absent or null. Returns false, and the call has failed, if it is something else. */
[[nodiscard]] bool call_text(struct call *call, yyjson_val *object, const char *name, size_t max,
			     const char **ret);

/* An optional whole number in [min, max]: *ret is left alone if absent or null. Returns false, and the call has failed, if it is something else. */
[[nodiscard]] bool call_number(struct call *call, yyjson_val *object, const char *name, int64_t min,
			       int64_t max, int64_t *ret);

/* Write an id such as 3f0c…:k3x9a0b:0 for the query this call runs. */
void call_query_id(const struct call *call, char ret[64]);

/* The handlers. */

/* GET the organisation. */
void call_organization(struct call *call);

/* GET workspaces. */
void call_workspace_list(struct call *call);

/* POST a workspace. */
void call_workspace_create(struct call *call);

/* GET a workspace. */
void call_workspace_get(struct call *call);

/* DELETE a workspace. */
void call_workspace_delete(struct call *call);

/* GET collections, of one workspace or of all. */
void call_collection_list(struct call *call);

/* POST a collection. */
void call_collection_create(struct call *call);

/* GET a collection. */
void call_collection_get(struct call *call);

/* DELETE a collection. */
void call_collection_delete(struct call *call);

/* POST for a new key of a collection. */
void call_collection_rotate_key(struct call *call);

/* POST offsets: what is written is visible, so the answer is always yes. */
void call_offsets_commit(struct call *call);

/* POST documents. */
void call_documents_add(struct call *call);

/* PATCH documents. */
void call_documents_patch(struct call *call);

/* DELETE documents. */
void call_documents_delete(struct call *call);

/* POST a query. */
void call_query(struct call *call);

/* POST a query for checking only. */
void call_query_validate(struct call *call);

/* GET who one is. */
void call_user_self(struct call *call);
