/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * disk-fixture: a folder of its own for the tests of service/disk, with a hook that makes one step fail.
 *
 * Header-only; one test at a time.
 */

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "service/disk/file.h"

struct disk {
	char path[64];
	struct folder *folder;
	pthread_mutex_t lock;
	size_t steps[FILE_STEP_COUNT]; /* how often each was asked for */
	size_t step;		       /* all of them */
	size_t fail_at;		       /* this step fails; 0 none */
	enum file_step fail_step;      /* or the fail_nth of this kind */
	size_t fail_nth;
	int fail_with; /* what the hook then says */
	bool failed;
};

static inline int disk_hook(void *userdata, enum file_step step, const char *name, size_t len)
{
	struct disk *disk = userdata;
	int r = 0;

	(void)name, (void)len;
	(void)pthread_mutex_lock(&disk->lock);
	disk->steps[step]++;
	disk->step++;
	if (disk->step == disk->fail_at || (disk->fail_nth > 0 && step == disk->fail_step &&
					    disk->steps[step] == disk->fail_nth)) {
		disk->failed = true;
		/* Only a write can be torn. */
		r = disk->fail_with > 0 && step != FILE_WRITE ? -EIO : disk->fail_with;
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return r;
}

/* Open or open anew. */
static inline bool disk_open(struct disk *disk)
{
	folder_close_at(&disk->folder);
	memset(disk->steps, 0, sizeof(disk->steps));
	disk->step = disk->fail_at = disk->fail_nth = 0;
	disk->fail_with = -EIO;
	disk->failed = false;
	return folder_open(disk->path, disk_hook, disk, &disk->folder) == 0;
}

static inline bool disk_make(struct disk *disk)
{
	*disk = (struct disk) { .path = "/dev/shm/redoubt-disk-XXXXXX" };
	(void)pthread_mutex_init(&disk->lock, nullptr);
	if (!mkdtemp(disk->path)) { /* in memory, syncs take no time */
		(void)snprintf(disk->path, sizeof(disk->path), "/tmp/redoubt-disk-XXXXXX");
		if (!mkdtemp(disk->path))
			return false;
	}
	return disk_open(disk);
}

static inline int disk_remove_one(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static inline void disk_done(struct disk *disk)
{
	folder_close_at(&disk->folder);
	if (disk->path[0])
		(void)nftw(disk->path, disk_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define auto_disk cleanup(disk_done)

/* A whole file's bytes, for freeing; nullptr if it cannot be read. */
static inline uint8_t *disk_load(const struct disk *disk, const char *name, size_t *ret_len)
{
	char path[160];

	*ret_len = 0;
	(void)snprintf(path, sizeof(path), "%s/%s", disk->path, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return nullptr;
	(void)fseek(file, 0, SEEK_END);
	*ret_len = (size_t)ftell(file);
	rewind(file);
	uint8_t *data = malloc(*ret_len + 1);
	if (data && fread(data, 1, *ret_len, file) != *ret_len) {
		free(data);
		data = nullptr;
	}
	(void)fclose(file);
	return data;
}

/* Put a file there, behind everybody's back. */
static inline bool disk_store(const struct disk *disk, const char *name, const uint8_t *data,
			      size_t len)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", disk->path, name);
	FILE *file = fopen(path, "we");
	if (!file)
		return false;
	bool ok = fwrite(data, 1, len, file) == len;
	return fclose(file) == 0 && ok;
}
