/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/apikey.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"

static const char PREFIX[] = "rdt_";
static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr unsigned int BASE = 62;
constexpr size_t PREFIX_LEN = sizeof(PREFIX) - 1;
constexpr size_t BITS = 32;
constexpr size_t SECRET_DIGITS = 43; /* 62^43 > 2^256 */
constexpr size_t CHECK_DIGITS = 6;   /* 62^6 > 2^32 */
static_assert(PREFIX_LEN + SECRET_DIGITS + CHECK_DIGITS == APIKEY_LEN);

/* Divide a big-endian number by 62 in place. Returns the remainder. */
static unsigned int divide(uint8_t number[static BITS])
{
	unsigned int rest = 0;

	for (size_t i = 0; i < BITS; i++) {
		unsigned int part = rest << 8 | number[i];

		number[i] = (uint8_t)(part / BASE);
		rest = part % BASE;
	}
	return rest;
}

/* The checksum digits of a key's first part. */
static void spell_check(const char *key, char ret[static CHECK_DIGITS])
{
	uint32_t crc = crc32c(key, PREFIX_LEN + SECRET_DIGITS);

	for (size_t i = CHECK_DIGITS; i-- > 0; crc /= BASE)
		ret[i] = DIGITS[crc % BASE];
}

void apikey_spell(const uint8_t bits[BITS], char ret[APIKEY_LEN + 1])
{
	uint8_t number[BITS];

	memcpy(number, bits, BITS);
	memcpy(ret, PREFIX, PREFIX_LEN);
	for (size_t i = SECRET_DIGITS; i-- > 0;)
		ret[PREFIX_LEN + i] = DIGITS[divide(number)];
	spell_check(ret, ret + PREFIX_LEN + SECRET_DIGITS);
	ret[APIKEY_LEN] = '\0';
	explicit_bzero(number, sizeof(number));
}

int apikey_make(struct secret *ret)
{
	auto_secret struct secret bits = {};
	auto_secret struct secret text = {};

	int r = secret_init(&bits, BITS);
	if (r == 0)
		r = secret_init(&text, APIKEY_LEN + 1);
	if (r == 0)
		r = crypto_random(bits.data, bits.len);
	if (r)
		return r;

	apikey_spell(bits.data, (char *)text.data);
	*ret = text;
	text = (struct secret) {};
	return 0;
}

bool apikey_is_sound(const char *text, size_t len)
{
	char check[CHECK_DIGITS];

	if (len != APIKEY_LEN || memcmp(text, PREFIX, PREFIX_LEN) != 0)
		return false;
	for (size_t i = PREFIX_LEN; i < len; i++)
		if (text[i] == '\0' || !strchr(DIGITS, text[i]))
			return false;
	spell_check(text, check);
	return memcmp(text + PREFIX_LEN + SECRET_DIGITS, check, CHECK_DIGITS) == 0;
}

int apikey_hash(const char *text, size_t len, uint8_t ret[CRYPTO_HASH])
{
	return crypto_sha256(text, len, ret);
}

void apikey_id(const char *text, char ret[APIKEY_ID])
{
	memcpy(ret, text, APIKEY_ID - 1);
	ret[APIKEY_ID - 1] = '\0';
}
