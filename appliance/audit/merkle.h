/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * merkle: the tree over the ledger's entries, its root and its proofs.
 *
 * Layer 2 (appliance/audit). Pure functions but for the reader of hashes that a caller hands in.
 * Source: RFC 6962 section 2.1; the algorithms that check proofs are RFC 9162 section 2.1.3.2 and 2.1.4.2.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"

constexpr size_t MERKLE_LEVELS = 64;
constexpr size_t MERKLE_PROOF_MAX = 63; /* no tree of up to 2^62 entries needs more */

struct merkle_hash {
	uint8_t byte[CRYPTO_HASH];
};

/* A tree of which only the roots of its whole subtrees are kept: node[l] is there if bit l of size is set. */
struct merkle_tree {
	uint64_t size;
	struct merkle_hash node[MERKLE_LEVELS];
};

struct merkle_proof {
	size_t n;
	struct merkle_hash hash[MERKLE_PROOF_MAX];
};

/*
 * Yield the root of the whole subtree number index (from 0) of 2^level leaves.
 *
 * Returns 0 or -errno, which merkle_inclusion() and merkle_consistency() pass on.
 */
typedef int merkle_read_fn(void *user, unsigned int level, uint64_t index, struct merkle_hash *ret);

/* The hash of one entry. Returns 0 or -EIO. */
[[nodiscard]] int merkle_leaf(const void *entry, size_t len, struct merkle_hash *ret);

/* The hash of two subtrees side by side; ret may be one of them. Returns 0 or -EIO. */
[[nodiscard]] int merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
			      struct merkle_hash *ret);

/* Append a leaf's hash. Returns 0, or -EIO with the tree unchanged. */
[[nodiscard]] int merkle_add(struct merkle_tree *tree, const struct merkle_hash *leaf);

/* The root; of an empty tree the hash of nothing. Returns 0 or -EIO. */
[[nodiscard]] int merkle_root(const struct merkle_tree *tree, struct merkle_hash *ret);

/* Whether two hashes are the same. */
[[nodiscard]] bool merkle_same(const struct merkle_hash *a, const struct merkle_hash *b);

/*
 * Make the proof that entry index is in the tree of this size.
 *
 * Returns 0, -EINVAL if index is not below size, or what read returned.
 */
[[nodiscard]] int merkle_inclusion(uint64_t index, uint64_t size, merkle_read_fn *read, void *user,
				   struct merkle_proof *ret);

/*
 * Make the proof that the tree of size size begins with the tree of size old.
 *
 * Returns 0, -EINVAL if old is 0 or above size, or what read returned.
 */
[[nodiscard]] int merkle_consistency(uint64_t old, uint64_t size, merkle_read_fn *read, void *user,
				     struct merkle_proof *ret);

/* Whether the proof shows that leaf is entry index of the tree with this size and root. */
[[nodiscard]] bool merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index,
					  uint64_t size, const struct merkle_proof *proof,
					  const struct merkle_hash *root);

/* Whether the proof shows that the tree (size, root) begins with the tree (old, old_root). */
[[nodiscard]] bool merkle_check_consistency(uint64_t old, const struct merkle_hash *old_root,
					    uint64_t size, const struct merkle_hash *root,
					    const struct merkle_proof *proof);
