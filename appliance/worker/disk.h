/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * disk: which disk the data volume is on, or may be made on.
 *
 * Layer 2 (appliance/worker); with volume the only files that include libcryptsetup and libblkid.
 * Looks and never writes. Order of disks and their names mean nothing: contents decide.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t DISK_PATH = 128;
constexpr size_t DISK_TEXT = 320;
constexpr size_t DISKS_MAX = 32;
constexpr uint64_t DISK_SIZE_MIN = 512ull << 20; /* LUKS header, file system, swap and some room */

enum disk_kind {
	DISK_BLANK,   /* no signature, first and last MiB are zeros */
	DISK_FOREIGN, /* something is on it that we did not make */
	DISK_OURS,    /* LUKS2 with our label: volume.h says in which state */
};

struct disk {
	char path[DISK_PATH];
	uint64_t size; /* bytes */
	enum disk_kind kind;
	char what[64]; /* of DISK_FOREIGN: "ext4", "a partition table", "data" */
};

enum {
	DISK_OK = 0,
	DISK_NONE,	   /* no disk fits; the text says what was seen and what to do */
	DISK_AMBIGUOUS,	   /* several fit; the text names them */
	DISK_ONLY_FOREIGN, /* the disk or disks hold other data; the text names it */
};

/*
 * Look at one disk, partition or (for tests) file.
 *
 * Returns 0, or -errno if it cannot be opened or read; *ret is set only on success.
 * Cost: reads about 3 MiB.
 */
[[nodiscard]] int disk_look(const char *path, struct disk *ret);

/*
 * Find the disk for the data volume: the configured one; else the one with our volume; else the
 * one blank disk.
 *
 * device      configured path below /dev/, or ""
 * take_foreign  the configuration allows to erase a disk with other data: it may then be the
 *               one disk there is besides the system's, or the configured one
 * ret         set with 0, and (the first) with DISK_ONLY_FOREIGN
 * text        set with an outcome: a sentence for people
 *
 * Returns 0, an outcome, or -errno.
 */
[[nodiscard]] int disk_find(const char *device, bool take_foreign, struct disk *ret,
			    char text[DISK_TEXT]);

/*
 * The same choice among disks already looked at; for disk_find() and its test.
 *
 * disk  [n] all disks but the system's
 */
[[nodiscard]] int disk_choose(const struct disk *disk, size_t n, bool take_foreign,
			      struct disk *ret, char text[DISK_TEXT]);
