/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"

/* Whether a descriptor was got; closes it. */
static bool got(int fd)
{
	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

bool sandbox_try_read(const char *path)
{
	return got(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

bool sandbox_try_inet_socket(void)
{
	return got(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) ||
	       got(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

bool sandbox_try_unix_socket(void)
{
	return got(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

bool sandbox_try_exec(void)
{
	char *const argv[] = { (char[]) { "redoubt" }, (char[]) { "--version" }, nullptr };
	int tell[2];
	char failed = 0;

	if (pipe2(tell, O_CLOEXEC) < 0)
		return false;

	/* A program that starts closes the pipe without a word; a refused one says so. */
	pid_t pid = fork();
	if (pid == 0) {
		(void)execv("/proc/self/exe", argv);
		(void)execv("/usr/bin/redoubt", argv);
		_exit(write(tell[1], "x", 1) == 1 ? 1 : 2);
	}
	(void)close(tell[1]);
	bool started = pid > 0 && read(tell[0], &failed, 1) == 0;
	(void)close(tell[0]);
	if (pid > 0)
		(void)waitpid(pid, nullptr, 0);
	return started;
}

static bool read_shadow(void)
{
	return sandbox_try_read("/etc/shadow");
}

static bool read_disk(void)
{
	return sandbox_try_read("/dev/vda") || sandbox_try_read("/dev/nvme0n1") ||
	       sandbox_try_read("/dev/mem") || sandbox_try_read("/dev/mapper/control");
}

static bool write_etc(void)
{
	return got(open("/etc/redoubt-self-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) ||
	       got(open("/usr/redoubt-self-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static bool mount_something(void)
{
	return mount("none", "/tmp", "tmpfs", 0, nullptr) == 0;
}

static bool trace_init(void)
{
	return ptrace(PTRACE_ATTACH, 1, nullptr, nullptr) == 0;
}

static bool raw_socket(void)
{
	return got(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1)) ||
	       got(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) ||
	       got(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static bool load_module(void)
{
	/* ENOENT or EFAULT mean the kernel looked at the argument: it would have been allowed. */
	return syscall(SYS_init_module, nullptr, 0, "") == 0 || (errno != EPERM && errno != ENOSYS);
}

static bool new_namespace(void)
{
	return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == 0;
}

static bool bpf_program(void)
{
	return syscall(SYS_bpf, 0, nullptr, 0) >= 0 || (errno != EPERM && errno != ENOSYS);
}

static bool writable_code(void)
{
	void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED;
}

const struct sandbox_trial SANDBOX_TRIALS[] = {
	{ "read /etc/shadow", read_shadow },
	{ "read a disk or memory device", read_disk },
	{ "write below /etc or /usr", write_etc },
	{ "mount a file system", mount_something },
	{ "trace process 1", trace_init },
	{ "make a raw, packet or netlink socket", raw_socket },
	{ "load a kernel module", load_module },
	{ "make a user namespace", new_namespace },
	{ "use bpf", bpf_program },
	{ "map writable and executable memory", writable_code },
};
const size_t SANDBOX_TRIALS_COUNT = countof(SANDBOX_TRIALS);

/* Run one trial, print its TAP line, return 1 if the forbidden thing worked. */
static int run_trial(size_t number, const struct sandbox_trial *trial)
{
	bool worked = trial->succeeds();

	printf("%s %zu - cannot %s\n", worked ? "not ok" : "ok", number, trial->what);
	return worked;
}

int sandbox_self_test(const struct sandbox_trial *own, size_t n)
{
	int failed = 0;
	size_t number = 0;

	printf("TAP version 13\n1..%zu\n", SANDBOX_TRIALS_COUNT + n);
	for (size_t i = 0; i < SANDBOX_TRIALS_COUNT; i++)
		failed |= run_trial(++number, &SANDBOX_TRIALS[i]);
	for (size_t i = 0; i < n; i++)
		failed |= run_trial(++number, &own[i]);
	return failed;
}
