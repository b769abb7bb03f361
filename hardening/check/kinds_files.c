/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/kinds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "hardening/check/control.h"
#include "hardening/check/probe.h"

constexpr size_t ACCOUNTS_MAX = 64UL * 1024;
constexpr int DEPTH_MAX = 24; /* deeper than any package goes */

bool kind_mount(const struct probe *probe, const struct control *control, struct detail *detail)
{
	struct probe_mount mount;
	const char *at = control->expected;
	char option[WORD_MAX];
	int r = probe_mount(probe, control->argument, &mount);

	if (r)
		return detail_fails(detail, "%s: %s", control->argument, strerror(-r));
	while (probe_word(&at, option))
		if (!probe_has_word(mount.options, option) && strcmp(option, mount.type) != 0)
			return detail_fails(detail, "%s is not %s: %.60s %.100s", control->argument,
					    option, mount.type, mount.options);
	return true;
}

bool kind_file_absent(const struct probe *probe, const struct control *control,
		      struct detail *detail)
{
	const char *at = control->argument;
	char path[WORD_MAX];

	while (probe_word(&at, path))
		if (probe_exists(probe, path))
			return detail_fails(detail, "%s is there", path);
	return true;
}

bool kind_program_absent(const struct probe *probe, const struct control *control,
			 struct detail *detail)
{
	static const char *const FOLDERS[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin",
					       "/usr/local/sbin", "/usr/lib/redoubt" };
	const char *at = control->argument;
	char program[WORD_MAX], path[WORD_MAX + 32];

	/* A machine without /usr/bin is none that was looked at. */
	if (!probe_exists(probe, "/usr/bin"))
		return detail_fails(detail, "there is no /usr/bin to look in");
	while (probe_word(&at, program)) {
		for (size_t i = 0; i < countof(FOLDERS); i++) {
			(void)snprintf(path, sizeof(path), "%s/%s", FOLDERS[i], program);
			if (probe_exists(probe, path))
				return detail_fails(detail, "%s is there", path);
		}
	}
	return true;
}

bool kind_file_mode(const struct probe *probe, const struct control *control, struct detail *detail)
{
	unsigned long most = strtoul(control->expected, nullptr, 8);
	struct stat st;

	if (fstatat(probe->root, control->argument + strspn(control->argument, "/"), &st, 0))
		return detail_fails(detail, "%s: %s", control->argument, strerror(errno));
	return (st.st_mode & 07777 & ~most) == 0 ||
	       detail_fails(detail, "%s has mode %04o", control->argument, st.st_mode & 07777);
}

/* Look for a file below a folder, on the same file system, that gains rights by being run. */
static int find_setuid(int folder, int depth, char found[WORD_MAX]);

static int look_at_entry(int folder, const char *name, dev_t device, int depth,
			 char found[WORD_MAX])
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : neg_errno();
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_ISUID | S_ISGID))) {
		(void)snprintf(found, WORD_MAX, "%.127s", name);
		return 0;
	}
	if (!S_ISDIR(st.st_mode) || st.st_dev != device)
		return 0;
	if (depth >= DEPTH_MAX)
		return -ELOOP;
	int below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return below < 0 ? neg_errno() : find_setuid(below, depth + 1, found);
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by DEPTH_MAX */
static int find_setuid(int folder, int depth, char found[WORD_MAX])
{
	struct stat st;
	DIR *dir = fdopendir(folder);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = neg_errno();
		(void)close(folder);
		return r;
	}
	if (fstat(dirfd(dir), &st))
		r = neg_errno();
	while (!r && !*found && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = look_at_entry(dirfd(dir), entry->d_name, st.st_dev, depth, found);
	(void)closedir(dir);
	return r;
}

bool kind_no_setuid(const struct probe *probe, const struct control *control, struct detail *detail)
{
	const char *path = control->argument + strspn(control->argument, "/");
	char found[WORD_MAX] = "";
	int folder = openat(probe->root, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = folder < 0 ? neg_errno() : find_setuid(folder, 0, found);

	if (r)
		return detail_fails(detail, "%s: %s", control->argument, strerror(-r));
	return !*found || detail_fails(detail, "%s is setuid or setgid", found);
}

/* Read an account file; nullptr with the detail set if it cannot be read. */
static char *accounts(const struct probe *probe, const char *path, struct buf *text,
		      struct detail *detail)
{
	int r = probe_file(probe, path, text);

	if (!r && text->len == 0)
		r = -ENODATA;
	if (!r) {
		buf_add(text, "", 1);
		r = buf_error(text);
	}
	if (!r)
		return (char *)text->data;
	(void)detail_fails(detail, "%s: %s", path, strerror(-r));
	return nullptr;
}

bool kind_no_passwords(const struct probe *probe, const struct control *control,
		       struct detail *detail)
{
	auto_buf struct buf text = buf_make(ACCOUNTS_MAX);
	char *rest = accounts(probe, control->argument, &text, detail);

	if (!rest)
		return false;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		const char *name = strsep(&line, ":");
		const char *password = line ? strsep(&line, ":") : nullptr;

		if (*name && (!password || (*password != '!' && *password != '*')))
			return detail_fails(detail, "%.64s has a password, or needs none", name);
	}
	return true;
}

bool kind_only_root(const struct probe *probe, const struct control *control, struct detail *detail)
{
	auto_buf struct buf text = buf_make(ACCOUNTS_MAX);
	char *rest = accounts(probe, control->argument, &text, detail);

	if (!rest)
		return false;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		const char *name = strsep(&line, ":");
		const char *uid = nullptr;

		for (int i = 0; i < 2 && line; i++)
			uid = strsep(&line, ":");
		if (*name && strcmp(name, "root") != 0 && (!uid || strtoul(uid, nullptr, 10) == 0))
			return detail_fails(detail, "%.64s has uid 0", name);
	}
	return true;
}

bool kind_setting(const struct probe *probe, const struct control *control, struct detail *detail)
{
	auto_buf struct buf text = buf_make(ACCOUNTS_MAX);
	const char *key = strchr(control->argument, ':');
	char path[WORD_MAX];

	if (!key)
		return detail_fails(detail, "the argument is not PATH:KEY");
	(void)snprintf(path, sizeof(path), "%.*s", (int)(key - control->argument),
		       control->argument);
	key++;
	char *rest = accounts(probe, path, &text, detail);

	if (!rest)
		return false;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		size_t len = strlen(key);

		if (strncasecmp(line, key, len) != 0 || (line[len] != ' ' && line[len] != '='))
			continue;
		return strcmp(line + len + 1, control->expected) == 0 ||
		       detail_fails(detail, "%s is %.100s", key, line + len + 1);
	}
	return detail_fails(detail, "%s does not set %s", path, key);
}
