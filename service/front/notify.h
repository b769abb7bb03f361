/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * notify: tell systemd how we are, without making a socket.
 *
 * Layer 3 (service/front). front may make no socket of any kind, and sd_notify(3) makes one. So
 * systemd passes one in (redoubt-front-notify.socket, FileDescriptorName=notify), an unconnected
 * AF_UNIX datagram socket, and what is said goes out through it to $NOTIFY_SOCKET. The kernel
 * attaches the sender's credentials. Source: sd_notify(3), unix(7).
 */

#include "common/base.h"
#include "common/loop.h"

struct notify;

/*
 * Prepare from the environment: $NOTIFY_SOCKET, $WATCHDOG_USEC and the passed descriptor. Where
 * one of them is missing, as in a test on a host, nothing will be said and that is fine.
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int notify_new(struct notify **ret);

/* Free. nullptr is a no-op. Always returns nullptr. */
struct notify *notify_free(struct notify *notify);
CLEANUP_FN(struct notify, notify_free)

/*
 * Say that we are ready, and from now on, each half watchdog interval, that we live.
 *
 * Returns 0 or -errno of loop_timer().
 */
[[nodiscard]] int notify_ready(struct notify *notify, struct loop *loop, const char *status);

/* Say one line about how things are. */
void notify_status(const struct notify *notify, const char *status);
