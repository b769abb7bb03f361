/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/hash.h"
#include "service/column/strings_internal.h"

/*
 * The hash has no key, so strings can be chosen that all fall on one place. Rather than compare each with all before it,
 * the search ends there and the column goes without a dictionary.
 */
constexpr uint32_t PROBES_MAX = 64;

struct slot {
	uint32_t hash;
	uint32_t entry; /* counted from 1; 0 if free */
};

void distinct_done(struct distinct *distinct)
{
	free(distinct->code);
	free(distinct->string);
	*distinct = (struct distinct) {};
}

static bool is_same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* The slot where a string is or may go; nullptr if that takes long. */
static struct slot *find_slot(struct slot *table, uint32_t mask, const struct distinct *distinct,
			      struct str value, uint64_t hash)
{
	for (uint32_t probe = 0; probe < PROBES_MAX; probe++) {
		struct slot *slot = &table[((uint32_t)(hash >> 32) + probe) & mask];

		if (slot->entry == 0 || (slot->hash == (uint32_t)hash &&
					 is_same(distinct->string[slot->entry - 1], value)))
			return slot;
	}
	return nullptr;
}

/* Number all strings. Returns whether they are few enough and it was quick. */
static bool number_all(struct slot *table, uint32_t mask, const struct str *value, uint32_t n,
		       struct distinct *to)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t hash = hash_stable(value[i].at, value[i].len);
		struct slot *slot = find_slot(table, mask, to, value[i], hash);

		if (!slot)
			return false;
		if (slot->entry == 0) {
			if (to->n == STRINGS_DICTIONARY_MAX)
				return false;
			to->string[to->n++] = value[i];
			to->bytes += value[i].len;
			*slot = (struct slot) { (uint32_t)hash, to->n };
		}
		to->code[i] = slot->entry - 1;
	}
	return true;
}

int distinct_find(const struct str *value, uint32_t n, struct distinct *ret)
{
	uint32_t most = n < STRINGS_DICTIONARY_MAX ? n : STRINGS_DICTIONARY_MAX, slots = 16;

	while (slots < 2 * most)
		slots *= 2;
	auto_free struct slot *table = calloc(slots, sizeof(*table));
	struct distinct found = {
		.code = malloc(((size_t)n + 1) * sizeof(*found.code)),
		.string = malloc(((size_t)most + 1) * sizeof(*found.string)),
	};

	if (!table || !found.code || !found.string) {
		distinct_done(&found);
		return -ENOMEM;
	}
	if (!number_all(table, slots - 1, value, n, &found)) {
		distinct_done(&found);
		return 1;
	}
	*ret = found;
	return 0;
}

/* Sorting: by the 8 bytes behind what all have in common, with a radix sort; then those that are equal by all bytes. */
struct item {
	uint64_t key; /* big-endian, so that its order is that of the bytes */
	struct str string;
	uint32_t number;
};

static size_t common_prefix(const struct str *string, uint32_t n)
{
	size_t len = n > 0 ? string[0].len : 0;

	for (uint32_t i = 1; i < n; i++) {
		size_t k = 0;

		len = string[i].len < len ? string[i].len : len;
		while (k < len && string[i].at[k] == string[0].at[k])
			k++;
		len = k;
	}
	return len;
}

static uint64_t key_of(struct str string, size_t skip)
{
	uint64_t key = 0;
	size_t left = string.len - skip;

	if (left > 0)
		memcpy(&key, string.at + skip, left < sizeof(key) ? left : sizeof(key));
	return __builtin_bswap64(key);
}

/* One pass: stable, by one byte of the key. Returns false, having done nothing, if all have the same. */
static bool radix_pass(const struct item *from, struct item *to, uint32_t n, uint32_t shift)
{
	uint32_t count[256] = {}, start[256], at = 0;

	for (uint32_t i = 0; i < n; i++)
		count[from[i].key >> shift & 255]++;
	if (count[from[0].key >> shift & 255] == n)
		return false;
	for (uint32_t b = 0; b < 256; b++) {
		start[b] = at;
		at += count[b];
	}
	for (uint32_t i = 0; i < n; i++)
		to[start[from[i].key >> shift & 255]++] = from[i];
	return true;
}

static int compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	uint32_t len = a->string.len < b->string.len ? a->string.len : b->string.len;
	int order = len > 0 ? memcmp(a->string.at, b->string.at, len) : 0;

	if (order != 0)
		return order;
	return a->string.len < b->string.len ? -1 : a->string.len > b->string.len;
}

static void sort_equal_keys(struct item *item, uint32_t n)
{
	for (uint32_t from = 0, to; from < n; from = to) {
		to = from + 1;
		while (to < n && item[to].key == item[from].key)
			to++;
		if (to - from > 1)
			qsort(item + from, to - from, sizeof(*item), compare_items);
	}
}

int distinct_sort(struct str *string, uint32_t n, uint32_t *ret_rank)
{
	size_t skip = common_prefix(string, n);
	auto_free struct item *room = calloc((size_t)n * 2 + 1, sizeof(*room));

	if (!room)
		return -ENOMEM;
	struct item *item = room, *other = room + n;
	for (uint32_t i = 0; i < n; i++)
		item[i] = (struct item) { key_of(string[i], skip), string[i], i };
	for (uint32_t shift = 0; shift < 64 && n > 0; shift += 8) {
		if (!radix_pass(item, other, n, shift))
			continue;
		struct item *last = item;
		item = other;
		other = last;
	}
	sort_equal_keys(item, n);
	for (uint32_t i = 0; i < n; i++) {
		string[i] = item[i].string;
		ret_rank[item[i].number] = i;
	}
	return 0;
}
