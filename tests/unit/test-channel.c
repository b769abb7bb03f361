/* SPDX-License-Identifier: Apache-2.0 */
#include "common/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/loop.h"
#include "common/msg.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

enum : uint16_t {
	ECHO = 1,
	BURST = 2,
	FAIL = 3,
	PRIVATE = 4
};

struct server {
	struct loop *loop;
	int opened, closed;
};

static int on_echo(struct channel *channel, void *server, struct msg *in)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);

	(void)server;
	buf_add(&payload, in->payload, in->len);
	return channel_send(channel, ECHO, in->id, &payload, -1);
}

/* Answer with more frames than a socket holds, so that the queue is used. */
static int on_burst(struct channel *channel, void *server, struct msg *in)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	static const uint8_t ZEROS[4096];

	(void)server;
	buf_add(&payload, ZEROS, sizeof(ZEROS));
	for (uint64_t i = 0; i < 500; i++)
		if (channel_send(channel, BURST, in->id + i, &payload, -1) < 0)
			return -ENOBUFS;
	return 0;
}

static int on_fail(struct channel *channel, void *server, struct msg *in)
{
	(void)channel;
	(void)server;
	(void)in;
	return 1;
}

static void on_opened(struct channel *channel, void *server)
{
	(void)channel;
	((struct server *)server)->opened++;
}

static void on_closed(struct channel *channel, void *server)
{
	(void)channel;
	((struct server *)server)->closed++;
}

static const struct channel_request REQUESTS[] = {
	{ ECHO, 1u << 0 | 1u << 1, 1, 100, on_echo },
	{ BURST, 1u << 0, 0, 0, on_burst },
	{ FAIL, 1u << 0, 0, 0, on_fail },
	{ PRIVATE, 1u << 1, 0, 0, on_echo },
};
static const struct channel_table TABLE = { "test", REQUESTS, countof(REQUESTS), on_opened,
					    on_closed };

/* Let the loop handle what is there. */
static int turn(struct loop *loop)
{
	int r = 0;

	for (int i = 0; r == 0 && i < 10; i++)
		r = loop_turn(loop, 1000);
	return r;
}

/* Send one frame to a fresh channel, run the loop, and say how many frames came back. */
static int answers_to(uint16_t type, size_t len, struct server *server)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	static uint8_t room[MSG_MAX], payload[200];
	struct msg got;
	int pair[2], n = 0;

	if (loop_new(&loop) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	server->loop = loop;
	if (channel_new(loop, pair[1], 0, &TABLE, server, nullptr))
		return -1;

	auto_close int client = pair[0];
	if (fcntl(client, F_SETFL, O_NONBLOCK) < 0 ||
	    msg_send(client,
		     &(struct msg) {
			     .type = type, .id = 9, .payload = payload, .len = len, .fd = -1 }))
		return -1;
	for (int i = 0; i < 50; i++) {
		if (turn(loop))
			return -1;
		while (msg_recv(client, room, &got) == 0)
			n++;
		if (server->closed)
			break;
	}
	close_at(&client);
	return turn(loop) ? -1 : n;
}

static bool a_request_is_answered(void)
{
	struct server server = {};

	CHECK_EQ(answers_to(ECHO, 5, &server), 1);
	CHECK_EQ(server.opened, 1);
	CHECK_EQ(server.closed, 1);
	return true;
}

static bool a_long_answer_waits_for_a_slow_reader(void)
{
	struct server server = {};

	CHECK_EQ(answers_to(BURST, 0, &server), 500);
	return true;
}

static bool unknown_private_misshapen_and_failing_requests_end_the_connection_only(void)
{
	static const struct {
		uint16_t type;
		size_t len;
	} BAD[] = { { 99, 0 }, { PRIVATE, 0 }, { ECHO, 0 }, { ECHO, 101 }, { FAIL, 0 } };

	for (size_t i = 0; i < countof(BAD); i++) {
		struct server server = {};

		CHECK_EQ(answers_to(BAD[i].type, BAD[i].len, &server), 0);
		CHECK_EQ(server.closed, 1);
	}
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	struct server server = {};

	CHECK_EQ(loop_new(&loop), 0);
	for (size_t n = 1;; n++) {
		cleanup(channel_free_at) struct channel *channel = nullptr;
		int pair[2];

		CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		auto_close int client = pair[0];
		(void)client;
		fault_at(n);
		int r = channel_new(loop, pair[1], 0, &TABLE, &server, &channel);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!channel);
	}
}

int main(void)
{
	RUN(a_request_is_answered);
	RUN(a_long_answer_waits_for_a_slow_reader);
	RUN(unknown_private_misshapen_and_failing_requests_end_the_connection_only);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
