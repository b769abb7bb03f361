/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-worker: root for one job, then gone.
 *
 * The job comes as one frame on the connection that systemd accepted (redoubt-worker.socket,
 * Accept=yes); only redoubt-appliance may connect there. `setup` and `renew` are run by units.
 * It never sees a second job, has no network and no bus.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "appliance/worker/apply.h"
#include "appliance/worker/boot.h"
#include "appliance/worker/config.h"
#include "appliance/worker/files.h"
#include "appliance/worker/jobs.h"
#include "appliance/worker/setup.h"
#include "appliance/worker/stored.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/job.h"
#include "common/sandbox.h"

constexpr int JOB_WAIT_S = 30;
constexpr size_t FIREWALL_MAX = 64 * 1024;

/* The connection the job came by; nullptr stands for none. */
struct connection {
	int fd;
	uint64_t id;
};

static int send_frame(const struct connection *connection, uint16_t type, struct buf *payload)
{
	if (buf_error(payload))
		return buf_error(payload);
	struct msg msg = { .type = type,
			   .id = connection->id,
			   .payload = payload->data,
			   .len = payload->len,
			   .fd = -1 };
	return msg_send(connection->fd, &msg);
}

/* Nobody needs progress to go on: a failure to tell it is not one of the job. */
static void on_progress(void *userdata, unsigned int percent, const char *text)
{
	const struct connection *connection = userdata;
	struct job_progress progress = { .percent = (uint8_t)percent };
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);

	(void)snprintf(progress.text, sizeof(progress.text), "%s", text);
	job_progress_write(&payload, &progress);
	(void)send_frame(connection, JOB_PROGRESS, &payload);
}

/* The connection: passed as descriptor 3 by systemd, or standard input. Returns it or -errno. */
static int find_connection(void)
{
	struct timeval limit = { .tv_sec = JOB_WAIT_S };
	int fd = loop_listen_fd("job", 0);
	int type = 0;
	socklen_t len = sizeof(type);

	if (fd < 0)
		fd = loop_listen_fd("connection", 0); /* systemd's name for an accepted one */
	if (fd < 0)
		fd = STDIN_FILENO;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return neg_errno();
	if (type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return neg_errno();
	return fd;
}

/* Receive the one job. Returns 0, or a negative errno that says what was wrong. */
static int receive_job(struct connection *connection, struct job *job)
{
	auto_free uint8_t *room = malloc(MSG_MAX);
	struct msg in;

	if (!room)
		return -ENOMEM;
	int r = msg_recv(connection->fd, room, &in);
	if (r)
		return r < 0 ? r : r == MSG_AGAIN ? -ETIMEDOUT : -EPROTO;
	if (in.fd >= 0)
		(void)close(in.fd);
	if (in.type != JOB || !job_read(in.payload, in.len, job))
		r = -EPROTO;
	connection->id = in.id;
	explicit_bzero(room, MSG_MAX);
	return r;
}

static int serve(void)
{
	auto_free struct job *job = calloc(1, sizeof(*job));
	auto_free struct job_done *done = calloc(1, sizeof(*done));
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	struct connection connection = { .fd = find_connection() };

	if (!job || !done)
		return -ENOMEM;
	if (connection.fd < 0)
		return connection.fd;
	int r = receive_job(&connection, job);
	if (r)
		return r;

	struct boot boot = { on_progress, &connection, done };
	enum jobs_end end = jobs_run(job, &boot);
	explicit_bzero(job, sizeof(*job));

	job_done_write(&payload, done);
	explicit_bzero(done, sizeof(*done));
	r = send_frame(&connection, JOB_DONE, &payload);
	if (payload.data)
		explicit_bzero(payload.data, payload.len);
	jobs_end(end);
	return r > 0 ? -EPIPE : r;
}

static int run_setup(void)
{
	char text[SETUP_TEXT] = "";
	int r = setup(text);

	if (r)
		log_event(LOG_ERR, EVENT_PROVISION, r, "the volume is not set up", text);
	return r;
}

static int run_folders(void)
{
	char text[SETUP_TEXT] = "";
	int r = setup_folders(text);

	if (r)
		log_event(LOG_ERR, EVENT_PROVISION, r, "the volume's folders are not made",
			  nullptr);
	return r;
}

static int run_renew(void)
{
	char text[SETUP_TEXT] = "";
	int r = setup_renew(text);

	if (r)
		log_event(LOG_ERR, EVENT_TLS, r, "the certificate is not renewed", text);
	return r;
}

static int run_hostname(void)
{
	int r = apply_hostname();

	if (r)
		log_event(LOG_ERR, EVENT_PROVISION, r, "the host is not named", nullptr);
	return r;
}

/* Print what the firewall's sets are to be by the stored configuration: redoubt-check compares. */
static int run_firewall(void)
{
	cleanup(stored_free_at) struct stored *stored = nullptr;
	auto_buf struct buf script = buf_make(FIREWALL_MAX);
	auto_close int state = -1;
	int r = files_open_folder(files_state(), &state);

	if (r == 0)
		r = stored_look(state, &stored);
	if (r == 0 && !stored->sound)
		r = -EBADMSG;
	if (r == 0) {
		apply_firewall_text(&stored->config, &script);
		r = buf_error(&script);
	}
	if (r) {
		(void)fprintf(stderr, "the stored configuration: %s\n",
			      stored && stored->why[0] ? stored->why : strerrordesc_np(-r));
		return r;
	}
	return fwrite(script.data, 1, script.len, stdout) == script.len && fflush(stdout) == 0
		       ? 0
		       : -EIO;
}

/* Whether the configuration on standard input is one that the appliance takes. */
static int run_check_config(void)
{
	auto_free struct config *config = calloc(1, sizeof(*config));
	auto_free char *text = malloc(CONFIG_MAX + 1);
	char why[CONFIG_ERROR];

	if (!config || !text)
		return -ENOMEM;
	int r = config_parse(text, fread(text, 1, CONFIG_MAX + 1, stdin), config, why);
	if (r)
		(void)fprintf(stderr, "%s\n", r > 0 ? why : strerrordesc_np(-r));
	return r;
}

static int self_test(void)
{
	return jobs_self_test() == 0 ? 0 : -EPERM;
}

static int help(void)
{
	(void)puts(
		"usage: redoubt-worker [folders | setup | renew | hostname | firewall | check-config |\n"
		"                       --self-test | --help]\n"
		"\n"
		"Without an argument: do the one job that comes on descriptor 3 or standard input,\n"
		"a SOCK_SEQPACKET connection (common/proto/job.h), and exit.\n"
		"\n"
		"  folders      make the folders on the mounted volume, with their owners\n"
		"  setup        make there what else is missing: keys, certificates, swap\n"
		"  renew        issue the server's certificate anew if it ends within 30 days\n"
		"  firewall     print what the firewall's sets are by the stored configuration\n"
		"  check-config read a configuration; say what is wrong with it, if anything is\n"
		"  --self-test  try what the unit's sandbox forbids; prints TAP\n"
		"\n"
		"REDOUBT_RUN and REDOUBT_STATE name other folders than /run/redoubt and\n"
		"/var/lib/redoubt, for tests; owners and the volume are then left alone.");
	return 0;
}

static const struct {
	const char *argument; /* nullptr: none given */
	int (*run)(void);
} VERBS[] = {
	{ nullptr, serve },
	{ "folders", run_folders },
	{ "setup", run_setup },
	{ "renew", run_renew },
	{ "hostname", run_hostname },
	{ "firewall", run_firewall },
	{ "check-config", run_check_config },
	{ "--self-test", self_test },
	{ "--help", help },
};

static bool is_verb(const char *argument, const char *verb)
{
	return argument && verb ? strcmp(argument, verb) == 0 : argument == verb;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN); /* NOLINT: nothing else to do with it */
	(void)umask(0077);
	for (size_t i = 0; argc <= 2 && i < countof(VERBS); i++) {
		if (!is_verb(argc == 2 ? argv[1] : nullptr, VERBS[i].argument))
			continue;
		int r = VERBS[i].run();
		if (r && VERBS[i].run == serve)
			log_event(LOG_ERR, EVENT_REQUEST_FAILED, r,
				  "the job ended without an answer", nullptr);
		return r ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	(void)fputs("redoubt-worker: unknown arguments; try --help\n", stderr);
	return 64;
}
