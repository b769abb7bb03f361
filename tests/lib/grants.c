/* SPDX-License-Identifier: Apache-2.0 */

/*
 * grants: stand in for accounts and appliance, to test front and engine together.
 *
 *   grants GRANT-KEY-FILE
 *
 * Connects to front's sockets and says the appliance is ready. The key "writer" may do everything,
 * "reader", "other-reader" and "slow" (another person's) what needs no right to change; all others are denied. Grants are genuine, but those for
 * "forged", whose MAC is not, "stale", which are a minute old, and "other", which are for another operation.
 */

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/execute.h"
#include "common/proto/operations.h"
#include "common/secret.h"

static struct secret grant_key;

/* The rights that change something. */
static bool changes(enum privilege privilege)
{
	return privilege == CREATE_WS_GLOBAL || privilege == DELETE_WS ||
	       privilege == CREATE_COLLECTION_WS || privilege == DELETE_COLLECTION_WS ||
	       privilege == ROTATE_KEY_WS || privilege == WRITE_DATA_WS;
}

static bool is_reader(const char *key)
{
	return strcmp(key, "reader") == 0 || strcmp(key, "other-reader") == 0 ||
	       strcmp(key, "slow") == 0;
}

static int deny(struct channel *channel, uint64_t id, uint16_t status, const char *type)
{
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	struct access_denied denied = { .http_status = status, .message = "Denied." };

	(void)snprintf(denied.error_type, sizeof(denied.error_type), "%s", type);
	access_denied_write(&out, &denied);
	return channel_send(channel, ACCESS_DENIED, id, &out, -1);
}

static int on_check(struct channel *channel, void *, struct msg *in)
{
	static const char *const KEYS[] = { "writer", "reader", "other-reader", "slow",
					    "forged", "stale",	"other" };
	static struct access_check check;
	static struct grant grant;
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	bool known = false;

	if (!access_check_read(in->payload, in->len, &check))
		return MSG_MALFORMED;
	for (size_t i = 0; i < countof(KEYS); i++)
		known |= strcmp(check.api_key, KEYS[i]) == 0;
	if (!known)
		return deny(channel, in->id, 401, "AUTHEXCEPTION");
	if (is_reader(check.api_key) && changes(OPERATIONS[check.op].privilege))
		return deny(channel, in->id, 403, "FORBIDDEN");

	grant = (struct grant) { .op = check.op,
				 .privileges = UINT64_MAX,
				 .issued_us = clock_mono_us(),
				 .person = "ann",
				 .email = "ann@example.org",
				 .key_name = "test",
				 .role = "admin" };
	(void)snprintf(grant.key_id, sizeof(grant.key_id), "rdt_%.10s", check.api_key);
	if (strcmp(check.api_key, "slow") == 0)
		(void)stpcpy(grant.person, "eve");
	if (strcmp(check.api_key, "reader") == 0)
		(void)stpcpy(grant.key_id, "rdt_reader");
	if (strcmp(check.api_key, "stale") == 0)
		grant.issued_us -= 60'000'000;
	if (strcmp(check.api_key, "other") == 0)
		grant.op = check.op == OP_QUERY ? OP_USER_SELF : OP_QUERY;
	(void)stpcpy(grant.workspace, check.workspace);
	(void)stpcpy(grant.request_id, check.request_id);
	(void)stpcpy(grant.source, check.source);
	(void)stpcpy(grant.user_agent, check.user_agent);
	int r = grant_seal(&out, &grant, &grant_key);
	if (r == 0 && strcmp(check.api_key, "forged") == 0)
		out.data[out.len - 1] ^= 1;
	return r ? r : channel_send(channel, ACCESS_GRANTED, in->id, &out, -1);
}

static void lost(struct channel *, void *server)
{
	loop_end(server, 0);
}

static const struct channel_request REQUESTS[] = {
	{ ACCESS_CHECK, 1u << 0, 0, MSG_PAYLOAD_MAX, on_check },
};
static const struct channel_table TABLE = {
	.name = "grants", .request = REQUESTS, .n = countof(REQUESTS), .closed = lost
};

static int serve(struct loop *loop, const char *name, struct channel **ret)
{
	int fd = -1;
	int r = msg_connect(name, &fd);

	return r ? r : channel_new(loop, fd, 0, &TABLE, loop, ret);
}

static int load_key(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? neg_errno() : secret_init(&grant_key, 4096);

	if (r)
		return r;
	ssize_t len = read(fd, grant_key.data, grant_key.len);
	if (len < 32)
		return -EKEYREJECTED;
	grant_key.len = (size_t)len;
	return 0;
}

int main(int argc, char **argv)
{
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	struct appliance_state state = { .state = STATE_READY };
	struct channel *accounts = nullptr, *appliance = nullptr;
	cleanup(loop_free_at) struct loop *loop = nullptr;

	if (argc != 2)
		return 2;
	int r = load_key(argv[1]);
	if (r == 0)
		r = loop_new(&loop);
	if (r == 0)
		r = serve(loop, "front-accounts.sock", &accounts);
	if (r == 0)
		r = serve(loop, "front-appliance.sock", &appliance);
	appliance_state_write(&out, &state);
	if (r == 0)
		r = channel_send(appliance, STATE, 0, &out, -1);
	if (r == 0)
		r = loop_run(loop, "");
	return r < 0;
}
