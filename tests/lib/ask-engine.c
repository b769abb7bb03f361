/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ask-engine: stand in for appliance and accounts before engine's own sockets, for its integration test.
 *
 *   ask-engine list                  each query: NUMBER works|waits KEY PERSON AGE-MS TEXT
 *   ask-engine kill NUMBER [PERSON]  how many were ended
 *   ask-engine kill-key KEY [PERSON] how many were ended; KEY "-": of PERSON only
 *   ask-engine hear                  stand in engine's place instead: print "KEY PERSON" for each kill-key, "-" for an empty one
 */

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"
#include "common/proto/queries.h"

static uint8_t room[MSG_MAX];

/* Ask, and wait at most five seconds for the answer. Returns whether it came and is of a type. */
static bool ask(const char *name, uint16_t type, const struct buf *payload, uint16_t want,
		struct msg *ret)
{
	struct timeval limit = { .tv_sec = 5 };
	auto_close int fd = -1;
	struct msg msg = {
		.type = type, .id = 1, .payload = payload->data, .len = payload->len, .fd = -1
	};

	return buf_error(payload) == 0 && msg_connect(name, &fd) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	       msg_send(fd, &msg) == 0 && msg_recv(fd, room, ret) == 0 && ret->type == want;
}

static int print_list(void)
{
	auto_buf struct buf none = buf_make(1);
	struct query_state query;
	struct msg answer;

	if (!ask("engine-appliance.sock", QUERIES_LIST, &none, QUERIES_ARE, &answer))
		return 1;
	struct reader in = reader_make(answer.payload, answer.len);
	while (!reader_end(&in)) {
		if (!query_state_read(&in, &query))
			return 1;
		printf("%" PRIu64 " %s %s %s %" PRIu64 " %s\n", query.number,
		       query.works ? "works" : "waits", query.key_id, query.person,
		       query.age_us / 1000, query.text);
	}
	return 0;
}

static int print_killed(const char *name, uint16_t type, const struct buf *payload)
{
	struct msg answer;

	if (!ask(name, type, payload, QUERIES_KILLED, &answer))
		return 1;
	struct reader in = reader_make(answer.payload, answer.len);
	printf("%" PRIu32 "\n", read_u32(&in));
	return reader_end(&in) ? 0 : 1;
}

/* Listen where engine would. Returns the exit status. */
static int hear(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *run = getenv("REDOUBT_RUN");
	auto_close int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/engine-accounts.sock", run ? run : "");
	if (listener < 0 || bind(listener, (const struct sockaddr *)&un, sizeof(un)) < 0 ||
	    chmod(un.sun_path, 0666) < 0 || listen(listener, 8) < 0)
		return 1;
	for (;;) {
		auto_close int fd = accept(listener, nullptr, nullptr);
		struct key_kill kill;
		struct msg msg;

		if (fd < 0)
			return 1;
		if (msg_recv(fd, room, &msg) || msg.type != KEY_KILL ||
		    !key_kill_read(msg.payload, msg.len, &kill))
			printf("garbage\n");
		else
			printf("%s %s\n", kill.key_id[0] ? kill.key_id : "-",
			       kill.person[0] ? kill.person : "-");
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	const char *person = argc > 3 ? argv[3] : "";

	if (argc == 2 && strcmp(argv[1], "hear") == 0)
		return hear();
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return print_list();
	if (argc >= 3 && strcmp(argv[1], "kill") == 0) {
		struct query_kill kill = { .number = strtoull(argv[2], nullptr, 10) };

		(void)snprintf(kill.person, sizeof(kill.person), "%s", person);
		query_kill_write(&payload, &kill);
		return print_killed("engine-appliance.sock", QUERY_KILL, &payload);
	}
	if (argc >= 3 && strcmp(argv[1], "kill-key") == 0) {
		struct key_kill kill = {};

		if (strcmp(argv[2], "-") != 0)
			(void)snprintf(kill.key_id, sizeof(kill.key_id), "%s", argv[2]);
		(void)snprintf(kill.person, sizeof(kill.person), "%s", person);
		key_kill_write(&payload, &kill);
		return print_killed("engine-accounts.sock", KEY_KILL, &payload);
	}
	return 2;
}
