/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * figures: how the machine is, from /proc, /sys, /run and the file system; nothing needs a right.
 *
 * Layer 2 (appliance/manager). A figure that cannot be had is 0 or "".
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t FIGURES_ADDRESSES_MAX = 8;
constexpr size_t FIGURES_TEXT = 64;

struct figures {
	char hostname[65];
	char version[FIGURES_TEXT];
	char address[FIGURES_ADDRESSES_MAX][FIGURES_TEXT];
	size_t n_addresses;
	uint64_t uptime_s;
	char load[FIGURES_TEXT];	   /* "0.10 0.20 0.30" */
	uint64_t mem_total, mem_available; /* bytes */
	uint64_t swap_total, swap_used;
	uint64_t volume_size, volume_free; /* 0 while the volume is not mounted */
	bool tpm, secure_boot;
};

/* Read them all now. Cost: a dozen small files. */
void figures_read(struct figures *ret);

/* The number of kB behind a key such as "MemAvailable:" in the text of /proc/meminfo, in bytes; 0 if it is not there. */
[[nodiscard]] uint64_t figures_meminfo(const char *text, const char *key);

/*
 * The value of a line "KEY=VALUE" in a text, copied without quotes to ret[room].
 *
 * Returns whether there is such a line; *ret is "" if not.
 */
[[nodiscard]] bool figures_value(const char *text, const char *key, char *ret, size_t room);

/* A number that changes when disks come or go or user data arrives: time to look again. */
[[nodiscard]] uint64_t figures_surroundings(void);
