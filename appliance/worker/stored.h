/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * stored: the configuration that lies on the volume, config/config.json: the one in force.
 *
 * Layer 2 (appliance/worker).
 */

#include "appliance/worker/config.h"
#include "common/base.h"
#include "common/buf.h"

/*
 * Read and check the stored configuration.
 *
 * state  folder descriptor of the state folder
 * text   its JSON is appended
 * why    set if it is not valid: which field, and how to mend it
 *
 * Returns 0, CONFIG_INVALID, -ENOENT or another -errno.
 */
[[nodiscard]] int stored_read(int state, struct buf *text, struct config *ret,
			      char why[CONFIG_ERROR]);
