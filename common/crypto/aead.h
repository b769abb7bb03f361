/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * aead: AES-256-GCM under a key that is set once, and keys derived from keys (HKDF).
 *
 * Layer 1 (common/crypto). An aead seals and opens many messages without setting the key up
 * again; it belongs to one thread at a time. crypto_hkdf() is safe from any thread.
 * Source: NIST SP 800-38D, RFC 5869.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t CRYPTO_KEY = 32;   /* AES-256 */
constexpr size_t CRYPTO_NONCE = 12; /* never twice under one key */
constexpr size_t CRYPTO_TAG = 16;
constexpr size_t CRYPTO_AEAD_MAX = 1u << 30; /* bytes of a message; the library counts in int */

enum {
	CRYPTO_OK = 0,
	CRYPTO_NOT_AUTHENTIC, /* another key, nonce or data, or changed on the way */
};

struct crypto_aead;

/*
 * Set the key up. The caller may wipe its copy afterwards.
 *
 * Returns 0, -ENOMEM, or -EIO if the library failed.
 */
[[nodiscard]] int crypto_aead_new(const uint8_t key[CRYPTO_KEY], struct crypto_aead **ret);

/* Wipe and free; nullptr is a no-op. Always returns nullptr. */
struct crypto_aead *crypto_aead_free(struct crypto_aead *aead);
CLEANUP_FN(struct crypto_aead, crypto_aead_free)

/* Bytes that are not secret and are authenticated with a message; {} for none. */
struct crypto_extra {
	const void *data; /* [len] */
	size_t len;
};

/*
 * Encrypt and authenticate.
 *
 * nonce  the caller sees to it that it is used once under this key
 * plain  [len], at most CRYPTO_AEAD_MAX
 * ret    [len + CRYPTO_TAG]: the ciphertext, then the tag; may be plain itself, but not overlap it otherwise
 *
 * Returns 0, or -EINVAL (len), -EIO; ret is undefined then.
 */
[[nodiscard]] int crypto_aead_seal(struct crypto_aead *aead, const uint8_t nonce[CRYPTO_NONCE],
				   struct crypto_extra extra, const void *plain, size_t len,
				   uint8_t *ret);

/*
 * Check and decrypt.
 *
 * sealed  [len] untrusted, the tag included
 * ret     [len - CRYPTO_TAG]; may be sealed itself
 *
 * Returns 0, or CRYPTO_NOT_AUTHENTIC (also if len has no room for a tag), -EINVAL (len), -EIO; ret is wiped then.
 */
[[nodiscard]] int crypto_aead_open(struct crypto_aead *aead, const uint8_t nonce[CRYPTO_NONCE],
				   struct crypto_extra extra, const void *sealed, size_t len,
				   uint8_t *ret);

/*
 * As crypto_aead_open(), with the tag in a place of its own.
 *
 * body  [len] untrusted; ret[len] may be body itself
 */
[[nodiscard]] int crypto_aead_open_apart(struct crypto_aead *aead,
					 const uint8_t nonce[CRYPTO_NONCE],
					 struct crypto_extra extra, const void *body, size_t len,
					 const uint8_t tag[CRYPTO_TAG], uint8_t *ret);

/*
 * Derive a key (HKDF-SHA256).
 *
 * key   [key_len] secret, any length
 * salt  need not be secret; {} for none
 * info  what the derived key is for; two uses never share one
 * ret   [len], at most 255 * 32
 *
 * Returns 0 or -EIO.
 */
[[nodiscard]] int crypto_hkdf(const void *key, size_t key_len, struct crypto_extra salt,
			      struct crypto_extra info, uint8_t *ret, size_t len);
