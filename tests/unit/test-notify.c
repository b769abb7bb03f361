/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base.h"
#include "common/loop.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr int FIRST_FD = 3; /* sd_listen_fds(3) */

static int systemd = -1; /* the socket that stands in for systemd's */

/* Bind a datagram socket to "@redoubt-test-PID" and name it in the environment. */
static bool be_systemd(const char *watchdog_us)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64], pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	(void)snprintf(name, sizeof(name), "@redoubt-test-%d", getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	auto len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

	systemd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (systemd == FIRST_FD) /* that number is for the passed one */
		systemd = dup(systemd);
	int passed = socket(AF_UNIX, SOCK_DGRAM, 0);
	return systemd >= 0 && passed >= 0 &&
	       bind(systemd, (const struct sockaddr *)&address, len) == 0 &&
	       (passed == FIRST_FD || dup2(passed, FIRST_FD) == FIRST_FD) &&
	       setenv("NOTIFY_SOCKET", name, 1) == 0 && setenv("LISTEN_FDS", "1", 1) == 0 &&
	       setenv("LISTEN_FDNAMES", "notify", 1) == 0 && setenv("LISTEN_PID", pid, 1) == 0 &&
	       setenv("WATCHDOG_USEC", watchdog_us, 1) == 0;
}

/* Whether the next message to systemd is this one; nullptr: there is none. */
static bool heard(const char *want)
{
	char got[256] = "";
	ssize_t len = recv(systemd, got, sizeof(got) - 1, MSG_DONTWAIT);

	if (want && (len < 0 || strcmp(got, want) != 0))
		printf("# heard \"%s\", want \"%s\"\n", got, want);
	return want ? len > 0 && strcmp(got, want) == 0 : len < 0;
}

static bool ready_and_life_go_out_by_the_passed_socket(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	cleanup(notify_free_at) struct notify *notify = nullptr;

	CHECK_EQ(notify_new(&notify), 0);
	(void)unsetenv("WATCHDOG_USEC"); /* or the loop would feed the dog itself */
	CHECK_EQ(loop_new(&loop), 0);
	CHECK_EQ(notify_ready(notify, loop, "Serving."), 0);
	CHECK(heard("READY=1\nSTATUS=Serving."));
	CHECK(heard(nullptr));
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(loop_turn(loop, 1'000'000), 0);
		CHECK(heard("WATCHDOG=1"));
	}
	return true;
}

static bool a_status_is_one_line(void)
{
	cleanup(notify_free_at) struct notify *notify = nullptr;

	CHECK_EQ(notify_new(&notify), 0);
	notify_status(notify, "Locked.\nSTOPPING=1");
	CHECK(heard("STATUS=Locked."));
	return true;
}

static bool without_systemd_nothing_is_said_and_nothing_fails(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	cleanup(notify_free_at) struct notify *notify = nullptr;

	CHECK_EQ(unsetenv("NOTIFY_SOCKET"), 0);
	CHECK_EQ(notify_new(&notify), 0);
	CHECK_EQ(loop_new(&loop), 0);
	CHECK_EQ(notify_ready(notify, loop, "Serving."), 0);
	notify_status(notify, "Serving.");
	CHECK(heard(nullptr));
	return true;
}

static bool a_failed_allocation_is_survived(void)
{
	cleanup(notify_free_at) struct notify *notify = nullptr;

	fault_at(1);
	CHECK_EQ(notify_new(&notify), -ENOMEM);
	CHECK(fault_end());
	CHECK(!notify);
	return true;
}

int main(void)
{
	if (!be_systemd("20000")) {
		printf("Bail out! no sockets\n");
		return 1;
	}
	RUN(ready_and_life_go_out_by_the_passed_socket);
	RUN(a_status_is_one_line);
	RUN(without_systemd_nothing_is_said_and_nothing_fails);
	RUN(a_failed_allocation_is_survived);
	return tap_done();
}
