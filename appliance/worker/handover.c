/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/handover.h"

#include <stddef.h>
#include <stdio.h>

#include "appliance/worker/files.h"

constexpr size_t PATH_LEN = 256;

static void folder(char path[PATH_LEN])
{
	(void)snprintf(path, PATH_LEN, "%s/setup", files_run());
}

int handover_open(int *ret)
{
	char path[PATH_LEN];

	folder(path);
	return files_open_folder(path, ret);
}

int handover_leave(const char *name, const void *data, size_t len)
{
	char path[PATH_LEN];
	auto_close int dir = -1;

	folder(path);
	int r = files_folder(path, nullptr, 0700);
	if (r == 0)
		r = files_open_folder(path, &dir);
	return r ? r : files_write(dir, name, data, len, 0600);
}
