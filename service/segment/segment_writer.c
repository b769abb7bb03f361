/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/column/strings.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"
#include "service/segment/footer.h"
#include "service/segment/pages.h"
#include "service/segment/part.h"
#include "service/segment/segment_body.h"

constexpr uint32_t COPY_PAGES = 16;   /* read at once */
constexpr size_t ADD_MAX = 64u << 20; /* bytes given to the sealer at once; whole pages */

struct segment_writer {
	struct segments *segments;
	struct segment_row row;
	struct file *file;
	struct sealed_writer *sealed;
	struct pages pages;
	struct buf head, footer;
	uint32_t page; /* pages written so far */
	uint64_t written;
	char name[32], temp[40];
	bool finished;
};

int segment_writer_new(struct segments *segments, const struct segment_owner *owner, int64_t n,
		       struct segment_writer **ret)
{
	cleanup(segment_writer_free_at) struct segment_writer *writer = calloc(1, sizeof(*writer));
	char context[SEALED_CONTEXT_MAX];

	if (!writer)
		return -ENOMEM;
	writer->segments = segments;
	writer->row.n = n;
	writer->row.key = owner->key_number;
	writer->pages = pages_make();
	writer->head = buf_make(SEGMENT_FOOTER_MAX);
	writer->footer = buf_make(SEGMENT_FOOTER_MAX);
	segment_name(n, writer->name);
	(void)snprintf(writer->temp, sizeof(writer->temp), "%s.new", writer->name);
	int r = file_create(segments->folder, writer->temp, &writer->file);
	segment_context(owner->uuid, n, context);
	if (r == 0)
		r = sealed_writer_new(writer->file, owner->key, context, &writer->sealed);
	if (r)
		return r;
	*ret = TAKE(writer);
	return 0;
}

struct segment_writer *segment_writer_free(struct segment_writer *writer)
{
	if (!writer)
		return nullptr;
	sealed_writer_free(writer->sealed);
	/* What cannot be removed now is removed when the store is opened again. */
	if (writer->file && !writer->finished)
		(void)!folder_remove(writer->segments->folder, writer->temp);
	file_close(writer->file);
	pages_done(&writer->pages);
	buf_done(&writer->head);
	buf_done(&writer->footer);
	free(writer);
	return nullptr;
}

/* Append whole pages (the very last may be short). */
static int write_pages(struct segment_writer *writer, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t part = len < ADD_MAX ? len : ADD_MAX;
		struct extent extent = {};
		int r = sealed_add(writer->sealed, data, part, &extent);

		if (r)
			return r;
		writer->page = extent.page + extent.pages;
		writer->written += part;
		data += part;
		len -= part;
	}
	return 0;
}

static int add_blob(void *userdata, const void *data, size_t len, struct blob *ret)
{
	struct segment_writer *writer = userdata;

	return pages_add(&writer->pages, data, len, ret);
}

/* Note a chunk whose pages have been written. */
static int note_chunk(struct segment_writer *writer, uint32_t page, const uint8_t *head, size_t len,
		      uint32_t rows)
{
	footer_add(&writer->footer, &(struct footer_chunk) { .page = page,
							     .pages = writer->page - page,
							     .head = head,
							     .head_len = len });
	writer->row.chunks++;
	writer->row.rows += rows;
	return buf_error(&writer->footer);
}

int segment_add(struct segment_writer *writer, struct builder *builder)
{
	struct chunk_sink sink = { .add = add_blob, .userdata = writer };
	uint32_t page = writer->page;

	pages_clear(&writer->pages);
	buf_clear(&writer->head);
	int r = builder_write(builder, STRINGS_BEST, &sink, &writer->head);
	if (r == 0)
		r = buf_error(&writer->head);
	if (r == 0)
		r = write_pages(writer, writer->pages.data.data, writer->pages.data.len);
	return r ? r
		 : note_chunk(writer, page, writer->head.data, writer->head.len,
			      builder_rows(builder));
}

int segment_add_copy(struct segment_writer *writer, const struct part *part)
{
	auto_free uint8_t *room = malloc(COPY_PAGES * SEALED_PAGE);
	uint32_t from = 0, pages = 0, page = writer->page;
	size_t head_len = 0;
	const uint8_t *head = chunk_head(part->chunk, &head_len);
	int r = room ? 0 : -ENOMEM;

	segment_place(part, &from, &pages);
	while (r == 0 && pages > 0) {
		uint32_t n = pages < COPY_PAGES ? pages : COPY_PAGES;

		r = segment_read(part, from, n, room);
		if (r == 0)
			r = write_pages(writer, room, n * SEALED_PAGE);
		from += n;
		pages -= n;
	}
	return r ? r : note_chunk(writer, page, head, head_len, part->rows);
}

uint32_t segment_writer_chunks(const struct segment_writer *writer)
{
	return writer->row.chunks;
}

uint64_t segment_writer_bytes(const struct segment_writer *writer)
{
	return writer->written;
}

int segment_finish(struct segment_writer *writer, struct segment_row *ret)
{
	struct folder *folder = writer->segments->folder;
	auto_buf struct buf footer = buf_make(SEGMENT_FOOTER_MAX);

	footer_begin(&footer, writer->row.chunks);
	buf_add(&footer, writer->footer.data, writer->footer.len);
	writer->row.footer = writer->page;
	int r = buf_error(&footer);
	if (r == 0)
		r = write_pages(writer, footer.data, footer.len);
	if (r == 0)
		r = sealed_finish(writer->sealed, &writer->row.pages);
	if (r == 0)
		r = file_sync(writer->file);
	if (r == 0)
		r = folder_rename(folder, writer->temp, writer->name);
	if (r)
		return r;
	writer->finished = true; /* it has its name */
	r = folder_sync(folder);
	if (r) {
		(void)!folder_remove(folder, writer->name);
		return r;
	}
	writer->row.place = writer->row.n;
	*ret = writer->row;
	return 0;
}
