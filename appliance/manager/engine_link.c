/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/engine_link.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"

/*
 * Put a question.
 *
 * room  [MSG_MAX] for the answer
 */
static int ask(uint16_t type, const struct buf *payload, uint16_t want, uint8_t *room,
	       struct msg *ret)
{
	const struct timeval limit = { .tv_sec = ENGINE_LINK_S };
	const struct msg msg = {
		.type = type, .id = 1, .payload = payload->data, .len = payload->len, .fd = -1
	};
	auto_close int fd = -1;

	if (buf_error(payload))
		return buf_error(payload);
	int r = msg_connect("engine-appliance.sock", &fd);
	if (r)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return neg_errno();
	r = msg_send(fd, &msg);
	if (r == 0)
		r = msg_recv(fd, room, ret);
	if (r == 0)
		close_at(&ret->fd);
	return r < 0 ? r : r || ret->type != want ? -EPROTO : 0;
}

int engine_link_list(void (*put)(void *userdata, const struct query_state *query), void *userdata)
{
	auto_free uint8_t *room = malloc(MSG_MAX);
	const struct buf nothing = buf_make(1);
	struct query_state query;
	struct msg answer = {};
	int r = room ? ask(QUERIES_LIST, &nothing, QUERIES_ARE, room, &answer) : -ENOMEM;

	if (r)
		return r;
	struct reader in = reader_make(answer.payload, answer.len);
	while (!reader_end(&in)) {
		if (!query_state_read(&in, &query))
			return -EPROTO;
		put(userdata, &query);
	}
	return 0;
}

int engine_link_kill(const struct query_kill *kill, bool *ret)
{
	auto_free uint8_t *room = malloc(MSG_MAX);
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	struct msg answer = {};

	query_kill_write(&payload, kill);
	int r = room ? ask(QUERY_KILL, &payload, QUERIES_KILLED, room, &answer) : -ENOMEM;
	if (r)
		return r;
	struct reader in = reader_make(answer.payload, answer.len);
	*ret = read_u32(&in) > 0;
	return reader_end(&in) ? 0 : -EPROTO;
}
