/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/peers.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"
#include "service/front/conn.h"
#include "service/front/credit.h"
#include "service/front/exchange.h"
#include "service/front/front.h"
#include "service/front/notify.h"

/* Numbers of the peers; bits of channel_request.peers. */
enum peer {
	PEER_ACCOUNTS,
	PEER_ENGINE,
	PEER_APPLIANCE,
	PEER_COUNT,
};

constexpr uint32_t ACCOUNTS = 1u << PEER_ACCOUNTS;
constexpr uint32_t ENGINE = 1u << PEER_ENGINE;
constexpr uint32_t APPLIANCE = 1u << PEER_APPLIANCE;

constexpr uint32_t DENIED_MIN = 10; /* a status and two empty texts */
constexpr uint32_t RESULT_MIN = 6;  /* a status and an empty body */
constexpr uint32_t STATE_MIN = 5;   /* a state and an empty text */

/* So short a life would be a fast circle of restarts, were the certificate never to come. */
constexpr uint64_t LEAVE_AFTER_US = 5'000'000;

struct peers {
	struct listener *listener[PEER_COUNT];
};

/* The connection that waits for the answer to this question, or nullptr if it has gone. */
static struct conn *who_asked(const struct front *front, const struct channel *channel, uint64_t id)
{
	struct conn *conn = front->conn[id % FRONT_CONNS_MAX];

	return conn && conn->exchange.question == id && conn->exchange.asked == channel ? conn
											: nullptr;
}

static int on_granted(struct channel *channel, void *server, struct msg *in)
{
	struct conn *conn = who_asked(server, channel, in->id);

	if (conn)
		exchange_granted(conn, in->payload, in->len);
	return 0;
}

static int on_denied(struct channel *channel, void *server, struct msg *in)
{
	struct conn *conn = who_asked(server, channel, in->id);
	struct access_denied denied;

	if (!access_denied_read(in->payload, in->len, &denied))
		return MSG_MALFORMED;
	if (conn)
		exchange_denied(conn, &denied);
	return 0;
}

static int on_result(struct channel *channel, void *server, struct msg *in)
{
	struct conn *conn = who_asked(server, channel, in->id);
	struct result result;

	if (!result_read(in->payload, in->len, &result))
		return MSG_MALFORMED;
	credit_answered(server, channel, in->id);
	if (conn)
		exchange_result(conn, &result, &in->fd);
	else if (in->fd >= 0)
		credit_refuse(channel, in->id);
	return 0;
}

static int leave(void *userdata)
{
	struct front *front = userdata;

	log_event(LOG_NOTICE, EVENT_TLS, 0, "leaving to come back with the real certificate",
		  nullptr);
	loop_end(front->loop, 0);
	return 0;
}

static int on_state(struct channel *channel, void *server, struct msg *in)
{
	struct front *front = server;
	uint64_t up_us = clock_mono_us() - front->started_us;

	(void)channel;
	if (!appliance_state_read(in->payload, in->len, &front->state))
		return MSG_MALFORMED;
	notify_status(front->notify, front->state.text);
	if (front->state.state != STATE_READY || !front->certificate_absent || front->leaving)
		return 0;
	return loop_timer(front->loop, up_us < LEAVE_AFTER_US ? LEAVE_AFTER_US - up_us : 0, leave,
			  front, &front->leaving);
}

/* Where front remembers who serves it; nullptr for a peer that only tells. */
static struct channel **place_of(struct front *front, const struct channel *channel)
{
	struct channel **const PLACES[PEER_COUNT] = {
		[PEER_ACCOUNTS] = &front->accounts, [PEER_ENGINE] = &front->engine
	};

	return PLACES[channel_peer(channel)];
}

/* The latest connection is the one that counts: what it replaces may be dead without knowing. */
static void opened(struct channel *channel, void *server)
{
	struct front *front = server;
	struct channel **place = place_of(server, channel);

	if (!place)
		return;
	if (*place) {
		credit_closed(front, *place);
		channel_close(*place);
	}
	*place = channel;
	if (place == &front->engine)
		credit_open(front, channel);
}

static void closed(struct channel *channel, void *server)
{
	struct front *front = server;
	struct channel **place = place_of(front, channel);

	if (place && *place == channel)
		*place = nullptr;
	credit_closed(front, channel);
	for (size_t i = 0; i < FRONT_CONNS_MAX; i++)
		if (front->conn[i] && front->conn[i]->exchange.asked == channel)
			exchange_peer_lost(front->conn[i]);
}

/* clang-format off */
static const struct channel_request REQUESTS[] = {
	{ ACCESS_GRANTED, ACCOUNTS,  1,          ACCESS_GRANT_MAX,                on_granted },
	{ ACCESS_DENIED,  ACCOUNTS,  DENIED_MIN, sizeof(struct access_denied) + 8, on_denied },
	{ RESULT,         ENGINE,    RESULT_MIN, MSG_PAYLOAD_MAX,                 on_result },
	{ STATE,          APPLIANCE, STATE_MIN,  sizeof(struct appliance_state) + 4, on_state },
};
/* clang-format on */

static const struct channel_table TABLE = {
	.name = "front",
	.request = REQUESTS,
	.n = countof(REQUESTS),
	.opened = opened,
	.closed = closed,
};

int peers_new(struct front *front, struct peers **ret)
{
	static const char *const NAMES[PEER_COUNT] = { [PEER_ACCOUNTS] = "accounts",
						       [PEER_ENGINE] = "engine",
						       [PEER_APPLIANCE] = "appliance" };
	cleanup(peers_free_at) struct peers *peers = calloc(1, sizeof(*peers));

	if (!peers)
		return -ENOMEM;
	for (unsigned int i = 0; i < PEER_COUNT; i++) {
		int fd = loop_listen_fd(NAMES[i], 0);
		int r = fd < 0 ? fd
			       : listener_new(front->loop, fd, i, &TABLE, front,
					      &peers->listener[i]);

		if (r < 0) {
			log_event(LOG_ERR, EVENT_START_FAILED, r,
				  "no socket passed in for this peer", NAMES[i]);
			return r;
		}
	}
	*ret = TAKE(peers);
	return 0;
}

struct peers *peers_free(struct peers *peers)
{
	if (!peers)
		return nullptr;
	for (size_t i = 0; i < PEER_COUNT; i++)
		peers->listener[i] = listener_free(peers->listener[i]);
	free(peers);
	return nullptr;
}
