/* SPDX-License-Identifier: Apache-2.0 */

/* userdb: the files that the name service reads, and that they follow the store. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/store.h"
#include "appliance/accounts/userdb.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static char folder[] = "/tmp/test-userdb-XXXXXX";

/* Whether the folder's file has exactly this text and may be read by all. */
static bool file_is(const char *name, const char *want)
{
	char path[128], text[1024] = "";
	struct stat info;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 || fstat(fd, &info) < 0)
		return false;
	return strcmp(text, want) == 0 && (info.st_mode & 07777) == 0644;
}

static bool is_there(const char *name)
{
	char path[128];
	struct stat info;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return lstat(path, &info) == 0;
}

static unsigned int files(void)
{
	unsigned int n = 0;
	DIR *dir = opendir(folder);

	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n - 2;
}

static void put(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void clear_folder(void)
{
	DIR *dir = opendir(folder);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		(void)closedir(dir);
}

static const char ANN[] =
	"{\"userName\":\"ann\",\"disposition\":\"regular\",\"uid\":20000,\"gid\":920,"
	"\"emailAddress\":\"ann@example.org\",\"homeDirectory\":\"/\","
	"\"shell\":\"/usr/bin/redoubt-console\",\"memberOf\":[\"redoubt-people\"],"
	"\"locked\":false,\"service\":\"redoubt-accounts\"}\n";

static struct person person_of(const char *name, uint32_t uid)
{
	struct person person = { .uid = uid, .email = "ann@example.org" };

	(void)snprintf(person.name, sizeof(person.name), "%s", name);
	return person;
}

static bool a_record_is_a_user_a_password_nobody_has_and_two_links(void)
{
	cleanup(userdb_close_at) struct userdb *userdb = nullptr;
	struct person ann = person_of("ann", 20000);

	clear_folder();
	CHECK_EQ(userdb_open(folder, 920, &userdb), 0);
	CHECK_EQ(userdb_write(userdb, &ann), 0);
	CHECK(file_is("ann.user", ANN));
	CHECK(file_is("20000.user", ANN));
	CHECK(file_is("ann.user-privileged", "{\"privileged\":{\"hashedPassword\":[\"*\"]}}\n"));
	CHECK(file_is("20000.user-privileged", "{\"privileged\":{\"hashedPassword\":[\"*\"]}}\n"));
	CHECK_EQ(files(), 4u);
	return true;
}

static bool a_suspended_person_is_locked_and_an_absent_email_left_out(void)
{
	auto_buf struct buf out = buf_make(4096);
	struct person ann = person_of("ann", 20000);

	ann.state = PERSON_SUSPENDED;
	ann.email[0] = '\0';
	userdb_record(&out, &ann, 920);
	CHECK(buf_text(&out));
	CHECK(strstr(buf_text(&out), "\"locked\":true"));
	CHECK(!strstr(buf_text(&out), "email"));
	return true;
}

static bool a_record_is_replaced_not_written_over(void)
{
	cleanup(userdb_close_at) struct userdb *userdb = nullptr;
	struct person ann = person_of("ann", 20000);
	char path[128], text[1024] = "";

	clear_folder();
	CHECK_EQ(userdb_open(folder, 920, &userdb), 0);
	CHECK_EQ(userdb_write(userdb, &ann), 0);
	(void)snprintf(path, sizeof(path), "%s/ann.user", folder);
	auto_close int reader = open(path, O_RDONLY | O_CLOEXEC);
	ann.state = PERSON_SUSPENDED;
	CHECK_EQ(userdb_write(userdb, &ann), 0);
	CHECK(read(reader, text, sizeof(text) - 1) > 0);
	CHECK(strcmp(text, ANN) == 0); /* a reader that had it open sees the old one, whole */
	CHECK(!file_is("ann.user", ANN));
	return true;
}

static bool a_sync_makes_the_folder_hold_exactly_the_people(void)
{
	cleanup(userdb_close_at) struct userdb *userdb = nullptr;
	cleanup(store_close_at) struct store *store = nullptr;
	struct person ann = person_of("ann", 0), bob = person_of("bob", 0);

	clear_folder();
	ann.roles = bob.roles = role_bit(ROLE_ADMIN);
	CHECK_EQ(store_open(":memory:", &store), 0);
	CHECK_EQ(userdb_open(folder, 920, &userdb), 0);
	CHECK_EQ(store_person_add(store, &ann, nullptr, 1), 0);
	CHECK_EQ(store_person_add(store, &bob, nullptr, 1), 0);

	put("eve.user");
	put("eve.user-privileged");
	put("20777.user");
	put("20777.user-privileged");
	put(".ann.user.new");
	put("notes.txt"); /* not ours to judge */
	CHECK_EQ(userdb_sync(userdb, store), 0);
	CHECK(file_is("ann.user", ANN));
	CHECK(is_there("bob.user") && is_there("20001.user"));
	CHECK(!is_there("eve.user") && !is_there("eve.user-privileged"));
	CHECK(!is_there("20777.user") && !is_there("20777.user-privileged"));
	CHECK(!is_there(".ann.user.new"));
	CHECK(is_there("notes.txt"));
	CHECK_EQ(files(), 9u);
	return true;
}

static bool a_failure_is_reported_and_leaves_whole_files(void)
{
	struct person ann = person_of("ann", 20000);

	clear_folder();
	for (size_t n = 1;; n++) {
		cleanup(userdb_close_at) struct userdb *userdb = nullptr;

		fault_at(n);
		int r = userdb_open(folder, 920, &userdb);
		if (r == 0)
			r = userdb_write(userdb, &ann);
		if (!fault_end()) {
			CHECK_EQ(r, 0);
			return true;
		}
		CHECK_EQ(r, -ENOMEM);
		CHECK(!is_there("ann.user") || file_is("ann.user", ANN));
	}
}

static bool a_folder_that_is_not_there_is_an_error(void)
{
	struct userdb *userdb = nullptr;

	CHECK_EQ(userdb_open("/nonexistent/userdb", 920, &userdb), -ENOENT);
	CHECK(!userdb);
	return true;
}

int main(void)
{
	if (!mkdtemp(folder))
		return 99;
	RUN(a_record_is_a_user_a_password_nobody_has_and_two_links);
	RUN(a_suspended_person_is_locked_and_an_absent_email_left_out);
	RUN(a_record_is_replaced_not_written_over);
	RUN(a_sync_makes_the_folder_hold_exactly_the_people);
	RUN(a_failure_is_reported_and_leaves_whole_files);
	RUN(a_folder_that_is_not_there_is_an_error);
	clear_folder();
	(void)rmdir(folder);
	return tap_done();
}
