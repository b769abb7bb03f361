/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * request: read HTTP/1.1 requests from a stream of bytes, strictly.
 *
 * Layer 2 (service/http). Uses common/ only; used by service/front. The only folder that includes
 * llhttp. No input, however it is cut into pieces, takes more memory than the limits below or is
 * read in two ways: what RFC 9112 leaves open is refused.
 * Source: RFC 9110, RFC 9112.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t REQUEST_HEAD_MAX = 16 * 1024; /* request line and headers, as they came */
constexpr size_t REQUEST_HEADERS_MAX = 64;     /* the known clients send fewer than 15 */
constexpr size_t REQUEST_TARGET_MAX = 8 * 1024;

/* How far the bytes fed so far have got. */
enum request_progress {
	REQUEST_MORE = 0, /* all bytes taken, the message goes on */
	REQUEST_HEAD,	  /* the head is complete; feed again to go on with the body */
	REQUEST_DONE,	  /* the message is complete; what was not taken belongs to the next */
	REQUEST_REFUSED,  /* see request_refusal(); answer and close */
};

/* Why a message was refused. */
struct request_refusal {
	uint16_t status;  /* 400, 413, 414, 415, 417, 431, 501, 505 */
	const char *text; /* a sentence for people; a constant */
};

struct request;

/*
 * Make a reader for the messages of one connection.
 *
 * body_max  a longer body is refused with 413
 *
 * Returns 0 or -ENOMEM. *ret is set only on success.
 */
[[nodiscard]] int request_new(size_t body_max, struct request **ret);

/* Wipe (the head holds a key) and free. nullptr is a no-op. Always returns nullptr. */
struct request *request_free(struct request *request);
CLEANUP_FN(struct request, request_free)

/* Forget the message, with its memory wiped and given back, and wait for the next. */
void request_reset(struct request *request);

/*
 * Go on with the message.
 *
 * data      [len] untrusted bytes
 * ret_used  how many of them were taken
 *
 * Returns a request_progress, or -ENOMEM. After REQUEST_DONE only request_reset() goes on; after
 * REQUEST_REFUSED or -ENOMEM the connection is of no more use.
 */
[[nodiscard]] int request_feed(struct request *request, const void *data, size_t len,
			       size_t *ret_used);

/* Why request_feed() returned REQUEST_REFUSED. */
[[nodiscard]] struct request_refusal request_refusal(const struct request *request);

/* The method, "GET"; from REQUEST_HEAD on. A constant. */
[[nodiscard]] const char *request_method(const struct request *request);

/* The request target as it came, visible ASCII; from REQUEST_HEAD on. May be changed in place. */
[[nodiscard]] char *request_target(struct request *request);

/* The value of the first header of this (lower-case) name, or nullptr; from REQUEST_HEAD on. */
[[nodiscard]] const char *request_header(const struct request *request, const char *name);

/* Whether a body follows the head: its length is above zero or it is chunked. */
[[nodiscard]] bool request_has_body(const struct request *request);

/* Whether the client waits for "100 Continue" before it sends the body. */
[[nodiscard]] bool request_expects_continue(const struct request *request);

/* Whether the client means to send another message on this connection. */
[[nodiscard]] bool request_keep_alive(const struct request *request);

/* The body as far as it has come; owned by the request. */
[[nodiscard]] struct buf *request_body(struct request *request);
