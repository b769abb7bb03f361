/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/acceptors.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "service/front/conn.h"
#include "service/front/front.h"
#include "service/front/seats.h"
#include "service/front/source.h"

constexpr size_t ACCEPTORS_MAX = 8; /* two ports, two families, and some to spare */
constexpr int ACCEPTS_PER_TURN = 32;

/* Bytes that wait in the kernel to be sent: few, so that what has moved is what the client has taken. */
constexpr int UNSENT_MAX = 128 * 1024;

struct acceptor {
	struct front *front;
	struct loop_source *io;
	bool secure;
};

struct acceptors {
	size_t n;
	struct acceptor acceptor[ACCEPTORS_MAX];
};

/* What a connection is to seats. */
static struct seat seat_of(const struct conn *conn)
{
	struct seat seat = { .source = &conn->source, .since_us = conn->born_us };

	if (!conn->authenticated) {
		seat.kind = conn->state == CONN_HANDSHAKE ? SEAT_HANDSHAKE : SEAT_STRANGER;
		return seat;
	}
	seat.kind = conn->state == CONN_IDLE ? SEAT_IDLE : SEAT_BUSY;
	seat.since_us = conn->entered_us;
	return seat;
}

/* Whether there is room for one from there; if another has to go for it, it goes. */
static bool make_room(struct front *front, const struct source *source)
{
	size_t goes = 0;

	for (size_t i = 0; i < SEATS_MAX; i++)
		front->seat[i] = front->conn[i] ? seat_of(front->conn[i]) : (struct seat) {};
	auto verdict = seats_decide(&front->seats, front->seat, front->conns_max, source,
				    clock_mono_us(), &goes);
	if (verdict == SEATS_INSTEAD)
		(void)conn_free(front->conn[goes]);
	return verdict != SEATS_FULL;
}

/* Take one accepted socket on, or close it. */
static void take(struct acceptor *acceptor, int fd, const struct sockaddr_storage *address)
{
	struct front *front = acceptor->front;
	struct source source;
	int on = 1, unsent = UNSENT_MAX;

	source_make(address, &source);
	if (!make_room(front, &source)) {
		(void)close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));

	int r = conn_new(front, fd, acceptor->secure, &source);
	if (r < 0)
		log_event(LOG_WARNING, EVENT_CONNECTION_LOST, r, "client not taken on", nullptr);
}

static int on_accept(void *userdata, int fd, uint32_t events)
{
	struct acceptor *acceptor = userdata;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage address = {};
		socklen_t len = sizeof(address);
		int sock = accept4(fd, (struct sockaddr *)&address, &len,
				   SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (sock >= 0)
			take(acceptor, sock, &address);
		else if (errno != EINTR && errno != ECONNABORTED)
			return 0; /* nobody there any more; conns_max keeps descriptors from running out */
	}
	return 0;
}

/* Accept on each descriptor of this name. */
static int add(struct acceptors *acceptors, struct front *front, const char *name, bool secure)
{
	for (unsigned int i = 0; acceptors->n < ACCEPTORS_MAX; i++) {
		struct acceptor *acceptor = &acceptors->acceptor[acceptors->n];
		int fd = loop_listen_fd(name, i);

		if (fd < 0)
			return i > 0 ? 0 : -ENOENT;
		int flags = fcntl(fd, F_GETFL);
		if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
			return neg_errno();

		*acceptor = (struct acceptor) { .front = front, .secure = secure };
		int r = loop_io(front->loop, fd, EPOLLIN, on_accept, acceptor, &acceptor->io);
		if (r < 0)
			return r;
		acceptors->n++;
	}
	return 0;
}

int acceptors_new(struct front *front, struct acceptors **ret)
{
	cleanup(acceptors_free_at) struct acceptors *acceptors = calloc(1, sizeof(*acceptors));

	if (!acceptors)
		return -ENOMEM;
	int r = add(acceptors, front, "https", true);
	if (r < 0)
		return r;
	r = add(acceptors, front, "http", false);
	if (r < 0 && r != -ENOENT) /* the redirect is a courtesy */
		return r;
	*ret = TAKE(acceptors);
	return 0;
}

struct acceptors *acceptors_free(struct acceptors *acceptors)
{
	if (!acceptors)
		return nullptr;
	for (size_t i = 0; i < acceptors->n; i++)
		acceptors->acceptor[i].io = loop_source_free(acceptors->acceptor[i].io);
	free(acceptors);
	return nullptr;
}
