/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/file.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/disk-fixture.h"

static bool what_was_written_is_read_again(void)
{
	auto_disk struct disk disk = {};
	char back[16] = {};
	uint64_t size;
	size_t len;

	CHECK(disk_make(&disk));
	cleanup(file_close_at) struct file *file = nullptr;
	CHECK_EQ(file_create(disk.folder, "one", &file), 0);
	CHECK(strcmp(file_name(file), "one") == 0);
	CHECK_EQ(file_write(file, 4, "data", 4), 0);
	CHECK_EQ(file_write(file, 0, "more", 4), 0);
	CHECK_EQ(file_sync(file), 0);
	CHECK_EQ(file_reread(file), 0);
	CHECK_EQ(file_expect(file, 0, 8), 0);
	CHECK_EQ(file_read(file, 0, back, sizeof(back), &len), 0);
	CHECK_EQ(len, 8u);
	CHECK(strcmp(back, "moredata") == 0);
	CHECK_EQ(file_read(file, 8, back, 1, &len), 0);
	CHECK_EQ(len, 0u);
	CHECK_EQ(file_truncate(file, 5), 0);
	CHECK_EQ(file_size(file, &size), 0);
	CHECK_EQ(size, 5u);
	return true;
}

static bool a_file_is_created_once_and_opened_for_reading(void)
{
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(file_close_at) struct file *again = nullptr;

	CHECK(disk_make(&disk));
	CHECK_EQ(file_open(disk.folder, "one", &file), -ENOENT);
	CHECK(!file);
	CHECK_EQ(file_create(disk.folder, "one", &file), 0);
	CHECK_EQ(file_create(disk.folder, "one", &again), -EEXIST);
	CHECK(!again);
	CHECK_EQ(file_open(disk.folder, "one", &again), 0);
	CHECK(file_write(again, 0, "x", 1) < 0);
	return true;
}

static bool a_link_is_not_followed_and_a_pipe_is_no_file(void)
{
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr;
	char path[160];
	uint64_t size;

	CHECK(disk_make(&disk));
	(void)snprintf(path, sizeof(path), "%s/link", disk.path);
	CHECK(symlink("/etc/hostname", path) == 0);
	CHECK_EQ(file_open(disk.folder, "link", &file), -ELOOP);
	(void)snprintf(path, sizeof(path), "%s/pipe", disk.path);
	CHECK(mkfifo(path, 0600) == 0);
	CHECK_EQ(file_open(disk.folder, "pipe", &file), 0);
	CHECK_EQ(file_size(file, &size), -EINVAL);
	return true;
}

static int count_name(void *userdata, const char *name)
{
	size_t *n = userdata;

	(*n)++;
	return strcmp(name, "stop") == 0 ? 7 : 0;
}

static bool a_file_without_a_name_is_not_in_its_folder(void)
{
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr;
	char back[4];
	size_t n = 0, len;

	CHECK(disk_make(&disk));
	CHECK_EQ(file_create_unnamed(disk.folder, &file), 0);
	CHECK(strcmp(file_name(file), "") == 0);
	CHECK_EQ(file_write(file, 0, "data", 4), 0);
	CHECK_EQ(file_read(file, 0, back, 4, &len), 0);
	CHECK(memcmp(back, "data", 4) == 0);
	CHECK_EQ(folder_list(disk.folder, count_name, &n), 0);
	CHECK_EQ(n, 0u);
	return true;
}

static bool a_folder_lists_its_plain_files_and_renames_and_removes_them(void)
{
	auto_disk struct disk disk = {};
	char path[160];
	uint64_t bytes = 0;
	size_t n = 0;

	CHECK(disk_make(&disk));
	(void)snprintf(path, sizeof(path), "%s/folder", disk.path);
	CHECK(mkdir(path, 0700) == 0);
	CHECK(disk_store(&disk, "a", (const uint8_t *)"1", 1));
	CHECK(disk_store(&disk, "b", (const uint8_t *)"2", 1));
	CHECK_EQ(folder_list(disk.folder, count_name, &n), 0);
	CHECK_EQ(n, 2u);
	CHECK_EQ(folder_rename(disk.folder, "a", "b"), 0);
	CHECK_EQ(folder_rename(disk.folder, "a", "b"), -ENOENT);
	CHECK_EQ(folder_rename(disk.folder, "b", "stop"), 0);
	CHECK_EQ(folder_list(disk.folder, count_name, &n), 7);
	CHECK_EQ(folder_sync(disk.folder), 0);
	CHECK_EQ(folder_remove(disk.folder, "stop"), 0);
	CHECK_EQ(folder_remove(disk.folder, "stop"), -ENOENT);
	CHECK_EQ(folder_free(disk.folder, &bytes), 0);
	CHECK(bytes > 0);
	return true;
}

static bool the_hook_makes_any_step_fail(void)
{
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr, *other = nullptr;
	uint64_t size;

	CHECK(disk_make(&disk));
	CHECK_EQ(file_create(disk.folder, "one", &file), 0);
	disk.fail_with = -ENOSPC;
	disk.fail_at = disk.step + 1;
	CHECK_EQ(file_create(disk.folder, "two", &other), -ENOSPC);
	disk.fail_at = disk.step + 1;
	CHECK_EQ(file_create_unnamed(disk.folder, &other), -ENOSPC);
	disk.fail_at = disk.step + 1;
	CHECK_EQ(file_write(file, 0, "data", 4), -ENOSPC);
	disk.fail_at = disk.step + 1;
	CHECK_EQ(file_sync(file), -ENOSPC);
	disk.fail_at = disk.step + 1;
	CHECK_EQ(folder_rename(disk.folder, "one", "two"), -ENOSPC);
	disk.fail_at = disk.step + 1;
	CHECK_EQ(folder_sync(disk.folder), -ENOSPC);
	disk.fail_at = disk.step + 1;
	CHECK_EQ(folder_remove(disk.folder, "one"), -ENOSPC);
	disk.fail_at = disk.step + 1;
	CHECK_EQ(file_truncate(file, 0), -ENOSPC);
	disk.fail_with = 3;
	disk.fail_at = disk.step + 1;
	CHECK_EQ(file_write(file, 0, "data", 4), -EIO);
	CHECK_EQ(file_size(file, &size), 0);
	CHECK_EQ(size, 2u);
	for (size_t i = 0; i < FILE_STEP_COUNT; i++)
		CHECK(disk.steps[i] > 0);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	auto_disk struct disk disk = {};

	CHECK(disk_make(&disk));
	for (size_t n = 1;; n++) {
		cleanup(folder_close_at) struct folder *folder = nullptr;
		cleanup(file_close_at) struct file *file = nullptr;

		fault_at(n);
		int r = folder_open(disk.path, nullptr, nullptr, &folder);
		if (r == 0)
			r = file_create_unnamed(folder, &file);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!file);
	}
}

int main(void)
{
	RUN(what_was_written_is_read_again);
	RUN(a_file_is_created_once_and_opened_for_reading);
	RUN(a_link_is_not_followed_and_a_pipe_is_no_file);
	RUN(a_file_without_a_name_is_not_in_its_folder);
	RUN(a_folder_lists_its_plain_files_and_renames_and_removes_them);
	RUN(the_hook_makes_any_step_fail);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
