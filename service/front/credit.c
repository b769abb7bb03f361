/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/credit.h"

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/proto/execute.h"
#include "service/front/conn.h"
#include "service/front/front.h"

constexpr uint64_t MIB = 1u << 20;
constexpr uint64_t RESULTS_MIN =
	256 * MIB; /* half of it is one key's: one of the longest, and some */
constexpr uint64_t RESULTS_MAX = 512 * MIB;

/* What an engine that is whole sends beyond its credit: answers that say what has been done, one of each worker. */
constexpr uint64_t RESULTS_BEYOND = 4 * RESULT_BODY_MAX;

uint64_t credit_results_max(uint64_t memory)
{
	uint64_t sixth = memory / 6;

	if (sixth < RESULTS_MIN)
		return RESULTS_MIN;
	return sixth < RESULTS_MAX ? sixth : RESULTS_MAX;
}

static void give(struct channel *engine, uint64_t question, uint64_t bytes)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);

	credit_write(&payload, &(struct credit) { bytes });
	int r = channel_send(engine, CREDIT, question, &payload, -1);
	if (r < 0) { /* it would be lost for good: a new connection begins with all of it */
		log_event(LOG_ERR, EVENT_CONNECTION_LOST, r, "credit not given to engine", nullptr);
		channel_close(engine);
	}
}

void credit_open(struct front *front, struct channel *engine)
{
	uint64_t max = front->results_max;

	give(engine, 0, max > front->results ? max - front->results : 0);
}

bool credit_take(struct conn *conn, struct channel *engine, uint64_t question, uint64_t bytes)
{
	struct front *front = conn->front;

	if (front->results + bytes > front->results_max + RESULTS_BEYOND)
		return false;
	front->results += bytes;
	conn->held =
		(struct held_result) { .engine = engine, .question = question, .bytes = bytes };
	return true;
}

void credit_give(struct conn *conn)
{
	struct front *front = conn->front;
	struct held_result held = conn->held;

	conn->held = (struct held_result) {};
	front->results -= held.bytes;
	if (held.question == 0)
		return;
	if (held.engine)
		give(held.engine, held.question, held.bytes);
	else if (front->engine)
		give(front->engine, 0, held.bytes);
}

void credit_refuse(struct channel *engine, uint64_t question)
{
	give(engine, question, 0);
}

void credit_closed(struct front *front, const struct channel *engine)
{
	for (size_t i = 0; i < FRONT_CONNS_MAX; i++)
		if (front->conn[i] && front->conn[i]->held.engine == engine)
			front->conn[i]->held.engine = nullptr;
	for (size_t i = 0; i < front->n_orphans;) {
		if (front->orphan[i].engine == engine)
			credit_answered(front, engine, front->orphan[i].question);
		else
			i++;
	}
}

void credit_orphan(struct front *front, const struct channel *engine, uint64_t question,
		   size_t bytes)
{
	if (front->n_orphans ==
	    FRONT_ORPHANS_MAX) { /* cannot be while each takes more than a frame */
		front->bodies -= bytes;
		return;
	}
	front->orphan[front->n_orphans++] =
		(struct orphan) { .engine = engine, .question = question, .bytes = bytes };
}

void credit_answered(struct front *front, const struct channel *engine, uint64_t question)
{
	for (size_t i = 0; i < front->n_orphans; i++) {
		if (front->orphan[i].question != question || front->orphan[i].engine != engine)
			continue;
		front->bodies -= front->orphan[i].bytes;
		front->orphan[i] = front->orphan[--front->n_orphans];
		return;
	}
}
