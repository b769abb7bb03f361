/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-imds: on an EC2 instance, fetch the user data once and leave it for the worker.
 *
 * Elsewhere it does nothing. It may reach 169.254.169.254 and nothing else, and write one folder.
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "appliance/imds/imds.h"
#include "common/base.h"
#include "common/log.h"
#include "common/sandbox.h"

static const char BASE[] = "http://169.254.169.254";
constexpr unsigned int TRIES_MAX = 12; /* with the pauses between them about a minute */

static const struct sandbox_path PATHS[] = {
	{ "/run/redoubt/imds", SANDBOX_READ_WRITE },
	{ "/sys/class/dmi", SANDBOX_READ },
	{ "/sys/devices/virtual/dmi", SANDBOX_READ },
	{ "/etc", SANDBOX_READ },
};

static const struct sandbox SANDBOX = {
	.path = PATHS,
	.n_paths = countof(PATHS),
	.calls = SANDBOX_FILES | SANDBOX_UNIX_SOCKETS | SANDBOX_INET_SOCKETS,
};

/* Whether the firmware says that this is an EC2 instance. */
static bool is_ec2(void)
{
	static const char EXPECTED[] = "Amazon EC2";
	auto_close int fd = open("/sys/class/dmi/id/sys_vendor", O_RDONLY | O_CLOEXEC);
	char vendor[64] = "";

	return fd >= 0 && read(fd, vendor, sizeof(vendor) - 1) > 0 &&
	       strncmp(vendor, EXPECTED, sizeof(EXPECTED) - 1) == 0;
}

/* Write the data beside its place, then put it there: it is there whole or not at all. */
static int leave(const char *folder, const struct buf *data)
{
	auto_close int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return neg_errno();
	auto_close int fd =
		openat(dir, ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return neg_errno();
	for (size_t done = 0; done < data->len;) {
		ssize_t n = write(fd, data->data + done, data->len - done);

		if (n < 0)
			return neg_errno();
		done += (size_t)n;
	}
	return renameat(dir, ".new", dir, "user-data") < 0 ? neg_errno() : 0;
}

/* The network may still be coming up: try again, with longer and longer pauses. */
static int fetch_patiently(const char *base, unsigned int tries, struct buf *data)
{
	for (unsigned int n = 1;; n++) {
		int r = imds_fetch(base, data);

		if (r != IMDS_UNREACHABLE || n == tries)
			return r;
		const struct timespec pause = { .tv_sec = n < 6 ? 1 : 5 };
		(void)nanosleep(&pause, nullptr);
	}
}

static int fetch(const char *base, unsigned int tries)
{
	static const char *const SAID[] = {
		[IMDS_OK] = "the user data is there",
		[IMDS_NO_DATA] = "the instance has no user data",
		[IMDS_UNREACHABLE] = "the instance metadata service cannot be reached",
		[IMDS_REFUSED] = "the instance metadata service gives no user data by IMDSv2",
	};
	auto_buf struct buf data = buf_make(IMDS_DATA_MAX);
	const char *run = getenv("REDOUBT_RUN");
	char folder[256];

	(void)snprintf(folder, sizeof(folder), "%.200s/imds", run ? run : "/run/redoubt");
	int r = fetch_patiently(base, tries, &data);
	if (r == IMDS_OK)
		r = leave(folder, &data);
	if (r < 0)
		log_event(LOG_ERR, EVENT_PROVISION, r, "the user data was not fetched", nullptr);
	else
		log_event(r == IMDS_OK || r == IMDS_NO_DATA ? LOG_NOTICE : LOG_WARNING,
			  EVENT_PROVISION, 0, SAID[r], nullptr);
	return r == IMDS_OK || r == IMDS_NO_DATA ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool read_volume(void)
{
	return sandbox_try_read("/var/lib/redoubt") || sandbox_try_read("/run/redoubt/setup");
}

static int self_test(void)
{
	static const struct sandbox_trial OWN[] = {
		{ "start a program", sandbox_try_exec },
		{ "read the volume or what is left for its setup", read_volume },
	};

	return sandbox_self_test(OWN, countof(OWN));
}

static int help(void)
{
	(void)puts("usage: redoubt-imds [--from URL | --self-test | --help]\n"
		   "\n"
		   "On an EC2 instance: fetch the user data by IMDSv2 and leave it as\n"
		   "/run/redoubt/imds/user-data. Elsewhere: nothing.\n"
		   "\n"
		   "  --from URL   ask this service instead, once, wherever we are; for tests.\n"
		   "               $REDOUBT_RUN names another folder than /run/redoubt\n"
		   "  --self-test  try what the sandbox forbids; prints TAP");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	bool from = argc == 3 && strcmp(argv[1], "--from") == 0;
	bool trial = argc == 2 && strcmp(argv[1], "--self-test") == 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return help();
	if (argc > 1 && !from && !trial) {
		(void)fputs("redoubt-imds: unknown arguments; try --help\n", stderr);
		return 64;
	}
	if (from) /* a test: its folder is not one of the table's */
		return fetch(argv[2], 1);

	int r = sandbox_enter(&SANDBOX);
	if (r) {
		log_event(LOG_ERR, EVENT_START_FAILED, r, "the sandbox could not be entered",
			  nullptr);
		return EXIT_FAILURE;
	}
	if (trial)
		return self_test();
	return is_ec2() ? fetch(BASE, TRIES_MAX) : EXIT_SUCCESS;
}
