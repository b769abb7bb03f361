/* SPDX-License-Identifier: Apache-2.0 */

/*
 * activate: start a program with listening sockets, as systemd would, for tests on a host.
 *
 *   activate NAME=TYPE:ADDRESS ... -- PROGRAM ARGUMENT ...
 *
 * TYPE is stream (ADDRESS is 127.0.0.1:PORT), seqpacket or dgram (ADDRESS is a path).
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base.h"

constexpr int FIRST_FD = 3; /* sd_listen_fds(3) */

/* Bind and listen on 127.0.0.1:PORT or [::1]:PORT. Returns the descriptor or -1. */
static int listen_stream(const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *colon = strrchr(address, ':');
	char host[64];
	int one = 1;

	if (!colon || (size_t)(colon - address) >= sizeof(host))
		return -1;
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	in.sin_port = htons((uint16_t)strtoul(colon + 1, nullptr, 10));
	if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
		return -1;

	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	return fd;
}

/* Bind (and listen, if it is connected) on a path. Returns the descriptor or -1. */
static int listen_path(int type, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(un.sun_path))
		return -1;
	memcpy(un.sun_path, path, strlen(path));
	(void)unlink(path);

	int fd = socket(AF_UNIX, type, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		return -1;
	if (type != SOCK_DGRAM && listen(fd, SOMAXCONN) < 0)
		return -1;
	return fd;
}

/* Open what one argument asks for and append its name to names. Returns the descriptor or -1. */
static int open_one(char *argument, char *names, size_t room)
{
	char *type = strchr(argument, '=');
	char *address = type ? strchr(type, ':') : nullptr;

	if (!address)
		return -1;
	*type++ = '\0';
	*address++ = '\0';
	(void)snprintf(names + strlen(names), room - strlen(names), "%s%s", *names ? ":" : "",
		       argument);
	if (strcmp(type, "stream") == 0)
		return listen_stream(address);
	if (strcmp(type, "seqpacket") == 0)
		return listen_path(SOCK_SEQPACKET, address);
	return strcmp(type, "dgram") == 0 ? listen_path(SOCK_DGRAM, address) : -1;
}

int main(int argc, char **argv)
{
	char names[1024] = "", number[16];
	int n = 0;

	/* Nothing but what it is given: what the shell happens to hold is in the way, and none of its business. */
	(void)close_range(FIRST_FD, ~0U, 0);

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++, n++) {
		int fd = open_one(argv[i], names, sizeof(names));

		if (fd != FIRST_FD + n) {
			(void)fprintf(stderr, "activate: %s: %s (descriptor %d)\n", argv[i],
				      strerror(errno), fd);
			return 1;
		}
	}
	if (n + 2 >= argc)
		return 2;

	(void)snprintf(number, sizeof(number), "%d", n);
	(void)setenv("LISTEN_FDS", number, 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
	(void)snprintf(number, sizeof(number), "%d", getpid());
	(void)setenv("LISTEN_PID", number, 1);
	(void)execv(argv[n + 2], argv + n + 2);
	(void)fprintf(stderr, "activate: %s: %s\n", argv[n + 2], strerror(errno));
	return 1;
}
