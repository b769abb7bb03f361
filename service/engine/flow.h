/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * flow: how many bytes of long answers may be under way to clients, in all and of one API key.
 *
 * Layer 7 (service/engine). An answer that goes by memfd lies in memory until its client has read it. Front says how much of
 * that there may be (CREDIT) and gives it back answer by answer. A key gets at most half of it, and never more than twice of
 * what it leaves to the others, so that keys whose clients read slowly never take all.
 * Threads: any.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

/* What a request that changes something must have room for before it begins: once done, its answer is sent in any case. */
constexpr size_t FLOW_WRITE_ROOM = 1u << 20;

struct flow;

/* Make one without any credit. Returns 0 or -ENOMEM. */
[[nodiscard]] int flow_new(struct flow **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct flow *flow_free(struct flow *flow);
CLEANUP_FN(struct flow, flow_free)

/* Front is there anew, by the connection of that number: what was under way is not any more, and there is no credit yet. */
void flow_open(struct flow *flow, uint64_t connection);

/*
 * Front gives credit.
 *
 * id  of the answer that has left memory, whose bytes are known then; 0: bytes are new credit
 */
void flow_credit(struct flow *flow, uint64_t id, uint64_t bytes);

/* The longest answer that the key could be given now, in bytes. */
[[nodiscard]] size_t flow_room(struct flow *flow, const char *key);

/*
 * Take credit for an answer.
 *
 * key     who asked: the identifier of the API key; cut at 63 bytes
 * forced  also beyond what there is
 *
 * Returns whether it may be sent. One for a connection that has gone may not.
 */
[[nodiscard]] bool flow_take(struct flow *flow, const char *key, uint64_t connection, uint64_t id,
			     size_t bytes, bool forced);
