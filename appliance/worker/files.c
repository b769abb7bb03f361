/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

constexpr size_t READ_STEP = 4096;

const char *files_run(void)
{
	const char *run = getenv("REDOUBT_RUN");

	return run ? run : "/run/redoubt";
}

const char *files_state(void)
{
	const char *state = getenv("REDOUBT_STATE");

	return state ? state : "/var/lib/redoubt";
}

/* Give a folder to a user and its group, if it is not theirs: not every job may change owners. */
static int give_to(const char *path, const struct stat *st, const char *owner)
{
	char room[1024];
	struct passwd entry, *found = nullptr;

	if (getenv("REDOUBT_STATE"))
		return 0;
	int r = getpwnam_r(owner ? owner : "root", &entry, room, sizeof(room), &found);
	if (!found)
		return r > 0 ? -r : -ESRCH;
	if (st->st_uid == entry.pw_uid && st->st_gid == entry.pw_gid)
		return 0;
	return lchown(path, entry.pw_uid, entry.pw_gid) < 0 ? neg_errno() : 0;
}

int files_folder(const char *path, const char *owner, mode_t mode)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return neg_errno();
	/* By name and not by descriptor: root without CAP_DAC_OVERRIDE cannot open another's 0700. */
	if (lstat(path, &st) < 0)
		return neg_errno();
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	int r = give_to(path, &st, owner);
	if (r || (st.st_mode & 07777) == mode)
		return r;
	return chmod(path, mode) < 0 ? neg_errno() : 0;
}

int files_open_folder(const char *path, int *ret)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return neg_errno();
	*ret = fd;
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, data + done, len - done);

		if (n < 0)
			return neg_errno();
		done += (size_t)n;
	}
	return fsync(fd) < 0 ? neg_errno() : 0;
}

int files_write(int dir, const char *name, const void *data, size_t len, mode_t mode)
{
	char beside[300];

	(void)snprintf(beside, sizeof(beside), ".%.200s.new", name);
	if (unlinkat(dir, beside, 0) < 0 && errno != ENOENT)
		return neg_errno();

	auto_close int fd =
		openat(dir, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return neg_errno();
	int r = fchmod(fd, mode) < 0 ? neg_errno() : write_all(fd, data, len);
	if (r == 0 && renameat(dir, beside, dir, name) < 0)
		r = neg_errno();
	if (r) {
		(void)unlinkat(dir, beside, 0);
		return r;
	}
	return fsync(dir) < 0 ? neg_errno() : 0;
}

int files_read(int dir, const char *name, struct buf *ret)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return neg_errno();
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	for (;;) {
		uint8_t *room = buf_reserve(ret, READ_STEP);
		size_t step = READ_STEP;

		if (!room && buf_error(ret) == -EMSGSIZE && ret->len < ret->max) {
			ret->error = 0; /* the last piece before the cap */
			step = ret->max - ret->len;
			room = buf_reserve(ret, step);
		}
		if (!room)
			return buf_error(ret);
		ssize_t n = read(fd, room, step);
		if (n < 0)
			return neg_errno();
		if (n == 0)
			return 0;
		ret->len += (size_t)n;
	}
}
