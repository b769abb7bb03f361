/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/chunk.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#include "common/base.h"
#include "service/chunk/head.h"
#include "service/column/hash.h"

constexpr size_t TRAILER = 4; /* the head's length, after it */

struct chunk {
	atomic_uint refs;
	uint8_t *bytes; /* what it owns: head and body, or a copy of the head */
	const uint8_t *head_bytes;
	size_t head_len;
	uint64_t size;
	bool in_memory;
	struct chunk_body body; /* unless in_memory */
	struct head head;
	uint64_t key[2];
	uint32_t *table; /* [mask + 1] columns by parent and name; CHUNK_NONE is empty */
	uint32_t mask;
};

/* The slot at which a column is or would be. */
static uint32_t slot_of(const struct chunk *chunk, uint32_t parent, bool element, const char *key,
			size_t len)
{
	uint64_t hash = hash_keyed(chunk->key, key, len) ^
			hash_keyed_int(chunk->key, (uint64_t)parent << 1 | element);
	uint32_t slot = (uint32_t)hash & chunk->mask;

	for (; chunk->table[slot] != CHUNK_NONE; slot = (slot + 1) & chunk->mask) {
		const struct chunk_column *column = &chunk->head.column[chunk->table[slot]];

		if (column->parent == parent && column->element == element &&
		    column->key.len == len && (len == 0 || memcmp(column->key.at, key, len) == 0))
			break;
	}
	return slot;
}

/* Make the table of names. No two columns may be the same member or elements of one column. */
static int index_columns(struct chunk *chunk)
{
	uint32_t room = 8;

	while (room < 2 * chunk->head.columns)
		room *= 2;
	if (getrandom(chunk->key, sizeof(chunk->key), 0) != (ssize_t)sizeof(chunk->key))
		return neg_errno();
	chunk->table = malloc(room * sizeof(*chunk->table));
	if (!chunk->table)
		return -ENOMEM;
	memset(chunk->table, 0xff, room * sizeof(*chunk->table));
	chunk->mask = room - 1;
	for (uint32_t i = 1; i < chunk->head.columns; i++) {
		const struct chunk_column *column = &chunk->head.column[i];
		uint32_t slot = slot_of(chunk, column->parent, column->element, column->key.at,
					column->key.len);

		if (chunk->table[slot] != CHUNK_NONE)
			return CHUNK_DAMAGED;
		chunk->table[slot] = i;
	}
	return 0;
}

static struct chunk *chunk_free(struct chunk *chunk)
{
	if (!chunk)
		return nullptr;
	if (!chunk->in_memory && chunk->body.release)
		chunk->body.release(chunk->body.userdata);
	free(chunk->bytes);
	free(chunk->head.owned);
	free(chunk->table);
	free(chunk);
	return nullptr;
}
CLEANUP_FN(struct chunk, chunk_free)

/* Open a head; whose bytes it is, is settled by the caller. */
static int open_head(const uint8_t *head, size_t len, const size_t *body_len, struct chunk **ret)
{
	cleanup(chunk_free_at) struct chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return -ENOMEM;
	atomic_init(&chunk->refs, 1);
	chunk->in_memory = body_len;
	chunk->head_bytes = head;
	chunk->head_len = chunk->size = len;
	int r = head_read(head, len, body_len, &chunk->head);
	if (r == 0)
		r = index_columns(chunk);
	if (r == 0)
		*ret = TAKE(chunk);
	return r;
}

int chunk_open(uint8_t **bytes, size_t len, struct chunk **ret)
{
	size_t head_len = 0;

	if (len < TRAILER)
		return CHUNK_DAMAGED;
	for (size_t i = 0; i < TRAILER; i++)
		head_len |= (size_t)(*bytes)[len - TRAILER + i] << 8 * i;
	if (head_len > len - TRAILER)
		return CHUNK_DAMAGED;
	size_t body_len = len - TRAILER - head_len;
	int r = open_head(*bytes + body_len, head_len, &body_len, ret);
	if (r)
		return r;
	(*ret)->bytes = TAKE(*bytes);
	(*ret)->size = len;
	return 0;
}

int chunk_open_body(const uint8_t *head, size_t len, const struct chunk_body *body,
		    struct chunk **ret)
{
	struct chunk *chunk;
	auto_free uint8_t *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, head, len);
	int r = open_head(copy, len, nullptr, &chunk);
	if (r)
		return r;
	for (uint32_t i = 0; i < chunk->head.columns; i++)
		for (size_t k = 0; k < LANE_COUNT; k++)
			chunk->size += chunk->head.column[i].lane[k].len;
	chunk->bytes = TAKE(copy);
	chunk->body = *body;
	*ret = chunk;
	return 0;
}

struct chunk *chunk_ref(struct chunk *chunk)
{
	atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
	return chunk;
}

struct chunk *chunk_unref(struct chunk *chunk)
{
	if (chunk && atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) == 1)
		return chunk_free(chunk);
	return nullptr;
}

uint32_t chunk_rows(const struct chunk *chunk)
{
	return chunk->head.rows;
}

uint32_t chunk_columns(const struct chunk *chunk)
{
	return chunk->head.columns;
}

const struct chunk_column *chunk_column(const struct chunk *chunk, uint32_t index)
{
	return &chunk->head.column[index];
}

uint32_t chunk_child(const struct chunk *chunk, uint32_t parent, const char *key, size_t len)
{
	return chunk->table[slot_of(chunk, parent, false, key, len)];
}

uint32_t chunk_elements(const struct chunk *chunk, uint32_t parent)
{
	return chunk->table[slot_of(chunk, parent, true, "", 0)];
}

const struct chunk_shape *chunk_shapes(const struct chunk *chunk, uint32_t column, uint32_t *ret_n)
{
	*ret_n = chunk->head.shape_from[column + 1] - chunk->head.shape_from[column];
	return chunk->head.shape + chunk->head.shape_from[column];
}

uint64_t chunk_size(const struct chunk *chunk)
{
	return chunk->size;
}

const uint8_t *chunk_head(const struct chunk *chunk, size_t *ret_len)
{
	*ret_len = chunk->head_len;
	return chunk->head_bytes;
}

int chunk_pin(struct chunk *chunk, const struct blob *blob, struct chunk_pinned *ret)
{
	if (!chunk->in_memory)
		return chunk->body.pin(chunk->body.userdata, blob, ret);
	/* head_read() has seen that it lies in the body */
	*ret = (struct chunk_pinned) { .data = chunk->bytes + blob->offset };
	return 0;
}

void chunk_unpin(struct chunk *chunk, void *pin)
{
	if (pin && !chunk->in_memory)
		chunk->body.unpin(chunk->body.userdata, pin);
}
