/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * handover: what the job that opens the volume leaves, in memory, for setup once it is mounted.
 *
 * Layer 2 (appliance/worker). A root-only folder below the run folder: config.json, recovery-key, keyring-volume, keyring-recovery.
 */

#include <stddef.h>

#include "common/base.h"

/* Open the folder. Returns 0, -ENOENT or another -errno. */
[[nodiscard]] int handover_open(int *ret);

/* Leave a file there, making the folder. Returns 0 or -errno. */
[[nodiscard]] int handover_leave(const char *name, const void *data, size_t len);
