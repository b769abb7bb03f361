/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tally: events that come again and again, so that the ledger gets the first at once and then one a minute with a count.
 *
 * Layer 1 (common/proto). Fixed memory: what comes from more sources at once than there is room for is counted together.
 * Threads: one.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/proto/audit.h"

constexpr uint64_t TALLY_WINDOW_US = 60'000'000;
constexpr size_t TALLY_KEY_MAX = 512;

enum {
	TALLY_COUNTED = 0, /* a line with the count will tell of it */
	TALLY_FIRST,	   /* record it now */
};

struct tally;

/* Make one that tells slots kinds of events apart. Returns 0 or -ENOMEM. */
[[nodiscard]] int tally_new(size_t slots, struct tally **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct tally *tally_free(struct tally *tally);
CLEANUP_FN(struct tally, tally_free)

/*
 * Count an event.
 *
 * key    events with the same key are the same; one longer than TALLY_KEY_MAX - 1 is cut
 * event  copied at the first of its key
 * mono_us, wall_us  now
 *
 * Returns TALLY_FIRST or TALLY_COUNTED.
 */
[[nodiscard]] int tally_count(struct tally *tally, const char *key, const struct audit_event *event,
			      uint64_t mono_us, uint64_t wall_us);

/* The event of the last tally_count(), a first one, was not recorded: the line with the count is to tell of it. */
void tally_unrecorded(struct tally *tally);

/*
 * The next line that is due: the event with "count", "first" and "last" in its detail.
 *
 * Returns whether there is one; it stays due until tally_recorded().
 */
[[nodiscard]] bool tally_due(struct tally *tally, uint64_t mono_us, struct audit_event *ret);

/* What tally_due() has yielded is recorded. */
void tally_recorded(struct tally *tally, uint64_t mono_us);
