/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/aead.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

struct crypto_aead {
	EVP_CIPHER_CTX *ctx; /* wiped by the library when freed */
};

static EVP_KDF_CTX *kdf_free(EVP_KDF_CTX *ctx)
{
	EVP_KDF_CTX_free(ctx);
	return nullptr;
}
CLEANUP_FN(EVP_KDF_CTX, kdf_free)

int crypto_aead_new(const uint8_t key[CRYPTO_KEY], struct crypto_aead **ret)
{
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = calloc(1, sizeof(*aead));
	if (!aead)
		return -ENOMEM;

	aead->ctx = EVP_CIPHER_CTX_new();
	if (!aead->ctx)
		return -ENOMEM;
	if (EVP_EncryptInit_ex(aead->ctx, EVP_aes_256_gcm(), nullptr, key, nullptr) != 1)
		return -EIO;

	*ret = TAKE(aead);
	return 0;
}

struct crypto_aead *crypto_aead_free(struct crypto_aead *aead)
{
	if (aead)
		EVP_CIPHER_CTX_free(aead->ctx);
	free(aead);
	return nullptr;
}

/* Start a message: the key stays, the nonce and the direction are new. */
static bool start(struct crypto_aead *aead, bool seal, const uint8_t *nonce,
		  struct crypto_extra extra)
{
	int len = 0;

	if (extra.len > CRYPTO_AEAD_MAX ||
	    EVP_CipherInit_ex(aead->ctx, nullptr, nullptr, nullptr, nonce, seal) != 1)
		return false;
	return extra.len == 0 ||
	       EVP_CipherUpdate(aead->ctx, nullptr, &len, extra.data, (int)extra.len) == 1;
}

int crypto_aead_seal(struct crypto_aead *aead, const uint8_t nonce[CRYPTO_NONCE],
		     struct crypto_extra extra, const void *plain, size_t len, uint8_t *ret)
{
	int made = 0;

	if (len > CRYPTO_AEAD_MAX)
		return -EINVAL;
	if (!start(aead, true, nonce, extra) ||
	    (len > 0 && EVP_CipherUpdate(aead->ctx, ret, &made, plain, (int)len) != 1) ||
	    EVP_CipherFinal_ex(aead->ctx, ret + len, &made) != 1 ||
	    EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG, ret + len) != 1)
		return -EIO;
	return 0;
}

/* Decrypt body[len] and compare the tag. Returns 0, CRYPTO_NOT_AUTHENTIC or -EIO. */
static int open_body(struct crypto_aead *aead, const uint8_t *body, size_t len,
		     uint8_t tag[CRYPTO_TAG], uint8_t *ret)
{
	uint8_t none[1];
	int made = 0;

	if (len > 0 && EVP_CipherUpdate(aead->ctx, ret, &made, body, (int)len) != 1)
		return -EIO;
	if (EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG, tag) != 1)
		return -EIO;
	return EVP_CipherFinal_ex(aead->ctx, none, &made) == 1 ? 0 : CRYPTO_NOT_AUTHENTIC;
}

int crypto_aead_open_apart(struct crypto_aead *aead, const uint8_t nonce[CRYPTO_NONCE],
			   struct crypto_extra extra, const void *body, size_t len,
			   const uint8_t tag[CRYPTO_TAG], uint8_t *ret)
{
	uint8_t copy
		[CRYPTO_TAG]; /* the library wants it writable; ret may overwrite the original */

	if (len > CRYPTO_AEAD_MAX)
		return -EINVAL;

	memcpy(copy, tag, sizeof(copy));
	int r = start(aead, false, nonce, extra) ? open_body(aead, body, len, copy, ret) : -EIO;
	if (r && len > 0)
		explicit_bzero(ret, len);
	return r;
}

int crypto_aead_open(struct crypto_aead *aead, const uint8_t nonce[CRYPTO_NONCE],
		     struct crypto_extra extra, const void *sealed, size_t len, uint8_t *ret)
{
	if (len < CRYPTO_TAG)
		return CRYPTO_NOT_AUTHENTIC;

	size_t plain_len = len - CRYPTO_TAG;
	return crypto_aead_open_apart(aead, nonce, extra, sealed, plain_len,
				      (const uint8_t *)sealed + plain_len, ret);
}

int crypto_hkdf(const void *key, size_t key_len, struct crypto_extra salt, struct crypto_extra info,
		uint8_t *ret, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr);
	cleanup(kdf_free_at) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : nullptr;
	OSSL_PARAM param[5];
	size_t n = 0;

	EVP_KDF_free(kdf);
	if (!ctx)
		return -EIO;

	/* The library takes pointers that are not const and does not write through them. */
	param[n++] =
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]) { "SHA256" }, 0);
	param[n++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key,
						       key_len);
	if (salt.len > 0)
		param[n++] = OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.data, salt.len);
	param[n++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
						       (void *)(uintptr_t)info.data, info.len);
	param[n] = OSSL_PARAM_construct_end();
	return EVP_KDF_derive(ctx, ret, len, param) == 1 ? 0 : -EIO;
}
