/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * shortcut: aggregates of whole collections that are answered from what chunks say about themselves.
 *
 * Layer 5 (service/exec).
 */

#include "common/base.h"
#include "service/exec/pipe_internal.h"

/*
 * COUNT(*), COUNT, MIN, MAX without keys where no row needs to be read.
 *
 * Returns 0 (the only row is in pipe->cell), PIPE_END (it must be worked out, or has been given), an outcome of pipe.h, or -errno.
 */
[[nodiscard]] int shortcut_take(struct pipe *pipe);
