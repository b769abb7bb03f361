/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * crypto: hashes, message authentication, random bytes, Ed25519, base64.
 *
 * Layer 1 (common/crypto). One of the two folders that include OpenSSL. Safe from any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/secret.h"

constexpr size_t CRYPTO_HASH = 32;	/* SHA-256, HMAC-SHA256 */
constexpr size_t CRYPTO_SIGNATURE = 64; /* Ed25519, RFC 8032 */
constexpr size_t CRYPTO_PUBLIC = 32;
constexpr size_t CRYPTO_PRIVATE = 32; /* the seed */

/* SHA-256 of len bytes. Returns 0, or -EIO if the library failed. Source: FIPS 180-4. */
[[nodiscard]] int crypto_sha256(const void *data, size_t len, uint8_t ret[CRYPTO_HASH]);

/* SHA-256 of two runs of bytes, one after the other, after one prefix byte. Returns 0 or -EIO. For Merkle trees (RFC 6962 section 2.1). */
[[nodiscard]] int crypto_sha256_prefixed(uint8_t prefix, const void *a, size_t a_len, const void *b,
					 size_t b_len, uint8_t ret[CRYPTO_HASH]);

/* Hashes that people's data is compared by. MD5 and SHA-1 protect nothing. */
enum crypto_digest : uint8_t {
	CRYPTO_MD5,
	CRYPTO_SHA1,
	CRYPTO_SHA256,
	CRYPTO_SHA512,
};

constexpr size_t CRYPTO_DIGEST_MAX = 64;

/* Hash data[len]; *ret_len of ret are filled. Returns 0 or -EIO. */
[[nodiscard]] int crypto_digest(enum crypto_digest kind, const void *data, size_t len,
				uint8_t ret[CRYPTO_DIGEST_MAX], size_t *ret_len);

/* HMAC of data[len] under a key that is no secret of ours; *ret_len of ret are filled. Returns 0 or -EIO. Source: RFC 2104. */
[[nodiscard]] int crypto_digest_hmac(enum crypto_digest kind, const void *key, size_t key_len,
				     const void *data, size_t len, uint8_t ret[CRYPTO_DIGEST_MAX],
				     size_t *ret_len);

/* HMAC-SHA256. Returns 0, or -EIO if the library failed. Source: RFC 2104. */
[[nodiscard]] int crypto_hmac(const struct secret *key, const void *data, size_t len,
			      uint8_t ret[CRYPTO_HASH]);

/* Fill ret[len] with random bytes fit for keys. Returns 0 or -errno of getrandom(2). */
[[nodiscard]] int crypto_random(void *ret, size_t len);

/* Make an Ed25519 key pair. ret_private is set only on success; free with secret_done(). Returns 0, -EIO or -errno. */
[[nodiscard]] int crypto_sign_keys(struct secret *ret_private, uint8_t ret_public[CRYPTO_PUBLIC]);

/* The public half of a private key of CRYPTO_PRIVATE bytes. Returns 0, -EINVAL for another length, or -EIO. */
[[nodiscard]] int crypto_sign_public(const struct secret *private_key,
				     uint8_t ret_public[CRYPTO_PUBLIC]);

/* Sign len bytes with Ed25519. Returns 0, -EINVAL (key length) or -EIO. Source: RFC 8032. */
[[nodiscard]] int crypto_sign(const struct secret *private_key, const void *data, size_t len,
			      uint8_t ret[CRYPTO_SIGNATURE]);

/* Whether signature is public_key's over data[len]; false also if the library fails. */
[[nodiscard]] bool crypto_verify(const uint8_t public_key[CRYPTO_PUBLIC], const void *data,
				 size_t len, const uint8_t signature[CRYPTO_SIGNATURE]);

/* Characters that the base64 of len bytes takes, without a NUL. */
[[nodiscard]] size_t crypto_base64_len(size_t len);

/* Write the base64 of data[len] and a NUL to ret[crypto_base64_len(len) + 1]. Source: RFC 4648 section 4. */
void crypto_base64(const void *data, size_t len, char *ret);

/*
 * Decode base64 (standard alphabet, padded, nothing else in it).
 *
 * text  [len] untrusted
 * ret   [room]
 *
 * Returns whether it was well-formed and fitted; *ret_len is set only then.
 */
[[nodiscard]] bool crypto_base64_decode(const char *text, size_t len, uint8_t *ret, size_t room,
					size_t *ret_len);

/* Write the lower-case hexadecimal of data[len] and a NUL to ret[2 * len + 1]. */
void crypto_hex(const void *data, size_t len, char *ret);
