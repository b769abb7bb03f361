/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"

static const char BETWEEN[] = " ,\t\n";

/* Append all that a descriptor gives. */
static int read_all(int fd, struct buf *ret)
{
	for (;;) {
		char chunk[4096];
		ssize_t got = read(fd, chunk, sizeof(chunk));

		if (got < 0)
			return neg_errno();
		if (got == 0)
			return buf_error(ret);
		buf_add(ret, chunk, (size_t)got);
		if (buf_error(ret))
			return buf_error(ret);
	}
}

/* A path as openat(2) below the root wants it. */
static const char *below(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

int probe_file(const struct probe *probe, const char *path, struct buf *ret)
{
	auto_close int fd =
		openat(probe->root, below(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return neg_errno();
	return read_all(fd, ret);
}

int probe_text(const struct probe *probe, const char *path, char *ret, size_t room)
{
	auto_buf struct buf text = buf_make(room);
	int r = probe_file(probe, path, &text);

	if (r)
		return r;
	size_t len = text.len;

	while (len > 0 && strchr(BETWEEN, text.data[len - 1]))
		len--;
	if (len >= room)
		return -EMSGSIZE;
	if (len > 0)
		memcpy(ret, text.data, len);
	ret[len] = '\0';
	return 0;
}

bool probe_exists(const struct probe *probe, const char *path)
{
	struct stat st;

	return fstatat(probe->root, below(path), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool probe_word(const char **at, char ret[WORD_MAX])
{
	const char *word = *at + strspn(*at, BETWEEN);
	size_t len = strcspn(word, BETWEEN);
	size_t kept = len < WORD_MAX ? len : WORD_MAX - 1;

	*at = word + len;
	memcpy(ret, word, kept);
	ret[kept] = '\0';
	return len > 0;
}

bool probe_has_word(const char *list, const char *word)
{
	char each[WORD_MAX];

	while (probe_word(&list, each))
		if (strcmp(each, word) == 0)
			return true;
	return false;
}

/* Read one line of a mount table. Source: proc_pid_mountinfo(5). */
static bool mount_line(const char *line, const char *path, struct probe_mount *ret)
{
	char at[WORD_MAX], word[WORD_MAX], options[WORD_MAX], device[WORD_MAX];

	/* id, parent, device, root, mount point, options, optional fields, "-", type, source, options */
	if (!probe_word(&line, word) || !probe_word(&line, word) || !probe_word(&line, device) ||
	    !probe_word(&line, word) || !probe_word(&line, at) || strcmp(at, path) != 0)
		return false;
	line += strspn(line, " ");
	size_t len = strcspn(line, " ");

	(void)snprintf(options, sizeof(options), "%.*s", (int)len, line);
	line = strstr(line + len, " - ");
	if (!line)
		return false;
	line += 3;
	if (!probe_word(&line, word))
		return false;
	(void)snprintf(ret->type, sizeof(ret->type), "%.31s", word);
	(void)snprintf(ret->device, sizeof(ret->device), "%.31s", device);
	if (!probe_word(&line, word)) /* the source */
		return false;
	line += strspn(line, " ");
	(void)snprintf(ret->options, sizeof(ret->options), "%s,%.127s", options, line);
	return true;
}

int probe_mount(const struct probe *probe, const char *path, struct probe_mount *ret)
{
	auto_buf struct buf text = buf_make(PROBE_FILE_MAX);
	bool found = false;
	int r;

	if (probe->mountinfo >= 0) {
		r = lseek(probe->mountinfo, 0, SEEK_SET) < 0 ? neg_errno()
							     : read_all(probe->mountinfo, &text);
	} else {
		r = probe_file(probe, "/proc/1/mountinfo", &text);
	}
	if (r)
		return r;
	buf_add(&text, "", 1);
	if (buf_error(&text))
		return buf_error(&text);

	char *rest = (char *)text.data;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		found |= mount_line(line, path, ret);
	return found ? 0 : -ENOENT;
}

/* Start a program whose output goes to a descriptor; positive error number or 0. */
static int start(const char *const *argv, int output, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	char *const environment[] = { (char[]) { "PATH=/usr/sbin:/usr/bin" }, nullptr };
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (!r)
		r = posix_spawn(ret, argv[0], &actions, nullptr, (char *const *)(uintptr_t)argv,
				environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

int probe_run(const char *const *argv, struct buf *output)
{
	/* A file in memory rather than a pipe: the program never waits for us to read. */
	auto_close int file = memfd_create("output", MFD_CLOEXEC);
	pid_t pid = -1;
	int status = 0;

	if (file < 0)
		return neg_errno();
	int r = start(argv, file, &pid);

	if (r)
		return -r;
	if (waitpid(pid, &status, 0) < 0 || lseek(file, 0, SEEK_SET) < 0)
		return neg_errno();
	r = read_all(file, output);
	if (r)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
