/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/find.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/kernel.h"

typedef uint8_t vec [[gnu::vector_size(32)]];
typedef uint64_t vec_words [[gnu::vector_size(32)]];

constexpr size_t STEP = sizeof(vec);
constexpr size_t SHORT = 256; /* bytes of a needle that may well be compared at every place */
constexpr size_t VAIN_MAX =
	4096; /* bytes compared in vain before a long one is looked for in another way */

/* What is looked for at first: two bytes, gap apart. */
struct pair {
	uint8_t first, last;
	size_t gap;
};

KERNEL_PART void load(vec *to, const uint8_t *at)
{
	memcpy(to, at, sizeof(*to));
}

/* Bytes of at[STEP] where the pair is become 0xFF. */
KERNEL_PART void compare(vec *mask, const uint8_t *at, const struct pair *pair)
{
	vec here, there;

	load(&here, at);
	load(&there, at + pair->gap);
	*mask = (vec)(here == (vec) {} + pair->first) & (vec)(there == (vec) {} + pair->last);
}

KERNEL_PART bool any(const vec *mask)
{
	auto word = (vec_words)*mask;

	return (word[0] | word[1] | word[2] | word[3]) != 0;
}

/* The first place from from, below end, where the pair is; end if there is none. */
KERNEL static size_t find_pair(const uint8_t *hay, size_t from, size_t end, const struct pair *by)
{
	struct pair pair = *by;
	vec mask, second;

	for (; from + 2 * STEP <= end; from += 2 * STEP) {
		compare(&mask, hay + from, &pair);
		compare(&second, hay + from + STEP, &pair);
		second |= mask;
		if (any(&second))
			break;
	}
	for (; from + STEP <= end; from += STEP) {
		compare(&mask, hay + from, &pair);
		if (any(&mask))
			break;
	}
	for (; from < end; from++) {
		if (hay[from] == pair.first && hay[from + pair.gap] == pair.last)
			return from;
	}
	return end;
}

/* By memmem(3), whose cost is the sum of the lengths whatever they are. */
static size_t find_far(const char *hay, size_t hay_len, size_t from, const char *needle, size_t len)
{
	const char *found = memmem(hay + from, hay_len - from, needle, len);

	return found ? (size_t)(found - hay) : FIND_NONE;
}

size_t find_next(const char *hay, size_t hay_len, size_t from, const char *needle, size_t len)
{
	struct pair pair = { (uint8_t)needle[0], (uint8_t)needle[len - 1], len - 1 };

	if (len > hay_len)
		return FIND_NONE;
	size_t end = hay_len - len + 1, vain = 0;
	for (size_t start = from; from < end; from++) {
		from = find_pair((const uint8_t *)hay, from, end, &pair);
		if (from == end)
			break;
		if (len <= 2 || memcmp(hay + from + 1, needle + 1, len - 2) == 0)
			return from;
		vain += len;
		if (len > SHORT && vain > VAIN_MAX + 16 * (from - start))
			return find_far(hay, hay_len, from + 1, needle, len);
	}
	return FIND_NONE;
}

/* Mark those of str[n], which lie one after the other. */
static void mark_row(const struct str *str, uint32_t n, const char *needle, size_t len,
		     uint8_t *match)
{
	size_t total = (size_t)(str[n - 1].at - str[0].at) + str[n - 1].len, end = 0;
	size_t at = find_next(str[0].at, total, 0, needle, len);

	for (uint32_t i = 0; i < n && at != FIND_NONE; i++) {
		end += str[i].len;
		if (at >= end)
			continue;
		match[i] = at + len <= end;
		/* Elsewhere in this string, should that be one that runs over its end: there is none. */
		at = find_next(str[0].at, total, end, needle, len);
	}
}

void find_mark(const struct str *str, uint32_t n, const char *needle, size_t len, uint8_t *match)
{
	memset(match, 0, n);
	if (len > SHORT) { /* its beginnings could run over the end of many */
		for (uint32_t i = 0; i < n; i++)
			match[i] = find_next(str[i].at, str[i].len, 0, needle, len) != FIND_NONE;
		return;
	}
	for (uint32_t from = 0, to; from < n; from = to) {
		to = from + 1;
		while (to < n && str[to].at == str[to - 1].at + str[to - 1].len)
			to++;
		mark_row(str + from, to - from, needle, len, match + from);
	}
}
