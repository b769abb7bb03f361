/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <string.h>

#include "image/initrd/verity.h"
#include "tests/lib/tap.h"

#define HASH "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"

static const char OPTIONS[] = "lockdown=confidentiality quiet console=ttyS0";

static bool refused(const char *line)
{
	char hash[ROOT_HASH_HEX + 1] = "untouched";

	return !cmdline_root_hash(line, OPTIONS, hash) && strcmp(hash, "untouched") == 0;
}

static bool the_signed_command_line_yields_its_root_hash(void)
{
	char hash[ROOT_HASH_HEX + 1];

	CHECK(cmdline_root_hash("roothash=" HASH " lockdown=confidentiality quiet console=ttyS0",
				OPTIONS, hash));
	CHECK(strcmp(hash, HASH) == 0);
	return true;
}

static bool any_other_command_line_is_refused(void)
{
	CHECK(refused(""));
	CHECK(refused("roothash="));
	CHECK(refused("roothash=" HASH));
	CHECK(refused("roothash=" HASH " "));
	CHECK(refused("roothash=" HASH " lockdown=confidentiality quiet"));
	CHECK(refused("roothash=" HASH
		      " lockdown=confidentiality quiet console=ttyS0 init=/bin/sh"));
	CHECK(refused("roothash=" HASH " lockdown=none quiet console=ttyS0"));
	CHECK(refused(" roothash=" HASH " lockdown=confidentiality quiet console=ttyS0"));
	CHECK(refused("rdinit=/x roothash=" HASH " lockdown=confidentiality quiet console=ttyS0"));
	CHECK(refused("roothash=" HASH "0 lockdown=confidentiality quiet console=ttyS0"));
	/* a digit too few, and one that is none */
	CHECK(refused("roothash=0112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"
		      " lockdown=confidentiality quiet console=ttyS0"));
	CHECK(refused("roothash=G0112233445566778899aabbccddeeff0123456789abcdeffedcba987654321"
		      " lockdown=confidentiality quiet console=ttyS0"));
	return true;
}

static bool every_cut_of_the_command_line_is_refused(void)
{
	char line[] = "roothash=" HASH " lockdown=confidentiality quiet console=ttyS0";

	for (size_t len = sizeof(line) - 1; len > 0; len--) {
		line[len - 1] = '\0';
		CHECK(refused(line));
	}
	return true;
}

static bool partition_numbers_are_the_halves_of_the_root_hash(void)
{
	/* 00112233-4455-6677-8899-aabbccddeeff: the first three fields are little-endian on disk */
	static const uint8_t DATA[GUID_LEN] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
						0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const uint8_t HASHES[GUID_LEN] = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
						  0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
	uint8_t data[GUID_LEN], hashes[GUID_LEN];

	root_hash_guids(HASH, data, hashes);
	CHECK(memcmp(data, DATA, sizeof(data)) == 0);
	CHECK(memcmp(hashes, HASHES, sizeof(hashes)) == 0);
	return true;
}

/* A GPT header as UEFI 2.10 table 5.5 has it; the checksums are not looked at. */
static void good_gpt(uint8_t header[static GPT_HEADER_LEN])
{
	memset(header, 0, GPT_HEADER_LEN);
	memcpy(header, "EFI PART", 8);
	header[72] = 2;	  /* entries start at block 2 */
	header[80] = 128; /* entries */
	header[84] = 128; /* bytes each */
}

static bool a_partition_table_is_understood(void)
{
	uint8_t header[GPT_HEADER_LEN];
	struct gpt gpt;

	good_gpt(header);
	CHECK(gpt_parse(header, sizeof(header), &gpt));
	CHECK_EQ(gpt.entries_lba, 2);
	CHECK_EQ(gpt.entries, 128);
	return true;
}

static bool a_damaged_partition_table_is_refused(void)
{
	/* offset, value: no signature; no, too many, too small, too large entries; list too early and too far */
	static const struct {
		size_t at;
		uint8_t value;
	} DAMAGE[] = {
		{ 0, 'e' }, { 80, 0 }, { 80, 129 }, { 81, 1 }, { 84, 127 },
		{ 85, 1 },  { 72, 0 }, { 72, 1 },   { 78, 1 }, { 79, 255 },
	};

	for (size_t i = 0; i < countof(DAMAGE); i++) {
		uint8_t header[GPT_HEADER_LEN];
		struct gpt gpt = { .entries = 77 };

		good_gpt(header);
		header[DAMAGE[i].at] = DAMAGE[i].value;
		CHECK(!gpt_parse(header, sizeof(header), &gpt));
		CHECK_EQ(gpt.entries, 77);
	}
	return true;
}

static bool a_partition_is_found_by_its_number_and_no_other(void)
{
	static uint8_t entries[4 * GPT_ENTRY_LEN];
	uint8_t guid[GUID_LEN], other[GUID_LEN];

	root_hash_guids(HASH, guid, other);
	memcpy(entries + 2 * GPT_ENTRY_LEN + 16, guid, GUID_LEN);
	CHECK_EQ(gpt_find(entries, 4, guid), 3);
	CHECK_EQ(gpt_find(entries, 2, guid), 0);
	CHECK_EQ(gpt_find(entries, 4, other), 0);
	return true;
}

/* A superblock as cryptsetup's lib/verity/verity.c writes it. */
static void good_superblock(uint8_t block[static VERITY_SUPERBLOCK_LEN])
{
	memset(block, 0, VERITY_SUPERBLOCK_LEN);
	memcpy(block, "verity\0\0", 8);
	block[8] = 1;			   /* version */
	block[12] = 1;			   /* hash type */
	memcpy(block + 32, "sha256", 7);   /* algorithm [32] */
	block[65] = 0x10;		   /* data blocks of 4096 bytes */
	block[69] = 0x10;		   /* hash blocks of 4096 bytes */
	memcpy(block + 72, "\x39\x30", 2); /* 12345 data blocks */
	block[80] = 2;			   /* salt length */
	memcpy(block + 88, "\xab\xcd", 2); /* salt */
}

static bool a_superblock_becomes_a_verity_table(void)
{
	uint8_t block[VERITY_SUPERBLOCK_LEN];
	struct verity verity;
	char table[512];

	good_superblock(block);
	CHECK(verity_parse(block, sizeof(block), &verity));
	CHECK(verity_table(&verity, HASH, "/dev/vda2", "/dev/vda3", table, sizeof(table)));
	CHECK(strcmp(table, "1 /dev/vda2 /dev/vda3 4096 4096 12345 1 sha256 " HASH
			    " abcd 1 panic_on_corruption") == 0);
	CHECK(!verity_table(&verity, HASH, "/dev/vda2", "/dev/vda3", table, strlen(table)));
	return true;
}

static bool an_empty_salt_is_a_dash(void)
{
	uint8_t block[VERITY_SUPERBLOCK_LEN];
	struct verity verity;
	char table[512];

	good_superblock(block);
	block[80] = 0;
	CHECK(verity_parse(block, sizeof(block), &verity));
	CHECK(verity_table(&verity, HASH, "d", "h", table, sizeof(table)));
	CHECK(strstr(table, HASH " - 1 panic_on_corruption"));
	return true;
}

static bool a_damaged_superblock_is_refused(void)
{
	/* signature, version, hash type, algorithm, block sizes, no blocks, too many, salt too long */
	static const struct {
		size_t at;
		uint8_t value;
	} DAMAGE[] = {
		{ 0, 'V' }, { 8, 2 },  { 12, 0 }, { 32, 'S' }, { 38, '1' },
		{ 60, 1 },  { 64, 1 }, { 65, 0 }, { 66, 2 },   { 68, 1 },
		{ 69, 0 },  { 70, 2 }, { 77, 2 }, { 79, 255 }, { 81, 2 },
	};

	for (size_t i = 0; i < countof(DAMAGE); i++) {
		uint8_t block[VERITY_SUPERBLOCK_LEN];
		struct verity verity = { .data_blocks = 77 };

		good_superblock(block);
		block[DAMAGE[i].at] = DAMAGE[i].value;
		CHECK(!verity_parse(block, sizeof(block), &verity));
		CHECK_EQ(verity.data_blocks, 77);
	}
	return true;
}

static bool no_data_blocks_are_refused(void)
{
	uint8_t block[VERITY_SUPERBLOCK_LEN];
	struct verity verity;

	good_superblock(block);
	memset(block + 72, 0, 8);
	CHECK(!verity_parse(block, sizeof(block), &verity));
	return true;
}

static bool every_cut_of_a_header_is_refused(void)
{
	uint8_t block[VERITY_SUPERBLOCK_LEN], header[GPT_HEADER_LEN];
	struct verity verity;
	struct gpt gpt;

	good_superblock(block);
	good_gpt(header);
	for (size_t len = 0; len < sizeof(block); len++)
		CHECK(!verity_parse(block, len, &verity));
	for (size_t len = 0; len < sizeof(header); len++)
		CHECK(!gpt_parse(header, len, &gpt));
	return true;
}

int main(void)
{
	RUN(the_signed_command_line_yields_its_root_hash);
	RUN(any_other_command_line_is_refused);
	RUN(every_cut_of_the_command_line_is_refused);
	RUN(partition_numbers_are_the_halves_of_the_root_hash);
	RUN(a_partition_table_is_understood);
	RUN(a_damaged_partition_table_is_refused);
	RUN(a_partition_is_found_by_its_number_and_no_other);
	RUN(a_superblock_becomes_a_verity_table);
	RUN(an_empty_salt_is_a_dash);
	RUN(a_damaged_superblock_is_refused);
	RUN(no_data_blocks_are_refused);
	RUN(every_cut_of_a_header_is_refused);
	return tap_done();
}
