/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/crypto.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

static EVP_MD_CTX *md_free(EVP_MD_CTX *ctx)
{
	EVP_MD_CTX_free(ctx);
	return nullptr;
}
CLEANUP_FN(EVP_MD_CTX, md_free)

static EVP_PKEY *key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
	return nullptr;
}
CLEANUP_FN(EVP_PKEY, key_free)

int crypto_sha256(const void *data, size_t len, uint8_t ret[CRYPTO_HASH])
{
	return EVP_Digest(data, len, ret, nullptr, EVP_sha256(), nullptr) == 1 ? 0 : -EIO;
}

int crypto_sha256_prefixed(uint8_t prefix, const void *a, size_t a_len, const void *b, size_t b_len,
			   uint8_t ret[CRYPTO_HASH])
{
	cleanup(md_free_at) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), nullptr) != 1 ||
	    EVP_DigestUpdate(ctx, &prefix, 1) != 1 || EVP_DigestUpdate(ctx, a, a_len) != 1 ||
	    EVP_DigestUpdate(ctx, b, b_len) != 1 || EVP_DigestFinal_ex(ctx, ret, nullptr) != 1)
		return -EIO;
	return 0;
}

static const EVP_MD *digest_of(enum crypto_digest kind)
{
	switch (kind) {
	case CRYPTO_MD5:
		return EVP_md5();
	case CRYPTO_SHA1:
		return EVP_sha1();
	case CRYPTO_SHA256:
		return EVP_sha256();
	case CRYPTO_SHA512:
		return EVP_sha512();
	}
	return nullptr;
}

int crypto_digest(enum crypto_digest kind, const void *data, size_t len,
		  uint8_t ret[CRYPTO_DIGEST_MAX], size_t *ret_len)
{
	unsigned int made = 0;
	int ok = EVP_Digest(data, len, ret, &made, digest_of(kind), nullptr);

	*ret_len = made;
	return ok == 1 ? 0 : -EIO;
}

int crypto_digest_hmac(enum crypto_digest kind, const void *key, size_t key_len, const void *data,
		       size_t len, uint8_t ret[CRYPTO_DIGEST_MAX], size_t *ret_len)
{
	unsigned int made = 0;

	if (key_len > INT_MAX)
		return -EIO;
	/* A null key means "as last time" to the library. */
	if (!HMAC(digest_of(kind), key_len > 0 ? key : "", (int)key_len, data, len, ret, &made))
		return -EIO;
	*ret_len = made;
	return 0;
}

int crypto_hmac(const struct secret *key, const void *data, size_t len, uint8_t ret[CRYPTO_HASH])
{
	unsigned int made = CRYPTO_HASH;

	return HMAC(EVP_sha256(), key->data, (int)key->len, data, len, ret, &made) ? 0 : -EIO;
}

int crypto_random(void *ret, size_t len)
{
	uint8_t *at = ret;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return neg_errno();
		at += got;
		len -= (size_t)got;
	}
	return 0;
}

/* The OpenSSL object of a private key, or nullptr. */
static EVP_PKEY *private_object(const struct secret *key)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key->data, key->len);
}

int crypto_sign_public(const struct secret *private_key, uint8_t ret_public[CRYPTO_PUBLIC])
{
	size_t len = CRYPTO_PUBLIC;

	if (private_key->len != CRYPTO_PRIVATE)
		return -EINVAL;

	cleanup(key_free_at) EVP_PKEY *key = private_object(private_key);
	if (!key || EVP_PKEY_get_raw_public_key(key, ret_public, &len) != 1)
		return -EIO;
	return 0;
}

int crypto_sign_keys(struct secret *ret_private, uint8_t ret_public[CRYPTO_PUBLIC])
{
	auto_secret struct secret made = {};

	int r = secret_init(&made, CRYPTO_PRIVATE);
	if (r == 0)
		r = crypto_random(made.data, made.len);
	if (r == 0)
		r = crypto_sign_public(&made, ret_public);
	if (r)
		return r;

	*ret_private = made;
	made = (struct secret) {};
	return 0;
}

int crypto_sign(const struct secret *private_key, const void *data, size_t len,
		uint8_t ret[CRYPTO_SIGNATURE])
{
	size_t made = CRYPTO_SIGNATURE;

	if (private_key->len != CRYPTO_PRIVATE)
		return -EINVAL;

	cleanup(key_free_at) EVP_PKEY *key = private_object(private_key);
	cleanup(md_free_at) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!key || !ctx || EVP_DigestSignInit(ctx, nullptr, nullptr, nullptr, key) != 1 ||
	    EVP_DigestSign(ctx, ret, &made, data, len) != 1)
		return -EIO;
	return 0;
}

bool crypto_verify(const uint8_t public_key[CRYPTO_PUBLIC], const void *data, size_t len,
		   const uint8_t signature[CRYPTO_SIGNATURE])
{
	cleanup(key_free_at) EVP_PKEY *key =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key, CRYPTO_PUBLIC);
	cleanup(md_free_at) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	return key && ctx && EVP_DigestVerifyInit(ctx, nullptr, nullptr, nullptr, key) == 1 &&
	       EVP_DigestVerify(ctx, signature, CRYPTO_SIGNATURE, data, len) == 1;
}

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t crypto_base64_len(size_t len)
{
	return (len + 2) / 3 * 4;
}

void crypto_base64(const void *data, size_t len, char *ret)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)byte[i] << 16;

		group |= i + 1 < len ? (uint32_t)byte[i + 1] << 8 : 0;
		group |= i + 2 < len ? (uint32_t)byte[i + 2] : 0;
		*ret++ = ALPHABET[group >> 18];
		*ret++ = ALPHABET[(group >> 12) & 63];
		*ret++ = i + 1 < len ? ALPHABET[(group >> 6) & 63] : '=';
		*ret++ = i + 2 < len ? ALPHABET[group & 63] : '=';
	}
	*ret = '\0';
}

/* The six bits a base64 character stands for, or -1. */
static int sextet(char c)
{
	const char *at = c ? strchr(ALPHABET, c) : nullptr;

	return at ? (int)(at - ALPHABET) : -1;
}

bool crypto_base64_decode(const char *text, size_t len, uint8_t *ret, size_t room, size_t *ret_len)
{
	size_t pad = len >= 2 && text[len - 1] == '=' ? (text[len - 2] == '=' ? 2 : 1) : 0;
	size_t out = len / 4 * 3 - pad;
	size_t made = 0;
	uint32_t bits = 0;

	if (len % 4 != 0 || out > room)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = i < len - pad ? sextet(text[i]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 3)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8) {
			auto byte = (uint8_t)(bits >> shift);

			if (made < out)
				ret[made++] = byte;
			else if (byte != 0)
				return false; /* stray bits below the padding */
		}
		bits = 0;
	}
	*ret_len = out;
	return true;
}

void crypto_hex(const void *data, size_t len, char *ret)
{
	static const char DIGITS[] = "0123456789abcdef";
	const uint8_t *byte = data;

	for (size_t i = 0; i < len; i++) {
		*ret++ = DIGITS[byte[i] >> 4];
		*ret++ = DIGITS[byte[i] & 15];
	}
	*ret = '\0';
}
