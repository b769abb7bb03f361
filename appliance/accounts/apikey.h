/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * apikey: the text of an API key: made here, checked for typing errors here, and hashed here.
 *
 * Layer 2 (appliance/accounts). Pure functions, but for the random bytes.
 * Form: "rdt_", 43 base62 digits of 256 random bits, 6 base62 digits of the CRC-32C of all before
 * (docs/architecture.md section 5). A mistyped key is found without looking anything up, and a key lying about
 * in a file is found by a search for its form.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"

constexpr size_t APIKEY_LEN = 53; /* 4 + 43 + 6 */
constexpr size_t APIKEY_ID = 11;  /* the identifier: the first 10 characters, and a NUL */

/*
 * Make a new key. ret holds its APIKEY_LEN characters and a NUL; set only on success; free with secret_done().
 *
 * Returns 0 or -errno of getrandom(2), mmap(2).
 */
[[nodiscard]] int apikey_make(struct secret *ret);

/* Spell 32 bytes out as a key's APIKEY_LEN characters and a NUL. For apikey_make() and its test. */
void apikey_spell(const uint8_t bits[32], char ret[APIKEY_LEN + 1]);

/* Whether text[len] has a key's form and its checksum is right; says nothing about whether there is such a key. */
[[nodiscard]] bool apikey_is_sound(const char *text, size_t len);

/*
 * What is stored instead of a key: SHA-256. 256 random bits need no salt and no slow hash.
 *
 * Returns 0 or -EIO.
 */
[[nodiscard]] int apikey_hash(const char *text, size_t len, uint8_t ret[CRYPTO_HASH]);

/* The identifier of a sound key: its first 10 characters, which are not enough to use it. */
void apikey_id(const char *text, char ret[APIKEY_ID]);
