/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/files.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/tap.h"

static char folder[] = "/tmp/redoubt-files-XXXXXX";
static int dir = -1;

static bool contents_are(const char *name, const char *want)
{
	auto_buf struct buf got = buf_make(100);

	CHECK_EQ(files_read(dir, name, &got), 0);
	CHECK_EQ(got.len, strlen(want));
	CHECK(memcmp(got.data, want, got.len) == 0);
	return true;
}

static bool a_file_is_replaced_whole_with_its_mode(void)
{
	struct stat st;

	CHECK_EQ(files_write(dir, "a", "one", 3, 0600), 0);
	CHECK(contents_are("a", "one"));
	CHECK_EQ(files_write(dir, "a", "three", 5, 0644), 0);
	CHECK(contents_are("a", "three"));
	CHECK_EQ(fstatat(dir, "a", &st, 0), 0);
	CHECK_EQ(st.st_mode & 07777u, 0644u);
	CHECK(faccessat(dir, ".a.new", F_OK, 0) < 0);
	return true;
}

static bool the_rest_of_a_cut_short_write_is_in_nobodys_way(void)
{
	CHECK_EQ(symlinkat("/etc/passwd", dir, ".b.new"), 0);
	CHECK_EQ(files_write(dir, "b", "x", 1, 0600), 0);
	CHECK(contents_are("b", "x"));
	return true;
}

static bool a_symlink_is_not_followed_and_a_folder_is_not_read(void)
{
	auto_buf struct buf got = buf_make(100);

	CHECK_EQ(symlinkat("/etc/passwd", dir, "link"), 0);
	CHECK_EQ(files_read(dir, "link", &got), -ELOOP);
	CHECK_EQ(mkdirat(dir, "sub", 0700), 0);
	CHECK_EQ(files_read(dir, "sub", &got), -EINVAL);
	CHECK_EQ(files_read(dir, "none", &got), -ENOENT);
	return true;
}

static bool more_than_the_cap_is_refused(void)
{
	auto_buf struct buf small = buf_make(4);

	CHECK_EQ(files_write(dir, "c", "12345", 5, 0600), 0);
	CHECK_EQ(files_read(dir, "c", &small), -EMSGSIZE);
	return true;
}

static bool a_folder_gets_its_mode_and_nothing_else_is_taken_for_one(void)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/d", folder);
	CHECK_EQ(files_folder(path, nullptr, 0755), 0);
	CHECK_EQ(files_folder(path, nullptr, 0700), 0);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_mode & 07777u, 0700u);
	(void)snprintf(path, sizeof(path), "%s/a", folder);
	CHECK_EQ(files_folder(path, nullptr, 0755), -ENOTDIR);
	(void)snprintf(path, sizeof(path), "%s/link", folder);
	CHECK_EQ(files_folder(path, nullptr, 0755), -ENOTDIR);
	return true;
}

int main(void)
{
	char command[128];

	(void)setenv("REDOUBT_STATE", folder, true); /* owners are left alone */
	if (!mkdtemp(folder) || files_open_folder(folder, &dir))
		return 99;
	RUN(a_file_is_replaced_whole_with_its_mode);
	RUN(the_rest_of_a_cut_short_write_is_in_nobodys_way);
	RUN(a_symlink_is_not_followed_and_a_folder_is_not_read);
	RUN(more_than_the_cap_is_refused);
	RUN(a_folder_gets_its_mode_and_nothing_else_is_taken_for_one);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? tap_done() : 99; /* NOLINT: a test's own folder */
}
