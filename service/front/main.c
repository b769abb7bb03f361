/* SPDX-License-Identifier: Apache-2.0 */

/* redoubt-front: HTTPS in, questions to accounts and engine, answers out. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proto/execute.h"
#include "common/sandbox.h"
#include "common/secret.h"
#include "service/front/acceptors.h"
#include "service/front/conn.h"
#include "service/front/credit.h"
#include "service/front/front.h"
#include "service/front/notify.h"
#include "service/front/peers.h"
#include "service/front/routes.h"
#include "service/tls/tls.h"

/* No files, no paths, no new sockets, no programs: memory for bodies is all it may make. */
static const struct sandbox SANDBOX = { .calls = SANDBOX_MEMFD };

static const char USAGE[] =
	"usage: redoubt-front [--self-test | --help]\n"
	"\n"
	"Serves the HTTPS API. Started by systemd, which passes in the listening sockets\n"
	"(FileDescriptorName https, http, accounts, engine, appliance) and the credentials\n"
	"tls.crt and tls.key. Without them it serves under a throw-away certificate.\n"
	"\n"
	"  --self-test  enter the sandbox, try what it forbids, print TAP, and exit\n"
	"  --help       print this and exit\n";

/* --- self-test ---------------------------------------------------------------------------- */

static bool read_data(void)
{
	return sandbox_try_read("/var/lib/redoubt/engine") ||
	       sandbox_try_read("/var/lib/redoubt/accounts") ||
	       sandbox_try_read("/var/lib/redoubt/audit");
}

static bool read_key_file(void)
{
	return sandbox_try_read("/var/lib/redoubt/tls/key.pem");
}

static bool read_any_file(void)
{
	return sandbox_try_read("/etc/hostname") || sandbox_try_read("/etc/passwd") ||
	       sandbox_try_read("/proc/self/status") || sandbox_try_read("/");
}

static bool write_any_file(void)
{
	static const char *const PATHS[] = { "/tmp/redoubt-self-test", "/var/tmp/redoubt-self-test",
					     "/run/redoubt/self-test",
					     "/dev/shm/redoubt-self-test" };
	bool made = false;

	for (size_t i = 0; i < countof(PATHS); i++) {
		auto_close int fd = open(PATHS[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		made |= fd >= 0;
	}
	return made;
}

static int self_test(void)
{
	static const struct sandbox_trial TRIALS[] = {
		{ "make a network socket", sandbox_try_inet_socket },
		{ "make a local socket", sandbox_try_unix_socket },
		{ "start a program", sandbox_try_exec },
		{ "read customers' data, accounts or the ledger", read_data },
		{ "read the TLS key's file", read_key_file },
		{ "read any file at all", read_any_file },
		{ "write any file at all", write_any_file },
	};

	int r = sandbox_enter(&SANDBOX);
	if (r < 0) {
		printf("Bail out! the sandbox cannot be entered\n");
		return 1;
	}
	return sandbox_self_test(TRIALS, countof(TRIALS));
}

/* --- start -------------------------------------------------------------------------------- */

/* Read a credential that systemd passed in. Returns 0, or -ENOENT if it is absent or an empty line, as the unit sets it. */
static int read_credential(const char *name, struct secret *ret, size_t *ret_len)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (!folder)
		return -ENOENT;
	auto_close int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return neg_errno();
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return neg_errno();

	int r = secret_init(ret, TLS_PEM_MAX);
	if (r)
		return r;
	*ret_len = 0;
	while (*ret_len < TLS_PEM_MAX) {
		ssize_t got = read(fd, ret->data + *ret_len, TLS_PEM_MAX - *ret_len);

		if (got < 0 && errno != EINTR)
			return neg_errno();
		if (got == 0)
			return *ret_len > 1 ? 0 : -ENOENT;
		*ret_len += got > 0 ? (size_t)got : 0;
	}
	return -EFBIG;
}

/* Load the certificate, or make one for the time being. */
static int load_certificate(struct front *front)
{
	auto_secret struct secret chain = {}, key = {};
	size_t chain_len = 0, key_len = 0;

	int r = read_credential("tls.crt", &chain, &chain_len);
	if (r == 0)
		r = read_credential("tls.key", &key, &key_len);
	if (r == 0)
		r = tls_server_new(chain.data, chain_len, key.data, key_len, &front->tls);
	if (r == 0)
		return 0;

	front->certificate_absent = r == -ENOENT;
	log_event(front->certificate_absent ? LOG_NOTICE : LOG_ERR, EVENT_TLS, r,
		  "no certificate could be loaded, a throw-away one stands in", nullptr);
	return tls_server_new_throwaway(&front->tls);
}

/* Get as many descriptors as we may, and take on no more connections than they suffice for. */
static void size_by_descriptors(struct front *front)
{
	constexpr rlim_t WANT = FRONT_FDS_OTHER + FRONT_FDS_PER_CONN * FRONT_CONNS_MAX;
	struct rlimit limit = { .rlim_cur = 1024 }; /* what everybody has, should we not be told */

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < WANT) {
		limit.rlim_cur = limit.rlim_max < WANT ? limit.rlim_max : WANT;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	rlim_t have = limit.rlim_cur < WANT ? limit.rlim_cur : WANT;
	front->conns_max =
		have > FRONT_FDS_OTHER ? (have - FRONT_FDS_OTHER) / FRONT_FDS_PER_CONN : 1;
}

/* Bytes of memory that the machine has. */
static uint64_t memory_size(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

static void close_clients(struct front *front)
{
	for (size_t i = 0; i < FRONT_CONNS_MAX; i++)
		(void)conn_free(front->conn[i]);
}

/* Everything after the arguments. Returns 0 or -errno. */
static int serve(struct front *front)
{
	cleanup(peers_free_at) struct peers *peers = nullptr;
	cleanup(acceptors_free_at) struct acceptors *acceptors = nullptr;

	int r = loop_new(&front->loop);
	if (r == 0)
		r = routes_new(&front->routes);
	if (r == 0)
		r = notify_new(&front->notify);
	if (r == 0)
		r = load_certificate(front);
	if (r == 0)
		r = peers_new(front, &peers);
	if (r == 0)
		r = acceptors_new(front, &acceptors);
	if (r == 0)
		r = sandbox_enter(&SANDBOX);
	if (r == 0)
		r = notify_ready(front->notify, front->loop, front->state.text);
	if (r < 0)
		return r;

	log_event(LOG_INFO, EVENT_STARTED, 0, "serving", nullptr);
	r = loop_run(front->loop, front->state.text);
	close_clients(front);
	return r;
}

static void front_done(struct front *front)
{
	front->leaving = loop_source_free(front->leaving);
	front->notify = notify_free(front->notify);
	front->routes = routes_free(front->routes);
	front->tls = tls_server_free(front->tls);
	front->loop = loop_free(front->loop);
}

int main(int argc, char **argv)
{
	static const struct option OPTIONS[] = {
		{ "self-test", no_argument, nullptr, 's' },
		{ "help", no_argument, nullptr, 'h' },
		{},
	};
	static struct front front = { .state = { .state = STATE_STARTING,
						 .text = "The appliance is starting." } };
	int option = getopt_long(argc, argv, "h", OPTIONS, nullptr);

	if (option == 's')
		return self_test();
	if (option == 'h') {
		(void)fputs(USAGE, stdout);
		return 0;
	}
	if (option != -1 || optind < argc) {
		(void)fputs(USAGE, stderr);
		return 64; /* EX_USAGE, sysexits(3) */
	}

	(void)signal(
		SIGPIPE,
		SIG_IGN); /* OpenSSL writes with write(2); a lost peer is an error, not an end */
	front.started_us = clock_mono_us();
	size_by_descriptors(&front);
	if (crypto_random(&front.seats.seed, sizeof(front.seats.seed)) < 0)
		front.seats.seed = front.started_us;
	front.results_max = credit_results_max(memory_size());
	int r = serve(&front);
	front_done(&front);
	if (r < 0)
		log_event(LOG_ERR, EVENT_START_FAILED, r, "redoubt-front ends", nullptr);
	else
		log_event(LOG_INFO, EVENT_STOPPED, 0, "redoubt-front ends as asked", nullptr);
	return r < 0;
}
