/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sealed_head: the header of a sealed file, its keys, and what reader and writer share. Not for others.
 *
 * Layer 2 (service/disk). Format: FORMAT.md section 1. A header read from a file is untrusted.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/aead.h"
#include "common/secret.h"
#include "service/disk/sealed.h"

constexpr size_t SEALED_HEADER = 132;			 /* bytes before page 0 */
constexpr size_t SEALED_STEP = SEALED_PAGE + CRYPTO_TAG; /* bytes of a page in the file */

/*
 * Make a new file's header and its page key.
 *
 * key           SEALED_KEY bytes, the data key
 * context       as in sealed_writer_new()
 * ret_page_key  set only on success; free with secret_done()
 *
 * Returns 0, -EMSGSIZE (context) or -errno.
 */
[[nodiscard]] int sealed_head_make(const uint8_t *key, const char *context,
				   uint8_t ret[SEALED_HEADER], struct secret *ret_page_key);

/*
 * Check a header.
 *
 * head          [len] untrusted; what follows the header may be there too
 * context       what it must be
 * ret_page_key  set only on success; free with secret_done()
 *
 * Returns 0, SEALED_DAMAGED, SEALED_OTHER_KEY, SEALED_TOO_NEW or -errno.
 */
[[nodiscard]] int sealed_head_check(const uint8_t *head, size_t len, const uint8_t *key,
				    const char *context, struct secret *ret_page_key);

/* The nonce of a page. */
void sealed_nonce(uint32_t page, uint8_t ret[CRYPTO_NONCE]);

/* Where a page begins in the file. */
[[nodiscard]] uint64_t sealed_offset(uint32_t page);

/* Make a reader of a file whose header is known to be right. file and page_key are given away on success. Returns 0 or -ENOMEM. */
[[nodiscard]] int sealed_make(struct file **file, struct secret *page_key, uint32_t pages,
			      struct sealed **ret);
