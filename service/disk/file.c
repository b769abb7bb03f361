/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base.h"

constexpr mode_t MODE = 0600;

constexpr uint64_t FLOOR =
	64u
	<< 20; /* twice what the ledger begins to be sparing at (appliance/audit/ledger_room.h) */

struct folder {
	int fd;
	file_hook_fn *hook;
	void *userdata;
};

struct file {
	struct folder *folder; /* borrowed */
	int fd;
	char name[]; /* "" if it has none */
};

static DIR *list_close(DIR *list)
{
	if (list)
		(void)closedir(list);
	return nullptr;
}
CLEANUP_FN(DIR, list_close)

/* Ask the test, if there is one. Returns 0, a negative errno, or positive as file_hook_fn says. */
static int ask_hook(const struct folder *folder, enum file_step step, const char *name, size_t len)
{
	return folder->hook ? folder->hook(folder->userdata, step, name, len) : 0;
}

int folder_open(const char *path, file_hook_fn *hook, void *userdata, struct folder **ret)
{
	auto_free struct folder *folder = malloc(sizeof(*folder));
	if (!folder)
		return -ENOMEM;

	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return neg_errno();

	*folder = (struct folder) { .fd = fd, .hook = hook, .userdata = userdata };
	*ret = TAKE(folder);
	return 0;
}

struct folder *folder_close(struct folder *folder)
{
	if (folder)
		(void)close(folder->fd);
	free(folder);
	return nullptr;
}

static bool is_plain(int dir, const struct dirent *entry)
{
	struct stat about;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_REG;
	return fstatat(dir, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(about.st_mode);
}

int folder_list(struct folder *folder, folder_name_fn *fn, void *userdata)
{
	/* A descriptor of its own: listing moves a position, which must not be shared. */
	auto_close int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return neg_errno();

	cleanup(list_close_at) DIR *list = fdopendir(fd);
	if (!list)
		return neg_errno();
	fd = -1; /* the list closes it */

	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(list); /* NOLINT(concurrency-mt-unsafe) */
		if (!entry)
			return errno ? neg_errno() : 0;
		if (!is_plain(folder->fd, entry))
			continue;

		int r = fn(userdata, entry->d_name);
		if (r)
			return r;
	}
}

int folder_sync(struct folder *folder)
{
	int r = ask_hook(folder, FILE_SYNC_FOLDER, "", 0);
	if (r)
		return r;
	return fsync(folder->fd) ? neg_errno() : 0;
}

int folder_rename(struct folder *folder, const char *from, const char *to)
{
	int r = ask_hook(folder, FILE_RENAME, from, 0);
	if (r)
		return r;
	return renameat(folder->fd, from, folder->fd, to) ? neg_errno() : 0;
}

int folder_remove(struct folder *folder, const char *name)
{
	int r = ask_hook(folder, FILE_REMOVE, name, 0);
	if (r)
		return r;
	return unlinkat(folder->fd, name, 0) ? neg_errno() : 0;
}

int folder_free(struct folder *folder, uint64_t *ret_bytes)
{
	struct statvfs about;

	if (fstatvfs(folder->fd, &about))
		return neg_errno();
	*ret_bytes = (uint64_t)about.f_bavail * about.f_frsize;
	return 0;
}

bool folder_has_room(struct folder *folder)
{
	struct statvfs about;

	if (fstatvfs(folder->fd, &about))
		return true;
	uint64_t quarter = (uint64_t)about.f_blocks * about.f_frsize / 4;
	uint64_t floor = quarter < FLOOR ? quarter : FLOOR;
	return (uint64_t)about.f_bavail * about.f_frsize >= floor;
}

/* Open with flags; name is what it is called afterwards. */
static int open_as(struct folder *folder, const char *path, const char *name, int flags,
		   struct file **ret)
{
	size_t name_size = strlen(name) + 1;
	auto_free struct file *file = malloc(sizeof(*file) + name_size);
	if (!file)
		return -ENOMEM;

	/* Non-blocking, so that a pipe put there by somebody does not hold us up. */
	int fd = openat(folder->fd, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, MODE);
	if (fd < 0)
		return neg_errno();

	file->folder = folder;
	file->fd = fd;
	memcpy(file->name, name, name_size);
	*ret = TAKE(file);
	return 0;
}

int file_create(struct folder *folder, const char *name, struct file **ret)
{
	int r = ask_hook(folder, FILE_CREATE, name, 0);
	if (r)
		return r;
	return open_as(folder, name, name, O_RDWR | O_CREAT | O_EXCL, ret);
}

int file_create_unnamed(struct folder *folder, struct file **ret)
{
	int r = ask_hook(folder, FILE_CREATE, "", 0);
	if (r)
		return r;
	return open_as(folder, ".", "", O_RDWR | O_TMPFILE | O_EXCL, ret);
}

int file_open(struct folder *folder, const char *name, struct file **ret)
{
	return open_as(folder, name, name, O_RDONLY, ret);
}

struct file *file_close(struct file *file)
{
	if (file)
		(void)close(file->fd);
	free(file);
	return nullptr;
}

static int write_all(int fd, uint64_t offset, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return neg_errno();
		if (n == 0)
			return -EIO;
		data += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int file_write(struct file *file, uint64_t offset, const void *data, size_t len)
{
	int r = ask_hook(file->folder, FILE_WRITE, file->name, len);

	if (r < 0)
		return r;
	if (r > 0) { /* torn: only what comes before byte r - 1 */
		size_t part = (size_t)r - 1 < len ? (size_t)r - 1 : len;

		r = write_all(file->fd, offset, data, part);
		return r ? r : -EIO;
	}
	return write_all(file->fd, offset, data, len);
}

int file_read(struct file *file, uint64_t offset, void *ret, size_t len, size_t *ret_len)
{
	uint8_t *at = ret;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(file->fd, at + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return neg_errno();
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*ret_len = done;
	return 0;
}

int file_expect(struct file *file, uint64_t offset, uint64_t len)
{
	return -posix_fadvise(file->fd, (off_t)offset, (off_t)len, POSIX_FADV_WILLNEED);
}

int file_reread(struct file *file)
{
	return -posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

int file_sync(struct file *file)
{
	int r = ask_hook(file->folder, FILE_SYNC, file->name, 0);
	if (r)
		return r;
	return fdatasync(file->fd) ? neg_errno() : 0;
}

int file_truncate(struct file *file, uint64_t len)
{
	int r = ask_hook(file->folder, FILE_TRUNCATE, file->name, 0);
	if (r)
		return r;
	return ftruncate(file->fd, (off_t)len) ? neg_errno() : 0;
}

int file_size(struct file *file, uint64_t *ret)
{
	struct stat about;

	if (fstat(file->fd, &about))
		return neg_errno();
	if (!S_ISREG(about.st_mode))
		return -EINVAL;
	*ret = (uint64_t)about.st_size;
	return 0;
}

const char *file_name(const struct file *file)
{
	return file->name;
}
