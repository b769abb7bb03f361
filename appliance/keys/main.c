/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-keys: keeps the collections' keys and nothing else. engine asks it to make and unwrap data keys.
 *
 * The master key that wraps the collection keys is locked by a secret that whoever opens the data volume derives from
 * the volume's key: what opens the one opens the other.
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/keys/serve.h"
#include "appliance/keys/tpm.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/channel.h"
#include "common/keyring/keyfile.h"
#include "common/keyring/keyring.h"
#include "common/keyring/lock.h"
#include "common/keyring/master.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proto/audit.h"
#include "common/sandbox.h"

constexpr size_t PATH_LEN = 512;
static const char TPM_DEVICE[] = "/dev/tpmrm0";

struct daemon {
	struct loop *loop;
	struct listener *listener;
	struct audit_client *audit;
	int dir; /* the keyring's folder */
	struct tpm *tpm;
	struct lock_volume volume;
	struct lock_recovery recovery;
	struct master *master;
	struct keyring *keyring;
	struct serve serve;
	char path[PATH_LEN];
	const char *tpm_path; /* or nullptr where systemd has passed the device */
};

/* --- locks ------------------------------------------------------------------------------------ */

/* Read exactly len bytes of a file; anything else is as if it were not there. */
static bool read_exactly(int dir, const char *name, uint8_t *ret, size_t len)
{
	auto_wiped struct buf data = buf_make(4096);
	bool good = keyfile_read(dir, name, &data) == 0 && data.len == len;

	if (good)
		memcpy(ret, data.data, len);
	return good;
}

/*
 * The secrets that this boot has: of the volume, and of the recovery key if it was unlocked with that. Credentials;
 * an empty line stands for none.
 */
static void load_secrets(struct daemon *daemon)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	auto_close int dir = -1;

	if (!folder || keyfile_folder(folder, &dir))
		return;
	daemon->volume.has_secret =
		read_exactly(dir, "volume", daemon->volume.secret, sizeof(daemon->volume.secret));
	daemon->recovery.has_seed =
		read_exactly(dir, "recovery", daemon->recovery.seed, sizeof(daemon->recovery.seed));
}

/* Make the master key's provider: by what opens the volume, or in clear on it. */
static int make_master(struct daemon *daemon)
{
	uint32_t kinds = 0;
	int r = master_kinds(daemon->dir, &kinds);

	load_secrets(daemon);
	if (r)
		return r;
	/* What it was made with stays: a key that has lain in clear gains nothing by a lock. */
	if (kinds & 1u << LOCK_CLEAR || (kinds == 0 && !daemon->volume.has_secret)) {
		const struct lock lock = lock_clear();

		daemon->serve.provider = "file";
		return master_new(daemon->dir, &lock, 1, &daemon->master);
	}

	/* Keyrings of before had a TPM's slot and the recovery key's; their keys name the provider so, and all do. */
	r = tpm_new(loop_listen_fd("tpm", 0), daemon->tpm_path, &daemon->tpm);
	if (r)
		return r;
	const struct lock locks[] = { lock_volume(&daemon->volume), tpm_lock(daemon->tpm),
				      lock_recovery(&daemon->recovery) };
	daemon->serve.provider = "tpm";
	r = master_new(daemon->dir, locks, countof(locks), &daemon->master);
	if (r == 0)
		master_keep_only(daemon->master, 1);
	return r;
}

/*
 * Open the master file, and say what is wrong if that fails. Without it there is nothing to serve:
 * the process ends, so that the box does not call itself ready, and is started anew.
 *
 * Returns whether it is open.
 */
static bool open_master(struct daemon *daemon)
{
	char error[32] = "";
	int r = master_open(daemon->master);

	if (daemon->tpm && tpm_error(daemon->tpm))
		(void)snprintf(error, sizeof(error), "TPM response 0x%x", tpm_error(daemon->tpm));
	if (r == MASTER_LOCKED)
		log_event(
			LOG_ERR, EVENT_KEYS, 0,
			"the master key is not open: type the recovery key on the machine's console",
			error);
	else if (r)
		log_event(LOG_CRIT, EVENT_KEYS, r < 0 ? r : 0,
			  "the master key's file is damaged or missing", daemon->path);
	else if (daemon->tpm && master_opened_by(daemon->master) != LOCK_VOLUME)
		log_event(LOG_WARNING, EVENT_KEYS, 0,
			  "a keyring of an earlier release was opened; what opens the volume opens "
			  "it from now on",
			  error);
	return r == 0;
}

/* --- start ------------------------------------------------------------------------------------ */

static void find_paths(struct daemon *daemon)
{
	const char *state = getenv("REDOUBT_STATE");

	(void)snprintf(daemon->path, sizeof(daemon->path), "%s/keyring",
		       state ? state : "/var/lib/redoubt");
	daemon->tpm_path = getenv("REDOUBT_TPM");
	if (!daemon->tpm_path && loop_listen_fd("tpm", 0) < 0)
		daemon->tpm_path = TPM_DEVICE;
}

static int enter_sandbox(const struct daemon *daemon)
{
	const struct sandbox_path paths[] = { { daemon->path, SANDBOX_READ_WRITE },
					      { daemon->tpm_path, SANDBOX_READ_WRITE } };
	const struct sandbox table = { .path = paths,
				       .n_paths = daemon->tpm_path ? 2 : 1,
				       .calls = SANDBOX_FILES | SANDBOX_UNIX_SOCKETS };

	return sandbox_enter(&table);
}

static int open_keyring(struct daemon *daemon)
{
	int r = keyfile_folder(daemon->path, &daemon->dir);

	if (r == 0)
		r = make_master(daemon);
	if (r == 0)
		r = keyring_open(daemon->dir,
				 master_provider(daemon->master, daemon->serve.provider),
				 &daemon->keyring);
	return r > 0 ? -EBADMSG : r;
}

static int start(struct daemon *daemon)
{
	int r = open_keyring(daemon);

	if (r == 0)
		r = audit_client_new("audit-keys.sock", &daemon->audit);
	if (r == 0)
		r = loop_new(&daemon->loop);
	if (r)
		return r;
	daemon->serve.keyring = daemon->keyring;
	daemon->serve.audit = daemon->audit;

	int fd = loop_listen_fd("engine", 0);
	if (fd < 0)
		return fd;
	r = listener_new(daemon->loop, fd, SERVE_ENGINE, &SERVE_TABLE, &daemon->serve,
			 &daemon->listener);
	return r ? r : enter_sandbox(daemon);
}

static void stop(struct daemon *daemon)
{
	daemon->listener = listener_free(daemon->listener);
	daemon->audit = audit_client_free(daemon->audit);
	daemon->keyring = keyring_close(daemon->keyring);
	daemon->master = master_free(daemon->master);
	daemon->tpm = tpm_free(daemon->tpm);
	explicit_bzero(&daemon->volume, sizeof(daemon->volume));
	explicit_bzero(&daemon->recovery, sizeof(daemon->recovery));
	close_at(&daemon->dir);
}

static int run(void)
{
	auto_free struct daemon *daemon = calloc(1, sizeof(*daemon));

	if (!daemon)
		return 1;
	daemon->dir = -1;
	find_paths(daemon);
	(void)umask(077);
	int r = start(daemon);
	if (r < 0) {
		log_event(LOG_ERR, EVENT_START_FAILED, r, "keyring not opened", daemon->path);
		stop(daemon);
		return 1;
	}
	if (!open_master(daemon)) {
		stop(daemon);
		return 1;
	}
	log_event(LOG_INFO, EVENT_STARTED, 0, "keyring opened", daemon->serve.provider);
	r = loop_run(daemon->loop, "Serving");
	log_event(LOG_INFO, EVENT_STOPPED, r < 0 ? r : 0, "keyring closed", daemon->path);
	stop(daemon);
	return r < 0;
}

/* --- self-test -------------------------------------------------------------------------------- */

static bool read_data(void)
{
	return sandbox_try_read("/var/lib/redoubt/engine") ||
	       sandbox_try_read("/var/lib/redoubt/accounts") ||
	       sandbox_try_read("/var/lib/redoubt/audit") ||
	       sandbox_try_read("/var/lib/redoubt/keys/grant") || sandbox_try_read("/run/userdb");
}

static bool read_recovery_key(void)
{
	return sandbox_try_read("/var/lib/redoubt/recovery-key") ||
	       sandbox_try_read("/run/redoubt/setup");
}

static bool open_tpm(void)
{
	return sandbox_try_read("/dev/tpmrm0") || sandbox_try_read("/dev/tpm0");
}

static bool write_elsewhere(void)
{
	auto_close int fd =
		open("/var/lib/redoubt/self-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0;
}

static int self_test(void)
{
	static const struct sandbox_trial TRIALS[] = {
		{ "make an internet socket", sandbox_try_inet_socket },
		{ "run a program", sandbox_try_exec },
		{ "read other services' data", read_data },
		{ "read the recovery key", read_recovery_key },
		{ "open the TPM by its name", open_tpm },
		{ "write outside its folder", write_elsewhere },
	};
	struct daemon daemon = {};

	find_paths(&daemon);
	daemon.tpm_path = nullptr; /* the unit passes it as a descriptor */
	int r = enter_sandbox(&daemon);
	if (r < 0) {
		(void)printf("Bail out! sandbox not entered: %s\n", strerrordesc_np(-r));
		return 1;
	}
	return sandbox_self_test(TRIALS, countof(TRIALS));
}

static int help(void)
{
	(void)printf(
		"redoubt-keys: keeps the keys of the collections\n\n"
		"  redoubt-keys              serve the socket passed in by systemd\n"
		"  redoubt-keys --self-test  try what it must not be able to do; prints TAP\n"
		"  redoubt-keys --help       this text\n\n"
		"The keys are in $REDOUBT_STATE/keyring, by default /var/lib/redoubt/keyring. The TPM\n"
		"is the descriptor passed in by the name of tpm, else $REDOUBT_TPM (a device, or a\n"
		"stream socket with a TPM behind it), else /dev/tpmrm0.\n");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} OPTIONS[] = { { "--self-test", self_test }, { "--help", help } };

	if (argc == 1)
		return run();
	for (size_t i = 0; argc == 2 && i < countof(OPTIONS); i++)
		if (strcmp(argv[1], OPTIONS[i].name) == 0)
			return OPTIONS[i].run();
	(void)fprintf(stderr, "redoubt-keys: unknown argument; try --help\n");
	return 2;
}
