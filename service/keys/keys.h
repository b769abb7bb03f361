/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keys: ask redoubt-keys for data keys; collection keys never come here.
 *
 * Layer 2 (service/keys). Every collection, named by its uuid, has a collection key that stays
 * with redoubt-keys. A data key (256 bits) is made there, comes back once in clear and once
 * wrapped; the wrapped form is what is stored, and only redoubt-keys can unwrap it, for the same
 * collection and purpose only. Destroying the collection key makes all of it unreadable for ever.
 * Threads: any; calls wait for one another. A call waits at most KEYS_TIMEOUT_S for its answer.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/keys.h"

constexpr int KEYS_TIMEOUT_S = 5; /* a TPM takes tenths of a second; a dying disk takes longer */

enum {
	KEYS_OK = 0,
	KEYS_ABSENT,	    /* the collection has no key: never made, or destroyed */
	KEYS_NOT_AUTHENTIC, /* the wrapped bytes are not this collection's and purpose's, or damaged */
	KEYS_UNAVAILABLE, /* redoubt-keys, its provider or the ledger did not do it; try again later */
	KEYS_FULL,	  /* no more versions of the collection's key fit */
};

struct keys;

/*
 * Make a client of redoubt-keys. Connects at the first call, and again whenever the connection is lost.
 *
 * socket_path  of the listening socket; nullptr is keys-engine.sock below the run folder
 *
 * Returns 0, -ENOMEM, or -ENAMETOOLONG.
 */
[[nodiscard]] int keys_open(const char *socket_path, struct keys **ret);

/*
 * The same functions inside this process, for tests and tools: the collection keys lie in folder,
 * wrapped by a master key that lies beside them, so they protect nothing from who reads both.
 *
 * folder  must exist; the master key is made there the first time
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int keys_open_file(const char *folder, struct keys **ret);

/* Disconnect, wipe and free. nullptr is a no-op. Always returns nullptr. */
struct keys *keys_close(struct keys *keys);
CLEANUP_FN(struct keys, keys_close)

/*
 * Make the collection's key; one that is there already stays as it is.
 *
 * uuid  36 characters, lower-case hexadecimal with hyphens, here and below
 *
 * Returns 0, KEYS_UNAVAILABLE, or -EINVAL (not a uuid), -ENOMEM, another -errno.
 */
[[nodiscard]] int keys_create(struct keys *keys, const char *uuid);

/*
 * Make a data key.
 *
 * purpose  what it is for: 1 to KEYS_PURPOSE_MAX of a-z, 0-9 and -; the same is wanted to unwrap it
 * ret_key  the caller wipes it (explicit_bzero) when done
 * wrapped  at most KEYS_WRAPPED_MAX bytes are appended
 *
 * Returns 0, KEYS_ABSENT, KEYS_UNAVAILABLE, or -EINVAL, -ENOMEM, another -errno.
 */
[[nodiscard]] int keys_data_new(struct keys *keys, const char *uuid, const char *purpose,
				uint8_t ret_key[KEYS_DATA_KEY], struct buf *wrapped);

/*
 * Unwrap a data key.
 *
 * wrapped  [len] as keys_data_new() or keys_rewrap() made it; untrusted
 *
 * Returns 0, KEYS_ABSENT, KEYS_NOT_AUTHENTIC, KEYS_UNAVAILABLE, or -EINVAL, -ENOMEM, another -errno.
 */
[[nodiscard]] int keys_data_unwrap(struct keys *keys, const char *uuid, const char *purpose,
				   const uint8_t *wrapped, size_t len,
				   uint8_t ret_key[KEYS_DATA_KEY]);

/*
 * Make a new version of the collection's key; what older versions wrapped stays readable until
 * it is wrapped anew with keys_rewrap() and the collection is destroyed.
 *
 * Returns 0, KEYS_ABSENT, KEYS_FULL, KEYS_UNAVAILABLE, or -EINVAL, -ENOMEM, another -errno.
 */
[[nodiscard]] int keys_rotate(struct keys *keys, const char *uuid);

/*
 * Wrap a data key anew under the newest version of the collection's key; the data key stays the same.
 *
 * wrapped  [len] untrusted
 * ret      at most KEYS_WRAPPED_MAX bytes are appended
 *
 * Returns as keys_data_unwrap() does.
 */
[[nodiscard]] int keys_rewrap(struct keys *keys, const char *uuid, const char *purpose,
			      const uint8_t *wrapped, size_t len, struct buf *ret);

/*
 * Destroy the collection's key, all versions. What it wrapped can never be read again. A
 * collection without a key is no error: a destruction may be repeated.
 *
 * Returns 0, KEYS_UNAVAILABLE, or -EINVAL, -ENOMEM, another -errno.
 */
[[nodiscard]] int keys_destroy(struct keys *keys, const char *uuid);
