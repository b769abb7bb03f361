/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/snapshots.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "service/chunk/builder.h"

constexpr size_t HEAD_MAX = 256u << 20;

struct snapshot {
	struct snapshot_chunk *chunk; /* [n] */
	size_t n, size;
	int64_t documents;
	int refs;
};

/* A chunk's blobs, each in memory of its own. */
struct body {
	uint8_t **blob; /* [n] */
	uint32_t n, size;
};

static int add_blob(void *userdata, const void *data, size_t len, struct blob *ret)
{
	struct body *body = userdata;

	if (body->n == body->size) {
		uint32_t size = body->size ? 2 * body->size : 64;
		uint8_t **grown = reallocarray(body->blob, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		body->blob = grown;
		body->size = size;
	}
	body->blob[body->n] = malloc(len);
	if (!body->blob[body->n])
		return -ENOMEM;
	memcpy(body->blob[body->n], data, len);
	*ret = (struct blob) { .page = body->n, .pages = 1, .len = (uint32_t)len };
	body->n++;
	return 0;
}

static int pin_blob(void *userdata, const struct blob *blob, struct chunk_pinned *ret)
{
	const struct body *body = userdata;

	*ret = (struct chunk_pinned) { .data = body->blob[blob->page] };
	return 0;
}

static void unpin_blob(void *, void *)
{
}

static void free_body(void *userdata)
{
	struct body *body = userdata;

	for (uint32_t i = 0; i < body->n; i++)
		free(body->blob[i]);
	free(body->blob);
	free(body);
}

struct snapshot *snapshots_new(void)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (snapshot)
		snapshot->refs = 1;
	return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	snapshot->refs++;
	return snapshot;
}

struct snapshot *snapshot_unref(struct snapshot *snapshot)
{
	if (!snapshot || --snapshot->refs > 0)
		return nullptr;
	for (size_t i = 0; i < snapshot->n; i++) {
		chunk_unref(snapshot->chunk[i].chunk);
		free((void *)(uintptr_t)snapshot->chunk[i].deleted);
	}
	free(snapshot->chunk);
	free(snapshot);
	return nullptr;
}

size_t snapshot_chunks(const struct snapshot *snapshot)
{
	return snapshot->n;
}

const struct snapshot_chunk *snapshot_chunk(const struct snapshot *snapshot, size_t index)
{
	return &snapshot->chunk[index];
}

int64_t snapshot_documents(const struct snapshot *snapshot)
{
	return snapshot->documents;
}

static int keep_chunk(struct snapshot *snapshot, struct chunk *chunk)
{
	if (snapshot->n == snapshot->size) {
		size_t size = snapshot->size ? 2 * snapshot->size : 8;
		struct snapshot_chunk *grown = reallocarray(snapshot->chunk, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		snapshot->chunk = grown;
		snapshot->size = size;
	}
	snapshot->documents += chunk_rows(chunk);
	snapshot->chunk[snapshot->n++] = (struct snapshot_chunk) { .chunk = chunk };
	return 0;
}

/* What is in the builder as a chunk. */
static int end_chunk(struct snapshot *snapshot, struct builder *builder, bool best)
{
	auto_buf struct buf head = buf_make(HEAD_MAX);
	struct chunk *chunk = nullptr;
	int r;

	if (builder_rows(builder) == 0)
		return 0;
	if (best) {
		struct body *body = calloc(1, sizeof(*body));
		struct chunk_sink sink = { add_blob, body };

		if (!body)
			return -ENOMEM;
		r = builder_write(builder, STRINGS_BEST, &sink, &head);
		r = r ? r : buf_error(&head);
		r = r ? r
		      : chunk_open_body(
				head.data, head.len,
				&(struct chunk_body) { pin_blob, unpin_blob, free_body, body },
				&chunk);
	} else {
		r = builder_pack(builder, &head);
		r = r ? r : buf_error(&head);
		r = r ? r : chunk_open(&head.data, head.len, &chunk);
		if (r == 0)
			head = buf_make(HEAD_MAX);
	}
	builder_clear(builder);
	return r ? -EBADMSG : keep_chunk(snapshot, chunk);
}

static int add_line(struct builder *builder, const char *line, size_t len)
{
	static uint64_t number;
	char id[24];
	yyjson_doc *doc = yyjson_read(line, len, YYJSON_READ_NOFLAG);
	int n = snprintf(id, sizeof(id), "d%llu", (unsigned long long)number++);
	int r = doc ? builder_add_json(builder, yyjson_doc_get_root(doc), id, (size_t)n, 1'000'000)
		    : -EBADMSG;

	yyjson_doc_free(doc);
	return r > 0 ? -EBADMSG : r;
}

int snapshots_add(struct snapshot *snapshot, const char *text, size_t len, uint32_t rows, bool best)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	int r = builder_new(&builder);

	while (len > 0 && r == 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		if (line > 0)
			r = add_line(builder, text, line);
		text += line + (end != nullptr);
		len -= line + (end != nullptr);
		if (r == 0 && builder_rows(builder) >= rows)
			r = end_chunk(snapshot, builder, best);
	}
	return r ? r : end_chunk(snapshot, builder, best);
}

int snapshots_delete(struct snapshot *snapshot, size_t chunk, uint32_t row)
{
	struct snapshot_chunk *at = &snapshot->chunk[chunk];
	auto bits = (uint64_t *)(uintptr_t)at->deleted;

	if (!bits) {
		bits = calloc(CHUNK_ROWS / 64, sizeof(*bits));
		if (!bits)
			return -ENOMEM;
		at->deleted = bits;
	}
	if (bits[row / 64] >> (row % 64) & 1)
		return 0;
	bits[row / 64] |= UINT64_C(1) << (row % 64);
	at->n_deleted++;
	snapshot->documents--;
	return 0;
}
