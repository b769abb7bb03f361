/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * explain: say in lines of text what a bound query does natively and what SQLite does.
 *
 * Layer 6 (service/sql). Pure.
 */

#include "common/base.h"
#include "common/buf.h"
#include "service/sql/bind.h"

/* Append the lines, each ended by a newline. A failure sticks to out. */
void explain(const struct bound *bound, struct buf *out);
