/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/audit.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/log.h"
#include "common/msg.h"

constexpr time_t APPEND_TIMEOUT_S =
	5; /* a group commit takes milliseconds; a dying disk takes longer */

struct audit_client {
	const char *name;
	int fd;
	uint64_t next_id;
	uint8_t room[MSG_MAX];
};

void audit_event_write(struct buf *out, const struct audit_event *event)
{
	write_u8(out, event->decision);
	write_u8(out, event->outcome);
	write_u64(out, event->intent);
	write_str(out, event->code);
	write_str(out, event->actor_kind);
	write_str(out, event->actor);
	write_str(out, event->source);
	write_str(out, event->target);
	write_str(out, event->request_id);
	write_str(out, event->detail);
}

bool audit_event_read(const void *data, size_t len, struct audit_event *ret)
{
	struct reader in = reader_make(data, len);
	uint8_t decision = read_u8(&in);
	uint8_t outcome = read_u8(&in);

	ret->intent = read_u64(&in);
	read_str(&in, ret->code, sizeof(ret->code));
	read_str(&in, ret->actor_kind, sizeof(ret->actor_kind));
	read_str(&in, ret->actor, sizeof(ret->actor));
	read_str(&in, ret->source, sizeof(ret->source));
	read_str(&in, ret->target, sizeof(ret->target));
	read_str(&in, ret->request_id, sizeof(ret->request_id));
	read_str(&in, ret->detail, sizeof(ret->detail));
	if (!reader_end(&in) || decision >= AUDIT_DECISION_COUNT || outcome >= AUDIT_OUTCOME_COUNT)
		return false;
	ret->decision = (enum audit_decision)decision;
	ret->outcome = (enum audit_outcome)outcome;
	return true;
}

int audit_client_new(const char *name, struct audit_client **ret)
{
	struct audit_client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->name = name;
	client->fd = -1;
	*ret = client;
	return 0;
}

struct audit_client *audit_client_free(struct audit_client *client)
{
	if (client)
		close_at(&client->fd);
	free(client);
	return nullptr;
}

/* Connect, with a limit on how long sending and receiving may take. */
static int connect_client(struct audit_client *client)
{
	struct timeval limit = { .tv_sec = APPEND_TIMEOUT_S };
	auto_close int fd = -1;

	int r = msg_connect(client->name, &fd);
	if (r)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return neg_errno();
	client->fd = fd;
	fd = -1;
	return 0;
}

/* Send the event, connecting first or again if need be. Returns 0, MSG_* or -errno. */
static int send_event(struct audit_client *client, const struct msg *msg)
{
	int r = client->fd >= 0 ? msg_send(client->fd, msg) : MSG_CLOSED;

	if (r != MSG_CLOSED)
		return r;
	close_at(&client->fd);
	r = connect_client(client);
	return r ? r : msg_send(client->fd, msg);
}

/* Wait for the answer to request id. Returns 0, AUDIT_*, MSG_* or -errno. */
static int receive_index(struct audit_client *client, uint64_t id, uint64_t *ret_index)
{
	struct msg answer;
	int r = msg_recv(client->fd, client->room, &answer);

	if (r)
		return r < 0 ? r : -ECONNRESET;
	close_at(&answer.fd);
	if (answer.id == id && answer.type == AUDIT_LIMITED)
		return AUDIT_TOO_MUCH;
	if (answer.id != id || answer.type != AUDIT_APPENDED)
		return AUDIT_UNAVAILABLE;

	struct reader in = reader_make(answer.payload, answer.len);
	uint64_t index = read_u64(&in);
	if (!reader_end(&in))
		return -EBADMSG;
	if (ret_index)
		*ret_index = index;
	return 0;
}

/* Encode and send an event. Returns 0, or -errno. */
static int send_as(struct audit_client *client, uint16_t type, const struct audit_event *event,
		   uint64_t id)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);

	audit_event_write(&payload, event);
	int r = buf_error(&payload);
	if (r == 0)
		r = send_event(client, &(struct msg) { .type = type,
						       .id = id,
						       .payload = payload.data,
						       .len = payload.len,
						       .fd = -1 });
	return r > 0 ? -ECONNRESET : r;
}

/* Give the connection up: whatever went wrong, a late answer must not be taken for the next one's. */
static int give_up(struct audit_client *client, int r, const struct audit_event *event)
{
	close_at(&client->fd);
	log_event(LOG_ERR, EVENT_LEDGER, r < 0 ? r : 0, "event not recorded", event->code);
	return AUDIT_UNAVAILABLE;
}

int audit_append(struct audit_client *client, const struct audit_event *event, uint64_t *ret_index)
{
	uint64_t id = client->next_id++;
	int r = send_as(client, AUDIT_APPEND, event, id);

	if (r == 0)
		r = receive_index(client, id, ret_index);
	if (r == AUDIT_OK || r == AUDIT_TOO_MUCH)
		return r;
	return give_up(client, r, event);
}

int audit_announce(struct audit_client *client, const struct audit_event *event)
{
	int r = send_as(client, AUDIT_ANNOUNCE, event, client->next_id++);

	return r ? give_up(client, r, event) : AUDIT_OK;
}
