/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crc32c.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"

/* RFC 3720 appendix B.4. */
static bool the_checksums_are_those_of_the_rfc(void)
{
	uint8_t bytes[32] = {};

	CHECK_EQ(crc32c(bytes, sizeof(bytes)), 0x8A9136AAu);
	memset(bytes, 0xFF, sizeof(bytes));
	CHECK_EQ(crc32c(bytes, sizeof(bytes)), 0x62A8AB43u);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	CHECK_EQ(crc32c(bytes, sizeof(bytes)), 0x46DD794Eu);
	CHECK_EQ(crc32c("123456789", 9), 0xE3069283u);
	CHECK_EQ(crc32c(nullptr, 0), 0u);
	return true;
}

/* Bit by bit, as the definition has it. */
static uint32_t plain(const uint8_t *byte, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < 8 * len; i++) {
		uint32_t bit = (crc ^ (uint32_t)byte[i / 8] >> i % 8) & 1;

		crc = crc >> 1 ^ (bit ? 0x82F63B78 : 0);
	}
	return ~crc;
}

static bool any_length_at_any_place_has_the_checksum_of_the_definition(void)
{
	uint8_t bytes[80];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t from = 0; from < 16; from++)
		for (size_t len = 0; from + len <= sizeof(bytes); len++)
			CHECK_EQ(crc32c(bytes + from, len), plain(bytes + from, len));
	return true;
}

int main(void)
{
	RUN(the_checksums_are_those_of_the_rfc);
	RUN(any_length_at_any_place_has_the_checksum_of_the_definition);
	return tap_done();
}
