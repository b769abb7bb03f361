/* SPDX-License-Identifier: Apache-2.0 */
#include "service/crew/spill.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/crypto.h"
#include "common/secret.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"

static_assert(SPILL_BUFFER == SEALED_PAGE); /* records are written by whole pages */
static const char CONTEXT[] = "spill";
constexpr size_t LEN_MAX = SEALED_EXTENT_MAX / 2;

/* A part: extents on disk, then what is still in memory. In both each piece follows its length in 8 bytes. */
struct part {
	struct extent *extent; /* [n] */
	uint32_t n, size;
	uint8_t *buffer; /* [room] */
	size_t len, room;
};

struct spill {
	pthread_mutex_t lock;
	struct folder *folder; /* borrowed */
	struct file *file;
	struct secret key;
	struct sealed_writer *writer;
	struct sealed *sealed;
	struct budget *budget;
	struct part **part; /* [parts] */
	uint32_t parts, size;
	uint64_t bytes;
};

static int begin(struct spill *spill, struct folder *folder)
{
	int r = secret_init(&spill->key, SEALED_KEY);

	r = r ? r : crypto_random(spill->key.data, SEALED_KEY);
	r = r ? r : file_create_unnamed(folder, &spill->file);
	return r ? r : sealed_writer_new(spill->file, spill->key.data, CONTEXT, &spill->writer);
}

int spill_new(struct folder *folder, uint32_t parts, struct budget *budget, struct spill **ret)
{
	cleanup(spill_free_at) struct spill *spill = calloc(1, sizeof(*spill));
	uint32_t part;
	int r = 0;

	if (!spill)
		return -ENOMEM;
	pthread_mutex_init(&spill->lock, nullptr);
	spill->budget = budget;
	spill->folder = folder;
	for (uint32_t i = 0; i < parts && r == 0; i++)
		r = spill_part(spill, &part);
	r = r ? r : begin(spill, folder);
	if (r)
		return r;
	*ret = TAKE(spill);
	return 0;
}

static void free_buffer(struct spill *spill, struct part *part)
{
	budget_give(spill->budget, part->room);
	free(part->buffer);
	part->buffer = nullptr;
	part->room = 0;
}

struct spill *spill_free(struct spill *spill)
{
	if (!spill)
		return nullptr;
	for (uint32_t i = 0; i < spill->parts; i++) {
		free(spill->part[i]->extent);
		free_buffer(spill, spill->part[i]);
		free(spill->part[i]);
	}
	free(spill->part);
	sealed_writer_free(spill->writer);
	sealed_close(spill->sealed);
	file_close(spill->file);
	secret_done(&spill->key);
	pthread_mutex_destroy(&spill->lock);
	free(spill);
	return nullptr;
}

static int add_part(struct spill *spill, uint32_t *ret)
{
	if (spill->parts == spill->size) {
		uint32_t size = spill->size ? 2 * spill->size : 64;
		struct part **grown = reallocarray(spill->part, size, sizeof(struct part *));

		if (!grown)
			return -ENOMEM;
		spill->part = grown;
		spill->size = size;
	}
	struct part *part = calloc(1, sizeof(*part));
	if (!part)
		return -ENOMEM;
	spill->part[spill->parts] = part;
	*ret = spill->parts++;
	return 0;
}

int spill_part(struct spill *spill, uint32_t *ret)
{
	pthread_mutex_lock(&spill->lock);
	int r = add_part(spill, ret);
	pthread_mutex_unlock(&spill->lock);
	return r;
}

/* Write a part's buffer. */
static int flush(struct spill *spill, struct part *part)
{
	if (part->len == 0)
		return 0;
	if (!folder_has_room(spill->folder))
		return -ENOSPC;
	if (part->n == part->size) {
		uint32_t size = part->size ? 2 * part->size : 4;
		struct extent *grown = reallocarray(part->extent, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		part->extent = grown;
		part->size = size;
	}
	/* The end of the last page is zeros, which is read as a length of 0. */
	int r = sealed_add(spill->writer, part->buffer, part->len, &part->extent[part->n]);
	if (r)
		return r;
	part->n++;
	spill->bytes += part->len;
	part->len = 0;
	return 0;
}

/* Make an empty buffer hold so many bytes. */
static int make_room(struct spill *spill, struct part *part, size_t room)
{
	free_buffer(spill, part);
	int r = budget_take(spill->budget, room);
	if (r)
		return r;
	part->buffer = malloc(room);
	if (!part->buffer) {
		budget_give(spill->budget, room);
		return -ENOMEM;
	}
	part->room = room;
	return 0;
}

static int append(struct spill *spill, struct part *part, const void *data, size_t len)
{
	uint64_t length = len;
	size_t need = sizeof(length) + ((len + 7) & ~(size_t)7);
	int r = part->len > 0 && part->len + need > SPILL_BUFFER ? flush(spill, part) : 0;

	if (r == 0 && part->len + need > part->room)
		r = make_room(spill, part, need > SPILL_BUFFER ? need : SPILL_BUFFER);
	if (r)
		return r;
	uint8_t *at = part->buffer + part->len;
	memset(at + need - 8, 0, 8);
	memcpy(at, &length, sizeof(length));
	memcpy(at + sizeof(length), data, len);
	part->len += need;
	return 0;
}

int spill_add(struct spill *spill, uint32_t part, const void *data, size_t len)
{
	if (len == 0 || len > LEN_MAX)
		return -EMSGSIZE;
	pthread_mutex_lock(&spill->lock);
	int r = append(spill, spill->part[part], data, len);
	pthread_mutex_unlock(&spill->lock);
	return r;
}

int spill_flush(struct spill *spill, uint32_t part)
{
	pthread_mutex_lock(&spill->lock);
	int r = flush(spill, spill->part[part]);
	if (r == 0)
		free_buffer(spill, spill->part[part]);
	pthread_mutex_unlock(&spill->lock);
	return r;
}

int spill_end(struct spill *spill)
{
	uint32_t pages;
	int r = 0;

	for (uint32_t i = 0; i < spill->parts && r == 0; i++)
		r = spill_flush(spill, i);
	r = r ? r : sealed_finish(spill->writer, &pages);
	if (r)
		return r;
	spill->writer = sealed_writer_free(spill->writer);
	r = sealed_open(&spill->file, spill->key.data, CONTEXT, pages, &spill->sealed);
	return r > 0 ? -EBADMSG : r;
}

/* Read the reader's next extent. */
static int read_extent(struct spill_reader *reader)
{
	const struct part *part = reader->spill->part[reader->part];
	uint32_t page;

	if (reader->extent == part->n)
		return SPILL_NO_MORE;
	struct extent extent = part->extent[reader->extent];
	size_t size = (size_t)extent.pages * SEALED_PAGE;
	if (size > reader->room) {
		int r = budget_take(reader->budget, size - reader->room);

		if (r)
			return r;
		uint8_t *grown = malloc(size);
		if (!grown) {
			budget_give(reader->budget, size - reader->room);
			return -ENOMEM;
		}
		free(reader->data);
		reader->data = grown;
		reader->room = size;
	}
	int r = sealed_read(reader->spill->sealed, extent, reader->data, &page);
	if (r)
		return r > 0 ? -EBADMSG : r;
	reader->extent++;
	reader->size = size;
	reader->at = 0;
	return 0;
}

void spill_reader_init(struct spill_reader *reader, struct spill *spill, uint32_t part,
		       struct budget *budget)
{
	*reader = (struct spill_reader) { .spill = spill, .part = part, .budget = budget };
}

void spill_reader_done(struct spill_reader *reader)
{
	budget_give(reader->budget, reader->room);
	free(reader->data);
	*reader = (struct spill_reader) {};
}

int spill_next(struct spill_reader *reader, uint8_t **ret, size_t *ret_len)
{
	for (;;) {
		uint64_t len = 0;

		/* The end of a page is zeros where there was no more: a length of 0. */
		if (reader->at + sizeof(len) < reader->size)
			memcpy(&len, reader->data + reader->at, sizeof(len));
		if (len > 0) {
			reader->at += sizeof(len);
			if (len > reader->size - reader->at)
				return -EBADMSG;
			*ret = reader->data + reader->at;
			*ret_len = len;
			reader->at += (len + 7) & ~(uint64_t)7;
			return 0;
		}
		int r = read_extent(reader);
		if (r)
			return r;
	}
}

int spill_read(struct spill *spill, uint32_t part, spill_fn *fn, void *userdata)
{
	cleanup(spill_reader_done) struct spill_reader reader = {};
	uint8_t *data;
	size_t len;
	int r;

	spill_reader_init(&reader, spill, part, nullptr);
	do {
		r = spill_next(&reader, &data, &len);
		r = r ? r : fn(userdata, data, len);
	} while (r == 0);
	return r == SPILL_NO_MORE ? 0 : r;
}

uint64_t spill_bytes(const struct spill *spill)
{
	return spill->bytes;
}
