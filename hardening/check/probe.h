/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * probe: how the checks look at the machine. Everything goes through here, so that a test can give
 * them a machine of its own: a folder with the files they would read.
 *
 * Layer 2 (hardening/check). Trust: what is read is only compared, and cut where it is long.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t PROBE_FILE_MAX = 4 * 1024 * 1024;
constexpr size_t WORD_MAX = 128;

struct probe {
	int root;      /* folder that stands for /; borrowed */
	int mountinfo; /* process 1's /proc/PID/mountinfo, opened; or -1 to open it below root */
	/* Run a program and append what it prints; returns its exit status or -errno. */
	int (*run)(const char *const *argv, struct buf *output);
};

/*
 * Append a file's text.
 *
 * path  from the root, with a leading /; links in it are followed
 *
 * Returns 0, -ENOMEM, -EMSGSIZE if it is longer than buf takes, or another -errno.
 */
[[nodiscard]] int probe_file(const struct probe *probe, const char *path, struct buf *ret);

/*
 * Read a small file's text without blanks at its end.
 *
 * Returns 0, -EMSGSIZE if it does not fit, or another -errno.
 */
[[nodiscard]] int probe_text(const struct probe *probe, const char *path, char *ret, size_t room);

/* Whether there is something at a path; a dangling link counts too. */
[[nodiscard]] bool probe_exists(const struct probe *probe, const char *path);

/*
 * The next word of a list with blanks, commas or newlines between.
 *
 * at   where to go on; moved behind the word
 * ret  the word, cut at WORD_MAX - 1
 *
 * Returns whether there was one.
 */
[[nodiscard]] bool probe_word(const char **at, char ret[WORD_MAX]);

/* Whether a list has a word. */
[[nodiscard]] bool probe_has_word(const char *list, const char *word);

/* What a mount table says of the file system at a path. */
struct probe_mount {
	char options[256]; /* of the mount and of the file system, with commas between */
	char type[32];
	char device[32]; /* "253:0" */
};

/*
 * Find the file system mounted at a path; the last of several wins.
 *
 * Returns 0, -ENOENT if nothing is mounted there, or another -errno.
 */
[[nodiscard]] int probe_mount(const struct probe *probe, const char *path, struct probe_mount *ret);

/* Run a program for real: no shell, nothing on its standard input. For struct probe. */
[[nodiscard]] int probe_run(const char *const *argv, struct buf *output);
