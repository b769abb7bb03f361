/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ledger: the appliance's own events. Before the volume is open there is no ledger: what happens
 * then is kept in memory, in order, and appended as soon as there is one.
 *
 * Layer 2 (appliance/manager).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/proto/audit.h"

constexpr size_t LEDGER_KEPT_MAX =
	64; /* a boot has a handful; somebody trying keys may make more */

struct ledger;

enum {
	LEDGER_OK = 0,
	LEDGER_UNAVAILABLE, /* not recorded: refuse the action */
};

/* Make it. Returns 0 or -ENOMEM. */
[[nodiscard]] int ledger_new(struct ledger **ret);

/* Free; what is still kept is lost. nullptr is a no-op. Always returns nullptr. */
struct ledger *ledger_free(struct ledger *ledger);
CLEANUP_FN(struct ledger, ledger_free)

/*
 * Record that a person reads, or count it if the same connection has read the same within the minute. Before there is a
 * ledger, what is read is not kept.
 *
 * session  the connection's name on the bus
 */
void ledger_read(struct ledger *ledger, const char *session, const char *code, const char *person);

/* Record what has been counted and is due by now, monotonic. */
void ledger_tick(struct ledger *ledger, uint64_t now_us);

struct ledger_event {
	const char *code;   /* "appliance.unlock" */
	const char *person; /* "" : the system itself */
	const char *target; /* or "" */
	const char *text;   /* a sentence that goes into the detail, or "" */
	enum audit_decision decision;
	enum audit_outcome outcome;
	uint64_t intent; /* or AUDIT_NO_INTENT */
};

/*
 * Record an event now; while the ledger is closed, keep it. When more than LEDGER_KEPT_MAX wait,
 * the oldest but the first are counted in one line instead.
 *
 * ret_index  the index if it was recorded now, else AUDIT_NO_INTENT; may be nullptr
 *
 * Returns 0, or LEDGER_UNAVAILABLE if there should be a ledger and it does not take it.
 */
[[nodiscard]] int ledger_record(struct ledger *ledger, const struct ledger_event *event,
				uint64_t *ret_index);

/* From now on there is a ledger: append what was kept. Called again until it returns 0. Returns 0 or LEDGER_UNAVAILABLE. */
[[nodiscard]] int ledger_open(struct ledger *ledger);

/* How many events wait for the ledger. */
[[nodiscard]] size_t ledger_kept(const struct ledger *ledger);
