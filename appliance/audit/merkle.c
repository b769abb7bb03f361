/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/merkle.h"

#include <errno.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/crypto/crypto.h"

constexpr uint8_t LEAF_PREFIX = 0;
constexpr uint8_t NODE_PREFIX = 1;
constexpr uint64_t SIZE_MAX_HELD = UINT64_C(1) << 62; /* keeps every shift and proof in range */

int merkle_leaf(const void *entry, size_t len, struct merkle_hash *ret)
{
	return crypto_sha256_prefixed(LEAF_PREFIX, entry, len, nullptr, 0, ret->byte);
}

int merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
		struct merkle_hash *ret)
{
	struct merkle_hash made;
	int r = crypto_sha256_prefixed(NODE_PREFIX, left->byte, sizeof(left->byte), right->byte,
				       sizeof(right->byte), made.byte);

	if (r == 0)
		*ret = made;
	return r;
}

int merkle_add(struct merkle_tree *tree, const struct merkle_hash *leaf)
{
	struct merkle_hash hash = *leaf;
	unsigned int level = 0;

	for (uint64_t rest = tree->size; rest & 1; rest >>= 1, level++) {
		int r = merkle_node(&tree->node[level], &hash, &hash);

		if (r)
			return r;
	}
	tree->node[level] = hash;
	tree->size++;
	return 0;
}

int merkle_root(const struct merkle_tree *tree, struct merkle_hash *ret)
{
	if (tree->size == 0)
		return crypto_sha256("", 0, ret->byte);

	unsigned int level = (unsigned int)stdc_trailing_zeros(tree->size);
	struct merkle_hash hash = tree->node[level];
	int r = 0;

	while (r == 0 && ++level < MERKLE_LEVELS)
		if (tree->size >> level & 1)
			r = merkle_node(&tree->node[level], &hash, &hash);
	if (r == 0)
		*ret = hash;
	return r;
}

bool merkle_same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

/* The root of leaves from to to - 1; from is a multiple of the largest power of two up to the length. */
static int range_hash(uint64_t from, uint64_t to, merkle_read_fn *read, void *user,
		      struct merkle_hash *ret)
{
	struct merkle_tree part = { .size = to - from };

	for (uint64_t at = from; at < to;) {
		unsigned int level = (unsigned int)stdc_bit_width(to - at) - 1;
		int r = read(user, level, at >> level, &part.node[level]);

		if (r)
			return r;
		at += UINT64_C(1) << level;
	}
	return merkle_root(&part, ret);
}

/* The largest power of two below n; n is at least 2. */
static uint64_t split(uint64_t n)
{
	return stdc_bit_floor(n - 1);
}

static void reverse(struct merkle_proof *proof)
{
	for (size_t i = 0; i < proof->n / 2; i++) {
		struct merkle_hash kept = proof->hash[i];

		proof->hash[i] = proof->hash[proof->n - 1 - i];
		proof->hash[proof->n - 1 - i] = kept;
	}
}

/* From the root [0, size) down to the leaf: each step adds the half not gone into. */
int merkle_inclusion(uint64_t index, uint64_t size, merkle_read_fn *read, void *user,
		     struct merkle_proof *ret)
{
	struct merkle_proof proof = {};
	uint64_t from = 0, to = size;

	if (index >= size || size > SIZE_MAX_HELD)
		return -EINVAL;
	while (to - from > 1) {
		uint64_t middle = from + split(to - from);
		bool left = index < middle;
		int r = range_hash(left ? middle : from, left ? to : middle, read, user,
				   &proof.hash[proof.n++]);

		if (r)
			return r;
		*(left ? &to : &from) = middle;
	}
	reverse(&proof);
	*ret = proof;
	return 0;
}

int merkle_consistency(uint64_t old, uint64_t size, merkle_read_fn *read, void *user,
		       struct merkle_proof *ret)
{
	struct merkle_proof proof = {};
	uint64_t from = 0, to = size;
	int r = 0;

	if (old == 0 || old > size || size > SIZE_MAX_HELD)
		return -EINVAL;
	while (r == 0 && to != old) { /* RFC 6962 section 2.1.2, SUBPROOF(m, D[n], b) */
		uint64_t middle = from + split(to - from);
		bool left = old <= middle;

		r = range_hash(left ? middle : from, left ? to : middle, read, user,
			       &proof.hash[proof.n++]);
		*(left ? &to : &from) = middle;
	}
	if (r == 0 && from != 0)
		r = range_hash(from, to, read, user, &proof.hash[proof.n++]);
	if (r)
		return r;
	reverse(&proof);
	*ret = proof;
	return 0;
}

bool merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
			    const struct merkle_proof *proof, const struct merkle_hash *root)
{
	uint64_t node = index, last = size - 1;
	struct merkle_hash hash = *leaf;

	if (index >= size || proof->n > MERKLE_PROOF_MAX)
		return false;
	for (size_t i = 0; i < proof->n; i++) {
		if (last == 0)
			return false;
		bool from_left = (node & 1) || node == last;
		if (from_left ? merkle_node(&proof->hash[i], &hash, &hash)
			      : merkle_node(&hash, &proof->hash[i], &hash))
			return false;
		while (from_left && !(node & 1) && node != 0) {
			node >>= 1;
			last >>= 1;
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && merkle_same(&hash, root);
}

bool merkle_check_consistency(uint64_t old, const struct merkle_hash *old_root, uint64_t size,
			      const struct merkle_hash *root, const struct merkle_proof *proof)
{
	uint64_t node = old - 1, last = size - 1;
	size_t next = 0;

	if (old == 0 || old > size || proof->n > MERKLE_PROOF_MAX)
		return false;
	if (old == size)
		return proof->n == 0 && merkle_same(old_root, root);
	while (node & 1) {
		node >>= 1;
		last >>= 1;
	}
	if (proof->n == 0)
		return false;
	/* A whole old tree is its own first hash; otherwise the proof brings it. */
	struct merkle_hash before = (old & (old - 1)) == 0 ? *old_root : proof->hash[next++];
	struct merkle_hash after = before;

	for (; next < proof->n; next++) {
		const struct merkle_hash *hash = &proof->hash[next];

		if (last == 0)
			return false;
		if (!((node & 1) || node == last)) {
			if (merkle_node(&after, hash, &after))
				return false;
		} else {
			if (merkle_node(hash, &before, &before) ||
			    merkle_node(hash, &after, &after))
				return false;
			while (!(node & 1) && node != 0) {
				node >>= 1;
				last >>= 1;
			}
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && merkle_same(&before, old_root) && merkle_same(&after, root);
}
