/* SPDX-License-Identifier: Apache-2.0 */

/* apikey: the form, written out a second time, and that every typing error is found. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/apikey.h"
#include "common/base.h"
#include "common/secret.h"
#include "tests/lib/tap.h"

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool the_form_is_prefix_number_checksum(void)
{
	static const uint8_t ZERO[32] = {};
	static const uint8_t ONE[32] = { [31] = 1 };
	uint8_t ones[32];
	char text[APIKEY_LEN + 1];

	/* 0, 1 and 2^256 - 1 in base 62, worked out with another program. */
	apikey_spell(ZERO, text);
	CHECK(strncmp(text, "rdt_0000000000000000000000000000000000000000000", 47) == 0);
	CHECK_EQ(strlen(text), APIKEY_LEN);
	apikey_spell(ONE, text);
	CHECK(strncmp(text, "rdt_0000000000000000000000000000000000000000001", 47) == 0);
	memset(ones, 0xff, sizeof(ones));
	apikey_spell(ones, text);
	CHECK(strncmp(text, "rdt_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1", 47) == 0);
	CHECK(apikey_is_sound(text, strlen(text)));
	return true;
}

static bool all_bits_are_in_the_text(void)
{
	/* Read the number back and compare: no two numbers have the same text. */
	for (unsigned int seed = 1; seed < 200; seed++) {
		uint8_t bits[32], back[32] = {};
		char text[APIKEY_LEN + 1];

		for (size_t i = 0; i < sizeof(bits); i++)
			bits[i] = (uint8_t)(seed * 37 + i * i * (seed | 1));
		apikey_spell(bits, text);
		for (size_t i = 4; i < 47; i++) {
			auto carry = (unsigned int)(strchr(DIGITS, text[i]) - DIGITS);

			for (size_t b = sizeof(back); b-- > 0; carry >>= 8) {
				carry += back[b] * 62u;
				back[b] = (uint8_t)carry;
			}
			CHECK_EQ(carry, 0u);
		}
		CHECK(memcmp(bits, back, sizeof(bits)) == 0);
	}
	return true;
}

static bool every_single_wrong_character_is_found(void)
{
	auto_secret struct secret key = {};

	CHECK_EQ(apikey_make(&key), 0);
	auto text = (char *)key.data;
	CHECK(apikey_is_sound(text, APIKEY_LEN));
	for (size_t i = 0; i < APIKEY_LEN; i++) {
		char good = text[i];

		for (unsigned int c = 0; c < 256; c++) {
			text[i] = (char)c;
			CHECK_EQ(apikey_is_sound(text, APIKEY_LEN), (char)c == good);
		}
		text[i] = good;
	}
	return true;
}

static bool two_swapped_characters_are_found(void)
{
	auto_secret struct secret key = {};

	CHECK_EQ(apikey_make(&key), 0);
	auto text = (char *)key.data;
	for (size_t i = 0; i + 1 < APIKEY_LEN; i++) {
		char left = text[i], right = text[i + 1];

		text[i] = right;
		text[i + 1] = left;
		CHECK_EQ(apikey_is_sound(text, APIKEY_LEN), left == right);
		text[i] = left;
		text[i + 1] = right;
	}
	return true;
}

static bool every_other_length_is_refused(void)
{
	auto_secret struct secret key = {};
	char longer[APIKEY_LEN + 2];

	CHECK_EQ(apikey_make(&key), 0);
	for (size_t len = 0; len < APIKEY_LEN; len++)
		CHECK(!apikey_is_sound((const char *)key.data, len));
	(void)snprintf(longer, sizeof(longer), "%s0", (const char *)key.data);
	CHECK(!apikey_is_sound(longer, APIKEY_LEN + 1));
	return true;
}

static bool no_two_keys_are_alike_and_the_identifier_is_the_beginning(void)
{
	auto_secret struct secret one = {}, two = {};
	uint8_t hash_one[CRYPTO_HASH], hash_two[CRYPTO_HASH];
	char id[APIKEY_ID];

	CHECK_EQ(apikey_make(&one), 0);
	CHECK_EQ(apikey_make(&two), 0);
	CHECK(memcmp(one.data, two.data, APIKEY_LEN) != 0);
	apikey_id((const char *)one.data, id);
	CHECK_EQ(strlen(id), (size_t)10);
	CHECK(memcmp(id, one.data, 10) == 0);
	CHECK_EQ(apikey_hash((const char *)one.data, APIKEY_LEN, hash_one), 0);
	CHECK_EQ(apikey_hash((const char *)two.data, APIKEY_LEN, hash_two), 0);
	CHECK(memcmp(hash_one, hash_two, CRYPTO_HASH) != 0);
	return true;
}

int main(void)
{
	RUN(the_form_is_prefix_number_checksum);
	RUN(all_bits_are_in_the_text);
	RUN(every_single_wrong_character_is_found);
	RUN(two_swapped_characters_are_found);
	RUN(every_other_length_is_refused);
	RUN(no_two_keys_are_alike_and_the_identifier_is_the_beginning);
	return tap_done();
}
