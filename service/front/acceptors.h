/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * acceptors: take clients in, within the limits on how many and from where.
 *
 * Layer 3 (service/front).
 */

#include "common/base.h"
#include "service/front/front.h"

struct acceptors;

/*
 * Accept on every passed descriptor named https and http.
 *
 * Returns 0, -ENOENT if there is none named https, -ENOMEM, or another -errno of loop_io().
 */
[[nodiscard]] int acceptors_new(struct front *front, struct acceptors **ret);

/* Stop accepting. nullptr is a no-op. Always returns nullptr. */
struct acceptors *acceptors_free(struct acceptors *acceptors);
CLEANUP_FN(struct acceptors, acceptors_free)
