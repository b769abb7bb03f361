/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/tile.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/audit/merkle.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"

/* Write index in groups of three digits, all but the last with an x: 1234067 is x001/x234/067. */
static void index_text(uint64_t index, char *ret, size_t room)
{
	unsigned int group[8]; /* 24 digits: more than a uint64_t has */
	size_t n = 0, len = 0;

	do {
		group[n++] = (unsigned int)(index % 1000);
		index /= 1000;
	} while (index > 0 && n < countof(group));
	while (n-- > 0)
		len += (size_t)snprintf(ret + len, room - len, n ? "x%03u/" : "%03u", group[n]);
}

void tile_path(unsigned int level, uint64_t index, unsigned int width, char ret[TILE_PATH_MAX])
{
	char digits[48], kind[16] = "entries", part[16] = "";

	index_text(index, digits, sizeof(digits));
	if (level != TILE_ENTRIES)
		(void)snprintf(kind, sizeof(kind), "%u", level);
	if (width != TILE_WIDTH)
		(void)snprintf(part, sizeof(part), ".p/%u", width);
	(void)snprintf(ret, TILE_PATH_MAX, "tile/%.8s/%.40s%.8s", kind, digits, part);
}

void tile_bundle_add(struct buf *out, const void *entry, size_t len)
{
	if (len > TILE_ENTRY_MAX) {
		out->error = out->error ? out->error : -EMSGSIZE;
		return;
	}
	write_u8(out, (uint8_t)(len >> 8));
	write_u8(out, (uint8_t)len);
	buf_add(out, entry, len);
}

bool tile_bundle_next(struct bytes *bundle, struct bytes *ret)
{
	if (bundle->len < 2)
		return false;

	size_t len = (size_t)bundle->data[0] << 8 | bundle->data[1];
	if (bundle->len - 2 < len)
		return false;
	*ret = (struct bytes) { bundle->data + 2, len };
	bundle->data += 2 + len;
	bundle->len -= 2 + len;
	return true;
}

int tile_root(const struct merkle_hash *hash, unsigned int n, struct merkle_hash *ret)
{
	struct merkle_tree tree = {};
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < n; i++)
		r = merkle_add(&tree, &hash[i]);
	return r ? r : merkle_root(&tree, ret);
}

int tile_builder_add(struct tile_builder *builder, const struct merkle_hash *leaf,
		     tile_sink_fn *sink, void *user)
{
	struct merkle_hash hash = *leaf;

	for (unsigned int level = 0; level < TILE_LEVELS; level++) {
		auto at = &builder->level[level];

		at->hash[at->width++] = hash;
		if (at->width < TILE_WIDTH)
			break;

		int r = sink(user, level, at->full, TILE_WIDTH, at->hash);
		if (r == 0)
			r = tile_root(at->hash, TILE_WIDTH, &hash);
		if (r)
			return r;
		at->full++;
		at->width = 0;
	}
	builder->size++;
	return 0;
}

int tile_builder_partial(const struct tile_builder *builder, tile_sink_fn *sink, void *user)
{
	int r = 0;

	for (unsigned int level = 0; r == 0 && level < TILE_LEVELS; level++)
		if (builder->level[level].width > 0)
			r = sink(user, level, builder->level[level].full,
				 builder->level[level].width, builder->level[level].hash);
	return r;
}

int tile_builder_tree(const struct tile_builder *builder, struct merkle_tree *ret)
{
	struct merkle_tree tree = { .size = builder->size };

	/* The bits of a level's width are the tree's whole subtrees there, the largest leftmost. */
	for (unsigned int level = 0; level < TILE_LEVELS; level++) {
		unsigned int at = 0, width = builder->level[level].width;

		for (unsigned int bit = TILE_HEIGHT; bit-- > 0;) {
			if (!(width >> bit & 1))
				continue;
			int r = tile_root(&builder->level[level].hash[at], 1u << bit,
					  &tree.node[level * TILE_HEIGHT + bit]);
			if (r)
				return r;
			at += 1u << bit;
		}
	}
	*ret = tree;
	return 0;
}
