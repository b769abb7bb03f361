/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-console: the login shell of everybody who signs in by ssh, and what stands on the machine's own
 * console. Without a command it is the console; with one (-c, as sshd gives it) it runs that verb of
 * redoubt and nothing else.
 */

#include <errno.h>
#include <linux/limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/sandbox.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/session.h"
#include "tui/model/words.h"
#include "tui/screen/screen.h"
#include "tui/view/app.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"

constexpr uint64_t TICK_US = 250'000; /* the app refreshes every two seconds; a wait shows sooner */
constexpr int EXIT_USAGE = 2;

/* The bus and the terminal, both open or about to be, are all that it needs from here on. */
static const struct sandbox SANDBOX = { .calls = SANDBOX_UNIX_SOCKETS | SANDBOX_TERMINAL };

struct console {
	struct loop *loop;
	struct client *client;
	struct screen *screen;
	struct app *app;
	struct grid grid;
	struct loop_source *input, *signals, *tick;
	int signal_fd;
};

static int complain(const char *why, int code)
{
	(void)fprintf(stderr, "redoubt-console: %s\n", why);
	return code;
}

/* --- one verb ---------------------------------------------------------------------------------- */

/* Where redoubt is: beside this program. */
static int find_redoubt(char ret[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", ret, PATH_MAX - sizeof("/redoubt"));
	if (len < 0)
		return neg_errno();

	ret[len] = '\0';
	char *slash = strrchr(ret, '/');
	if (!slash)
		return -ENOENT;
	memcpy(slash, "/redoubt", sizeof("/redoubt"));
	return 0;
}

static int run_verb(const char *line)
{
	static const char *const WHY[] = {
		[WORDS_TOO_LONG] = "the command is too long",
		[WORDS_UNCLOSED] = "a quote or backslash in the command is not closed",
		[WORDS_REFUSED] =
			"this is no shell: ; | & < > ( ) $ ` mean nothing here, put them in quotes",
	};
	struct words words = {};
	char path[PATH_MAX];

	int r = words_split(line, &words);
	if (r > 0)
		return complain(WHY[r], EXIT_USAGE);
	if (r == 0)
		r = find_redoubt(path);
	if (r < 0)
		return complain(strerrordesc_np(-r), EXIT_FAILURE);

	/* `ssh host redoubt status` means the same as `ssh host status`. */
	size_t skip = words.n > 0 && strcmp(words.word[0], "redoubt") == 0;
	auto_free char **argv = calloc(words.n + 2, sizeof(*argv));
	if (argv) {
		argv[0] = strrchr(path, '/') + 1;
		memcpy(argv + 1, words.word + skip, (words.n - skip) * sizeof(*argv));
		(void)execv(path, argv);
	}
	r = neg_errno();
	words_done(&words);
	return complain(strerrordesc_np(-r), EXIT_FAILURE);
}

/* --- the console ------------------------------------------------------------------------------- */

static int send_call(void *userdata, const struct call *call, uint64_t id)
{
	struct console *console = userdata;

	return client_send(console->client, call, id);
}

static void cancel_call(void *userdata, uint64_t id)
{
	struct console *console = userdata;

	client_cancel(console->client, id);
}

static void refresh_screen(struct console *console)
{
	if (app_has_ended(console->app)) {
		loop_end(console->loop, 0);
		return;
	}
	if (!app_is_dirty(console->app))
		return;
	app_draw(console->app, &console->grid);
	screen_paint(console->screen, &console->grid);
}

static void on_reply(void *userdata, uint64_t id, struct reply *reply)
{
	struct console *console = userdata;

	app_reply(console->app, id, reply);
	refresh_screen(console);
}

static void on_changed(void *userdata, enum service service)
{
	struct console *console = userdata;

	app_changed(console->app, service);
	refresh_screen(console);
}

static int on_input(void *userdata, int fd, uint32_t events)
{
	struct console *console = userdata;
	uint32_t key = 0;
	(void)fd;

	while (screen_key(console->screen, &key)) {
		if (key == KEY_CTRL('l'))
			screen_forget(console->screen);
		app_key(console->app, key, clock_mono_us());
	}
	if (events & (EPOLLHUP | EPOLLERR))
		loop_end(console->loop, 0);
	refresh_screen(console);
	return 0;
}

static int resize(struct console *console)
{
	int r = screen_fit(console->screen, &console->grid);
	if (r)
		return r;

	app_draw(console->app, &console->grid);
	screen_paint(console->screen, &console->grid);
	return 0;
}

static int on_signal(void *userdata, int fd, uint32_t events)
{
	struct console *console = userdata;
	struct signalfd_siginfo info;
	(void)events;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGWINCH)
		return resize(console);
	loop_end(console->loop, 0); /* SIGHUP: the terminal is gone */
	return 0;
}

static int on_tick(void *userdata)
{
	struct console *console = userdata;

	app_tick(console->app, clock_mono_us());
	refresh_screen(console);
	return loop_timer_again(console->tick, TICK_US);
}

static int open_signals(struct console *console)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, nullptr) < 0)
		return neg_errno();
	console->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return console->signal_fd < 0 ? neg_errno() : 0;
}

static int listen_to_all(struct console *console)
{
	int r = loop_io(console->loop, STDIN_FILENO, EPOLLIN, on_input, console, &console->input);

	if (r == 0)
		r = loop_io(console->loop, console->signal_fd, EPOLLIN, on_signal, console,
			    &console->signals);
	return r ? r : loop_timer(console->loop, TICK_US, on_tick, console, &console->tick);
}

static int open_app(struct console *console, const struct session *session)
{
	struct app_setup setup = {
		.link = { send_call, cancel_call, console },
		.is_local = session->is_local,
		.fingerprint = session->fingerprint,
		.terminal = session->terminal,
		.connection = session->connection,
		.now_us = clock_mono_us(),
	};

	client_listen(console->client, on_reply, on_changed, console);
	int r = app_new(&setup, &console->app);
	return r ? r : resize(console);
}

/* Give everything back, in the reverse order. */
static void done(struct console *console)
{
	console->tick = loop_source_free(console->tick);
	console->signals = loop_source_free(console->signals);
	console->input = loop_source_free(console->input);
	console->app = app_free(console->app);
	grid_done(&console->grid);
	console->screen = screen_close(console->screen);
	console->client = client_free(console->client);
	console->loop = loop_free(console->loop);
	close_at(&console->signal_fd);
}

static int run(struct console *console, const struct session *session)
{
	int r = open_signals(console); /* first: no thread or library must have them unblocked */

	if (r == 0)
		r = loop_new(&console->loop);
	if (r == 0)
		r = client_new(console->loop, &console->client);
	if (r == 0)
		r = screen_open(session->utf8, &console->screen);
	if (r == 0)
		r = sandbox_enter(&SANDBOX);
	if (r == 0)
		r = open_app(console, session);
	if (r == 0)
		r = listen_to_all(console);
	return r ? r : loop_run(console->loop, "console");
}

static int run_console(void)
{
	static struct console console = { .signal_fd = -1 };
	struct session session;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return complain("the console needs a terminal (ssh -t); without one give a verb: "
				"ssh HOST status",
				EXIT_USAGE);
	session_find(&session);
	int r = run(&console, &session);
	console.app =
		app_free(console.app); /* before the terminal goes back: nothing stays on it */
	console.screen = screen_close(console.screen);
	/* The session ends with the connection: accounts sees it go, and records it. */
	done(&console);
	if (r == SCREEN_UNFIT)
		return complain("this terminal cannot show the console (TERM); give a verb: "
				"ssh HOST status",
				EXIT_USAGE);
	return r < 0 ? complain(strerrordesc_np(-r), EXIT_FAILURE) : EXIT_SUCCESS;
}

static int self_test(void)
{
	static const struct sandbox_trial OWN[] = {
		{ "make an internet socket", sandbox_try_inet_socket },
		{ "start a program", sandbox_try_exec },
	};

	return sandbox_enter(&SANDBOX) == 0 ? sandbox_self_test(OWN, countof(OWN)) : EXIT_FAILURE;
}

static int usage(void)
{
	return printf("usage: redoubt-console            the console, on a terminal\n"
		      "       redoubt-console -c 'VERB'   run one verb of redoubt\n") > 0
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct rlimit none = {};

	(void)umask(0077);
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return complain(strerrordesc_np(errno), EXIT_FAILURE);
	if (argc <= 1)
		return run_console();
	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		return run_verb(argv[2]);
	if (argc == 2 && strcmp(argv[1], "--self-test") == 0)
		return self_test();
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage();
	return complain("this is no shell; it takes -c 'VERB', or nothing", EXIT_USAGE);
}
