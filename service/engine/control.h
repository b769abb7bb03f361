/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * control: what appliance and accounts may say about the queries that run: which there are, and that some are to end.
 *
 * Layer 7 (service/engine). Each comes by a socket of its own that systemd has made and only its user may open.
 */

#include "common/base.h"
#include "common/loop.h"

struct control;
struct pool;

/*
 * Listen on the descriptors named appliance and accounts, as far as systemd has passed them.
 *
 * pool  borrowed until control_free()
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int control_new(struct loop *loop, struct pool *pool, struct control **ret);

/* Stop listening and free. nullptr is a no-op. Always returns nullptr. */
struct control *control_free(struct control *control);
CLEANUP_FN(struct control, control_free)
