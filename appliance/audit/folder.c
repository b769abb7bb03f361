/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t PATH_ROOM = 128;
constexpr mode_t FILE_MODE = 0600;
constexpr mode_t FOLDER_MODE = 0700;

int folder_open(const char *path, int *ret)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return neg_errno();
	*ret = fd;
	return 0;
}

int folder_read(int dir, const char *path, struct buf *ret)
{
	auto_close int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? FOLDER_MISSING : neg_errno();
	if (fstat(fd, &st) < 0)
		return neg_errno();
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > ret->max - ret->len)
		return FOLDER_TOO_BIG;

	for (;;) {
		constexpr size_t STEP = 64 * 1024;
		size_t left = ret->max - ret->len, want = left < STEP ? left : STEP;
		uint8_t *room = want > 0 ? buf_reserve(ret, want) : nullptr;
		ssize_t got = room ? read(fd, room, want) : 0;

		if (want > 0 && !room)
			return buf_error(ret);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return neg_errno();
		if (got == 0)
			return 0;
		ret->len += (size_t)got;
	}
}

int folder_make(int dir, const char *path)
{
	char part[PATH_ROOM];

	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
		if (mkdirat(dir, part, FOLDER_MODE) < 0 && errno != EEXIST)
			return neg_errno();
	}
	return 0;
}

int folder_pwrite(int fd, const void *data, size_t len, uint64_t offset)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t done = pwrite(fd, at, len, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return neg_errno();
		if (done == 0)
			return -ENOSPC;
		at += done;
		len -= (size_t)done;
		offset += (size_t)done;
	}
	return 0;
}

int folder_sync(int dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_ROOM] = ".";

	if (slash)
		(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);

	auto_close int fd = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 || fsync(fd) < 0 ? neg_errno() : 0;
}

/* Write a new file at path, replacing whatever is there. */
static int write_new(int dir, const char *path, const void *data, size_t len, bool sync)
{
	auto_close int fd =
		openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return neg_errno();

	int r = folder_pwrite(fd, data, len, 0);
	return r == 0 && sync && fdatasync(fd) < 0 ? neg_errno() : r;
}

/* Write a file beside and rename it over. */
static int replace(int dir, const char *path, const void *data, size_t len, bool sync)
{
	char beside[PATH_ROOM];

	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	int r = folder_make(dir, path);
	if (r == 0)
		r = write_new(dir, beside, data, len, sync);
	if (r == 0 && renameat(dir, beside, dir, path) < 0)
		r = neg_errno();
	if (r)
		(void)unlinkat(dir, beside, 0);
	return r;
}

int folder_write(int dir, const char *path, const void *data, size_t len)
{
	int r = replace(dir, path, data, len, true);

	return r ? r : folder_sync(dir, path);
}

int folder_put(int dir, const char *path, const void *data, size_t len)
{
	return replace(dir, path, data, len, false);
}

int folder_sync_file(int dir, const char *path)
{
	auto_close int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? 0 : neg_errno();
	return fdatasync(fd) < 0 ? neg_errno() : folder_sync(dir, path);
}

int folder_shred(int dir, const char *path)
{
	static const uint8_t ZEROS[256];
	auto_close int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : neg_errno();
	if (fstat(fd, &st) < 0)
		return neg_errno();
	for (off_t at = 0; at < st.st_size;) {
		size_t left = (size_t)(st.st_size - at);
		size_t step = left < sizeof(ZEROS) ? left : sizeof(ZEROS);
		int r = folder_pwrite(fd, ZEROS, step, (uint64_t)at);

		if (r)
			return r;
		at += (off_t)step;
	}
	if (fdatasync(fd) < 0)
		return neg_errno();
	return folder_remove(dir, path);
}

int folder_remove(int dir, const char *path)
{
	return unlinkat(dir, path, 0) < 0 && errno != ENOENT ? neg_errno() : 0;
}

bool folder_has(int dir, const char *path)
{
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return nullptr;
}
CLEANUP_FN(DIR, dir_close)

bool folder_number(const char *name, uint64_t *ret)
{
	char *end = nullptr;

	if (name[0] < '0' || name[0] > '9')
		return false;
	errno = 0;
	uint64_t value = strtoull(name, &end, 10);
	if (errno || (*end != '\0' && *end != '.') || strstr(end, ".new"))
		return false;
	*ret = value;
	return true;
}

int folder_numbers(int dir, const char *path, uint64_t *ret_smallest, uint64_t *ret_largest)
{
	uint64_t smallest = UINT64_MAX, largest = 0, number = 0;
	bool found = false;
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? FOLDER_MISSING : neg_errno();

	cleanup(dir_close_at) DIR *list = fdopendir(fd);
	if (!list) {
		(void)close(fd);
		return -ENOMEM;
	}
	for (struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
		if (!folder_number(entry->d_name, &number))
			continue;
		smallest = number < smallest ? number : smallest;
		largest = number > largest ? number : largest;
		found = true;
	}
	if (!found)
		return FOLDER_MISSING;
	*ret_smallest = smallest;
	*ret_largest = largest;
	return 0;
}
