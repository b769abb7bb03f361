/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * lock: one way to keep the key that opens the master file: in clear, by the volume, for the recovery key, in a TPM.
 *
 * Layer 1 (common/keyring). The master file has one slot for each lock it was made with; any of
 * them opens it. The TPM's lock is in appliance/keys/tpm.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/aead.h"
#include "common/crypto/box.h"

constexpr size_t LOCK_SLOT_MAX = 1024; /* bytes of a slot: a TPM's object is the longest */

enum {
	LOCK_OK = 0,
	LOCK_REFUSED,	  /* the slot is not for this lock, or was changed */
	LOCK_UNAVAILABLE, /* the device does not answer, or the secret is not at hand */
};

enum lock_kind : uint8_t { /* written to the file: append only */
	LOCK_CLEAR = 1,
	LOCK_RECOVERY = 2,
	LOCK_TPM = 3,
	LOCK_VOLUME = 4,
};

/* All return 0, a positive LOCK_ outcome or -errno. */
struct lock {
	enum lock_kind kind;
	void *self; /* borrowed */
	/* Make a slot: bytes are appended to ret. */
	int (*seal)(void *self, const uint8_t key[CRYPTO_KEY], struct buf *ret);
	/* Open a slot. slot[len] is untrusted; ret_key is set on 0 only. */
	int (*open)(void *self, const uint8_t *slot, size_t len, uint8_t ret_key[CRYPTO_KEY]);
	/* Whether the slot is for this lock, as far as can be seen without opening it. */
	bool (*fits)(void *self, const uint8_t *slot, size_t len);
};

/* The key itself is the slot: protected by the file's mode and whatever the folder lies on. */
[[nodiscard]] struct lock lock_clear(void);

/* What the volume's lock needs: the secret that who opens the volume derives from its key (appliance/worker/volume.h). */
struct lock_volume {
	uint8_t secret[CRYPTO_KEY];
	bool has_secret;
};

/*
 * The lock that whatever opens the volume opens: TPM, recovery key, passphrase. So volume and keyring have one
 * state, the slots of the volume's header. state is borrowed for as long as the lock is used.
 */
[[nodiscard]] struct lock lock_volume(struct lock_volume *state);

/* What the recovery lock needs. Who has the seed, opens; the public key is enough to seal. */
struct lock_recovery {
	uint8_t public_key[CRYPTO_BOX_PUBLIC];
	uint8_t seed[CRYPTO_BOX_SEED];
	bool has_seed; /* this boot was unlocked with the recovery key */
};

/* The lock that the volume's recovery key opens. state is borrowed for as long as the lock is used. */
[[nodiscard]] struct lock lock_recovery(struct lock_recovery *state);

/*
 * Derive the seed from the volume's recovery key.
 *
 * text  in the form of recovery_make() (appliance/worker): 240 random bits, so no slow derivation is needed
 *
 * Returns 0 or -EIO.
 */
[[nodiscard]] int lock_recovery_seed(const char *text, uint8_t ret[CRYPTO_BOX_SEED]);
