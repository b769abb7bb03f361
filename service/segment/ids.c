/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/ids.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/column/filter.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"

constexpr size_t TEXT_MAX = SIZE_MAX / 2;
constexpr unsigned int ROW_BITS = 16;
constexpr uint64_t ROW_MASK = (UINT64_C(1) << ROW_BITS) - 1;

struct ids_index {
	struct buf filter;
	uint32_t n;
	uint64_t entry[]; /* [n] the upper 48 bits of the hash, then the row; sorted by_hash() */
};

static_assert(CHUNK_ROWS == 1u << ROW_BITS);

constexpr unsigned int SEEN_BITS = 14;
constexpr uint32_t FEW =
	4; /* entries with one hash, beyond which their end is looked for in another way */

/* A Bloom filter whose two bits for a hash are in one word. Only the 48 bits that an index keeps are used. */
struct ids_seen {
	uint64_t word[1u << SEEN_BITS];
};

void ids_done(struct ids *ids)
{
	free(ids->hash);
	free(ids->id);
	free(ids->text);
	*ids = (struct ids) {};
}

static int make_room(uint32_t n, struct ids *ret)
{
	ret->n = n;
	ret->hash = calloc((size_t)n + 1, sizeof(*ret->hash));
	ret->id = calloc((size_t)n + 1, sizeof(*ret->id));
	return ret->hash && ret->id ? 0 : -ENOMEM;
}

int ids_of_list(const struct str *id, size_t n, struct ids *ret)
{
	struct ids ids = {};
	int r = n > UINT32_MAX - 1 ? -ENOMEM : make_room((uint32_t)n, &ids);

	if (r) {
		ids_done(&ids);
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		ids.id[i] = id[i];
		ids.hash[i] = column_hash_text(KIND_STRING, id[i].at, id[i].len);
	}
	*ret = ids;
	return 0;
}

/* Copy all strings of a column; at first id[].at is an offset into text, because that moves as it grows. */
static int copy_texts(const struct column *column, struct buf *text, struct ids *ids)
{
	struct strings_room room = {};
	struct str *block = malloc(COLUMN_BLOCK * sizeof(*block));
	int r = block ? 0 : -ENOMEM;

	for (uint32_t b = 0; r == 0 && b < column_blocks(ids->n); b++) {
		uint32_t first = b * COLUMN_BLOCK;
		uint32_t n = ids->n - first < COLUMN_BLOCK ? ids->n - first : COLUMN_BLOCK;

		r = column_strings(column, b, &room, block);
		for (uint32_t i = 0; r == 0 && i < n; i++) {
			if (block[i].len == 0 || block[i].len > BUILDER_ID_MAX) {
				r = -EBADMSG; /* no builder has written it */
				break;
			}
			ids->id[first + i] = (struct str) { (char *)text->len, block[i].len };
			ids->hash[first + i] =
				column_hash_text(KIND_STRING, block[i].at, block[i].len);
			buf_add(text, block[i].at, block[i].len);
		}
	}
	strings_room_done(&room);
	free(block);
	return r ? r : buf_error(text);
}

int ids_of_chunk(struct chunk *chunk, struct ids *ret)
{
	auto_buf struct buf text = buf_make(TEXT_MAX);
	cleanup(ids_done) struct ids ids = {};
	cleanup(column_close) struct column column = {};
	uint32_t index = chunk_child(chunk, 0, "_id", 3);

	if (index == CHUNK_NONE || chunk_column(chunk, index)->kinds != 1u << KIND_STRING ||
	    chunk_column(chunk, index)->n != chunk_rows(chunk))
		return -EBADMSG;
	int r = make_room(chunk_rows(chunk), &ids);
	if (r == 0)
		r = column_open(chunk, index, 1u << LANE_STRINGS, &column);
	if (r == 0)
		r = copy_texts(&column, &text, &ids);
	if (r)
		return r > 0 ? -EBADMSG : r;
	for (uint32_t i = 0; i < ids.n; i++)
		ids.id[i].at = (const char *)text.data + (uintptr_t)ids.id[i].at;
	ids.text = TAKE(text.data);
	*ret = ids;
	ids = (struct ids) {};
	return 0;
}

/* By hash as far as an entry has it, then _id, then row. */
static int by_hash(const void *a, const void *b, void *of)
{
	const uint64_t *x = a, *y = b;
	const struct ids *ids = of;

	if (*x >> ROW_BITS != *y >> ROW_BITS)
		return *x < *y ? -1 : 1;
	int order = spans_compare(&ids->id[*x & ROW_MASK], &ids->id[*y & ROW_MASK]);
	return order ? order : *x < *y ? -1 : *x > *y;
}

int ids_index_new(const struct ids *ids, struct ids_index **ret)
{
	cleanup(ids_index_free_at) struct ids_index *index =
		malloc(sizeof(*index) + ids->n * sizeof(index->entry[0]));

	if (!index)
		return -ENOMEM;
	index->n = ids->n;
	index->filter = buf_make(TEXT_MAX);
	filter_write(&index->filter, ids->hash, ids->n, FILTER_BITS);
	if (buf_error(&index->filter))
		return buf_error(&index->filter);
	for (uint32_t i = 0; i < ids->n; i++)
		index->entry[i] = (ids->hash[i] & ~ROW_MASK) | i;
	qsort_r(index->entry, index->n, sizeof(index->entry[0]), by_hash, (void *)(uintptr_t)ids);
	*ret = TAKE(index);
	return 0;
}

struct ids_index *ids_index_free(struct ids_index *index)
{
	if (index)
		buf_done(&index->filter);
	free(index);
	return nullptr;
}

bool ids_index_may_have(const struct ids_index *index, uint64_t hash)
{
	return filter_may_have(index->filter.data, index->filter.len, hash);
}

/* The first place in the index from one on where the hash is not less. */
static uint32_t first_not_less(const struct ids_index *index, uint32_t from, uint64_t wanted)
{
	uint32_t low = from, high = index->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index->entry[middle] >> ROW_BITS < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t ids_index_find(const struct ids_index *index, uint64_t hash, uint32_t *ret_first)
{
	uint64_t wanted = hash >> ROW_BITS;
	uint32_t first = first_not_less(index, 0, wanted), end = first;

	while (end < index->n && end < first + FEW && index->entry[end] >> ROW_BITS == wanted)
		end++;
	if (end == first + FEW)
		end = first_not_less(index, end, wanted + 1);
	*ret_first = first;
	return end - first;
}

uint32_t ids_index_row(const struct ids_index *index, uint32_t at)
{
	return (uint32_t)(index->entry[at] & ROW_MASK);
}

int ids_each_repeated(const struct ids *ids, const struct ids_index *index, ids_row_fn *fn,
		      void *userdata)
{
	for (uint32_t i = 0; i + 1 < index->n; i++) {
		uint32_t row = ids_index_row(index, i), later = ids_index_row(index, i + 1);

		if (index->entry[i] >> ROW_BITS != index->entry[i + 1] >> ROW_BITS ||
		    !spans_same(&ids->id[row], &ids->id[later]))
			continue;
		int r = fn(userdata, row, later);
		if (r)
			return r;
	}
	return 0;
}

int ids_seen_new(struct ids_seen **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct ids_seen *ids_seen_free(struct ids_seen *seen)
{
	free(seen);
	return nullptr;
}

static uint64_t seen_bits(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 16 & 63) | UINT64_C(1) << (hash >> 22 & 63);
}

void ids_seen_add(struct ids_seen *seen, const struct ids_index *index)
{
	for (uint32_t i = 0; i < index->n; i++)
		seen->word[index->entry[i] >> (64 - SEEN_BITS)] |= seen_bits(index->entry[i]);
}

bool ids_seen_may_have(const struct ids_seen *seen, uint64_t hash)
{
	return (~seen->word[hash >> (64 - SEEN_BITS)] & seen_bits(hash)) == 0;
}
