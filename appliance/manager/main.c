/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-appliance: how the appliance is, and what may be done with it as a whole.
 *
 * It has no rights: what needs root it asks a worker for, and whether somebody may ask it asks accounts.
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/manager/manager.h"
#include "common/base.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sandbox.h"

/* /var/lib stands for the volume's mount point: landlock goes by what the folder is when it is named. */
static const struct sandbox_path PATHS[] = {
	{ "/proc", SANDBOX_READ },	  { "/sys", SANDBOX_READ },
	{ "/etc", SANDBOX_READ },	  { "/usr", SANDBOX_READ },
	{ "/var/lib", SANDBOX_READ },	  { "/run/redoubt", SANDBOX_READ },
	{ "/run/systemd", SANDBOX_READ }, { "/dev/urandom", SANDBOX_READ },
};

static const struct sandbox SANDBOX = {
	.path = PATHS,
	.n_paths = countof(PATHS),
	.calls = SANDBOX_FILES | SANDBOX_UNIX_SOCKETS,
};

static bool read_keys(void)
{
	return sandbox_try_read("/var/lib/redoubt/keys/grant") ||
	       sandbox_try_read("/var/lib/redoubt/tls/key.pem") ||
	       sandbox_try_read("/var/lib/redoubt/recovery-key");
}

static bool write_volume(void)
{
	FILE *file = fopen("/var/lib/redoubt/self-test", "we");

	if (file)
		(void)fclose(file);
	return file != nullptr;
}

static int self_test(void)
{
	static const struct sandbox_trial OWN[] = {
		{ "reach the network", sandbox_try_inet_socket },
		{ "start a program", sandbox_try_exec },
		{ "read keys of the volume", read_keys },
		{ "write to the volume", write_volume },
	};
	int r = sandbox_enter(&SANDBOX);

	if (r) {
		log_event(LOG_ERR, EVENT_SELF_TEST, r, "the sandbox could not be entered", nullptr);
		return EXIT_FAILURE;
	}
	return sandbox_self_test(OWN, countof(OWN));
}

static int run(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	auto_free struct manager *manager = calloc(1, sizeof(*manager));

	if (!manager)
		return -ENOMEM;
	int r = loop_new(&loop);
	if (r == 0)
		r = manager_start(manager, loop);
	/* A test on a host runs below other folders, which landlock would close. */
	if (r == 0 && !getenv("REDOUBT_RUN"))
		r = sandbox_enter(&SANDBOX);
	if (r == 0)
		r = loop_run(loop, "starting");
	manager_done(manager);
	return r;
}

static int help(void)
{
	(void)puts(
		"usage: redoubt-appliance [--self-test | --help]\n"
		"\n"
		"Serves org.redoubt.Appliance1 on the system bus: state of the appliance, first\n"
		"configuration, unlocking, certificate, power. Started by redoubt-appliance.service.\n"
		"\n"
		"  --self-test  try what the sandbox forbids; prints TAP\n"
		"\n"
		"$REDOUBT_RUN and $REDOUBT_STATE name other folders than /run/redoubt and\n"
		"/var/lib/redoubt, $DBUS_SYSTEM_BUS_ADDRESS another bus, for tests.");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return help();
	if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
		return self_test();
	if (argc > 1) {
		(void)fputs("redoubt-appliance: unknown arguments; try --help\n", stderr);
		return 64;
	}
	int r = run();
	if (r < 0) {
		log_event(LOG_ERR, EVENT_START_FAILED, r, "redoubt-appliance has ended", nullptr);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
