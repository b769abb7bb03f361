/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * front_link: tells front how the appliance is, now and whenever front starts anew.
 *
 * Layer 2 (appliance/manager).
 */

#include "common/base.h"
#include "common/loop.h"
#include "common/proto/execute.h"

struct front_link;

/* Make it; connects by itself, again and again. Returns 0 or -ENOMEM. */
[[nodiscard]] int front_link_new(struct loop *loop, struct front_link **ret);

/* Disconnect and free. nullptr is a no-op. Always returns nullptr. */
struct front_link *front_link_free(struct front_link *link);
CLEANUP_FN(struct front_link, front_link_free)

/* The state front is to answer by; sent if it is not what was said last. text is copied. */
void front_link_tell(struct front_link *link, enum state state, const char *text);
