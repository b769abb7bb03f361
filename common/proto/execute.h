/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * execute: what front asks engine, and appliance tells front.
 *
 * Layer 1 (common/proto). Encoders and decoders; a decoder checks every length and text.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/proto/access.h"

enum : uint16_t {
	EXECUTE = 0x0301, /* front → engine: struct execute; a long body as sealed memfd */
	RESULT = 0x0302,  /* engine → front: struct result; a long body as sealed memfd */
	CANCEL = 0x0303,  /* front → engine: empty, the id is the request's; the client has gone */
	CREDIT =
		0x0304, /* front → engine: struct credit; the id is that of the result it is for, or 0 */
	STATE = 0x0401, /* appliance → front: struct appliance_state */
};

constexpr size_t EXECUTE_BODY_MAX = 10u << 20; /* Rockset's limit: 10 MiB a request */
constexpr size_t RESULT_BODY_MAX = 100u << 20; /* Rockset's limit: 100 MiB a response */

struct execute {
	uint16_t op;
	char request_id[ACCESS_REQUEST_ID];
	char workspace[ACCESS_WORKSPACE_MAX];  /* {workspace}, percent-decoded, or "" */
	char collection[ACCESS_WORKSPACE_MAX]; /* {collection}, or "" */
	struct bytes grant;		       /* borrowed from the frame */
	struct bytes body;		       /* borrowed; empty if it came as memfd */
};

struct result {
	uint16_t http_status;
	struct bytes body; /* JSON, borrowed; empty if it came as memfd */
};

enum state : uint8_t {
	STATE_STARTING,
	STATE_UNCONFIGURED,
	STATE_LOCKED,
	STATE_FOREIGN_DATA,
	STATE_FAILED,
	STATE_READY,
	STATE_COUNT,
};

/* So many bytes of results by memfd may be under way; front takes them out of its memory when it has sent them. */
struct credit {
	uint64_t bytes;
};

struct appliance_state {
	enum state state;
	char text[512]; /* for people: what is the matter and what to do */
};

/* Append the encoding; a failure sticks to out. */
void execute_write(struct buf *out, const struct execute *execute);

/* Decode a whole payload; the bytes fields point into it. Returns whether it was well-formed. */
[[nodiscard]] bool execute_read(const void *data, size_t len, struct execute *ret);

/* Append the encoding; a failure sticks to out. */
void result_write(struct buf *out, const struct result *result);

/* Decode a whole payload; body points into it. Returns whether it was well-formed. */
[[nodiscard]] bool result_read(const void *data, size_t len, struct result *ret);

/* Append the encoding; a failure sticks to out. */
void credit_write(struct buf *out, const struct credit *credit);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool credit_read(const void *data, size_t len, struct credit *ret);

/* Append the encoding; a failure sticks to out. */
void appliance_state_write(struct buf *out, const struct appliance_state *state);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool appliance_state_read(const void *data, size_t len, struct appliance_state *ret);

/* The name of a state as the bus and the console show it: "starting", "locked", …; "?" outside the list. */
[[nodiscard]] const char *state_name(enum state state);

/*
 * What anybody may be told of a state: a fixed sentence. The text that comes with a state names devices, paths and
 * processes; it is for the bus and the console.
 */
[[nodiscard]] const char *state_sentence(enum state state);
