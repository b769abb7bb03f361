/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * arena: memory that lives as long as one statement and is freed in one go.
 *
 * Layer 6 (service/syntax). Threads: one at a time.
 */

#include <stddef.h>

#include "common/base.h"

struct arena_block;

struct arena {
	struct arena_block *last;
	size_t left;  /* bytes free in the last block */
	size_t total; /* bytes handed out */
	size_t max;
};

/* An empty arena that hands out at most max bytes in all. */
[[nodiscard]] struct arena arena_make(size_t max);

/* Free everything; the arena is empty again. */
void arena_done(struct arena *arena);

/* Zeroed memory for any object of size bytes; nullptr if there is none left. */
[[nodiscard]] void *arena_get(struct arena *arena, size_t size);

/* A NUL-terminated copy of text[len]; nullptr if there is no memory left. */
[[nodiscard]] char *arena_text(struct arena *arena, const char *text, size_t len);

#define auto_arena cleanup(arena_done)
