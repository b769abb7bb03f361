/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/crypto/aead.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"
#include "service/disk/sealed_head.h"

constexpr size_t BUFFER_PAGES = 4; /* enough that a system call costs little beside the copying */

struct sealed_writer {
	struct file *file; /* borrowed */
	struct secret page_key;
	struct crypto_aead *aead;
	uint32_t pages; /* sealed so far: the next nonce */
	int error;	/* sticky: a page that may be half on disk is never sealed a second time */
	bool finished;
	size_t buffered; /* pages */
	uint8_t buffer[BUFFER_PAGES * SEALED_STEP];
};

int sealed_writer_new(struct file *file, const uint8_t *key, const char *context,
		      struct sealed_writer **ret)
{
	uint8_t head[SEALED_HEADER];
	uint64_t size;

	cleanup(sealed_writer_free_at) struct sealed_writer *writer = malloc(sizeof(*writer));
	if (!writer)
		return -ENOMEM;
	memset(writer, 0, offsetof(struct sealed_writer, buffer));

	int r = file_size(file, &size);
	if (r)
		return r;
	if (size > 0)
		return -EEXIST;
	r = sealed_head_make(key, context, head, &writer->page_key);
	if (r)
		return r;
	r = crypto_aead_new(writer->page_key.data, &writer->aead);
	if (r)
		return r;
	r = file_write(file, 0, head, sizeof(head));
	if (r)
		return r;

	writer->file = file;
	*ret = TAKE(writer);
	return 0;
}

int sealed_writer_new_spill(struct file *file, struct sealed_writer **ret)
{
	auto_secret struct secret key = {};

	int r = secret_init(&key, SEALED_KEY);
	if (r)
		return r;
	r = crypto_random(key.data, key.len);
	if (r)
		return r;
	return sealed_writer_new(file, key.data, "spill", ret);
}

struct sealed_writer *sealed_writer_free(struct sealed_writer *writer)
{
	if (!writer)
		return nullptr;
	crypto_aead_free(writer->aead);
	secret_done(&writer->page_key);
	free(writer);
	return nullptr;
}

static int flush(struct sealed_writer *writer)
{
	if (writer->buffered == 0)
		return 0;

	uint32_t first = writer->pages - (uint32_t)writer->buffered;
	int r = file_write(writer->file, sealed_offset(first), writer->buffer,
			   writer->buffered * SEALED_STEP);
	if (r == 0)
		writer->buffered = 0;
	return r;
}

/* Seal data[len], at most a page, as the next page. */
static int add_page(struct sealed_writer *writer, const uint8_t *data, size_t len)
{
	uint8_t *to = writer->buffer + writer->buffered * SEALED_STEP;
	uint8_t nonce[CRYPTO_NONCE];

	if (len < SEALED_PAGE) {
		memcpy(to, data, len);
		memset(to + len, 0, SEALED_PAGE - len);
		data = to; /* sealed where it is */
	}
	sealed_nonce(writer->pages, nonce);
	int r = crypto_aead_seal(writer->aead, nonce, (struct crypto_extra) {}, data, SEALED_PAGE,
				 to);
	if (r)
		return r;

	writer->pages++;
	writer->buffered++;
	return writer->buffered == BUFFER_PAGES ? flush(writer) : 0;
}

int sealed_add(struct sealed_writer *writer, const void *data, size_t len, struct extent *ret)
{
	const uint8_t *from = data;
	struct extent extent = { .page = writer->pages };

	if (writer->error)
		return writer->error;
	if (len == 0 || writer->finished)
		return -EINVAL;
	if (len > SEALED_EXTENT_MAX)
		return -EMSGSIZE;
	extent.pages = (uint32_t)((len + SEALED_PAGE - 1) / SEALED_PAGE);
	if (extent.pages > UINT32_MAX - writer->pages)
		return -EFBIG;

	for (size_t at = 0; at < len; at += SEALED_PAGE) {
		size_t part = len - at < SEALED_PAGE ? len - at : SEALED_PAGE;

		writer->error = add_page(writer, from + at, part);
		if (writer->error)
			return writer->error;
	}
	*ret = extent;
	return 0;
}

int sealed_finish(struct sealed_writer *writer, uint32_t *ret_pages)
{
	if (!writer->error)
		writer->error = flush(writer);
	if (writer->error)
		return writer->error;
	writer->finished = true;
	*ret_pages = writer->pages;
	return 0;
}

int sealed_writer_take(struct sealed_writer **writer, struct file **file, struct sealed **ret)
{
	uint32_t pages;

	int r = sealed_finish(*writer, &pages);
	if (r)
		return r;
	r = sealed_make(file, &(*writer)->page_key, pages, ret);
	if (r)
		return r;
	sealed_writer_free_at(writer);
	return 0;
}
