/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keyring: the collections' keys, one small file each, wrapped by a provider.
 *
 * Layer 1 (common/keyring). A collection key is unwrapped for the call that needs it and wiped
 * after it; nothing is cached, so what is destroyed is gone at once. The files' form is in
 * appliance/keys/FORMAT.md section 2.
 * Threads: one keyring, one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/aead.h"
#include "common/keyring/provider.h"

enum {
	KEYRING_OK = 0,
	KEYRING_ABSENT,	       /* the collection has no key */
	KEYRING_NOT_AUTHENTIC, /* the wrapped bytes are not this collection's and purpose's */
	KEYRING_UNAVAILABLE,   /* the provider does not give its master key now */
	KEYRING_DAMAGED,       /* the collection's file is not in its form, or another provider's */
	KEYRING_FULL,	       /* no more versions fit */
};

struct keyring;

/*
 * Open a keyring, finishing what a crash has cut short.
 *
 * dir       the folder; borrowed, must stay open
 * provider  wraps the collection keys; what it points to is borrowed
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int keyring_open(int dir, struct provider provider, struct keyring **ret);

/* Free. nullptr is a no-op. Always returns nullptr. */
struct keyring *keyring_close(struct keyring *keyring);
CLEANUP_FN(struct keyring, keyring_close)

/* Whether the collection has a key; uuid is well-formed, here and below. Returns 0, KEYRING_ABSENT or -errno. */
[[nodiscard]] int keyring_has(struct keyring *keyring, const char *uuid);

/* Make the collection's key if it has none. Durable on 0. Returns 0, KEYRING_UNAVAILABLE or -errno. */
[[nodiscard]] int keyring_create(struct keyring *keyring, const char *uuid);

/* Make a data key and wrap it. Returns 0, a KEYRING_ outcome or -errno; ret_key is set on 0 only. */
[[nodiscard]] int keyring_data_new(struct keyring *keyring, const char *uuid, const char *purpose,
				   uint8_t ret_key[CRYPTO_KEY], struct buf *wrapped);

/* Unwrap a data key; wrapped[len] is untrusted. Returns as keyring_data_new() does. */
[[nodiscard]] int keyring_data_unwrap(struct keyring *keyring, const char *uuid,
				      const char *purpose, const uint8_t *wrapped, size_t len,
				      uint8_t ret_key[CRYPTO_KEY]);

/* Unwrap a data key and wrap it under the newest version. Returns as keyring_data_new() does. */
[[nodiscard]] int keyring_rewrap(struct keyring *keyring, const char *uuid, const char *purpose,
				 const uint8_t *wrapped, size_t len, struct buf *ret);

/* Make a new version of the collection's key. Durable on 0. Returns 0, a KEYRING_ outcome or -errno. */
[[nodiscard]] int keyring_rotate(struct keyring *keyring, const char *uuid);

/*
 * Make a new version of the provider's master key and wrap every collection's keys under it. May
 * be repeated after a failure.
 *
 * Returns 0, a KEYRING_ outcome or -errno.
 */
[[nodiscard]] int keyring_rotate_master(struct keyring *keyring);

/* Destroy the collection's key, all versions; none is fine. Durable on 0. Returns 0 or -errno. */
[[nodiscard]] int keyring_destroy(struct keyring *keyring, const char *uuid);

/* Whether data[len] has the form of a collection's file; opens nothing. For tests and tools. */
[[nodiscard]] bool keyring_is_well_formed(const uint8_t *data, size_t len);
