/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * packed_row: a row of values as bytes, for what goes to disk and comes back.
 *
 * Layer 5 (service/vector). For each value its kind, then 8 bytes, or 4 bytes of length and a string, or nothing. Unlike a
 * record's key (record.h) it tells MISSING from NULL.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/vector/rows.h"

constexpr size_t PACKED_ROW_MAX = 128u << 20; /* bytes of one row */

/* Append a value. A failure sticks to out. */
void packed_row_put(struct buf *out, const struct slim *slim);

/*
 * Take a row apart.
 *
 * data  [len] as packed_row_put() has written it n times; borrowed by the strings
 * ret   [n]
 *
 * Returns whether that is what it is.
 */
[[nodiscard]] bool packed_row_get(const uint8_t *data, size_t len, struct slim *ret, uint32_t n);
