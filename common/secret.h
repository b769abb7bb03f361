/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * secret: memory for keys and passphrases: locked, left out of core dumps, wiped at the end.
 *
 * Layer 1 (common). There is no function that prints one.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct secret {
	uint8_t *data; /* [len] */
	size_t len;
	size_t room; /* whole pages */
};

/*
 * Make room for len (1 to 1 MiB) bytes, zeroed. Locking the pages is tried, not required: the
 * swap of the appliance is encrypted.
 *
 * Returns 0 or -errno of mmap(2), -EINVAL if len is out of range. *ret is set only on success.
 */
[[nodiscard]] int secret_init(struct secret *ret, size_t len);

/* Wipe and unmap; an empty secret is a no-op. */
void secret_done(struct secret *secret);

/* Whether the secret equals other[len]; the time taken depends on the lengths only. */
[[nodiscard]] bool secret_equals(const struct secret *secret, const void *other, size_t len);

/* Whether a[len] equals b[len]; the time taken depends on len only. */
[[nodiscard]] bool secret_same(const void *a, const void *b, size_t len);

#define auto_secret cleanup(secret_done)
