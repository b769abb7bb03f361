/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/partial.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

constexpr size_t BLOCK_LEAST = 1024;
constexpr size_t BLOCK_MOST = 64 * 1024;

int partial_new(struct budget *budget, struct partial **ret)
{
	struct partial *partial = calloc(1, sizeof(*partial));

	if (!partial)
		return -ENOMEM;
	partial->budget = budget;
	partial->strings = (struct pile) { .budget = budget };
	*ret = partial;
	return 0;
}

struct partial *partial_free(struct partial *partial)
{
	if (!partial)
		return nullptr;
	for (uint32_t p = 0; p < PARTIAL_PARTS; p++)
		while (partial->first[p]) {
			struct partial_block *block = partial->first[p];

			partial->first[p] = block->next;
			budget_give(partial->budget, sizeof(*block) + block->size);
			free(block);
		}
	pile_done(&partial->strings);
	free(partial);
	return nullptr;
}

void partial_clear(struct partial *partial)
{
	for (uint32_t p = 0; p < PARTIAL_PARTS; p++) {
		partial->last[p] = partial->first[p];
		for (struct partial_block *block = partial->first[p]; block; block = block->next)
			block->used = 0;
	}
	pile_clear(&partial->strings);
	partial->n = 0;
}

/* Go to a part's next block, which has room for len bytes. */
static int next_block(struct partial *partial, uint32_t part, size_t len)
{
	struct partial_block *last = partial->last[part];
	size_t size = last ? 2 * (size_t)last->size : BLOCK_LEAST;

	if (last && last->next && last->next->size >= len) { /* from an earlier chunk */
		partial->last[part] = last->next;
		return 0;
	}
	size = size > BLOCK_MOST ? BLOCK_MOST : size;
	size = size < len ? len : size;
	if (size > UINT32_MAX)
		return -ENOMEM;
	int r = budget_take(partial->budget, sizeof(*last) + size);
	if (r)
		return r;
	struct partial_block *block = malloc(sizeof(*block) + size);
	if (!block) {
		budget_give(partial->budget, sizeof(*block) + size);
		return -ENOMEM;
	}
	*block = (struct partial_block) { .next = last ? last->next : partial->first[part],
					  .size = (uint32_t)size };
	*(last ? &last->next : &partial->first[part]) = block;
	partial->last[part] = block;
	return 0;
}

int partial_add(struct partial *partial, uint64_t hash, uint32_t states_len, uint32_t key_len,
		struct record **ret)
{
	size_t len = record_room(states_len, key_len);
	uint32_t part = partial_part(hash);
	struct partial_block *block = partial->last[part];

	if (!block || block->size - block->used < len) {
		int r = next_block(partial, part, len);

		if (r)
			return r;
		block = partial->last[part];
	}
	struct record *record = (void *)(block->data + block->used);
	block->used += (uint32_t)len;
	*record = (struct record) { hash, key_len, states_len };
	record_clear(record);
	partial->n++;
	*ret = record;
	return 0;
}
