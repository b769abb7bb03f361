/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/audit/folder.h"
#include "appliance/audit/tar.h"
#include "common/base.h"
#include "common/buf.h"

int source_open(const char *path, struct source *ret)
{
	struct stat st;

	*ret = (struct source) { .dir = -1, .fd = -1 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return neg_errno();
	ret->fd = fd;
	if (fstat(fd, &st) < 0)
		return neg_errno();
	if (S_ISREG(st.st_mode))
		return tar_open(fd, &ret->tar);
	ret->dir = fd;
	return S_ISDIR(st.st_mode) ? 0 : -EINVAL;
}

void source_close(struct source *source)
{
	source->tar = tar_close(source->tar);
	if (source->fd >= 0)
		(void)close(source->fd);
	*source = (struct source) { .dir = -1, .fd = -1 };
}

int source_read(const struct source *source, const char *path, struct buf *ret)
{
	return source->tar ? tar_read(source->tar, path, ret) : folder_read(source->dir, path, ret);
}

bool source_has(const struct source *source, const char *path)
{
	auto_buf struct buf nothing = buf_make(0);

	return source->tar ? tar_read(source->tar, path, &nothing) != FOLDER_MISSING
			   : folder_has(source->dir, path);
}

int source_numbers(const struct source *source, const char *path, uint64_t *ret_smallest,
		   uint64_t *ret_largest)
{
	return source->tar ? tar_numbers(source->tar, path, ret_smallest, ret_largest)
			   : folder_numbers(source->dir, path, ret_smallest, ret_largest);
}

bool source_is_whole(const struct source *source)
{
	return !source->tar || tar_is_whole(source->tar);
}
