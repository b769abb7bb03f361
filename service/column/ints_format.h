/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ints_format: the layout of a run of integers, shared by its writer and its reader.
 *
 * Layer 2 (service/column), private to ints. Format: FORMAT.md section 3.
 * Values become units: (value - min) / scale. Every unit is at most span.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

/* The lower half of the first byte; the upper is how many bytes of min follow. */
enum ints_layout : uint8_t {
	INTS_CONSTANT, /* nothing follows min */
	INTS_RUN,
};

enum ints_encoding : uint8_t {
	INTS_FILL,    /* all units are low; no data */
	INTS_PACKED,  /* units less low, packed */
	INTS_DELTA,   /* what each unit is more than the one before */
	INTS_REPEATS, /* where each run of equal units ends, and the units less low */
};

constexpr uint32_t INTS_DELTA_WIDTH_MAX = 32;

/* Bytes of a table entry: encoding, u32 offset, low and high. A run of one block has only the encoding. */
static inline size_t ints_entry_size(uint32_t span_bytes)
{
	return 5 + 2 * (size_t)span_bytes;
}

/* Bytes before the packed numbers of an INTS_DELTA block: width, first unit, smallest delta. */
static inline size_t ints_delta_head(uint32_t span_bytes)
{
	return 1 + (size_t)span_bytes + 8;
}
