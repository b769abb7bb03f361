/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keyset: the versions of one key, in locked memory, and the wrapping of other keys under it.
 *
 * Layer 1 (common/keyring). The newest version wraps, each of them unwraps. The form of a wrapped
 * key is in appliance/keys/FORMAT.md section 1.
 * Threads: one keyset, one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/keyring/provider.h"
#include "common/secret.h"

constexpr size_t KEYSET_MAX = 256; /* versions: a yearly rotation for longer than disks last */
constexpr size_t KEYSET_WRAPPED = 1 + 4 + CRYPTO_NONCE + CRYPTO_KEY + CRYPTO_TAG;

enum {
	KEYSET_OK = 0,
	KEYSET_NOT_AUTHENTIC, /* no version of this key wrapped it for this context, or it was changed */
	KEYSET_FULL,	      /* KEYSET_MAX versions */
};

struct keyset {
	struct secret keys; /* [n] keys of CRYPTO_KEY bytes */
	uint32_t version[KEYSET_MAX];
	size_t n;
};

/* Make an empty set. Returns 0 or -errno of mmap(2). */
[[nodiscard]] int keyset_init(struct keyset *ret);

/* Wipe; an empty or zeroed set is a no-op. */
void keyset_done(struct keyset *set);

/* Add a version that is there already. Returns 0, KEYSET_FULL, or -EINVAL if it is not newer than the newest. */
[[nodiscard]] int keyset_add(struct keyset *set, uint32_t version, const uint8_t key[CRYPTO_KEY]);

/* Make a new version, one above the newest. Returns 0, KEYSET_FULL or -errno of getrandom(2). */
[[nodiscard]] int keyset_grow(struct keyset *set);

/* The number of the newest version; 0 if there is none. */
[[nodiscard]] uint32_t keyset_newest(const struct keyset *set);

/* The key at place i < n, in the order of the versions. Borrowed. */
[[nodiscard]] const uint8_t *keyset_key(const struct keyset *set, size_t i);

/*
 * Wrap a key under the newest version: KEYSET_WRAPPED bytes are appended to ret, whose error sticks.
 *
 * Returns 0, or -ENOKEY (empty set), -ENOMEM, -EMSGSIZE, -EIO, -errno of getrandom(2).
 */
[[nodiscard]] int keyset_wrap(const struct keyset *set, const struct wrap_context *context,
			      const uint8_t key[CRYPTO_KEY], struct buf *ret);

/*
 * Unwrap a key.
 *
 * wrapped  [len] untrusted
 *
 * Returns 0, KEYSET_NOT_AUTHENTIC, or -ENOMEM, -EIO; ret_key is set on 0 only.
 */
[[nodiscard]] int keyset_unwrap(const struct keyset *set, const struct wrap_context *context,
				const uint8_t *wrapped, size_t len, uint8_t ret_key[CRYPTO_KEY]);

#define auto_keyset cleanup(keyset_done)
