/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ask-access: stand in front's place and ask accounts, for its integration test.
 *
 *   ask-access GRANT-KEY-FILE
 *
 * Listens on front-accounts.sock below $REDOUBT_RUN. Each line of stdin is a question, "OPERATION KEY" with the
 * operation's name in the ledger ("api.query") and "-" for no key; its answer is one line of stdout: "granted PERSON
 * ROLE KEY-ID" if the grant is genuine and fits the question, "denied STATUS TYPE MESSAGE", or "gone". The line
 * "garbage" sends a frame that is none.
 */

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/operations.h"
#include "common/secret.h"

constexpr int CONNECT_TIMEOUT_MS = 10'000;
static const char WORKSPACE[] = "commons";
static const char REQUEST_ID[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

static int listen_as_front(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *run = getenv("REDOUBT_RUN");

	if (!run || snprintf(un.sun_path, sizeof(un.sun_path), "%s/front-accounts.sock", run) >=
			    (int)sizeof(un.sun_path))
		return -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0 ||
			chmod(un.sun_path, 0666) < 0 || listen(fd, 4) < 0)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool load_key(const char *path, struct secret *ret)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;

	return fd >= 0 && fstat(fd, &info) == 0 && secret_init(ret, (size_t)info.st_size) == 0 &&
	       read(fd, ret->data, ret->len) == (ssize_t)ret->len;
}

static uint16_t find_op(const char *code)
{
	for (uint16_t i = 0; i < OP_COUNT; i++)
		if (strcmp(OPERATIONS[i].code, code) == 0)
			return i;
	return OP_NONE;
}

static void print_answer(const struct msg *in, const struct secret *key, uint16_t op)
{
	static struct grant grant;
	struct access_denied denied;

	if (in->type == ACCESS_DENIED && access_denied_read(in->payload, in->len, &denied))
		printf("denied %u %s %s\n", denied.http_status, denied.error_type, denied.message);
	else if (in->type != ACCESS_GRANTED ||
		 !grant_open(in->payload, in->len, key, clock_mono_us(), &grant))
		puts("not an answer");
	else if (grant.op != op || strcmp(grant.workspace, WORKSPACE) != 0 ||
		 strcmp(grant.request_id, REQUEST_ID) != 0)
		puts("granted something else");
	else
		printf("granted %s %s %s\n", grant.person, grant.role, grant.key_id);
}

/* Ask one question and print its answer. Returns whether the connection still is one. */
static bool ask(int sock, const char *line, const struct secret *key)
{
	static uint8_t room[MSG_MAX];
	static struct access_check check;
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	char code[64] = "", api_key[ACCESS_KEY_MAX] = "";
	struct msg in;

	if (sscanf(line, "%63s %127s", code, api_key) < 1)
		return true;
	check = (struct access_check) { .op = find_op(code) };
	(void)snprintf(check.api_key, sizeof(check.api_key), "%s",
		       strcmp(api_key, "-") == 0 ? "" : api_key);
	(void)snprintf(check.workspace, sizeof(check.workspace), "%s", WORKSPACE);
	(void)snprintf(check.source, sizeof(check.source), "192.0.2.7:4711");
	(void)snprintf(check.request_id, sizeof(check.request_id), "%s", REQUEST_ID);
	(void)snprintf(check.user_agent, sizeof(check.user_agent), "ask-access");
	if (strcmp(code, "garbage") == 0)
		buf_add_str(&out, "this is no question at all, whatever it is");
	else
		access_check_write(&out, &check);

	if (msg_send(sock, &(struct msg) { .type = ACCESS_CHECK,
					   .id = 7,
					   .payload = out.data,
					   .len = out.len,
					   .fd = -1 }) ||
	    msg_recv(sock, room, &in)) {
		puts("gone");
		return false;
	}
	print_answer(&in, key, check.op);
	return true;
}

/* The connection that accounts makes, within a time. */
static int accept_accounts(int listener)
{
	struct pollfd ready = { .fd = listener, .events = POLLIN };

	if (poll(&ready, 1, CONNECT_TIMEOUT_MS) != 1)
		return -1;
	return accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
}

int main(int argc, char **argv)
{
	auto_secret struct secret key = {};
	auto_close int listener = listen_as_front();
	auto_close int sock = -1;
	char line[512];

	if (argc != 2 || listener < 0 || !load_key(argv[1], &key))
		return 2;
	(void)setvbuf(stdout, nullptr, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		if (sock < 0)
			sock = accept_accounts(listener);
		if (sock < 0)
			puts("nobody came");
		else if (!ask(sock, line, &key))
			close_at(&sock);
	}
	return 0;
}
