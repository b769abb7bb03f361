/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * reply: what a statement yields as the JSON that clients get.
 *
 * Layer 6 (service/sql).
 */

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/sql/bind.h"
#include "service/syntax/arena.h"

struct reply;

/*
 * Make an encoder for a bound query; it lives in the arena.
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int reply_new(struct arena *arena, const struct bound *bound, struct reply **ret);

/* Append the row a statement stands at, as an object. Returns 0, -ENOMEM or -EIO (a malformed value); a failure to append sticks to out. */
[[nodiscard]] int reply_add(struct reply *reply, sqlite3_stmt *stmt, struct buf *out);

/* Append the array of {"name":…,"type":""} of all columns seen. Returns 0 or -ENOMEM. */
[[nodiscard]] int reply_columns(struct reply *reply, struct buf *out);
