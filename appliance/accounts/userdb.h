/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * userdb: tell the system's name service who the people are, as JSON user records in /run/userdb.
 *
 * Layer 2 (appliance/accounts). Files: NAME.user, NAME.user-privileged, and the links UID.user and UID.user-privileged.
 * Each is written aside and renamed, so a reader sees a whole record or none. Source: nss-systemd(8),
 * systemd's JSON User Records (USER_RECORD), systemd-userdbd.service(8) for the file names.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/store.h"
#include "common/base.h"
#include "common/buf.h"

struct userdb;

/*
 * Open the folder of the records.
 *
 * path  the folder; exists
 * gid   of the group that all people belong to
 *
 * Returns 0, -ENOMEM or -errno of open(2). *ret is set only on success.
 */
[[nodiscard]] int userdb_open(const char *path, uint32_t gid, struct userdb **ret);

/* Close and free; nullptr is a no-op. Always returns nullptr. */
struct userdb *userdb_close(struct userdb *userdb);
CLEANUP_FN(struct userdb, userdb_close)

/* Write one person's record. Returns 0 or -errno; what is there is whole in any case. */
[[nodiscard]] int userdb_write(struct userdb *userdb, const struct person *person);

/*
 * Make the folder hold exactly the people of the store: records written, and every file of ours that
 * belongs to nobody removed.
 *
 * Returns 0 or the first -errno; goes on with the others all the same.
 */
[[nodiscard]] int userdb_sync(struct userdb *userdb, struct store *store);

/* The JSON of a person's record, for userdb_write() and its test. A failure sticks to out. */
void userdb_record(struct buf *out, const struct person *person, uint32_t gid);
