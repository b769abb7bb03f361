/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "appliance/worker/config.h"
#include "appliance/worker/era.h"
#include "appliance/worker/files.h"
#include "appliance/worker/handover.h"
#include "appliance/worker/identity.h"
#include "appliance/worker/run.h"
#include "appliance/worker/stored.h"
#include "appliance/worker/volume.h"
#include "common/buf.h"
#include "common/log.h"

constexpr uint64_t SWAP_SIZE = 256ull << 20;
constexpr unsigned int SWAP_SHARE = 8; /* at most one part in eight of the file system */
constexpr uint64_t SWAP_MIN = 16ull << 20;
constexpr int MKSWAP_TIMEOUT_S = 60;

struct work {
	const char *path; /* of the state folder */
	int state;	  /* its descriptor */
	struct config *config;
	char *text; /* [SETUP_TEXT] */
};

struct step {
	const char *what; /* "write the configuration" */
	bool on_volume;	  /* needs the real, open volume: left out under $REDOUBT_STATE */
	int (*run)(struct work *work);
};

static const struct {
	const char *name;
	const char *owner; /* nullptr: root */
	mode_t mode;
} FOLDERS[] = {
	{ "audit", "redoubt-audit", 0700 },
	{ "accounts", "redoubt-accounts", 0700 },
	{ "engine", "redoubt-engine", 0700 },
	{ "keyring", "redoubt-keys", 0700 },
	{ "tls", nullptr, 0700 },
	{ "ca", nullptr, 0755 },
	{ "ssh", nullptr, 0755 },
	{ "keys", nullptr, 0700 },
	{ "config", nullptr, 0755 },
	{ "journal", nullptr, 0750 }, /* not setgid: RestrictSUIDSGID= refuses it */
	{ "swap", nullptr, 0700 },
};

/* Give the journal to the group that may read it. Without that group (a test host): left alone. */
static int give_journal(const char *path)
{
	char room[1024];
	struct group entry, *found = nullptr;

	(void)getgrnam_r("systemd-journal", &entry, room, sizeof(room), &found);
	if (!found || getenv("REDOUBT_STATE"))
		return 0;
	return chown(path, 0, entry.gr_gid) < 0 ? neg_errno() : 0;
}

static int make_folders(struct work *work)
{
	char path[256];

	if (fchmod(work->state, 0755) < 0)
		return neg_errno();
	for (size_t i = 0; i < countof(FOLDERS); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", work->path, FOLDERS[i].name);
		int r = files_folder(path, FOLDERS[i].owner, FOLDERS[i].mode);
		if (r == 0 && strcmp(FOLDERS[i].name, "journal") == 0)
			r = give_journal(path);
		if (r)
			return r;
	}
	return 0;
}

static int settle_config(struct work *work)
{
	return stored_settle(work->state, work->config, work->text, SETUP_TEXT);
}

static int make_grant_key(struct work *work)
{
	return identity_grant_key(work->state);
}

static int make_certificates(struct work *work)
{
	struct era era;

	era_look(work->state, &era);
	if (era.doubtful)
		log_event(LOG_WARNING, EVENT_TLS, 0, "the clock is doubtful", era.text);
	int r = identity_certificates(work->state, work->config, &era);
	return r || era.doubtful ? r : era_keep(work->state, &era);
}

static int make_ssh_host_key(struct work *work)
{
	return identity_ssh_host_key(work->path);
}

/* How much swap the file system has room for; 0 for none. */
static uint64_t swap_size(int state)
{
	struct statvfs st;

	if (fstatvfs(state, &st) < 0)
		return 0;
	uint64_t share = (uint64_t)st.f_blocks * st.f_frsize / SWAP_SHARE;
	uint64_t size = share < SWAP_SIZE ? share : SWAP_SIZE;
	size &= ~(uint64_t)0xffff;
	return size < SWAP_MIN ? 0 : size;
}

/* A swap file of size bytes, whole or not there. */
static int make_swap(int dir, const char *folder, uint64_t size)
{
	auto_buf struct buf said = buf_make(1024);
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/.new", folder);
	auto_close int fd =
		openat(dir, ".new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, (off_t)size) != 0)
		return fd < 0 ? neg_errno() : -ENOSPC;

	const char *const argv[] = { "/usr/sbin/mkswap", "--quiet", path, nullptr };
	struct run run = { .argv = argv, .timeout_s = MKSWAP_TIMEOUT_S };
	int r = run_program(&run, &said);
	if (r)
		return r < 0 ? r : -EIO;
	if (fsync(fd) < 0 || renameat(dir, ".new", dir, "swapfile") < 0)
		return neg_errno();
	return 0;
}

/* The swap file; var-lib-redoubt-swap-swapfile.swap turns it on. */
static int prepare_swap(struct work *work)
{
	char folder[256];
	uint64_t size = swap_size(work->state);
	auto_close int dir = openat(work->state, "swap", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return neg_errno();
	if (size == 0 || faccessat(dir, "swapfile", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0; /* there, or a tiny disk: the data needs it more */
	(void)snprintf(folder, sizeof(folder), "%s/swap", work->path);
	return make_swap(dir, folder, size);
}

/* Move the recovery key from memory to the volume. */
static int keep_recovery_key(struct work *work)
{
	auto_buf struct buf key = buf_make(128);
	auto_close int run = -1;
	int r = handover_open(&run);

	if (r == 0)
		r = files_read(run, "recovery-key", &key);
	if (r == 0)
		r = files_write(work->state, "recovery-key", key.data, key.len, 0600);
	if (key.data)
		explicit_bzero(key.data, key.room);
	if (r == 0 && unlinkat(run, "recovery-key", 0) < 0)
		r = neg_errno();
	return r == -ENOENT ? 0 : r; /* no first boot: there is none to keep */
}

/* Back the header up if it has never been, and mark the volume complete. */
static int finish_volume(struct work *work)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char path[256];
	int r = volume_load_open(VOLUME_NAME, &volume);

	if (r)
		return r < 0 ? r : -ENXIO;
	if (volume_state(volume) == VOLUME_HALF) {
		r = volume_set_complete(volume);
		if (r)
			return r;
	}
	if (faccessat(work->state, "header-backup", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	(void)unlinkat(work->state, ".header-backup", 0);
	(void)snprintf(path, sizeof(path), "%s/.header-backup", work->path);
	r = volume_backup_header(volume, path);
	if (r == 0 && renameat(work->state, ".header-backup", work->state, "header-backup") < 0)
		r = neg_errno();
	return r;
}

static const struct step STEPS[] = {
	{ "settle the configuration", false, settle_config },
	{ "make the key of the grants", false, make_grant_key },
	{ "make the certificates", false, make_certificates },
	{ "make the SSH host key", false, make_ssh_host_key },
	{ "make the swap file", true, prepare_swap },
	{ "keep the recovery key", false, keep_recovery_key },
	{ "finish the volume", true, finish_volume },
};

static int run_steps(struct work *work)
{
	for (size_t i = 0; i < countof(STEPS); i++) {
		if (STEPS[i].on_volume && getenv("REDOUBT_STATE"))
			continue;
		int r = STEPS[i].run(work);
		if (r == 0)
			continue;
		if (!work->text[0])
			(void)snprintf(work->text, SETUP_TEXT, "could not %s: %s", STEPS[i].what,
				       strerrordesc_np(-r));
		return r;
	}
	return 0;
}

/* Open the state folder and make room for a configuration. */
static int begin(struct work *work, int *state, struct config **config, char *text)
{
	text[0] = '\0';
	*config = calloc(1, sizeof(**config));
	if (!*config)
		return -ENOMEM;
	int r = files_open_folder(files_state(), state);
	*work = (struct work) { files_state(), *state, *config, text };
	return r;
}

int setup_folders(char text[SETUP_TEXT])
{
	auto_free struct config *config = nullptr;
	auto_close int state = -1;
	struct work work;
	int r = begin(&work, &state, &config, text);

	return r ? r : make_folders(&work);
}

int setup(char text[SETUP_TEXT])
{
	auto_free struct config *config = nullptr;
	auto_close int state = -1;
	struct work work;
	int r = begin(&work, &state, &config, text);

	return r ? r : run_steps(&work);
}

int setup_renew(char text[SETUP_TEXT])
{
	cleanup(stored_free_at) struct stored *stored = nullptr;
	auto_free struct config *config = nullptr;
	auto_close int state = -1;
	struct work work;
	int r = begin(&work, &state, &config, text);

	if (r == 0)
		r = stored_look(state, &stored);
	if (r)
		return r;
	if (!stored->sound)
		return stored->text.len ? -EBADMSG : -ENOENT;
	*config = stored->config;
	return make_certificates(&work);
}
