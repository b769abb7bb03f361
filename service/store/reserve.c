/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base.h"
#include "service/disk/log.h"
#include "service/store/internal.h"
#include "service/store/live.h"

constexpr uint64_t FULL = 1u << 20; /* free bytes below which a failure is put down to the disk */

static void path_of(const struct store *store, char ret[STORE_PATH + 16])
{
	(void)snprintf(ret, STORE_PATH + 16, "%s/reserve", store->folder);
}

static uint64_t free_bytes(const struct store *store)
{
	struct statvfs about;

	return statvfs(store->folder, &about) ? 0 : (uint64_t)about.f_bavail * about.f_frsize;
}

/* Have the file take its room on the disk. A file system that cannot promise it gets zeros. */
static int take_room(int fd)
{
	static const uint8_t ZEROS[64 * 1024];

	if (fallocate(fd, 0, 0, RESERVE_BYTES) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return neg_errno();
	for (size_t at = 0; at < RESERVE_BYTES; at += sizeof(ZEROS))
		if (pwrite(fd, ZEROS, sizeof(ZEROS), (off_t)at) != (ssize_t)sizeof(ZEROS))
			return -ENOSPC;
	return 0;
}

static bool is_whole(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (size_t)st.st_size == RESERVE_BYTES &&
	       (size_t)st.st_blocks * 512 >= RESERVE_BYTES;
}

/* Called with the lock. */
static bool make(struct store *store)
{
	char path[STORE_PATH + 16];

	path_of(store, path);
	if (is_whole(path))
		return true;
	if (free_bytes(store) < 2 * RESERVE_BYTES)
		return false;
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && take_room(fd) == 0)
		return true;
	(void)unlink(path);
	return false;
}

bool reserve_fill(struct store *store)
{
	if (atomic_load(&store->has_reserve))
		return true;
	(void)pthread_mutex_lock(&store->reserving);
	bool whole = make(store);
	atomic_store(&store->has_reserve, whole);
	(void)pthread_mutex_unlock(&store->reserving);
	return whole;
}

bool reserve_use(struct store *store, int r)
{
	char path[STORE_PATH + 16];

	if (r >= 0 || (r != -ENOSPC && free_bytes(store) >= FULL))
		return false;
	path_of(store, path);
	(void)pthread_mutex_lock(&store->reserving);
	bool had = atomic_exchange(&store->has_reserve, false);
	if (had)
		had = unlink(path) == 0;
	(void)pthread_mutex_unlock(&store->reserving);
	return had;
}

int reserve_ready(struct live *live)
{
	int r = live_wait_for_room(live);

	if (r == 0 && !reserve_fill(live->store))
		r = -ENOSPC;
	return r == 0 && log_has_failed(live->store->log) ? store_recover(live->store) : r;
}
