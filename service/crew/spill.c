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

static const char CONTEXT[] = "spill";
constexpr size_t BUFFER = SEALED_PAGE; /* bytes of a part that are written together */
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
	struct folder *folder;
	struct file *file;
	struct secret key;
	struct sealed_writer *writer;
	struct sealed *sealed;
	struct part *part; /* [parts] */
	uint32_t parts;
	uint64_t bytes;
};

static int begin(struct spill *spill, const char *folder)
{
	int r = secret_init(&spill->key, SEALED_KEY);

	r = r ? r : crypto_random(spill->key.data, SEALED_KEY);
	r = r ? r : folder_open(folder, nullptr, nullptr, &spill->folder);
	r = r ? r : file_create_unnamed(spill->folder, &spill->file);
	return r ? r : sealed_writer_new(spill->file, spill->key.data, CONTEXT, &spill->writer);
}

int spill_new(const char *folder, uint32_t parts, struct spill **ret)
{
	cleanup(spill_free_at) struct spill *spill = calloc(1, sizeof(*spill));

	if (!spill)
		return -ENOMEM;
	pthread_mutex_init(&spill->lock, nullptr);
	spill->parts = parts;
	spill->part = calloc(parts, sizeof(*spill->part));
	if (!spill->part)
		return -ENOMEM;
	int r = begin(spill, folder);
	if (r)
		return r;
	*ret = TAKE(spill);
	return 0;
}

struct spill *spill_free(struct spill *spill)
{
	if (!spill)
		return nullptr;
	for (uint32_t i = 0; spill->part && i < spill->parts; i++) {
		free(spill->part[i].extent);
		free(spill->part[i].buffer);
	}
	free(spill->part);
	sealed_writer_free(spill->writer);
	sealed_close(spill->sealed);
	file_close(spill->file);
	folder_close(spill->folder);
	secret_done(&spill->key);
	pthread_mutex_destroy(&spill->lock);
	free(spill);
	return nullptr;
}

/* Write a part's buffer. */
static int flush(struct spill *spill, struct part *part)
{
	if (part->len == 0)
		return 0;
	if (part->n == part->size) {
		uint32_t size = part->size ? 2 * part->size : 16;
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

static int append(struct spill *spill, struct part *part, const void *data, size_t len)
{
	uint64_t length = len;
	size_t need = sizeof(length) + ((len + 7) & ~(size_t)7);
	int r = part->len > 0 && part->len + need > BUFFER ? flush(spill, part) : 0;

	if (r)
		return r;
	if (part->len + need > part->room) {
		size_t room = need > BUFFER ? need : BUFFER;
		uint8_t *grown = realloc(part->buffer, room);

		if (!grown)
			return -ENOMEM;
		part->buffer = grown;
		part->room = room;
	}
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
	int r = append(spill, &spill->part[part], data, len);
	pthread_mutex_unlock(&spill->lock);
	return r;
}

int spill_end(struct spill *spill)
{
	uint32_t pages;
	int r = 0;

	for (uint32_t i = 0; i < spill->parts && r == 0; i++) {
		r = flush(spill, &spill->part[i]);
		free(spill->part[i].buffer);
		spill->part[i].buffer = nullptr;
		spill->part[i].room = 0;
	}
	r = r ? r : sealed_finish(spill->writer, &pages);
	if (r)
		return r;
	spill->writer = sealed_writer_free(spill->writer);
	r = sealed_open(&spill->file, spill->key.data, CONTEXT, pages, &spill->sealed);
	return r > 0 ? -EBADMSG : r;
}

/* Hand out the pieces of an extent. */
static int read_extent(struct spill *spill, const struct extent *extent, spill_fn *fn,
		       void *userdata)
{
	size_t size = (size_t)extent->pages * SEALED_PAGE, at = 0;
	auto_free uint8_t *data = malloc(size);
	uint64_t len;
	uint32_t page;

	if (!data)
		return -ENOMEM;
	int r = sealed_read(spill->sealed, *extent, data, &page);
	if (r)
		return r > 0 ? -EBADMSG : r;
	while (r == 0 && at + sizeof(len) < size) {
		memcpy(&len, data + at, sizeof(len));
		at += sizeof(len);
		if (len == 0)
			return 0;
		if (len > size - at)
			return -EBADMSG;
		r = fn(userdata, data + at, len);
		at += (len + 7) & ~(uint64_t)7;
	}
	return r;
}

int spill_read(struct spill *spill, uint32_t part, spill_fn *fn, void *userdata)
{
	const struct part *at = &spill->part[part];
	int r = 0;

	for (uint32_t i = 0; i < at->n && r == 0; i++)
		r = read_extent(spill, &at->extent[i], fn, userdata);
	return r;
}

uint64_t spill_bytes(const struct spill *spill)
{
	return spill->bytes;
}
