/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/aead.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/crypto/box.h"
#include "common/crypto/crypto.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

/* The bytes that a hexadecimal text stands for. */
static size_t unhex(const char *text, uint8_t *ret)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned int byte = 0;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return 0;
		ret[i] = (uint8_t)byte;
	}
	return len;
}

static bool aes_gcm_matches_the_standard(void)
{
	/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16. */
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	uint8_t key[32], nonce[12], extra[64], plain[64], want[96], got[96];

	CHECK_EQ(unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key),
		 32);
	CHECK_EQ(unhex("cafebabefacedbaddecaf888", nonce), 12);
	CHECK_EQ(unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", extra), 20);
	CHECK_EQ(
		unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680"
		      "9532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		      plain),
		60);
	CHECK_EQ(
		unhex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590db"
		      "b3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
		      want),
		76);
	CHECK_EQ(crypto_aead_new(key, &aead), 0);
	CHECK_EQ(crypto_aead_seal(aead, nonce, (struct crypto_extra) { extra, 20 }, plain, 60, got),
		 0);
	CHECK(memcmp(got, want, 76) == 0);
	CHECK_EQ(crypto_aead_open(aead, nonce, (struct crypto_extra) { extra, 20 }, got, 76, got),
		 0);
	CHECK(memcmp(got, plain, 60) == 0);
	return true;
}

static bool hkdf_matches_the_standard(void)
{
	uint8_t key[32], salt[32], info[32], want[64], got[64]; /* RFC 5869 appendix A.1 and A.3 */

	CHECK_EQ(unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", key), 22);
	CHECK_EQ(unhex("000102030405060708090a0b0c", salt), 13);
	CHECK_EQ(unhex("f0f1f2f3f4f5f6f7f8f9", info), 10);
	CHECK_EQ(
		unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b88"
		      "7185865",
		      want),
		42);
	CHECK_EQ(crypto_hkdf(key, 22, (struct crypto_extra) { salt, 13 },
			     (struct crypto_extra) { info, 10 }, got, 42),
		 0);
	CHECK(memcmp(got, want, 42) == 0);
	CHECK_EQ(
		unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b"
		      "61a96c8",
		      want),
		42);
	CHECK_EQ(crypto_hkdf(key, 22, (struct crypto_extra) {}, (struct crypto_extra) {}, got, 42),
		 0);
	CHECK(memcmp(got, want, 42) == 0);
	return true;
}

static bool many_messages_share_one_context_in_any_order(void)
{
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	static const uint8_t KEY[CRYPTO_KEY] = { 1 };
	static uint8_t sealed[8][1000 + CRYPTO_TAG], plain[1000];
	uint8_t nonce[CRYPTO_NONCE] = {};

	CHECK_EQ(crypto_aead_new(KEY, &aead), 0);
	for (size_t i = 0; i < 8; i++) {
		nonce[0] = (uint8_t)i;
		memset(plain, (int)i, sizeof(plain));
		CHECK_EQ(crypto_aead_seal(aead, nonce, (struct crypto_extra) { &i, i % 3 }, plain,
					  125 * i, sealed[i]),
			 0);
		CHECK_EQ(crypto_aead_open(aead, nonce, (struct crypto_extra) { &i, i % 3 },
					  sealed[i], 125 * i + CRYPTO_TAG, plain),
			 0);
	}
	for (size_t i = 8; i-- > 0;) {
		nonce[0] = (uint8_t)i;
		CHECK_EQ(crypto_aead_open(aead, nonce, (struct crypto_extra) { &i, i % 3 },
					  sealed[i], 125 * i + CRYPTO_TAG, plain),
			 0);
		for (size_t at = 0; at < 125 * i; at++)
			CHECK(plain[at] == i);
	}
	return true;
}

static bool no_flipped_bit_and_no_cut_byte_opens(void)
{
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	static const uint8_t KEY[CRYPTO_KEY] = { 2 };
	uint8_t nonce[CRYPTO_NONCE] = {}, sealed[20 + CRYPTO_TAG],
		plain[20] = "twenty bytes are 20";
	const struct crypto_extra extra = { "page 7", 6 };

	CHECK_EQ(crypto_aead_new(KEY, &aead), 0);
	CHECK_EQ(crypto_aead_seal(aead, nonce, extra, plain, sizeof(plain), sealed), 0);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK_EQ(crypto_aead_open(aead, nonce, extra, sealed, sizeof(sealed), plain),
			 CRYPTO_NOT_AUTHENTIC);
		for (size_t i = 0; i < sizeof(plain); i++)
			CHECK_EQ(plain[i], 0); /* what is not authentic is not handed out */
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < sizeof(sealed); len++)
		CHECK_EQ(crypto_aead_open(aead, nonce, extra, sealed, len, plain),
			 CRYPTO_NOT_AUTHENTIC);
	CHECK_EQ(crypto_aead_open(aead, nonce, (struct crypto_extra) { "page 8", 6 }, sealed,
				  sizeof(sealed), plain),
		 CRYPTO_NOT_AUTHENTIC);
	CHECK_EQ(crypto_aead_open(aead, nonce, extra, sealed, sizeof(sealed), plain), 0);
	CHECK_EQ(crypto_aead_seal(aead, nonce, extra, plain, CRYPTO_AEAD_MAX + 1, sealed), -EINVAL);
	return true;
}

static bool a_box_opens_for_its_holder_only(void)
{
	uint8_t seed[CRYPTO_BOX_SEED] = { 7 }, other[CRYPTO_BOX_SEED] = { 8 };
	uint8_t public_key[CRYPTO_BOX_PUBLIC], box[32 + CRYPTO_BOX_EXTRA], again[sizeof(box)],
		got[32];
	const struct crypto_extra extra = { "what for", 8 };

	CHECK_EQ(crypto_box_public(seed, public_key), 0);
	CHECK_EQ(crypto_box_seal(public_key, extra, seed, 32, box), 0);
	CHECK_EQ(crypto_box_seal(public_key, extra, seed, 32, again), 0);
	CHECK(memcmp(box, again, sizeof(box)) != 0);
	CHECK_EQ(crypto_box_open(seed, extra, box, sizeof(box), got), 0);
	CHECK(memcmp(got, seed, 32) == 0);
	CHECK_EQ(crypto_box_open(other, extra, box, sizeof(box), got), CRYPTO_NOT_AUTHENTIC);
	CHECK_EQ(crypto_box_open(seed, (struct crypto_extra) {}, box, sizeof(box), got),
		 CRYPTO_NOT_AUTHENTIC);
	for (size_t bit = 0; bit < 8 * sizeof(box); bit++) {
		box[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* The top bit of a public key does not count: RFC 7748 section 5; but it is in the salt. */
		CHECK_EQ(crypto_box_open(seed, extra, box, sizeof(box), got), CRYPTO_NOT_AUTHENTIC);
		box[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < sizeof(box); len++)
		CHECK_EQ(crypto_box_open(seed, extra, box, len, got), CRYPTO_NOT_AUTHENTIC);
	return true;
}

static bool x25519_matches_the_standard(void)
{
	uint8_t seed[32], want[32], got[32]; /* RFC 7748 section 6.1, Alice's key pair */

	CHECK_EQ(unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", seed),
		 32);
	CHECK_EQ(unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", want),
		 32);
	CHECK_EQ(crypto_box_public(seed, got), 0);
	CHECK(memcmp(got, want, 32) == 0);
	return true;
}

static bool the_constructor_survives_the_lack_of_memory(void)
{
	static const uint8_t KEY[CRYPTO_KEY] = { 3 };
	struct crypto_aead *aead = nullptr;

	for (size_t n = 1; n < 100; n++) {
		fault_at(n);
		int r = crypto_aead_new(KEY, &aead);

		if (!fault_end()) {
			CHECK_EQ(r, 0);
			aead = crypto_aead_free(aead);
			return true;
		}
		CHECK(r < 0);
		CHECK(!aead);
	}
	return false;
}

int main(void)
{
	RUN(aes_gcm_matches_the_standard);
	RUN(hkdf_matches_the_standard);
	RUN(x25519_matches_the_standard);
	RUN(many_messages_share_one_context_in_any_order);
	RUN(no_flipped_bit_and_no_cut_byte_opens);
	RUN(a_box_opens_for_its_holder_only);
	RUN(the_constructor_survives_the_lack_of_memory);
	return tap_done();
}
