/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/tile.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "tests/lib/tap.h"

static bool the_paths_are_those_of_the_specification(void)
{
	static const struct {
		unsigned int level;
		uint64_t index;
		unsigned int width;
		const char *path;
	} PATHS[] = {
		{ 0, 0, 256, "tile/0/000" },
		{ 0, 272, 256, "tile/0/272" },
		{ 0, 273, 112, "tile/0/273.p/112" },
		{ 1, 0, 256, "tile/1/000" },
		{ 1, 1, 17, "tile/1/001.p/17" },
		{ 2, 0, 1, "tile/2/000.p/1" },
		{ 0, 1234067, 256, "tile/0/x001/x234/067" },
		{ TILE_ENTRIES, 1000, 256, "tile/entries/x001/000" },
		{ TILE_ENTRIES, 273, 112, "tile/entries/273.p/112" },
		{ 7, UINT64_MAX, 255, "tile/7/x018/x446/x744/x073/x709/x551/615.p/255" },
	};
	char path[TILE_PATH_MAX];

	for (size_t i = 0; i < countof(PATHS); i++) {
		tile_path(PATHS[i].level, PATHS[i].index, PATHS[i].width, path);
		CHECK(strcmp(path, PATHS[i].path) == 0);
	}
	return true;
}

/* How many full tiles each level has got, and the last partial widths. */
struct seen {
	uint64_t full[TILE_LEVELS];
	unsigned int width[TILE_LEVELS];
};

static int see(void *user, unsigned int level, uint64_t index, unsigned int width,
	       const struct merkle_hash *hash)
{
	struct seen *seen = user;

	(void)hash;
	if (width != TILE_WIDTH)
		seen->width[level] = width;
	else if (index != seen->full[level]++)
		return -1;
	return 0;
}

static bool a_tree_of_70000_entries_has_the_tiles_of_the_specification(void)
{
	static struct tile_builder builder;
	static struct merkle_tree tree, again;
	struct merkle_hash hash, root, root_again;
	struct seen seen = {};

	for (uint64_t i = 0; i < 70'000; i++) {
		CHECK_EQ(merkle_leaf(&i, sizeof(i), &hash), 0);
		CHECK_EQ(merkle_add(&tree, &hash), 0);
		CHECK_EQ(tile_builder_add(&builder, &hash, see, &seen), 0);
	}
	CHECK_EQ(tile_builder_partial(&builder, see, &seen), 0);
	CHECK_EQ(seen.full[0], 273u);
	CHECK_EQ(seen.width[0], 112u);
	CHECK_EQ(seen.full[1], 1u);
	CHECK_EQ(seen.width[1], 17u);
	CHECK_EQ(seen.full[2], 0u);
	CHECK_EQ(seen.width[2], 1u);
	CHECK_EQ(seen.width[3], 0u);

	CHECK_EQ(tile_builder_tree(&builder, &again), 0);
	CHECK_EQ(merkle_root(&tree, &root), 0);
	CHECK_EQ(merkle_root(&again, &root_again), 0);
	CHECK(merkle_same(&root, &root_again));
	return true;
}

static bool the_tiles_make_the_tree_at_every_size(void)
{
	static struct tile_builder builder;
	struct merkle_tree tree = {}, again;
	struct merkle_hash hash, root, root_again;
	struct seen seen = {};

	for (uint64_t i = 0; i < 1100; i++) {
		CHECK_EQ(tile_builder_tree(&builder, &again), 0);
		CHECK_EQ(merkle_root(&tree, &root), 0);
		CHECK_EQ(merkle_root(&again, &root_again), 0);
		CHECK(merkle_same(&root, &root_again));
		CHECK_EQ(merkle_leaf(&i, sizeof(i), &hash), 0);
		CHECK_EQ(merkle_add(&tree, &hash), 0);
		CHECK_EQ(tile_builder_add(&builder, &hash, see, &seen), 0);
	}
	return true;
}

static bool a_bundle_reads_back_and_every_cut_one_ends_early(void)
{
	static const char *const ENTRIES[] = { "", "a", "three little words" };
	static const uint8_t WANT[] = "\x00\x00\x00\x01"
				      "a\x00\x12three little words";
	auto_buf struct buf out = buf_make(TILE_BUNDLE_BYTES);

	for (size_t i = 0; i < countof(ENTRIES); i++)
		tile_bundle_add(&out, ENTRIES[i], strlen(ENTRIES[i]));
	CHECK_EQ(out.len, sizeof(WANT) - 1);
	CHECK(memcmp(out.data, WANT, out.len) == 0);

	for (size_t len = 0; len <= out.len; len++) {
		struct bytes rest = { out.data, len }, entry;
		size_t n = 0;

		while (tile_bundle_next(&rest, &entry)) {
			CHECK_EQ(entry.len, strlen(ENTRIES[n]));
			CHECK(memcmp(entry.data, ENTRIES[n], entry.len) == 0);
			n++;
		}
		bool all = n == countof(ENTRIES);
		CHECK_EQ(all, len == out.len);
	}
	return true;
}

static bool an_entry_too_long_for_a_bundle_is_refused(void)
{
	static uint8_t entry[TILE_ENTRY_MAX + 1];
	auto_buf struct buf out = buf_make(TILE_BUNDLE_BYTES);

	tile_bundle_add(&out, entry, TILE_ENTRY_MAX);
	CHECK_EQ(buf_error(&out), 0);
	tile_bundle_add(&out, entry, TILE_ENTRY_MAX + 1);
	CHECK_EQ(buf_error(&out), -EMSGSIZE);
	return true;
}

int main(void)
{
	RUN(the_paths_are_those_of_the_specification);
	RUN(a_tree_of_70000_entries_has_the_tiles_of_the_specification);
	RUN(the_tiles_make_the_tree_at_every_size);
	RUN(a_bundle_reads_back_and_every_cut_one_ends_early);
	RUN(an_entry_too_long_for_a_bundle_is_refused);
	return tap_done();
}
