/* SPDX-License-Identifier: Apache-2.0 */

/*
 * crowd: many clients at once, to test limits on connections.
 *
 *   crowd PORT COUNT PER_SOURCE SECONDS [TEXT [trickle]]
 *
 * Opens COUNT connections to 127.0.0.1:PORT, PER_SOURCE from each of 127.1.0.1, 127.1.0.2, …,
 * sends TEXT on each, prints "open N", waits SECONDS and prints "left N", how many the server has
 * not closed by then. With "trickle" each connection sends a byte of TEXT every second instead, its last one again and again.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"

constexpr uint32_t SOURCES = 0x7F010000; /* 127.1.0.0 */

/* Connect from a given address of this machine. Returns the socket or -1. */
static int connect_from(uint32_t source, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(source) };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Whether the server still holds this connection; what it has sent is read past. */
static bool is_open(int fd)
{
	char room[4096];
	ssize_t got;

	do
		got = recv(fd, room, sizeof(room), MSG_DONTWAIT);
	while (got > 0);
	return got < 0 && errno == EAGAIN;
}

/* Let the seconds pass, sending a byte in each. */
static void trickle(const int *fd, size_t count, const char *text, unsigned long seconds)
{
	size_t len = strlen(text);

	for (unsigned long s = 0; s < seconds; s++) {
		for (size_t i = 0; i < count && len > 0; i++)
			if (fd[i] >= 0)
				(void)send(fd[i], text + (s < len ? s : len - 1), 1,
					   MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)poll(nullptr, 0, 1000);
	}
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (argc < 5)
		return 2;
	auto port = (uint16_t)strtoul(argv[1], nullptr, 10);
	bool trickles = argc > 6;
	size_t count = strtoul(argv[2], nullptr, 10), each = strtoul(argv[3], nullptr, 10);
	size_t n_open = 0, n_left = 0;
	auto_free int *fd = calloc(count, sizeof(*fd));

	if (!fd || each == 0)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	for (size_t i = 0; i < count; i++) {
		fd[i] = connect_from(SOURCES + 1 + (uint32_t)(i / each), port);
		if (fd[i] >= 0 && argc > 5 && !trickles)
			(void)send(fd[i], argv[5], strlen(argv[5]), MSG_NOSIGNAL);
		n_open += fd[i] >= 0;
	}
	printf("open %zu\n", n_open);
	(void)fflush(stdout);
	unsigned long seconds = strtoul(argv[4], nullptr, 10);
	trickle(fd, trickles ? count : 0, argc > 5 ? argv[5] : "", trickles ? seconds : 0);
	(void)poll(nullptr, 0, trickles ? 0 : (int)seconds * 1000);
	for (size_t i = 0; i < count; i++)
		n_left += fd[i] >= 0 && is_open(fd[i]);
	printf("left %zu\n", n_left);
	return 0;
}
