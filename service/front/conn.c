/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/conn.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"
#include "service/api/error.h"
#include "service/front/credit.h"
#include "service/front/exchange.h"
#include "service/front/front.h"
#include "service/front/source.h"
#include "service/http/request.h"
#include "service/http/response.h"
#include "service/tls/tls.h"

constexpr uint64_t SECOND = 1'000'000;

/* A whole request: longer than engine gives a query, so that its own answer comes first. */
constexpr uint64_t REQUEST_US = 150 * SECOND;

/* In each window of a body or an answer at least as much moves, or it ends: so slowly goes nobody who is honest. */
constexpr uint64_t WINDOW_US = 30 * SECOND;
constexpr uint64_t WINDOW_BODY = 30 * 1024;
constexpr uint64_t WINDOW_ANSWER = 30 * 16 * 1024;

/* A whole answer: the longest of 100 MiB goes by a line of one megabit a second. */
constexpr uint64_t ANSWER_US = 900 * SECOND;

/* Reads in one turn of the loop before other connections get theirs. */
constexpr int READS_PER_TURN = 16;

constexpr size_t STREAM_CHUNK = 4 * CONN_CHUNK; /* of a result's memfd, read at a time */
constexpr size_t OUT_MAX = RESPONSE_HEAD_MAX + STREAM_CHUNK;
static_assert(STREAM_CHUNK >= MSG_INLINE_MAX && STREAM_CHUNK >= ERROR_BODY_MAX);

/* How a step ended. */
enum step {
	STEP_AGAIN, /* something moved: run the (perhaps new) state's step */
	STEP_READ,
	STEP_WRITE,
	STEP_WAIT, /* for a peer's answer */
	STEP_END,
};

typedef enum step step_fn(struct conn *conn);

/* A limit on the whole state, and on each window of it. */
struct clock_rule {
	uint64_t limit_us;
	uint64_t window_bytes; /* that must move in each window; 0: none */
	bool within_request;
};

static const struct clock_rule CLOCKS[CONN_STATES] = {
	[CONN_HANDSHAKE] = { 10 * SECOND, 0, false },
	[CONN_IDLE] = { 75 * SECOND, 0, false }, /* what pools of clients reckon with */
	[CONN_HEAD] = { 15 * SECOND, 0, true },
	[CONN_ACCESS] = { 10 * SECOND, 0, true },
	[CONN_BODY] = { REQUEST_US, WINDOW_BODY, true },
	[CONN_EXECUTE] = { REQUEST_US, 0, true },
	[CONN_RESPONSE] = { ANSWER_US, WINDOW_ANSWER, false },
	[CONN_LINGER] = { 5 * SECOND, 0, false },
};

/* When the present state is over. A window in which enough has moved is followed by the next. */
static uint64_t deadline(struct conn *conn, uint64_t now_us)
{
	const struct clock_rule *rule = &CLOCKS[conn->state];
	uint64_t at = conn->entered_us + rule->limit_us;

	if (rule->window_bytes > 0) {
		if (conn->moved - conn->window_moved >= rule->window_bytes) {
			conn->window_us = now_us;
			conn->window_moved = conn->moved;
		}
		if (conn->window_us + WINDOW_US < at)
			at = conn->window_us + WINDOW_US;
	}
	if (rule->within_request && conn->request_deadline_us < at)
		at = conn->request_deadline_us;
	return at;
}

/* Set the clock. The timer is armed anew only if it would fire too late. */
static void wind_up(struct conn *conn)
{
	uint64_t now_us = clock_mono_us();

	conn->deadline_us = deadline(conn, now_us);
	if (conn->armed_us != 0 && conn->armed_us <= conn->deadline_us)
		return;
	conn->armed_us = conn->deadline_us;
	if (loop_timer_again(conn->timer,
			     conn->deadline_us > now_us ? conn->deadline_us - now_us : 0) < 0)
		conn->ended = true; /* without a clock it must not live */
}

void conn_enter(struct conn *conn, enum conn_state state)
{
	conn->state = state;
	conn->entered_us = conn->window_us = clock_mono_us();
	conn->moved = conn->window_moved = 0;
	if (state == CONN_HEAD)
		conn->request_deadline_us = conn->entered_us + REQUEST_US;
	wind_up(conn);
}

/* --- bytes in and out --------------------------------------------------------------------- */

static enum step step_of(enum tls_result result)
{
	switch (result) {
	case TLS_OK:
		return STEP_AGAIN;
	case TLS_WANT_READ:
		return STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
	case TLS_FAILED:
		return STEP_END;
	}
	return STEP_END;
}

/* Read what is there; STEP_AGAIN with 1..len bytes. */
static enum step receive(struct conn *conn, void *data, size_t len, size_t *ret_len)
{
	if (conn->tls)
		return step_of(tls_read(conn->tls, data, len, ret_len));

	ssize_t got = recv(conn->fd, data, len, MSG_DONTWAIT);
	*ret_len = got > 0 ? (size_t)got : 0;
	if (got > 0)
		return STEP_AGAIN;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? STEP_READ : STEP_END;
}

/* Write some; STEP_AGAIN with 1..len bytes. */
static enum step transmit(struct conn *conn, const void *data, size_t len, size_t *ret_len)
{
	if (conn->tls)
		return step_of(tls_write(conn->tls, data, len, ret_len));

	ssize_t put = send(conn->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	*ret_len = put > 0 ? (size_t)put : 0;
	if (put > 0)
		return STEP_AGAIN;
	return put < 0 && (errno == EAGAIN || errno == EINTR) ? STEP_WRITE : STEP_END;
}

/* Have at least one byte of input. */
static enum step fill(struct conn *conn)
{
	size_t len = 0;

	if (conn->in_pos < conn->in_len)
		return STEP_AGAIN;
	conn->in_pos = conn->in_len = 0;
	enum step step = receive(conn, conn->in, sizeof(conn->in), &len);
	conn->in_len = len;
	conn->moved += len;
	return step;
}

/* Write out what waits. STEP_AGAIN: nothing waits any more. */
static enum step flush(struct conn *conn)
{
	while (conn->out_pos < conn->out.len) {
		size_t len = 0;
		enum step step = transmit(conn, conn->out.data + conn->out_pos,
					  conn->out.len - conn->out_pos, &len);

		if (step != STEP_AGAIN)
			return step;
		conn->out_pos += len;
		conn->moved += len;
		wind_up(conn);
	}
	buf_clear(&conn->out);
	conn->out_pos = 0;
	return STEP_AGAIN;
}

/* --- responses ---------------------------------------------------------------------------- */

/* Close the memfd of a result and give back what it took. */
static void drop_body(struct conn *conn)
{
	if (conn->body_fd >= 0)
		(void)close(conn->body_fd);
	conn->body_fd = -1;
	credit_give(conn);
}

void conn_respond(struct conn *conn, uint16_t status, struct conn_body body, const char *location)
{
	struct response response = {
		.status = status,
		.length = body.len,
		.now_us = clock_wall_us(),
		.secure = conn->tls,
		.close = conn->close_after,
		.request_id = conn->exchange.id[0] ? conn->exchange.id : nullptr,
		.allow = status == 405 ? conn->exchange.route.allow : nullptr,
		.location = location,
	};

	if (body.fd < 0)
		drop_body(conn);
	buf_clear(&conn->out);
	conn->out_pos = 0;
	response_write(&conn->out, &response);
	if (body.fd < 0)
		buf_add(&conn->out, body.data, body.len);
	conn->body_fd = body.fd;
	conn->body_pos = 0;
	conn->body_len = body.fd < 0 ? 0 : body.len;
	if (buf_error(&conn->out))
		conn->ended = true;
	conn_enter(conn, CONN_RESPONSE);
}

void conn_fail_with(struct conn *conn, uint16_t status, enum error_type type, const char *message)
{
	auto_buf struct buf json = buf_make(ERROR_BODY_MAX);

	error_write(&json, &(struct error) { .type = type,
					     .message = message,
					     .request_id = conn->exchange.id });
	if (buf_error(&json))
		conn->ended = true;
	conn_respond(conn, status,
		     (struct conn_body) { .data = json.data, .len = json.len, .fd = -1 }, nullptr);
}

void conn_fail(struct conn *conn, enum error_type type, const char *message)
{
	conn_fail_with(conn, error_status(type), type, message);
}

/* --- the states --------------------------------------------------------------------------- */

static enum step on_handshake(struct conn *conn)
{
	enum step step = conn->tls ? step_of(tls_handshake(conn->tls)) : STEP_AGAIN;

	if (step == STEP_AGAIN)
		conn_enter(conn, CONN_HEAD);
	return step;
}

static enum step on_idle(struct conn *conn)
{
	enum step step = fill(conn);

	if (step == STEP_AGAIN)
		conn_enter(conn, CONN_HEAD);
	return step;
}

/* Refuse what is not HTTP, in the API's own shape. */
static void refuse(struct conn *conn)
{
	static const struct {
		uint16_t status;
		enum error_type type;
	} TYPES[] = {
		{ 413, ERROR_CONTENTTOOLARGE },	     { 414, ERROR_CONTENTTOOLARGE },
		{ 415, ERROR_UNSUPPORTEDMEDIATYPE }, { 431, ERROR_CONTENTTOOLARGE },
		{ 501, ERROR_NOTIMPLEMENTEDYET },    { 505, ERROR_VERSIONEXCEPTION },
	};
	struct request_refusal refusal = request_refusal(conn->request);
	enum error_type type = ERROR_BADREQUEST;

	for (size_t i = 0; i < countof(TYPES); i++)
		if (TYPES[i].status == refusal.status)
			type = TYPES[i].type;
	conn->close_after = true;
	conn_fail_with(conn, refusal.status, type, refusal.text);
}

/* Feed the request with the input there is. Returns what request_feed() returns. */
static int feed(struct conn *conn)
{
	size_t used = 0;
	int r = request_feed(conn->request, conn->in + conn->in_pos, conn->in_len - conn->in_pos,
			     &used);

	conn->in_pos += used;
	return r;
}

static enum step on_head(struct conn *conn)
{
	enum step step = fill(conn);

	if (step != STEP_AGAIN)
		return step;
	switch (feed(conn)) {
	case REQUEST_MORE:
		return STEP_AGAIN;
	case REQUEST_HEAD:
		exchange_start(conn);
		return STEP_AGAIN;
	case REQUEST_REFUSED:
		refuse(conn);
		return STEP_AGAIN;
	default:
		return STEP_END;
	}
}

static enum step on_asking(struct conn *conn)
{
	(void)conn;
	return STEP_WAIT;
}

static enum step on_body(struct conn *conn)
{
	enum step step = flush(conn); /* "100 Continue" */

	if (step != STEP_AGAIN)
		return step;
	switch (feed(conn)) {
	case REQUEST_MORE:
		if (!exchange_hold(conn))
			return STEP_AGAIN;
		step = fill(conn);
		wind_up(conn);
		return step;
	case REQUEST_DONE:
		if (exchange_hold(conn))
			exchange_body_complete(conn);
		return STEP_AGAIN;
	case REQUEST_REFUSED:
		refuse(conn);
		return STEP_AGAIN;
	default:
		return STEP_END;
	}
}

/* Read the next part of the response's body out of its memfd. */
static enum step next_part(struct conn *conn)
{
	uint8_t *room = buf_reserve(&conn->out, STREAM_CHUNK);
	size_t want = conn->body_len - conn->body_pos < STREAM_CHUNK
			      ? (size_t)(conn->body_len - conn->body_pos)
			      : STREAM_CHUNK;
	ssize_t got = room ? pread(conn->body_fd, room, want, (off_t)conn->body_pos) : -1;

	if (got <= 0)
		return STEP_END; /* a sealed memfd cannot have shrunk: out of memory */
	conn->out.len += (size_t)got;
	conn->body_pos += (uint64_t)got;
	return STEP_AGAIN;
}

/* Be ready for the next request, or say goodbye. */
static void response_sent(struct conn *conn)
{
	bool more = !conn->close_after;

	exchange_end(conn);
	buf_done(&conn->out);
	drop_body(conn);
	if (more) {
		conn->close_after = true; /* until a head says otherwise */
		conn_enter(conn, conn->in_pos < conn->in_len ? CONN_HEAD : CONN_IDLE);
		return;
	}
	if (conn->tls)
		tls_shutdown(conn->tls);
	(void)shutdown(conn->fd, SHUT_WR);
	conn_enter(conn, CONN_LINGER);
}

static enum step on_response(struct conn *conn)
{
	enum step step = flush(conn);

	if (step != STEP_AGAIN)
		return step;
	if (conn->body_pos < conn->body_len)
		return next_part(conn);
	response_sent(conn);
	return STEP_AGAIN;
}

/* Closing with unread bytes would reset the connection and take the answer from the client. */
static enum step on_linger(struct conn *conn)
{
	ssize_t got = recv(conn->fd, conn->in, sizeof(conn->in), MSG_DONTWAIT);

	if (got > 0)
		return STEP_AGAIN;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? STEP_READ : STEP_END;
}

static step_fn *const STEPS[CONN_STATES] = {
	[CONN_HANDSHAKE] = on_handshake, [CONN_IDLE] = on_idle,	    [CONN_HEAD] = on_head,
	[CONN_ACCESS] = on_asking,	 [CONN_BODY] = on_body,	    [CONN_EXECUTE] = on_asking,
	[CONN_RESPONSE] = on_response,	 [CONN_LINGER] = on_linger,
};

/* --- running ------------------------------------------------------------------------------ */

/* Wait for these events from now on. */
static int watch(struct conn *conn, uint32_t events)
{
	if (conn->events == events)
		return 0;
	conn->events = events;
	return loop_io_events(conn->io, events);
}

void conn_run(struct conn *conn)
{
	static const uint32_t EVENTS[] = {
		[STEP_READ] = EPOLLIN,
		[STEP_WRITE] = EPOLLOUT,
		[STEP_WAIT] = EPOLLRDHUP, /* nothing is read, but a client that leaves is noticed */
	};
	enum step step = STEP_AGAIN;

	if (conn->running) /* a peer answered from within a step: the loop below goes on */
		return;
	conn->running = true;
	for (int i = 0; i < READS_PER_TURN * 2 && step == STEP_AGAIN && !conn->ended; i++)
		step = STEPS[conn->state](conn);
	conn->running = false;

	int r = 0;
	if (step == STEP_AGAIN && !conn->ended)
		r = loop_timer_again(conn->resume, 0);
	else if (step != STEP_END && !conn->ended)
		r = watch(conn, EVENTS[step]);
	if (step == STEP_END || conn->ended || r < 0)
		(void)conn_free(conn);
}

static int on_resume(void *userdata)
{
	conn_run(userdata);
	return 0;
}

static int on_io(void *userdata, int fd, uint32_t events)
{
	struct conn *conn = userdata;
	bool asking = conn->state == CONN_ACCESS || conn->state == CONN_EXECUTE;

	(void)fd;
	if (asking && events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		(void)conn_free(conn);
	else
		conn_run(conn);
	return 0;
}

/* Let the kernel drop what waits to be sent: who has not read it so far would hold it for minutes more. */
static void cut_off(const struct conn *conn)
{
	const struct linger at_once = { .l_onoff = 1 };

	(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* What happens when a state has lasted too long. */
static int on_timer(void *userdata)
{
	struct conn *conn = userdata;

	conn->armed_us = 0;
	if (clock_mono_us() < conn->deadline_us) {
		wind_up(conn);
		return 0;
	}
	switch (conn->state) {
	case CONN_HEAD:
	case CONN_ACCESS:
	case CONN_BODY:
	case CONN_EXECUTE:
		exchange_expired(conn);
		conn_run(conn);
		return 0;
	case CONN_RESPONSE:
		cut_off(conn);
		break;
	case CONN_HANDSHAKE:
	case CONN_IDLE:
	case CONN_LINGER:
	case CONN_STATES:
		break;
	}
	(void)conn_free(conn);
	return 0;
}

/* The first free slot; the caller has seen that there is one. */
static size_t free_slot(const struct front *front)
{
	size_t slot = 0;

	while (front->conn[slot])
		slot++;
	return slot;
}

int conn_new(struct front *front, int fd, bool secure, const struct source *source)
{
	auto_close int owned = fd;
	cleanup(conn_free_at) struct conn *conn = malloc(sizeof(*conn));

	if (!conn)
		return -ENOMEM;
	memset(conn, 0,
	       offsetof(struct conn, in)); /* the input's room is written before it is read */
	conn->front = front;
	conn->slot = free_slot(front);
	conn->fd = owned;
	conn->body_fd = -1;
	conn->source = *source;
	conn->close_after = true;
	conn->out = buf_make(OUT_MAX);
	conn->exchange.grant = buf_make(ACCESS_GRANT_MAX);
	front->conn[conn->slot] = conn;
	front->n_conns++;
	owned = -1;

	int r = request_new(EXECUTE_BODY_MAX, &conn->request);
	if (r == 0 && secure)
		r = tls_conn_new(front->tls, conn->fd, &conn->tls);
	if (r == 0)
		r = loop_io(front->loop, conn->fd, EPOLLIN, on_io, conn, &conn->io);
	if (r == 0)
		r = loop_timer(front->loop, CLOCKS[CONN_HANDSHAKE].limit_us, on_timer, conn,
			       &conn->timer);
	if (r == 0)
		r = loop_timer(front->loop, 0, on_resume, conn, &conn->resume);
	if (r < 0)
		return r;

	conn->born_us = clock_mono_us();
	conn->events = EPOLLIN;
	conn_enter(conn, CONN_HANDSHAKE);
	conn = nullptr;
	return 0;
}

struct conn *conn_free(struct conn *conn)
{
	if (!conn)
		return nullptr;
	exchange_end(conn);
	conn->io = loop_source_free(conn->io);
	conn->timer = loop_source_free(conn->timer);
	conn->resume = loop_source_free(conn->resume);
	conn->tls = tls_conn_free(conn->tls);
	conn->request = request_free(conn->request);
	buf_done(&conn->out);
	buf_done(&conn->exchange.grant);
	drop_body(conn);
	(void)close(conn->fd);
	conn->front->conn[conn->slot] = nullptr;
	conn->front->n_conns--;
	explicit_bzero(conn->in, sizeof(conn->in));
	free(conn);
	return nullptr;
}
