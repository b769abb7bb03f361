/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-accounts: who the people are, which keys are theirs, and what they may do.
 *
 * Has its database; no network, no data, nothing to execute.
 */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "appliance/accounts/accounts.h"
#include "appliance/accounts/config.h"
#include "appliance/accounts/enginelink.h"
#include "appliance/accounts/frontlink.h"
#include "appliance/accounts/methods.h"
#include "appliance/accounts/sessions.h"
#include "appliance/accounts/sshkey.h"
#include "appliance/accounts/sshkeys.h"
#include "appliance/accounts/sshlog.h"
#include "appliance/accounts/store.h"
#include "appliance/accounts/userdb.h"
#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proto/audit.h"
#include "common/sandbox.h"
#include "common/secret.h"

constexpr size_t GRANT_KEY_MIN = 32; /* as long as the hash of its HMAC */
constexpr size_t GRANT_KEY_MAX = 1024;
constexpr uint64_t BOOTSTRAP_RETRY_US = 2'000'000;
constexpr uint64_t EXPIRY_EVERY_US = 5'000'000; /* between two looks for keys that have expired */
constexpr size_t PATH_ROOM = 512;

/* What main() holds. */
struct service {
	struct accounts accounts;
	struct listener *listener;
	struct loop_source *sshlog;
	struct frontlink *frontlink;
	struct loop_source *bootstrap, *expiry;
	uint64_t looked_us; /* when keys were looked at for the last time */
	char config[CONFIG_MAX + 1];
	size_t config_len;
	char database[PATH_ROOM], folder[PATH_ROOM];
};

static const char USAGE[] =
	"usage: redoubt-accounts [--self-test | --help | --version]\n"
	"\n"
	"Keeps people, roles, SSH keys and API keys; answers front, sshd's helper and the bus.\n"
	"Started by systemd as redoubt-accounts.service.\n"
	"\n"
	"  --self-test  try what this process must not be able to do; TAP on stdout\n"
	"\n"
	"Environment: REDOUBT_STATE (default /var/lib/redoubt), REDOUBT_RUN (default /run/redoubt),\n"
	"CREDENTIALS_DIRECTORY with grant and config.\n";

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && value[0] ? value : otherwise;
}

/* The uid of a system user, or UINT32_MAX. */
static uint32_t uid_of(const char *name)
{
	const struct passwd *user = getpwnam(name);

	return user ? user->pw_uid : UINT32_MAX;
}

/* Read a credential of at most room bytes. Returns 0, -ENOENT or another -errno. */
static int read_credential(const char *name, void *ret, size_t room, size_t *ret_len)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_ROOM];
	size_t len = 0;

	if (!folder || snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENOENT;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return neg_errno();
	while (len < room) {
		ssize_t n = read(fd, (uint8_t *)ret + len, room - len);

		if (n < 0 && errno != EINTR)
			return neg_errno();
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_len = len;
	return 0;
}

static int load_grant_key(struct accounts *accounts)
{
	auto_secret struct secret room = {};
	size_t len = 0;

	int r = secret_init(&room, GRANT_KEY_MAX);
	if (r == 0)
		r = read_credential("grant", room.data, room.len, &len);
	if (r == 0 && len < GRANT_KEY_MIN)
		r = -EKEYREJECTED;
	if (r)
		return r;
	room.len = len;
	accounts->grant_key = room;
	room = (struct secret) {};
	return 0;
}

static void set_paths(struct service *service)
{
	const char *state = setting("REDOUBT_STATE", "/var/lib/redoubt");

	(void)snprintf(service->folder, sizeof(service->folder), "%s/accounts", state);
	(void)snprintf(service->database, sizeof(service->database), "%s/accounts/accounts.db",
		       state);
}

/* Open everything that is opened by path or by name, and wake the libraries that read files when first used. */
static int open_all(struct service *service)
{
	struct accounts *accounts = &service->accounts;
	auto_free struct sshkey *unused = calloc(1, sizeof(*unused));
	const char *what = "loop";

	if (!unused)
		return -ENOMEM;
	/* libssh and libcrypto set themselves up here, while they still may read their files. */
	(void)!sshkey_parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA", 44, unused);

	accounts->console_uid = uid_of("redoubt-tty");
	accounts->audit_uid = uid_of("redoubt-audit");
	accounts->appliance_uid = uid_of("redoubt-appliance");

	int r = loop_new(&accounts->loop);
	if (r == 0) {
		what = "credential grant";
		r = load_grant_key(accounts);
	}
	if (r == 0) {
		what = service->database;
		r = store_open(service->database, &accounts->store);
	}
	if (r == 0) {
		what = "userdb.sock";
		r = userdb_new(what, &accounts->userdb);
	}
	if (r == 0)
		r = audit_client_new("audit-accounts.sock", &accounts->audit);
	if (r == 0)
		r = sessions_new(accounts, &accounts->sessions);
	if (r == STORE_TOO_NEW)
		log_event(LOG_ERR, EVENT_START_FAILED, 0,
			  "the database was written by a later release and is left alone", what);
	else if (r > 0)
		log_event(LOG_ERR, EVENT_START_FAILED, 0,
			  "the database is damaged or not ours and is left alone", what);
	else if (r < 0)
		log_event(LOG_ERR, EVENT_START_FAILED, r, "cannot be opened", what);
	if (r)
		return r;

	/* No configuration is fine once there are people. */
	if (read_credential("config", service->config, sizeof(service->config),
			    &service->config_len))
		service->config_len = 0;
	return 0;
}

static int enter_sandbox(const struct service *service)
{
	const struct sandbox_path paths[] = {
		{ service->folder, SANDBOX_READ_WRITE },
	};
	const struct sandbox table = { .path = paths,
				       .n_paths = countof(paths),
				       .calls = SANDBOX_FILES | SANDBOX_UNIX_SOCKETS };

	int r = sandbox_enter(&table);
	if (r)
		log_event(LOG_ERR, EVENT_START_FAILED, r, "sandbox not entered", nullptr);
	return r;
}

/* Make the first admin, now or as soon as the ledger takes it; then the user records. */
static int on_bootstrap(void *userdata)
{
	struct service *service = userdata;
	struct accounts *accounts = &service->accounts;

	int r = accounts_bootstrap(accounts, service->config, service->config_len);
	if (r) {
		log_event(LOG_ERR, EVENT_PROVISION, r, "first admin not added, trying again",
			  nullptr);
		return loop_timer_again(service->bootstrap, BOOTSTRAP_RETRY_US);
	}
	accounts_people_changed(accounts);
	return 0;
}

/* Look for keys that have expired while their queries run. */
static int on_expiry(void *userdata)
{
	struct service *service = userdata;
	uint64_t now_us = clock_wall_us();

	enginelink_end_expired(&service->accounts, service->looked_us, now_us);
	service->looked_us = now_us;
	return loop_timer_again(service->expiry, EXPIRY_EVERY_US);
}

/* Start everything that answers somebody. */
static int serve(struct service *service)
{
	struct accounts *accounts = &service->accounts;
	int fd = loop_listen_fd("sshkeys", 0);
	int r = 0;

	if (fd >= 0)
		r = listener_new(accounts->loop, fd, 0, &SSHKEYS_TABLE, accounts,
				 &service->listener);
	else
		log_event(LOG_WARNING, EVENT_CONNECTION_LOST, fd,
			  "no socket of this name was passed, so nobody can sign in by SSH",
			  "sshkeys");
	fd = loop_listen_fd("sshlog", 0);
	if (r == 0 && fd >= 0)
		r = sshlog_listen(accounts, fd, &service->sshlog);
	/* The user records of the people there are come first: nothing waits for the ledger then. */
	accounts_people_changed(accounts);
	if (r == 0)
		r = loop_timer(accounts->loop, 0, on_bootstrap, service, &service->bootstrap);
	service->looked_us = clock_wall_us();
	if (r == 0)
		r = loop_timer(accounts->loop, EXPIRY_EVERY_US, on_expiry, service,
			       &service->expiry);
	if (r == 0)
		r = frontlink_new(accounts, &service->frontlink);
	if (r == 0)
		r = bus_new(accounts->loop, "org.redoubt.Accounts1", "/org/redoubt/Accounts1",
			    METHODS, METHODS_COUNT, accounts, &accounts->bus);
	return r;
}

static void close_all(struct service *service)
{
	struct accounts *accounts = &service->accounts;

	accounts->sessions = sessions_free(accounts->sessions);
	accounts->bus = bus_free(accounts->bus);
	service->frontlink = frontlink_free(service->frontlink);
	service->listener = listener_free(service->listener);
	service->sshlog = loop_source_free(service->sshlog);
	service->bootstrap = loop_source_free(service->bootstrap);
	service->expiry = loop_source_free(service->expiry);
	accounts->userdb_retry = loop_source_free(accounts->userdb_retry);
	accounts->audit = audit_client_free(accounts->audit);
	accounts->userdb = userdb_free(accounts->userdb);
	accounts->store = store_close(accounts->store);
	secret_done(&accounts->grant_key);
	accounts->loop = loop_free(accounts->loop);
}

static bool try_grant_key(void)
{
	return sandbox_try_read("/var/lib/redoubt/keys/grant") ||
	       sandbox_try_read("/var/lib/redoubt/tls/key.pem");
}

static bool try_data(void)
{
	return sandbox_try_read("/var/lib/redoubt/engine") ||
	       sandbox_try_read("/var/lib/redoubt/audit");
}

/* Only redoubt-userdb says who is a user of the system. */
static bool try_user_record(void)
{
	auto_close int fd =
		open("/run/userdb/self-test.user", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0;
}

static int self_test(struct service *service)
{
	static const struct sandbox_trial OWN[] = {
		{ "make an internet socket", sandbox_try_inet_socket },
		{ "run a program", sandbox_try_exec },
		{ "read the machine's keys", try_grant_key },
		{ "read the data or the ledger", try_data },
		{ "write a user record", try_user_record },
	};

	return enter_sandbox(service) ? EXIT_FAILURE : sandbox_self_test(OWN, countof(OWN));
}

static int run(struct service *service)
{
	int r = open_all(service);

	if (r == 0)
		r = enter_sandbox(service);
	if (r)
		return r;
	r = serve(service);
	if (r) {
		log_event(LOG_ERR, EVENT_START_FAILED, r, "cannot serve", nullptr);
		return r;
	}
	log_event(LOG_INFO, EVENT_STARTED, 0, "serving", nullptr);
	r = loop_run(service->accounts.loop, "serving");
	log_event(LOG_INFO, EVENT_STOPPED, r < 0 ? r : 0, "stopped", nullptr);
	return r;
}

int main(int argc, char **argv)
{
	const char *option = argc > 1 ? argv[1] : "";
	auto_free struct service *service = calloc(1, sizeof(*service));

	if (strcmp(option, "--help") == 0)
		return fputs(USAGE, stdout) < 0;
	if (strcmp(option, "--version") == 0)
		return puts("redoubt-accounts 0.1") < 0;
	if (argc > 2 || (argc == 2 && strcmp(option, "--self-test") != 0)) {
		(void)fputs(USAGE, stderr);
		return 2;
	}
	if (!service)
		return EXIT_FAILURE;

	(void)umask(0077);
	set_paths(service);
	if (argc == 2)
		return self_test(service);
	int r = run(service);
	close_all(service);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
