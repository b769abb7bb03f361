/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * cache: decrypted extents of sealed files, within a hard budget of memory.
 *
 * Layer 2 (service/disk). Extents in use are pinned; of the others the ones not used for longest go first (two lists, so that
 * one large scan does not drive out what is used again and again). Memory comes from mmap and goes back at once.
 * Threads: any. Two threads that want the same extent read it once.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/disk/sealed.h"

struct cache;

/*
 * Make a cache.
 *
 * budget  bytes; pinned extents may pass it only as far as cache_pin() says
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int cache_new(size_t budget, struct cache **ret);

/* Free; nothing may be pinned. nullptr is a no-op. Always returns nullptr. */
struct cache *cache_free(struct cache *cache);
CLEANUP_FN(struct cache, cache_free)

struct pin; /* an extent that stays while it is used */

/* How an extent was come by. */
struct pin_about {
	bool missed;   /* it was not in memory: this call has read it from disk */
	uint32_t page; /* on SEALED_DAMAGED the wrong one, as in sealed_read() */
};

/*
 * Get an extent's bytes, from memory or from disk.
 *
 * file_key  a number that names the sealed file for as long as the cache lives; never used for another
 * ret_data  [extent.pages * SEALED_PAGE], valid until cache_unpin()
 * ret_about its page is set only on SEALED_DAMAGED, missed only on success
 *
 * Returns 0, SEALED_DAMAGED, -ENOMEM (also: everything is pinned and the budget is used up) or -errno.
 */
[[nodiscard]] int cache_pin(struct cache *cache, struct sealed *sealed, uint64_t file_key,
			    struct extent extent, const uint8_t **ret_data, struct pin **ret,
			    struct pin_about *ret_about);

/* Let go; nullptr is a no-op. Always returns nullptr. */
struct pin *cache_unpin(struct pin *pin);
CLEANUP_FN(struct pin, cache_unpin)

/* Drop everything of one file that is not pinned; for a file that is going away. */
void cache_forget(struct cache *cache, uint64_t file_key);

/* Drop unpinned extents until at most bytes are used; for a process that has been idle. */
void cache_shrink(struct cache *cache, size_t bytes);

/* Change the budget. */
void cache_set_budget(struct cache *cache, size_t budget);

struct cache_figures {
	size_t used, budget;
	uint64_t hits, misses, pages_read;
};

/* How it is doing. */
void cache_figures(struct cache *cache, struct cache_figures *ret);
