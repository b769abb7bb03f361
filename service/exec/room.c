/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/room.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct room_block {
	struct room_block *earlier;
	size_t used, size; /* of data */
	_Alignas(8) uint8_t data[];
};

constexpr size_t LEAST = 4096;
constexpr size_t MOST = 1u << 20;

int budget_take(struct budget *budget, size_t bytes)
{
	if (!budget)
		return 0;
	size_t before = atomic_fetch_add_explicit(&budget->used, bytes, memory_order_relaxed);
	if (before + bytes <= budget->limit)
		return 0;
	budget_give(budget, bytes);
	return -EDQUOT;
}

void budget_give(struct budget *budget, size_t bytes)
{
	if (budget)
		atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
}

static void free_block(struct room *room, struct room_block *block)
{
	budget_give(room->budget, sizeof(*block) + block->size);
	room->size -= sizeof(*block) + block->size;
	free(block);
}

void room_done(struct room *room)
{
	while (room->block) {
		struct room_block *block = room->block;

		room->block = block->earlier;
		free_block(room, block);
	}
}

void room_clear(struct room *room)
{
	while (room->block && room->block->earlier) {
		struct room_block *block = room->block->earlier;

		room->block->earlier = block->earlier;
		free_block(room, block);
	}
	if (room->block)
		room->block->used = 0;
}

/* How large the next block is: each twice the one before. */
static size_t next_size(const struct room *room, size_t len)
{
	size_t least = room->least ? room->least : LEAST;
	size_t size = room->block ? 2 * room->block->size : least;

	if (size > MOST)
		size = MOST;
	return size < len ? len : size;
}

static bool add_block(struct room *room, size_t len)
{
	size_t size = next_size(room, len);

	if (budget_take(room->budget, sizeof(struct room_block) + size))
		return false;
	struct room_block *block = malloc(sizeof(*block) + size);
	if (!block) {
		budget_give(room->budget, sizeof(*block) + size);
		return false;
	}
	*block = (struct room_block) { .earlier = room->block, .size = size };
	room->block = block;
	room->size += sizeof(*block) + size;
	return true;
}

void *room_take(struct room *room, size_t len)
{
	len = (len + 7) & ~(size_t)7; /* no caller asks for more than the memory there is */
	if ((!room->block || room->block->size - room->block->used < len) && !add_block(room, len))
		return nullptr;
	void *at = room->block->data + room->block->used;
	room->block->used += len;
	return at;
}

int room_error(const struct room *room, size_t len)
{
	size_t used = room->budget ? atomic_load(&room->budget->used) : 0;

	return room->budget && used + len + LEAST > room->budget->limit ? -EDQUOT : -ENOMEM;
}

int room_copy(struct room *room, struct str *string)
{
	if (string->len == 0)
		return 0;
	char *at = room_take(room, string->len);
	if (!at)
		return room_error(room, next_size(room, string->len));
	memcpy(at, string->at, string->len);
	string->at = at;
	return 0;
}

void room_join(struct room *room, struct room *from)
{
	struct room_block **at = &room->block;

	while (*at)
		at = &(*at)->earlier;
	*at = from->block;
	room->size += from->size;
	from->block = nullptr;
	from->size = 0;
}
