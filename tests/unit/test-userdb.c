/* SPDX-License-Identifier: Apache-2.0 */

/* userdb: which records the gate lets through, the files that the name service reads, and that they follow the wish. */

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

#include "appliance/userdb/records.h"
#include "appliance/userdb/serve.h"
#include "appliance/userdb/wish.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"
#include "common/proto/people.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static char folder[] = "/tmp/test-userdb-XXXXXX";
static struct serve serve;
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
	"\"homeDirectory\":\"/\",\"shell\":\"/usr/bin/redoubt-console\","
	"\"memberOf\":[\"redoubt-people\"],\"locked\":false,\"service\":\"redoubt-userdb\"}\n";
static const char SYSTEM[] = "\nroot\nsshd\nfred\n";
static const struct people_one ann = { "ann", 20000, false };

/* A gate over the empty folder. */
static bool open_gate(void)
{
	clear_folder();
	serve.records = records_close(serve.records);
	buf_done(&serve.system);
	serve.system = buf_make(1024);
	buf_add_str(&serve.system, SYSTEM);
	return records_open(folder, 920, &serve.records) == 0;
}

/* Ask the gate for these. Returns what it does; *ret_refused is how many it refused. */
static int wish_for(const struct people_one *one, size_t n, uint32_t *ret_refused)
{
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);

	for (size_t i = 0; i < n; i++)
		people_one_write(&out, &one[i]);
	return buf_error(&out) ? buf_error(&out)
			       : serve_wish(&serve, out.data, out.len, ret_refused);
}

static bool a_record_is_a_user_a_password_nobody_has_and_two_links(void)
{
	uint32_t refused = 1;

	CHECK(open_gate());
	CHECK_EQ(wish_for(&ann, 1, &refused), 0);
	CHECK_EQ(refused, 0u);
	CHECK(file_is("ann.user", ANN));
	CHECK(file_is("20000.user", ANN));
	CHECK(file_is("ann.user-privileged", "{\"privileged\":{\"hashedPassword\":[\"*\"]}}\n"));
	CHECK(file_is("20000.user-privileged", "{\"privileged\":{\"hashedPassword\":[\"*\"]}}\n"));
	CHECK_EQ(files(), 4u);
	return true;
}

static bool a_hostile_record_is_left_out_and_the_others_hold(void)
{
	static const struct people_one HOSTILE[] = {
		{ "root", 20001, false },
		{ "root", 0, false },
		{ "eve", 0, false },
		{ "eve", 19'999, false },
		{ "eve", 60'000, false },
		{ "eve", 903, false },
		{ "eve", 65'534, false },
		{ "eve", UINT32_MAX, false },
		{ "", 20001, false },
		{ "fred", 20001, false },
		{ "sshd", 20001, false },
		{ "redoubt-audit", 20001, false },
		{ "systemd-x", 20001, false },
		{ "Eve", 20001, false },
		{ "20001", 20001, false },
		{ "../eve", 20001, false },
		{ "a/b", 20001, false },
		{ ".eve", 20001, false },
		{ "eve.user", 20001, false },
		{ "e\"v", 20001, false },
		{ "eve\nroot", 20001, false },
		{ "eve", 20000, false },
		/* ann's */ { "ann", 20001, false }, /* a second uid */
		{ "-eve", 20001, false },
		{ "e ve", 20001, false },
		{ "\xc3\xa9ve", 20001, false },
	};

	for (size_t i = 0; i < countof(HOSTILE); i++) {
		struct people_one three[] = { ann, HOSTILE[i], { "bob", 20002, true } };
		uint32_t refused = 0;

		CHECK(open_gate());
		CHECK_EQ(wish_for(three, countof(three), &refused), 0);
		CHECK_EQ(refused, 1u);
		CHECK(file_is("ann.user", ANN));
		CHECK(is_there("bob.user") && is_there("20002.user"));
		CHECK_EQ(files(), 8u);
	}
	return true;
}

static bool the_people_range_is_let_through_to_its_ends(void)
{
	static const struct people_one TWO[] = { { "eve", PEOPLE_UID_FIRST, false },
						 { "bob", PEOPLE_UID_LAST, false } };
	uint32_t refused = 1;

	CHECK(open_gate());
	CHECK_EQ(wish_for(TWO, countof(TWO), &refused), 0);
	CHECK_EQ(refused, 0u);
	CHECK(is_there("20000.user") && is_there("59999.user"));
	return true;
}

static bool what_is_not_well_formed_changes_nothing(void)
{
	static const uint8_t LOCKED[] = { 3, 0, 0, 0, 'e', 'v', 'e', 0x21, 0x4e, 0, 0, 2 };
	static const uint8_t LONG[] = { 32, 0, 0, 0, 'e' };
	uint32_t refused = 0;

	CHECK(open_gate());
	CHECK_EQ(wish_for(&ann, 1, &refused), 0);
	CHECK_EQ(serve_wish(&serve, LOCKED, sizeof(LOCKED), &refused), MSG_MALFORMED);
	CHECK_EQ(serve_wish(&serve, LONG, sizeof(LONG), &refused), MSG_MALFORMED);
	for (size_t n = 1; n < sizeof(LOCKED); n++)
		CHECK_EQ(serve_wish(&serve, LOCKED, n, &refused), MSG_MALFORMED);
	CHECK(file_is("ann.user", ANN));
	CHECK_EQ(files(), 4u);
	return true;
}

static bool no_more_people_than_there_may_be_are_let_through(void)
{
	struct wish *wish = calloc(1, sizeof(*wish));
	struct people_one one = {};

	CHECK(wish);
	for (uint32_t i = 0; i < PEOPLE_MAX; i++) {
		one.uid = PEOPLE_UID_FIRST + i;
		(void)snprintf(one.name, sizeof(one.name), "p%u", i);
		CHECK_EQ(wish_add(wish, &one, SYSTEM), WISH_FITS);
	}
	one.uid++;
	one.name[0] = 'q';
	CHECK_EQ(wish_add(wish, &one, SYSTEM), WISH_TOO_MANY);
	CHECK(wish_has(wish, "p0") && wish_has(wish, "20999"));
	CHECK(!wish_has(wish, "q999") && !wish_has(wish, "21000") && !wish_has(wish, "020000"));
	free(wish);
	return true;
}

static bool a_suspended_person_is_locked_and_a_reader_sees_a_whole_record(void)
{
	struct people_one locked = ann;
	char path[128], text[1024] = "";
	uint32_t refused = 0;

	CHECK(open_gate());
	CHECK_EQ(wish_for(&ann, 1, &refused), 0);
	(void)snprintf(path, sizeof(path), "%s/ann.user", folder);
	auto_close int reader = open(path, O_RDONLY | O_CLOEXEC);
	locked.locked = true;
	CHECK_EQ(wish_for(&locked, 1, &refused), 0);
	CHECK(read(reader, text, sizeof(text) - 1) > 0);
	CHECK(strcmp(text, ANN) == 0); /* who had it open sees the old one, whole */
	CHECK(!file_is("ann.user", ANN));

	auto_buf struct buf out = buf_make(4096);
	records_one(&out, &locked, 920);
	CHECK(buf_text(&out) && strstr(buf_text(&out), "\"locked\":true"));
	return true;
}

static bool the_folder_holds_exactly_the_people_of_the_wish(void)
{
	static const struct people_one TWO[] = { { "ann", 20000, false }, { "bob", 20001, false } };
	uint32_t refused = 0;

	CHECK(open_gate());
	put("eve.user");
	put("eve.user-privileged");
	put("0.user");
	put("20777.user");
	put(".ann.user.new");
	put("notes.txt"); /* not ours to judge */
	CHECK_EQ(wish_for(TWO, countof(TWO), &refused), 0);
	CHECK(file_is("ann.user", ANN));
	CHECK(is_there("bob.user") && is_there("20001.user") && is_there("notes.txt"));
	CHECK_EQ(files(), 9u);
	CHECK_EQ(wish_for(TWO + 1, 1, &refused), 0);
	CHECK_EQ(files(), 5u);
	CHECK_EQ(wish_for(nullptr, 0, &refused), 0);
	CHECK_EQ(files(), 1u);
	return true;
}

static bool the_names_of_the_system_are_read_from_its_file(void)
{
	auto_buf struct buf names = buf_make(64 * 1024);

	CHECK_EQ(wish_system_names("/etc/passwd", &names), 0);
	CHECK(buf_text(&names) && strstr(buf_text(&names), "\nroot\n"));
	CHECK_EQ(wish_system_names("/nonexistent", &names), -ENOENT);
	for (size_t n = 1;; n++) {
		auto_buf struct buf out = buf_make(64 * 1024);

		fault_at(n);
		int r = wish_system_names("/etc/passwd", &out);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
	}
}

static bool a_failure_is_reported_and_leaves_whole_files(void)
{
	clear_folder();
	for (size_t n = 1;; n++) {
		cleanup(records_close_at) struct records *records = nullptr;

		fault_at(n);
		int r = records_open(folder, 920, &records);
		if (r == 0)
			r = records_write(records, &ann);
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
	struct records *records = nullptr;

	CHECK_EQ(records_open("/nonexistent/userdb", 920, &records), -ENOENT);
	CHECK(!records);
	return true;
}

int main(void)
{
	if (!mkdtemp(folder))
		return 99;
	RUN(a_record_is_a_user_a_password_nobody_has_and_two_links);
	RUN(a_hostile_record_is_left_out_and_the_others_hold);
	RUN(the_people_range_is_let_through_to_its_ends);
	RUN(what_is_not_well_formed_changes_nothing);
	RUN(no_more_people_than_there_may_be_are_let_through);
	RUN(a_suspended_person_is_locked_and_a_reader_sees_a_whole_record);
	RUN(the_folder_holds_exactly_the_people_of_the_wish);
	RUN(the_names_of_the_system_are_read_from_its_file);
	RUN(a_failure_is_reported_and_leaves_whole_files);
	RUN(a_folder_that_is_not_there_is_an_error);
	clear_folder();
	(void)rmdir(folder);
	serve.records = records_close(serve.records);
	buf_done(&serve.system);
	return tap_done();
}
