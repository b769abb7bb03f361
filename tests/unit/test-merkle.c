/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/merkle.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "tests/lib/tap.h"

/* Certificate transparency's own vectors: eight entries and the root after each. */
static const struct {
	const char *entry; /* hexadecimal */
	const char *root;
} VECTORS[] = {
	{ "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	{ "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
	{ "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
	{ "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
	{ "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
	{ "5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
	{ "606162636465666768696a6b6c6d6e6f",
	  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

constexpr size_t LEAVES = 1030;

static struct merkle_hash leaf[LEAVES];

/* The definition itself, RFC 6962 section 2.1, over leaf[from] to leaf[to - 1]. */
static struct merkle_hash naive(size_t from, size_t to)
{
	struct merkle_hash made = {};
	size_t half = 1;

	if (from == to) {
		(void)!crypto_sha256("", 0, made.byte);
		return made;
	}
	if (to - from == 1)
		return leaf[from];
	while (half * 2 < to - from)
		half *= 2;

	struct merkle_hash left = naive(from, from + half), right = naive(from + half, to);
	(void)!merkle_node(&left, &right, &made);
	return made;
}

static int read_naive(void *user, unsigned int level, uint64_t index, struct merkle_hash *ret)
{
	(void)user;
	*ret = naive((size_t)(index << level), (size_t)((index + 1) << level));
	return 0;
}

static size_t unhex(const char *hex, uint8_t *ret)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned int byte = 0;

		(void)sscanf(hex + 2 * i, "%2x", &byte);
		ret[i] = (uint8_t)byte;
	}
	return n;
}

static bool the_roots_are_those_of_the_published_vectors(void)
{
	struct merkle_tree tree = {};
	struct merkle_hash hash, root;
	uint8_t entry[32];
	char hex[2 * CRYPTO_HASH + 1];

	CHECK_EQ(merkle_root(&tree, &root), 0);
	crypto_hex(root.byte, sizeof(root.byte), hex);
	CHECK(strcmp(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == 0);
	for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
		size_t len = unhex(VECTORS[i].entry, entry);

		CHECK_EQ(merkle_leaf(entry, len, &hash), 0);
		CHECK_EQ(merkle_add(&tree, &hash), 0);
		CHECK_EQ(merkle_root(&tree, &root), 0);
		crypto_hex(root.byte, sizeof(root.byte), hex);
		CHECK(strcmp(hex, VECTORS[i].root) == 0);
	}
	return true;
}

static bool the_growing_tree_has_the_root_of_the_definition_at_every_size(void)
{
	struct merkle_tree tree = {};
	struct merkle_hash root, want;

	for (size_t size = 0; size < LEAVES; size++) {
		CHECK_EQ(tree.size, size);
		CHECK_EQ(merkle_root(&tree, &root), 0);
		want = naive(0, size);
		CHECK(merkle_same(&root, &want));
		CHECK_EQ(merkle_add(&tree, &leaf[size]), 0);
	}
	return true;
}

/* Whether every changed, shortened or lengthened proof of inclusion is refused. */
static bool other_inclusions_are_refused(uint64_t index, uint64_t size, struct merkle_proof *proof,
					 const struct merkle_hash *root)
{
	for (size_t i = 0; i < proof->n; i++) {
		proof->hash[i].byte[i % CRYPTO_HASH] ^= 1;
		CHECK(!merkle_check_inclusion(&leaf[index], index, size, proof, root));
		proof->hash[i].byte[i % CRYPTO_HASH] ^= 1;
	}
	CHECK(!merkle_check_inclusion(&leaf[index + 1], index, size, proof, root));
	proof->n++;
	CHECK(!merkle_check_inclusion(&leaf[index], index, size, proof, root));
	proof->n--;
	if (proof->n > 0) {
		proof->n--;
		CHECK(!merkle_check_inclusion(&leaf[index], index, size, proof, root));
		proof->n++;
	}
	return true;
}

static bool every_entry_of_trees_up_to_257_is_proven_and_nothing_else(void)
{
	static struct merkle_proof proof;

	for (uint64_t size = 1; size <= 257; size = size < 70 ? size + 1 : size + 17) {
		struct merkle_hash root = naive(0, size);

		for (uint64_t index = 0; index < size; index++) {
			proof = (struct merkle_proof) {};
			CHECK_EQ(merkle_inclusion(index, size, read_naive, nullptr, &proof), 0);
			CHECK(merkle_check_inclusion(&leaf[index], index, size, &proof, &root));
			CHECK(other_inclusions_are_refused(index, size, &proof, &root));
			CHECK(!merkle_check_inclusion(&leaf[index], size, size, &proof, &root));
		}
	}
	CHECK_EQ(merkle_inclusion(5, 5, read_naive, nullptr, &proof), -EINVAL);
	return true;
}

/* Whether every changed, shortened or lengthened proof of consistency is refused. */
static bool other_consistencies_are_refused(uint64_t old, const struct merkle_hash *old_root,
					    uint64_t size, const struct merkle_hash *root,
					    struct merkle_proof *proof)
{
	struct merkle_hash wrong = *old_root;

	wrong.byte[3] ^= 1;
	CHECK(!merkle_check_consistency(old, &wrong, size, root, proof));
	for (size_t i = 0; i < proof->n; i++) {
		proof->hash[i].byte[i % CRYPTO_HASH] ^= 1;
		CHECK(!merkle_check_consistency(old, old_root, size, root, proof));
		proof->hash[i].byte[i % CRYPTO_HASH] ^= 1;
	}
	proof->n++;
	CHECK(!merkle_check_consistency(old, old_root, size, root, proof));
	proof->n--;
	if (proof->n > 0) {
		proof->n--;
		CHECK(!merkle_check_consistency(old, old_root, size, root, proof));
		proof->n++;
	}
	return true;
}

static bool every_pair_of_sizes_up_to_64_is_consistent_and_nothing_else(void)
{
	static struct merkle_proof proof;

	for (uint64_t size = 1; size <= 64; size++) {
		struct merkle_hash root = naive(0, size);

		for (uint64_t old = 1; old <= size; old++) {
			struct merkle_hash old_root = naive(0, old);

			proof = (struct merkle_proof) {};
			CHECK_EQ(merkle_consistency(old, size, read_naive, nullptr, &proof), 0);
			CHECK(merkle_check_consistency(old, &old_root, size, &root, &proof));
			CHECK(other_consistencies_are_refused(old, &old_root, size, &root, &proof));
		}
	}
	CHECK_EQ(merkle_consistency(0, 5, read_naive, nullptr, &proof), -EINVAL);
	CHECK_EQ(merkle_consistency(6, 5, read_naive, nullptr, &proof), -EINVAL);
	return true;
}

int main(void)
{
	for (size_t i = 0; i < LEAVES; i++)
		if (merkle_leaf(&i, sizeof(i), &leaf[i]))
			return 99;
	RUN(the_roots_are_those_of_the_published_vectors);
	RUN(the_growing_tree_has_the_root_of_the_definition_at_every_size);
	RUN(every_entry_of_trees_up_to_257_is_proven_and_nothing_else);
	RUN(every_pair_of_sizes_up_to_64_is_consistent_and_nothing_else);
	return tap_done();
}
