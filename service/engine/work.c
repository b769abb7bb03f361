/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/work.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <yyjson.h>

#include "common/clock.h"
#include "common/heap.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/proto/audit.h"
#include "common/proto/operations.h"
#include "service/chunk/builder.h"
#include "service/engine/call.h"
#include "service/engine/flow.h"
#include "service/engine/json.h"
#include "service/sql/sql.h"
#include "service/store/documents.h"
#include "service/store/store.h"

struct worker {
	struct store *store;
	struct sql_session *session;
	/* Kept from request to request, because they are alike, until the worker rests: */
	struct builder *builder;
	struct buf body;
	void *tree; /* [tree_room()] room for the body's JSON, of which what was never needed takes no memory */
	yyjson_alc json;

	struct audit_client *audit;
	const struct secret *grant_key;
	struct grant grant;	      /* of the request at hand */
	struct audit_event event;     /* too large for a stack */
	const struct job *job;	      /* at hand */
	char target[ACCESS_NAME_MAX]; /* what it reads, once that is known; else "" */
	bool announced;		      /* the ledger has been sent what is about to be read */
};

/* What the largest body's tree takes at worst. */
static size_t tree_room(void)
{
	return yyjson_read_max_memory_usage(EXECUTE_BODY_MAX, YYJSON_READ_NOFLAG);
}

/* Get room for trees from the kernel; documents in clear do not belong in a core. */
static int make_tree_room(struct worker *worker)
{
	void *room = mmap(nullptr, tree_room(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return neg_errno();
	worker->tree = room;
	(void)madvise(room, tree_room(), MADV_DONTDUMP);
	return yyjson_alc_pool_init(&worker->json, room, tree_room()) ? 0 : -EINVAL;
}

int worker_new(struct store *store, struct exec *exec, const struct secret *grant_key,
	       struct worker **ret)
{
	cleanup(worker_free_at) struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return -ENOMEM;
	worker->store = store;
	worker->body = buf_make(EXECUTE_BODY_MAX + YYJSON_PADDING_SIZE);
	worker->grant_key = grant_key;
	int r = sql_session_new(store, exec, &worker->session);
	if (r == 0)
		r = builder_new(&worker->builder);
	if (r == 0)
		r = make_tree_room(worker);
	if (r == 0)
		r = audit_client_new("audit-engine.sock", &worker->audit);
	if (r)
		return r;
	*ret = TAKE(worker);
	return 0;
}

struct worker *worker_free(struct worker *worker)
{
	if (worker) {
		sql_session_free(worker->session);
		builder_free(worker->builder);
		buf_done(&worker->body);
		if (worker->tree)
			(void)munmap(worker->tree, tree_room());
		audit_client_free(worker->audit);
	}
	free(worker);
	return nullptr;
}

/*
 * Check that front may ask for this: the grant is accounts', was fresh when the request came (which may have waited
 * for its turn since), and for this very request. The privilege is looked at once more, so that a mistake in accounts'
 * table alone opens nothing.
 */
static bool check_grant(struct worker *worker, const struct job *job)
{
	const struct execute *execute = &job->execute;
	struct grant *grant = &worker->grant;

	return grant_open(execute->grant.data, execute->grant.len, worker->grant_key,
			  job->started_us, grant) &&
	       grant->op == execute->op && execute->op != OP_NONE &&
	       strcmp(grant->workspace, execute->workspace) == 0 &&
	       strcmp(grant->request_id, execute->request_id) == 0 &&
	       grant_allows(grant->privileges, OPERATIONS[execute->op].privilege);
}

/* Get the body out of its memfd, if it came in one. Returns false, and the call has failed, if that is not possible. */
static bool read_body(struct call *call, struct job *job, struct buf *room)
{
	if (job->fd < 0) {
		call->body = (const char *)job->execute.body.data;
		call->body_len = job->execute.body.len;
		return true;
	}
	buf_clear(room);
	int r = msg_body_from_fd(job->fd, room);
	call->memfd = &job->fd;
	if (r == 0 && room->len > EXECUTE_BODY_MAX)
		r = MSG_MALFORMED;
	uint8_t *padding = r ? nullptr : buf_reserve(room, YYJSON_PADDING_SIZE);
	if (padding)
		memset(padding, 0, YYJSON_PADDING_SIZE);
	call->body = (const char *)room->data;
	call->body_len = room->len;
	call->changeable = padding ? (char *)room->data : nullptr;
	if (r == MSG_MALFORMED)
		call_fail(call, ERROR_CONTENTTOOLARGE, nullptr,
			  "The request is larger than %zu MiB.", EXECUTE_BODY_MAX >> 20);
	else if (r)
		call_fail_errno(call, r);
	return r == 0;
}

/* Fill the worker's event with what is known of the request. */
static void describe(struct worker *worker, const struct job *job, enum audit_outcome outcome,
		     uint64_t intent)
{
	struct audit_event *event = &worker->event;
	const struct grant *grant = &worker->grant;
	const struct execute *execute = &job->execute;
	bool both = execute->workspace[0] && execute->collection[0];

	*event = (struct audit_event) { .decision = AUDIT_ALLOW,
					.outcome = outcome,
					.intent = intent };
	(void)snprintf(event->code, sizeof(event->code), "%s", OPERATIONS[execute->op].code);
	(void)snprintf(event->actor_kind, sizeof(event->actor_kind), "api-key");
	(void)snprintf(event->actor, sizeof(event->actor), "%.200s/%.15s", grant->person,
		       grant->key_id);
	(void)snprintf(event->source, sizeof(event->source), "%s", grant->source);
	(void)snprintf(event->target, sizeof(event->target), "%.127s%s%.127s", execute->workspace,
		       both ? "." : "", execute->collection);
	if (worker->target[0])
		(void)snprintf(event->target, sizeof(event->target), "%s", worker->target);
	(void)snprintf(event->request_id, sizeof(event->request_id), "%s", execute->request_id);
}

/* Put the call's detail into the event; without memory for it the event says at least the status. */
static void put_detail(struct worker *worker, struct call *call)
{
	const char *text = buf_text(&call->detail);
	int len = snprintf(worker->event.detail, sizeof(worker->event.detail), "{%s}",
			   text ? text : "");

	if (!text || len < 0 || (size_t)len >= sizeof(worker->event.detail))
		(void)snprintf(worker->event.detail, sizeof(worker->event.detail),
			       "{\"status\":%u}", call->http_status);
}

/* Record how the request ended. Returns 0, AUDIT_UNAVAILABLE or AUDIT_TOO_MUCH. */
static int record_end(struct worker *worker, const struct job *job, struct call *call,
		      uint64_t intent)
{
	bool good = call->http_status < 400;

	json_int(&call->detail, "status", call->http_status);
	json_int(&call->detail, "ms", (int64_t)((clock_mono_us() - job->started_us) / 1000));
	describe(worker, job, good ? AUDIT_DONE : AUDIT_FAILED, intent);
	put_detail(worker, call);
	return audit_append(worker->audit, &worker->event, nullptr);
}

/* End with that the ledger does not take it; why is an AUDIT_*. */
static void fail_unrecorded(struct call *call, int why)
{
	if (why == AUDIT_TOO_MUCH) {
		call_fail(
			call, ERROR_RATELIMITEXCEEDED, nullptr,
			"This API key has used up its share of the room that the audit ledger has left; try again in an hour, or ask an admin to make room.");
		return;
	}

	call_fail_error(
		call,
		&(struct error) {
			.type = ERROR_SERVICEUNAVAILABLE,
			.message =
				"The audit ledger cannot record the request, so it was not carried out.",
			.request_id = call->request_id,
			.error_id = "audit_unavailable" });
}

/* Say that the clients of this key are to read what they have asked for. */
static void fail_unread(struct call *call)
{
	call_fail(
		call, ERROR_RESOURCEEXCEEDED, nullptr,
		"Too much of what this API key has asked for is still being read; read it, then ask again.");
}

/*
 * Take credit for an answer that goes by memfd.
 *
 * done  it says what has been done: it is sent in any case
 */
static void claim(struct worker *worker, const struct job *job, struct call *call, bool done)
{
	if (job->flow && call->out.len > MSG_INLINE_MAX &&
	    !flow_take(job->flow, worker->grant.key_id, job->connection, job->id, call->out.len,
		       done))
		fail_unread(call);
}

/* Whether an operation takes room and gives none back. */
static bool grows(uint16_t op)
{
	return op == OP_DOCUMENTS_ADD || op == OP_DOCUMENTS_PATCH || op == OP_COLLECTION_CREATE ||
	       op == OP_WORKSPACE_CREATE;
}

/* Carry out what changes something: recorded as an intent before, with its outcome after. */
static void run_write(struct worker *worker, const struct job *job, struct call *call)
{
	uint64_t intent = AUDIT_NO_INTENT;

	if (call->answer_max < FLOW_WRITE_ROOM) {
		fail_unread(call);
		return;
	}
	describe(worker, job, AUDIT_INTENT, AUDIT_NO_INTENT);
	int r = audit_append(worker->audit, &worker->event, &intent);
	if (r) {
		fail_unrecorded(call, r);
		return;
	}
	if (grows(call->op) && !store_has_room(worker->store))
		call_fail_errno(call, -ENOSPC);
	else
		call_run(call);
	claim(worker, job, call, true);
	/* It has happened, and the intent says so: an outcome that cannot be recorded is in the journal. */
	(void)!record_end(worker, job, call, intent);
}

/* Send the ledger what is about to be read; it is durable before the answer leaves. Returns 0, or AUDIT_UNAVAILABLE: the call has failed. */
static int announce(struct worker *worker, struct call *call)
{
	describe(worker, worker->job, AUDIT_INTENT, AUDIT_NO_INTENT);
	if (call->detail.len > 0)
		put_detail(worker, call);
	int r = audit_announce(worker->audit, &worker->event);
	if (r) {
		fail_unrecorded(call, r);
		return r;
	}
	worker->announced = true;
	buf_clear(&call->detail); /* it need not be said twice */
	return 0;
}

static int announce_query(struct call *call, const char *target)
{
	struct worker *worker = call->announce_data;

	(void)snprintf(worker->target, sizeof(worker->target), "%s", target);
	return announce(worker, call);
}

/*
 * Carry out what only reads. The ledger is sent what is about to be read, of a query once that is known, and the outcome; the
 * answer leaves when both are durable. A query that is refused before anything is read leaves one entry, with its text.
 */
static void run_read(struct worker *worker, const struct job *job, struct call *call)
{
	call->announce = announce_query;
	call->announce_data = worker;
	if (call->op != OP_QUERY && announce(worker, call))
		return;
	call_run(call);
	bool again = call->query && call->query->again;

	if (again && !worker->announced)
		return; /* nothing has been read yet */
	if (again)
		json_bool(&call->detail, "again", true); /* it is announced anew */
	else
		claim(worker, job, call, false);
	int r = record_end(worker, job, call,
			   worker->announced ? AUDIT_LAST_INTENT : AUDIT_NO_INTENT);
	if (r && !again)
		fail_unrecorded(call, r);
}

/* Move the answer into the job, as a memfd if it is long. */
static void keep_answer(struct job *job, struct call *call)
{
	if (call->out.len > MSG_INLINE_MAX) {
		int r = msg_body_to_fd(call->out.data, call->out.len, &job->answer_fd);

		if (r)
			call_fail_errno(call, r);
		else
			buf_done(&call->out);
	}
	job->http_status = call->http_status;
	job->answer = call->out;
	call->out = (struct buf) {};
}

void worker_run(struct worker *worker, struct job *job)
{
	const struct execute *execute = &job->execute;
	worker->job = job;
	worker->announced = false;
	worker->target[0] = '\0';
	struct call call = { .store = worker->store,
			     .session = worker->session,
			     .builder = worker->builder,
			     .json = &worker->json,
			     .grant = &worker->grant,
			     .op = execute->op,
			     .workspace = execute->workspace,
			     .collection = execute->collection,
			     .request_id = execute->request_id,
			     .cancel = &job->cancel,
			     .query = &job->query,
			     .started_us = job->started_us,
			     .out = buf_make(RESULT_BODY_MAX),
			     .detail = buf_make(AUDIT_DETAIL_MAX - 64) };

	if (!check_grant(worker, job)) {
		log_event(LOG_WARNING, EVENT_ACCESS, 0, "grant refused",
			  OPERATIONS[execute->op].code);
		call_fail(&call, ERROR_AUTHEXCEPTION, nullptr,
			  "The request could not be authorised; try again.");
	} else if (atomic_load(&job->cancel)) {
		call_fail(&call, ERROR_QUERY_CANCELLED, nullptr, "The request was cancelled.");
	} else if (read_body(&call, job, &worker->body)) {
		call.answer_max =
			job->flow ? flow_room(job->flow, worker->grant.key_id) : RESULT_BODY_MAX;
		if (OPERATIONS[execute->op].kind == OPERATION_WRITES)
			run_write(worker, job, &call);
		else
			run_read(worker, job, &call);
	}
	builder_clear(worker->builder);
	keep_answer(job, &call);
	buf_done(&call.out);
	buf_done(&call.detail);
}

void worker_rest(struct worker *worker)
{
	struct builder *fresh = nullptr;

	if (builder_new(&fresh))
		return;
	builder_free(worker->builder);
	worker->builder = fresh;
	buf_done(&worker->body);
	(void)madvise(worker->tree, tree_room(), MADV_DONTNEED);
	(void)!yyjson_alc_pool_init(&worker->json, worker->tree,
				    tree_room()); /* its notes are gone */
	heap_rest();
}

void worker_expire(struct worker *worker)
{
	struct audit_event *event = &worker->event;
	uint64_t now_us = clock_wall_us(), intent = AUDIT_NO_INTENT;
	int64_t n = 0;

	int r = documents_expire(worker->store, now_us, false, &n);
	if (r == 0 && n == 0)
		return;
	*event = (struct audit_event) { .decision = AUDIT_ALLOW,
					.outcome = AUDIT_INTENT,
					.intent = AUDIT_NO_INTENT,
					.code = "documents.expire",
					.actor_kind = "system",
					.actor = "redoubt-engine" };
	if (r == 0 && audit_append(worker->audit, event, &intent))
		return; /* not recorded, so not done; in a minute it is tried again */
	if (r == 0)
		r = documents_expire(worker->store, now_us, true, &n);
	if (r)
		log_event(LOG_ERR, EVENT_REQUEST_FAILED, r,
			  "documents past their retention not deleted", nullptr);
	if (intent == AUDIT_NO_INTENT)
		return;
	event->outcome = r ? AUDIT_FAILED : AUDIT_DONE;
	event->intent = intent;
	(void)snprintf(event->detail, sizeof(event->detail), "{\"documents\":%" PRIi64 "}", n);
	(void)!audit_append(worker->audit, event, nullptr);
}
