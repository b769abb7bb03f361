/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * box: seal something so that only the holder of a private key can open it.
 *
 * Layer 1 (common/crypto). X25519 with a key pair made for each box, HKDF-SHA256, AES-256-GCM.
 * Anybody with the public key can make a box: opening one says nothing about who sealed it.
 * Source: RFC 7748, RFC 5869; the construction is that of RFC 9180 (HPKE base mode) with our own labels.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/crypto/aead.h"

constexpr size_t CRYPTO_BOX_SEED = 32; /* the private key: any 32 bytes will do */
constexpr size_t CRYPTO_BOX_PUBLIC = 32;
constexpr size_t CRYPTO_BOX_EXTRA = CRYPTO_BOX_PUBLIC + CRYPTO_TAG; /* a box is that much longer */

/* The public half of a private key. Returns 0 or -EIO. */
[[nodiscard]] int crypto_box_public(const uint8_t seed[CRYPTO_BOX_SEED],
				    uint8_t ret[CRYPTO_BOX_PUBLIC]);

/*
 * Seal plain[len] for the holder of a public key.
 *
 * extra  what it is for; the same is wanted to open it
 * ret    [len + CRYPTO_BOX_EXTRA]
 *
 * Returns 0, -EINVAL (len, or not a usable public key), -ENOMEM, -EIO or -errno of getrandom(2).
 */
[[nodiscard]] int crypto_box_seal(const uint8_t public_key[CRYPTO_BOX_PUBLIC],
				  struct crypto_extra extra, const void *plain, size_t len,
				  uint8_t *ret);

/*
 * Open a box.
 *
 * box  [len] untrusted
 * ret  [len - CRYPTO_BOX_EXTRA]
 *
 * Returns 0, CRYPTO_NOT_AUTHENTIC (not for this key, or changed), -ENOMEM or -EIO.
 */
[[nodiscard]] int crypto_box_open(const uint8_t seed[CRYPTO_BOX_SEED], struct crypto_extra extra,
				  const void *box, size_t len, uint8_t *ret);
