/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * peers: the processes that connect to front to serve it, and what they may say.
 *
 * Layer 3 (service/front).
 */

#include "common/base.h"
#include "service/front/front.h"

struct peers;

/*
 * Accept accounts, engine and appliance on the sockets that systemd passed in.
 *
 * Returns 0, -ENOENT if one is missing, or another -errno of listener_new().
 */
[[nodiscard]] int peers_new(struct front *front, struct peers **ret);

/* Stop accepting. nullptr is a no-op. Always returns nullptr. */
struct peers *peers_free(struct peers *peers);
CLEANUP_FN(struct peers, peers_free)
