/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * symbols: short strings by a table of up to 255 symbols of 1 to 8 bytes, each string on its own.
 *
 * Layer 2 (service/column), below strings. Format: FORMAT.md section 5. A code is a byte: a symbol's number, or 255 before a
 * byte that stands for itself.
 * Source: Boncz, Neumann, Leis: FSST, VLDB 2020.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/spans.h"

constexpr uint32_t SYMBOLS_MAX = 255;
constexpr uint32_t SYMBOL_LEN_MAX = 8;
constexpr uint8_t SYMBOLS_ESCAPE = 255;
constexpr size_t SYMBOLS_SLACK =
	8; /* bytes past the end of its room that decoding may scribble on */

/* A table for decoding. */
struct symbols {
	uint32_t n;
	uint64_t value[SYMBOLS_MAX + 1]; /* little-endian, zero-filled */
	uint8_t len[SYMBOLS_MAX + 1];	 /* 0 past n */
};

/* Read a table from the beginning of data. Returns its size; 0 if it is none. */
[[nodiscard]] size_t symbols_open(const uint8_t *data, size_t len, struct symbols *ret);

/* Decode code[len] to to[room]. Returns the length; more than room if it does not fit. */
[[nodiscard]] size_t symbols_decode(const struct symbols *symbols, const uint8_t *code, size_t len,
				    char *to, size_t room);

struct symbols_encoder;

/* Make a table from a sample of value[n]. Returns 0 or -ENOMEM. */
[[nodiscard]] int symbols_train(const struct str *value, uint32_t n, struct symbols_encoder **ret);

/* Free it; nullptr is a no-op. Always returns nullptr. */
struct symbols_encoder *symbols_free(struct symbols_encoder *encoder);
CLEANUP_FN(struct symbols_encoder, symbols_free)

/* What part of their bytes the sample's strings take as codes. */
[[nodiscard]] double symbols_ratio(const struct symbols_encoder *encoder);

/* Append the table. */
void symbols_write(const struct symbols_encoder *encoder, struct buf *out);

/* Encode a string to to[2 * its length]. Returns how many codes. */
[[nodiscard]] size_t symbols_encode(const struct symbols_encoder *encoder, struct str text,
				    uint8_t *to);
