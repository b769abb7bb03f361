/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/sshlog.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "appliance/accounts/accounts.h"
#include "appliance/accounts/sshkeys.h"
#include "common/base.h"
#include "common/loop.h"
#include "common/proto/access.h"

constexpr size_t LINE_MAX_HERE = 2048; /* longer ones are cut; sshd's have a few hundred bytes */
constexpr size_t TIME_LEN = 16;	       /* "Nov 24 23:34:40 " */
constexpr unsigned int LINES_A_TURN = 64;

/* The message of sshd's, behind priority, time, program and its number; nullptr: not sshd's. */
static const char *message_of(const char *line)
{
	static const char *const PROGRAMS[] = { "sshd", "sshd-session", "sshd-auth" };
	const char *at = line[0] == '<' ? strchr(line, '>') : nullptr;

	if (!at || strlen(at + 1) <= TIME_LEN)
		return nullptr;
	at += 1 + TIME_LEN;
	size_t len = strcspn(at, "[:");
	for (size_t i = 0; i < countof(PROGRAMS); i++)
		if (strlen(PROGRAMS[i]) == len && memcmp(at, PROGRAMS[i], len) == 0) {
			at = strstr(at + len, ": ");
			return at ? at + 2 : nullptr;
		}
	return nullptr;
}

/* The last of something in a text: what comes before it may be anything that somebody typed. */
static const char *find_last(const char *text, const char *what)
{
	const char *found = nullptr;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		found = at;
	return found;
}

/* Split "NAME from ADDRESS port N" or "NAME from ADDRESS", up to end, into the line. */
static bool split(const char *text, const char *end, struct sshlog_line *ret)
{
	static const char FROM[] = " from ";
	char copy[LINE_MAX_HERE], address[ACCESS_NAME_MAX];

	if (end) {
		(void)snprintf(copy, sizeof(copy), "%.*s", (int)(end - text), text);
		text = copy;
	}
	const char *from = find_last(text, FROM);
	if (!from)
		return false;
	accounts_field(ret->user, sizeof(ret->user), text);
	if ((size_t)(from - text) < sizeof(ret->user))
		ret->user[from - text] = '\0';
	const char *at = from + strlen(FROM);
	const char *port = strstr(at, " port ");
	(void)snprintf(address, sizeof(address), "%.*s %s", (int)strcspn(at, " "), at,
		       port ? port + strlen(" port ") : "0");
	ssh_peer(address, ret->peer);
	return true;
}

bool sshlog_read(const char *text, size_t len, struct sshlog_line *ret)
{
	static const char INVALID[] = "Invalid user ", USER[] = "User ";
	static const char NOT_ALLOWED[] = " not allowed because ";
	char line[LINE_MAX_HERE];

	*ret = (struct sshlog_line) {};
	if (memchr(text, '\0', len))
		return false;
	(void)snprintf(line, sizeof(line), "%.*s",
		       (int)(len < sizeof(line) ? len : sizeof(line) - 1), text);
	const char *message = message_of(line);
	if (!message)
		return false;
	if (strncmp(message, INVALID, strlen(INVALID)) == 0) {
		ret->unknown = true;
		return split(message + strlen(INVALID), nullptr, ret);
	}
	const char *end = find_last(message, NOT_ALLOWED);
	return strncmp(message, USER, strlen(USER)) == 0 && end &&
	       split(message + strlen(USER), end, ret);
}

/* Receive one line. Returns its length, 0 if it does not count, or -errno. */
static ssize_t receive(int fd, char *line, size_t room)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control = {};
	struct iovec part = { line, room };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (len < 0)
		return neg_errno();
	const struct cmsghdr *first = CMSG_FIRSTHDR(&message);
	if (!first || first->cmsg_level != SOL_SOCKET || first->cmsg_type != SCM_CREDENTIALS)
		return 0;
	struct ucred who;
	memcpy(&who, CMSG_DATA(first), sizeof(who));
	return who.uid == 0 ? len : 0;
}

static int on_lines(void *userdata, int fd, uint32_t events)
{
	struct accounts *accounts = userdata;
	struct sshlog_line found;
	char line[LINE_MAX_HERE];

	(void)events;
	for (unsigned int i = 0; i < LINES_A_TURN; i++) {
		ssize_t len = receive(fd, line, sizeof(line));

		if (len < 0)
			break;
		if (len > 0 && sshlog_read(line, (size_t)len, &found))
			sshkeys_turned_away(accounts, found.user, found.peer,
					    found.unknown ? nullptr : "not one who may sign in");
	}
	return 0;
}

int sshlog_listen(struct accounts *accounts, int fd, struct loop_source **ret)
{
	return loop_io(accounts->loop, fd, EPOLLIN, on_lines, accounts, ret);
}
