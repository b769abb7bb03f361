/* SPDX-License-Identifier: Apache-2.0 */
#include "common/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"

/* Frames handled in one turn of the loop before others get theirs. */
constexpr int FRAMES_PER_TURN = 64;

/* A frame that the peer has not taken yet. */
struct waiting {
	struct waiting *next;
	struct msg msg;
	uint8_t payload[];
};

struct channel {
	struct loop *loop;
	struct loop_source *io;
	struct loop_source *closing;
	const struct channel_table *table;
	void *server;
	void *data;
	struct waiting *first, **last;
	size_t queued;
	unsigned int peer;
	int fd;
	bool doomed;
	uint8_t room[MSG_MAX];
};

struct listener {
	struct loop *loop;
	struct loop_source *io;
	const struct channel_table *table;
	void *server;
	unsigned int peer;
};

static struct waiting *waiting_free(struct waiting *w)
{
	if (w && w->msg.fd >= 0)
		(void)close(w->msg.fd);
	free(w);
	return nullptr;
}
CLEANUP_FN(struct waiting, waiting_free)

/* The request with this type, or nullptr. */
static const struct channel_request *find_request(const struct channel_table *table, uint16_t type)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->request[i].type == type)
			return &table->request[i];
	return nullptr;
}

/* Find the frame's handler and run it. Returns 0, MSG_MALFORMED or -errno. */
static int dispatch(struct channel *channel, struct msg *in)
{
	const struct channel_request *request = find_request(channel->table, in->type);

	if (!request || !(request->peers & (1u << channel->peer)) || in->len < request->len_min ||
	    in->len > request->len_max)
		return MSG_MALFORMED;
	return request->handle(channel, channel->server, in);
}

static int on_closing(void *userdata)
{
	struct channel *channel = userdata;

	if (channel->table->closed)
		channel->table->closed(channel, channel->server);
	(void)channel_free(channel);
	return 0;
}

void channel_close(struct channel *channel)
{
	if (channel->doomed)
		return;
	channel->doomed = true;
	channel->io = loop_source_free(channel->io);
	if (loop_defer(channel->loop, on_closing, channel, &channel->closing) < 0)
		log_event(LOG_ERR, EVENT_CONNECTION_LOST, -ENOMEM, "connection not freed", nullptr);
}

/* Receive and handle what is there. */
static void receive(struct channel *channel)
{
	for (int i = 0; i < FRAMES_PER_TURN && !channel->doomed; i++) {
		struct msg in;
		int r = msg_recv(channel->fd, channel->room, &in);

		if (r == MSG_AGAIN)
			return;
		if (r == 0) {
			r = dispatch(channel, &in);
			if (in.fd >= 0)
				(void)close(in.fd);
		}
		if (r == 0)
			continue;
		if (r != MSG_CLOSED)
			log_event(LOG_WARNING, EVENT_FRAME_REFUSED, r < 0 ? r : -EPROTO,
				  "connection closed after a frame that was not understood",
				  channel->table->name);
		channel_close(channel);
	}
}

/* Send what waits, as far as the peer takes it. */
static void flush(struct channel *channel)
{
	while (channel->first) {
		struct waiting *w = channel->first;
		int r = msg_send(channel->fd, &w->msg);

		if (r == MSG_AGAIN)
			return;
		if (r) {
			channel_close(channel);
			return;
		}
		channel->first = w->next;
		channel->queued--;
		(void)waiting_free(w);
	}
	channel->last = &channel->first;
	if (loop_io_events(channel->io, EPOLLIN) < 0)
		channel_close(channel);
}

static int on_io(void *userdata, int fd, uint32_t events)
{
	struct channel *channel = userdata;

	(void)fd;
	if (events & EPOLLOUT)
		flush(channel);
	if (!channel->doomed && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(channel);
	return 0;
}

int channel_new(struct loop *loop, int fd, unsigned int peer, const struct channel_table *table,
		void *server, struct channel **ret)
{
	auto_close int owned = fd;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return neg_errno();

	cleanup(channel_free_at) struct channel *channel = calloc(1, sizeof(*channel));
	if (!channel)
		return -ENOMEM;
	channel->loop = loop;
	channel->table = table;
	channel->server = server;
	channel->peer = peer;
	channel->fd = owned;
	channel->last = &channel->first;
	owned = -1;

	int r = loop_io(loop, channel->fd, EPOLLIN, on_io, channel, &channel->io);
	if (r < 0)
		return r;

	if (table->opened)
		table->opened(channel, server);
	if (ret)
		*ret = channel;
	channel = nullptr;
	return 0;
}

struct channel *channel_free(struct channel *channel)
{
	if (!channel)
		return nullptr;
	channel->io = loop_source_free(channel->io);
	channel->closing = loop_source_free(channel->closing);
	while (channel->first) {
		struct waiting *w = channel->first;

		channel->first = w->next;
		(void)waiting_free(w);
	}
	(void)close(channel->fd);
	free(channel);
	return nullptr;
}

/* Keep a frame until the peer takes it. */
static int enqueue(struct channel *channel, const struct msg *msg)
{
	if (channel->queued >= CHANNEL_QUEUE_MAX)
		return -ENOBUFS;

	cleanup(waiting_free_at) struct waiting *w = malloc(sizeof(*w) + msg->len);
	if (!w)
		return -ENOMEM;
	w->next = nullptr;
	w->msg = *msg;
	w->msg.fd = -1;
	w->msg.payload = w->payload;
	if (msg->len > 0)
		memcpy(w->payload, msg->payload, msg->len);

	int r = loop_io_events(channel->io, EPOLLIN | EPOLLOUT);
	if (r < 0)
		return r;
	w->msg.fd = msg->fd;
	*channel->last = w;
	channel->last = &w->next;
	channel->queued++;
	w = nullptr;
	return 0;
}

int channel_send(struct channel *channel, uint16_t type, uint64_t id, const struct buf *payload,
		 int fd)
{
	auto_close int owned = fd;
	struct msg msg = { .type = type, .id = id, .fd = owned };

	if (payload && buf_error(payload))
		return buf_error(payload);
	if (payload) {
		msg.payload = payload->data;
		msg.len = payload->len;
	}
	if (channel->doomed)
		return 0; /* like a peer that closed just after: nobody is there to read it */

	int r = channel->first ? MSG_AGAIN : msg_send(channel->fd, &msg);
	if (r == MSG_AGAIN) {
		r = enqueue(channel, &msg);
		if (r == 0)
			owned = -1;
		return r;
	}
	if (r == MSG_CLOSED)
		channel_close(channel);
	return r < 0 ? r : 0;
}

unsigned int channel_peer(const struct channel *channel)
{
	return channel->peer;
}

void *channel_data(const struct channel *channel)
{
	return channel->data;
}

void channel_set_data(struct channel *channel, void *data)
{
	channel->data = data;
}

static int on_accept(void *userdata, int fd, uint32_t events)
{
	struct listener *listener = userdata;
	int sock = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (sock < 0)
		return 0; /* the peer went away before it was accepted */

	int r = channel_new(listener->loop, sock, listener->peer, listener->table, listener->server,
			    nullptr);
	if (r < 0)
		log_event(LOG_WARNING, EVENT_CONNECTION_LOST, r, "connection not taken",
			  listener->table->name);
	return 0;
}

int listener_new(struct loop *loop, int fd, unsigned int peer, const struct channel_table *table,
		 void *server, struct listener **ret)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return neg_errno();

	cleanup(listener_free_at) struct listener *listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->loop = loop;
	listener->table = table;
	listener->server = server;
	listener->peer = peer;

	int r = loop_io(loop, fd, EPOLLIN, on_accept, listener, &listener->io);
	if (r < 0)
		return r;

	*ret = TAKE(listener);
	return 0;
}

struct listener *listener_free(struct listener *listener)
{
	if (!listener)
		return nullptr;
	listener->io = loop_source_free(listener->io);
	free(listener);
	return nullptr;
}
