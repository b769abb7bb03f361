/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sshlog: whom sshd has turned away before it asked for their keys, from its own log: names that are nobody's, people of
 * other groups.
 *
 * Layer 2 (appliance/accounts). journald passes log lines on to a datagram socket. Each is untrusted but for its sender,
 * whom the kernel vouches for: only root's count.
 */

#include <stddef.h>

#include "appliance/accounts/accounts.h"
#include "common/base.h"
#include "common/loop.h"
#include "common/proto/access.h"

struct sshlog_line {
	char user[ACCESS_NAME_MAX];
	char peer[ACCESS_SOURCE_MAX];
	bool unknown; /* no such person; else: not one that may sign in */
};

/*
 * Read one line, "<38>Nov 24 23:34:40 sshd-session[99]: Invalid user x from 192.0.2.1 port 5".
 *
 * text  [len] untrusted
 *
 * Returns whether it says that somebody was turned away; *ret is set only then.
 */
[[nodiscard]] bool sshlog_read(const char *text, size_t len, struct sshlog_line *ret);

/*
 * Listen on a socket of lines.
 *
 * fd  a datagram socket with SO_PASSCRED, borrowed
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int sshlog_listen(struct accounts *accounts, int fd, struct loop_source **ret);
