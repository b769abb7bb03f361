/* SPDX-License-Identifier: Apache-2.0 */
#include "service/vector/pile.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pile_block {
	struct pile_block *earlier;
	size_t size; /* of data */
	_Alignas(8) uint8_t data[];
};

constexpr size_t LEAST = 4096;
/* With its heads below what the daemon has malloc() take from the kernel each time. */
constexpr size_t MOST = (1u << 20) - 64;

int budget_take(struct budget *budget, size_t bytes)
{
	if (!budget)
		return 0;
	size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
	do { /* never counted in even for a moment if it is too much: another would see that */
		if (used + bytes > budget->limit)
			return -EDQUOT;
	} while (!atomic_compare_exchange_weak_explicit(
		&budget->used, &used, used + bytes, memory_order_relaxed, memory_order_relaxed));
	return 0;
}

void budget_give(struct budget *budget, size_t bytes)
{
	if (budget)
		atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
}

static void free_block(struct pile *pile, struct pile_block *block)
{
	budget_give(pile->budget, sizeof(*block) + block->size);
	pile->size -= sizeof(*block) + block->size;
	free(block);
}

void pile_done(struct pile *pile)
{
	while (pile->block) {
		struct pile_block *block = pile->block;

		pile->block = block->earlier;
		free_block(pile, block);
	}
	pile->at = nullptr;
	pile->left = 0;
}

void pile_clear(struct pile *pile)
{
	while (pile->block && pile->block->earlier) {
		struct pile_block *block = pile->block->earlier;

		pile->block->earlier = block->earlier;
		free_block(pile, block);
	}
	pile->at = pile->block ? pile->block->data : nullptr;
	pile->left = pile->block ? pile->block->size : 0;
}

/* How large the next block is: each twice the one before. */
static size_t next_size(const struct pile *pile, size_t len)
{
	size_t least = pile->least ? pile->least : LEAST;
	size_t size = pile->block ? 2 * pile->block->size : least;

	if (size > MOST)
		size = MOST;
	return size < len ? len : size;
}

static bool add_block(struct pile *pile, size_t len)
{
	size_t size = next_size(pile, len);

	if (budget_take(pile->budget, sizeof(struct pile_block) + size)) {
		size = len; /* less will do when memory is short */
		if (budget_take(pile->budget, sizeof(struct pile_block) + size))
			return false;
	}
	struct pile_block *block = malloc(sizeof(*block) + size);
	if (!block) {
		budget_give(pile->budget, sizeof(*block) + size);
		return false;
	}
	*block = (struct pile_block) { .earlier = pile->block, .size = size };
	pile->block = block;
	pile->size += sizeof(*block) + size;
	return true;
}

void *pile_grow(struct pile *pile, size_t len)
{
	if (!add_block(pile, len))
		return nullptr;
	pile->at = pile->block->data + len;
	pile->left = pile->block->size - len;
	return pile->block->data;
}

int pile_error(const struct pile *pile, size_t len)
{
	size_t used = pile->budget ? atomic_load(&pile->budget->used) : 0;

	return pile->budget && used + len + sizeof(struct pile_block) > pile->budget->limit
		       ? -EDQUOT
		       : -ENOMEM;
}

int pile_copy(struct pile *pile, struct str *string)
{
	if (string->len == 0)
		return 0;
	char *at = pile_take(pile, string->len);
	if (!at)
		return pile_error(pile, string->len);
	memcpy(at, string->at, string->len);
	string->at = at;
	return 0;
}

void pile_join(struct pile *pile, struct pile *from)
{
	struct pile_block **at = &pile->block;

	while (*at)
		at = &(*at)->earlier;
	*at = from->block;
	pile->size += from->size;
	*from = (struct pile) { .budget = from->budget };
}
