/* SPDX-License-Identifier: Apache-2.0 */

/* The initrd's parsers: what a disk and a launcher can put before it. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/initrd/verity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char HASH[] = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

static void command_line(const uint8_t *data, size_t size)
{
	char line[4096], hash[ROOT_HASH_HEX + 1];

	if (size >= sizeof(line))
		return;
	memcpy(line, data, size);
	line[size] = '\0';
	if (cmdline_root_hash(line, "quiet", hash) &&
	    (strlen(line) != strlen("roothash= quiet") + ROOT_HASH_HEX ||
	     strspn(hash, "0123456789abcdef") != ROOT_HASH_HEX))
		abort();
}

static void superblock(const uint8_t *data, size_t size)
{
	struct verity verity;
	char table[1024];

	if (!verity_parse(data, size, &verity))
		return;
	if (verity.data_blocks > UINT64_MAX / verity.data_block_size)
		abort();
	if (!verity_table(&verity, HASH, "/dev/vda2", "/dev/vda3", table, sizeof(table)))
		abort();
}

static void partitions(const uint8_t *data, size_t size)
{
	uint8_t guid[GUID_LEN], other[GUID_LEN];
	struct gpt gpt;

	if (!gpt_parse(data, size, &gpt))
		return;
	root_hash_guids(HASH, guid, other);
	size_t entries = (size - GPT_HEADER_LEN) / GPT_ENTRY_LEN;
	uint32_t count = entries < gpt.entries ? (uint32_t)entries : gpt.entries;
	if (gpt_find(data + GPT_HEADER_LEN, count, guid) > count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	command_line(data, size);
	superblock(data, size);
	partitions(data, size);
	return 0;
}
