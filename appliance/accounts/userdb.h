/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * userdb: ask redoubt-userdb to make the people of the store users of the system.
 *
 * Layer 2 (appliance/accounts). What a record says beyond name, uid and whether it is locked is not ours to choose.
 */

#include <stdint.h>

#include "appliance/accounts/store.h"
#include "common/base.h"

struct userdb;

/*
 * Make a client of the socket named name ("userdb.sock") below the run folder. Connects for each question.
 *
 * Returns 0 or -ENOMEM. *ret is set only on success.
 */
[[nodiscard]] int userdb_new(const char *name, struct userdb **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct userdb *userdb_free(struct userdb *userdb);
CLEANUP_FN(struct userdb, userdb_free)

/*
 * Make exactly the people of the store users of the system, and wait until they are; at most 5 s.
 *
 * ret_refused  set on success only: how many are none, since the gate lets no such record through
 *
 * Returns 0, -ENOMEM, -EIO (not written: ask again), -EBADMSG, -ETIMEDOUT, or another -errno of connect(2).
 */
[[nodiscard]] int userdb_sync(struct userdb *userdb, struct store *store, uint32_t *ret_refused);
