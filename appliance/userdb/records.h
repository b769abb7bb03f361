/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * records: the people as JSON user records in /run/userdb, where the name service reads them.
 *
 * Layer 2 (appliance/userdb). Files: NAME.user, NAME.user-privileged, and the links UID.user and UID.user-privileged.
 * Each is written aside and renamed, so a reader sees a whole record or none. Source: nss-systemd(8),
 * systemd's JSON User Records (USER_RECORD), systemd-userdbd.service(8) for the file names.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/userdb/wish.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/proto/people.h"

struct records;

/*
 * Open the folder of the records.
 *
 * path  the folder; exists
 * gid   of the group that all people belong to
 *
 * Returns 0, -ENOMEM or -errno of open(2). *ret is set only on success.
 */
[[nodiscard]] int records_open(const char *path, uint32_t gid, struct records **ret);

/* Close and free; nullptr is a no-op. Always returns nullptr. */
struct records *records_close(struct records *records);
CLEANUP_FN(struct records, records_close)

/* Write one person's record. Returns 0 or -errno; what is there is whole in any case. */
[[nodiscard]] int records_write(struct records *records, const struct people_one *one);

/*
 * Make the folder hold exactly these people: records written, and every file of ours that belongs to
 * nobody removed.
 *
 * Returns 0 or the first -errno; goes on with the others all the same.
 */
[[nodiscard]] int records_sync(struct records *records, const struct wish *wish);

/* The JSON of a person's record, for records_write() and its test. A failure sticks to out. */
void records_one(struct buf *out, const struct people_one *one, uint32_t gid);
