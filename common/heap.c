/* SPDX-License-Identifier: Apache-2.0 */
#include "common/heap.h"

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

constexpr int LARGE =
	16 << 20; /* bytes; an allocation of its own, which goes back when it is freed */
constexpr int FREE_MAX = 64 << 20; /* bytes at the end of an arena; more goes back */
constexpr int FREE_RESTING = 128 << 10;
constexpr int ARENAS_MAX = 4;

/* Freeing this much makes malloc look at how much is free at the end. */
constexpr size_t LOOK = 256u << 10;

void heap_reuse(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, FREE_MAX);
	(void)mallopt(M_ARENA_MAX, ARENAS_MAX);
}

/*
 * malloc_trim() gives back the end of the first arena only. Of the others it goes back when something is freed while the limit
 * is low. The limit is every thread's: at worst another gives back too much, or one that rests at the same time too little.
 */
void heap_rest(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, FREE_RESTING);
	void *block = malloc(LOOK);
	(void)malloc_usable_size(block); /* or the compiler would do without the block */
	free(block);
	(void)mallopt(M_TRIM_THRESHOLD, FREE_MAX);
}

void heap_trim(void)
{
	heap_rest();
	(void)malloc_trim(0);
}
