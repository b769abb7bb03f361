/* SPDX-License-Identifier: Apache-2.0 */
#include "common/keyring/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

constexpr size_t NAME_LEN = 80;

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return nullptr;
}
CLEANUP_FN(DIR, dir_close)

void keyfile_wipe(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->room);
	buf_done(buf);
}

int keyfile_folder(const char *path, int *ret)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return neg_errno();
	*ret = fd;
	return 0;
}

/* Read len bytes from the start. */
static int read_all(int fd, uint8_t *ret, size_t len)
{
	for (size_t pos = 0; pos < len;) {
		ssize_t got = pread(fd, ret + pos, len - pos, (off_t)pos);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? neg_errno() : -EIO;
		pos += (size_t)got;
	}
	return 0;
}

int keyfile_read(int dir, const char *name, struct buf *ret)
{
	struct stat st;
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? KEYFILE_ABSENT : neg_errno();
	if (fstat(fd, &st) < 0)
		return neg_errno();
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (size_t)st.st_size > ret->max - ret->len)
		return -EMSGSIZE;
	if (st.st_size == 0)
		return 0;

	uint8_t *at = buf_reserve(ret, (size_t)st.st_size);
	if (!at)
		return buf_error(ret);
	int r = read_all(fd, at, (size_t)st.st_size);
	if (r == 0)
		ret->len += (size_t)st.st_size;
	return r;
}

/* Write all of data at the start. */
static int write_all(int fd, const uint8_t *data, size_t len)
{
	for (size_t pos = 0; pos < len;) {
		ssize_t done = pwrite(fd, data + pos, len - pos, (off_t)pos);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return neg_errno();
		pos += (size_t)done;
	}
	return 0;
}

int keyfile_write(int dir, const char *name, const void *data, size_t len)
{
	char beside[NAME_LEN];

	(void)snprintf(beside, sizeof(beside), ".%s.new", name);
	auto_close int fd = openat(
		dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
	if (fd < 0)
		return neg_errno();
	int r = write_all(fd, data, len);
	if (r)
		return r;
	if (fsync(fd) < 0 || renameat(dir, beside, dir, name) < 0 || fsync(dir) < 0)
		return neg_errno();
	return 0;
}

/* Overwrite a file where it lies, then remove it. None is fine. */
static int shred(int dir, const char *name)
{
	static const uint8_t ZEROS[4096];
	struct stat st;
	auto_close int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? 0 : neg_errno();
	if (fstat(fd, &st) < 0)
		return neg_errno();
	for (off_t pos = 0; S_ISREG(st.st_mode) && pos < st.st_size;) {
		auto left = (size_t)(st.st_size - pos);
		ssize_t done = pwrite(fd, ZEROS, left < sizeof(ZEROS) ? left : sizeof(ZEROS), pos);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return neg_errno();
		pos += done;
	}
	if (fsync(fd) < 0 || unlinkat(dir, name, 0) < 0 || fsync(dir) < 0)
		return neg_errno();
	return 0;
}

int keyfile_destroy(int dir, const char *name)
{
	char gone[NAME_LEN];

	(void)snprintf(gone, sizeof(gone), ".%s.gone", name);
	if (renameat(dir, name, dir, gone) < 0 && errno != ENOENT)
		return neg_errno();
	if (fsync(dir) < 0)
		return neg_errno();
	return shred(dir, gone);
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);

	return len >= end && strcmp(name + len - end, suffix) == 0;
}

int keyfile_each(int dir, const char *suffix, int (*fn)(void *user, const char *name), void *user)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup(dir_close_at) DIR *list = copy >= 0 ? fdopendir(copy) : nullptr;

	if (!list) {
		int r = neg_errno();

		close_at(&copy);
		return r;
	}
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(list);

		if (!entry)
			return errno ? neg_errno() : 0;
		if (!ends_with(entry->d_name, suffix))
			continue;
		int r = fn(user, entry->d_name);
		if (r)
			return r;
	}
}

static int sweep_one(void *user, const char *name)
{
	const int *dir = user;

	return name[0] == '.' ? shred(*dir, name) : 0;
}

int keyfile_sweep(int dir)
{
	int r = keyfile_each(dir, ".new", sweep_one, &dir);

	return r ? r : keyfile_each(dir, ".gone", sweep_one, &dir);
}
