/* SPDX-License-Identifier: Apache-2.0 */
#include "service/syntax/arena.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t BLOCK_SIZE = 16 * 1024;
constexpr size_t ALIGN = 16;

struct arena_block {
	struct arena_block *before;
	size_t size;
	alignas(16) uint8_t data[];
};

struct arena arena_make(size_t max)
{
	return (struct arena) { .max = max };
}

void arena_done(struct arena *arena)
{
	while (arena->last) {
		struct arena_block *before = arena->last->before;

		free(arena->last);
		arena->last = before;
	}
	*arena = arena_make(arena->max);
}

void *arena_get(struct arena *arena, size_t size)
{
	if (size > arena->max - arena->total || size > SIZE_MAX / 2)
		return nullptr;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (size > arena->left) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		struct arena_block *block = calloc(1, sizeof(*block) + room);

		if (!block)
			return nullptr;
		block->before = arena->last;
		block->size = room;
		arena->last = block;
		arena->left = room;
	}
	void *at = arena->last->data + (arena->last->size - arena->left);
	arena->left -= size;
	arena->total += size < arena->max - arena->total ? size : arena->max - arena->total;
	return at;
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_get(arena, len + 1);

	if (copy && len > 0)
		memcpy(copy, text, len);
	return copy;
}
