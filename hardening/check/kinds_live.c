/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/kinds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "hardening/check/control.h"
#include "hardening/check/probe.h"

constexpr size_t TABLE_MAX = 1024 * 1024;
constexpr size_t STATUS_MAX = 4 * 1024; /* about 1.5 KiB in practice */

/* The kernel's tables of sockets, and the state in them that means "takes packets from anybody". */
struct socket_table {
	const char *protocol, *path;
	unsigned long
		state; /* tcp: 0A LISTEN; udp: 07 not connected. Source: include/net/tcp_states.h */
};

static const struct socket_table SOCKET_TABLES[] = {
	{ "tcp", "/proc/net/tcp", 0x0a },
	{ "tcp", "/proc/net/tcp6", 0x0a },
	{ "udp", "/proc/net/udp", 0x07 },
	{ "udp", "/proc/net/udp6", 0x07 },
};

/* The local port of a line "  0: 00000000:0016 00000000:0000 0A …", or 0 if it is in another state. */
static unsigned long open_port(const char *line, unsigned long state)
{
	const char *port = strchr(line, ':');

	port = port ? strchr(port + 1, ':') : nullptr;
	const char *after = port ? strchr(port + 1, ':') : nullptr;

	after = after ? strchr(after, ' ') : nullptr;
	if (!after || strtoul(after, nullptr, 16) != state)
		return 0;
	return strtoul(port + 1, nullptr, 16);
}

/* Look through one table; whether each open port is allowed. Counts them. */
static bool table_holds(char *rest, const struct socket_table *table, const char *allowed,
			size_t *count, struct detail *detail)
{
	char port[24];

	(void)strsep(&rest, "\n"); /* the heading */
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		unsigned long number = open_port(line, table->state);

		if (number == 0)
			continue;
		(void)snprintf(port, sizeof(port), "%lu", number);
		if (!probe_has_word(allowed, port))
			return detail_fails(detail, "%s port %s is open", table->protocol, port);
		(*count)++;
	}
	return true;
}

bool kind_listen(const struct probe *probe, const struct control *control, struct detail *detail)
{
	size_t count = 0, tables = 0;

	for (size_t i = 0; i < countof(SOCKET_TABLES); i++) {
		const struct socket_table *table = &SOCKET_TABLES[i];
		auto_buf struct buf text = buf_make(TABLE_MAX);

		if (strcmp(table->protocol, control->argument) != 0)
			continue;
		tables++;
		int r = probe_file(probe, table->path, &text);

		buf_add(&text, "", 1);
		if (r || buf_error(&text))
			return detail_fails(detail, "%s: %s", table->path,
					    strerror(r ? -r : ENOMEM));
		if (!table_holds((char *)text.data, table, control->expected, &count, detail))
			return false;
	}
	if (tables == 0)
		return detail_fails(detail, "there is no protocol %s", control->argument);
	/* An empty table is another network namespace's: the appliance always listens for TCP. */
	return count > 0 || strcmp(control->argument, "udp") == 0 ||
	       detail_fails(detail, "nothing listens: is this the machine's own network?");
}

/* List a chain as text; false with the detail set if nft does not. */
static bool list_chain(const struct probe *probe, const char *chain, struct buf *ret,
		       struct detail *detail)
{
	const char *const argv[] = { "/usr/sbin/nft", "list", "chain", "inet",
				     "redoubt",	      chain,  nullptr };
	int r = probe->run(argv, ret);
	const char *text = buf_text(ret);

	if (r == 0 && text)
		return true;
	return detail_fails(detail, "nft list chain inet redoubt %s: %.100s", chain,
			    r < 0  ? strerror(-r)
			    : text ? text
				   : "out of memory");
}

bool kind_nft_policy(const struct probe *probe, const struct control *control,
		     struct detail *detail)
{
	auto_buf struct buf text = buf_make(TABLE_MAX);
	char hook[WORD_MAX], policy[WORD_MAX];

	if (!list_chain(probe, control->argument, &text, detail))
		return false;
	(void)snprintf(hook, sizeof(hook), "hook %.64s ", control->argument);
	(void)snprintf(policy, sizeof(policy), "policy %.64s;", control->expected);
	const char *line = strstr(buf_text(&text), hook);

	return (line && strstr(line, policy)) ||
	       detail_fails(detail, "the chain %s is not %s", control->argument, policy);
}

bool kind_nft_rule(const struct probe *probe, const struct control *control, struct detail *detail)
{
	auto_buf struct buf text = buf_make(TABLE_MAX);

	if (!list_chain(probe, control->argument, &text, detail))
		return false;
	return strstr(buf_text(&text), control->expected) ||
	       detail_fails(detail, "the chain %s has no \"%s\"", control->argument,
			    control->expected);
}

/* The value of a line "Key:\tvalue" in /proc/PID/status; the first word of it. */
static bool status_value(const char *status, const char *key, char ret[WORD_MAX])
{
	size_t len = strlen(key);

	for (const char *at = status; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, key, len) == 0 && at[len] == ':') {
			const char *value = at + len + 1;

			return probe_word(&value, ret);
		}
	}
	return false;
}

/* Whether a process has all the values "Key=value" of a list. */
static bool process_holds(const struct probe *probe, const char *pid, const char *expected,
			  struct detail *detail)
{
	char path[64], status[STATUS_MAX], pair[WORD_MAX], value[WORD_MAX];

	(void)snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	int r = probe_text(probe, path, status, sizeof(status));

	if (r)
		return detail_fails(detail, "%s: %s", path, strerror(-r));
	while (probe_word(&expected, pair)) {
		char *want = strchr(pair, '=');

		if (!want)
			return detail_fails(detail, "%s is not KEY=VALUE", pair);
		*want++ = '\0';
		if (!status_value(status, pair, value))
			return detail_fails(detail, "%s has no %s", path, pair);
		if (strcmp(value, want) != 0)
			return detail_fails(detail, "process %.20s has %s %s, not %s", pid, pair,
					    value, want);
	}
	return true;
}

/* Whether a process belongs to a unit, by its control group "0::/system.slice/UNIT". */
static bool belongs(const struct probe *probe, const char *pid, const char *unit)
{
	char path[64], group[1024];

	(void)snprintf(path, sizeof(path), "/proc/%.20s/cgroup", pid);
	if (probe_text(probe, path, group, sizeof(group)))
		return false; /* it has ended, or is not ours to see: then nothing is counted */
	const char *name = strrchr(group, '/');

	return name && strcmp(name + 1, unit) == 0;
}

bool kind_unit(const struct probe *probe, const struct control *control, struct detail *detail)
{
	int fd = openat(probe->root, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? nullptr : fdopendir(fd);
	const struct dirent *entry;
	size_t processes = 0;
	bool holds = true;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return detail_fails(detail, "/proc: %s", strerror(errno));
	}
	while (holds && (entry = readdir(dir))) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) ||
		    !belongs(probe, entry->d_name, control->argument))
			continue;
		processes++;
		holds = process_holds(probe, entry->d_name, control->expected, detail);
	}
	(void)closedir(dir);
	if (!holds)
		return false;
	return processes > 0 || detail_fails(detail, "%s has no process", control->argument);
}
