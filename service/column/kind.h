/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kind: the types an entry of a column can have.
 *
 * Layer 2 (service/column). Pure data. The numbers are part of the file format (service/chunk/FORMAT.md).
 */

#include <stdint.h>

enum kind : uint8_t {
	KIND_MISSING, /* the document has no such field; SQL: undefined */
	KIND_NULL,
	KIND_FALSE,
	KIND_TRUE,
	KIND_INT,
	KIND_FLOAT,
	KIND_STRING,
	KIND_BYTES,
	KIND_DATE,	/* days since 1970-01-01 */
	KIND_DATETIME,	/* µs since 1970-01-01T00:00:00, no zone */
	KIND_TIME,	/* µs since midnight */
	KIND_TIMESTAMP, /* µs since 1970-01-01T00:00:00Z */
	KIND_INTERVAL,	/* µs */
	KIND_MONTHS,	/* months */
	KIND_ARRAY,
	KIND_OBJECT,
	KIND_COUNT,
};

/* A set of kinds, one bit each. */
typedef uint16_t kind_set;

constexpr kind_set KINDS_NONE = 0;
constexpr kind_set KINDS_ALL = (1u << KIND_COUNT) - 1;
constexpr kind_set KINDS_INTS = /* those whose value is an int64 */
	1u << KIND_INT | 1u << KIND_DATE | 1u << KIND_DATETIME | 1u << KIND_TIME |
	1u << KIND_TIMESTAMP | 1u << KIND_INTERVAL | 1u << KIND_MONTHS;
constexpr kind_set KINDS_TEXTS = 1u << KIND_STRING | 1u << KIND_BYTES;
constexpr kind_set KINDS_DAYS = /* those that compare with each other as moments in UTC */
	1u << KIND_DATE | 1u << KIND_DATETIME | 1u << KIND_TIMESTAMP;
constexpr kind_set KINDS_MOMENTS =
	KINDS_DAYS | 1u << KIND_TIME; /* those that texts can stand for */
constexpr kind_set KINDS_NULLS = 1u << KIND_MISSING | 1u << KIND_NULL;

constexpr uint32_t COLUMN_BLOCK = 1024; /* entries that are decoded together */

/* Number of blocks of n entries. */
static inline uint32_t column_blocks(uint32_t n)
{
	return n / COLUMN_BLOCK + (n % COLUMN_BLOCK != 0);
}
