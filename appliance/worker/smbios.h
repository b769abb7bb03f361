/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * smbios: the one string that a launcher may hand us: `redoubt.config=` and base64 JSON.
 *
 * Layer 2 (appliance/worker). Reads structures of type 11 (OEM strings). Every other string, in
 * particular systemd's credentials, is ignored.
 * Trust: the table is untrusted input; every length in it is checked.
 * Source: DMTF DSP0134 sections 6.1.2, 6.1.3, 7.12.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

enum {
	SMBIOS_OK = 0,
	SMBIOS_NONE,	/* no string of ours */
	SMBIOS_INVALID, /* ours, but not base64, or given twice, or too long */
};

/*
 * Look for our string in one type-11 structure and append what it decodes to.
 *
 * data  [len] untrusted: header, then NUL-terminated strings, then one more NUL
 * ret   unchanged on anything but 0
 *
 * Returns 0, SMBIOS_NONE, SMBIOS_INVALID or -ENOMEM.
 */
[[nodiscard]] int smbios_find(const uint8_t *data, size_t len, struct buf *ret);

/*
 * Do that for each of the machine's type-11 structures.
 *
 * entries  the kernel's folder of structures, /sys/firmware/dmi/entries
 *
 * Returns as smbios_find(), or -errno of opendir(3) or read(2). A machine without the folder has none.
 */
[[nodiscard]] int smbios_read(const char *entries, struct buf *ret);
