/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * verity: what the initrd must understand to open the root partition, as pure functions.
 *
 * Layer: image/initrd, uses common/base.h only.
 * Trust: the command line comes from the signed kernel image, but a launcher may try to add to it;
 *        superblock and partition table come from the disk and are untrusted. Nothing read there
 *        decides what is accepted: dm-verity checks every block against the root hash.
 * Format: kernel Documentation/admin-guide/device-mapper/verity.rst; cryptsetup's on-disk header;
 *         UEFI 2.10 section 5.3 (GPT).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t ROOT_HASH_HEX = 64;
constexpr size_t GUID_LEN = 16;
constexpr size_t VERITY_SUPERBLOCK_LEN = 512;
constexpr size_t GPT_HEADER_LEN = 92;
constexpr size_t GPT_ENTRY_LEN = 128;
constexpr uint32_t GPT_ENTRIES_MAX = 128; /* what every partitioning program writes */

struct verity {
	uint64_t data_blocks;	  /* 1..2^40 */
	uint32_t data_block_size; /* 512..65536, a power of two */
	uint32_t hash_block_size; /* as above */
	size_t salt_len;	  /* 0..256 */
	const uint8_t *salt;	  /* [salt_len], inside the superblock */
};

/* Where the partitions of a disk are listed, in the disk's own blocks. */
struct gpt {
	uint64_t entries_lba;
	uint32_t entries; /* 1..GPT_ENTRIES_MAX */
};

/*
 * Compare the kernel's command line with the one that was signed, and take the root hash from it.
 *
 * line    the line the kernel was started with
 * signed_ the options that were signed; the line must be "roothash=HASH OPTIONS", to the byte
 * ret     set only on success
 *
 * Returns whether it is that line.
 */
[[nodiscard]] bool cmdline_root_hash(const char *line, const char *signed_,
				     char ret[static ROOT_HASH_HEX + 1]);

/*
 * The partition numbers that systemd-repart derives from a root hash: the first and the second
 * 128 bits of it, in the byte order of a GPT.
 *
 * hash      ROOT_HASH_HEX lower-case hexadecimal digits, as cmdline_root_hash() yields them
 * ret_data  [GUID_LEN] of the partition with the file system
 * ret_hash  [GUID_LEN] of the partition with the hashes
 */
void root_hash_guids(const char *hash, uint8_t ret_data[static GUID_LEN],
		     uint8_t ret_hash[static GUID_LEN]);

/*
 * Check a GPT header.
 *
 * bytes  [len] the second block of a disk
 * ret    set only on success
 *
 * Returns whether it is one that we can walk.
 */
[[nodiscard]] bool gpt_parse(const uint8_t *bytes, size_t len, struct gpt *ret);

/*
 * Find a partition by its number.
 *
 * entries  [count * GPT_ENTRY_LEN] the partition list
 *
 * Returns 1..count, the partition's place in the list, or 0 if it is not there.
 */
[[nodiscard]] uint32_t gpt_find(const uint8_t *entries, uint32_t count,
				const uint8_t guid[static GUID_LEN]);

/*
 * Check a verity superblock.
 *
 * bytes  [len] the start of the hash partition; borrowed as long as *ret is used
 * ret    set only on success
 *
 * Returns whether it is a sound superblock of version 1 with SHA-256.
 */
[[nodiscard]] bool verity_parse(const uint8_t *bytes, size_t len, struct verity *ret);

/*
 * Write the parameters of the device-mapper target.
 *
 * hash  as cmdline_root_hash() yields it
 * data  device path of the file system; hashes: device path of the hash partition
 * ret   [room] NUL-terminated
 *
 * Returns whether it fitted.
 */
[[nodiscard]] bool verity_table(const struct verity *verity, const char *hash, const char *data,
				const char *hashes, char *ret, size_t room);
