/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <seccomp.h>

#include "common/base.h"

/* What every event loop needs. */
static const int CALLS_BASE[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(fstat),
	SCMP_SYS(lseek),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(fcntl),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(signalfd4),
	SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_rm_watch),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(membarrier),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getresuid),
	SCMP_SYS(getresgid),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(tgkill),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrusage),
	SCMP_SYS(times),
	SCMP_SYS(getrlimit),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(shutdown),
	SCMP_SYS(pipe2),
};

static const int CALLS_FILES[] = {
	SCMP_SYS(open),	      SCMP_SYS(openat),	    SCMP_SYS(openat2),	       SCMP_SYS(creat),
	SCMP_SYS(stat),	      SCMP_SYS(lstat),	    SCMP_SYS(newfstatat),      SCMP_SYS(statx),
	SCMP_SYS(statfs),     SCMP_SYS(fstatfs),    SCMP_SYS(access),	       SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(getdents64), SCMP_SYS(readlink),	       SCMP_SYS(readlinkat),
	SCMP_SYS(fsync),      SCMP_SYS(fdatasync),  SCMP_SYS(sync_file_range), SCMP_SYS(syncfs),
	SCMP_SYS(ftruncate),  SCMP_SYS(truncate),   SCMP_SYS(fallocate),       SCMP_SYS(fadvise64),
	SCMP_SYS(preadv),     SCMP_SYS(pwritev),    SCMP_SYS(preadv2),	       SCMP_SYS(pwritev2),
	SCMP_SYS(rename),     SCMP_SYS(renameat),   SCMP_SYS(renameat2),       SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),   SCMP_SYS(link),	    SCMP_SYS(linkat),	       SCMP_SYS(symlink),
	SCMP_SYS(symlinkat),  SCMP_SYS(mkdir),	    SCMP_SYS(mkdirat),	       SCMP_SYS(rmdir),
	SCMP_SYS(chmod),      SCMP_SYS(fchmod),	    SCMP_SYS(fchmodat),	       SCMP_SYS(utimensat),
	SCMP_SYS(umask),      SCMP_SYS(flock),	    SCMP_SYS(getcwd),	       SCMP_SYS(chdir),
	SCMP_SYS(fchdir),
};

static const int CALLS_SOCKETS[] = { SCMP_SYS(connect), SCMP_SYS(bind) };

static const int CALLS_THREADS[] = {
	SCMP_SYS(clone),	   SCMP_SYS(clone3),
	SCMP_SYS(set_tid_address), SCMP_SYS(sched_setaffinity),
	SCMP_SYS(sched_getparam),  SCMP_SYS(sched_getscheduler),
	SCMP_SYS(setpriority),
};

static const int CALLS_MEMFD[] = { SCMP_SYS(memfd_create), SCMP_SYS(ftruncate) };

static const int CALLS_EXEC[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat),  SCMP_SYS(clone),	     SCMP_SYS(clone3),
	SCMP_SYS(vfork),  SCMP_SYS(fork),      SCMP_SYS(wait4),	     SCMP_SYS(waitid),
	SCMP_SYS(kill),	  SCMP_SYS(prlimit64), SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address),
	SCMP_SYS(setsid), SCMP_SYS(setpgid),   SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(ioctl),
};

static const struct {
	uint32_t group; /* 0: always */
	const int *call;
	size_t n;
} GROUPS[] = {
	{ 0, CALLS_BASE, countof(CALLS_BASE) },
	{ SANDBOX_FILES, CALLS_FILES, countof(CALLS_FILES) },
	{ SANDBOX_UNIX_SOCKETS | SANDBOX_INET_SOCKETS, CALLS_SOCKETS, countof(CALLS_SOCKETS) },
	{ SANDBOX_THREADS, CALLS_THREADS, countof(CALLS_THREADS) },
	{ SANDBOX_MEMFD, CALLS_MEMFD, countof(CALLS_MEMFD) },
	{ SANDBOX_EXEC, CALLS_EXEC, countof(CALLS_EXEC) },
};

/* Calls that depend on an argument: allowed when argument arg, masked, equals value. */
static const struct {
	uint32_t group; /* 0: always */
	int call;
	unsigned int arg;
	uint64_t mask, value;
} CONDITIONS[] = {
	/* No page is ever writable and executable, or made executable later. */
	{ 0, SCMP_SYS(mmap), 2, 0x4 /* PROT_EXEC */, 0 },
	{ 0, SCMP_SYS(mprotect), 2, 0x4, 0 },
	{ 0, SCMP_SYS(prctl), 0, UINT64_MAX, PR_SET_NAME },
	{ 0, SCMP_SYS(prctl), 0, UINT64_MAX, PR_GET_NAME },
	{ 0, SCMP_SYS(prctl), 0, UINT64_MAX, 0x53564d41 /* PR_SET_VMA: malloc names its arenas */ },
	{ 0, SCMP_SYS(prlimit64), 2, UINT64_MAX, 0 /* reading a limit */ },
	{ 0, SCMP_SYS(ioctl), 1, UINT64_MAX, FIONREAD },
	{ 0, SCMP_SYS(ioctl), 1, UINT64_MAX, TCGETS /* isatty() */ },
	{ SANDBOX_UNIX_SOCKETS, SCMP_SYS(socket), 0, UINT64_MAX, AF_UNIX },
	{ SANDBOX_UNIX_SOCKETS, SCMP_SYS(socketpair), 0, UINT64_MAX, AF_UNIX },
	{ SANDBOX_INET_SOCKETS, SCMP_SYS(socket), 0, UINT64_MAX, AF_INET },
	{ SANDBOX_INET_SOCKETS, SCMP_SYS(socket), 0, UINT64_MAX, AF_INET6 },
	{ SANDBOX_TERMINAL, SCMP_SYS(ioctl), 0, 0, 0 },
	{ SANDBOX_EXEC, SCMP_SYS(mmap), 0, 0, 0 },
	{ SANDBOX_EXEC, SCMP_SYS(mprotect), 0, 0, 0 },
};

static bool wanted(uint32_t calls, uint32_t group)
{
	return group == 0 || (calls & group);
}

/* Add every allowed call to the filter. */
static int add_rules(scmp_filter_ctx filter, uint32_t calls)
{
	int r = 0;

	for (size_t g = 0; r == 0 && g < countof(GROUPS); g++)
		for (size_t i = 0; r == 0 && i < GROUPS[g].n && wanted(calls, GROUPS[g].group); i++)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, GROUPS[g].call[i], 0);

	for (size_t i = 0; r == 0 && i < countof(CONDITIONS); i++) {
		struct scmp_arg_cmp compare = { .arg = CONDITIONS[i].arg,
						.op = SCMP_CMP_MASKED_EQ,
						.datum_a = CONDITIONS[i].mask,
						.datum_b = CONDITIONS[i].value };

		if (!wanted(calls, CONDITIONS[i].group))
			continue;
		if (CONDITIONS[i].mask == 0)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CONDITIONS[i].call, 0);
		else
			r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CONDITIONS[i].call, 1,
						   &compare);
		if (r == -EEXIST) /* a broader rule is there already */
			r = 0;
	}
	return r;
}

static int enter_seccomp(uint32_t calls)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!filter)
		return -ENOMEM;

	int r = add_rules(filter, calls);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

constexpr uint64_t FS_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t FS_WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
			      LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
			      LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
			      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
			      LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
			      LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE;
constexpr uint64_t FS_ALL = FS_READ | FS_WRITE | LANDLOCK_ACCESS_FS_EXECUTE;
/* What a rule on a single file may name; the kernel refuses the others there. */
constexpr uint64_t FS_FILE = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			     LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_TRUNCATE;

static const uint64_t ACCESS[] = {
	[SANDBOX_READ] = FS_READ,
	[SANDBOX_READ_WRITE] = FS_READ | (FS_WRITE & ~(uint64_t)LANDLOCK_ACCESS_FS_MAKE_CHAR &
					  ~(uint64_t)LANDLOCK_ACCESS_FS_MAKE_BLOCK),
	[SANDBOX_EXECUTE] = FS_READ | LANDLOCK_ACCESS_FS_EXECUTE,
};

static int allow_path(int ruleset, const struct sandbox_path *path)
{
	auto_close int fd = open(path->path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : neg_errno();

	struct landlock_path_beneath_attr rule = { .allowed_access = ACCESS[path->access],
						   .parent_fd = fd };
	long r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (r < 0 && errno == EINVAL) { /* a file, not a folder */
		rule.allowed_access &= FS_FILE;
		r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	return r < 0 ? neg_errno() : 0;
}

static int enter_landlock(const struct sandbox *table)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = FS_ALL };
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd <
	    0) /* a test host's kernel may lack it; the appliance's has it, and a check proves it */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : neg_errno();

	auto_close int ruleset = (int)fd;
	for (size_t i = 0; i < table->n_paths; i++) {
		int r = allow_path(ruleset, &table->path[i]);

		if (r)
			return r;
	}
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? neg_errno() : 0;
}

int sandbox_enter(const struct sandbox *table)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return neg_errno();

	int r = enter_landlock(table);
	return r ? r : enter_seccomp(table->calls);
}
