/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

constexpr size_t INPUT_MAX = 64 * 1024;
constexpr int STATUS_KILLED = 256;
constexpr int STATUS_NOT_STARTED = 127;

static const char *const ENVIRONMENT[] = {
	"PATH=/usr/sbin:/usr/bin",
	"LANG=C.UTF-8",
	"MKE2FS_SKIP_PROGRESS=1",
	nullptr,
};

/* A memfd with data in it, read from its start. Returns the descriptor or -errno. */
static int memory_file(const char *name, const void *data, size_t len)
{
	auto_close int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (fd < 0)
		return neg_errno();
	if (len > INPUT_MAX)
		return -EMSGSIZE;

	/* systemd-cryptenroll warns about a key file that others could read. */
	if (fchmod(fd, 0600) < 0)
		return neg_errno();
	ssize_t n = len > 0 ? write(fd, data, len) : 0;
	if (n < 0)
		return neg_errno();
	if ((size_t)n != len || lseek(fd, 0, SEEK_SET) < 0)
		return -EIO;

	int kept = fd;
	fd = -1;
	return kept;
}

/* Start the program with these descriptors in their places and no others. Returns 0 or a positive errno. */
static int spawn(const struct run *run, int input, int output, int secret, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;

	(void)sigemptyset(&none);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	int r = posix_spawnattr_setsigmask(&attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	/* The memfds and pipe have numbers above 3 (see run_program), so nothing is overwritten. */
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (r == 0 && secret >= 0)
		r = posix_spawn_file_actions_adddup2(&actions, secret, RUN_SECRET_FD);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(
			&actions, secret >= 0 ? RUN_SECRET_FD + 1 : RUN_SECRET_FD);
	if (r == 0)
		r = posix_spawn(ret, run->argv[0], &actions, &attributes,
				(char *const *)(uintptr_t)run->argv,
				(char *const *)(uintptr_t)ENVIRONMENT);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Move a descriptor above RUN_SECRET_FD. Returns the new one or -errno; the old one is closed. */
static int move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, RUN_SECRET_FD + 1);
	int r = moved < 0 ? neg_errno() : moved;

	(void)close(fd);
	return r;
}

/* Read what the program says until it closes its end or time is up. Returns whether it did. */
static bool collect(int fd, uint64_t deadline_us, struct buf *output)
{
	char piece[1024];

	for (;;) {
		uint64_t now = clock_mono_us();
		struct pollfd wait = { .fd = fd, .events = POLLIN };

		if (now >= deadline_us)
			return false;
		int ready = poll(&wait, 1, (int)((deadline_us - now) / 1000 + 1));
		if (ready < 0 && errno != EINTR)
			return false;
		if (ready <= 0)
			continue;
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n <= 0)
			return true;
		if (output->len + (size_t)n <= output->max)
			buf_add(output, piece, (size_t)n);
	}
}

int run_program(const struct run *run, struct buf *output)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return neg_errno();
	auto_close int from = move_up(ends[0]);
	auto_close int to = move_up(ends[1]);
	int made = memory_file("input", run->input, run->input_len);
	auto_close int input = made < 0 ? made : move_up(made);
	auto_close int secret = -1;
	if (run->secret) {
		made = memory_file("secret", run->secret, run->secret_len);
		secret = made < 0 ? made : move_up(made);
	}
	if (from < 0 || to < 0 || input < 0 || (run->secret && secret < 0))
		return from < 0 ? from : to < 0 ? to : input < 0 ? input : secret;

	pid_t pid = 0;
	int r = spawn(run, input, to, secret, &pid);
	if (r == EAGAIN || r == ENOMEM)
		return -r;
	if (r)
		return STATUS_NOT_STARTED;
	close_at(&to);

	uint64_t deadline = clock_mono_us() + (uint64_t)run->timeout_s * 1'000'000;
	if (!collect(from, deadline, output))
		(void)kill(pid, SIGKILL);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return neg_errno();
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_KILLED;
}
