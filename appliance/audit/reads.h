/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * reads: the ledger's entries about who has looked at the ledger.
 *
 * Layer 2 (appliance/audit; redoubt-audit only). A screen that looks again and again makes one entry a minute.
 */

#include <stdint.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/exports.h"
#include "common/base.h"

struct reads;

/* Make it; record is how an entry gets into the ledger. Returns 0 or -ENOMEM. */
[[nodiscard]] int reads_new(exports_record_fn *record, void *userdata, struct reads **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct reads *reads_free(struct reads *reads);
CLEANUP_FN(struct reads, reads_free)

/*
 * Record that a person reads, or count it if the same connection has just done so. A ledger that is full is read all the
 * same, and says so when it can.
 */
void reads_note(struct reads *reads, const char *sender, const char *code, const char *person);

/* Record what has been counted and is due by now, monotonic; UINT64_MAX: everything. */
void reads_tick(struct reads *reads, uint64_t now_us);

/* Whether an entry, of whatever service, says that a person has read something. */
[[nodiscard]] bool reads_are(const struct entry *entry);
