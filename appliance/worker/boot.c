/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/worker/apply.h"
#include "appliance/worker/config.h"
#include "appliance/worker/disk.h"
#include "appliance/worker/files.h"
#include "appliance/worker/handover.h"
#include "appliance/worker/recovery.h"
#include "appliance/worker/run.h"
#include "appliance/worker/smbios.h"
#include "appliance/worker/volume.h"
#include "common/keyring/lock.h"
#include "common/log.h"

constexpr int MKFS_TIMEOUT_S = 600; /* a large disk under emulation */
static const char TPM_DEVICE[] = "/dev/tpmrm0";
static const char SMBIOS_ENTRIES[] = "/sys/firmware/dmi/entries";

/* What a boot works with. config is nullptr while there is none that is valid. */
struct found {
	struct config *config;
	struct buf text;	       /* its JSON, or what should have been JSON */
	char wrong[CONFIG_ERROR + 80]; /* why what was given is not valid, or "" */
};

static void found_done(struct found *found)
{
	free(found->config);
	buf_done(&found->text);
}

[[gnu::format(printf, 3, 4)]] static void finish(struct boot *boot, enum job_outcome outcome,
						 const char *format, ...)
{
	va_list args;

	boot->done->outcome = outcome;
	va_start(args, format);
	(void)vsnprintf(boot->done->text, sizeof(boot->done->text), format, args);
	va_end(args);
}

/* End with a fault: what could not be done, and why. */
static void fault(struct boot *boot, const char *what, int error, const char *said)
{
	finish(boot, JOB_FAULT, "%s: %s%s%.200s", what, strerrordesc_np(-error),
	       said && said[0] ? "; " : "", said ? said : "");
}

/* Check a configuration and keep it, or what is wrong with it. Returns whether to go on. */
static bool take_config(struct boot *boot, struct found *found, const char *origin)
{
	char why[CONFIG_ERROR];
	auto_free struct config *config = calloc(1, sizeof(*config));
	int r = config ? config_parse((const char *)found->text.data, found->text.len, config, why)
		       : -ENOMEM;

	if (r < 0) {
		fault(boot, "the configuration could not be read", r, nullptr);
		return false;
	}
	if (r == 0)
		found->config = TAKE(config);
	else
		(void)snprintf(found->wrong, sizeof(found->wrong),
			       "the configuration %s is not valid: %.380s", origin, why);
	return true;
}

/*
 * Look for a configuration from outside. Returns whether to go on, with found->config or without:
 * one that is not valid is no reason to leave a volume closed that has a good one on it.
 */
static bool find_config(struct boot *boot, struct found *found)
{
	char path[256];

	int r = smbios_read(SMBIOS_ENTRIES, &found->text);
	if (r == SMBIOS_OK)
		return take_config(boot, found, "from the SMBIOS string");
	if (r == SMBIOS_INVALID) {
		(void)snprintf(found->wrong, sizeof(found->wrong),
			       "the SMBIOS string redoubt.config= is given twice, too long "
			       "or not base64 of a JSON text");
		return true;
	}
	if (r < 0)
		log_event(LOG_WARNING, EVENT_PROVISION, r, "SMBIOS strings not read", nullptr);

	auto_close int dir = -1;
	(void)snprintf(path, sizeof(path), "%s/imds", files_run());
	r = files_open_folder(path, &dir);
	if (r == 0)
		r = files_read(dir, "user-data", &found->text);
	if (r == 0)
		return take_config(boot, found, "from the instance's user data");
	if (r != -ENOENT)
		log_event(LOG_WARNING, EVENT_PROVISION, r, "user data not read", nullptr);
	return true;
}

static bool have_tpm(void)
{
	return access(TPM_DEVICE, R_OK | W_OK) == 0;
}

/* Make the file system on the open volume. */
static bool make_file_system(struct boot *boot)
{
	auto_buf struct buf said = buf_make(1024);
	const char *const argv[] = { "/usr/sbin/mke2fs",
				     "-q",
				     "-t",
				     "ext4",
				     "-m",
				     "1",
				     "-L",
				     "redoubt",
				     "-E",
				     "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
				     "/dev/mapper/" VOLUME_MAKING,
				     nullptr };
	struct run run = { .argv = argv, .timeout_s = MKFS_TIMEOUT_S };
	int r = run_program(&run, &said);

	if (r == 0)
		return true;
	fault(boot, "the file system could not be made", r < 0 ? r : -EIO, buf_text(&said));
	return false;
}

/* Add the TPM's slot. */
static bool enroll_tpm(struct boot *boot, const char *path, const char *key)
{
	auto_buf struct buf said = buf_make(1024);
	int r = volume_enroll_tpm(path, key, &said);

	if (r == 0)
		return true;
	fault(boot, "the TPM did not take a key for the volume", r < 0 ? r : -EIO, buf_text(&said));
	return false;
}

/*
 * Leave what redoubt-keys needs to open its master key, before the volume opens: what needs it starts then.
 * Returns 0 or -errno.
 */
static int leave_keyring_secret(struct volume *volume)
{
	uint8_t secret[VOLUME_SECRET];
	int r = volume_secret(volume, secret);

	if (r == 0)
		r = handover_leave("keyring-volume", secret, sizeof(secret));
	explicit_bzero(secret, sizeof(secret));
	return r;
}

/* The volume is unlocked: open it. Returns 0 or -errno. */
static int activate(struct volume *volume)
{
	int r = leave_keyring_secret(volume);

	return r ? r : volume_activate(volume, VOLUME_NAME);
}

/* Open the volume just made, by the way the next boots will go. */
static bool open_made(struct boot *boot, const char *path, const char *key, bool tpm)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_load(path, &volume);

	if (r == 0)
		r = tpm ? volume_unlock_tpm(volume) : volume_unlock_key(volume, key);
	if (r == 0)
		r = activate(volume);
	if (r == 0)
		return true;
	fault(boot, "the new volume does not open", r < 0 ? r : -EKEYREJECTED,
	      volume ? volume_said(volume) : nullptr);
	return false;
}

/* Header, file system, TPM. The order keeps a cut-short attempt recognisable: see volume.h. */
static bool make_volume(struct boot *boot, const char *path, const char *key, bool tpm)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	const struct volume_cost cost = volume_cost_here();
	char said[VOLUME_SAID];

	boot->progress(boot->userdata, 10, "making the encrypted volume");
	int r = volume_format(path, key, &cost, &volume, said);
	if (r) {
		fault(boot, "the disk could not be formatted", r, said);
		return false;
	}
	boot->progress(boot->userdata, 40, "making the file system");
	r = volume_open_key(volume, VOLUME_MAKING, key);
	if (r) {
		fault(boot, "the new volume does not open", r < 0 ? r : -EKEYREJECTED,
		      volume_said(volume));
		return false;
	}
	bool made = make_file_system(boot);
	r = volume_close(VOLUME_MAKING);
	if (made && r) {
		fault(boot, "the new volume does not close", r, nullptr);
		made = false;
	}
	volume = volume_free(volume);
	if (made && tpm) {
		boot->progress(boot->userdata, 70, "giving the TPM a key");
		made = enroll_tpm(boot, path, key);
	}
	return made;
}

/* First boot: make the volume on a disk that may be taken. */
static void first_boot(struct boot *boot, const struct found *found, const struct disk *disk)
{
	bool tpm = found->config->key == CONFIG_KEY_TPM;
	char key[RECOVERY_TEXT];

	if (disk->size < DISK_SIZE_MIN) {
		finish(boot, JOB_NO_DISK, "%s is too small for the data volume; it needs 512 MiB",
		       disk->path);
		return;
	}
	if (tpm && !have_tpm()) {
		finish(boot, JOB_FAULT,
		       "this machine has no TPM 2.0 to keep the volume's key; add one, or set "
		       "\"volumes\":{\"data\":{\"key\":\"passphrase\"}} and type the recovery key at "
		       "each boot");
		return;
	}
	int r = recovery_make(key);
	if (r == 0)
		r = handover_leave("config.json", found->text.data, found->text.len);
	if (r == 0)
		r = handover_leave("recovery-key", key, strlen(key));
	if (r)
		fault(boot, "the first boot could not begin", r, nullptr);
	else if (make_volume(boot, disk->path, key, tpm) && open_made(boot, disk->path, key, tpm))
		finish(boot, JOB_OK, "the data volume was made on %s", disk->path);
	explicit_bzero(key, sizeof(key));
	log_event(LOG_NOTICE, EVENT_VOLUME, 0, boot->done->outcome == JOB_OK ? "made" : "not made",
		  boot->done->text);
}

/* A volume in use: the TPM opens it, or nobody does. */
static void open_volume(struct boot *boot, struct volume *volume, const char *path)
{
	boot->progress(boot->userdata, 50, "opening the data volume");
	bool slot = volume_has_tpm_slot(volume);
	int r = slot && have_tpm() ? volume_unlock_tpm(volume) : VOLUME_NO_SLOT;

	if (r == 0)
		r = activate(volume);
	if (r == 0) {
		finish(boot, JOB_OK, "the data volume on %s is open", path);
		return;
	}
	if (r < 0) {
		fault(boot, "the data volume could not be opened", r, volume_said(volume));
		return;
	}
	const char *why =
		!slot ? "it has no key in a TPM"
		: !have_tpm()
			? "its key is in a TPM, and this machine shows none"
			: "the TPM does not give its key: this is not the machine it was made "
			  "on, or Secure Boot's settings have changed (PCR 7)";
	finish(boot, JOB_LOCKED,
	       "the data volume on %s is locked: %s. Nothing was changed. Type the recovery key on "
	       "the console",
	       path, why);
	log_event(LOG_WARNING, EVENT_VOLUME, 0, boot->done->text,
		  volume_said(volume)[0] ? volume_said(volume) : nullptr);
}

/* A disk with our label on it: in use, cut short, or somebody else's. */
static void continue_with(struct boot *boot, const struct found *found, const struct disk *disk)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_load(disk->path, &volume);

	if (r < 0) {
		fault(boot, "the data volume's header could not be read", r, nullptr);
		return;
	}
	enum volume_state state = r == 0 ? volume_state(volume) : VOLUME_FOREIGN;
	switch (state) {
	case VOLUME_COMPLETE:
		open_volume(boot, volume, disk->path);
		return;
	case VOLUME_HALF:
		volume = volume_free(volume);
		if (found->config)
			first_boot(boot, found, disk);
		else
			finish(boot, found->wrong[0] ? JOB_REFUSED : JOB_NEEDS_CONFIG, "%s",
			       found->wrong[0] ? found->wrong
					       : "the first boot was cut short; give the "
						 "configuration again");
		return;
	case VOLUME_FOREIGN:
		finish(boot, JOB_FOREIGN_DATA,
		       "%s has our label but was not made by this appliance; nothing was touched",
		       disk->path);
		return;
	}
}

/* Leave for setup what the launcher gave: a volume in use has a configuration, with which it is compared. */
static void leave_offer(const struct found *found)
{
	int r = 0;

	if (found->text.len > 0)
		r = handover_leave("config.json", found->text.data, found->text.len);
	else if (found->wrong[0])
		r = handover_leave("config-wrong", found->wrong, strlen(found->wrong));
	if (r)
		log_event(LOG_ERR, EVENT_PROVISION, r, "the configuration is not handed over",
			  nullptr);
	if (found->wrong[0])
		log_event(LOG_ERR, EVENT_PROVISION, 0,
			  "what the launcher gives is not valid; the volume has its own",
			  found->wrong);
}

/*
 * Find the disk. A volume of ours is found even if the launcher names a disk that is not there or
 * holds something else: what is wrong with that is no reason not to open it.
 */
static int find_disk(const struct found *found, struct disk *ret, char text[DISK_TEXT])
{
	const char *device = found->config ? found->config->device : "";
	bool take = found->config && found->config->format == CONFIG_FORMAT_ERASE_FOREIGN_DATA;
	int r = disk_find(device, take, ret, text);
	char other_text[DISK_TEXT];
	struct disk other;

	if (r == DISK_OK || !device[0] || disk_find("", false, &other, other_text) != DISK_OK ||
	    other.kind != DISK_OURS)
		return r;
	log_event(LOG_WARNING, EVENT_VOLUME, 0, "not the disk that was named, but ours is there",
		  other.path);
	*ret = other;
	return DISK_OK;
}

/* Put into force what may be before the volume is open. */
static int prepare(const struct found *found, bool in_use)
{
	if (!found->config)
		return 0;
	return in_use ? apply_reach(found->config) : apply(found->config);
}

/* Configuration or not: find the disk and do what it asks for. */
static void go_on(struct boot *boot, struct found *found)
{
	char text[DISK_TEXT];
	struct disk disk;

	if (access("/dev/mapper/" VOLUME_NAME, F_OK) == 0) {
		finish(boot, JOB_OK, "the data volume is open already");
		return;
	}
	/* Of a worker that was killed. */
	int r = access("/dev/mapper/" VOLUME_MAKING, F_OK) == 0 ? volume_close(VOLUME_MAKING) : 0;
	if (r == 0)
		r = find_disk(found, &disk, text);
	if (r < 0) {
		fault(boot, "the disks could not be looked at", r, nullptr);
		return;
	}
	bool ours = r == DISK_OK && disk.kind == DISK_OURS;
	int applied = prepare(found, ours);
	if (applied) {
		fault(boot, "the network could not be configured", applied, nullptr);
		return;
	}
	if (ours) {
		leave_offer(found);
		continue_with(boot, found, &disk);
		return;
	}
	if (!found->config) {
		finish(boot, found->wrong[0] ? JOB_REFUSED : JOB_NEEDS_CONFIG, "%s",
		       found->wrong[0]
			       ? found->wrong
			       : "there is no configuration yet; type one on the console, or give one "
				 "as SMBIOS string redoubt.config= or EC2 user data");
		return;
	}
	if (r == DISK_OK)
		first_boot(boot, found, &disk);
	else
		finish(boot, r == DISK_ONLY_FOREIGN ? JOB_FOREIGN_DATA : JOB_NO_DISK, "%s", text);
}

void boot_start(struct boot *boot)
{
	cleanup(found_done) struct found found = { .text = buf_make(CONFIG_MAX + 1) };

	boot->progress(boot->userdata, 0, "looking for the configuration");
	if (find_config(boot, &found))
		go_on(boot, &found);
}

void boot_provision(struct boot *boot, const char *config)
{
	cleanup(found_done) struct found found = { .text = buf_make(CONFIG_MAX + 1) };

	buf_add_str(&found.text, config);
	if (buf_error(&found.text)) {
		finish(boot, JOB_REFUSED, "the configuration is longer than 16 KiB");
		return;
	}
	if (!take_config(boot, &found, "as it was typed"))
		return;
	if (found.config)
		go_on(boot, &found);
	else
		finish(boot, JOB_REFUSED, "%s", found.wrong);
}

/*
 * Leave the private half of the recovery key for redoubt-keys: keyrings of earlier releases have no
 * slot for the volume's key, and a TPM's slot that may be another one's.
 */
static void leave_recovery_seed(const char *recovery_key)
{
	uint8_t seed[CRYPTO_BOX_SEED];
	int r = lock_recovery_seed(recovery_key, seed);

	if (r == 0)
		r = handover_leave("keyring-recovery", seed, sizeof(seed));
	explicit_bzero(seed, sizeof(seed));
	if (r)
		log_event(LOG_ERR, EVENT_VOLUME, r,
			  "the recovery key is not handed to redoubt-keys", nullptr);
}

/* Find the volume to unlock: the one that is open already, or the disk's. Returns whether it is there. */
static bool find_locked(struct boot *boot, struct volume **ret, bool *ret_open)
{
	char text[DISK_TEXT];
	struct disk disk;
	int r = 0;

	*ret_open = access("/dev/mapper/" VOLUME_NAME, F_OK) == 0;
	if (*ret_open) {
		r = volume_load_open(VOLUME_NAME, ret);
		text[0] = '\0';
	} else {
		r = disk_find("", false, &disk, text);
		if (r == DISK_OK && disk.kind == DISK_OURS)
			r = volume_load(disk.path, ret);
	}
	if (r == 0 && *ret)
		return true;
	finish(boot, JOB_NO_DISK, "%s",
	       r > 0 && text[0] ? text : "there is no data volume to unlock");
	return false;
}

void boot_unlock(struct boot *boot, const char *key)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char normal[RECOVERY_TEXT];
	bool open = false;

	if (!find_locked(boot, &volume, &open))
		return;
	boot->progress(boot->userdata, 30, "trying the key");
	bool recovery = recovery_normal(key, normal);
	int r = volume_unlock_key(volume, recovery ? normal : key);
	if (r == 0 && recovery)
		leave_recovery_seed(normal);
	explicit_bzero(normal, sizeof(normal));
	if (r == 0)
		r = open ? leave_keyring_secret(volume) : activate(volume);
	if (r == 0)
		finish(boot, JOB_OK, "the data volume on %s is open", volume_device(volume));
	else if (r == VOLUME_WRONG_KEY)
		finish(boot, JOB_LOCKED, "this key does not open the data volume on %s%s",
		       volume_device(volume),
		       recovery ? "" : "; a recovery key has 8 groups of 6 letters and digits");
	else
		fault(boot, "the data volume could not be opened", r, volume_said(volume));
}
