/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * frontlink: answer front's question for each request: who is this API key, and may they.
 *
 * Layer 2 (appliance/accounts). Front cannot make sockets, so the link connects to front and serves it.
 * Every denial is in the ledger before its answer; a ledger that does not answer denies everything.
 */

#include "appliance/accounts/accounts.h"
#include "common/base.h"

struct frontlink;

/*
 * Connect to front and serve it; connect again, ever more slowly up to every 5 s, while it is not there.
 *
 * accounts  borrowed
 *
 * Returns 0, -ENOMEM or another -errno of sd_event_add_time_relative(3).
 */
[[nodiscard]] int frontlink_new(struct accounts *accounts, struct frontlink **ret);

/* Disconnect and free; nullptr is a no-op. Always returns nullptr. */
struct frontlink *frontlink_free(struct frontlink *link);
CLEANUP_FN(struct frontlink, frontlink_free)

/*
 * Decide one request, record a denial, and say the answer. Used by the link; apart from it for tests.
 *
 * ret_grant   set if the answer is ACCESS_GRANTED
 * ret_denied  set if the answer is ACCESS_DENIED
 *
 * Returns ACCESS_GRANTED or ACCESS_DENIED.
 */
[[nodiscard]] uint16_t frontlink_decide(struct accounts *accounts, const struct access_check *check,
					struct grant *ret_grant, struct access_denied *ret_denied);

/* Record the refusals that were counted and whose minute has passed; all of them, if all. What the ledger refuses is kept. */
void frontlink_tell(struct accounts *accounts, bool all);
