/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ask-userdb [NAME UID]...: stand in accounts' place and wish for these people, and no others.
 *
 * Prints "taken, refused N", or "failed", "closed" or "unavailable"; the exit status is 0 for the first, else 1.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"
#include "common/proto/people.h"

static int say(const char *text)
{
	(void)puts(text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static uint8_t room[MSG_MAX];
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);
	auto_close int fd = -1;
	struct msg answer = { .fd = -1 };

	for (int i = 1; i + 1 < argc; i += 2) {
		struct people_one one = { .uid = (uint32_t)strtoul(argv[i + 1], nullptr, 10) };

		(void)snprintf(one.name, sizeof(one.name), "%s", argv[i]);
		people_one_write(&out, &one);
	}
	if (buf_error(&out) || msg_connect("userdb.sock", &fd))
		return say("unavailable");

	struct msg wish = { .type = PEOPLE_WISH, .payload = out.data, .len = out.len, .fd = -1 };
	if (msg_send(fd, &wish) || msg_recv(fd, room, &answer))
		return say("closed");
	close_at(&answer.fd);
	if (answer.type != PEOPLE_TAKEN)
		return say("failed");

	struct reader in = reader_make(answer.payload, answer.len);
	(void)printf("taken, refused %u\n", read_u32(&in));
	return EXIT_SUCCESS;
}
