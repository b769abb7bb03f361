/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"
#include "common/utf8.h"
#include "service/api/error.h"
#include "service/front/conn.h"
#include "service/front/credit.h"
#include "service/front/front.h"
#include "service/front/routes.h"
#include "service/front/seats.h"
#include "service/http/authorization.h"
#include "service/http/host.h"
#include "service/http/request.h"
#include "service/http/response.h"
#include "service/http/target.h"

/* A grant older than this is asked for anew: engine must get it before it is too old. */
constexpr uint64_t GRANT_FRESH_US = GRANT_AGE_MAX_US / 2;

constexpr size_t LOCATION_MAX = RESPONSE_HEAD_MAX / 4 * 3;
static_assert(LOCATION_MAX >= REQUEST_TARGET_MAX + 300);

/* A random UUID, version 4. Source: RFC 9562 section 5.4. */
static int make_id(char ret[ACCESS_REQUEST_ID])
{
	uint8_t b[16];
	int r = crypto_random(b, sizeof(b));

	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(ret, ACCESS_REQUEST_ID,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return r;
}

/* Copy a header for the ledger: at most room - 1 bytes, whatever is not printable replaced. */
static void copy_header(const char *value, char *ret, size_t room)
{
	size_t len = 0;

	for (const char *at = value ? value : ""; *at;) {
		size_t step = utf8_step(at, strnlen(at, 4));
		bool good = step > 0 && utf8_is_printable(at, step);
		size_t out = good ? step : 1;

		if (len + out >= room)
			break;
		if (good)
			memcpy(ret + len, at, step);
		else
			ret[len] = '?';
		len += out;
		at += out;
	}
	ret[len] = '\0';
}

/* Ask a peer under a new number whose low part is the connection's slot. Says so if it fails. */
static void ask(struct conn *conn, struct channel *peer, uint16_t type, const struct buf *payload,
		int fd)
{
	struct front *front = conn->front;
	uint64_t question = ++front->questions * FRONT_CONNS_MAX + conn->slot;
	int r = channel_send(peer, type, question, payload, fd);

	if (r < 0) {
		conn->close_after = true;
		conn_fail(conn, r == -ENOBUFS ? ERROR_RESOURCEEXCEEDED : ERROR_INTERNALERROR,
			  nullptr);
		return;
	}
	conn->exchange.question = question;
	conn->exchange.asked = peer;
	conn_enter(conn, type == EXECUTE ? CONN_EXECUTE : CONN_ACCESS);
}

/* --- what can be said without asking anybody ---------------------------------------------- */

/* Port 80: the same place by HTTPS, and nothing else. */
static void redirect(struct conn *conn)
{
	static const char BODY[] = "{\"message\":\"Use HTTPS.\"}";
	const char *host = request_header(conn->request, "host");
	const char *path = target_path(request_target(conn->request));
	auto_buf struct buf location = buf_make(LOCATION_MAX);

	conn->close_after = true;
	if (!host || !path) {
		conn_fail(conn, ERROR_BADREQUEST, "There is no Host header to redirect to.");
		return;
	}
	buf_addf(&location, "https://%.*s%s", (int)host_len(host, strlen(host)), host, path);
	conn_respond(conn, 308,
		     (struct conn_body) { .data = BODY, .len = sizeof(BODY) - 1, .fd = -1 },
		     buf_text(&location));
}

/* Whether everybody who is needed is there; says so if not, in words that anybody may hear. */
static bool is_ready(struct conn *conn, const struct channel *peer)
{
	const struct front *front = conn->front;

	if (front->state.state != STATE_READY) {
		conn_fail(conn, ERROR_NOT_READY, state_sentence(front->state.state));
		return false;
	}
	if (!peer) {
		conn_fail(conn, ERROR_SERVICEUNAVAILABLE, "A part of the service is starting.");
		return false;
	}
	return true;
}

/* --- accounts ----------------------------------------------------------------------------- */

static void ask_accounts(struct conn *conn)
{
	struct exchange *x = &conn->exchange;
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	struct access_check check = { .op = x->route.op };
	const char *authorization = request_header(conn->request, "authorization");

	/* Without a key accounts is asked too: a denial belongs into the ledger. */
	if (authorization)
		(void)authorization_key(authorization, check.api_key, sizeof(check.api_key));
	(void)stpcpy(check.workspace, x->route.workspace);
	(void)stpcpy(check.source, conn->source.text);
	(void)stpcpy(check.request_id, x->id);
	copy_header(request_header(conn->request, "user-agent"), check.user_agent,
		    sizeof(check.user_agent));
	access_check_write(&payload, &check);

	ask(conn, conn->front->accounts, ACCESS_CHECK, &payload, -1);
	explicit_bzero(check.api_key, sizeof(check.api_key));
	if (payload.data)
		explicit_bzero(payload.data, payload.len);
}

void exchange_start(struct conn *conn)
{
	struct exchange *x = &conn->exchange;

	static_assert(ROUTE_PARAMETER_MAX < ACCESS_WORKSPACE_MAX);
	if (make_id(x->id) < 0) {
		conn->ended = true;
		return;
	}
	if (!conn->tls) {
		redirect(conn);
		return;
	}
	/* As long as the body has not been read, there is no way to a next request. */
	conn->close_after = request_has_body(conn->request) || !request_keep_alive(conn->request);

	if (target_parse(request_target(conn->request), &x->target)) {
		conn_fail(conn, ERROR_BADREQUEST, "The request target is not well-formed.");
		return;
	}
	x->found = routes_find(conn->front->routes, request_method(conn->request), &x->target,
			       &x->route);
	if (is_ready(conn, conn->front->accounts))
		ask_accounts(conn);
}

/* The answer to a request that is nobody's operation; given only to who has a key. */
static bool is_routed(struct conn *conn)
{
	static const enum error_type TYPES[] = {
		[ROUTE_NO_PATH] = ERROR_NOTFOUND,
		[ROUTE_NO_METHOD] = ERROR_METHODNOTALLOWED,
	};

	if (conn->exchange.found == ROUTE_FOUND)
		return true;
	if (conn->exchange.found == ROUTE_MISSING) {
		char message[128];

		(void)snprintf(message, sizeof(message), "`%s` is not available yet.",
			       conn->exchange.route.missing);
		conn_fail(conn, ERROR_NOTIMPLEMENTEDYET, message);
		return false;
	}
	conn_fail(conn, TYPES[conn->exchange.found], nullptr);
	return false;
}

/* --- engine ------------------------------------------------------------------------------- */

static void ask_engine(struct conn *conn)
{
	struct exchange *x = &conn->exchange;
	struct buf *body = request_body(conn->request);
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	struct execute execute = { .op = x->route.op,
				   .grant = { .data = x->grant.data, .len = x->grant.len },
				   .body = { .data = body->data, .len = body->len } };
	auto_close int fd = -1;

	if (!is_ready(conn, conn->front->engine))
		return;
	(void)stpcpy(execute.request_id, x->id);
	(void)stpcpy(execute.workspace, x->route.workspace);
	(void)stpcpy(execute.collection, x->route.collection);
	if (body->len > MSG_INLINE_MAX) {
		if (msg_body_to_fd(body->data, body->len, &fd) < 0) {
			conn_fail(conn, ERROR_RESOURCEEXCEEDED, nullptr);
			return;
		}
		execute.body = (struct bytes) {};
	}
	execute_write(&payload, &execute);

	int given = fd;
	fd = -1;
	ask(conn, conn->front->engine, EXECUTE, &payload, given);
	buf_done(body); /* x->held stays: the memfd takes as much until engine has answered */
}

bool exchange_hold(struct conn *conn)
{
	struct front *front = conn->front;
	struct exchange *x = &conn->exchange;
	size_t room = request_body(conn->request)->room;

	front->bodies += room - x->held;
	x->held = room;
	if (front->bodies <= FRONT_BODIES_MAX)
		return true;
	conn->close_after = true;
	conn_fail(conn, ERROR_RESOURCEEXCEEDED, "Too many large requests at once; try again.");
	return false;
}

void exchange_body_complete(struct conn *conn)
{
	conn->close_after = !request_keep_alive(conn->request);
	if (clock_mono_us() - conn->exchange.granted_us < GRANT_FRESH_US)
		ask_engine(conn);
	else if (is_ready(conn, conn->front->accounts))
		ask_accounts(conn);
}

/* --- answers ------------------------------------------------------------------------------ */

/* The memory of the body is given back. */
static void let_go(struct conn *conn)
{
	conn->front->bodies -= conn->exchange.held;
	conn->exchange.held = 0;
}

/* Tell engine that nobody waits any more. What it has of the body takes memory until it has answered. */
static void cancel(struct conn *conn)
{
	struct exchange *x = &conn->exchange;

	if (x->question && conn->state == CONN_EXECUTE) {
		if (x->held > MSG_INLINE_MAX) {
			credit_orphan(conn->front, x->asked, x->question, x->held);
			x->held = 0;
		}
		/* Should it fail, engine finishes the work for nobody; there is nothing to do about it. */
		(void)channel_send(x->asked, CANCEL, x->question, nullptr, -1);
	}
	x->question = 0;
	x->asked = nullptr;
}

void exchange_end(struct conn *conn)
{
	struct exchange *x = &conn->exchange;
	struct buf grant = x->grant;

	cancel(conn);
	let_go(conn);
	buf_clear(&grant);
	*x = (struct exchange) { .grant = grant };
	if (conn->request)
		request_reset(conn->request);
}

/* The question is answered. */
static void answered(struct conn *conn)
{
	conn->exchange.question = 0;
	conn->exchange.asked = nullptr;
}

void exchange_granted(struct conn *conn, const void *grant, size_t len)
{
	struct exchange *x = &conn->exchange;
	bool again = x->granted_us != 0; /* the body is here already */

	answered(conn);
	buf_clear(&x->grant);
	buf_add(&x->grant, grant, len);
	x->granted_us = clock_mono_us();
	conn->authenticated = true;
	seats_seen(&conn->front->seats, &conn->source, x->granted_us);
	if (buf_error(&x->grant))
		conn->ended = true;
	else if (again)
		ask_engine(conn);
	else if (is_routed(conn) && is_ready(conn, conn->front->engine)) {
		if (request_expects_continue(conn->request) && conn->in_pos == conn->in_len)
			buf_add_str(&conn->out, RESPONSE_CONTINUE);
		conn_enter(conn, CONN_BODY);
	}
	conn_run(conn);
}

void exchange_denied(struct conn *conn, const struct access_denied *denied)
{
	enum error_type type = error_find(denied->error_type);

	if (denied->http_status == 401)
		conn->authenticated = false;
	answered(conn);
	conn_fail_with(conn, denied->http_status, type == ERROR_TYPE_COUNT ? ERROR_FORBIDDEN : type,
		       denied->message);
	conn_run(conn);
}

/* Whether a memfd can no longer change, and its size is one we pass on. */
static bool is_sealed(int fd, uint64_t *ret_size)
{
	constexpr unsigned int WANT = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || ((unsigned int)seals & WANT) != WANT || fstat(fd, &st) < 0 ||
	    st.st_size < 0 || (uint64_t)st.st_size > RESULT_BODY_MAX)
		return false;
	*ret_size = (uint64_t)st.st_size;
	return true;
}

void exchange_result(struct conn *conn, const struct result *result, int *fd)
{
	struct conn_body body = { .data = result->body.data, .len = result->body.len, .fd = -1 };
	struct channel *engine = conn->exchange.asked;
	uint64_t question = conn->exchange.question, size = 0;

	answered(conn);
	let_go(conn);
	if (*fd < 0) {
		conn_respond(conn, result->http_status, body, nullptr);
	} else if (!is_sealed(*fd, &size)) {
		credit_refuse(engine, question);
		conn_fail(conn, ERROR_INTERNALERROR, nullptr);
	} else if (!credit_take(conn, engine, question, size)) {
		credit_refuse(engine, question);
		conn_fail(conn, ERROR_SERVICEUNAVAILABLE,
			  "Too many answers are being read; try again.");
	} else {
		body = (struct conn_body) { .len = size, .fd = *fd };
		*fd = -1;
		conn_respond(conn, result->http_status, body, nullptr);
	}
	conn_run(conn);
}

void exchange_peer_lost(struct conn *conn)
{
	answered(conn);
	conn_fail(conn, ERROR_SERVICEUNAVAILABLE,
		  "A part of the service has restarted; try again.");
	conn_run(conn);
}

void exchange_expired(struct conn *conn)
{
	static const struct {
		enum error_type type;
		const char *message;
	} WHY[CONN_STATES] = {
		[CONN_HEAD] = { ERROR_QUERY_TIMEOUT, "The request came too slowly." },
		[CONN_ACCESS] = { ERROR_SERVICEUNAVAILABLE, "The service does not answer." },
		[CONN_BODY] = { ERROR_QUERY_TIMEOUT, "The request body came too slowly." },
		[CONN_EXECUTE] = { ERROR_QUERY_TIMEOUT, "The request took too long." },
	};
	enum conn_state state = conn->state;

	cancel(conn);
	conn->close_after = true;
	conn_fail(conn, WHY[state].type, WHY[state].message);
}
