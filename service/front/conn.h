/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * conn: one client's connection: handshake, requests one after the other, responses, the clock.
 *
 * Layer 3 (service/front). A connection is in one state at a time; each state has a step, which
 * is run until it has to wait, and a time limit. What a request means is for exchange.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/loop.h"
#include "common/proto/access.h"
#include "service/api/error.h"
#include "service/front/front.h"
#include "service/front/routes.h"
#include "service/front/source.h"
#include "service/http/request.h"
#include "service/http/target.h"
#include "service/tls/tls.h"

constexpr size_t CONN_CHUNK = 16 * 1024; /* a TLS record's worth, RFC 8446 section 5.1 */

enum conn_state : uint8_t {
	CONN_HANDSHAKE,
	CONN_IDLE,     /* between two requests */
	CONN_HEAD,     /* a request's head is coming in */
	CONN_ACCESS,   /* accounts is asked */
	CONN_BODY,     /* the body is coming in */
	CONN_EXECUTE,  /* engine is asked */
	CONN_RESPONSE, /* going out */
	CONN_LINGER,   /* all is said; the client's last bytes are read past, so that it hears it */
	CONN_STATES,
};

/* One request, from its head to its answer. */
struct exchange {
	uint64_t question;     /* the frame that waits for an answer; 0: none */
	struct channel *asked; /* whom; borrowed */
	char id[ACCESS_REQUEST_ID];
	struct target target;
	struct route route;
	enum route_result found;
	struct buf grant;
	uint64_t granted_us; /* monotonic; 0: not yet */
	size_t held;	     /* bytes of front->bodies that are this request's */
};

/* The memfd of a result: memory that counts until it is closed. */
struct held_result {
	struct channel *engine; /* whose credit it is; nullptr: that one has gone; borrowed */
	uint64_t question;	/* 0: none is held */
	uint64_t bytes;
};

struct conn {
	struct front *front;
	size_t slot;
	int fd;
	struct tls_conn *tls; /* nullptr on port 80 */
	struct source source;
	struct loop_source *io, *timer, *resume;
	uint32_t events; /* that io waits for */
	enum conn_state state;
	bool authenticated; /* the last key that it has shown was valid */
	bool running, ended;
	bool close_after; /* the response under way is the last */
	uint64_t born_us; /* monotonic */
	uint64_t entered_us, deadline_us, armed_us, request_deadline_us; /* monotonic */
	uint64_t moved;			  /* bytes since the state was entered */
	uint64_t window_us, window_moved; /* when the present window began, and moved then */
	struct request *request;
	struct exchange exchange;
	struct buf out;
	size_t out_pos;
	int body_fd; /* the rest of the response's body, or -1 */
	uint64_t body_pos, body_len;
	struct held_result held; /* body_fd */
	size_t in_pos, in_len;
	uint8_t in[CONN_CHUNK];
};

/*
 * Take on an accepted, non-blocking socket.
 *
 * fd  given away
 *
 * Returns 0, -ENOMEM or another -errno; the socket is closed then.
 */
[[nodiscard]] int conn_new(struct front *front, int fd, bool secure, const struct source *source);

/* Cancel what is under way, close and free. nullptr is a no-op. Always returns nullptr. */
struct conn *conn_free(struct conn *conn);
CLEANUP_FN(struct conn, conn_free)

/* Go on as far as possible without waiting. The connection may be gone afterwards. */
void conn_run(struct conn *conn);

/* Change the state and start its clock. */
void conn_enter(struct conn *conn, enum conn_state state);

/* A response's body: bytes, or a sealed memfd. */
struct conn_body {
	const void *data; /* [len] if fd is -1; borrowed */
	uint64_t len;
	int fd; /* given away, or -1 */
};

/*
 * Start a response. The connection goes on to CONN_RESPONSE; run it afterwards.
 *
 * location  of a redirect, or nullptr
 */
void conn_respond(struct conn *conn, uint16_t status, struct conn_body body, const char *location);

/* Start an error's response, with the type's own status. */
void conn_fail(struct conn *conn, enum error_type type, const char *message);

/* Start an error's response with another status than the type's own. */
void conn_fail_with(struct conn *conn, uint16_t status, enum error_type type, const char *message);
