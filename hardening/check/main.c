/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-check: look whether every hardening control holds on this machine.
 *
 * Plainly called it asks the check service (redoubt-check.socket), because whoever calls may sit in a
 * sandbox that hides what is to be looked at; --here looks from where it stands. It changes nothing.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "hardening/check/control.h"
#include "hardening/check/kinds.h"
#include "hardening/check/probe.h"

static const char CONTROLS[] = "/usr/share/redoubt/controls.tsv";
constexpr size_t LINE_MAX_BYTES = 4096; /* one control's line of output */

enum {
	EXIT_HOLDS = 0,
	EXIT_FAILS = 1,
	EXIT_USAGE = 2
};

struct result {
	const struct control *control;
	size_t number; /* from 1 */
	bool holds;
	const char *detail;
};

typedef void print_fn(const struct result *result, struct buf *line);

static void print_json(const struct result *result, struct buf *line)
{
	const char *const pairs[][2] = {
		{ "{\"id\":", result->control->id },
		{ ",\"title\":", result->control->title },
		{ ",\"result\":", result->holds ? "pass" : "fail" },
		{ ",\"detail\":", result->detail },
	};

	for (size_t i = 0; i < countof(pairs); i++) {
		buf_add_str(line, pairs[i][0]);
		buf_add_json(line, pairs[i][1], strlen(pairs[i][1]));
	}
	buf_add_str(line, "}");
}

static void print_tap(const struct result *result, struct buf *line)
{
	buf_addf(line, "%s %zu - %s %s", result->holds ? "ok" : "not ok", result->number,
		 result->control->id, result->control->title);
	if (!result->holds)
		buf_addf(line, "\n# %s", result->detail);
}

static void print_tsv(const struct result *result, struct buf *line)
{
	buf_addf(line, "%s\t%s\t%s\t%s", result->control->id, result->holds ? "pass" : "fail",
		 result->control->title, result->detail);
}

/* Read the table; nullptr after saying why. The text belongs to buf. */
static char *read_controls(const char *path, struct buf *text)
{
	struct probe here = { .root = AT_FDCWD };
	auto_close int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (*path == '/')
		here.root = folder;
	int r = probe_file(&here, path, text);

	if (!r) {
		buf_add(text, "", 1);
		r = buf_error(text);
	}
	if (!r)
		return (char *)text->data;
	(void)fprintf(stderr, "redoubt-check: the controls cannot be read from %s: %s\n", path,
		      strerror(-r));
	return nullptr;
}

/* Print one line; whether that worked. */
static bool put_line(const struct result *result, print_fn *print)
{
	auto_buf struct buf line = buf_make(LINE_MAX_BYTES);

	print(result, &line);
	const char *text = buf_text(&line);

	return text && puts(text) != EOF;
}

/* The descriptor that the unit passes in under a name, or -1. */
static int passed_descriptor(const char *name)
{
	char **names = nullptr;
	int n = sd_listen_fds_with_names(1, &names);
	int found = -1;

	for (int i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			found = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	return found;
}

/* Check every control of the table and print a line for each. */
static int check_here(const char *path, print_fn *print)
{
	auto_close int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct probe probe = { .root = root,
			       .mountinfo = passed_descriptor("mountinfo"),
			       .run = probe_run };
	auto_buf struct buf text = buf_make(CONTROLS_TEXT_MAX);
	char *at = read_controls(path, &text);
	struct control control;
	struct result result = { .control = &control };
	int status = EXIT_HOLDS, r;

	if (!at)
		return EXIT_FAILS;
	while ((r = control_next(&at, &control)) == CONTROL_OK) {
		struct detail detail;
		char looked_at[DETAIL_MAX];

		result.number++;
		result.holds = kind_holds(&probe, &control, &detail);
		(void)snprintf(looked_at, sizeof(looked_at), "%s %s: %s", control.kind,
			       control.argument, control.expected);
		result.detail = result.holds ? looked_at : detail.text;
		if (!result.holds)
			status = EXIT_FAILS;
		if (!put_line(&result, print))
			return EXIT_FAILS;
	}
	if (print == print_tap)
		printf("1..%zu\n", result.number);
	if (r == CONTROL_BROKEN)
		(void)fprintf(stderr,
			      "redoubt-check: %s: control %zu is not six fields between tabs\n",
			      path, result.number + 1);
	return r == CONTROL_BROKEN || result.number == 0 ? EXIT_FAILS : status;
}

/* Print the table itself: what is checked, how and why. */
static int list_controls(const char *path)
{
	auto_buf struct buf text = buf_make(CONTROLS_TEXT_MAX);
	char *at = read_controls(path, &text);
	struct control control;
	int r;

	if (!at)
		return EXIT_FAILS;
	while ((r = control_next(&at, &control)) == CONTROL_OK)
		printf("%s  %s\n    %s %s: %s\n    %s\n", control.id, control.title, control.kind,
		       control.argument, control.expected, control.reason);
	return r == CONTROL_END ? EXIT_HOLDS : EXIT_FAILS;
}

/* Connect to the check service. Returns the descriptor or -errno. */
static int connect_to_service(void)
{
	const char *run = getenv("REDOUBT_RUN");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/check.sock",
			 run ? run : "/run/redoubt");

	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return neg_errno();
	int connected = fd;

	fd = -1;
	return connected;
}

/* Copy what the check service answers. */
static int ask_service(void)
{
	int fd = connect_to_service();
	FILE *from = fd < 0 ? nullptr : fdopen(fd, "re");
	char line[LINE_MAX_BYTES];
	size_t lines = 0;
	int status = EXIT_HOLDS;

	if (!from) {
		(void)fprintf(
			stderr,
			"redoubt-check: the check service does not answer (%s); --here checks without it\n",
			strerror(fd < 0 ? -fd : errno));
		if (fd >= 0)
			(void)close(fd);
		return EXIT_FAILS;
	}
	for (; fgets(line, sizeof(line), from); lines++) {
		if (!strstr(line, ",\"result\":\"pass\","))
			status = EXIT_FAILS;
		(void)fputs(line, stdout);
	}
	(void)fclose(from);
	return lines > 0 ? status : EXIT_FAILS;
}

static void print_help(void)
{
	puts("redoubt-check - look whether every hardening control holds\n"
	     "\n"
	     "  redoubt-check                 ask the check service; one JSON object a line\n"
	     "  redoubt-check --here          look from this process, without the service\n"
	     "  redoubt-check --tap | --tsv   the same in another form\n"
	     "  redoubt-check --list          what is checked, how and why\n"
	     "  redoubt-check --kinds         the kinds of checks a control can use\n"
	     "\n"
	     "  --controls FILE   another table than /usr/share/redoubt/controls.tsv\n"
	     "\n"
	     "The exit status is 0 if all controls hold, 1 if one does not, 2 for wrong usage.");
}

static int list_kinds(void)
{
	for (size_t i = 0; i < KINDS_COUNT; i++)
		printf("%-16s %s\n", KINDS[i].name, KINDS[i].help);
	return EXIT_HOLDS;
}

int main(int argc, char **argv)
{
	static const struct option OPTIONS[] = {
		{ "here", no_argument, nullptr, 'j' },
		{ "tap", no_argument, nullptr, 't' },
		{ "tsv", no_argument, nullptr, 's' },
		{ "list", no_argument, nullptr, 'l' },
		{ "kinds", no_argument, nullptr, 'k' },
		{ "controls", required_argument, nullptr, 'c' },
		{ "help", no_argument, nullptr, 'h' },
		{},
	};
	const char *controls = CONTROLS;
	int what = 'a';

	for (int option; (option = getopt_long(argc, argv, "", OPTIONS, nullptr)) != -1;) {
		if (option == 'c')
			controls = optarg;
		else if (option == '?')
			return EXIT_USAGE;
		else
			what = option;
	}
	if (optind != argc) {
		(void)fprintf(stderr, "redoubt-check: %s is not an option; see --help\n",
			      argv[optind]);
		return EXIT_USAGE;
	}
	switch (what) {
	case 'j':
		return check_here(controls, print_json);
	case 't':
		return check_here(controls, print_tap);
	case 's':
		return check_here(controls, print_tsv);
	case 'l':
		return list_controls(controls);
	case 'k':
		return list_kinds();
	case 'h':
		print_help();
		return EXIT_HOLDS;
	default:
		return ask_service();
	}
}
