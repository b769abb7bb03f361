/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * reads: say which collections and fields a bound query is going to read, for the ledger.
 *
 * Layer 6 (service/sql). Pure.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/sql/sql.h"

struct bound;

constexpr size_t READS_SLACK = 1024; /* of room, above what the lists may take: one more name */

/*
 * Describe what bound reads.
 *
 * room  the lists' memory, for as much as they may take and READS_SLACK; ret points into it
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int reads_describe(const struct bound *bound, struct buf *room,
				 struct sql_reads *ret);
