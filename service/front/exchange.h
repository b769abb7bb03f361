/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * exchange: one request's way: route, ask accounts, take the body, ask engine, answer.
 *
 * Layer 3 (service/front). Each function leaves the connection in the state in which it goes on;
 * those called by a peer's answer also run it.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"
#include "service/front/conn.h"

/* The head of a request is complete: redirect it, refuse it, or ask accounts. */
void exchange_start(struct conn *conn);

/* The body is complete: ask engine, or accounts again if the grant has aged meanwhile. */
void exchange_body_complete(struct conn *conn);

/*
 * Take note of how much memory the body takes.
 *
 * Returns whether that fits; if not, a response is under way.
 */
[[nodiscard]] bool exchange_hold(struct conn *conn);

/* Accounts says yes. grant[len] is borrowed. */
void exchange_granted(struct conn *conn, const void *grant, size_t len);

/* Accounts says no. */
void exchange_denied(struct conn *conn, const struct access_denied *denied);

/* Engine has answered; body as in the frame, fd as in msg (taken by setting it to -1). */
void exchange_result(struct conn *conn, const struct result *result, int *fd);

/* The peer that was asked has gone. */
void exchange_peer_lost(struct conn *conn);

/* The time for what is under way is over. */
void exchange_expired(struct conn *conn);

/* Forget the request and wipe it; engine is told if it works on it. */
void exchange_end(struct conn *conn);
