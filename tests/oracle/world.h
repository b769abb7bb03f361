/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * world: collections of random documents, once in a store and once, as they should be, in plain tables beside it.
 *
 * The store gets them in batches, with documents replaced, patched and deleted in between, some sealed into segments, some
 * merged, some still in memory. The tables are the third way's (service/sql/sql.h, SQL_TABLES); nothing of the store is in them.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tests/oracle/random.h"
#include "tests/unit/engine-fixture.h"

constexpr size_t WORLD_COLLECTIONS = 5;

struct world_collection {
	const char *name;
	uint32_t documents; /* roughly */
	bool dirty;	    /* fields hold values of any kind */
};

extern const struct world_collection WORLD[WORLD_COLLECTIONS];

/* Make and fill everything. Returns whether that worked; what did not is printed. Done with fixture_done(). */
[[nodiscard]] bool world_make(struct random *r, struct fixture *f);
