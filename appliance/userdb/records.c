/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/userdb/records.h"

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

#include "appliance/userdb/wish.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/names.h"
#include "common/proto/people.h"

constexpr size_t RECORD_MAX = 4096;
constexpr size_t FILE_NAME_MAX = NAME_PERSON_MAX + 32;

struct records {
	int dir;
	uint32_t gid;
};

int records_open(const char *path, uint32_t gid, struct records **ret)
{
	cleanup(records_close_at) struct records *records = malloc(sizeof(*records));

	if (!records)
		return -ENOMEM;
	records->gid = gid;
	records->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (records->dir < 0)
		return neg_errno();
	*ret = TAKE(records);
	return 0;
}

struct records *records_close(struct records *records)
{
	if (records)
		close_at(&records->dir);
	free(records);
	return nullptr;
}

void records_one(struct buf *out, const struct people_one *one, uint32_t gid)
{
	buf_addf(
		out,
		"{\"userName\":\"%s\",\"disposition\":\"regular\",\"uid\":%u,\"gid\":%u,"
		"\"homeDirectory\":\"/\",\"shell\":\"/usr/bin/redoubt-console\","
		"\"memberOf\":[\"redoubt-people\"],\"locked\":%s,\"service\":\"redoubt-userdb\"}\n",
		one->name, one->uid, gid, one->locked ? "true" : "false");
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
static int put_file(const struct records *records, const char *name, const char *text)
{
	char aside[FILE_NAME_MAX + 8];

	(void)snprintf(aside, sizeof(aside), ".%s.new", name);
	(void)unlinkat(records->dir, aside, 0); /* of an earlier run that was killed */

	auto_close int fd = openat(records->dir, aside,
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return neg_errno();

	int r = fill(fd, text, strlen(text));
	if (r == 0 && renameat(records->dir, aside, records->dir, name) < 0)
		r = neg_errno();
	if (r)
		(void)unlinkat(records->dir, aside, 0);
	return r;
}

/* Put a link in place in one step. */
static int put_link(const struct records *records, const char *name, const char *target)
{
	char aside[FILE_NAME_MAX + 8];

	(void)snprintf(aside, sizeof(aside), ".%s.new", name);
	(void)unlinkat(records->dir, aside, 0);
	if (symlinkat(target, records->dir, aside) < 0)
		return neg_errno();
	if (renameat(records->dir, aside, records->dir, name) == 0)
		return 0;

	int r = neg_errno();
	(void)unlinkat(records->dir, aside, 0);
	return r;
}

int records_write(struct records *records, const struct people_one *one)
{
	/* "*": no password fits, and the account is not locked, which sshd would refuse.
	   Nothing in it is secret, and sshd has given up the right to read other users' files: readable too. */
	static const char PRIVILEGED[] = "{\"privileged\":{\"hashedPassword\":[\"*\"]}}\n";
	auto_buf struct buf record = buf_make(RECORD_MAX);
	char name[FILE_NAME_MAX], privileged[FILE_NAME_MAX];
	char by_uid[FILE_NAME_MAX], by_uid_privileged[FILE_NAME_MAX];

	records_one(&record, one, records->gid);
	const char *text = buf_text(&record);
	if (!text)
		return buf_error(&record) ? buf_error(&record) : -ENOMEM;

	(void)snprintf(name, sizeof(name), "%s.user", one->name);
	(void)snprintf(privileged, sizeof(privileged), "%s.user-privileged", one->name);
	(void)snprintf(by_uid, sizeof(by_uid), "%u.user", one->uid);
	(void)snprintf(by_uid_privileged, sizeof(by_uid_privileged), "%u.user-privileged",
		       one->uid);
	int r = put_file(records, privileged, PRIVILEGED);
	if (r == 0)
		r = put_file(records, name, text);
	if (r == 0)
		r = put_link(records, by_uid_privileged, privileged);
	return r ? r : put_link(records, by_uid, name);
}

/* One file name of the folder, cut at its first dot: a name or a uid. */
static bool belongs_to_nobody(const struct wish *wish, const char *file)
{
	char stem[NAME_PERSON_MAX + 1];
	const char *dot = strchr(file, '.');
	size_t len = dot ? (size_t)(dot - file) : 0;

	if (!dot || (strcmp(dot, ".user") != 0 && strcmp(dot, ".user-privileged") != 0))
		return len == 0 && dot && file[1] != '\0'; /* ".NAME.user.new" of an earlier run */
	if (len == 0 || len >= sizeof(stem))
		return true;
	memcpy(stem, file, len);
	stem[len] = '\0';
	return !wish_has(wish, stem);
}

static DIR *dir_close(DIR *dir)
{
	if (dir)
		(void)closedir(dir);
	return nullptr;
}
CLEANUP_FN(DIR, dir_close)

/* Remove what belongs to nobody. Returns 0 or the first -errno. */
static int sweep(struct records *records, const struct wish *wish)
{
	auto_close int fd = openat(records->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
		if (belongs_to_nobody(wish, entry->d_name) &&
		    unlinkat(records->dir, entry->d_name, 0) < 0 && error == 0)
			error = neg_errno();
	}
	return error;
}

int records_sync(struct records *records, const struct wish *wish)
{
	int error = sweep(records, wish);

	for (size_t i = 0; i < wish->n; i++) {
		int r = records_write(records, &wish->one[i]);

		if (error == 0)
			error = r;
	}
	return error;
}
