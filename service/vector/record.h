/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * record: a group in one run of memory: hash, states, then its key as bytes.
 *
 * Layer 5 (service/vector). A key is for each of its parts the kind, then 8 bytes, or 4 bytes of length and a string, or nothing.
 * MISSING is NULL in a key; its last 8 bytes are filled up with zeros. Keys whose bytes are equal are equal; 1 and 1.0 are equal too, which is looked at only when hashes are.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "service/vector/cell.h"

struct record {
	uint64_t hash;
	uint32_t key_len;
	uint32_t states_len;
	uint8_t data[]; /* [states_len] states, [key_len] key */
};

static inline uint8_t *record_states(struct record *record)
{
	return record->data;
}

static inline const uint8_t *record_key(const struct record *record)
{
	return record->data + record->states_len;
}

/* Bytes of a record with so many bytes of states (a multiple of 8) and key. */
static inline size_t record_room(uint32_t states_len, uint32_t key_len)
{
	return sizeof(struct record) + states_len + ((key_len + 7u) & ~7u);
}

/* Clear the states and the key's last bytes. */
static inline void record_clear(struct record *record)
{
	memset(record->data, 0, record->states_len);
	if (record->key_len > 0)
		memset(record->data + record->states_len + ((record->key_len - 1u) & ~7u), 0, 8);
}

/* Bytes of a record. */
static inline size_t record_size(const struct record *record)
{
	return record_room(record->states_len, record->key_len);
}

/* Bytes that a cell takes in a key. */
static inline uint32_t record_cell_size(const struct cell *cell)
{
	if (cell->kind == KIND_FLOAT || KINDS_INTS >> cell->kind & 1)
		return 1 + 8;
	return cell->kind > KIND_FLOAT ? 1 + 4 + cell->s.len : 1;
}

/* Write a cell into a key. Returns where the next goes. */
uint8_t *record_put(uint8_t *at, const struct cell *cell);

/* Read a cell of a key; the string is borrowed. Returns where the next is. */
const uint8_t *record_get(const uint8_t *at, struct cell *ret);

/* Whether two keys of n parts are equal; their hashes are, the caller has seen to that. */
[[nodiscard]] bool record_same(const struct record *a, const struct record *b, uint32_t n);

/* Put another cell's hash to that of the cells before. */
static inline uint64_t record_mix(uint64_t hash, uint64_t more)
{
	hash = (hash ^ more) * UINT64_C(0x9fb21c651e98df25);
	return hash ^ hash >> 32;
}
