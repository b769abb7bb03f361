/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tile: the files a tree is published in: hash tiles and entry bundles, their names and their contents.
 *
 * Layer 2 (appliance/audit). Nothing here opens a file. Bundles are untrusted input.
 * Source: C2SP tlog-tiles (FORMAT.md section 3).
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/audit/merkle.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"

constexpr unsigned int TILE_WIDTH = 256; /* hashes of a full tile, entries of a full bundle */
constexpr unsigned int TILE_HEIGHT = 8;	 /* levels of the tree in one tile */
constexpr unsigned int TILE_LEVELS = 8;	 /* 256^8 entries */
constexpr size_t TILE_BYTES = TILE_WIDTH * CRYPTO_HASH;
constexpr size_t TILE_ENTRY_MAX = UINT16_MAX;
constexpr size_t TILE_BUNDLE_BYTES = TILE_WIDTH * (2 + TILE_ENTRY_MAX);
constexpr size_t TILE_PATH_MAX = 64;
constexpr unsigned int TILE_ENTRIES = TILE_LEVELS; /* the "level" of entry bundles */

/*
 * The path of a tile below the ledger's folder: "tile/0/x001/234", "tile/entries/067.p/16".
 *
 * level  0 to TILE_LEVELS - 1, or TILE_ENTRIES
 * width  1 to TILE_WIDTH; a partial one has its own path
 */
void tile_path(unsigned int level, uint64_t index, unsigned int width, char ret[TILE_PATH_MAX]);

/* Append an entry to a bundle. A failure, also that it is longer than TILE_ENTRY_MAX, sticks to out. */
void tile_bundle_add(struct buf *out, const void *entry, size_t len);

/*
 * Step to a bundle's next entry.
 *
 * bundle  what is left of it; moved past the entry
 *
 * Returns whether there was a whole one; *ret is set only then and points into the bundle.
 */
[[nodiscard]] bool tile_bundle_next(struct bytes *bundle, struct bytes *ret);

/* The rightmost, still partial tile of each level: what it takes to go on building tiles. */
struct tile_builder {
	uint64_t size; /* entries */
	struct {
		uint64_t full; /* tiles finished before this one */
		unsigned int width;
		struct merkle_hash hash[TILE_WIDTH];
	} level[TILE_LEVELS];
};

/*
 * Take a finished or, at the end, partial tile.
 *
 * hash  [width] borrowed for the call
 *
 * Returns 0, or a value that ends the building and is returned from it.
 */
typedef int tile_sink_fn(void *user, unsigned int level, uint64_t index, unsigned int width,
			 const struct merkle_hash *hash);

/*
 * Append a leaf; sink gets each tile that it completes.
 *
 * Returns 0, -EIO or what sink returned; the builder is of no use after a failure.
 */
[[nodiscard]] int tile_builder_add(struct tile_builder *builder, const struct merkle_hash *leaf,
				   tile_sink_fn *sink, void *user);

/* Hand every partial tile to sink. Returns 0 or what sink returned. */
[[nodiscard]] int tile_builder_partial(const struct tile_builder *builder, tile_sink_fn *sink,
				       void *user);

/* The tree of what has been appended. Returns 0 or -EIO. */
[[nodiscard]] int tile_builder_tree(const struct tile_builder *builder, struct merkle_tree *ret);

/* The root of hashes [n] side by side; n is a power of two up to TILE_WIDTH. Returns 0 or -EIO. */
[[nodiscard]] int tile_root(const struct merkle_hash *hash, unsigned int n,
			    struct merkle_hash *ret);
