/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sessions: who is signed in, from where, by which key, until when; and what is read meanwhile.
 *
 * Layer 2 (appliance/accounts). A session is a connection to the bus: it ends with it, also when its process is killed,
 * and the ledger says so. Keys that sshd has accepted wait here for their session.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/names.h"
#include "common/proto/access.h"
#include "common/proto/audit.h"

struct accounts;
struct bus_call;
struct sessions;

constexpr size_t SESSIONS_MAX = 256;
constexpr uint64_t SESSIONS_OFFER_US =
	90'000'000; /* for so long an accepted key waits: sshd's LoginGraceTime and more */

/* Make it; accounts is borrowed and starts the clock of what is counted once it has a loop. Returns 0 or -errno. */
[[nodiscard]] int sessions_new(struct accounts *accounts, struct sessions **ret);

/* Record what is still only counted, and free; nullptr is a no-op. Always returns nullptr. */
struct sessions *sessions_free(struct sessions *sessions);
CLEANUP_FN(struct sessions, sessions_free)

/* A key that sshd has accepted: if no session of that person comes by it, the ledger will say that. */
void sessions_offered(struct sessions *sessions, const char *person, const char *fingerprint,
		      const char *peer);

struct session_form {
	char person[ACCESS_NAME_MAX];
	char fingerprint[ACCESS_NAME_MAX];
	char peer[ACCESS_SOURCE_MAX];
	char terminal[ACCESS_NAME_MAX];
	char what[ACCESS_NAME_MAX]; /* "console", or the verb */
};

/*
 * Record that a session has opened, and watch its connection to record its end.
 *
 * call  of the connection; not answered here; nullptr in tests: nothing is watched
 *
 * Returns 0, AUDIT_UNAVAILABLE or -errno: then it has not opened.
 */
[[nodiscard]] int sessions_open(struct sessions *sessions, struct bus_call *call,
				const struct session_form *form);

/* End the session of the connection that calls, now. Returns whether there was one. */
[[nodiscard]] bool sessions_close(struct sessions *sessions, const char *sender);

/*
 * Record accounts->event, or count it if there has been one like it within the minute.
 *
 * key  what makes events alike
 *
 * A ledger that does not take it gets it with the next line that counts.
 */
void sessions_count(struct sessions *sessions, const char *key, enum audit_decision decision,
		    enum audit_outcome outcome);

/* What is due by now, monotonic; UINT64_MAX: everything. Called each few seconds. */
void sessions_tick(struct sessions *sessions, uint64_t now_us);
