/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * engine_link: asks engine which queries there are, and has it end some. Each question is a connection of its own and waits
 * at most ENGINE_LINK_S for its answer, which engine's loop gives from memory.
 *
 * Layer 2 (appliance/manager).
 */

#include <stdint.h>

#include "common/base.h"
#include "common/proto/queries.h"

constexpr int ENGINE_LINK_S = 2;

/* Call put for each query that waits or is at work. Returns 0, -EPROTO if engine does not answer as it should, or another -errno. */
[[nodiscard]] int engine_link_list(void (*put)(void *userdata, const struct query_state *query),
				   void *userdata);

/* Have a query end. ret: whether there was one. Returns as engine_link_list(). */
[[nodiscard]] int engine_link_kill(const struct query_kill *kill, bool *ret);
