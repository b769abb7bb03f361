/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/ledger.h"

#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"
#include "common/proto/audit.h"

constexpr nfds_t PEERS_MAX = 32;

struct ledger {
	pthread_t thread;
	pthread_mutex_t mutex;
	char dir[64], path[108];
	int listener;
	size_t count, ended;
	bool refuse;
	struct audit_event last, announced;
	uint8_t room[MSG_MAX];
};

/* Take one event, or refuse it. */
static int take(struct ledger *ledger, int fd, const struct msg *in)
{
	auto_buf struct buf out = buf_make(64);
	auto_free struct audit_event *event = calloc(1, sizeof(*event));

	(void)pthread_mutex_lock(&ledger->mutex);
	bool refuse = ledger->refuse || !event || !audit_event_read(in->payload, in->len, event);
	if (!refuse) {
		ledger->last = *event;
		write_u64(&out, ledger->count++);
		if (in->type == AUDIT_ANNOUNCE)
			ledger->announced = *event;
		ledger->ended +=
			event->outcome != AUDIT_INTENT && !strstr(event->detail, "\"again\":true");
	}
	(void)pthread_mutex_unlock(&ledger->mutex);
	if (in->type == AUDIT_ANNOUNCE)
		return 0; /* its outcome is answered */
	return msg_send(fd, &(struct msg) { .type = refuse ? AUDIT_REFUSED : AUDIT_APPENDED,
					    .id = in->id,
					    .payload = out.data,
					    .len = out.len,
					    .fd = -1 });
}

static void *serve(void *userdata)
{
	struct ledger *ledger = userdata;
	struct pollfd at[1 + PEERS_MAX] = { { .fd = ledger->listener, .events = POLLIN } };
	nfds_t n = 1;

	while (poll(at, n, -1) > 0) {
		struct msg in;

		for (nfds_t i = 1; i < n; i++)
			if (at[i].revents && (msg_recv(at[i].fd, ledger->room, &in) != 0 ||
					      take(ledger, at[i].fd, &in) != 0)) {
				close_at(&at[i].fd);
				at[i--] = at[--n];
			}
		auto_close int fd = -1;
		if (at[0].revents) {
			fd = accept(ledger->listener, nullptr, nullptr);
			if (fd < 0)
				break;
		}
		if (fd >= 0 && n < countof(at)) {
			at[n++] = (struct pollfd) { .fd = fd, .events = POLLIN };
			fd = -1;
		}
	}
	while (n > 1)
		close_at(&at[--n].fd);
	return nullptr;
}

struct ledger *ledger_start(const char *name)
{
	cleanup(ledger_stop_at) struct ledger *ledger = calloc(1, sizeof(*ledger));
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (!ledger)
		return nullptr;
	ledger->listener = -1;
	(void)snprintf(ledger->dir, sizeof(ledger->dir), "/tmp/ledger-XXXXXX");
	if (!mkdtemp(ledger->dir))
		return nullptr;
	(void)snprintf(ledger->path, sizeof(ledger->path), "%s/%s", ledger->dir, name);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", ledger->path);
	ledger->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (ledger->listener < 0 ||
	    bind(ledger->listener, (const struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(ledger->listener, 32) < 0 || setenv("REDOUBT_RUN", ledger->dir, 1) < 0 ||
	    pthread_mutex_init(&ledger->mutex, nullptr) != 0 ||
	    pthread_create(&ledger->thread, nullptr, serve, ledger) != 0)
		return nullptr;
	return TAKE(ledger);
}

struct ledger *ledger_stop(struct ledger *ledger)
{
	if (!ledger)
		return nullptr;
	if (ledger->thread) {
		/* Wakes poll(), and accept() fails then. */
		(void)shutdown(ledger->listener, SHUT_RDWR);
		(void)pthread_join(ledger->thread, nullptr);
	}
	close_at(&ledger->listener);
	(void)unlink(ledger->path);
	(void)rmdir(ledger->dir);
	free(ledger);
	return nullptr;
}

void ledger_refuse(struct ledger *ledger, bool refuse)
{
	(void)pthread_mutex_lock(&ledger->mutex);
	ledger->refuse = refuse;
	(void)pthread_mutex_unlock(&ledger->mutex);
}

size_t ledger_count(struct ledger *ledger)
{
	(void)pthread_mutex_lock(&ledger->mutex);
	size_t count = ledger->count;
	(void)pthread_mutex_unlock(&ledger->mutex);
	return count;
}

void ledger_last(struct ledger *ledger, struct audit_event *ret)
{
	(void)pthread_mutex_lock(&ledger->mutex);
	*ret = ledger->last;
	(void)pthread_mutex_unlock(&ledger->mutex);
}

void ledger_announced(struct ledger *ledger, struct audit_event *ret)
{
	(void)pthread_mutex_lock(&ledger->mutex);
	*ret = ledger->announced;
	(void)pthread_mutex_unlock(&ledger->mutex);
}

size_t ledger_ended(struct ledger *ledger)
{
	(void)pthread_mutex_lock(&ledger->mutex);
	size_t ended = ledger->ended;
	(void)pthread_mutex_unlock(&ledger->mutex);
	return ended;
}
