/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * era: whether the clock can be right, and which times a certificate must be valid at.
 *
 * Layer 2 (appliance/worker). A clock is right once it has been set by NTP; else it is doubtful if
 * it is before the image was built, before the last time seen on this volume (the file clock), or
 * more than 400 days after it. A doubtful clock is said, and never a reason not to be reachable.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t ERA_TEXT = 200;

struct era {
	uint64_t now_s;
	uint64_t
		floor_s; /* the last time seen, or when the image was built; 0 if neither is known */
	bool synced;	 /* NTP has set the clock since this boot */
	bool doubtful;
	char text[ERA_TEXT]; /* what is doubtful, for people; "" if nothing is */
};

/* Judge a clock. Pure: see era_look(). built_s, seen_s: 0 if not known. */
void era_judge(uint64_t now_s, uint64_t built_s, uint64_t seen_s, bool synced, struct era *ret);

/* Look at the machine's clock. state: folder descriptor of the state folder. */
void era_look(int state, struct era *ret);

/* Keep the time as the last one seen: it is not doubtful, or somebody vouches for it. Returns 0 or -errno. */
[[nodiscard]] int era_keep(int state, const struct era *era);

/* The times a certificate must be valid at: ret[0] the earliest, ret[1] the latest. */
void era_points(const struct era *era, uint64_t ret[static 2]);
