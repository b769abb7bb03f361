/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/hash.h"

#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"

/* hash_stable() is in files: these numbers must never change. FORMAT.md section 6 has them too. */
static bool stable_hashes_stay_what_they_are(void)
{
	uint8_t bytes[100];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	CHECK_EQ(hash_stable("", 0), 0x60c06e5aa6716029);
	CHECK_EQ(hash_stable("a", 1), 0x7790bddcdeb4d182);
	CHECK_EQ(hash_stable("redoubt", 7), 0x46ff31029eb4e0b4);
	CHECK_EQ(hash_stable(bytes, 17), 0x6a4737f7313273e8);
	CHECK_EQ(hash_stable(bytes, 100), 0x3b8af2edc8fc8f1f);
	CHECK_EQ(hash_stable_int(0), 0x2afa3043c0fbb4d2);
	CHECK_EQ(hash_stable_int(-1), 0x16c39019ab39b510);
	return true;
}

static bool every_byte_and_the_length_count(void)
{
	uint8_t bytes[130] = {};
	uint64_t key[2] = { 1, 2 };

	for (size_t len = 0; len < sizeof(bytes); len++) {
		uint64_t plain = hash_stable(bytes, len), keyed = hash_keyed(key, bytes, len);

		CHECK(len == 0 || plain != hash_stable(bytes, len - 1));
		for (size_t i = 0; i < len; i++) {
			bytes[i] = 1;
			CHECK(hash_stable(bytes, len) != plain);
			CHECK(hash_keyed(key, bytes, len) != keyed);
			bytes[i] = 0;
		}
	}
	return true;
}

/* Count of 1-bits over all single-bit changes of the input: half of the bits should flip. */
static bool a_changed_bit_changes_half_of_the_hash(void)
{
	uint8_t text[24] = "how quickly daft jumps";
	uint64_t hash = hash_stable(text, sizeof(text));
	uint32_t flips = 0;

	for (size_t bit = 0; bit < sizeof(text) * 8; bit++) {
		text[bit / 8] ^= (uint8_t)(1u << bit % 8);
		flips += (uint32_t)__builtin_popcountll(hash ^ hash_stable(text, sizeof(text)));
		text[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK(flips > sizeof(text) * 8 * 30 && flips < sizeof(text) * 8 * 34);
	return true;
}

static bool the_key_changes_everything(void)
{
	uint64_t one[2] = { 1001, 2 }, other[2] = { 1001, 3 }, third[2] = { 1002, 2 };

	for (size_t len = 0; len < 9; len++) {
		CHECK(hash_keyed(one, "abcdefgh", len) != hash_keyed(other, "abcdefgh", len));
		CHECK(hash_keyed(one, "abcdefgh", len) != hash_keyed(third, "abcdefgh", len));
	}
	for (uint64_t i = 0; i < 100; i++) {
		CHECK(hash_keyed_int(one, i) != hash_keyed_int(other, i));
		CHECK(hash_keyed_int(one, i) != hash_keyed_int(third, i));
	}
	return true;
}

int main(void)
{
	RUN(stable_hashes_stay_what_they_are);
	RUN(every_byte_and_the_length_count);
	RUN(a_changed_bit_changes_half_of_the_hash);
	RUN(the_key_changes_everything);
	return tap_done();
}
