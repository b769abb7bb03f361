/* SPDX-License-Identifier: Apache-2.0 */
#include "image/initrd/verity.h"

#include <endian.h>
#include <inttypes.h>
#include <stdbit.h>
#include <stdio.h>
#include <string.h>

/* The superblock: signature, version, hash type, UUID, algorithm, sizes, salt. */
constexpr size_t AT_VERSION = 8;
constexpr size_t AT_HASH_TYPE = 12;
constexpr size_t AT_ALGORITHM = 32;
constexpr size_t AT_DATA_SIZE = 64;
constexpr size_t AT_HASH_SIZE = 68;
constexpr size_t AT_BLOCKS = 72;
constexpr size_t AT_SALT_LEN = 80;
constexpr size_t AT_SALT = 88;
constexpr size_t ALGORITHM_LEN = 32;
constexpr size_t SALT_MAX = 256;
constexpr uint64_t BLOCKS_MAX = UINT64_C(1) << 40; /* keeps every product below 2^63 */
constexpr uint32_t BLOCK_MIN = 512;
constexpr uint32_t BLOCK_MAX = 65536;

/* The partition table's header, and an entry of it. */
constexpr size_t AT_ENTRIES_LBA = 72;
constexpr size_t AT_ENTRIES = 80;
constexpr size_t AT_ENTRY_LEN = 84;
constexpr size_t AT_GUID = 16;
constexpr uint64_t LBA_MAX = UINT64_C(1) << 40; /* times a block of 64 KiB fits an off_t */

static uint16_t u16_at(const uint8_t *bytes)
{
	uint16_t v;

	memcpy(&v, bytes, sizeof(v));
	return le16toh(v);
}

static uint32_t u32_at(const uint8_t *bytes)
{
	uint32_t v;

	memcpy(&v, bytes, sizeof(v));
	return le32toh(v);
}

static uint64_t u64_at(const uint8_t *bytes)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof(v));
	return le64toh(v);
}

/* The value of a lower-case hexadecimal digit, or 16. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	return 16;
}

bool cmdline_root_hash(const char *line, const char *signed_, char ret[static ROOT_HASH_HEX + 1])
{
	static const char KEY[] = "roothash=";
	size_t len = strlen(line);

	if (len <= strlen(KEY) + ROOT_HASH_HEX || strncmp(line, KEY, strlen(KEY)) != 0)
		return false;

	const char *hash = line + strlen(KEY);
	const char *rest = hash + ROOT_HASH_HEX;

	for (size_t i = 0; i < ROOT_HASH_HEX; i++)
		if (digit_value(hash[i]) > 15)
			return false;
	if (rest[0] != ' ' || strcmp(rest + 1, signed_) != 0)
		return false;

	memcpy(ret, hash, ROOT_HASH_HEX);
	ret[ROOT_HASH_HEX] = '\0';
	return true;
}

/* A GUID is printed with its first three fields as numbers and stored with them little-endian. */
static void guid_from_hex(const char *hex, uint8_t ret[static GUID_LEN])
{
	static const uint8_t ORDER[GUID_LEN] = {
		3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15,
	};

	for (size_t i = 0; i < GUID_LEN; i++)
		ret[ORDER[i]] =
			(uint8_t)(digit_value(hex[2 * i]) << 4 | digit_value(hex[2 * i + 1]));
}

void root_hash_guids(const char *hash, uint8_t ret_data[static GUID_LEN],
		     uint8_t ret_hash[static GUID_LEN])
{
	guid_from_hex(hash, ret_data);
	guid_from_hex(hash + 2 * GUID_LEN, ret_hash);
}

bool gpt_parse(const uint8_t *bytes, size_t len, struct gpt *ret)
{
	if (len < GPT_HEADER_LEN || memcmp(bytes, "EFI PART", 8) != 0)
		return false;

	struct gpt gpt = {
		.entries_lba = u64_at(bytes + AT_ENTRIES_LBA),
		.entries = u32_at(bytes + AT_ENTRIES),
	};

	if (u32_at(bytes + AT_ENTRY_LEN) != GPT_ENTRY_LEN)
		return false;
	if (gpt.entries == 0 || gpt.entries > GPT_ENTRIES_MAX)
		return false;
	if (gpt.entries_lba < 2 || gpt.entries_lba > LBA_MAX)
		return false;
	*ret = gpt;
	return true;
}

uint32_t gpt_find(const uint8_t *entries, uint32_t count, const uint8_t guid[static GUID_LEN])
{
	for (uint32_t i = 0; i < count; i++)
		if (memcmp(entries + i * GPT_ENTRY_LEN + AT_GUID, guid, GUID_LEN) == 0)
			return i + 1;
	return 0;
}

static bool block_size_is_sound(uint32_t size)
{
	return size >= BLOCK_MIN && size <= BLOCK_MAX && stdc_has_single_bit(size);
}

bool verity_parse(const uint8_t *bytes, size_t len, struct verity *ret)
{
	static const char ALGORITHM[ALGORITHM_LEN] = "sha256";

	if (len < VERITY_SUPERBLOCK_LEN || memcmp(bytes, "verity\0\0", 8) != 0)
		return false;
	if (u32_at(bytes + AT_VERSION) != 1 || u32_at(bytes + AT_HASH_TYPE) != 1)
		return false;
	if (memcmp(bytes + AT_ALGORITHM, ALGORITHM, sizeof(ALGORITHM)) != 0)
		return false;

	struct verity verity = {
		.data_blocks = u64_at(bytes + AT_BLOCKS),
		.data_block_size = u32_at(bytes + AT_DATA_SIZE),
		.hash_block_size = u32_at(bytes + AT_HASH_SIZE),
		.salt_len = u16_at(bytes + AT_SALT_LEN),
		.salt = bytes + AT_SALT,
	};

	if (verity.data_blocks == 0 || verity.data_blocks > BLOCKS_MAX)
		return false;
	if (!block_size_is_sound(verity.data_block_size) ||
	    !block_size_is_sound(verity.hash_block_size))
		return false;
	if (verity.salt_len > SALT_MAX)
		return false;
	*ret = verity;
	return true;
}

bool verity_table(const struct verity *verity, const char *hash, const char *data,
		  const char *hashes, char *ret, size_t room)
{
	char salt[2 * SALT_MAX + 1] = "-"; /* "-" is the kernel's word for none */

	for (size_t i = 0; i < verity->salt_len; i++)
		(void)snprintf(salt + 2 * i, 3, "%02x", verity->salt[i]);

	/* The hashes start at block 1, behind the superblock. */
	int len = snprintf(ret, room,
			   "1 %s %s %" PRIu32 " %" PRIu32 " %" PRIu64
			   " 1 sha256 %s %s 1 panic_on_corruption",
			   data, hashes, verity->data_block_size, verity->hash_block_size,
			   verity->data_blocks, hash, salt);

	return len > 0 && (size_t)len < room;
}
