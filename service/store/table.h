/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * table: the lists of workspaces and collections, for who has the table's lock.
 *
 * Layer 4 (service/store).
 */

#include <stddef.h>

#include "common/base.h"
#include "service/store/internal.h"

/* Where a collection is in by_name, or would be. With the lock. Cost: a binary search, well below 1 µs. */
[[nodiscard]] size_t table_place(const struct store *store, const char *workspace,
				 const char *name);

/* A collection, borrowed, or nullptr. With the lock. */
[[nodiscard]] struct live *table_collection(const struct store *store, const char *workspace,
					    const char *name);

/* A workspace or nullptr. With the lock. */
[[nodiscard]] const struct store_workspace *table_workspace(const struct store *store,
							    const char *name);

/* Take a workspace out of the list. Without the lock. */
void table_remove_workspace(struct store *store, const char *name);

/* Free the lists. */
void table_done(struct store *store);
