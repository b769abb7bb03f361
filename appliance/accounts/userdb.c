/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/userdb.h"

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

#include "appliance/accounts/store.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/names.h"

constexpr size_t RECORD_MAX = 4096;
constexpr size_t FILE_NAME_MAX = NAME_PERSON_MAX + 32;

struct userdb {
	int dir;
	uint32_t gid;
};

int userdb_open(const char *path, uint32_t gid, struct userdb **ret)
{
	cleanup(userdb_close_at) struct userdb *userdb = malloc(sizeof(*userdb));

	if (!userdb)
		return -ENOMEM;
	userdb->gid = gid;
	userdb->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (userdb->dir < 0)
		return neg_errno();
	*ret = TAKE(userdb);
	return 0;
}

struct userdb *userdb_close(struct userdb *userdb)
{
	if (userdb)
		close_at(&userdb->dir);
	free(userdb);
	return nullptr;
}

void userdb_record(struct buf *out, const struct person *person, uint32_t gid)
{
	buf_addf(out, "{\"userName\":\"%s\",\"disposition\":\"regular\",\"uid\":%u,\"gid\":%u,",
		 person->name, person->uid, gid);
	if (person->email[0] != '\0') {
		buf_add_str(out, "\"emailAddress\":");
		buf_add_json(out, person->email, strlen(person->email));
		buf_add_str(out, ",");
	}
	buf_addf(
		out,
		"\"homeDirectory\":\"/\",\"shell\":\"/usr/bin/redoubt-console\","
		"\"memberOf\":[\"redoubt-people\"],\"locked\":%s,\"service\":\"redoubt-accounts\"}\n",
		person->state == PERSON_ACTIVE ? "false" : "true");
}

/* Write all of a file and make it readable for everybody: the name service runs in every process. */
static int fill(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return neg_errno();
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fchmod(fd, 0644) < 0 ? neg_errno() : 0;
}

/* Put a file in place in one step. */
static int put_file(const struct userdb *userdb, const char *name, const char *text)
{
	char aside[FILE_NAME_MAX + 8];

	(void)snprintf(aside, sizeof(aside), ".%s.new", name);
	(void)unlinkat(userdb->dir, aside, 0); /* of an earlier run that was killed */

	auto_close int fd = openat(userdb->dir, aside,
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return neg_errno();

	int r = fill(fd, text, strlen(text));
	if (r == 0 && renameat(userdb->dir, aside, userdb->dir, name) < 0)
		r = neg_errno();
	if (r)
		(void)unlinkat(userdb->dir, aside, 0);
	return r;
}

/* Put a link in place in one step. */
static int put_link(const struct userdb *userdb, const char *name, const char *target)
{
	char aside[FILE_NAME_MAX + 8];

	(void)snprintf(aside, sizeof(aside), ".%s.new", name);
	(void)unlinkat(userdb->dir, aside, 0);
	if (symlinkat(target, userdb->dir, aside) < 0)
		return neg_errno();
	if (renameat(userdb->dir, aside, userdb->dir, name) == 0)
		return 0;

	int r = neg_errno();
	(void)unlinkat(userdb->dir, aside, 0);
	return r;
}

int userdb_write(struct userdb *userdb, const struct person *person)
{
	/* "*": no password fits, and the account is not locked, which sshd would refuse.
	   Nothing in it is secret, and sshd has given up the right to read other users' files: readable too. */
	static const char PRIVILEGED[] = "{\"privileged\":{\"hashedPassword\":[\"*\"]}}\n";
	auto_buf struct buf record = buf_make(RECORD_MAX);
	char name[FILE_NAME_MAX], privileged[FILE_NAME_MAX];
	char by_uid[FILE_NAME_MAX], by_uid_privileged[FILE_NAME_MAX];

	userdb_record(&record, person, userdb->gid);
	const char *text = buf_text(&record);
	if (!text)
		return buf_error(&record) ? buf_error(&record) : -ENOMEM;

	(void)snprintf(name, sizeof(name), "%s.user", person->name);
	(void)snprintf(privileged, sizeof(privileged), "%s.user-privileged", person->name);
	(void)snprintf(by_uid, sizeof(by_uid), "%u.user", person->uid);
	(void)snprintf(by_uid_privileged, sizeof(by_uid_privileged), "%u.user-privileged",
		       person->uid);
	int r = put_file(userdb, privileged, PRIVILEGED);
	if (r == 0)
		r = put_file(userdb, name, text);
	if (r == 0)
		r = put_link(userdb, by_uid_privileged, privileged);
	return r ? r : put_link(userdb, by_uid, name);
}

/* One file name of the folder, cut at its first dot: a name or a uid. */
static bool belongs_to_nobody(struct store *store, const char *file, int *ret_error)
{
	struct person person;
	char stem[NAME_PERSON_MAX + 1];
	const char *dot = strchr(file, '.');
	size_t len = dot ? (size_t)(dot - file) : 0;

	if (!dot || (strcmp(dot, ".user") != 0 && strcmp(dot, ".user-privileged") != 0))
		return len == 0 && dot && file[1] != '\0'; /* ".NAME.user.new" of an earlier run */
	if (len == 0 || len >= sizeof(stem))
		return true;
	memcpy(stem, file, len);
	stem[len] = '\0';

	bool is_uid = strspn(stem, "0123456789") == len;
	int r = is_uid ? store_person_by_uid(store, (uint32_t)strtoul(stem, nullptr, 10), &person)
		       : store_person(store, stem, &person);
	if (r < 0)
		*ret_error = r;
	return r == STORE_NOT_FOUND;
}

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return nullptr;
}
CLEANUP_FN(DIR, dir_close)

/* Remove what belongs to nobody. Returns 0 or the first -errno. */
static int sweep(struct userdb *userdb, struct store *store)
{
	auto_close int fd = openat(userdb->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return neg_errno();

	cleanup(dir_close_at) DIR *dir = fdopendir(fd);
	if (!dir)
		return neg_errno();
	fd = -1;

	int error = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (belongs_to_nobody(store, entry->d_name, &error) &&
		    unlinkat(userdb->dir, entry->d_name, 0) < 0 && error == 0)
			error = neg_errno();
	}
	return error;
}

struct writing {
	struct userdb *userdb;
	int error;
};

static void write_one(void *userdata, const struct person *person)
{
	struct writing *writing = userdata;
	int r = userdb_write(writing->userdb, person);

	if (writing->error == 0)
		writing->error = r;
}

int userdb_sync(struct userdb *userdb, struct store *store)
{
	struct writing writing = { .userdb = userdb };
	int swept = sweep(userdb, store);

	int r = store_people_each(store, write_one, &writing);
	if (r == 0)
		r = writing.error;
	return r ? r : swept;
}
