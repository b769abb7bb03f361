/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/box.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/crypto/crypto.h"

static const char LABEL[] = "redoubt box 1";
/* The key is used for this one box, so its nonce need not differ from another's. */
static const uint8_t NONCE[CRYPTO_NONCE];

static EVP_PKEY *key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
	return nullptr;
}
CLEANUP_FN(EVP_PKEY, key_free)

static EVP_PKEY_CTX *ctx_free(EVP_PKEY_CTX *ctx)
{
	EVP_PKEY_CTX_free(ctx);
	return nullptr;
}
CLEANUP_FN(EVP_PKEY_CTX, ctx_free)

int crypto_box_public(const uint8_t seed[CRYPTO_BOX_SEED], uint8_t ret[CRYPTO_BOX_PUBLIC])
{
	size_t len = CRYPTO_BOX_PUBLIC;
	cleanup(key_free_at) EVP_PKEY *key =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, seed, CRYPTO_BOX_SEED);

	return key && EVP_PKEY_get_raw_public_key(key, ret, &len) == 1 ? 0 : -EIO;
}

/* The secret that both sides come to. Returns 0, or -EINVAL: the public key is one of the few that are no good. */
static int agree(const uint8_t seed[CRYPTO_BOX_SEED], const uint8_t theirs[CRYPTO_BOX_PUBLIC],
		 uint8_t ret[32])
{
	size_t len = 32;
	cleanup(key_free_at) EVP_PKEY *own =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, seed, CRYPTO_BOX_SEED);
	cleanup(key_free_at) EVP_PKEY *other =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, theirs, CRYPTO_BOX_PUBLIC);
	cleanup(ctx_free_at) EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, nullptr) : nullptr;

	if (!other || !ctx || EVP_PKEY_derive_init(ctx) != 1)
		return -EIO;
	if (EVP_PKEY_derive_set_peer(ctx, other) != 1 || EVP_PKEY_derive(ctx, ret, &len) != 1)
		return -EINVAL;
	return 0;
}

/* The box's cipher: from the secret that both come to and both public keys. */
static int box_cipher(const uint8_t seed[CRYPTO_BOX_SEED], const uint8_t theirs[CRYPTO_BOX_PUBLIC],
		      const uint8_t salt[2 * CRYPTO_BOX_PUBLIC], struct crypto_aead **ret)
{
	uint8_t shared[32], key[CRYPTO_KEY];
	int r = agree(seed, theirs, shared);

	if (r == 0)
		r = crypto_hkdf(shared, sizeof(shared),
				(struct crypto_extra) { salt, 2 * CRYPTO_BOX_PUBLIC },
				(struct crypto_extra) { LABEL, sizeof(LABEL) - 1 }, key,
				sizeof(key));
	if (r == 0)
		r = crypto_aead_new(key, ret);
	explicit_bzero(shared, sizeof(shared));
	explicit_bzero(key, sizeof(key));
	return r;
}

int crypto_box_seal(const uint8_t public_key[CRYPTO_BOX_PUBLIC], struct crypto_extra extra,
		    const void *plain, size_t len, uint8_t *ret)
{
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	uint8_t seed[CRYPTO_BOX_SEED], salt[2 * CRYPTO_BOX_PUBLIC];
	int r = crypto_random(seed, sizeof(seed));

	if (r == 0)
		r = crypto_box_public(seed, salt);
	memcpy(salt + CRYPTO_BOX_PUBLIC, public_key, CRYPTO_BOX_PUBLIC);
	if (r == 0)
		r = box_cipher(seed, public_key, salt, &aead);
	explicit_bzero(seed, sizeof(seed));
	if (r)
		return r;
	memcpy(ret, salt, CRYPTO_BOX_PUBLIC);
	return crypto_aead_seal(aead, NONCE, extra, plain, len, ret + CRYPTO_BOX_PUBLIC);
}

int crypto_box_open(const uint8_t seed[CRYPTO_BOX_SEED], struct crypto_extra extra, const void *box,
		    size_t len, uint8_t *ret)
{
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	uint8_t salt[2 * CRYPTO_BOX_PUBLIC];
	const uint8_t *at = box;

	if (len < CRYPTO_BOX_EXTRA)
		return CRYPTO_NOT_AUTHENTIC;
	memcpy(salt, at, CRYPTO_BOX_PUBLIC);
	int r = crypto_box_public(seed, salt + CRYPTO_BOX_PUBLIC);
	if (r == 0)
		r = box_cipher(seed, at, salt, &aead);
	if (r)
		return r == -EINVAL ? CRYPTO_NOT_AUTHENTIC : r;
	return crypto_aead_open(aead, NONCE, extra, at + CRYPTO_BOX_PUBLIC, len - CRYPTO_BOX_PUBLIC,
				ret);
}
