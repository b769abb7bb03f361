/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ledger: takes what a daemon's parts append, for unit tests; the daemons' own tests use redoubt-audit.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/proto/audit.h"

struct ledger;

/* Listen as "audit-accounts.sock" (or what name says) in a new run folder, and set $REDOUBT_RUN to it. nullptr if that fails. */
struct ledger *ledger_start(const char *name);

/* Stop, remove the folder, free. Always returns nullptr. */
struct ledger *ledger_stop(struct ledger *ledger);
CLEANUP_FN(struct ledger, ledger_stop)

/* From now on refuse everything, or no longer. */
void ledger_refuse(struct ledger *ledger, bool refuse);

/* How many events were taken. */
size_t ledger_count(struct ledger *ledger);

/* The last event taken; all zeros if there was none. */
void ledger_last(struct ledger *ledger, struct audit_event *ret);

/* The last event announced without an answer; all zeros if there was none. */
void ledger_announced(struct ledger *ledger, struct audit_event *ret);

/* How many events say how something has ended: no intents, and no turns of queries that are run again. */
size_t ledger_ended(struct ledger *ledger);
