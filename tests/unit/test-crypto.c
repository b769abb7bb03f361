/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/crypto.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/secret.h"
#include "tests/lib/tap.h"

/* Whether data[len] is what the hexadecimal text says. */
static bool is_hex(const uint8_t *data, size_t len, const char *want)
{
	char text[256];

	crypto_hex(data, len, text);
	return strcmp(text, want) == 0;
}

static bool sha256_matches_the_standard(void)
{
	uint8_t hash[CRYPTO_HASH];

	CHECK_EQ(crypto_sha256("abc", 3, hash), 0); /* FIPS 180-4 example */
	CHECK(is_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	CHECK_EQ(crypto_sha256_prefixed('a', "b", 1, "c", 1, hash), 0);
	CHECK(is_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	return true;
}

static bool hmac_matches_the_standard(void)
{
	auto_secret struct secret key = {};
	uint8_t mac[CRYPTO_HASH];

	CHECK_EQ(secret_init(&key, 4), 0); /* RFC 4231 test case 2 */
	memcpy(key.data, "Jefe", 4);
	CHECK_EQ(crypto_hmac(&key, "what do ya want for nothing?", 28, mac), 0);
	CHECK(is_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
	return true;
}

static bool ed25519_matches_the_standard(void)
{
	static const uint8_t SEED[] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
					0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
					0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
					0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 };
	auto_secret struct secret key = {};
	uint8_t public_key[CRYPTO_PUBLIC], signature[CRYPTO_SIGNATURE];

	CHECK_EQ(secret_init(&key, sizeof(SEED)), 0); /* RFC 8032 section 7.1, test 1 */
	memcpy(key.data, SEED, sizeof(SEED));
	CHECK_EQ(crypto_sign_public(&key, public_key), 0);
	CHECK(is_hex(public_key, 32,
		     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
	CHECK_EQ(crypto_sign(&key, "", 0, signature), 0);
	CHECK(is_hex(
		signature, 64,
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
		"c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"));
	CHECK(crypto_verify(public_key, "", 0, signature));
	signature[10] ^= 1;
	CHECK(!crypto_verify(public_key, "", 0, signature));
	return true;
}

static bool keys_of_another_length_are_refused(void)
{
	auto_secret struct secret key = {};
	uint8_t signature[CRYPTO_SIGNATURE];

	CHECK_EQ(secret_init(&key, 31), 0);
	CHECK_EQ(crypto_sign(&key, "", 0, signature), -EINVAL);
	CHECK_EQ(secret_init(&key, 0), -EINVAL);
	return true;
}

static bool base64_matches_the_standard_both_ways(void)
{
	static const char *const PAIRS[][2] = { { "", "" },
						{ "f", "Zg==" },
						{ "fo", "Zm8=" },
						{ "foo", "Zm9v" },
						{ "foob", "Zm9vYg==" },
						{ "fooba", "Zm9vYmE=" },
						{ "foobar", "Zm9vYmFy" } };
	uint8_t data[16];
	char text[16];
	size_t len;

	for (size_t i = 0; i < countof(PAIRS); i++) { /* RFC 4648 section 10 */
		crypto_base64(PAIRS[i][0], strlen(PAIRS[i][0]), text);
		CHECK(strcmp(text, PAIRS[i][1]) == 0);
		CHECK(crypto_base64_decode(text, strlen(text), data, sizeof(data), &len));
		CHECK(len == strlen(PAIRS[i][0]) && memcmp(data, PAIRS[i][0], len) == 0);
	}
	return true;
}

static bool what_is_not_base64_is_refused(void)
{
	static const char *const BAD[] = { "Z",	   "Zg=",  "Zg",     "Zh==",	"Zm9=",
					   "Z g=", "====", "Zm9v\n", "Zg==Zg==" };
	uint8_t data[16];
	size_t len;

	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!crypto_base64_decode(BAD[i], strlen(BAD[i]), data, sizeof(data), &len));
	CHECK(!crypto_base64_decode("Zm9v", 4, data, 2, &len));
	return true;
}

static bool comparing_secrets_tells_them_apart(void)
{
	auto_secret struct secret key = {};

	CHECK_EQ(secret_init(&key, 3), 0);
	memcpy(key.data, "abc", 3);
	CHECK(secret_equals(&key, "abc", 3));
	CHECK(!secret_equals(&key, "abd", 3));
	CHECK(!secret_equals(&key, "abcd", 4));
	return true;
}

int main(void)
{
	RUN(sha256_matches_the_standard);
	RUN(hmac_matches_the_standard);
	RUN(ed25519_matches_the_standard);
	RUN(keys_of_another_length_are_refused);
	RUN(base64_matches_the_standard_both_ways);
	RUN(what_is_not_base64_is_refused);
	RUN(comparing_secrets_tells_them_apart);
	return tap_done();
}
