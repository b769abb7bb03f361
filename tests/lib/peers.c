/* SPDX-License-Identifier: Apache-2.0 */

/*
 * peers: stand in for accounts, engine and appliance, to test front by itself.
 *
 *   peers STATE [TEXT]
 *
 * Connects to front's three sockets and says it is in STATE ("ready", "locked", …; "none": says
 * nothing). As accounts it grants everything to the key "good", forbids the key "forbidden", does
 * not answer the key "silent", and denies the rest. As engine it echoes what it was asked, as
 * JSON; in workspace "big" it answers with BIG_LEN bytes by memfd, in "slow" not at all, in
 * "crash" it goes away, in "unsealed" it passes a memfd that it could still change, in "unbounded"
 * it sends what is no frame of its. Each question is one line on stdout.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/channel.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"

constexpr size_t BIG_LEN = 3u << 20;

static int on_check(struct channel *channel, void *server, struct msg *in)
{
	static struct access_check check;
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	struct access_denied denied = { .http_status = 401,
					.error_type = "AUTHEXCEPTION",
					.message = "The API key is not valid." };

	(void)server;
	if (!access_check_read(in->payload, in->len, &check))
		return MSG_MALFORMED;
	printf("check op=%u key=%s workspace=%s source=%s agent=%s id=%s\n", check.op,
	       check.api_key, check.workspace, check.source, check.user_agent, check.request_id);
	(void)fflush(stdout);
	if (strcmp(check.api_key, "silent") == 0)
		return 0;
	if (strcmp(check.api_key, "good") == 0) {
		buf_add_str(&out, "grant for ");
		buf_add_str(&out, check.request_id);
		return channel_send(channel, ACCESS_GRANTED, in->id, &out, -1);
	}
	if (strcmp(check.api_key, "forbidden") == 0)
		denied = (struct access_denied) { .http_status = 403,
						  .error_type = "FORBIDDEN",
						  .message = "Not yours." };
	access_denied_write(&out, &denied);
	return channel_send(channel, ACCESS_DENIED, in->id, &out, -1);
}

/* Answer by memfd with a long JSON text. */
static int answer_big(struct channel *channel, uint64_t id)
{
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	auto_free char *body = malloc(BIG_LEN);
	int fd = -1;

	if (!body)
		return -ENOMEM;
	memset(body, 'x', BIG_LEN);
	body[0] = body[BIG_LEN - 1] = '"';
	int r = msg_body_to_fd(body, BIG_LEN, &fd);
	if (r)
		return r;
	result_write(&out, &(struct result) { .http_status = 200 });
	return channel_send(channel, RESULT, id, &out, fd);
}

/* Answer with a memfd that is not sealed. */
static int answer_unsealed(struct channel *channel, uint64_t id)
{
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	int fd = memfd_create("unsealed", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 100) < 0)
		return -EIO;
	result_write(&out, &(struct result) { .http_status = 200 });
	return channel_send(channel, RESULT, id, &out, fd);
}

/* A cheap sum that shows whether all bytes came, in their order. */
static uint32_t sum(const uint8_t *data, size_t len)
{
	uint32_t s = 1;

	for (size_t i = 0; i < len; i++)
		s = s * 31 + data[i];
	return s;
}

static int on_execute(struct channel *channel, void *server, struct msg *in)
{
	static struct execute execute;
	auto_buf struct buf body = buf_make(EXECUTE_BODY_MAX);
	auto_buf struct buf json = buf_make(MSG_INLINE_MAX);
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);

	(void)server;
	if (!execute_read(in->payload, in->len, &execute))
		return MSG_MALFORMED;
	if (in->fd >= 0) {
		int r = msg_body_from_fd(in->fd, &body);

		if (r)
			return r;
	} else {
		buf_add(&body, execute.body.data, execute.body.len);
	}
	printf("execute op=%u workspace=%s collection=%s body=%zu memfd=%d grant=%.*s\n",
	       execute.op, execute.workspace, execute.collection, body.len, in->fd >= 0,
	       (int)execute.grant.len, (const char *)execute.grant.data);
	(void)fflush(stdout);
	if (strcmp(execute.workspace, "slow") == 0)
		return 0;
	if (strcmp(execute.workspace, "crash") == 0)
		exit(3);
	if (strcmp(execute.workspace, "big") == 0)
		return answer_big(channel, in->id);

	if (strcmp(execute.workspace, "unsealed") == 0)
		return answer_unsealed(channel, in->id);
	if (strcmp(execute.workspace, "unbounded") == 0)
		return channel_send(channel, RESULT, in->id, nullptr, -1);

	buf_addf(&json, "{\"op\":%u,\"workspace\":", execute.op);
	buf_add_json(&json, execute.workspace, strlen(execute.workspace));
	buf_add_str(&json, ",\"collection\":");
	buf_add_json(&json, execute.collection, strlen(execute.collection));
	buf_addf(&json, ",\"body_len\":%zu,\"body_sum\":%u}", body.len, sum(body.data, body.len));
	result_write(&out, &(struct result) { .http_status = 200,
					      .body = { .data = json.data, .len = json.len } });
	return channel_send(channel, RESULT, in->id, &out, -1);
}

static int on_cancel(struct channel *channel, void *server, struct msg *in)
{
	(void)channel;
	(void)server;
	(void)in;
	printf("cancel\n");
	(void)fflush(stdout);
	return 0;
}

static int on_credit(struct channel *channel, void *server, struct msg *in)
{
	struct credit credit;

	(void)channel;
	(void)server;
	if (!credit_read(in->payload, in->len, &credit))
		return MSG_MALFORMED;
	printf("credit %llu %s\n", (unsigned long long)credit.bytes, in->id ? "back" : "new");
	(void)fflush(stdout);
	return 0;
}

static void lost(struct channel *channel, void *server)
{
	(void)channel;
	loop_end(server, 0);
}

static const struct channel_request REQUESTS[] = {
	{ ACCESS_CHECK, 1u << 0, 0, MSG_PAYLOAD_MAX, on_check },
	{ EXECUTE, 1u << 0, 0, MSG_PAYLOAD_MAX, on_execute },
	{ CANCEL, 1u << 0, 0, 0, on_cancel },
	{ CREDIT, 1u << 0, 0, 64, on_credit },
};
static const struct channel_table TABLE = {
	.name = "peers", .request = REQUESTS, .n = countof(REQUESTS), .closed = lost
};

/* Connect to one of front's sockets and serve it. */
static int serve(struct loop *loop, const char *name, struct channel **ret)
{
	int fd = -1;
	int r = msg_connect(name, &fd);

	return r ? r : channel_new(loop, fd, 0, &TABLE, loop, ret);
}

/* Say in which state the appliance is. */
static int say(struct channel *channel, const char *state, const char *text)
{
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	struct appliance_state message = {};

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	for (size_t i = 0; i < STATE_COUNT; i++) {
		if (strcmp(state_name((enum state)i), state) != 0)
			continue;
		message.state = (enum state)i;
		appliance_state_write(&out, &message);
		return channel_send(channel, STATE, 0, &out, -1);
	}
	return 0; /* "none" */
}

int main(int argc, char **argv)
{
	struct channel *accounts = nullptr, *engine = nullptr, *appliance = nullptr;
	cleanup(loop_free_at) struct loop *loop = nullptr;

	if (argc < 2)
		return 2;
	int r = loop_new(&loop);
	if (r == 0)
		r = serve(loop, "front-accounts.sock", &accounts);
	if (r == 0)
		r = serve(loop, "front-engine.sock", &engine);
	if (r == 0)
		r = serve(loop, "front-appliance.sock", &appliance);
	if (r == 0)
		r = say(appliance, argv[1], argc > 2 ? argv[2] : "");
	if (r == 0)
		r = loop_run(loop, "");
	return r < 0;
}
