/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/kinds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "hardening/check/control.h"
#include "hardening/check/probe.h"

constexpr size_t CMDLINE_MAX = 4096; /* the kernel's COMMAND_LINE_SIZE is 2048 */
constexpr size_t VALUE_MAX = 1024;

/*
 * Find OPTION or OPTION=VALUE on the command line; the last one counts, as for the kernel. Only
 * what comes before "--" is the kernel's.
 *
 * Returns whether it is there; *ret is its value, "" if it has none.
 */
static bool find_option(const char *line, const char *option, char ret[WORD_MAX])
{
	size_t len = strlen(option);
	char word[WORD_MAX];
	bool found = false;

	for (const char *at = line; *at;) {
		at += strspn(at, " \t\n");
		size_t word_len = strcspn(at, " \t\n");

		(void)snprintf(word, sizeof(word), "%.*s", (int)word_len, at);
		at += word_len;
		if (strcmp(word, "--") == 0)
			break;
		if (strncmp(word, option, len) != 0 || (word[len] != '\0' && word[len] != '='))
			continue;
		(void)snprintf(ret, WORD_MAX, "%s", word[len] ? word + len + 1 : "");
		found = true;
	}
	return found;
}

bool kind_cmdline(const struct probe *probe, const struct control *control, struct detail *detail)
{
	char line[CMDLINE_MAX], value[WORD_MAX];
	int r = probe_text(probe, "/proc/cmdline", line, sizeof(line));

	if (r)
		return detail_fails(detail, "/proc/cmdline: %s", strerror(-r));
	if (!find_option(line, control->argument, value))
		return detail_fails(detail, "%s is not on the command line", control->argument);
	return strcmp(value, control->expected) == 0 ||
	       detail_fails(detail, "%s is %s", control->argument, value);
}

bool kind_sysctl(const struct probe *probe, const struct control *control, struct detail *detail)
{
	char path[WORD_MAX], value[VALUE_MAX];

	(void)snprintf(path, sizeof(path), "/proc/sys/%s", control->argument);
	for (char *at = path + strlen("/proc/sys/"); *at; at++)
		if (*at == '.')
			*at = '/';
	int r = probe_text(probe, path, value, sizeof(value));

	if (r)
		return detail_fails(detail, "%s: %s", path, strerror(-r));
	return strcmp(value, control->expected) == 0 ||
	       detail_fails(detail, "%s is %s", control->argument, value);
}

bool kind_word(const struct probe *probe, const struct control *control, struct detail *detail)
{
	char value[VALUE_MAX];
	int r = probe_text(probe, control->argument, value, sizeof(value));

	if (r)
		return detail_fails(detail, "%s: %s", control->argument, strerror(-r));
	return probe_has_word(value, control->expected) ||
	       detail_fails(detail, "%s says %s", control->argument, value);
}

bool kind_equals(const struct probe *probe, const struct control *control, struct detail *detail)
{
	char value[VALUE_MAX];
	int r = probe_text(probe, control->argument, value, sizeof(value));

	if (r)
		return detail_fails(detail, "%s: %s", control->argument, strerror(-r));
	return strcmp(value, control->expected) == 0 ||
	       detail_fails(detail, "%s says %s", control->argument, value);
}

/* Whether a list of modules, one a line, the name first or behind the last /, has a module. */
static bool lists_module(const char *list, const char *module)
{
	size_t len = strlen(module);

	for (const char *at = strstr(list, module); at; at = strstr(at + 1, module)) {
		bool starts = at == list || at[-1] == '\n' || at[-1] == '/';

		if (starts && (at[len] == ' ' || strncmp(at + len, ".ko", 3) == 0))
			return true;
	}
	return false;
}

/* Append the index of the image's modules; they are in the one folder below /usr/lib/modules. */
static int installed_modules(const struct probe *probe, struct buf *ret)
{
	int fd = openat(probe->root, "usr/lib/modules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? nullptr : fdopendir(fd);
	const struct dirent *entry;
	char path[512];
	int r = dir ? 0 : neg_errno();

	if (!dir && fd >= 0)
		(void)close(fd);
	if (!dir)
		return r;
	while (!r && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/usr/lib/modules/%s/modules.dep",
			       entry->d_name);
		r = probe_file(probe, path, ret);
	}
	(void)closedir(dir);
	return r;
}

bool kind_module_absent(const struct probe *probe, const struct control *control,
			struct detail *detail)
{
	auto_buf struct buf lists = buf_make(PROBE_FILE_MAX);
	const char *at = control->argument;
	char module[WORD_MAX];

	int r = probe_file(probe, "/proc/modules", &lists);

	if (!r)
		r = installed_modules(probe, &lists);
	const char *text = buf_text(&lists);

	if (r || !text)
		return detail_fails(detail, "the lists of modules: %s", strerror(r ? -r : ENOMEM));
	while (probe_word(&at, module))
		if (lists_module(text, module))
			return detail_fails(detail, "%s is there", module);
	return true;
}

bool kind_efi_variable(const struct probe *probe, const struct control *control,
		       struct detail *detail)
{
	auto_buf struct buf value = buf_make(64);
	char path[512], seen[4];

	(void)snprintf(path, sizeof(path), "/sys/firmware/efi/efivars/%s", control->argument);
	int r = probe_file(probe, path, &value);

	if (r)
		return detail_fails(detail, "%.160s: %s", path, strerror(-r));
	if (value.len != 5) /* four bytes of attributes, then the value. Source: efivarfs */
		return detail_fails(detail, "%.160s has %zu bytes", path, value.len);
	(void)snprintf(seen, sizeof(seen), "%u", value.data[4]);
	return strcmp(seen, control->expected) == 0 ||
	       detail_fails(detail, "%.160s is %s", control->argument, seen);
}

bool kind_dm(const struct probe *probe, const struct control *control, struct detail *detail)
{
	struct probe_mount mount;
	char path[512], uuid[VALUE_MAX];
	int r = probe_mount(probe, control->argument, &mount);

	if (r)
		return detail_fails(detail, "%s: %s", control->argument, strerror(-r));
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%s/dm/uuid", mount.device);
	r = probe_text(probe, path, uuid, sizeof(uuid));
	if (r)
		return detail_fails(detail, "%s is not on a device-mapper device (%s: %s)",
				    control->argument, path, strerror(-r));
	return strncmp(uuid, control->expected, strlen(control->expected)) == 0 ||
	       detail_fails(detail, "%s is on %.100s", control->argument, uuid);
}

bool kind_swap(const struct probe *probe, const struct control *control, struct detail *detail)
{
	auto_buf struct buf text = buf_make(VALUE_MAX * 8);
	int r = probe_file(probe, "/proc/swaps", &text);
	const char *at = r ? nullptr : buf_text(&text);

	if (!at)
		return detail_fails(detail, "/proc/swaps: %s", strerror(r ? -r : ENOMEM));
	at += strcspn(at, "\n"); /* the heading */
	while (*at) {
		at += *at == '\n';
		if (*at && strncmp(at, control->argument, strlen(control->argument)) != 0)
			return detail_fails(detail, "swap on %.*s", (int)strcspn(at, " \n"), at);
		at += strcspn(at, "\n");
	}
	return true;
}
