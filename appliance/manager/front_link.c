/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/front_link.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/msg.h"

constexpr uint64_t RETRY_US = 500'000;

struct front_link {
	struct loop *loop;
	struct loop_source *retry;
	struct channel *channel;
	struct appliance_state state;
};

static void send_state(struct front_link *link)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);

	if (!link->channel)
		return;
	appliance_state_write(&payload, &link->state);
	int r = channel_send(link->channel, STATE, 0, &payload, -1);
	if (r < 0)
		log_event(LOG_WARNING, EVENT_CONNECTION_LOST, r, "front was not told the state",
			  nullptr);
}

static void on_closed(struct channel *channel, void *server)
{
	struct front_link *link = server;

	(void)channel;
	link->channel = nullptr;
	if (loop_timer_again(link->retry, RETRY_US) < 0)
		log_event(LOG_ERR, EVENT_CONNECTION_LOST, -ENOMEM, "front is not connected again",
			  nullptr);
}

static const struct channel_table TABLE = { .name = "front", .closed = on_closed };

static int on_retry(void *userdata)
{
	struct front_link *link = userdata;
	int fd = -1;

	int r = msg_connect("front-appliance.sock", &fd);
	if (r == 0)
		r = channel_new(link->loop, fd, 0, &TABLE, link, &link->channel);
	if (r)
		return loop_timer_again(link->retry, RETRY_US);
	send_state(link);
	return 0;
}

int front_link_new(struct loop *loop, struct front_link **ret)
{
	cleanup(front_link_free_at) struct front_link *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->loop = loop;
	int r = loop_timer(loop, 0, on_retry, link, &link->retry);
	if (r < 0)
		return r;
	*ret = TAKE(link);
	return 0;
}

struct front_link *front_link_free(struct front_link *link)
{
	if (!link)
		return nullptr;
	link->retry = loop_source_free(link->retry);
	link->channel = channel_free(link->channel);
	free(link);
	return nullptr;
}

void front_link_tell(struct front_link *link, enum state state, const char *text)
{
	if (link->state.state == state && strcmp(link->state.text, text) == 0)
		return;
	link->state.state = state;
	(void)snprintf(link->state.text, sizeof(link->state.text), "%s", text);
	send_state(link);
}
