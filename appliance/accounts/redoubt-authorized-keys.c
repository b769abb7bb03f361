/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-authorized-keys: sshd's AuthorizedKeysCommand. Asks redoubt-accounts one question, prints the answer.
 *
 *   redoubt-authorized-keys USER FINGERPRINT CONNECTION
 *
 * An empty answer means no and is not a failure; a failure means no as well, and sshd logs it.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/sandbox.h"

constexpr time_t ANSWER_TIMEOUT_S =
	3; /* sshd's LoginGraceTime is 20 s and several keys may be offered */
constexpr size_t ANSWER_MAX = 16'384;

static const char USAGE[] =
	"usage: redoubt-authorized-keys USER FINGERPRINT CONNECTION\n"
	"\n"
	"Prints the authorized_keys line of the key with this fingerprint (SHA256:...)\n"
	"if it is this person's and they may sign in. CONNECTION goes into the ledger:\n"
	"address and port of the client and of the server. Run by sshd.\n";

/* Ask the question and print the answer. Returns 0, MSG_* or -errno. */
static int ask(char *const word[3], uint8_t *room, char *line)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	struct timeval limit = { .tv_sec = ANSWER_TIMEOUT_S };
	auto_close int fd = -1;
	struct msg answer;

	for (size_t i = 0; i < 3; i++)
		write_str(&payload, word[i]);
	int r = buf_error(&payload);
	if (r == 0)
		r = msg_connect("accounts-sshkeys.sock", &fd);
	if (r)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return neg_errno();

	r = msg_send(fd, &(struct msg) { .type = SSH_KEYS,
					 .id = 1,
					 .payload = payload.data,
					 .len = payload.len,
					 .fd = -1 });
	if (r == 0)
		r = msg_recv(fd, room, &answer);
	if (r)
		return r;
	close_at(&answer.fd);
	if (answer.type != SSH_KEYS_ARE || answer.id != 1)
		return MSG_MALFORMED;

	struct reader in = reader_make(answer.payload, answer.len);
	read_str(&in, line, ANSWER_MAX);
	if (!reader_end(&in))
		return MSG_MALFORMED;
	return fputs(line, stdout) < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

static const char *reason(int r)
{
	switch (r) {
	case MSG_CLOSED:
		return "redoubt-accounts closed the connection";
	case MSG_AGAIN:
		return "redoubt-accounts did not answer in time";
	case MSG_MALFORMED:
		return "redoubt-accounts sent an answer that is not one";
	default:
		return r < 0 ? strerrordesc_np(-r) : "unknown failure";
	}
}

int main(int argc, char **argv)
{
	static const struct sandbox SANDBOX = { .calls = SANDBOX_UNIX_SOCKETS };
	auto_free uint8_t *room = malloc(MSG_MAX);
	auto_free char *line = calloc(1, ANSWER_MAX);

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(USAGE, stdout) < 0;
	if (argc != 4) {
		(void)fputs(USAGE, stderr);
		return 2;
	}
	if (!room || !line)
		return EXIT_FAILURE;

	int r = strlen(argv[1]) < ACCESS_NAME_MAX && strlen(argv[2]) < ACCESS_NAME_MAX &&
				strlen(argv[3]) < ACCESS_NAME_MAX
			? sandbox_enter(&SANDBOX)
			: -ENAMETOOLONG;
	if (r == 0)
		r = ask(argv + 1, room, line);
	if (r)
		(void)fprintf(stderr, "redoubt-authorized-keys: %s\n", reason(r));
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
