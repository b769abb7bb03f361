/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * raw: rows of one chunk that go to the tables as they are: a small key and numbers each, by the part where they belong.
 *
 * Layer 5 (service/group). Where a chunk has many groups of few rows each, to put its rows together first costs more than it
 * spares. Rows lie in pages, which are used again for later chunks.
 * Threads: a struct raw belongs to one at a time, a pool to any.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/group/aggregate.h"
#include "service/group/small.h"
#include "service/vector/pile.h"
#include "service/vector/vector.h"

constexpr uint32_t RAW_PARTS = 64;
constexpr uint32_t RAW_ROWS = 128; /* of a page */

/* Some rows of a part. Behind the keys: for each aggregate bits[RAW_ROWS], then for each kinds[RAW_ROWS]. */
struct raw_page {
	struct raw_page *next;
	uint32_t n;
	struct small key[RAW_ROWS];
	uint32_t hash[RAW_ROWS]; /* the lower half of each key's */
	uint64_t data[];
};

struct raw_pool {
	const struct layout *layout;
	pthread_mutex_t lock;
	struct raw_page *page; /* that are free */
	struct pile pile;      /* all of them */
};

/* Begin an empty pool; raw_pool_done() ends it. layout and budget are borrowed. */
void raw_pool_init(struct raw_pool *pool, const struct layout *layout, struct budget *budget);

/* Free all pages: nothing that has some may be left. Harmless on a zeroed one. */
void raw_pool_done(struct raw_pool *pool);

/* An aggregate's arguments. */
struct raw_column {
	bool used;  /* there are any: not for COUNT(*) */
	bool mixed; /* each row's kind is kept; or all are of kind */
	enum kind kind;
};

struct raw {
	struct raw_pool *pool;
	uint32_t n, n_pages;
	struct {
		struct raw_page *first, *last;
	} part[RAW_PARTS];
	struct raw_column column[]; /* [layout->n] */
};

/* Make an empty one. pool is borrowed. Returns 0 or -ENOMEM. */
[[nodiscard]] int raw_new(struct raw_pool *pool, struct raw **ret);

/* Free, and give the pages back; nullptr is a no-op. Always returns nullptr. */
struct raw *raw_free(struct raw *raw);
CLEANUP_FN(struct raw, raw_free)

/* Bytes of its pages. */
[[nodiscard]] size_t raw_bytes(const struct raw *raw);

/* Scratch of raw_add(). */
struct raw_room {
	uint16_t fits[COLUMN_BLOCK], at[COLUMN_BLOCK];
	uint64_t hash[COLUMN_BLOCK];
	struct small key[COLUMN_BLOCK];
	struct raw_page *page[COLUMN_BLOCK];
};

/*
 * Add a block's entries [n].
 *
 * hash_key   the process's
 * value      [layout->n] the aggregates' arguments
 * ret_rest   [n] entries that have not been added, ascending: their keys are not small or their values are not to be had as numbers
 * ret_rest_n how many
 *
 * Returns 0, -ENOMEM or -EDQUOT: raw is good for nothing then.
 */
struct raw_block {
	const struct vector *key;
	const struct vector *const *value;
	const uint16_t *entry;
	uint32_t n;
};
[[nodiscard]] int raw_add(struct raw *raw, const uint64_t hash_key[2],
			  const struct raw_block *block, struct raw_room *room, uint16_t *ret_rest,
			  uint32_t *ret_rest_n);

/* Count the different keys. Returns 0 or -ENOMEM. */
[[nodiscard]] int raw_distinct(const struct raw *raw, uint32_t *ret);

/* An argument's values in a page as a vector's entries 0 to page->n - 1; nullptr if the column is not used. */
[[nodiscard]] const struct vector *raw_vector(const struct raw *raw, const struct raw_page *page,
					      uint32_t column, struct vector *to);
