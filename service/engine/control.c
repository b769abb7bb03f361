/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/control.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/channel.h"
#include "common/msg.h"
#include "common/proto/queries.h"
#include "service/engine/pool.h"

enum peer : unsigned int {
	APPLIANCE,
	ACCOUNTS,
	PEERS,
};

struct control {
	struct pool *pool;
	struct listener *listener[PEERS];
};

/* A list that is being written. */
struct list {
	struct buf payload;
	size_t n;
};

static void put_query(void *userdata, const struct pool_query *query)
{
	struct list *list = userdata;
	struct query_state state = { .number = query->number,
				     .age_us = query->age_us,
				     .cpu_us = query->cpu_us,
				     .works = query->works };

	if (list->n++ >= QUERIES_MAX)
		return;
	(void)snprintf(state.key_id, sizeof(state.key_id), "%s", query->key);
	(void)snprintf(state.person, sizeof(state.person), "%s", query->person);
	(void)snprintf(state.text, sizeof(state.text), "%s", query->head);
	query_state_write(&list->payload, &state);
}

static int on_list(struct channel *channel, void *server, struct msg *in)
{
	struct control *control = server;
	struct list list = { .payload = buf_make(MSG_PAYLOAD_MAX) };

	pool_queries(control->pool, put_query, &list);
	int r = channel_send(channel, QUERIES_ARE, in->id, &list.payload, -1);
	buf_done(&list.payload);
	return r;
}

static int answer(struct channel *channel, uint64_t id, size_t killed)
{
	auto_buf struct buf payload = buf_make(sizeof(uint32_t));

	write_u32(&payload, (uint32_t)killed);
	return channel_send(channel, QUERIES_KILLED, id, &payload, -1);
}

static int on_query_kill(struct channel *channel, void *server, struct msg *in)
{
	struct control *control = server;
	struct query_kill kill;

	if (!query_kill_read(in->payload, in->len, &kill))
		return MSG_MALFORMED;
	return answer(channel, in->id, pool_kill(control->pool, kill.number, kill.person));
}

static int on_key_kill(struct channel *channel, void *server, struct msg *in)
{
	struct control *control = server;
	struct key_kill kill;

	if (!key_kill_read(in->payload, in->len, &kill))
		return MSG_MALFORMED;
	return answer(channel, in->id, pool_kill_key(control->pool, kill.key_id, kill.person));
}

static const struct channel_request REQUESTS[] = {
	{ QUERIES_LIST, 1u << APPLIANCE, 0, 0, on_list },
	{ QUERY_KILL, 1u << APPLIANCE, 12, 12 + ACCESS_NAME_MAX, on_query_kill },
	{ KEY_KILL, 1u << ACCOUNTS, 8, 8 + 16 + ACCESS_NAME_MAX, on_key_kill },
};

static const struct channel_table TABLE = { .name = "engine",
					    .request = REQUESTS,
					    .n = countof(REQUESTS) };

int control_new(struct loop *loop, struct pool *pool, struct control **ret)
{
	static const char *const NAMES[PEERS] = {
		[APPLIANCE] = "appliance", [ACCOUNTS] = "accounts"
	};
	cleanup(control_free_at) struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return -ENOMEM;
	control->pool = pool;
	for (unsigned int peer = 0; peer < PEERS; peer++) {
		int fd = loop_listen_fd(NAMES[peer], 0);
		int r = fd < 0 ? 0
			       : listener_new(loop, fd, peer, &TABLE, control,
					      &control->listener[peer]);

		if (r)
			return r;
	}
	*ret = TAKE(control);
	return 0;
}

struct control *control_free(struct control *control)
{
	for (unsigned int peer = 0; control && peer < PEERS; peer++)
		listener_free(control->listener[peer]);
	free(control);
	return nullptr;
}
