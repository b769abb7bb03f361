/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * volume: the LUKS2 data volume: make, open, describe.
 *
 * Layer 2 (appliance/worker); with disk the only files that include libcryptsetup and libblkid.
 * A token of type "redoubt" in the header says how far the first boot came. Until it says
 * "complete" nothing of anybody's is on the volume, and a first boot that was cut short starts again.
 * Everything but opening works on a plain file as well.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

#define VOLUME_LABEL  "redoubt-data"
#define VOLUME_NAME   "redoubt-data"   /* below /dev/mapper: udev starts redoubt-data.target */
#define VOLUME_MAKING "redoubt-making" /* while the file system is made: starts nothing */

constexpr size_t VOLUME_SAID = 256;
constexpr size_t VOLUME_SECRET = 32;

enum {
	VOLUME_OK = 0,
	VOLUME_NOT_OURS,  /* no LUKS2 header with our label */
	VOLUME_WRONG_KEY, /* no slot opens with it */
	VOLUME_NO_SLOT,	  /* there is no slot of that kind */
};

enum volume_state {
	VOLUME_FOREIGN,	 /* has our label and keyslots but not our token: not made by us */
	VOLUME_HALF,	 /* the first boot was cut short; holds nobody's data */
	VOLUME_COMPLETE, /* in use */
};

struct volume;

/* What a wrong guess of the recovery key costs (argon2id), see crypt_set_pbkdf_type(3). */
struct volume_cost {
	uint32_t iterations;
	uint32_t memory_kb;
	uint32_t threads;
};

/* The cost on this machine, bounded by what it has. */
[[nodiscard]] struct volume_cost volume_cost_here(void);

/*
 * Make a LUKS2 header with one slot, the recovery key's, and state VOLUME_HALF. Erases what was there.
 *
 * path  disk, partition or file; borrowed
 * ret   set only on success; release with volume_free()
 * said  [VOLUME_SAID] set on failure: what libcryptsetup said, or ""
 *
 * Returns 0 or -errno.
 * Cost: the key's, and 16 MiB of writing.
 */
[[nodiscard]] int volume_format(const char *path, const char *recovery_key,
				const struct volume_cost *cost, struct volume **ret,
				char said[VOLUME_SAID]);

/* Load the header of a volume of ours. Returns 0, VOLUME_NOT_OURS or -errno; *ret is set only on success. */
[[nodiscard]] int volume_load(const char *path, struct volume **ret);

/* The same for the one that is open under the name. Returns as volume_load(); -ENODEV if none is. */
[[nodiscard]] int volume_load_open(const char *name, struct volume **ret);

/* Free the object; the volume stays as it is. nullptr is a no-op. Always returns nullptr. */
struct volume *volume_free(struct volume *volume);
CLEANUP_FN(struct volume, volume_free)

/* How far the first boot came. */
[[nodiscard]] enum volume_state volume_state(struct volume *volume);

/* Note durably in the header that the volume is in use from now on. Returns 0 or -errno. */
[[nodiscard]] int volume_set_complete(struct volume *volume);

/* Whether there is a slot that the TPM opens. */
[[nodiscard]] bool volume_has_tpm_slot(struct volume *volume);

/*
 * Open a volume below /dev/mapper, or, if name is nullptr, only try the key.
 *
 * Returns 0, VOLUME_WRONG_KEY or -errno.
 */
[[nodiscard]] int volume_open_key(struct volume *volume, const char *name, const char *key);

/* Open it with the TPM's slot. Returns 0, VOLUME_NO_SLOT, VOLUME_WRONG_KEY (the TPM refuses) or -errno. */
[[nodiscard]] int volume_open_tpm(struct volume *volume, const char *name);

/* Get the volume key out of a slot that a key opens, and keep it in the object. Returns as volume_open_key(). */
[[nodiscard]] int volume_unlock_key(struct volume *volume, const char *key);
/* The same by the TPM's slot. Returns as volume_open_tpm(). */
[[nodiscard]] int volume_unlock_tpm(struct volume *volume);

/* Open an unlocked volume below /dev/mapper. Returns 0 or -errno. */
[[nodiscard]] int volume_activate(struct volume *volume, const char *name);

/*
 * Derive the keyring's secret from the volume key of an unlocked volume: whoever opens the one opens the
 * other, by whatever slot, and nothing else has to be kept in step.
 *
 * Returns 0, -ENOKEY (not unlocked) or -EIO.
 */
[[nodiscard]] int volume_secret(struct volume *volume, uint8_t ret[VOLUME_SECRET]);

/* Add a slot to an unlocked volume. Returns 0 or -errno. Cost: the key's. */
[[nodiscard]] int volume_add_key(struct volume *volume, const char *key,
				 const struct volume_cost *cost);

/* Whether a slot opens with the key; what is unlocked stays so. */
[[nodiscard]] bool volume_opens(struct volume *volume, const char *key);

/*
 * Destroy every slot but the TPM's and the one by which volume_unlock_key() unlocked. May be repeated when cut.
 *
 * Returns 0, -ENOKEY (not unlocked by a key) or -errno.
 */
[[nodiscard]] int volume_drop_other_keys(struct volume *volume);

/* Path of the disk that the header is on. Borrowed; "" if there is none. */
[[nodiscard]] const char *volume_device(const struct volume *volume);

/* Close what is open under the name. Returns 0 (also if nothing is) or -errno. */
[[nodiscard]] int volume_close(const char *name);

/*
 * Give the volume's key to the TPM that is there, bound to PCR 7, by systemd-cryptenroll. A slot of another TPM, or of
 * other PCR values, is taken away: its token first, because systemd-cryptenroll would else take equal PCR values for
 * its own work, its slot last. Cut anywhere, the recovery key still opens.
 *
 * path    the volume's; no struct volume may be in use meanwhile, load it afterwards
 * output  what the program said
 *
 * Returns as run_program(): 0 is success.
 */
[[nodiscard]] int volume_enroll_tpm(const char *path, const char *recovery_key, struct buf *output);

/* Write a copy of the header to a file that must not exist. Returns 0 or -errno. */
[[nodiscard]] int volume_backup_header(struct volume *volume, const char *file);

/* Append {"device":…,"cipher":…,"sector_size":…,"keyslots":[…],"state":…}. */
void volume_describe(struct volume *volume, struct buf *ret);

/* What libcryptsetup said last, one line, or "". Borrowed. */
[[nodiscard]] const char *volume_said(const struct volume *volume);
