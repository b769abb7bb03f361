/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * response: the head of an HTTP/1.1 response.
 *
 * Layer 2 (service/http). Pure but for the clock's text, which the caller passes in.
 * Source: RFC 9110, RFC 9112, RFC 6797 (HSTS); the headers Rockset sent, less its CORS wildcard.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t RESPONSE_HEAD_MAX = 12 * 1024; /* a Location is the longest thing in it */

/* Interim response to a client that asked before sending its body. */
extern const char RESPONSE_CONTINUE[];

struct response {
	uint16_t status;
	uint64_t length;	/* bytes of the body, which is JSON */
	uint64_t now_us;	/* wall clock, for Date */
	bool secure;		/* went over TLS: HSTS is said there and only there */
	bool close;		/* the connection ends after this */
	const char *request_id; /* or nullptr */
	const char *allow;	/* "GET, POST", or nullptr */
	const char *location;	/* checked by the caller: visible ASCII; or nullptr */
};

/* Append the head, with the empty line that ends it. A failure to append sticks to out. */
void response_write(struct buf *out, const struct response *response);
