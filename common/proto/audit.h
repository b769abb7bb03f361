/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * audit: the event that a producer hands to redoubt-audit, and the call that does it.
 *
 * Layer 1 (common/proto). audit adds what it knows itself: index, time, boot id, producer (from the socket).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/access.h"

enum : uint16_t {
	AUDIT_APPEND = 0x0101,	 /* producer → audit: struct audit_event */
	AUDIT_APPENDED = 0x0102, /* audit → producer: u64 index; durable by now */
	AUDIT_REFUSED = 0x0103,	 /* audit → producer: text for people; nothing was recorded */
	AUDIT_ANNOUNCE =
		0x0104, /* producer → audit: an intent that is not answered; its outcome is, for both */
	AUDIT_LIMITED =
		0x0105, /* audit → producer: text; the actor has used up a share of the room */
};

enum audit_decision : uint8_t {
	AUDIT_NO_DECISION,
	AUDIT_ALLOW,
	AUDIT_DENY,
	AUDIT_DECISION_COUNT
};
enum audit_outcome : uint8_t {
	AUDIT_INTENT,
	AUDIT_DONE,
	AUDIT_FAILED,
	AUDIT_OUTCOME_COUNT
};

constexpr uint64_t AUDIT_NO_INTENT = UINT64_MAX;
constexpr uint64_t AUDIT_LAST_INTENT =
	UINT64_MAX - 1; /* the one that this connection announced last */
constexpr size_t AUDIT_DETAIL_MAX = 4097;

struct audit_event {
	enum audit_decision decision;
	enum audit_outcome outcome;
	uint64_t
		intent; /* an outcome names its intent's index, or AUDIT_LAST_INTENT; else AUDIT_NO_INTENT */
	char code[64];		     /* stable: "api.documents.add", "session.open", "person.add" */
	char actor_kind[16];	     /* "person", "api-key", "system", "anonymous" */
	char actor[ACCESS_NAME_MAX]; /* person's name, or "name/key-id" */
	char source[ACCESS_NAME_MAX]; /* address and port, key fingerprint, tty, or "" */
	char target[ACCESS_NAME_MAX]; /* "commons.movies", person, key name, or "" */
	char request_id[ACCESS_REQUEST_ID];
	char detail[AUDIT_DETAIL_MAX]; /* a JSON object, or "" ; never a secret or a document */
};

/* Append the encoding; a failure sticks to out. */
void audit_event_write(struct buf *out, const struct audit_event *event);

/* Decode a whole payload. Returns whether it was well-formed; detail is not parsed here. */
[[nodiscard]] bool audit_event_read(const void *data, size_t len, struct audit_event *ret);

/* A blocking connection to redoubt-audit; one thread at a time. */
struct audit_client;

enum {
	AUDIT_OK = 0,
	AUDIT_UNAVAILABLE, /* not recorded, or not known to be: refuse the action */
	AUDIT_TOO_MUCH, /* not recorded, since this actor has made the ledger write enough for now */
};

/*
 * Make a client of the socket named name ("audit-engine.sock") below the run folder. Connects at the first append.
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int audit_client_new(const char *name, struct audit_client **ret);

/* Disconnect and free; nullptr is a no-op. Always returns nullptr. */
struct audit_client *audit_client_free(struct audit_client *client);
CLEANUP_FN(struct audit_client, audit_client_free)

/*
 * Append an event and wait until it is durable: the one blocking call that the daemons make. Waits at most 5 s;
 * connects anew (once) if the connection was lost before the event was sent.
 *
 * ret_index  set only on success; may be nullptr
 *
 * Returns 0, AUDIT_UNAVAILABLE or AUDIT_TOO_MUCH.
 */
[[nodiscard]] int audit_append(struct audit_client *client, const struct audit_event *event,
			       uint64_t *ret_index);

/*
 * Send an intent without waiting until it is durable. The next event of this client must be its outcome, with the intent
 * AUDIT_LAST_INTENT: appending that waits for both. If the outcome never comes because the connection ends, audit records that it
 * is unknown.
 *
 * Returns 0 or AUDIT_UNAVAILABLE. That the ledger refuses it is told by the outcome's append.
 */
[[nodiscard]] int audit_announce(struct audit_client *client, const struct audit_event *event);
