/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * import: take over the documents of the first release, which kept them in documents.sqlite (schema version 1).
 *
 * Layer 4 (service/store). Whatever happens on the way, the old file stays until all of it is in segments; if it is still
 * there when the store is opened, and the catalog does not say that it has been taken over, all begins anew.
 */

#include "common/base.h"
#include "service/store/internal.h"

/* Whether there is something to take over; then what an earlier try has left is cleared away. Before the log is opened. Returns 0 or -errno. */
[[nodiscard]] int import_prepare(struct store *store, bool *ret_due);

/* Take it over, and remove the old file. With the store open. Returns 0, STORE_DAMAGED or -errno. */
[[nodiscard]] int import_all(struct store *store);
