/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * denials: refusals of one kind, told to the ledger once and then counted.
 *
 * Layer 2 (appliance/accounts). The first of a kind is recorded as it happens; those that follow within a minute are one entry, with
 * how many there were, the first and the last. A kind is who, from which network, wanted what, and why not. Fixed memory.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/rate.h"
#include "common/base.h"
#include "common/proto/access.h"

constexpr size_t DENIALS_MAX = 512; /* kinds at once; the oldest is told early if there are more */
constexpr uint64_t DENIALS_WINDOW_US = 60'000'000;

struct denial {
	uint8_t network[RATE_KEY];
	uint8_t reason; /* the caller's numbers */
	uint16_t op;
	bool allowed; /* it was no refusal of access: there is no such thing */
	char actor[ACCESS_NAME_MAX], target[ACCESS_NAME_MAX], source[ACCESS_SOURCE_MAX];
	uint64_t count;		    /* since the one that was recorded */
	uint64_t first_us, last_us; /* of those; wall clock */
	uint64_t end_us;	    /* of the window; monotonic; 0: free */
};

struct denials {
	struct denial one[DENIALS_MAX];
};

/*
 * Note a refusal.
 *
 * like       its kind; the source and target of the first are kept
 * now_us     monotonic
 * wall_us    the time to tell
 * ret_older  what had to make room and has not been told yet: its count is not 0
 *
 * Returns whether it is the first of its kind: record it now, and denials_forget() it if that fails.
 */
[[nodiscard]] bool denials_note(struct denials *denials, const struct denial *like, uint64_t now_us,
				uint64_t wall_us, struct denial *ret_older);

/* Let go of a kind. */
void denials_forget(struct denials *denials, const struct denial *like);

/* The next whose window has ended (all: whose has not, too), with at least one to tell; nullptr if there is none. Forget it when told. */
[[nodiscard]] struct denial *denials_due(struct denials *denials, uint64_t now_us, bool all);
