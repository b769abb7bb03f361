/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/key_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/worker/files.h"
#include "appliance/worker/recovery.h"
#include "appliance/worker/volume.h"
#include "common/buf.h"
#include "common/log.h"

constexpr size_t KEY_FILE_MAX = 128;
static const char FIRST[] = "recovery-key";	/* of the first boot */
static const char NEWER[] = "recovery-key.new"; /* of key_jobs_new() */
static const char TPM_DEVICE[] = "/dev/tpmrm0";

[[gnu::format(printf, 3, 4)]] static void finish(struct boot *boot, enum job_outcome outcome,
						 const char *format, ...)
{
	va_list args;

	boot->done->outcome = outcome;
	va_start(args, format);
	(void)vsnprintf(boot->done->text, sizeof(boot->done->text), format, args);
	va_end(args);
}

static void fault(struct boot *boot, const char *what, int error, const char *said)
{
	finish(boot, JOB_FAULT, "%s: %s%s%.200s", what, strerrordesc_np(-error),
	       said && said[0] ? "; " : "", said ? said : "");
}

/* Read the key of one file. Returns 0, -ENOENT, -EBADMSG (not in the form of a key) or -errno. */
static int read_key(int state, const char *name, char ret[RECOVERY_TEXT])
{
	auto_buf struct buf text = buf_make(KEY_FILE_MAX);
	int r = files_read(state, name, &text);
	const char *key = r == 0 ? buf_text(&text) : nullptr;

	if (r == 0 && !(key && recovery_normal(key, ret)))
		r = -EBADMSG;
	if (text.data)
		explicit_bzero(text.data, text.room);
	return r;
}

/* The key that waits to be confirmed. Returns as read_key(). */
static int read_pending(int state, char ret[RECOVERY_TEXT], bool *ret_newer)
{
	int r = read_key(state, NEWER, ret);

	*ret_newer = r == 0;
	return r == -ENOENT || r == -EBADMSG ? read_key(state, FIRST, ret) : r;
}

bool key_jobs_pending(int state)
{
	return faccessat(state, FIRST, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       faccessat(state, NEWER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void none_pending(struct boot *boot, int error)
{
	if (error == -ENOENT)
		finish(boot, JOB_REFUSED,
		       "no recovery key waits here: somebody has confirmed that they have it. "
		       "`recovery-key new` makes another one");
	else
		fault(boot, "the recovery key could not be read", error, nullptr);
}

void key_jobs_show(struct boot *boot, int state)
{
	char key[RECOVERY_TEXT];
	bool newer = false;
	int r = read_pending(state, key, &newer);

	if (r) {
		none_pending(boot, r);
		return;
	}
	static_assert(RECOVERY_TEXT < JOB_DATA_MAX);
	memcpy(boot->done->data, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	finish(boot, JOB_OK, "it stays here until its last group has been typed back");
}

/* Put the copy of the header in step with the header: an older one would keep older slots. Returns 0 or -errno. */
static int renew_backup(int state, struct volume *volume)
{
	char path[256];

	(void)unlinkat(state, ".header-backup", 0);
	(void)snprintf(path, sizeof(path), "%s/.header-backup", files_state());
	int r = volume_backup_header(volume, path);
	if (r == 0 &&
	    (renameat(state, ".header-backup", state, "header-backup") < 0 || fsync(state) < 0))
		r = neg_errno();
	return r;
}

/* Remove both files, the newer one last: while it is there, the older one is not what is to be shown. */
static int forget_keys(int state)
{
	if (unlinkat(state, FIRST, 0) < 0 && errno != ENOENT)
		return neg_errno();
	if (fsync(state) < 0)
		return neg_errno();
	if (unlinkat(state, NEWER, 0) < 0 && errno != ENOENT)
		return neg_errno();
	return fsync(state) < 0 ? neg_errno() : 0;
}

/* The person has the key: check that it opens, end older ones, erase it. */
static void confirm(struct boot *boot, int state, const char *key, bool newer)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_load_open(VOLUME_NAME, &volume);

	if (r == 0)
		r = volume_unlock_key(volume, key);
	if (r) {
		finish(boot, JOB_FAULT,
		       "the key that is kept here does not open the volume, so nothing was erased; "
		       "`recovery-key new` makes another one");
		return;
	}
	if (newer)
		r = volume_drop_other_keys(volume);
	if (r == 0 && newer)
		r = renew_backup(state, volume);
	if (r == 0)
		r = forget_keys(state);
	if (r)
		fault(boot, "the recovery key is not confirmed", r, volume_said(volume));
	else
		finish(boot, JOB_OK, "the recovery key is erased here; keep yours%s",
		       newer ? ". The one before it opens nothing any more" : "");
}

void key_jobs_confirm(struct boot *boot, int state, const char *typed)
{
	char key[RECOVERY_TEXT];
	bool newer = false;
	int r = read_pending(state, key, &newer);

	if (r)
		none_pending(boot, r);
	else if (!recovery_ends_in(key, typed))
		finish(boot, JOB_REFUSED,
		       "that is not the last group of the recovery key; nothing was erased");
	else
		confirm(boot, state, key, newer);
	explicit_bzero(key, sizeof(key));
}

/* Unlock by the key of now, or by the TPM if none is given. Returns whether it is; says why if it is not. */
static bool unlock(struct boot *boot, struct volume *volume, const char *current)
{
	char normal[RECOVERY_TEXT];
	bool recovery = recovery_normal(current, normal);
	int r = *current ? volume_unlock_key(volume, recovery ? normal : current)
			 : volume_unlock_tpm(volume);

	explicit_bzero(normal, sizeof(normal));
	if (r == 0)
		return true;
	if (r < 0)
		fault(boot, "the volume's key could not be had", r, volume_said(volume));
	else if (*current)
		finish(boot, JOB_REFUSED, "this key does not open the data volume");
	else
		finish(boot, JOB_REFUSED,
		       "no TPM here opens the volume; give the recovery key of now");
	return false;
}

/* Keep a new key in its file, then in a slot. Returns 0 or -errno. */
static int add_new(int state, struct volume *volume, const char *key)
{
	const struct volume_cost cost = volume_cost_here();
	int r = files_write(state, NEWER, key, strlen(key), 0600);

	if (r)
		return r;
	r = volume_add_key(volume, key, &cost);
	if (r)
		(void)unlinkat(state, NEWER, 0);
	return r;
}

/* The open volume. Returns whether there is one; says so if not. */
static bool load_open(struct boot *boot, struct volume **ret)
{
	int r = volume_load_open(VOLUME_NAME, ret);

	if (r)
		finish(boot, JOB_LOCKED, "the data volume is not open");
	return r == 0;
}

void key_jobs_new(struct boot *boot, int state, const char *current)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char key[RECOVERY_TEXT];
	int r = 0;

	if (!load_open(boot, &volume) || !unlock(boot, volume, current))
		return;
	boot->progress(boot->userdata, 30, "making a recovery key");
	bool there = read_key(state, NEWER, key) == 0 && volume_opens(volume, key);
	if (!there) {
		r = recovery_make(key);
		if (r == 0)
			r = add_new(state, volume, key);
	}
	if (r)
		fault(boot, "there is no new recovery key", r, volume_said(volume));
	else
		finish(boot, JOB_OK,
		       "confirm it by its last group; until then the one before it opens, too");
	if (r == 0)
		memcpy(boot->done->data, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
}

/* The key opens: enroll, and look whether the TPM opens now. */
static void bind(struct boot *boot, int state, const char *device, const char *key)
{
	auto_buf struct buf said = buf_make(1024);
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_enroll_tpm(device, key, &said);

	if (r) {
		fault(boot, "the TPM did not take the volume's key; the recovery key opens it",
		      r < 0 ? r : -EIO, buf_text(&said));
		return;
	}
	if (!load_open(boot, &volume))
		return;
	r = volume_unlock_tpm(volume);
	if (r == 0)
		r = renew_backup(state, volume);
	if (r)
		fault(boot, "the TPM does not give the key back; the recovery key opens the volume",
		      r < 0 ? r : -EKEYREJECTED, volume_said(volume));
	else
		finish(boot, JOB_OK,
		       "this machine's TPM opens the volume from now on; no other one does");
}

void key_jobs_bind(struct boot *boot, int state, const char *key)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char device[256], normal[RECOVERY_TEXT];

	if (access(TPM_DEVICE, R_OK | W_OK) < 0) {
		finish(boot, JOB_REFUSED, "this machine has no TPM 2.0");
		return;
	}
	if (!load_open(boot, &volume))
		return;
	boot->progress(boot->userdata, 10, "trying the key");
	if (!*key)
		finish(boot, JOB_REFUSED, "give the recovery key");
	if (!*key || !unlock(boot, volume, key))
		return;
	if (volume_has_tpm_slot(volume) && volume_unlock_tpm(volume) == 0) {
		finish(boot, JOB_OK, "this machine's TPM opens the volume already");
		return;
	}
	(void)snprintf(device, sizeof(device), "%s", volume_device(volume));
	volume = volume_free(volume); /* systemd-cryptenroll changes the header */
	boot->progress(boot->userdata, 50, "giving the TPM a key");
	bool recovery = recovery_normal(key, normal);
	bind(boot, state, device, recovery ? normal : key);
	explicit_bzero(normal, sizeof(normal));
}
