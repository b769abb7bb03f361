/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * cell: one value in a query, the order that all values have, and how two compare in a condition.
 *
 * Layer 5 (service/vector). Order and equality are those that SQLite gives to what service/sql hands it: NULL (and
 * MISSING) < numbers by value, int and float alike and exactly < STRING by bytes < everything else by its packed bytes
 * (service/value/value.h). So a native pipe and SQLite sort, group and compare alike.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/kind.h"
#include "service/column/strings.h"
#include "service/value/value.h"

struct cell {
	enum kind kind;
	int64_t i;    /* KINDS_INTS */
	double f;     /* FLOAT */
	struct str s; /* STRING, BYTES: the bytes; ARRAY, OBJECT: the packed value. Borrowed */
};

/* Order of two cells: < 0, 0, > 0. NULL and MISSING are equal here; NaN counts as NULL. */
[[nodiscard]] int cell_compare(const struct cell *a, const struct cell *b);

/* Whether it is NULL, MISSING or a NaN. */
[[nodiscard]] bool cell_is_null(const struct cell *cell);

/* How two cells that are not NULL compare in a condition: -1, 0, 1 or MATCH_UNLIKE, as match_values(). */
[[nodiscard]] int cell_match(const struct cell *a, const struct cell *b);

/* What stands for a cell where rows are joined: date, datetime and timestamp become the timestamp that they are equal to. */
[[nodiscard]] struct cell cell_join_key(const struct cell *cell);

/* A number that grows with the order: of two cells whose numbers differ, the one with the smaller comes first. */
[[nodiscard]] uint64_t cell_prefix(const struct cell *cell);

/* Order of two strings by their bytes: < 0, 0, > 0. */
[[nodiscard]] int cell_compare_text(const struct str *a, const struct str *b);

/* The name of a kind as TYPEOF gives it: value_type_name(). */
[[nodiscard]] const char *cell_type_name(enum kind kind);

/* Hash under the process's key; equal cells have equal hashes. */
[[nodiscard]] uint64_t cell_hash(const uint64_t key[2], const struct cell *cell);

/* Append the packed form. */
void cell_pack(const struct cell *cell, struct buf *out);

/*
 * Read a packed value.
 *
 * room  a string's bytes are appended to it if they are escaped; what was unpacked before is stale if it grows
 * ret   borrows value or room
 */
void cell_unpack(const struct value *value, struct buf *room, struct cell *ret);
