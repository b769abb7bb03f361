/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * zone: a time zone, read from a TZif file's bytes: which local time it is when, and the reverse.
 *
 * Layer 2 (service/value). A zone never changes once made; any number of threads may use it.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t ZONE_FILE_MAX = 64 * 1024; /* Debian's largest has 3.9 KB */

struct zone;

/*
 * Make a zone of a TZif file.
 *
 * data  [len] untrusted, at most ZONE_FILE_MAX
 * ret   set only if it is one; free with zone_free()
 *
 * Returns 0, -EBADMSG if the bytes are no sound TZif file, or -ENOMEM.
 * Source: RFC 9636. Leap seconds are not looked at: our time has none.
 */
[[nodiscard]] int zone_read(const uint8_t *data, size_t len, struct zone **ret);

/*
 * Make a zone that is always so many seconds east of UTC.
 *
 * offset_s  within 26 hours
 * name      what zone_at() calls it, cut to 15 bytes
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int zone_fixed(int32_t offset_s, const char *name, struct zone **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct zone *zone_free(struct zone *zone);
CLEANUP_FN(struct zone, zone_free)

/* What holds in a zone at one time. */
struct zone_moment {
	int32_t offset;	  /* seconds east of UTC */
	const char *name; /* "CEST"; the zone's own */
};

/* What holds at seconds since 1970 UTC. Cost: logarithmic. */
[[nodiscard]] struct zone_moment zone_at(const struct zone *zone, int64_t utc_s);

/* Local µs, counted as if local time were UTC, of µs UTC (in the years 1 to 9999). */
[[nodiscard]] int64_t zone_to_local(const struct zone *zone, int64_t utc_us);

/*
 * The reverse. Of a local time that there was twice the earlier is taken; one that was left out is read by the clock before the gap.
 */
[[nodiscard]] int64_t zone_to_utc(const struct zone *zone, int64_t local_us);
