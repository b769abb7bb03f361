/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * credit: how many bytes of long results and request bodies there may be in memory, and where they are.
 *
 * Layer 3 (service/front). A result that is a memfd takes memory until its client has read it; engine may send as much as it
 * has credit for, and gets it back when the memfd is closed. A request body that is a memfd takes memory until engine has
 * answered, also if its client has gone meanwhile.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/front/front.h"

/* How many bytes of results there may be on a machine with that many bytes of memory. Pure. */
[[nodiscard]] uint64_t credit_results_max(uint64_t memory);

/* Tell an engine that has just connected how much it may send. */
void credit_open(struct front *front, struct channel *engine);

/*
 * Take note of a result that a connection holds from now on.
 *
 * Returns whether there is room for it; if not, nothing is held.
 */
[[nodiscard]] bool credit_take(struct conn *conn, struct channel *engine, uint64_t question,
			       uint64_t bytes);

/* The connection does not hold its result any more; without one a no-op. */
void credit_give(struct conn *conn);

/* A result came for nobody and is dropped. */
void credit_refuse(struct channel *engine, uint64_t question);

/* That engine has gone: what is held of it is given back to the next one. */
void credit_closed(struct front *front, const struct channel *engine);

/* The client has gone, but engine has its request body: it counts until the question is answered. */
void credit_orphan(struct front *front, const struct channel *engine, uint64_t question,
		   size_t bytes);

/* The question is answered: if its body was an orphan, it is none any more. */
void credit_answered(struct front *front, const struct channel *engine, uint64_t question);
