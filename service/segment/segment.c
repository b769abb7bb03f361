/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
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
#include "service/segment/footer.h"
#include "service/segment/part.h"
#include "service/segment/segment_body.h"

struct segment {
	atomic_uint refs;
	struct segments *all;
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

int segment_remove(struct segments *segments, int64_t n)
{
	char name[32];

	segment_name(n, name);
	return folder_remove(segments->folder, name);
}

struct segment *segment_unref(struct segment *segment)
{
	if (!segment || atomic_fetch_sub_explicit(&segment->refs, 1, memory_order_acq_rel) != 1)
		return nullptr;
	cache_forget(segment->all->cache, segment->file_key);
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

/* Tell what is wrong with a segment: the text with its number and owner in it. Returns -EBADMSG. */
[[gnu::format(printf, 2, 3)]] static int tell_damage(const struct segment *segment,
						     const char *format, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	segment->all->on_damage(segment->all->userdata, sentence);
	return -EBADMSG;
}

static int damaged(const struct segment *segment, uint32_t page)
{
	return tell_damage(segment, "Page %" PRIu32 " of segment %" PRIi64 " of %s is damaged.",
			   page, segment->row.n, segment->owner);
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
	int r = cache_pin(segment->all->cache, segment->sealed, segment->file_key,
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

static int open_file(struct segment *segment, const struct segment_owner *owner)
{
	cleanup(file_close_at) struct file *file = nullptr;
	char name[32], context[SEALED_CONTEXT_MAX];

	segment_name(segment->row.n, name);
	segment_context(owner->uuid, segment->row.n, context);
	int r = file_open(segment->all->folder, name, &file);
	if (r == -ENOENT)
		return tell_damage(segment, "Segment %" PRIi64 " of %s is missing.", segment->row.n,
				   segment->owner);
	if (r == 0)
		r = sealed_open(&file, owner->key, context, segment->row.pages, &segment->sealed);
	if (r > 0)
		return tell_damage(segment,
				   "The header or length of segment %" PRIi64 " of %s is damaged.",
				   segment->row.n, segment->owner);
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

int segment_open(struct segments *segments, const struct segment_owner *owner,
		 const struct segment_row *row, struct part **ret)
{
	uint64_t len = ((uint64_t)row->pages - row->footer) * SEALED_PAGE;
	cleanup(segment_unref_at) struct segment *segment = calloc(1, sizeof(*segment));
	uint32_t page = row->footer;

	if (!segment)
		return -ENOMEM;
	atomic_init(&segment->refs, 1);
	segment->all = segments;
	segment->row = *row;
	segment->file_key = atomic_fetch_add(&segments->next_file_key, 1);
	(void)snprintf(segment->owner, sizeof(segment->owner), "%s", owner->name);
	if (row->chunks > SEGMENT_CHUNKS_MAX || row->footer >= row->pages ||
	    len > SEGMENT_FOOTER_MAX)
		return damaged(segment, row->footer);
	int r = open_file(segment, owner);
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
