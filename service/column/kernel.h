/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kernel: what the loops that must run at the machine's speed share.
 *
 * Layer 2 (service/column). The formats are little-endian, as is every machine that we build for; words are read with
 * memcpy() because nothing in the formats is aligned.
 */

#include <stdint.h>
#include <string.h>

#include "common/base.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

/*
 * Marks a function that is compiled twice, for every x86-64 and for those with AVX2; the loader picks. Not under the sanitizers,
 * which cannot run before the loader is done, nor for clang and the analyzer (ANALYZER), which read the source once.
 */
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__clang__) &&                    \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(ANALYZER)
#define KERNEL [[gnu::target_clones("arch=x86-64-v3", "default")]]
#else
#define KERNEL
#endif

/* A part of a kernel, compiled into each of its versions. */
#define KERNEL_PART [[gnu::always_inline]] static inline

/* A scratch array that is written before it is read; filling it with zeros first would cost as much as the work. */
#ifdef __clang__
#define KERNEL_SCRATCH
#else
#define KERNEL_SCRATCH [[gnu::uninitialized]]
#endif

/* The 8 bytes at a place as a number. */
static inline uint64_t kernel_load64(const void *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* The 4 bytes at a place as a number. */
static inline uint32_t kernel_load32(const void *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* The 2 bytes at a place as a number. */
static inline uint16_t kernel_load16(const void *at)
{
	uint16_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* The low bytes, 0 to 8, of a number; the others are 0. Two loads that may overlap: copying so few bytes takes longer. */
static inline uint64_t kernel_load(const uint8_t *at, uint32_t bytes)
{
	if (bytes >= 8)
		return kernel_load64(at);
	if (bytes >= 4)
		return kernel_load32(at) | (uint64_t)kernel_load32(at + bytes - 4)
						   << 8 * (bytes - 4);
	if (bytes >= 2)
		return kernel_load16(at) | (uint64_t)kernel_load16(at + bytes - 2)
						   << 8 * (bytes - 2);
	return bytes ? *at : 0;
}
