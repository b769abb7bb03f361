/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-userdb: the gate between accounts and the system's name service.
 *
 * Owns /run/userdb. accounts says who the people are; what a user of the system may be is decided here, so that
 * whoever has accounts in hand becomes a person, and no more. No network, no data, no bus, nothing to execute.
 */

#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/userdb/records.h"
#include "appliance/userdb/serve.h"
#include "appliance/userdb/wish.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sandbox.h"

constexpr uint32_t PEOPLE_GID = 920; /* of redoubt-people, where the group is not known */
constexpr size_t PASSWD_MAX = 64 * 1024;

static const char USAGE[] =
	"usage: redoubt-userdb [--self-test | --help]\n"
	"\n"
	"Takes from accounts who the people are, and writes the user records of those who may be.\n"
	"Started by systemd as redoubt-userdb.service.\n"
	"\n"
	"  --self-test  try what this process must not be able to do; TAP on stdout\n"
	"\n"
	"Environment: REDOUBT_USERDB (default /run/userdb).\n";

static const char *folder(void)
{
	const char *path = getenv("REDOUBT_USERDB");

	return path && path[0] ? path : "/run/userdb";
}

static int enter_sandbox(void)
{
	const struct sandbox_path paths[] = { { folder(), SANDBOX_READ_WRITE } };
	const struct sandbox table = { .path = paths,
				       .n_paths = countof(paths),
				       .calls = SANDBOX_FILES };

	return sandbox_enter(&table);
}

static bool try_data(void)
{
	return sandbox_try_read("/var/lib/redoubt/engine") ||
	       sandbox_try_read("/var/lib/redoubt/audit") ||
	       sandbox_try_read("/var/lib/redoubt/accounts");
}

static bool try_keys(void)
{
	return sandbox_try_read("/var/lib/redoubt/keys/grant") ||
	       sandbox_try_read("/var/lib/redoubt/tls/key.pem") || sandbox_try_read("/etc/shadow");
}

static bool try_write_elsewhere(void)
{
	auto_close int fd = open("/run/redoubt/self-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0;
}

static int self_test(void)
{
	static const struct sandbox_trial OWN[] = {
		{ "make an internet socket", sandbox_try_inet_socket },
		{ "make a socket at all", sandbox_try_unix_socket },
		{ "run a program", sandbox_try_exec },
		{ "read data, people or the ledger", try_data },
		{ "read keys or passwords", try_keys },
		{ "write outside its folder", try_write_elsewhere },
	};

	return enter_sandbox() ? EXIT_FAILURE : sandbox_self_test(OWN, countof(OWN));
}

/* Open all there is to open, then shut the door. *ret_what is what failed. */
static int start(struct serve *serve, struct loop *loop, struct listener **ret,
		 const char **ret_what)
{
	const struct group *people = getgrnam("redoubt-people");
	int fd = loop_listen_fd("userdb", 0);

	*ret_what = "the socket userdb";
	if (fd < 0)
		return fd;
	*ret_what = "/etc/passwd";
	int r = wish_system_names("/etc/passwd", &serve->system);
	if (r)
		return r;
	*ret_what = folder();
	r = records_open(folder(), people ? people->gr_gid : PEOPLE_GID, &serve->records);
	if (r)
		return r;
	*ret_what = "the socket userdb";
	r = listener_new(loop, fd, 0, &SERVE_TABLE, serve, ret);
	if (r)
		return r;
	*ret_what = "the sandbox";
	return enter_sandbox();
}

static int run(struct serve *serve)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	cleanup(listener_free_at) struct listener *listener = nullptr;
	const char *what = "the loop";

	serve->system = buf_make(PASSWD_MAX);
	int r = loop_new(&loop);
	if (r == 0)
		r = start(serve, loop, &listener, &what);
	if (r) {
		log_event(LOG_ERR, EVENT_START_FAILED, r, "cannot be opened", what);
		return r;
	}
	log_event(LOG_INFO, EVENT_STARTED, 0, "serving", nullptr);
	r = loop_run(loop, "serving");
	log_event(LOG_INFO, EVENT_STOPPED, r < 0 ? r : 0, "stopped", nullptr);
	return r;
}

int main(int argc, char **argv)
{
	const char *option = argc > 1 ? argv[1] : "";
	auto_free struct serve *serve = calloc(1, sizeof(*serve));

	if (strcmp(option, "--help") == 0)
		return fputs(USAGE, stdout) < 0;
	if (argc > 2 || (argc == 2 && strcmp(option, "--self-test") != 0)) {
		(void)fputs(USAGE, stderr);
		return 2;
	}
	if (!serve)
		return EXIT_FAILURE;
	(void)umask(0077);
	if (argc == 2)
		return self_test();
	int r = run(serve);
	serve->records = records_close(serve->records);
	buf_done(&serve->system);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
