/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sandbox: give up for good what the process does not need, from inside.
 *
 * Layer 1 (common); the only folder that includes <seccomp.h>. The unit restricts from outside; this, called once
 * files are open, restricts again: no_new_privs, not dumpable, landlock for paths, seccomp for system calls.
 * Source: landlock(7), seccomp(2).
 */

#include <stddef.h>
#include <stdint.h>

enum sandbox_access {
	SANDBOX_READ,	    /* read files, list folders */
	SANDBOX_READ_WRITE, /* also make, change, rename and remove files and folders */
	SANDBOX_EXECUTE,    /* read and execute */
};

struct sandbox_path {
	const char *
		path; /* a file or a folder with all below it; one that does not exist is skipped */
	enum sandbox_access access;
};

/* Groups of system calls beyond the event loop's own set (read, write, epoll, memory, time, signals, exit). */
enum sandbox_calls : uint32_t {
	SANDBOX_FILES = 1u << 0, /* open, stat, sync, rename, remove … below the given paths */
	SANDBOX_UNIX_SOCKETS = 1u << 1, /* make AF_UNIX sockets and connect them */
	SANDBOX_INET_SOCKETS = 1u << 2, /* make AF_INET and AF_INET6 sockets and connect them */
	SANDBOX_THREADS = 1u << 3,
	SANDBOX_MEMFD = 1u << 4,    /* memfd_create and sealing */
	SANDBOX_TERMINAL = 1u << 5, /* ioctl on the terminal */
	SANDBOX_EXEC = 1u << 6,	    /* start programs; with SANDBOX_EXECUTE paths */
};

struct sandbox {
	const struct sandbox_path *path; /* [n_paths] */
	size_t n_paths;
	uint32_t calls; /* sandbox_calls, or-ed */
};

/*
 * Enter the sandbox; there is no way back. System calls that are not in the set fail with EPERM.
 *
 * Returns 0 or -errno; on failure the process must not go on.
 */
[[nodiscard]] int sandbox_enter(const struct sandbox *table);

struct sandbox_trial {
	const char *what;	/* "open /etc/shadow" */
	bool (*succeeds)(void); /* tries it; true if the forbidden thing worked */
};

/* Trials that every process of ours must fail: exec, ptrace, mount, setuid, a raw socket, writing below /etc, loading a module, /dev/mem … */
extern const struct sandbox_trial SANDBOX_TRIALS[];
extern const size_t SANDBOX_TRIALS_COUNT;

/* Try to make an AF_INET socket; for the processes that must not. */
[[nodiscard]] bool sandbox_try_inet_socket(void);

/* Try to make an AF_UNIX socket; for front. */
[[nodiscard]] bool sandbox_try_unix_socket(void);

/* Try to run /usr/bin/true or anything executable. */
[[nodiscard]] bool sandbox_try_exec(void);

/* Try to open a path for reading. */
[[nodiscard]] bool sandbox_try_read(const char *path);

/*
 * Run the common trials and the process's own, printing TAP.
 *
 * Returns 0 if every one was refused, 1 otherwise: the exit status of --self-test.
 */
[[nodiscard]] int sandbox_self_test(const struct sandbox_trial *own, size_t n);
