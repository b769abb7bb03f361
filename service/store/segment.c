/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/disk/cache.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"
#include "service/store/footer.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/store/part.h"
#include "service/store/segment_body.h"

struct segment {
	atomic_uint refs;
	struct store *store;
	struct segment_row row;
	uint64_t file_key; /* for the cache */
	struct sealed *sealed;
	char owner[128]; /* the collection, for sentences on damage */
	struct {
		uint32_t page, pages;
	} place[SEGMENT_CHUNKS_MAX]; /* of each chunk */
};

void segment_name(int64_t n, char ret[32])
{
	(void)snprintf(ret, 32, "%" PRIi64 ".segment", n);
}

void segment_context(const char *uuid, int64_t n, char ret[SEALED_CONTEXT_MAX])
{
	(void)snprintf(ret, SEALED_CONTEXT_MAX, "segment %" PRIi64 " %s", n, uuid);
}

int segment_remove(struct store *store, int64_t n)
{
	char name[32];

	segment_name(n, name);
	return folder_remove(store->segment_folder, name);
}

struct segment *segment_unref(struct segment *segment)
{
	if (!segment || atomic_fetch_sub_explicit(&segment->refs, 1, memory_order_acq_rel) != 1)
		return nullptr;
	cache_forget(segment->store->cache, segment->file_key);
	sealed_close(segment->sealed);
	free(segment);
	return nullptr;
}
CLEANUP_FN(struct segment, segment_unref)

static struct segment *segment_ref(struct segment *segment)
{
	atomic_fetch_add_explicit(&segment->refs, 1, memory_order_relaxed);
	return segment;
}

const struct segment_row *segment_row(const struct segment *segment)
{
	return &segment->row;
}

int64_t segment_number(const struct segment *segment)
{
	return segment->row.n;
}

/* Remember what is wrong with a segment. Returns -EBADMSG. */
static int damaged(const struct segment *segment, uint32_t page)
{
	store_note_damage(segment->store,
			  "Page %" PRIu32 " of segment %" PRIi64 " of %s is damaged.", page,
			  segment->row.n, segment->owner);
	return -EBADMSG;
}

void segment_place(const struct part *part, uint32_t *ret_page, uint32_t *ret_pages)
{
	*ret_page = part->segment->place[part->number].page;
	*ret_pages = part->segment->place[part->number].pages;
}

/* --- a chunk's bytes ----------------------------------------------------------------------- */

struct segment_body {
	struct segment *segment;
	uint32_t page, pages; /* of the chunk in the file */
};

static int pin(void *userdata, const struct blob *blob, struct chunk_pinned *ret)
{
	const struct segment_body *body = userdata;
	struct segment *segment = body->segment;
	struct pin *pinned = nullptr;
	const uint8_t *data = nullptr;
	struct pin_about about = {};

	/* The head was checked by chunk_open_body(), but not against the place of its pages. */
	if (blob->pages == 0 || blob->page > body->pages ||
	    blob->pages > body->pages - blob->page ||
	    (uint64_t)blob->offset + blob->len > (uint64_t)blob->pages * SEALED_PAGE) {
		(void)!damaged(segment, segment->row.footer);
		return CHUNK_DAMAGED;
	}
	int r = cache_pin(segment->store->cache, segment->sealed, segment->file_key,
			  (struct extent) { body->page + blob->page, blob->pages }, &data, &pinned,
			  &about);
	if (r == SEALED_DAMAGED) {
		(void)!damaged(segment, about.page);
		return CHUNK_DAMAGED;
	}
	if (r)
		return r > 0 ? CHUNK_DAMAGED : r;
	*ret = (struct chunk_pinned) {
		.data = data + blob->offset,
		.pin = pinned,
		.pages = { blob->pages, about.missed ? blob->pages : 0 },
	};
	return 0;
}

static void unpin(void *, void *pinned)
{
	cache_unpin(pinned);
}

static void release(void *userdata)
{
	struct segment_body *body = userdata;

	segment_unref(body->segment);
	free(body);
}

static int open_chunk(struct segment *segment, const struct footer_chunk *about, uint32_t number,
		      struct part **ret)
{
	cleanup(chunk_unref_at) struct chunk *chunk = nullptr;
	cleanup(segment_unref_at) struct segment *shared = segment_ref(segment);
	struct segment_body *body = calloc(1, sizeof(*body));

	if (!body)
		return -ENOMEM;
	*body = (struct segment_body) { segment_ref(segment), about->page, about->pages };
	int r = chunk_open_body(about->head, about->head_len,
				&(struct chunk_body) { pin, unpin, release, body }, &chunk);
	if (r) {
		release(body);
		return r > 0 ? damaged(segment, segment->row.footer) : r;
	}
	return part_new(&chunk, nullptr, &shared, number, ret);
}

int segment_read(const struct part *part, uint32_t page, uint32_t pages, uint8_t *ret)
{
	struct segment *segment = part->segment;
	uint32_t wrong = page;
	int r = sealed_read(segment->sealed, (struct extent) { page, pages }, ret, &wrong);

	return r > 0 ? damaged(segment, wrong) : r;
}

/* --- open ---------------------------------------------------------------------------------- */

static int open_file(struct live *live, struct segment *segment)
{
	cleanup(file_close_at) struct file *file = nullptr;
	uint8_t key[SEALED_KEY];
	char name[32], context[SEALED_CONTEXT_MAX];
	int64_t n = 0;

	segment_name(segment->row.n, name);
	segment_context(live->about.uuid, segment->row.n, context);
	int r = file_open(live->store->segment_folder, name, &file);
	if (r == -ENOENT) {
		store_note_damage(live->store, "Segment %" PRIi64 " of %s is missing.",
				  segment->row.n, segment->owner);
		return -EBADMSG;
	}
	if (r == 0)
		r = live_key(live, segment->row.key, key, &n) ? 0 : -EBADMSG;
	if (r == 0)
		r = sealed_open(&file, key, context, segment->row.pages, &segment->sealed);
	explicit_bzero(key, sizeof(key));
	if (r > 0) {
		store_note_damage(live->store,
				  "The header or length of segment %" PRIi64 " of %s is damaged.",
				  segment->row.n, segment->owner);
		return -EBADMSG;
	}
	return r;
}

static int open_chunks(struct segment *segment, const uint8_t *footer, size_t len,
		       struct part **ret)
{
	struct footer_chunk about[SEGMENT_CHUNKS_MAX];
	uint32_t n = segment->row.chunks, opened = 0;
	int r = 0;

	if (!footer_read(footer, len, segment->row.footer, n, about))
		return damaged(segment, segment->row.footer);
	while (r == 0 && opened < n) {
		segment->place[opened].page = about[opened].page;
		segment->place[opened].pages = about[opened].pages;
		r = open_chunk(segment, &about[opened], opened, &ret[opened]);
		opened += r == 0;
	}
	for (; r && opened > 0; opened--)
		ret[opened - 1] = part_unref(ret[opened - 1]);
	return r;
}

int segment_open(struct live *live, const struct segment_row *row, struct part **ret)
{
	uint64_t len = ((uint64_t)row->pages - row->footer) * SEALED_PAGE;
	cleanup(segment_unref_at) struct segment *segment = calloc(1, sizeof(*segment));
	uint32_t page = row->footer;

	if (!segment)
		return -ENOMEM;
	atomic_init(&segment->refs, 1);
	segment->store = live->store;
	segment->row = *row;
	segment->file_key = atomic_fetch_add(&live->store->next_file_key, 1);
	(void)snprintf(segment->owner, sizeof(segment->owner), "%.60s.%.60s", live->about.workspace,
		       live->about.name);
	if (row->chunks > SEGMENT_CHUNKS_MAX || row->footer >= row->pages ||
	    len > SEGMENT_FOOTER_MAX)
		return damaged(segment, row->footer);
	int r = open_file(live, segment);
	if (r)
		return r;
	auto_free uint8_t *footer = malloc(len);
	if (!footer)
		return -ENOMEM;
	r = sealed_read(segment->sealed, (struct extent) { row->footer, row->pages - row->footer },
			footer, &page);
	if (r)
		return r > 0 ? damaged(segment, page) : r;
	return open_chunks(segment, footer, len, ret);
}
