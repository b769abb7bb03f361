/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * rows: what a statement yields as the JSON that clients get.
 *
 * Layer 3 (service/sql).
 */

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/sql/arena.h"
#include "service/sql/bind.h"

struct rows;

/*
 * Make an encoder for a bound query; it lives in the arena.
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int rows_new(struct arena *arena, const struct bound *bound, struct rows **ret);

/* Append the row a statement stands at, as an object. Returns 0, -ENOMEM or -EIO (a malformed value); a failure to append sticks to out. */
[[nodiscard]] int rows_add(struct rows *rows, sqlite3_stmt *stmt, struct buf *out);

/* Append the array of {"name":…,"type":""} of all columns seen. Returns 0 or -ENOMEM. */
[[nodiscard]] int rows_columns(struct rows *rows, struct buf *out);
