/* SPDX-License-Identifier: Apache-2.0 */
#include "common/keyring/lock.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/crypto/crypto.h"

static const char RECOVERY_INFO[] = "redoubt keyring recovery 1";
static const char SLOT_EXTRA[] = "redoubt master file";

constexpr size_t BOX_LEN = CRYPTO_KEY + CRYPTO_BOX_EXTRA;

static int clear_seal(void *, const uint8_t key[CRYPTO_KEY], struct buf *ret)
{
	buf_add(ret, key, CRYPTO_KEY);
	return buf_error(ret);
}

static int clear_open(void *, const uint8_t *slot, size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	if (len != CRYPTO_KEY)
		return LOCK_REFUSED;
	memcpy(ret_key, slot, CRYPTO_KEY);
	return 0;
}

static bool clear_fits(void *, const uint8_t *, size_t len)
{
	return len == CRYPTO_KEY;
}

struct lock lock_clear(void)
{
	return (struct lock) {
		.kind = LOCK_CLEAR, .seal = clear_seal, .open = clear_open, .fits = clear_fits
	};
}

static struct crypto_extra slot_extra(void)
{
	return (struct crypto_extra) { SLOT_EXTRA, sizeof(SLOT_EXTRA) - 1 };
}

/* A slot is the public key it is for, then the box. */
static int recovery_seal(void *self, const uint8_t key[CRYPTO_KEY], struct buf *ret)
{
	const struct lock_recovery *state = self;
	uint8_t box[BOX_LEN];
	int r = crypto_box_seal(state->public_key, slot_extra(), key, CRYPTO_KEY, box);

	if (r)
		return r;
	buf_add(ret, state->public_key, sizeof(state->public_key));
	buf_add(ret, box, sizeof(box));
	return buf_error(ret);
}

static bool recovery_fits(void *self, const uint8_t *slot, size_t len)
{
	const struct lock_recovery *state = self;

	return len == CRYPTO_BOX_PUBLIC + BOX_LEN &&
	       memcmp(slot, state->public_key, CRYPTO_BOX_PUBLIC) == 0;
}

static int recovery_open(void *self, const uint8_t *slot, size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	const struct lock_recovery *state = self;
	uint8_t key[CRYPTO_KEY];

	if (!state->has_seed)
		return LOCK_UNAVAILABLE;
	if (len != CRYPTO_BOX_PUBLIC + BOX_LEN)
		return LOCK_REFUSED;
	int r = crypto_box_open(state->seed, slot_extra(), slot + CRYPTO_BOX_PUBLIC, BOX_LEN, key);
	if (r == 0)
		memcpy(ret_key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return r > 0 ? LOCK_REFUSED : r;
}

struct lock lock_recovery(struct lock_recovery *state)
{
	return (struct lock) { .kind = LOCK_RECOVERY,
			       .self = state,
			       .seal = recovery_seal,
			       .open = recovery_open,
			       .fits = recovery_fits };
}

int lock_recovery_seed(const char *text, uint8_t ret[CRYPTO_BOX_SEED])
{
	return crypto_hkdf(text, strlen(text), (struct crypto_extra) {},
			   (struct crypto_extra) { RECOVERY_INFO, sizeof(RECOVERY_INFO) - 1 }, ret,
			   CRYPTO_BOX_SEED);
}

/* --- the volume's --------------------------------------------------------------------------------- */

constexpr size_t VOLUME_SLOT = CRYPTO_NONCE + CRYPTO_KEY + CRYPTO_TAG;

/* A slot is a nonce, then the key under AES-256-GCM with the volume's secret. */
static int volume_seal(void *self, const uint8_t key[CRYPTO_KEY], struct buf *ret)
{
	const struct lock_volume *state = self;
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	uint8_t slot[VOLUME_SLOT];

	if (!state->has_secret)
		return LOCK_UNAVAILABLE;
	int r = crypto_aead_new(state->secret, &aead);
	if (r == 0)
		r = crypto_random(slot, CRYPTO_NONCE);
	if (r == 0)
		r = crypto_aead_seal(aead, slot, slot_extra(), key, CRYPTO_KEY,
				     slot + CRYPTO_NONCE);
	if (r)
		return r;
	buf_add(ret, slot, sizeof(slot));
	return buf_error(ret);
}

static int volume_open(void *self, const uint8_t *slot, size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	const struct lock_volume *state = self;
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	uint8_t key[CRYPTO_KEY];

	if (!state->has_secret)
		return LOCK_UNAVAILABLE;
	if (len != VOLUME_SLOT)
		return LOCK_REFUSED;
	int r = crypto_aead_new(state->secret, &aead);
	if (r == 0)
		r = crypto_aead_open(aead, slot, slot_extra(), slot + CRYPTO_NONCE,
				     len - CRYPTO_NONCE, key);
	if (r == 0)
		memcpy(ret_key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return r > 0 ? LOCK_REFUSED : r;
}

static bool volume_fits(void *, const uint8_t *, size_t len)
{
	return len == VOLUME_SLOT;
}

struct lock lock_volume(struct lock_volume *state)
{
	return (struct lock) { .kind = LOCK_VOLUME,
			       .self = state,
			       .seal = volume_seal,
			       .open = volume_open,
			       .fits = volume_fits };
}
