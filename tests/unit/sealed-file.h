/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sealed-file: a look behind a process's back into files without a name in a folder: for tests of what is sealed.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"

/* Open once more the file behind a descriptor of ours if it is one without a name in the folder. Returns -1 if it is not. */
static inline int sealed_file_open(const char *folder, const char *number)
{
	char path[64], target[256];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%.20s", number);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return -1;
	target[n] = '\0';
	if (strncmp(target, folder, strlen(folder)) != 0 || !strstr(target, "(deleted)"))
		return -1;
	return open(path, O_RDWR | O_CLOEXEC);
}

/* A descriptor of the first such file; -1 if there is none. */
static inline int sealed_file_first(const char *folder)
{
	DIR *dir = opendir("/proc/self/fd");
	int fd = -1;

	for (struct dirent *e; dir && fd < 0 && (e = readdir(dir));)
		fd = sealed_file_open(folder, e->d_name);
	if (dir)
		(void)closedir(dir);
	return fd;
}

/* Count the bytes of all such files. Returns how often a mark of at most 64 bytes is in them. */
static inline uint32_t sealed_file_marks(const char *folder, const char *mark, size_t *ret_bytes)
{
	static uint8_t data[1u << 16];
	DIR *dir = opendir("/proc/self/fd");
	uint32_t found = 0;

	*ret_bytes = 0;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		auto_close int fd = sealed_file_open(folder, e->d_name);
		off_t at = 0;
		ssize_t n;

		while (fd >= 0 && (n = pread(fd, data, sizeof(data), at)) > 0) {
			found += memmem(data, (size_t)n, mark, strlen(mark)) != nullptr;
			*ret_bytes += (size_t)n;
			at += n;
		}
	}
	if (dir)
		(void)closedir(dir);
	return found;
}
