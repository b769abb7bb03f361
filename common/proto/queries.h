/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * queries: what appliance and accounts ask engine about the queries that it runs.
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
	QUERIES_LIST = 0x0801, /* appliance → engine: empty */
	QUERIES_ARE = 0x0802,  /* engine → appliance: queries_write() */
	QUERY_KILL = 0x0803,   /* appliance → engine: struct query_kill */
	KEY_KILL = 0x0804,     /* accounts → engine: struct key_kill */
	QUERIES_KILLED =
		0x0805, /* engine → both: u32, how many were to be ended; they end within milliseconds */
};

constexpr size_t QUERIES_MAX =
	128; /* that are told of; those at work and then those that wait longest */
constexpr size_t QUERIES_TEXT = 121; /* bytes of a query's text, with a NUL */

/* A query that waits or is at work. */
struct query_state {
	uint64_t number; /* of this run of engine */
	uint64_t age_us, cpu_us;
	bool works;
	char key_id[16];
	char person[ACCESS_NAME_MAX];
	char text[QUERIES_TEXT];
};

struct query_kill {
	uint64_t number;
	char person[ACCESS_NAME_MAX]; /* only if it is this one's; "": whosever it is */
};

/* Queries of a key, and of all keys of a person; either may be "": of none. */
struct key_kill {
	char key_id[16];
	char person[ACCESS_NAME_MAX];
};

/* Append one. A list is so many of them, one after the other; a failure sticks to out. */
void query_state_write(struct buf *out, const struct query_state *query);

/* Decode the next of a list. Returns whether it was well-formed; in is at its end after the last. */
[[nodiscard]] bool query_state_read(struct reader *in, struct query_state *ret);

/* Append the encoding; a failure sticks to out. */
void query_kill_write(struct buf *out, const struct query_kill *kill);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool query_kill_read(const void *data, size_t len, struct query_kill *ret);

/* Append the encoding; a failure sticks to out. */
void key_kill_write(struct buf *out, const struct key_kill *kill);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool key_kill_read(const void *data, size_t len, struct key_kill *ret);
