/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sandbox.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "tests/lib/tap.h"

static char folder[] = "/tmp/test-sandbox-XXXXXX";

/* Run trial() in a child inside a sandbox with the given calls. Returns its value, or -1. */
static int inside(uint32_t calls, bool (*trial)(void))
{
	const struct sandbox_path path[] = { { folder, SANDBOX_READ_WRITE } };
	const struct sandbox table = { path, countof(path), calls };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(sandbox_enter(&table) ? 99 : trial());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool use_memory_and_time(void)
{
	char *block = malloc(1u << 20);

	if (!block)
		return false;
	memset(block, 1, 1u << 20);
	free(block);
	return write(STDERR_FILENO, "", 0) == 0 && usleep(1) == 0;
}

static bool write_in_the_folder(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/file", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool good = fd >= 0 && write(fd, "x", 1) == 1 && fdatasync(fd) == 0;

	return good && unlink(path) == 0;
}

static bool all_common_trials(void)
{
	for (size_t i = 0; i < SANDBOX_TRIALS_COUNT; i++)
		if (SANDBOX_TRIALS[i].succeeds()) {
			printf("# it worked: %s\n", SANDBOX_TRIALS[i].what);
			return true;
		}
	return false;
}

static bool ordinary_work_goes_on(void)
{
	CHECK_EQ(inside(0, use_memory_and_time), 1);
	CHECK_EQ(inside(SANDBOX_FILES, write_in_the_folder), 1);
	return true;
}

static bool what_is_forbidden_everywhere_fails(void)
{
	CHECK_EQ(inside(0, all_common_trials), 0);
	CHECK_EQ(inside(SANDBOX_FILES | SANDBOX_THREADS | SANDBOX_MEMFD, sandbox_try_exec), 0);
	return true;
}

static bool each_group_opens_only_its_own_door(void)
{
	CHECK_EQ(inside(0, write_in_the_folder), 0);
	CHECK_EQ(inside(0, sandbox_try_unix_socket), 0);
	CHECK_EQ(inside(SANDBOX_UNIX_SOCKETS, sandbox_try_unix_socket), 1);
	CHECK_EQ(inside(SANDBOX_UNIX_SOCKETS, sandbox_try_inet_socket), 0);
	CHECK_EQ(inside(SANDBOX_INET_SOCKETS, sandbox_try_inet_socket), 1);
	return true;
}

static bool without_a_sandbox_a_trial_succeeds(void)
{
	CHECK(sandbox_try_unix_socket());
	CHECK(sandbox_try_read("/dev/null"));
	return true;
}

int main(void)
{
	if (!mkdtemp(folder))
		return 99;
	RUN(ordinary_work_goes_on);
	RUN(what_is_forbidden_everywhere_fails);
	RUN(each_group_opens_only_its_own_door);
	RUN(without_a_sandbox_a_trial_succeeds);
	(void)rmdir(folder);
	return tap_done();
}
