/* SPDX-License-Identifier: Apache-2.0 */
#include "service/crew/scratch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crypto/aead.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"
#include "service/crew/query.h"
#include "service/disk/file.h"

constexpr uint64_t NOWHERE = UINT64_MAX;
constexpr uint64_t SIZE_MAX_BYTES = (uint64_t)1 << 43; /* so that numbers of blocks fit 32 bits */
constexpr uint32_t BLOCKS_LEAST = 16;

/* What is known of a block. */
struct block {
	uint64_t nonce; /* of what is on disk; 0: nothing is */
	uint8_t tag[CRYPTO_TAG];
	uint32_t frame; /* its place in memory plus 1; 0: it has none */
};

/* A block's place in memory. */
struct frame {
	uint64_t block; /* or NOWHERE */
	bool recent;	/* used since eviction last passed by */
	bool changed;	/* and not on disk yet */
	uint8_t data[SCRATCH_BLOCK];
};

struct scratch {
	struct exec_query *query;
	struct file *file; /* from the first block on that leaves memory */
	struct crypto_aead *aead;
	uint64_t nonce; /* the last one used */
	uint64_t size;	/* bytes */
	int failed;
	struct block *block;  /* [blocks] */
	struct frame **frame; /* [frames], room for [room] */
	uint32_t blocks, frames, room, hand;
	uint8_t sealed[SCRATCH_BLOCK + CRYPTO_TAG];
};

int scratch_new(struct exec_query *query, struct scratch **ret)
{
	int r = budget_take(&query->budget, sizeof(struct scratch));
	if (r)
		return query_result(query, r);
	struct scratch *scratch = calloc(1, sizeof(*scratch));
	if (!scratch) {
		budget_give(&query->budget, sizeof(*scratch));
		return -ENOMEM;
	}
	scratch->query = query;
	*ret = scratch;
	return 0;
}

struct scratch *scratch_free(struct scratch *scratch)
{
	if (!scratch)
		return nullptr;
	struct exec_query *query = scratch->query;
	for (uint32_t i = 0; i < scratch->frames; i++)
		free(scratch->frame[i]);
	size_t frames = scratch->frames * sizeof(struct frame);
	atomic_fetch_sub(&query->scratched, frames);
	budget_give(&query->budget, frames + sizeof(*scratch) +
					    scratch->blocks * sizeof(struct block) +
					    scratch->room * sizeof(struct frame *));
	free(scratch->frame);
	free(scratch->block);
	crypto_aead_free(scratch->aead);
	file_close(scratch->file);
	free(scratch);
	return nullptr;
}

/* Make a table of *n entries twice as large, or as large as least, counted. */
static int grow(struct scratch *scratch, void **table, uint32_t *n, size_t entry, uint32_t least)
{
	uint32_t more = 2 * *n > least ? 2 * *n : least;
	int r = budget_take(&scratch->query->budget, (more - *n) * entry);

	if (r)
		return r;
	uint8_t *grown = reallocarray(*table, more, entry);
	if (!grown) {
		budget_give(&scratch->query->budget, (more - *n) * entry);
		return -ENOMEM;
	}
	memset(grown + *n * entry, 0, (more - *n) * entry);
	*table = grown;
	*n = more;
	return 0;
}

constexpr uint64_t ROOM_EVERY =
	64; /* blocks: 256 KiB between two looks at how much room there is */

/* Make the file and its key, which only the cipher has. */
static int begin_file(struct scratch *scratch)
{
	auto_secret struct secret key = {};
	struct folder *folder = scratch->query->exec->spill_folder;

	if (!folder)
		return -EDQUOT;
	int r = secret_init(&key, CRYPTO_KEY);
	r = r ? r : crypto_random(key.data, key.len);
	r = r || scratch->aead ? r : crypto_aead_new(key.data, &scratch->aead);
	return r ? r : file_create_unnamed(folder, &scratch->file);
}

/* Write a frame's block to its place on disk, under the next number. */
static int put_block(struct scratch *scratch, const struct frame *frame)
{
	struct block *block = &scratch->block[frame->block];
	uint8_t nonce[CRYPTO_NONCE] = {};
	int r = scratch->file ? 0 : begin_file(scratch);

	if (r)
		return r;
	if (scratch->nonce % ROOM_EVERY == 0 &&
	    !folder_has_room(scratch->query->exec->spill_folder))
		return -ENOSPC;
	bytes_put(nonce, ++scratch->nonce, sizeof(scratch->nonce));
	r = crypto_aead_seal(scratch->aead, nonce, (struct crypto_extra) {}, frame->data,
			     SCRATCH_BLOCK, scratch->sealed);
	if (r)
		return r;
	r = file_write(scratch->file, frame->block * SCRATCH_BLOCK, scratch->sealed, SCRATCH_BLOCK);
	if (r)
		return r;
	block->nonce = scratch->nonce;
	memcpy(block->tag, scratch->sealed + SCRATCH_BLOCK, CRYPTO_TAG);
	atomic_fetch_add(&scratch->query->spilled, SCRATCH_BLOCK);
	return 0;
}

/* Fill a frame with what its block holds. */
static int get_block(struct scratch *scratch, const struct block *block, uint64_t number,
		     uint8_t *ret)
{
	uint8_t nonce[CRYPTO_NONCE] = {};
	size_t len;

	if (block->nonce == 0) {
		memset(ret, 0, SCRATCH_BLOCK);
		return 0;
	}
	int r = file_read(scratch->file, number * SCRATCH_BLOCK, ret, SCRATCH_BLOCK, &len);
	if (r)
		return r;
	if (len != SCRATCH_BLOCK)
		return -EBADMSG;
	bytes_put(nonce, block->nonce, sizeof(block->nonce));
	r = crypto_aead_open_apart(scratch->aead, nonce, (struct crypto_extra) {}, ret,
				   SCRATCH_BLOCK, block->tag, ret);
	return r == CRYPTO_NOT_AUTHENTIC ? -EBADMSG : r;
}

/* Whether blocks may have so much more memory: pipes are to find half of what the query has. */
static bool may_grow(const struct exec_query *query, size_t more)
{
	size_t limit = query->budget.limit, after = atomic_load(&query->scratched) + more;

	return after <= limit / SCRATCH_SHARE_LEAST ||
	       (after <= limit / SCRATCH_SHARE &&
		atomic_load(&query->budget.used) + more <= limit / 2);
}

/* One more frame, if the query's memory allows. Returns 0, -EDQUOT or -ENOMEM. */
static int add_frame(struct scratch *scratch, struct frame **ret)
{
	struct exec_query *query = scratch->query;

	if (scratch->frames > 0 && !may_grow(query, sizeof(struct frame)))
		return -EDQUOT;
	int r = scratch->frames < scratch->room
			? 0
			: grow(scratch, (void **)&scratch->frame, &scratch->room,
			       sizeof(struct frame *), BLOCKS_LEAST);
	r = r ? r : budget_take(&query->budget, sizeof(struct frame));
	if (r)
		return r;
	struct frame *frame = malloc(sizeof(*frame));
	if (!frame) {
		budget_give(&query->budget, sizeof(*frame));
		return -ENOMEM;
	}
	atomic_fetch_add(&query->scratched, sizeof(*frame));
	frame->block = NOWHERE;
	scratch->frame[scratch->frames++] = frame;
	*ret = frame;
	return 0;
}

/* The next frame that was not used lately. */
static struct frame *oldest(struct scratch *scratch, uint32_t *ret_number)
{
	for (;;) {
		uint32_t number = scratch->hand;
		struct frame *frame = scratch->frame[number];

		scratch->hand = number + 1 < scratch->frames ? number + 1 : 0;
		if (!frame->recent) {
			*ret_number = number;
			return frame;
		}
		frame->recent = false;
	}
}

/* A frame without a block: a new one, or one whose block leaves memory. */
static int free_frame(struct scratch *scratch, struct frame **ret, uint32_t *ret_number)
{
	int r = add_frame(scratch, ret);

	*ret_number = scratch->frames - 1;
	if (r == 0 || scratch->frames == 0)
		return r;
	struct frame *frame = oldest(scratch, ret_number);
	if (frame->block != NOWHERE) {
		r = frame->changed ? put_block(scratch, frame) : 0;
		if (r)
			return r;
		scratch->block[frame->block].frame = 0;
		frame->block = NOWHERE;
	}
	*ret = frame;
	return 0;
}

/* A block in memory. whole: it is about to be written as a whole, so what it holds does not matter. */
static int fetch(struct scratch *scratch, uint64_t number, bool whole, struct frame **ret)
{
	struct block *block = &scratch->block[number];
	struct frame *frame;
	uint32_t place;

	if (block->frame == 0) {
		int r = free_frame(scratch, &frame, &place);

		r = r || whole ? r : get_block(scratch, block, number, frame->data);
		if (r)
			return r;
		frame->block = number;
		frame->changed = false;
		block->frame = place + 1;
	}
	*ret = scratch->frame[block->frame - 1];
	(*ret)->recent = true;
	return 0;
}

/* Whether a call may go on. */
static int check(struct scratch *scratch)
{
	if (scratch->failed == 0)
		scratch->failed = query_check(scratch->query);
	return scratch->failed;
}

/* What a call returns; a failure is kept. */
static int end(struct scratch *scratch, int r)
{
	if (r)
		scratch->failed = query_result(scratch->query, r);
	return scratch->failed;
}

static int write_all(struct scratch *scratch, uint64_t offset, const uint8_t *from, size_t len)
{
	struct frame *frame;

	if (len > SIZE_MAX_BYTES || offset > SIZE_MAX_BYTES - len)
		return -EFBIG;
	auto need = (uint32_t)((offset + len + SCRATCH_BLOCK - 1) / SCRATCH_BLOCK);
	int r = need <= scratch->blocks
			? 0
			: grow(scratch, (void **)&scratch->block, &scratch->blocks,
			       sizeof(struct block), need > BLOCKS_LEAST ? need : BLOCKS_LEAST);
	while (r == 0 && len > 0) {
		size_t in = offset % SCRATCH_BLOCK, left = SCRATCH_BLOCK - in;
		size_t part = len < left ? len : left;

		r = fetch(scratch, offset / SCRATCH_BLOCK, part == SCRATCH_BLOCK, &frame);
		if (r)
			return r;
		memcpy(frame->data + in, from, part);
		frame->changed = true;
		from += part;
		len -= part;
		offset += part;
	}
	if (r == 0 && offset > scratch->size)
		scratch->size = offset;
	return r;
}

int scratch_write(struct scratch *scratch, uint64_t offset, const void *data, size_t len)
{
	int r = check(scratch);

	return r ? r : end(scratch, write_all(scratch, offset, data, len));
}

static int read_all(struct scratch *scratch, uint64_t offset, uint8_t *to, size_t len)
{
	struct frame *frame;

	while (len > 0) {
		size_t in = offset % SCRATCH_BLOCK, left = SCRATCH_BLOCK - in;
		size_t part = len < left ? len : left;
		int r = fetch(scratch, offset / SCRATCH_BLOCK, false, &frame);

		if (r)
			return r;
		memcpy(to, frame->data + in, part);
		to += part;
		len -= part;
		offset += part;
	}
	return 0;
}

int scratch_read(struct scratch *scratch, uint64_t offset, void *ret, size_t len, size_t *ret_len)
{
	uint64_t left = offset < scratch->size ? scratch->size - offset : 0;
	size_t part = len < left ? len : (size_t)left;
	int r = check(scratch);

	if (r)
		return r;
	r = end(scratch, read_all(scratch, offset, ret, part));
	if (r == 0)
		*ret_len = part;
	return r;
}

/* Let go of a block and of what it holds; it is as if never written. */
static void drop(struct scratch *scratch, struct block *block)
{
	if (block->frame > 0)
		scratch->frame[block->frame - 1]->block = NOWHERE;
	*block = (struct block) {};
}

static int cut(struct scratch *scratch, uint64_t len)
{
	size_t in = len % SCRATCH_BLOCK;
	uint64_t keep = (len + SCRATCH_BLOCK - 1) / SCRATCH_BLOCK;
	struct frame *frame = nullptr;

	/* What comes after the end is zeros if the end moves on again. */
	int r = in > 0 ? fetch(scratch, len / SCRATCH_BLOCK, false, &frame) : 0;
	if (r)
		return r;
	if (frame) {
		memset(frame->data + in, 0, SCRATCH_BLOCK - in);
		frame->changed = true;
	}
	for (uint64_t i = keep; i < scratch->blocks; i++)
		drop(scratch, &scratch->block[i]);
	scratch->size = len;
	return scratch->file ? file_truncate(scratch->file, keep * SCRATCH_BLOCK) : 0;
}

int scratch_truncate(struct scratch *scratch, uint64_t len)
{
	int r = check(scratch);

	if (r || len >= scratch->size)
		return r;
	return end(scratch, cut(scratch, len));
}

uint64_t scratch_size(const struct scratch *scratch)
{
	return scratch->size;
}
