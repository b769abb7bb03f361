/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/merkle.h"
#include "appliance/audit/tile.h"
#include "common/buf.h"
#include "common/crypto/crypto.h"

constexpr size_t BASE64_HASH = 64;

/* Yield the root of a whole subtree, from a tile file or from the tiles still being filled. */
static int read_node(void *user, unsigned int level, uint64_t index, struct merkle_hash *ret)
{
	struct ledger *ledger = user;
	auto_buf struct buf bytes = buf_make(TILE_BYTES);
	unsigned int tile_level = level / TILE_HEIGHT, n = 1u << level % TILE_HEIGHT;
	uint64_t first = index * n, tile = first / TILE_WIDTH; /* below 2^62 leaves: cannot wrap */
	auto at = &ledger->builder->level[tile_level];
	const struct merkle_hash *hash = at->hash;
	char path[TILE_PATH_MAX];

	if (tile < at->full) {
		tile_path(tile_level, tile, TILE_WIDTH, path);
		int r = folder_read(ledger->dir, path, &bytes);
		if (r < 0)
			return r;
		if (r > 0 || bytes.len != TILE_BYTES)
			return LEDGER_DAMAGED;
		hash = (const struct merkle_hash *)(const void *)bytes.data;
	}
	return tile_root(hash + first % TILE_WIDTH, n, ret);
}

int ledger_proof(struct ledger *ledger, uint64_t index, struct buf *out)
{
	struct merkle_proof proof;
	char base64[BASE64_HASH];

	if (index >= ledger->builder->size)
		return LEDGER_NO_ENTRY;
	int r = merkle_inclusion(index, ledger->builder->size, read_node, ledger, &proof);
	if (r)
		return r;
	buf_addf(out, "c2sp.org/tlog-proof@v1\nindex %" PRIu64 "\n", index);
	for (size_t i = 0; i < proof.n; i++) {
		crypto_base64(proof.hash[i].byte, sizeof(proof.hash[i].byte), base64);
		buf_addf(out, "%s\n", base64);
	}
	buf_add_str(out, "\n");
	buf_add(out, ledger->note.data, ledger->note.len);
	return buf_error(out);
}
