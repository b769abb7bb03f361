/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * zones: time zones by name, each read once.
 *
 * Layer 6 (service/function). Names are IANA's ('Europe/Oslo'), 'UTC', or fixed offsets ('+02:00').
 * Threads: one at a time; the zones themselves may be shared while the cache lives.
 */

#include <stddef.h>

#include "common/base.h"
#include "service/value/zone.h"

enum {
	ZONES_OK = 0,
	ZONES_UNKNOWN, /* no zone has that name */
};

#define ZONES_FOLDER "/usr/share/zoneinfo"

struct zones;

/*
 * Make an empty cache.
 *
 * folder  where the TZif files are; not looked at before it is needed; borrowed for the cache's life
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int zones_new(const char *folder, struct zones **ret);

/* Free it and its zones; nullptr is a no-op. Always returns nullptr. */
struct zones *zones_free(struct zones *zones);
CLEANUP_FN(struct zones, zones_free)

/*
 * Find a zone.
 *
 * name  [len] untrusted; what could lead out of the folder is no name
 * ret   set only on success; valid until the next call
 *
 * Returns 0, ZONES_UNKNOWN, -ENOMEM or another -errno of reading the file.
 */
[[nodiscard]] int zones_find(struct zones *zones, const char *name, size_t len,
			     const struct zone **ret);
