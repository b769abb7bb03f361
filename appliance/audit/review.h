/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * review: org.redoubt.Audit1 on the system bus: look at the ledger, prove and verify it.
 *
 * Layer 2 (appliance/audit). Long answers are made in slices between turns of the loop, so that nobody's append
 * waits for somebody's reading.
 */

#include <stdint.h>

#include "appliance/audit/exports.h"
#include "appliance/audit/ledger.h"
#include "common/base.h"
#include "common/loop.h"

struct review;

/*
 * Serve the ledger's review. That there is no bus is not an error.
 *
 * ledger  borrowed
 * record  how what is done here gets into the ledger; see exports.h
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int review_new(struct loop *loop, struct ledger *ledger, exports_record_fn *record,
			     void *userdata, struct review **ret);

/* Leave the bus; open questions are answered Failed. nullptr is a no-op. Always returns nullptr. */
struct review *review_free(struct review *review);
CLEANUP_FN(struct review, review_free)

/* Tell views that there is something new. */
void review_changed(struct review *review);

/* Record what has been counted and is due by now, monotonic; UINT64_MAX: everything. nullptr is a no-op. */
void review_tick(struct review *review, uint64_t now_us);
