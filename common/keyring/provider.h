/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * provider: whoever keeps a master key and wraps other keys under it: a TPM, a file, later a KMS.
 *
 * Layer 1 (common/keyring). The five functions of docs/architecture.md section 4. The master key
 * itself never leaves the provider; what it wraps is bound to a context, and opens for no other.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/aead.h"

enum {
	PROVIDER_OK = 0,
	PROVIDER_NOT_AUTHENTIC, /* not wrapped by this provider for this context, or changed */
	PROVIDER_UNAVAILABLE,	/* the master key cannot be reached now */
};

/* What a wrapped key is for. Texts are borrowed. */
struct wrap_context {
	const char *purpose; /* "collection-key" */
	const char *name;    /* whose: the collection's uuid */
	uint32_t number;     /* which version of it; 0 if it has none */
};

/* All return 0, a positive PROVIDER_ outcome, or -errno; what they return is set on 0 only. */
struct provider_table {
	/* Wrap a key under the newest master key: bytes are appended to ret. */
	int (*wrap)(void *self, const struct wrap_context *context, const uint8_t key[CRYPTO_KEY],
		    struct buf *ret);
	/* Unwrap what any version of the master key has wrapped. wrapped[len] is untrusted. */
	int (*unwrap)(void *self, const struct wrap_context *context, const uint8_t *wrapped,
		      size_t len, uint8_t ret_key[CRYPTO_KEY]);
	/* Make a key and wrap it. */
	int (*generate)(void *self, const struct wrap_context *context, uint8_t ret_key[CRYPTO_KEY],
			struct buf *ret);
	/* Make a new version of the master key; what older ones wrapped still opens. */
	int (*rotate)(void *self);
	/* Destroy all versions of the master key: nothing that it wrapped opens ever again. */
	int (*destroy)(void *self);
};

struct provider {
	const char *name; /* "tpm", "file": written beside what it wraps */
	const struct provider_table *table;
	void *self; /* borrowed */
};
