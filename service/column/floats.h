/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * floats: a run of doubles as bytes, exact to the bit.
 *
 * Layer 2 (service/column). Pure functions, safe from any thread.
 * Format: FORMAT.md section 4. Doubles that were decimals become their digits, to be divided by a power of ten (ALP), with
 * exceptions kept apart; where that does not pay, the 8 bytes as they are. -0.0, NaN and infinities survive.
 * Source: Afroozeh, Kuffo, Boncz: ALP, SIGMOD 2023. It multiplies by a negative power instead, which is quicker
 * than dividing but gives more exceptions.
 * Trust: as ints.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/ints.h"
#include "service/column/kind.h"

/* Append an encoding of value[n]. A failure sticks to out. */
void floats_write(struct buf *out, const double *value, uint32_t n);

enum floats_encoding : uint8_t {
	FLOATS_RAW,
	FLOATS_DECIMALS,
};

struct floats {
	uint32_t n;
	bool raw;
	const uint8_t *data; /* raw: [8 * n] */
	struct ints digits;  /* else: value = digits / divide, exactly as the encoder checked */
	double divide;	     /* a power of ten, 1 to 10^15 */
	const uint8_t *exceptions; /* sorted by index: u32 index, f64 value */
	uint32_t n_exceptions;
};

/* Open what floats_write() wrote. Returns whether it is well-formed and has n values; *ret is set only then and borrows data. */
[[nodiscard]] bool floats_open(const uint8_t *data, size_t len, uint32_t n, struct floats *ret);

/* Decode a block. Past the last value of the last block out holds anything. */
void floats_read(const struct floats *floats, uint32_t block, double out[COLUMN_BLOCK]);

/* One value, i < n. */
[[nodiscard]] double floats_get(const struct floats *floats, uint32_t i);
