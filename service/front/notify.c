/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/loop.h"

constexpr size_t MESSAGE_MAX = 1024;

struct notify {
	int fd;			    /* borrowed; -1: nobody listens */
	struct sockaddr_un address; /* of systemd */
	socklen_t address_len;
	uint64_t watchdog_us; /* half the interval; 0: none asked for */
	struct loop_source *timer;
};

/* The address in $NOTIFY_SOCKET; an '@' in front means the abstract name space. */
static bool read_address(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(notify->address.sun_path))
		return false;
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, path, len);
	if (path[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

int notify_new(struct notify **ret)
{
	struct notify *notify = calloc(1, sizeof(*notify));
	const char *interval = getenv("WATCHDOG_USEC");

	if (!notify)
		return -ENOMEM;
	notify->fd = read_address(notify) ? loop_listen_fd("notify", 0) : -1;
	notify->watchdog_us = interval ? strtoull(interval, nullptr, 10) / 2 : 0;
	*ret = notify;
	return 0;
}

struct notify *notify_free(struct notify *notify)
{
	if (!notify)
		return nullptr;
	notify->timer = loop_source_free(notify->timer);
	free(notify);
	return nullptr;
}

static void say(const struct notify *notify, const char *message)
{
	if (notify->fd >= 0)
		(void)sendto(notify->fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (const struct sockaddr *)&notify->address, notify->address_len);
}

/* The length of the first line: a second one would be another assignment. */
static int line_len(const char *text)
{
	return (int)strcspn(text, "\r\n");
}

static int on_watchdog(void *userdata)
{
	struct notify *notify = userdata;

	say(notify, "WATCHDOG=1");
	return loop_timer_again(notify->timer, notify->watchdog_us);
}

int notify_ready(struct notify *notify, struct loop *loop, const char *status)
{
	char message[MESSAGE_MAX];

	(void)snprintf(message, sizeof(message), "READY=1\nSTATUS=%.*s", line_len(status), status);
	say(notify, message);
	if (notify->fd < 0 || notify->watchdog_us == 0)
		return 0;
	return loop_timer(loop, notify->watchdog_us, on_watchdog, notify, &notify->timer);
}

void notify_status(const struct notify *notify, const char *status)
{
	char message[MESSAGE_MAX];

	(void)snprintf(message, sizeof(message), "STATUS=%.*s", line_len(status), status);
	say(notify, message);
}
