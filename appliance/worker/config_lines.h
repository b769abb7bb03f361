/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * config_lines: a configuration as one line for each setting, so that two can be compared by people.
 *
 * Layer 2 (appliance/worker). What is absent is written as its default; the order in which lists
 * were given does not matter to a comparison.
 */

#include "appliance/worker/config.h"
#include "common/base.h"
#include "common/buf.h"

/* Append the lines, "ssh.sources 10.0.0.0/8". A failure sticks to ret. */
void config_lines(const struct config *config, struct buf *ret);

/*
 * Append the difference: "- LINE" for what only the first has, "+ LINE" for what only the second has.
 * Nothing is appended if they mean the same.
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int config_diff(const struct config *from, const struct config *to, struct buf *ret);
